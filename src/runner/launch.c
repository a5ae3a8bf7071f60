/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/launch.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"

#define RUNNER_FD 3

char *const runner_environment[] = {
    (char[]){RUNNER_ENVIRONMENT_MARK "=no"},
    (char[]){"TZ=UTC"},
    (char[]){"LC_ALL=C.UTF-8"},
    (char[]){"JSC_numberOfGCMarkers=1"},
    (char[]){"JSC_useConcurrentGC=false"},
    /* Of the objects of a run few outlive it, and those of one that goes on are few cycles' worth:
     * keeping two generations apart costs more than it saves. */
    (char[]){"JSC_useGenerationalGC=false"},
    /* How much the collector takes for free: with the machine's own size a runner would
     * keep the contexts of dozens of runs. The real limit is the sandbox's. */
    (char[]){"JSC_forceRAMSize=67108864"},
    /* When a function is worth compiling. Each execution has a context of its own, for which
     * what was compiled is linked anew: with the engine's own 500 that takes a quarter of
     * the time of a short script. A loop still gets there within some 10 ms. */
    (char[]){"JSC_thresholdForJITAfterWarmUp=500000"},
    NULL,
};

char *runner_program(const char *given)
{
    static const char *const places[] = {"", "/../libexec/nango", "/../libexec"};
    char self[PATH_MAX];
    ssize_t len;

    if (!str_is_empty(given))
        return str_dup(given);
    len = readlink("/proc/self/exe", self, sizeof self - 1);
    if (len <= 0)
        return NULL;
    self[len] = '\0';
    *strrchr(self, '/') = '\0';
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        char *path = str_printf("%s%s/nango-runner", self, places[i]);

        if (access(path, X_OK) == 0)
            return path;
        free(path);
    }
    return NULL;
}

bool runner_start(struct runner *runner, const char *program, struct err *err)
{
    static char name[] = "nango-runner";
    char *argv[] = {name, NULL};
    posix_spawn_file_actions_t actions;
    int pair[2], failure;

    memset(runner, 0, sizeof *runner);
    runner->fd = -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return err_internal(err, "socketpair: %s", strerror(errno));
    posix_spawn_file_actions_init(&actions);
    /* A copy onto itself would keep close-on-exec; the actions know that case. */
    posix_spawn_file_actions_adddup2(&actions, pair[1], RUNNER_FD);
    failure =
        posix_spawn(&runner->pid, program, &actions, NULL, argv, runner_environment);
    posix_spawn_file_actions_destroy(&actions);
    close(pair[1]);
    if (failure != 0) {
        close(pair[0]);
        runner->pid = 0;
        return err_internal(err, "%s cannot be started: %s", program, strerror(failure));
    }
    runner->fd = pair[0];
    buf_init(&runner->in, PROTOCOL_MAX_FRAME * 2);
    return true;
}

bool runner_send(struct runner *runner, const struct buf *frames)
{
    return protocol_write(runner->fd, frames->data, frames->len);
}

enum runner_event runner_next(
    struct runner *runner, int64_t deadline_ms, struct message *message, struct err *err)
{
    if (runner->taken > 0)
        buf_drop_front(&runner->in, runner->taken);
    runner->taken = 0;
    for (;;) {
        struct pollfd peer = {.fd = runner->fd, .events = POLLIN};
        const char *text;
        size_t len;
        int found = protocol_frame(&runner->in, PROTOCOL_MAX_FRAME, &text, &len);
        int wait_ms = -1, ready;

        if (found < 0) {
            err_internal(err, "a frame of the runner is too large");
            return RUNNER_FAULTY;
        }
        if (found > 0) {
            runner->taken = protocol_frame_size(len);
            return protocol_parse(text, len, message, err) ? RUNNER_MESSAGE
                                                           : RUNNER_FAULTY;
        }
        if (deadline_ms > 0) {
            int64_t left = deadline_ms - clock_mono_ms();

            if (left <= 0)
                return RUNNER_TIMEOUT;
            wait_ms = left > 60000 ? 60000 : (int)left;
        }
        ready = poll(&peer, 1, wait_ms);
        if (ready < 0 && errno != EINTR)
            return RUNNER_GONE;
        if (ready > 0 && !protocol_read(runner->fd, &runner->in))
            return RUNNER_GONE;
    }
}

int runner_reap(struct runner *runner, bool kill_it)
{
    int status = 0;

    if (runner->pid > 0) {
        if (kill_it)
            kill(runner->pid, SIGKILL);
        while (waitpid(runner->pid, &status, 0) < 0 && errno == EINTR)
            ;
        close(runner->fd);
        buf_finish(&runner->in);
    }
    memset(runner, 0, sizeof *runner);
    runner->fd = -1;
    return status;
}

const char *runner_death(int wait_status, char *message, size_t size)
{
    static const struct {
        int signal;
        const char *type, *message;
    } deaths[] = {
        {SIGXCPU, "execution_timeout", "The script used more CPU time than it may"},
        /* The engine's ways to say that an allocation failed. */
        {SIGABRT, "script_internal_error", "The script went over its memory limit"},
        {SIGILL, "script_internal_error", "The script went over its memory limit"},
        {SIGTRAP, "script_internal_error", "The script went over its memory limit"},
        {SIGBUS, "script_internal_error", "The script went over its memory limit"},
        {SIGSYS, "script_internal_error",
            "The script was ended: it tried what the sandbox does not allow"},
        {SIGKILL, "script_internal_error", "The script's process was killed"},
    };

    for (size_t i = 0; i < sizeof deaths / sizeof deaths[0]; i++) {
        if (WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == deaths[i].signal) {
            snprintf(message, size, "%s", deaths[i].message);
            return deaths[i].type;
        }
    }
    if (WIFSIGNALED(wait_status))
        snprintf(message, size, "The script's process ended by signal %d",
            WTERMSIG(wait_status));
    else
        snprintf(message, size, "The script's process ended before the script did (%d)",
            WEXITSTATUS(wait_status));
    return "script_internal_error";
}
