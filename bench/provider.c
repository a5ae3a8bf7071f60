/* SPDX-License-Identifier: Apache-2.0 */
/* A provider for measurements: one thread, epoll, as little work a request as possible.
 *
 *   bench-provider PORT
 *
 *   GET  /json         1 KB of JSON, at once
 *   GET  /slow         the same, after one second
 *   GET  /bytes/N      N bytes
 *   POST /sink         reads the body (Content-Length), answers 1 KB of JSON
 *
 * It trusts its callers: no limits, no error answers beyond closing. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEAD_MAX 8192
#define DELAY_MS 1000

struct peer {
    int fd;
    char head[HEAD_MAX];
    size_t head_len;
    uint64_t body_left; /* of the request */
    uint64_t send_left; /* of a long answer */
    int64_t due_ms;     /* in the queue of delayed answers; 0 = not */
    bool gone;
    struct peer *next;
};

static char answer[1400];
static size_t answer_len;
static char filler[262144];
static int epoll_fd;
static struct peer *first_delayed, *last_delayed;

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void make_answer(void)
{
    static const char start[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                                "Content-Length: 1024\r\n\r\n{\"data\":\"";

    memcpy(answer, start, sizeof start - 1);
    answer_len = sizeof start - 1;
    memset(answer + answer_len, 'x', 1024 - 11);
    answer_len += 1024 - 11;
    memcpy(answer + answer_len, "\"}", 2);
    answer_len += 2;
    memset(filler, 'y', sizeof filler);
}

static void drop(struct peer *peer)
{
    close(peer->fd);
    if (peer->due_ms != 0)
        peer->gone = true; /* still in the queue */
    else
        free(peer);
}

static void watch(struct peer *peer, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = peer};

    epoll_ctl(epoll_fd, EPOLL_CTL_MOD, peer->fd, &event);
}

/* False when the peer is gone. */
static bool send_long(struct peer *peer)
{
    while (peer->send_left > 0) {
        size_t n =
            peer->send_left < sizeof filler ? (size_t)peer->send_left : sizeof filler;
        ssize_t sent = send(peer->fd, filler, n, MSG_NOSIGNAL);

        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            watch(peer, EPOLLIN | EPOLLOUT);
            return true;
        }
        if (sent <= 0) {
            drop(peer);
            return false;
        }
        peer->send_left -= (uint64_t)sent;
    }
    watch(peer, EPOLLIN);
    return true;
}

static bool send_answer(struct peer *peer)
{
    if (send(peer->fd, answer, answer_len, MSG_NOSIGNAL) == (ssize_t)answer_len)
        return true;
    drop(peer);
    return false;
}

static bool respond(struct peer *peer)
{
    if (strncmp(peer->head, "GET /slow", 9) == 0) {
        peer->due_ms = now_ms() + DELAY_MS;
        peer->next = NULL;
        if (last_delayed != NULL)
            last_delayed->next = peer;
        else
            first_delayed = peer;
        last_delayed = peer;
        return true;
    }
    if (strncmp(peer->head, "GET /bytes/", 11) == 0) {
        char text[160];
        int len;

        peer->send_left = strtoull(peer->head + 11, NULL, 10);
        len = snprintf(text, sizeof text,
            "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
            "Content-Length: %llu\r\n\r\n",
            (unsigned long long)peer->send_left);
        if (send(peer->fd, text, (size_t)len, MSG_NOSIGNAL) != len) {
            drop(peer);
            return false;
        }
        return send_long(peer);
    }
    return send_answer(peer);
}

/* A head is complete: what is behind it belongs to the body. */
static bool begin(struct peer *peer, size_t head)
{
    const char *length = strcasestr(peer->head, "\r\ncontent-length:");
    size_t extra = peer->head_len - head;

    peer->body_left = length != NULL ? strtoull(length + 17, NULL, 10) : 0;
    peer->body_left -= extra < peer->body_left ? extra : peer->body_left;
    peer->head_len = 0;
    return peer->body_left > 0 || respond(peer);
}

static void readable(struct peer *peer)
{
    static char sink[262144];

    for (;;) {
        ssize_t got;
        char *end;

        if (peer->body_left > 0) {
            got = recv(peer->fd, sink, sizeof sink, 0);
            if (got <= 0)
                break;
            peer->body_left -=
                (uint64_t)got < peer->body_left ? (uint64_t)got : peer->body_left;
            if (peer->body_left == 0 && !respond(peer))
                return;
            continue;
        }
        got =
            recv(peer->fd, peer->head + peer->head_len, HEAD_MAX - 1 - peer->head_len, 0);
        if (got <= 0)
            break;
        peer->head_len += (size_t)got;
        peer->head[peer->head_len] = '\0';
        end = strstr(peer->head, "\r\n\r\n");
        if (end != NULL && !begin(peer, (size_t)(end - peer->head) + 4))
            return;
        if (end == NULL && peer->head_len == HEAD_MAX - 1) {
            drop(peer);
            return;
        }
    }
    if (errno != EAGAIN && errno != EWOULDBLOCK)
        drop(peer);
    errno = 0;
}

static void on_peer(struct peer *peer, uint32_t events)
{
    if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
        drop(peer);
        return;
    }
    if ((events & EPOLLOUT) != 0 && !send_long(peer))
        return;
    if ((events & EPOLLIN) != 0) {
        char probe;

        if (recv(peer->fd, &probe, 1, MSG_PEEK) == 0)
            drop(peer);
        else
            readable(peer);
    }
}

static void accept_all(int listener)
{
    const int on = 1;
    int fd;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct peer *peer = calloc(1, sizeof *peer);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = peer};

        if (peer == NULL)
            abort();
        peer->fd = fd;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
    }
}

/* Sends what is due; returns how long to wait for the next. */
static int answer_delayed(void)
{
    int64_t now = now_ms();

    while (first_delayed != NULL && first_delayed->due_ms <= now) {
        struct peer *peer = first_delayed;

        first_delayed = peer->next;
        if (first_delayed == NULL)
            last_delayed = NULL;
        peer->due_ms = 0;
        if (peer->gone)
            free(peer);
        else
            send_answer(peer);
    }
    return first_delayed == NULL ? -1 : (int)(first_delayed->due_ms - now);
}

int main(int argc, char **argv)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    struct epoll_event event = {.events = EPOLLIN}, events[256];
    const int on = 1;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (argc != 2)
        return fputs("usage: bench-provider PORT\n", stderr), 2;
    at.sin_port = htons((uint16_t)strtol(argv[1], NULL, 10));
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    make_answer();
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&at, sizeof at) != 0 ||
        listen(listener, 8192) != 0)
        return perror("bench-provider"), 1;
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int count = epoll_wait(epoll_fd, events, 256, answer_delayed());

        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == NULL)
                accept_all(listener);
            else
                on_peer(events[i].data.ptr, events[i].events);
        }
    }
}
