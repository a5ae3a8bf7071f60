/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share. */
#ifndef WEBHOOKS_WEBHOOKS_INT_H
#define WEBHOOKS_WEBHOOKS_INT_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/pool.h"
#include "webhooks/webhooks.h"

struct delivery;

struct webhooks {
    struct webhooks_config config;
    char holder[UUID_TEXT_SIZE];
    char *user_agent;
    int64_t waits[WEBHOOKS_WAITS_MAX];
    size_t wait_count;
    struct pool *pool;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct delivery *over; /* calls that ended, and are not written yet */
    size_t going;          /* calls that did not end yet */
    bool changed;
    bool stopping;
    atomic_bool given_up;
    pthread_t thread;
    bool has_thread;
};

/* sign.c: the headers of one attempt (contract webhooks.md section 2, and Standard
 * Webhooks 1.0.0). `key`: of the environment. */
struct signing {
    const char *key;
    size_t key_len;
    const char *uuid;
    int64_t now_ms;
    const char *body;
    size_t body_len;
};
void webhook_sign(const struct signing *signing, struct http_headers *headers);
/* The environment's key: its own, else its oldest API key. *key NULL when it has none.
 * Free with secret_free(). */
bool webhook_signing_key(struct store *store, struct vault *vault, int64_t environment_id,
    char **key, size_t *len, struct err *err);

/* attempt.c: one call. */
struct delivery {
    struct delivery *next;
    struct webhooks *webhooks;
    struct webhook_job job;
    struct webhook_result result; /* its texts are those below */
    char *error, *answer;
};
void delivery_attempt(struct delivery *delivery); /* blocking; fills `result` */
void delivery_free(struct delivery *delivery);

#endif
