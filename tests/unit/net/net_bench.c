/* SPDX-License-Identifier: Apache-2.0 */
/* A bare server and proxy on the parts of src/net, to be measured from outside (wrk)
 * beside other servers: no authentication, no routes, nothing but transport.
 *
 *   net_bench LISTEN_ADDR:PORT REACTORS [UPSTREAM_URL]
 *
 *   /hello   1 KB from memory          /up...   forwarded to UPSTREAM_URL + target
 *   /sink    reads the body, answers its length
 *
 * Prints the address it listens on; ends on SIGTERM or SIGINT. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "base/str.h"
#include "net/http_server.h"
#include "net/upstream.h"

enum {
    HIGH_WATER = 256 * 1024,
    LOW_WATER = 64 * 1024,
    MAX_REACTORS = 64,
};

struct worker {
    struct reactor *reactor;
    struct http_server *server;
    struct up_pool *pool;
    pthread_t thread;
};

static const char *upstream;
static char hello[1024];

struct forward {
    struct http_req *req;
    struct up_call *call;
    bool paused;
};

static void on_head(void *arg, int status, const struct http_headers *headers)
{
    struct forward *f = arg;
    const char *length = http_headers_find(headers, "content-length");
    struct http_headers out = {0};
    int64_t bytes = -1;

    for (size_t i = 0; i < headers->count; i++)
        if (!http_is_hop_by_hop(headers->items[i].name) &&
            !str_eq_nocase(headers->items[i].name, "content-length") &&
            !str_eq_nocase(headers->items[i].name, "date"))
            http_headers_add(&out, headers->items[i].name, headers->items[i].value);
    if (length != NULL && !str_to_i64(length, &bytes))
        bytes = -1;
    http_start(f->req, status, &out, bytes);
    http_headers_finish(&out);
}

static bool on_data(void *arg, const char *data, size_t len)
{
    struct forward *f = arg;

    if (f->paused)
        return false;
    f->paused = http_write(f->req, data, len) > HIGH_WATER;
    return true;
}

static void on_drain(void *arg)
{
    struct forward *f = arg;

    f->paused = false;
    up_resume(f->call);
}

static void on_done(void *arg, enum up_failure failure, const char *message)
{
    struct forward *f = arg;

    (void)message;
    if (failure == UP_OK)
        http_finish(f->req);
    else
        http_abort(f->req);
    free(f);
}

static void on_gone(void *arg)
{
    struct forward *f = arg;

    up_cancel(f->call);
    http_abort(f->req);
    free(f);
}

static void forward(struct worker *worker, struct http_req *req)
{
    static const struct up_ops ops = {
        .on_head = on_head, .on_data = on_data, .on_done = on_done};
    struct forward *f = MEM_NEW(struct forward);
    struct http_headers headers = {0};
    char *url = str_printf("%s%s", upstream, http_target(req));
    struct up_request request = {
        .method = "GET", .url = url, .headers = &headers, .body_kind = UP_BODY_NONE};

    http_headers_add(&headers, "Authorization", "Bearer 0123456789abcdef");
    http_headers_add(&headers, "Accept", "*/*");
    f->req = req;
    http_on_gone(req, on_gone, f);
    http_on_drain(req, LOW_WATER, on_drain, f);
    f->call = up_start(worker->pool, &request, &ops, f);
    http_headers_finish(&headers);
    free(url);
}

static void on_body(
    void *arg, struct http_req *req, enum http_body_result result, struct buf *body)
{
    char *text = str_printf("%zu\n", body->len);

    (void)arg;
    http_respond(req, result == HTTP_BODY_OK ? 200 : 413, NULL, text, strlen(text), true);
}

static void on_request(void *arg, struct http_req *req)
{
    if (str_eq(http_path(req), "/hello")) {
        char type[] = "Content-Type", json[] = "application/json";
        struct http_header item = {type, json};
        struct http_headers headers = {&item, 1, 1};

        http_respond(req, 200, &headers, hello, sizeof hello, false);
    } else if (str_starts(http_path(req), "/up") && upstream != NULL) {
        forward(arg, req);
    } else if (str_eq(http_path(req), "/sink")) {
        http_read_body(req, (size_t)64 << 20, on_body, NULL);
    } else {
        http_respond(req, 404, NULL, NULL, 0, false);
    }
}

static void *run(void *arg)
{
    struct worker *worker = arg;

    reactor_run(worker->reactor);
    return NULL;
}

int main(int argc, char **argv)
{
    static struct worker workers[MAX_REACTORS];
    struct rlimit files = {.rlim_cur = 0};
    struct up_config pool_config = {0};
    struct err err = {0};
    int fds[MAX_REACTORS], got;
    char bound[64];
    size_t count;
    sigset_t set;

    if (argc < 3 || (count = (size_t)strtoul(argv[2], NULL, 10)) == 0 ||
        count > MAX_REACTORS) {
        fprintf(stderr, "usage: %s ADDR:PORT REACTORS [UPSTREAM_URL]\n", argv[0]);
        return 2;
    }
    upstream = argc > 3 ? argv[3] : NULL;
    memset(hello, 'x', sizeof hello);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    up_global_init();
    if (!http_listen(argv[1], count, fds, bound, &err)) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    for (size_t i = 0; i < count; i++) {
        struct http_server_config config = {
            .listen_fd = fds[i], .on_request = on_request, .arg = &workers[i]};

        if (!reactor_new(&workers[i].reactor, &err) ||
            !http_server_new(workers[i].reactor, &config, &workers[i].server, &err)) {
            fprintf(stderr, "%s\n", err.message);
            return 1;
        }
        workers[i].pool = up_pool_new(workers[i].reactor, &pool_config);
        pthread_create(&workers[i].thread, NULL, run, &workers[i]);
    }
    printf("%s\n", bound);
    fflush(stdout);
    sigwait(&set, &got);
    for (size_t i = 0; i < count; i++) {
        reactor_stop(workers[i].reactor);
        pthread_join(workers[i].thread, NULL);
        http_server_free(workers[i].server);
        up_pool_free(workers[i].pool);
        reactor_free(workers[i].reactor);
    }
    return 0;
}
