/* SPDX-License-Identifier: Apache-2.0 */
#include "scripts/compile.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "runner/environment.h"

#define MAX_MESSAGES ((size_t)64 << 10)
#define PIECE ((size_t)64 << 10)

enum {
    LOOK_MS = 250, /* how often it is looked whether it was cancelled */
};

/* A compiler that runs, and the pipes to it; -1 = closed. */
struct child {
    pid_t pid;
    int in, out, messages;
};

char *compiler_find_esbuild(const char *given)
{
    const char *path = getenv("PATH");

    if (!str_is_empty(given))
        return str_dup(given);
    path = path != NULL ? path : "/usr/local/bin:/usr/bin:/bin";
    for (;;) {
        size_t len = strcspn(path, ":");
        char *file = str_printf("%.*s/esbuild", (int)len, path);

        if (len > 0 && access(file, X_OK) == 0)
            return file;
        free(file);
        if (path[len] == '\0')
            return NULL;
        path += len + 1;
    }
}

/* ---- what it says ---- */

size_t compile_read_place(const char *line, size_t len, int *row, int *column)
{
    const char *at = line + len;
    int colons = 0, used = 0;

    while (at > line && colons < 3)
        colons += *--at == ':';
    if (colons < 3 || sscanf(at, ":%9d:%9d:%n", row, column, &used) != 2 ||
        at + used != line + len)
        return 0;
    ++*column; /* which counts from 0 */
    return (size_t)(at - line);
}

void compile_read_messages(const char *text, struct compile_fault *fault)
{
    static const char mark[] = "[ERROR] ";
    const char *first = strstr(text, mark);
    size_t len, rest;

    fault->line = fault->column = 0;
    if (first == NULL) {
        err_set(&fault->err, 400, "compilation_error",
            "the code cannot be compiled: %.*s", str_cut(text, 300), text);
        return;
    }
    first += strlen(mark);
    len = strcspn(first, "\n");
    err_set(&fault->err, 400, "compilation_error", "%.*s",
        str_cut(first, len < 400 ? len : 400), first);
    /* The place is on the next line that is not empty. */
    for (first += len; *first == '\n'; first++)
        continue;
    rest = strcspn(first, "\n");
    if (compile_read_place(first, rest, &fault->line, &fault->column) == 0)
        fault->line = fault->column = 0;
}

/* ---- starting and ending it ---- */

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void close_pipes(int pipes[3][2])
{
    for (int i = 0; i < 3; i++) {
        close_fd(&pipes[i][0]);
        close_fd(&pipes[i][1]);
    }
}

static bool spawn(const struct compiler *compiler, char *const argv[],
    struct child *child, struct err *err)
{
    int pipes[3][2] = {{-1, -1}, {-1, -1}, {-1, -1}};
    posix_spawn_file_actions_t actions;
    int failure = 0;

    for (int i = 0; i < 3; i++)
        if (pipe2(pipes[i], O_CLOEXEC) != 0) {
            err_internal(err, "pipe: %s", strerror(errno));
            close_pipes(pipes);
            return false;
        }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipes[0][0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, pipes[1][1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, pipes[2][1], STDERR_FILENO);
    failure = posix_spawn(
        &child->pid, compiler->runner, &actions, NULL, argv, runner_environment);
    posix_spawn_file_actions_destroy(&actions);
    if (failure != 0) {
        close_pipes(pipes);
        return err_internal(
            err, "%s cannot be started: %s", compiler->runner, strerror(failure));
    }
    child->in = pipes[0][1];
    child->out = pipes[1][0];
    child->messages = pipes[2][0];
    pipes[0][1] = pipes[1][0] = pipes[2][0] = -1;
    close_pipes(pipes);
    (void)fcntl(child->in, F_SETFL, O_NONBLOCK);
    return true;
}

/* The wait status. */
static int end(struct child *child, bool kill_it)
{
    int status = 0;

    close_fd(&child->in);
    close_fd(&child->out);
    close_fd(&child->messages);
    if (kill_it)
        kill(child->pid, SIGKILL);
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return status;
}

/* ---- talking to it ---- */

static void feed(struct child *child, const char **code, size_t *left)
{
    ssize_t n = write(child->in, *code, *left);

    if (n > 0) {
        *code += n;
        *left -= (size_t)n;
    }
    if (*left == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        close_fd(&child->in); /* it has all, or does not want it */
}

/* Takes what is there; what is beyond the bound is dropped. False when it is over it. */
static bool drain(int *fd, struct buf *into, size_t max)
{
    char piece[4096];
    ssize_t n = read(*fd, piece, sizeof piece);

    if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) {
        close_fd(fd);
        return true;
    }
    if (n < 0)
        return true;
    if (into->len + (size_t)n > max)
        return false;
    buf_append(into, piece, (size_t)n);
    return true;
}

enum verdict {
    VERDICT_ENDED,
    VERDICT_LATE,
    VERDICT_LARGE,
    VERDICT_CANCELLED,
};

static enum verdict converse(const struct compiler *compiler, struct child *child,
    const char *code, size_t len, struct buf *out, struct buf *messages)
{
    int64_t until = clock_mono_ms() + compiler->timeout_ms;

    while (child->out >= 0 || child->messages >= 0) {
        struct pollfd fds[3] = {{child->in, POLLOUT, 0}, {child->out, POLLIN, 0},
            {child->messages, POLLIN, 0}};
        int64_t left = until - clock_mono_ms();

        if (left <= 0)
            return VERDICT_LATE;
        if (compiler->cancelled != NULL && atomic_load(compiler->cancelled))
            return VERDICT_CANCELLED;
        if (poll(fds, 3, (int)(left < LOOK_MS ? left : LOOK_MS)) <= 0)
            continue;
        if (child->in >= 0 && fds[0].revents != 0)
            feed(child, &code, &len);
        if (child->out >= 0 && fds[1].revents != 0 &&
            !drain(&child->out, out, compiler->max_output))
            return VERDICT_LARGE;
        if (child->messages >= 0 && fds[2].revents != 0)
            (void)drain(&child->messages, messages, MAX_MESSAGES);
    }
    return VERDICT_ENDED;
}

static bool judge(const struct compiler *compiler, enum verdict verdict, int status,
    const struct buf *messages, struct compile_fault *fault)
{
    struct err *err = &fault->err;

    switch (verdict) {
    case VERDICT_LATE:
        return err_set(err, 504, "timeout", "the code took longer than %lld s to compile",
            (long long)compiler->timeout_ms / 1000);
    case VERDICT_LARGE:
        return err_set(err, 400, "compilation_error",
            "the compiled code is larger than %zu bytes", compiler->max_output);
    case VERDICT_CANCELLED:
        return err_set(err, 503, "execution_environment_unavailable",
            "the server is stopping: try again later");
    default:
        break;
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 1 && messages->len > 0) {
        compile_read_messages(messages->data, fault);
        return false;
    }
    /* Out of memory (the Go runtime exits with 2), or of processor time. */
    return err_set(err, 400, "compilation_error",
        "the code cannot be compiled within %lld MB and %lld s",
        (long long)compiler->memory_mb, (long long)compiler->timeout_ms / 1000);
}

bool compiler_run(const struct compiler *compiler, const char *code, size_t len,
    const char *file, struct buf *out, struct compile_fault *fault)
{
    static char tool[] = "--tool", loader[] = "--loader=ts", format[] = "--format=cjs",
                target[] = "--target=es2022", platform[] = "--platform=node",
                map[] = "--sourcemap=inline", bare[] = "--sources-content=false",
                level[] = "--log-level=error", limit[] = "--log-limit=5",
                plain[] = "--color=false", charset[] = "--charset=utf8",
                imports[] = "--supported:dynamic-import=false", name[] = "nango-runner";
    char memory[24], seconds[24];
    char *esbuild, *source;
    struct buf messages;
    struct child child;
    enum verdict verdict;
    bool ok = false;

    memset(fault, 0, sizeof *fault);
    if (compiler->runner == NULL || compiler->esbuild == NULL)
        return err_set(&fault->err, 503, "execution_environment_unavailable",
            compiler->runner == NULL ? "this server runs no scripts: nango-runner was "
                                       "not found (scripts.runner)"
                                     : "this server compiles no code: esbuild was not "
                                       "found (scripts.esbuild)");
    (void)snprintf(memory, sizeof memory, "%lld", (long long)compiler->memory_mb);
    (void)snprintf(
        seconds, sizeof seconds, "%lld", (long long)(compiler->timeout_ms + 999) / 1000);
    esbuild = str_dup(compiler->esbuild);
    source = str_printf("--sourcefile=%s", file);
    buf_init(&messages, 0);
    {
        char *const argv[] = {name, tool, memory, seconds, esbuild, loader, format,
            target, platform, map, bare, level, limit, plain, charset, imports, source,
            NULL};

        if (!spawn(compiler, argv, &child, &fault->err))
            goto done;
    }
    verdict = converse(compiler, &child, code, len, out, &messages);
    ok =
        judge(compiler, verdict, end(&child, verdict != VERDICT_ENDED), &messages, fault);

done:
    buf_finish(&messages);
    free(source);
    free(esbuild);
    return ok;
}
