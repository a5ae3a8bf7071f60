/* SPDX-License-Identifier: Apache-2.0 */
/* What providers send, in the store: kept from its acceptance until it is known whom it
 * concerns; then, in one write, what follows from it is ordered and it is forgotten.
 *
 *   accepted ─► event ─► its integration's connections looked through ─► settled:
 *                                   webhooks to forward, scripts to run
 *
 * Any thread. */
#ifndef STORE_INBOUND_H
#define STORE_INBOUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/err.h"
#include "store/webhooks.h"

/* Context: "webhook_event/<uuid>". */
void inbound_context(char out[CONTEXT_SIZE], const char *uuid);

struct inbound_event {
    int64_t id; /* set by the store */
    char uuid[UUID_TEXT_SIZE];
    int64_t environment_id;
    int64_t integration_id;
    struct blob content; /* sealed */
    int64_t received_at_ms;
};
void store_inbound_free(struct inbound_event *events, size_t count);

/* `message`: the provider's own id of it; NULL = none. *repeated: it was seen before, and
 * nothing is kept of it. Durable when it returns. */
bool store_put_inbound(struct store *store, const struct inbound_event *event,
    const char *message, bool *repeated, struct err *err);
/* Up to `max` of the integration whose oldest is the oldest of all, in their order. */
bool store_list_inbound(struct store *store, size_t max, struct inbound_event **out,
    size_t *count, struct err *err);

/* A live connection of an integration, as far as webhooks find it. */
struct inbound_connection {
    int64_t id;
    char *connection_id;
    struct blob config;  /* sealed, as a connection_row's */
    char *metadata_json; /* NULL = none */
    char *webhook_url_override;
};
/* In the order of their ids, from `after_id` on. */
bool store_list_inbound_connections(struct store *store, int64_t integration_id,
    int64_t after_id, size_t max, struct inbound_connection **out, size_t *count,
    struct err *err);
void store_inbound_connections_free(struct inbound_connection *rows, size_t count);

/* A script of a sync to be run for an event. Borrowed. */
struct inbound_run {
    int64_t connection_id;
    int64_t script_id;
    struct blob input; /* sealed, context "async_action/<uuid>/input" */
    char uuid[UUID_TEXT_SIZE];
};
/* What follows from an event, and its end; nothing when somebody else has settled it. A
 * run whose connection has no such sync any more is left out. */
struct inbound_settlement {
    int64_t event_id;
    const struct webhook_puts *webhooks;
    const struct inbound_run *runs;
    size_t run_count;
};
bool store_settle_inbound(struct store *store,
    const struct inbound_settlement *settlements, size_t count, struct err *err);

/* Forgets which messages were seen before. */
bool store_sweep_inbound(struct store *store, int64_t seen_before_ms, struct err *err);

#endif
