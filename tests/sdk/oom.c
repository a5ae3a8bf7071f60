/* SPDX-License-Identifier: Apache-2.0 */
/* What happens when memory is out: for each method, waiting and not, the first allocation
 * fails, then the second, and so on until the call needs no more. Everything that the
 * calling thread allocates counts, libcurl's and OpenSSL's own memory included: this program
 * brings its own malloc().
 *
 * Each time: no crash, a failure that says so or else success, the callback exactly once,
 * and afterwards not one block more than before. */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "nango/nango.h"
#include "sdk/canned_server.h"
#include "sdk/oom_methods.h"

/* ---- malloc() that fails on demand ---- */

#define EXPORT __attribute__((visibility("default")))

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void __libc_free(void *p);

static _Thread_local bool counted;  /* this thread's allocations are */
static _Thread_local long live;     /* blocks that it has and has not freed */
static _Thread_local long made;     /* allocations since the last arming */
static _Thread_local long fails_at; /* the one that fails; 0: none */
static _Thread_local bool failed;

static bool refuse(void)
{
    if (!counted || fails_at == 0)
        return false;
    if (++made != fails_at)
        return false;
    failed = true;
    errno = ENOMEM;
    return true;
}

static void *count(void *p)
{
    if (counted && p != NULL)
        live++;
    return p;
}

EXPORT void *malloc(size_t size);
EXPORT void *calloc(size_t n, size_t size);
EXPORT void *realloc(void *p, size_t size);
EXPORT void free(void *p);

void *malloc(size_t size)
{
    return refuse() ? NULL : count(__libc_malloc(size));
}

void *calloc(size_t n, size_t size)
{
    return refuse() ? NULL : count(__libc_calloc(n, size));
}

void *realloc(void *p, size_t size)
{
    void *q;

    if (refuse())
        return NULL;
    q = __libc_realloc(p, size);
    return p == NULL ? count(q) : q;
}

void free(void *p)
{
    if (counted && p != NULL)
        live--;
    __libc_free(p);
}

/* ---- the loop of the calls that do not wait: no memory of its own ---- */

static int epoll_fd;
static int64_t due_ms;

static bool watch(void *loop, int fd, int events, void **slot)
{
    static char marker;
    struct epoll_event event = {.events = 0, .data.fd = fd};
    int what = *slot == NULL ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;

    (void)loop;
    event.events |= events & NANGO_READABLE ? (uint32_t)EPOLLIN : 0;
    event.events |= events & NANGO_WRITABLE ? (uint32_t)EPOLLOUT : 0;
    if (events == 0)
        what = EPOLL_CTL_DEL;
    *slot = &marker;
    return epoll_ctl(epoll_fd, what, fd, &event) == 0;
}

static void timer(void *loop, int64_t timeout_ms)
{
    (void)loop;
    due_ms = timeout_ms;
}

static void turn(nango_client *client)
{
    struct epoll_event events[8];
    int count_ = epoll_wait(epoll_fd, events, 8, due_ms < 0 ? 2000 : (int)due_ms);

    if (count_ == 0) {
        due_ms = -1;
        nango_expired(client);
    }
    for (int i = 0; i < count_; i++) {
        int seen = 0;

        seen |= events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR) ? NANGO_READABLE : 0;
        seen |= events[i].events & EPOLLOUT ? NANGO_WRITABLE : 0;
        nango_ready(client, events[i].data.fd, seen);
    }
}

/* ---- one run ---- */

static nango_code run_waiting(const struct method *method, const char *host)
{
    nango_client_options options = {
        .secret_key = "key", .host = host, .timeout_ms = 5000};
    nango_client *client;
    nango_error err;
    nango_code code = nango_client_new(&options, &client, &err);

    if (code == NANGO_OK)
        code = method->run(client, &err);
    if (code != err.code)
        abort();
    nango_client_free(client);
    return code;
}

static nango_code run_started(const struct method *method, const char *host)
{
    static const nango_loop operations = {.watch = watch, .timer = timer};
    nango_client_options options = {
        .secret_key = "key", .host = host, .timeout_ms = 5000};
    struct outcome outcome = {0};
    nango_client *client;
    nango_error err;
    nango_code code = nango_client_new(&options, &client, &err);

    due_ms = -1;
    if (code == NANGO_OK)
        code = nango_attach(client, &operations, NULL, &err);
    if (code == NANGO_OK)
        code = method->start(client, &outcome, &err);
    if (code == NANGO_OK) {
        while (nango_calls_active(client) > 0)
            turn(client);
        code = outcome.code;
        if (outcome.calls != 1) {
            fprintf(
                stderr, "%s: the callback ran %d times\n", method->name, outcome.calls);
            code = (nango_code)-1;
        }
    }
    nango_client_free(client);
    return code;
}

/* Failures a call that libcurl gives another name than that of memory. */
#define MAX_OTHERS 4

typedef nango_code run_fn(const struct method *method, const char *host);

/* Runs the method while its allocation number n fails; how many blocks it leaves behind. */
static long run_failing(
    const struct method *method, run_fn *run, const char *host, long n, nango_code *code)
{
    long before = live;

    made = 0;
    fails_at = n;
    failed = false;
    *code = run(method, host);
    fails_at = 0;
    return live - before;
}

/* All of N for one method. False after a fault. */
static bool torture(const struct method *method, run_fn *run, const char *host)
{
    const char *form = run == run_waiting ? "waiting" : "started";
    long others = 0;

    run(method, host); /* what is allocated once and for all */
    for (long n = 1;; n++) {
        nango_code code;
        long left = run_failing(method, run, host, n, &code);

        /* What stays once or twice is a cache of a library's; a leak stays each time. */
        for (int again = 0; again < 3 && left != 0; again++)
            left = run_failing(method, run, host, n, &code);
        if (left != 0 && left <= method->forgotten)
            left = 0;
        if (left != 0) {
            fprintf(stderr, "%s, %s: %ld blocks leak when allocation %ld fails\n",
                method->name, form, left, n);
            return false;
        }
        if (code == (nango_code)-1)
            return false;
        if (!failed && code != NANGO_OK) {
            fprintf(stderr, "%s, %s: %s although nothing failed\n", method->name, form,
                nango_code_name(code));
            return false;
        }
        if (!failed)
            break;
        if (code != NANGO_OK && code != NANGO_E_MEMORY) {
            others++;
            if (getenv("OOM_VERBOSE") != NULL)
                fprintf(stderr, "%s, %s: allocation %ld: %s\n", method->name, form, n,
                    nango_code_name(code));
        }
    }
    /* libcurl calls a resolver that is out of memory one that found nothing. */
    printf("%-36s %-8s %5ld allocations, %ld failures by another name\n", method->name,
        form, made, others);
    if (others > MAX_OTHERS)
        fprintf(stderr, "%s, %s: too many failures do not say that memory is out\n",
            method->name, form);
    return others <= MAX_OTHERS;
}

int main(int argc, char **argv)
{
    const char *only = argc > 1 ? argv[1] : NULL;
    char host[64];
    int faults = 0;

    if (!server_start(host, sizeof host)) {
        perror("server");
        return 2;
    }
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    counted = true;
    for (size_t i = 0; i < method_count; i++) {
        if (only != NULL && strcmp(only, methods[i].name) != 0)
            continue;
        faults += !torture(&methods[i], run_waiting, host);
        if (methods[i].start != NULL)
            faults += !torture(&methods[i], run_started, host);
    }
    counted = false;
    close(epoll_fd);
    printf("%zu methods, %d faults\n", method_count, faults);
    return faults > 0;
}
