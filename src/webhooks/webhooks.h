/* SPDX-License-Identifier: Apache-2.0 */
/* Webhooks that are sent to customers (contract webhooks.md; docs/webhooks.md).
 *
 *   who knows of something ─► webhooks_tell_…() ─► outbox ─► the store, in the same write
 *                                                               │ due
 *   customer ◄── signed ◄── a thread of the pool ◄── claimed ◄──┘
 *                                   └─► outcome, next time ─► the store
 *
 * A message is composed where something happens and put in the transaction that makes it
 * happen: neither is there without the other, whatever crashes. Each URL gets it at least
 * once; receivers know repetitions by `webhook-id`. Any thread. */
#ifndef WEBHOOKS_WEBHOOKS_H
#define WEBHOOKS_WEBHOOKS_H

#include "base/clock.h"
#include "base/json_raw.h"
#include "base/log.h"
#include "net/http.h"
#include "net/policy.h"
#include "oplog/oplog.h"
#include "store/webhooks.h"
#include "vault/vault.h"

struct webhooks;

#define WEBHOOKS_WAITS_MAX 64
struct webhooks_config {
    struct store *store;
    struct vault *vault;
    struct oplog *oplog;
    const struct clock *clock;
    const struct log *log;
    const struct policy *policy;
    const char *ca_file; /* NULL = the system's */
    size_t at_once;      /* calls */
    size_t per_url;      /* of them to one URL of one environment */
    int64_t timeout_ms;  /* of a call */
    const char *waits; /* before each further attempt, as webhooks_parse_waits() reads */
};
/* The config's pointers are borrowed; of `waits` nothing is kept. Nothing is sent before
 * webhooks_start(). */
bool webhooks_new(
    const struct webhooks_config *config, struct webhooks **out, struct err *err);
bool webhooks_start(struct webhooks *webhooks, struct err *err);
/* Calls that go on are given up; the next server makes them again. These accept NULL. */
void webhooks_stop(struct webhooks *webhooks);
void webhooks_free(struct webhooks *webhooks);
/* Something was put. */
void webhooks_wake(struct webhooks *webhooks);

/* "3s 6s 10m 1h": s, m, h or d after a whole number, up to WEBHOOKS_WAITS_MAX of them.
 * False: *err says what is accepted. */
bool webhooks_parse_waits(
    const char *text, int64_t out[WEBHOOKS_WAITS_MAX], size_t *count, struct err *err);

/* ---- telling ---- */

/* What is to be put, composed and sealed. Zeroed = empty. */
struct webhook_outbox {
    struct webhook_puts puts;
    struct webhook_put *list; /* that of `puts` */
};
void webhook_outbox_finish(struct webhook_outbox *outbox);

/* Of whom. Borrowed. */
struct webhook_subject {
    int64_t environment_id;
    const char *integration; /* provider config key */
    const char *provider;
    const char *connection_id;
    const char *url_override; /* the connection's own URL; NULL or "" = none */
};

/* All of these add to `outbox` what the environment wants to hear, and nothing when
 * `webhooks` is NULL. False only for faults of our own. */

/* Is there anybody to tell? To spare the work of finding out what. A store that fails
 * counts as yes: telling then says why. */
bool webhooks_wanted(
    struct webhooks *webhooks, int64_t environment_id, const char *url_override);

struct webhook_error {
    const char *type;
    const char *description;
    struct json_raw payload; /* absent = {} */
};

struct sync_told {
    struct webhook_subject subject;
    const char *sync, *variant, *model;
    const char *kind; /* INITIAL, INCREMENTAL, WEBHOOK */
    bool success;
    int64_t began_ms;
    int64_t added, updated, deleted;             /* on success */
    const char *checkpoint_from, *checkpoint_to; /* JSON; both NULL = not used */
    const struct webhook_error *error;           /* on failure */
    int64_t failed_ms;
};
bool webhooks_tell_sync(struct webhooks *webhooks, const struct sync_told *told,
    struct webhook_outbox *outbox, struct err *err);

enum auth_operation {
    AUTH_CREATION,
    AUTH_OVERRIDE,
    AUTH_REFRESH, /* failed */
};
struct auth_told {
    struct webhook_subject subject;
    enum auth_operation operation;
    const char *mode;                    /* OAUTH2, … */
    const struct end_user_row *end_user; /* NULL = none */
    const char *tags_json;               /* an object; NULL = not known */
    const struct webhook_error *error;   /* NULL = success */
};
bool webhooks_tell_auth(struct webhooks *webhooks, const struct auth_told *told,
    struct webhook_outbox *outbox, struct err *err);

bool webhooks_tell_async_action(struct webhooks *webhooks,
    const struct webhook_subject *subject, const char *uuid,
    struct webhook_outbox *outbox, struct err *err);

/* A provider's webhook is passed on: in an envelope when the subject names a connection,
 * else as it is. `headers`: what webhooks_may_forward() left of the provider's. */
bool webhooks_tell_forward(struct webhooks *webhooks,
    const struct webhook_subject *subject, struct json_raw payload,
    const struct http_headers *headers, struct webhook_outbox *outbox, struct err *err);
bool webhooks_may_forward(const char *header);

#endif
