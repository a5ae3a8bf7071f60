/* SPDX-License-Identifier: Apache-2.0 */
/* Webhooks in the store: what is to be sent to customers, and what came of it.
 *
 *   message, with what it tells of ─► delivery, one for each URL ──due──► claimed, leased
 *                                          ▲   failed: later               │
 *                                          └───────────────────────────────┤
 *                                              delivered, or dead ◄────────┘
 *
 * A message is put in the transaction of what it tells of, so that there is neither one
 * without the other. A delivery that is dead stays, to be sent again when somebody says
 * so. Of one environment and URL so many are under way at a time as the claim says: a URL
 * that hangs keeps no other from its own.
 *
 * Bodies and headers are sealed, context webhook_context(). Any thread. */
#ifndef STORE_WEBHOOKS_H
#define STORE_WEBHOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/err.h"
#include "store/store.h"

/* Context: "webhook/<uuid>/<column>". */
void webhook_context(char out[CONTEXT_SIZE], const char *uuid, const char *column);

/* What is put. Borrowed. */
struct webhook_put {
    char uuid[UUID_TEXT_SIZE]; /* of the message: receivers know it again by that */
    int64_t environment_id;
    const char *type;    /* auth, sync, forward, async_action */
    char *integration;   /* provider config key; NULL = none */
    char *connection_id; /* as the customer names it; NULL = none */
    struct blob body;    /* sealed */
    struct blob headers; /* sealed: JSON, a list of [name, value]; data NULL = none */
    char *urls[2];       /* NULL = none */
};
struct webhook_puts {
    const struct webhook_put *list;
    size_t count;
};
bool store_put_webhooks(
    struct store *store, const struct webhook_puts *puts, struct err *err);

/* ---- sending ---- */

struct webhook_job {
    int64_t id; /* of the delivery */
    char uuid[UUID_TEXT_SIZE];
    int64_t environment_id;
    char *type;
    char *integration, *connection_id; /* NULL = none */
    char *url;
    struct blob body, headers;
    int attempts; /* this one included, since it was put or replayed */
    int64_t created_at_ms;
};
void store_webhook_jobs_free(struct webhook_job *jobs, size_t count);

enum webhook_state {
    WEBHOOK_WAITING = 1,
    WEBHOOK_SENDING,
    WEBHOOK_DELIVERED,
    WEBHOOK_DEAD,
    WEBHOOK_STATES,
};

/* How an attempt ended. Borrowed. */
struct webhook_result {
    int64_t id;
    enum webhook_state state; /* WAITING: again at due_at_ms */
    int64_t due_at_ms;
    bool unsent;          /* it was not made at all: not counted, nothing kept of it */
    int64_t url_until_ms; /* nothing goes to this URL before; 0 = it may */
    int64_t began_ms, took_ms;
    int status;         /* 0 = no answer */
    const char *error;  /* NULL = none */
    const char *answer; /* how its body begins; NULL = not kept */
};

/* One transaction: results are written, then deliveries claimed that are due, or were
 * leased by somebody who did not come back. */
struct webhook_turn {
    const char *holder;
    int64_t now_ms;
    int64_t lease_until_ms;
    const struct webhook_result *results; /* those no longer the holder's are skipped */
    size_t result_count;
    size_t max;     /* claims; 0 = none */
    size_t per_url; /* under way at a time, of one environment and URL */
};
/* *next_ms: when the next is due or its lease ends, if nothing changes; 0 = never. */
bool store_turn_webhooks(struct store *store, const struct webhook_turn *turn,
    struct webhook_job **out, size_t *count, int64_t *next_ms, struct err *err);
/* The only server of a store begins: no lease of before counts. */
bool store_free_webhooks(struct store *store, struct err *err);

/* ---- looking ---- */

struct webhook_row {
    int64_t id;
    char uuid[UUID_TEXT_SIZE];
    char *type;
    char *integration, *connection_id; /* NULL = none */
    char *url;
    enum webhook_state state;
    int attempts;      /* in all */
    int64_t due_at_ms; /* 0 = not again */
    int64_t created_at_ms;
    int64_t finished_at_ms; /* 0 = not yet */
    int status;             /* of the last attempt; 0 = no answer */
    char *error;            /* of the last attempt; NULL = none */
};
struct webhook_filter {
    int64_t environment_id;
    int64_t id; /* 0 = all, so for all here */
    enum webhook_state state;
    const char *type;
    const char *integration;
    const char *connection_id;
    int64_t before_id; /* older ones than this */
    size_t limit;
};
/* Newest first. */
bool store_list_webhooks(struct store *store, const struct webhook_filter *filter,
    struct webhook_row **out, size_t *count, struct err *err);
void store_webhooks_free(struct webhook_row *rows, size_t count);

struct webhook_attempt_row {
    int64_t began_ms, took_ms;
    int status;
    char *error, *answer; /* NULL = none */
};
bool store_list_webhook_attempts(struct store *store, int64_t id,
    struct webhook_attempt_row **out, size_t *count, struct err *err); /* oldest first */
void store_webhook_attempts_free(struct webhook_attempt_row *rows, size_t count);
/* What it says. *body NULL when there is no such delivery of the environment. */
bool store_read_webhook_body(struct store *store, int64_t environment_id, int64_t id,
    char uuid[UUID_TEXT_SIZE], struct blob *body, struct err *err);

/* Sent again, from the beginning: `id`, or (0) all that are dead and were made at
 * `since_ms` or later. Of those that wait the waiting ends; what is being sent is left
 * alone. */
bool store_replay_webhooks(struct store *store, int64_t environment_id, int64_t id,
    int64_t since_ms, int64_t now_ms, size_t *count, struct err *err);

/* Removes what is over: delivered, and dead, before these times. */
bool store_sweep_webhooks(struct store *store, int64_t delivered_before_ms,
    int64_t dead_before_ms, struct err *err);

#endif
