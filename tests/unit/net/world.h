/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of src/net share: a reactor on a thread with a server on it, a client
 * that speaks raw bytes, and a peer that plays a provider. Waiting is done in poll() with
 * a limit that only a broken part reaches. */
#ifndef TESTS_UNIT_NET_WORLD_H
#define TESTS_UNIT_NET_WORLD_H

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>

#include "base/buf.h"
#include "net/http_server.h"
#include "net/upstream.h"

#define LIMIT_MS 20000

struct world {
    struct reactor *reactor;
    struct http_server *server;
    struct up_pool *pool;
    pthread_t thread;
    int listen_fd;
    int port;
};

/* `config`: listen_fd is filled in; NULL = nobody calls the server. */
void world_start(struct world *world, const struct http_server_config *config);
void world_stop(struct world *world);
/* Runs on the reactor's thread and waits for it. */
void world_call(struct world *world, void (*run)(void *arg), void *arg);
/* Waits until `test` holds; asked on the reactor's thread, again after each event. */
bool world_becomes(struct world *world, bool (*test)(void *arg), void *arg);

/* ---- a client of raw bytes ---- */

int dial(int port);
void say(int fd, const char *bytes);
void say_bytes(int fd, const void *bytes, size_t len);

struct reply {
    int status;
    struct buf head; /* status line and fields, without the empty line */
    struct buf body; /* chunks undone */
    bool whole;      /* false: the connection ended first */
};
/* False when the connection ended (or failed) before any byte. */
bool hear(int fd, struct reply *reply, bool head_request);
void reply_finish(struct reply *reply);
/* The value of a field, in a buffer of the reply's; NULL when absent. */
const char *reply_field(struct reply *reply, const char *name);
/* Everything up to the end of the connection; false when it did not end in time. */
bool hear_all(int fd, struct buf *out);
/* True when the other side closes (or resets) within the limit, after sending nothing. */
bool is_closed(int fd);
/* A whole exchange on a connection of its own. */
int ask(int port, const char *request, struct buf *body);

/* ---- a peer that plays a provider ----
 *
 * Each connection is served by `play` on one thread, one after another, until it returns.
 */
struct peer {
    int listen_fd;
    int port;
    pthread_t thread;
    void (*play)(struct peer *peer, int fd);
    void *arg;
    int connections; /* served so far; read after peer_stop(), or inside play() */
};
void peer_start(struct peer *peer, void (*play)(struct peer *peer, int fd), void *arg);
void peer_stop(struct peer *peer);
/* Reads one request's head (to the empty line) into `head`; false at the end. */
bool peer_head(int fd, struct buf *head);
/* Reads `len` bytes; false when fewer come. */
bool peer_bytes(int fd, struct buf *out, size_t len);

#endif
