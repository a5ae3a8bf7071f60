/* SPDX-License-Identifier: Apache-2.0 */
/* The tests' token endpoint: see token_server.h. One connection at a time, closed after
 * its answer; the thread ends when the listening socket is shut down. */
#include "token_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/str.h"
#include "test.h"

static bool send_all(int peer, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(peer, data, len, MSG_NOSIGNAL);

        if (sent <= 0)
            return false;
        data += sent;
        len -= (size_t)sent;
    }
    return true;
}

/* Reads a head and as many body bytes as it announces. */
static bool read_request(int peer, struct buf *head, struct buf *body)
{
    char piece[4096];
    size_t wanted = 0;
    const char *end = NULL, *length;

    while (end == NULL) {
        ssize_t got = recv(peer, piece, sizeof piece, 0);

        if (got <= 0)
            return false;
        buf_append(head, piece, (size_t)got);
        end = strstr(head->data, "\r\n\r\n");
    }
    end += 4;
    buf_append(body, end, head->len - (size_t)(end - head->data));
    length = strcasestr(head->data, "\r\ncontent-length:");
    if (length != NULL)
        wanted = strtoul(length + strlen("\r\ncontent-length:"), NULL, 10);
    while (body->len < wanted) {
        ssize_t got = recv(peer, piece, sizeof piece, 0);

        if (got <= 0)
            return false;
        buf_append(body, piece, (size_t)got);
    }
    return true;
}

static void body_write(struct buf *out, const char *body, size_t number)
{
    const char *at;

    while ((at = strstr(body, "{n}")) != NULL) {
        buf_append(out, body, (size_t)(at - body));
        buf_printf(out, "%zu", number);
        body = at + 3;
    }
    buf_puts(out, body);
}

/* While held: until released, or until the caller hangs up. The lock is held on return.
 */
static void wait_while_held(struct token_server *server, int peer)
{
    struct pollfd watch = {.fd = peer, .events = POLLRDHUP};

    while (server->hold && server->passes == 0 && !server->stopping) {
        pthread_mutex_unlock(&server->lock);
        (void)poll(&watch, 1, 5);
        pthread_mutex_lock(&server->lock);
        if ((watch.revents & (POLLRDHUP | POLLHUP)) != 0)
            break;
    }
    if (server->passes > 0)
        server->passes--;
}

static void answer(struct token_server *server, int peer)
{
    struct buf head, body, out;
    size_t number;
    bool endless;

    buf_init(&head, 0);
    buf_init(&body, 0);
    buf_init(&out, 0);
    if (!read_request(peer, &head, &body))
        goto done;
    pthread_mutex_lock(&server->lock);
    number = ++server->requests;
    if (number <= TOKEN_SERVER_SEEN) {
        server->bodies[number - 1] =
            str_ndup(body.data != NULL ? body.data : "", body.len);
        server->heads[number - 1] = str_dup(head.data);
    }
    pthread_cond_broadcast(&server->changed);
    wait_while_held(server, peer);
    endless = server->endless;
    buf_clear(&body);
    body_write(&body, server->body, number);
    buf_printf(
        &out, "HTTP/1.1 %d Status\r\nContent-Type: %s\r\n", server->status, server->type);
    pthread_mutex_unlock(&server->lock);
    if (endless) {
        buf_puts(&out, "\r\n");
        while (send_all(peer, out.data, out.len)) {
            buf_clear(&out);
            for (int i = 0; i < 1000; i++)
                buf_puts(&out, "0123456789abcdef");
        }
        goto done;
    }
    buf_printf(&out, "Content-Length: %zu\r\nConnection: close\r\n\r\n", body.len);
    buf_append(&out, body.data != NULL ? body.data : "", body.len);
    send_all(peer, out.data, out.len);

done:
    buf_finish(&head);
    buf_finish(&body);
    buf_finish(&out);
}

static void *serve(void *arg)
{
    struct token_server *server = arg;
    int peer;

    while ((peer = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        answer(server, peer);
        close(peer);
    }
    return NULL;
}

void token_server_start(struct token_server *server)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof address;

    memset(server, 0, sizeof *server);
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->changed, NULL);
    server->status = 200;
    server->type = "application/json";
    server->body =
        "{\"access_token\":\"at-{n}\",\"refresh_token\":\"rt-{n}\",\"expires_in\":3600}";
    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server->fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(server->fd, 64), 0);
    assert_int_equal(getsockname(server->fd, (struct sockaddr *)&address, &len), 0);
    server->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

void token_server_stop(struct token_server *server)
{
    pthread_mutex_lock(&server->lock);
    server->stopping = true;
    pthread_mutex_unlock(&server->lock);
    shutdown(server->fd, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->fd);
    for (size_t i = 0; i < TOKEN_SERVER_SEEN; i++) {
        free(server->bodies[i]);
        free(server->heads[i]);
    }
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->lock);
}

void token_server_answers(
    struct token_server *server, int status, const char *type, const char *body)
{
    pthread_mutex_lock(&server->lock);
    server->status = status;
    server->type = type;
    server->body = body;
    pthread_mutex_unlock(&server->lock);
}

void token_server_sends_without_end(struct token_server *server)
{
    pthread_mutex_lock(&server->lock);
    server->endless = true;
    pthread_mutex_unlock(&server->lock);
}

void token_server_holds(struct token_server *server, bool hold)
{
    pthread_mutex_lock(&server->lock);
    server->hold = hold;
    pthread_mutex_unlock(&server->lock);
}

void token_server_passes_one(struct token_server *server)
{
    pthread_mutex_lock(&server->lock);
    server->passes++;
    pthread_mutex_unlock(&server->lock);
}

void token_server_await(struct token_server *server, size_t count)
{
    pthread_mutex_lock(&server->lock);
    while (server->requests < count)
        pthread_cond_wait(&server->changed, &server->lock);
    pthread_mutex_unlock(&server->lock);
}

size_t token_server_requests(struct token_server *server)
{
    size_t count;

    pthread_mutex_lock(&server->lock);
    count = server->requests;
    pthread_mutex_unlock(&server->lock);
    return count;
}

const char *token_server_body(struct token_server *server, size_t n)
{
    token_server_await(server, n + 1);
    return server->bodies[n];
}

const char *token_server_head(struct token_server *server, size_t n)
{
    token_server_await(server, n + 1);
    return server->heads[n];
}
