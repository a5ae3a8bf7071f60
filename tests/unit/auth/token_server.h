/* SPDX-License-Identifier: Apache-2.0 */
/* A token endpoint on a loopback socket, served by one thread: it answers what the test
 * says, remembers what it was sent, and can be told to keep its caller waiting. */
#ifndef TESTS_UNIT_AUTH_TOKEN_SERVER_H
#define TESTS_UNIT_AUTH_TOKEN_SERVER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOKEN_SERVER_SEEN 16

struct token_server {
    int fd;
    uint16_t port;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* what to answer; `{n}` in the body stands for the number of the request, from 1 */
    int status;
    const char *type;
    const char *body;
    bool endless;  /* send body bytes until the caller hangs up */
    bool hold;     /* read the request, then wait */
    size_t passes; /* so many are let through all the same */
    bool stopping;
    /* what came */
    size_t requests;
    char *bodies[TOKEN_SERVER_SEEN]; /* of the first ones */
    char *heads[TOKEN_SERVER_SEEN];
};

/* Answers 200 with a rotating pair `at-{n}`, `rt-{n}`, good for an hour, until told else.
 */
void token_server_start(struct token_server *server);
void token_server_stop(struct token_server *server);
void token_server_answers(
    struct token_server *server, int status, const char *type, const char *body);
void token_server_sends_without_end(struct token_server *server);
void token_server_holds(struct token_server *server, bool hold);
/* While it holds: lets one request through. */
void token_server_passes_one(struct token_server *server);
/* Until `count` requests were read. */
void token_server_await(struct token_server *server, size_t count);
size_t token_server_requests(struct token_server *server);
/* Borrowed; `n` from 0. */
const char *token_server_body(struct token_server *server, size_t n);
const char *token_server_head(struct token_server *server, size_t n);

#endif
