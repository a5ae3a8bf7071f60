/* SPDX-License-Identifier: Apache-2.0 */
/* nango-runner: runs scripts in a sandbox, at its host's request (protocol.h).
 *
 * Two steps, so that a zygote can do the first once and fork: prepare() loads what must be
 * loaded and makes no VM (a VM that has run must never be forked); serve() warms one up,
 * seals the process and works until the host hangs up. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/str.h"
#include "runner/engine.h"
#include "runner/protocol.h"
#include "runner/sandbox.h"
#include "runner/tool.h"
#include "runner/zygote.h"

#define EXIT_USAGE 2
#define DEFAULT_FD 3

struct options {
    int in_fd, out_fd;
    bool zygote; /* in_fd is its control socket */
    char **tool; /* what follows --tool */
};

static int usage(FILE *to, int code)
{
    fputs("usage: nango-runner [--fd N | --stdio | --zygote N]\n"
          "       nango-runner --tool MEMORY_MB CPU_S PROGRAM ARGUMENTS...\n\n"
          "Runs Nango scripts in a sandbox. It is started by nangod and nangoctl and "
          "speaks\n"
          "frames with them: over descriptor N (3 unless given), or standard input and\n"
          "output. As a zygote it runs none itself, but forks runners when asked to.\n"
          "A tool is another program, behind walls of its own.\n",
        to);
    return code;
}

static bool read_options(int argc, char **argv, struct options *options)
{
    options->in_fd = options->out_fd = DEFAULT_FD;
    if (argc > 1 && strcmp(argv[1], "--tool") == 0) {
        options->tool = argv + 2;
        options->in_fd = STDIN_FILENO;
        options->out_fd = STDOUT_FILENO;
        return true;
    }
    for (int i = 1; i < argc; i++) {
        int64_t fd;

        if (strcmp(argv[i], "--stdio") == 0) {
            options->in_fd = STDIN_FILENO;
            options->out_fd = STDOUT_FILENO;
        } else if ((strcmp(argv[i], "--fd") == 0 || strcmp(argv[i], "--zygote") == 0) &&
                   i + 1 < argc && str_to_i64(argv[i + 1], &fd) && fd >= 0 && fd < 1024) {
            options->in_fd = options->out_fd = (int)fd;
            options->zygote = strcmp(argv[i], "--zygote") == 0;
            i++;
        } else {
            return false;
        }
    }
    return true;
}

/* Gives each whole frame of `in` to the engine, until a run has ended. */
static enum engine_outcome take_frames(struct engine *engine, struct buf *in)
{
    enum engine_outcome outcome = ENGINE_GOES_ON;

    while (outcome == ENGINE_GOES_ON) {
        const char *text;
        size_t len;
        int found = protocol_frame(in, PROTOCOL_MAX_FRAME, &text, &len);

        if (found < 0)
            return ENGINE_BROKEN;
        if (found == 0)
            break;
        outcome = engine_message(engine, text, len);
        buf_drop_front(in, protocol_frame_size(len));
    }
    return outcome;
}

/* Serves the host until it hangs up (0) or the process is spent (1). */
static int serve(struct engine *engine, const struct options *options, struct err *err)
{
    struct buf in;
    int code = 1;

    buf_init(&in, 0);
    if (!engine_start(engine, err) || !sandbox_seal(err) || !engine_ready(engine))
        goto done;
    for (;;) {
        struct pollfd peer = {.fd = options->in_fd, .events = POLLIN};
        enum engine_outcome outcome;
        int wait_ms;

        outcome = engine_tick(engine, &wait_ms);
        if (outcome == ENGINE_GOES_ON) {
            int ready = poll(&peer, 1, wait_ms);

            if (ready < 0 && errno != EINTR)
                break;
            if (ready <= 0)
                continue;
            if (!protocol_read(options->in_fd, &in)) {
                code = errno == 0 ? 0 : 1;
                break;
            }
            outcome = take_frames(engine, &in);
        }
        if (outcome == ENGINE_BROKEN)
            break;
        if (outcome == ENGINE_DONE &&
            (!engine_renew(engine, err) || !engine_ready(engine)))
            break;
    }

done:
    buf_finish(&in);
    return code;
}

/* Warms up, seals, works. Exits the process: the VM is not taken down. */
static int run(const struct options *options, struct err *err)
{
    int errors = sandbox_quiet();
    struct engine *engine = engine_new(options->out_fd);
    int code = serve(engine, options, err);

    if (err->message[0] != '\0')
        dprintf(errors, "nango-runner: %s\n", err->message);
    return code;
}

/* A runner that was forked: its socket is all that it has. */
static int run_forked(int fd)
{
    struct options options = {.in_fd = fd, .out_fd = fd};
    struct err err = {0};

    return run(&options, &err);
}

int main(int argc, char **argv)
{
    struct options options = {0};
    struct err err = {0};

    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return usage(stdout, 0);
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts("nango-runner " NANGO_VERSION);
        return 0;
    }
    if (!read_options(argc, argv, &options))
        return usage(stderr, EXIT_USAGE);
    if (!sandbox_enter(argv, options.in_fd, options.out_fd, &err) ||
        (options.tool != NULL && !tool_exec(options.tool, &err))) {
        fprintf(stderr, "nango-runner: %s\n", err.message);
        return 1;
    }
    _exit(options.zygote ? zygote_serve(options.in_fd, run_forked) : run(&options, &err));
}
