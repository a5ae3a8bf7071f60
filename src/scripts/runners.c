/* SPDX-License-Identifier: Apache-2.0 */
#include "scripts/runners.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "runner/environment.h"
#include "runner/protocol.h"
#include "runner/zygote.h"

#define DEFAULT_RUNS 10000
#define WARM_UP_MS 10000

enum state {
    STATE_FRESH,
    STATE_WARM,
    STATE_BUSY,
    STATE_BOUND,
    STATE_DEAD,
};

struct runner {
    struct runner *next; /* in runners->all */
    enum state state;
    uint64_t version; /* that it ran; 0 = none yet */
    bool has_code;    /* of that version */
    uint64_t runs;
    uint64_t used; /* by runners->clock, to find the one longest at rest */
    pid_t pid;
    int pidfd;
    int fd;
    int status;
    bool status_known;
};

struct runners {
    struct runners_config config;
    char *program;
    pthread_mutex_t lock;   /* of what follows */
    pthread_cond_t changed; /* one was given back, or died, or became warm */
    pthread_cond_t fewer;   /* there may be too few spare ones: the warmer's */
    struct runner *all;
    size_t alive;
    uint64_t clock;
    uint64_t forked;
    bool stopping;
    pthread_mutex_t control_lock; /* one question to the zygote at a time */
    int control;
    pid_t zygote;
    uint64_t zygotes; /* how many there were */
    pthread_t warmer;
    bool warming;
};

/* ---- the zygote ---- */

static bool spawn_zygote(struct runners *runners, struct err *err)
{
    static char as_zygote[] = "--zygote", fd_arg[] = "3";
    char *argv[] = {runners->program, as_zygote, fd_arg, NULL};
    posix_spawn_file_actions_t actions;
    int ends[2], code;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return err_internal(err, "socketpair: %s", strerror(errno));
    posix_spawn_file_actions_init(&actions);
    /* A duplicate is open in the child whatever the original's close-on-exec says. */
    posix_spawn_file_actions_adddup2(&actions, ends[1], 3);
    code = posix_spawn(
        &runners->zygote, runners->program, &actions, NULL, argv, runner_environment);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (code != 0) {
        close(ends[0]);
        return err_internal(
            err, "%s cannot be started: %s", runners->program, strerror(code));
    }
    runners->control = ends[0];
    runners->zygotes++;
    return true;
}

/* Another one in place of the `number`th, which does not answer any more. Its runners
 * died with it. */
static bool revive_zygote(struct runners *runners, uint64_t number, struct err *err)
{
    bool ok = true;

    pthread_mutex_lock(&runners->control_lock);
    if (runners->zygotes == number) { /* nobody was faster */
        close(runners->control);
        runners->control = -1;
        kill(runners->zygote, SIGKILL);
        while (waitpid(runners->zygote, NULL, 0) < 0 && errno == EINTR)
            continue;
        runners->zygote = 0;
        ok = spawn_zygote(runners, err);
    }
    pthread_mutex_unlock(&runners->control_lock);
    return ok;
}

static uint64_t zygote_number(struct runners *runners)
{
    uint64_t number;

    pthread_mutex_lock(&runners->control_lock);
    number = runners->zygotes;
    pthread_mutex_unlock(&runners->control_lock);
    return number;
}

/* Asks the zygote. *fd is the descriptor that came with the answer, or -1. */
static bool ask(struct runners *runners, char what, pid_t pid, int32_t *value, int *fd)
{
    struct zygote_request request = {.what = what, .pid = pid};
    struct zygote_answer body;
    struct iovec iov = {.iov_base = &body, .iov_len = sizeof body};
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } space;
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &space};
    const struct cmsghdr *header;
    ssize_t got = -1;

    *fd = -1;
    message.msg_controllen = sizeof space.bytes;
    pthread_mutex_lock(&runners->control_lock);
    if (send(runners->control, &request, sizeof request, MSG_NOSIGNAL) ==
        (ssize_t)sizeof request) {
        do
            got = recvmsg(runners->control, &message, MSG_CMSG_CLOEXEC);
        while (got < 0 && errno == EINTR);
    }
    pthread_mutex_unlock(&runners->control_lock);
    if (got != (ssize_t)sizeof body)
        return false;
    *value = body.value;
    header = CMSG_FIRSTHDR(&message);
    if (header != NULL && header->cmsg_level == SOL_SOCKET &&
        header->cmsg_type == SCM_RIGHTS)
        memcpy(fd, CMSG_DATA(header), sizeof *fd);
    return true;
}

/* Waits for the runner's first word. */
static bool wait_ready(int fd)
{
    struct buf in;
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    struct message message;
    struct err err = {0};
    const char *text;
    size_t len;
    int whole = 0;

    buf_init(&in, 4096);
    while (whole == 0 && poll(&poll_fd, 1, WARM_UP_MS) > 0 && protocol_read(fd, &in))
        whole = protocol_frame(&in, 4096, &text, &len);
    whole = whole == 1 && protocol_parse(text, len, &message, &err) &&
            message.kind == MESSAGE_READY;
    buf_finish(&in);
    return whole;
}

/* A new process, warm. Without the lock: this takes milliseconds. */
static bool fork_runner(struct runners *runners, struct runner *runner, struct err *err)
{
    static const struct timeval patience = {.tv_sec = 10};
    uint64_t number = zygote_number(runners);
    int32_t pid = -1;

    if (!ask(runners, 'F', 0, &pid, &runner->fd)) {
        if (!revive_zygote(runners, number, err))
            return false;
        log_event(runners->config.log, LOG_WARN,
            "the process that forks runners was gone: there is another", LOG_END);
        if (!ask(runners, 'F', 0, &pid, &runner->fd))
            return err_internal(err, "the process that forks runners does not answer");
    }
    if (pid < 0 || runner->fd < 0)
        return err_internal(err, "a runner cannot be forked: %s", strerror(-pid));
    runner->pid = pid;
    runner->pidfd = pidfd_open(pid, 0);
    if (runner->pidfd < 0)
        return err_internal(err, "pidfd_open: %s", strerror(errno));
    /* What does not read for so long is not waited for: writes to it then fail. */
    if (setsockopt(runner->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0)
        return err_internal(err, "SO_SNDTIMEO: %s", strerror(errno));
    if (!wait_ready(runner->fd))
        return err_internal(err, "a runner did not become ready");
    return true;
}

/* ---- the list ---- */

static struct runner *runner_new(struct runners *runners)
{
    struct runner *runner = MEM_NEW(struct runner);

    runner->fd = runner->pidfd = -1;
    runner->next = runners->all;
    runners->all = runner;
    runners->alive++;
    return runner;
}

static void runner_unlink(struct runners *runners, struct runner *runner)
{
    struct runner **at = &runners->all;

    while (*at != runner)
        at = &(*at)->next;
    *at = runner->next;
    runners->alive--;
}

/* Ends the process and forgets it. Without the lock; it is in no list any more. */
static void runner_end(struct runners *runners, struct runner *runner)
{
    if (runner->pidfd >= 0)
        runner_kill(runner);
    else if (runner->pid > 0)
        kill(runner->pid, SIGKILL);
    if (runner->pid > 0)
        runner_status_within(runners, runner, -1);
    if (runner->pidfd >= 0)
        close(runner->pidfd);
    if (runner->fd >= 0)
        close(runner->fd);
    free(runner);
}

/* At rest in `state`, and for BOUND of the version. */
static struct runner *find(struct runners *runners, enum state state, uint64_t version)
{
    for (struct runner *r = runners->all; r != NULL; r = r->next)
        if (r->state == state && (state != STATE_BOUND || r->version == version))
            return r;
    return NULL;
}

static struct runner *longest_bound(struct runners *runners)
{
    struct runner *found = NULL;

    for (struct runner *r = runners->all; r != NULL; r = r->next)
        if (r->state == STATE_BOUND && (found == NULL || r->used < found->used))
            found = r;
    return found;
}

static size_t count(const struct runners *runners, enum state state)
{
    size_t n = 0;

    for (const struct runner *r = runners->all; r != NULL; r = r->next)
        n += r->state == state;
    return n;
}

/* ---- the spare ones ---- */

static bool too_few_spare(const struct runners *runners)
{
    return runners->alive < runners->config.max &&
           count(runners, STATE_WARM) + count(runners, STATE_FRESH) <
               runners->config.spare;
}

/* Whoever takes a spare one, or ends one, says so. Not woken for nothing: runners change
 * hands thousands of times a second. */
static void tell_warmer(struct runners *runners)
{
    if (runners->stopping || too_few_spare(runners))
        pthread_cond_signal(&runners->fewer);
}

/* Forks ahead while there is room, so that a version's first run finds a warm process. */
static void *warm_up(void *arg)
{
    struct runners *runners = arg;

    pthread_mutex_lock(&runners->lock);
    while (!runners->stopping) {
        struct runner *runner;
        struct err err = {0};
        bool ok;

        if (!too_few_spare(runners)) {
            pthread_cond_wait(&runners->fewer, &runners->lock);
            continue;
        }
        runner = runner_new(runners);
        pthread_mutex_unlock(&runners->lock);
        ok = fork_runner(runners, runner, &err);
        pthread_mutex_lock(&runners->lock);
        if (ok) {
            runner->state = STATE_WARM;
            runners->forked++;
            pthread_cond_broadcast(&runners->changed);
            continue;
        }
        runner_unlink(runners, runner);
        pthread_mutex_unlock(&runners->lock);
        log_event(runners->config.log, LOG_WARN, "runner not started",
            LOG_STR("reason", err.message), LOG_END);
        runner_end(runners, runner);
        pthread_mutex_lock(&runners->lock);
        if (!runners->stopping) /* whoever needs one now tries for himself and is told */
            pthread_cond_wait(&runners->fewer, &runners->lock);
    }
    pthread_mutex_unlock(&runners->lock);
    return NULL;
}

/* ---- the interface ---- */

bool runners_start(
    const struct runners_config *config, struct runners **out, struct err *err)
{
    struct runners *runners = MEM_NEW(struct runners);

    *out = NULL;
    runners->config = *config;
    runners->program = str_dup(config->program);
    if (runners->config.runs == 0)
        runners->config.runs = DEFAULT_RUNS;
    runners->control = -1;
    pthread_mutex_init(&runners->lock, NULL);
    pthread_mutex_init(&runners->control_lock, NULL);
    pthread_cond_init(&runners->changed, NULL);
    pthread_cond_init(&runners->fewer, NULL);
    if (!spawn_zygote(runners, err)) {
        runners_stop(runners);
        return false;
    }
    if (config->spare > 0) {
        runners->warming = pthread_create(&runners->warmer, NULL, warm_up, runners) == 0;
        if (!runners->warming) {
            runners_stop(runners);
            return err_internal(err, "no thread for warming runners up");
        }
    }
    *out = runners;
    return true;
}

void runners_stop(struct runners *runners)
{
    if (runners == NULL)
        return;
    pthread_mutex_lock(&runners->lock);
    runners->stopping = true;
    pthread_cond_broadcast(&runners->changed);
    tell_warmer(runners);
    pthread_mutex_unlock(&runners->lock);
    if (runners->warming)
        pthread_join(runners->warmer, NULL);
    while (runners->all != NULL) {
        struct runner *runner = runners->all;

        runner_unlink(runners, runner);
        runner_end(runners, runner);
    }
    if (runners->control >= 0)
        close(runners->control); /* its end */
    if (runners->zygote > 0)
        waitpid(runners->zygote, NULL, 0);
    pthread_cond_destroy(&runners->fewer);
    pthread_cond_destroy(&runners->changed);
    pthread_mutex_destroy(&runners->control_lock);
    pthread_mutex_destroy(&runners->lock);
    free(runners->program);
    free(runners);
}

/* It ended while it was at rest. */
static bool has_ended(const struct runner *runner)
{
    struct pollfd ended = {.fd = runner->pidfd, .events = POLLIN};

    return poll(&ended, 1, 0) > 0;
}

static void lend(struct runners *runners, struct runner *runner, uint64_t version)
{
    runner->state = STATE_BUSY;
    runner->version = version;
    runner->runs++;
    runner->used = ++runners->clock;
    tell_warmer(runners);
}

struct runner *runners_take(struct runners *runners, uint64_t version, struct err *err)
{
    struct runner *runner, *old;

    pthread_mutex_lock(&runners->lock);
    for (;;) {
        runner = find(runners, STATE_BOUND, version);
        if (runner == NULL)
            runner = find(runners, STATE_WARM, 0);
        if (runner != NULL && has_ended(runner)) {
            runner_unlink(runners, runner);
            pthread_mutex_unlock(&runners->lock);
            runner_end(runners, runner);
            pthread_mutex_lock(&runners->lock);
            continue;
        }
        if (runner != NULL) {
            lend(runners, runner, version);
            pthread_mutex_unlock(&runners->lock);
            return runner;
        }
        if (runners->alive < runners->config.max)
            break;
        old = longest_bound(runners);
        if (old != NULL) {
            runner_unlink(runners, old);
            pthread_mutex_unlock(&runners->lock);
            runner_end(runners, old);
            pthread_mutex_lock(&runners->lock);
        } else if (version >= RUNNERS_ASIDE) {
            break;
        } else {
            pthread_cond_wait(&runners->changed, &runners->lock);
        }
    }
    runner = runner_new(runners);
    runner->state = STATE_BUSY; /* nobody else's */
    pthread_mutex_unlock(&runners->lock);
    if (!fork_runner(runners, runner, err)) {
        pthread_mutex_lock(&runners->lock);
        runner_unlink(runners, runner);
        pthread_cond_broadcast(&runners->changed);
        tell_warmer(runners);
        pthread_mutex_unlock(&runners->lock);
        runner_end(runners, runner);
        return NULL;
    }
    pthread_mutex_lock(&runners->lock);
    runners->forked++;
    lend(runners, runner, version);
    pthread_mutex_unlock(&runners->lock);
    return runner;
}

void runners_give(struct runners *runners, struct runner *runner, bool good)
{
    bool keep;

    pthread_mutex_lock(&runners->lock);
    keep = good && !runners->stopping && runner->runs < runners->config.runs &&
           runners->alive <= runners->config.max;
    if (keep) {
        runner->state = STATE_BOUND;
        runner->used = ++runners->clock;
    } else {
        runner->state = STATE_DEAD;
        runner_unlink(runners, runner);
    }
    pthread_cond_broadcast(&runners->changed);
    if (!keep)
        tell_warmer(runners);
    pthread_mutex_unlock(&runners->lock);
    if (!keep)
        runner_end(runners, runner);
}

void runners_drop(struct runners *runners, uint64_t version)
{
    struct runner *runner;

    pthread_mutex_lock(&runners->lock);
    while ((runner = find(runners, STATE_BOUND, version)) != NULL) {
        runner_unlink(runners, runner);
        pthread_cond_broadcast(&runners->changed);
        pthread_mutex_unlock(&runners->lock);
        runner_end(runners, runner);
        pthread_mutex_lock(&runners->lock);
    }
    pthread_mutex_unlock(&runners->lock);
}

bool runner_is_fresh(const struct runner *runner)
{
    return runner->runs == 1;
}

int runner_fd(const struct runner *runner)
{
    return runner->fd;
}

bool runner_has_code(const struct runner *runner)
{
    return runner->has_code;
}

void runner_keeps_code(struct runner *runner)
{
    runner->has_code = runner->version < RUNNERS_ASIDE; /* there each has its own */
}

void runner_kill(struct runner *runner)
{
    (void)pidfd_send_signal(runner->pidfd, SIGKILL, NULL, 0);
}

int runner_status_within(
    struct runners *runners, struct runner *runner, int64_t timeout_ms)
{
    struct pollfd ended = {.fd = runner->pidfd, .events = POLLIN};
    int32_t status;
    int fd, ready;

    if (runner->status_known)
        return runner->status;
    do
        ready = runner->pidfd >= 0 ? poll(&ended, 1, (int)timeout_ms) : 1;
    while (ready < 0 && errno == EINTR);
    if (ready == 0)
        return -1;
    runner->status_known = true;
    runner->status = -1;
    if (ask(runners, 'W', runner->pid, &status, &fd) && status >= 0)
        runner->status = status;
    return runner->status;
}

void runners_count(struct runners *runners, struct runners_count *out)
{
    pthread_mutex_lock(&runners->lock);
    out->alive = runners->alive;
    out->busy = count(runners, STATE_BUSY);
    out->bound = count(runners, STATE_BOUND);
    out->warm = count(runners, STATE_WARM);
    out->forked = runners->forked;
    pthread_mutex_unlock(&runners->lock);
}
