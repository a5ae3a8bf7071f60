/* SPDX-License-Identifier: Apache-2.0 */
/* The tests' surroundings. What fails here is the test's machine, not the code under
 * test: it aborts. */
#include "world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    abort();
}

/* ---- the world ---- */

static void *run_reactor(void *arg)
{
    struct world *world = arg;

    reactor_run(world->reactor);
    return NULL;
}

void world_start(struct world *world, const struct http_server_config *config)
{
    struct http_server_config own =
        config != NULL ? *config : (struct http_server_config){0};
    const struct up_config pool_config = {.idle_timeout_ms = 2000};
    struct err err = {0};
    char bound[64];

    *world = (struct world){0};
    must(reactor_new(&world->reactor, &err), err.message);
    must(http_listen("127.0.0.1:0", 1, &world->listen_fd, bound, &err), err.message);
    world->port = (int)strtol(strrchr(bound, ':') + 1, NULL, 10);
    own.listen_fd = world->listen_fd;
    must(http_server_new(world->reactor, &own, &world->server, &err), err.message);
    world->pool = up_pool_new(world->reactor, &pool_config);
    must(pthread_create(&world->thread, NULL, run_reactor, world) == 0, "pthread_create");
}

void world_stop(struct world *world)
{
    reactor_stop(world->reactor);
    pthread_join(world->thread, NULL);
    http_server_free(world->server);
    up_pool_free(world->pool);
    reactor_free(world->reactor);
    close(world->listen_fd);
}

struct errand {
    void (*run)(void *arg);
    void *arg;
    sem_t done;
};

static void run_errand(void *arg)
{
    struct errand *errand = arg;

    errand->run(errand->arg);
    sem_post(&errand->done);
}

void world_call(struct world *world, void (*run)(void *arg), void *arg)
{
    struct errand errand = {.run = run, .arg = arg};

    sem_init(&errand.done, 0, 0);
    reactor_post(world->reactor, run_errand, &errand);
    while (sem_wait(&errand.done) != 0 && errno == EINTR)
        continue;
    sem_destroy(&errand.done);
}

struct question {
    struct world *world;
    bool (*test)(void *arg);
    void *arg;
    bool holds;
    int64_t until_ms;
    sem_t done;
};

static void ask_again(void *arg)
{
    struct question *q = arg;

    q->holds = q->test(q->arg);
    if (q->holds || clock_mono_ms() > q->until_ms)
        sem_post(&q->done);
    else
        (void)reactor_timer_start(q->world->reactor, 1, ask_again, q);
}

bool world_becomes(struct world *world, bool (*test)(void *arg), void *arg)
{
    struct question q = {.world = world, .test = test, .arg = arg};

    q.until_ms = clock_mono_ms() + LIMIT_MS;
    sem_init(&q.done, 0, 0);
    reactor_post(world->reactor, ask_again, &q);
    while (sem_wait(&q.done) != 0 && errno == EINTR)
        continue;
    sem_destroy(&q.done);
    return q.holds;
}

/* ---- the client ---- */

int dial(int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    must(fd >= 0, "socket");
    must(connect(fd, (struct sockaddr *)&to, sizeof to) == 0, "connect");
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

void say_bytes(int fd, const void *bytes, size_t len)
{
    const char *at = bytes;

    while (len > 0) {
        ssize_t sent = send(fd, at, len, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return; /* the server closed: what it answered is what counts */
        at += sent;
        len -= (size_t)sent;
    }
}

void say(int fd, const char *bytes)
{
    say_bytes(fd, bytes, strlen(bytes));
}

static bool readable(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    int rc;

    do {
        rc = poll(&wait, 1, LIMIT_MS);
    } while (rc < 0 && errno == EINTR);
    return rc > 0;
}

/* -1 = an error (reset), -2 = nothing came in time. */
static ssize_t hear_some(int fd, void *out, size_t len)
{
    ssize_t got;

    do {
        if (!readable(fd))
            return -2;
        got = recv(fd, out, len, 0);
    } while (got < 0 && errno == EINTR);
    return got;
}

static bool hear_line(int fd, struct buf *line)
{
    char c;

    buf_clear(line);
    while (hear_some(fd, &c, 1) == 1) {
        if (c == '\n') {
            if (line->len > 0 && line->data[line->len - 1] == '\r')
                line->data[--line->len] = '\0';
            return true;
        }
        buf_putc(line, c);
    }
    return false;
}

static bool hear_exactly(int fd, struct buf *out, size_t len)
{
    char block[65536];

    while (len > 0) {
        ssize_t got = hear_some(fd, block, len < sizeof block ? len : sizeof block);

        if (got <= 0)
            return false;
        buf_append(out, block, (size_t)got);
        len -= (size_t)got;
    }
    return true;
}

static bool hear_chunks(int fd, struct buf *body)
{
    struct buf line;
    bool ok = false;

    buf_init(&line, 0);
    while (hear_line(fd, &line)) {
        size_t size = (size_t)strtoul(line.data, NULL, 16);

        if (size == 0) {
            ok = hear_line(fd, &line) && line.len == 0;
            break;
        }
        if (!hear_exactly(fd, body, size) || !hear_line(fd, &line) || line.len != 0)
            break;
    }
    buf_finish(&line);
    return ok;
}

const char *reply_field(struct reply *reply, const char *name)
{
    static _Thread_local char value[4096];
    const char *at = reply->head.data;
    size_t len = strlen(name);

    while (at != NULL && (at = strchr(at, '\n')) != NULL) {
        at++;
        if (strncasecmp(at, name, len) == 0 && at[len] == ':') {
            at += len + 1;
            at += strspn(at, " ");
            len = strcspn(at, "\n");
            snprintf(value, sizeof value, "%.*s", (int)len, at);
            return value;
        }
    }
    return NULL;
}

bool hear(int fd, struct reply *reply, bool head_request)
{
    const char *length, *coding;
    struct buf line;

    *reply = (struct reply){0};
    buf_init(&reply->head, 0);
    buf_init(&reply->body, 0);
    buf_init(&line, 0);
    if (!hear_line(fd, &line) || line.len < 12) {
        buf_finish(&line);
        return false;
    }
    reply->status = (int)strtol(line.data + 9, NULL, 10);
    do {
        buf_append(&reply->head, line.data, line.len);
        buf_putc(&reply->head, '\n');
    } while (hear_line(fd, &line) && line.len > 0);
    buf_finish(&line);
    length = reply_field(reply, "content-length");
    if (head_request || reply->status < 200 || reply->status == 204 ||
        reply->status == 304) {
        reply->whole = true;
    } else if (length != NULL) {
        reply->whole = hear_exactly(fd, &reply->body, (size_t)strtoull(length, NULL, 10));
    } else if ((coding = reply_field(reply, "transfer-encoding")) != NULL) {
        reply->whole = strcmp(coding, "chunked") == 0 && hear_chunks(fd, &reply->body);
    } else {
        reply->whole = hear_all(fd, &reply->body);
    }
    return true;
}

void reply_finish(struct reply *reply)
{
    buf_finish(&reply->head);
    buf_finish(&reply->body);
}

bool hear_all(int fd, struct buf *out)
{
    char block[65536];
    ssize_t got;

    while ((got = hear_some(fd, block, sizeof block)) > 0)
        buf_append(out, block, (size_t)got);
    return got == 0;
}

bool is_closed(int fd)
{
    char c;
    ssize_t got = hear_some(fd, &c, 1);

    return got == 0 || got == -1;
}

int ask(int port, const char *request, struct buf *body)
{
    struct reply reply;
    int fd = dial(port), status = -1;

    say(fd, request);
    if (hear(fd, &reply, false)) {
        status = reply.status;
        if (body != NULL)
            buf_append(body, reply.body.data, reply.body.len);
    }
    reply_finish(&reply);
    close(fd);
    return status;
}

/* ---- the peer ---- */

static void *run_peer(void *arg)
{
    struct peer *peer = arg;

    for (;;) {
        int fd = accept4(peer->listen_fd, NULL, NULL, SOCK_CLOEXEC);

        if (fd < 0)
            return NULL;
        peer->connections++;
        peer->play(peer, fd);
        close(fd);
    }
}

void peer_start(struct peer *peer, void (*play)(struct peer *peer, int fd), void *arg)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof at;

    *peer = (struct peer){.play = play, .arg = arg};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    peer->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(peer->listen_fd >= 0, "socket");
    must(bind(peer->listen_fd, (struct sockaddr *)&at, len) == 0, "bind");
    must(listen(peer->listen_fd, 1024) == 0, "listen");
    must(getsockname(peer->listen_fd, (struct sockaddr *)&at, &len) == 0, "getsockname");
    peer->port = ntohs(at.sin_port);
    must(pthread_create(&peer->thread, NULL, run_peer, peer) == 0, "pthread_create");
}

void peer_stop(struct peer *peer)
{
    shutdown(peer->listen_fd, SHUT_RDWR); /* wakes accept() */
    pthread_join(peer->thread, NULL);
    close(peer->listen_fd);
}

bool peer_head(int fd, struct buf *head)
{
    char c;

    buf_clear(head);
    while (hear_some(fd, &c, 1) == 1) {
        buf_putc(head, c);
        if (head->len >= 4 && memcmp(head->data + head->len - 4, "\r\n\r\n", 4) == 0)
            return true;
    }
    return false;
}

bool peer_bytes(int fd, struct buf *out, size_t len)
{
    return hear_exactly(fd, out, len);
}
