/* SPDX-License-Identifier: Apache-2.0 */
/* The store's face for what providers send. */
#include "store/inbound.h"

#include <stdio.h>
#include <stdlib.h>

#include "store/inbound_int.h"
#include "store/store_int.h"

static const struct inbound_ops *ops(const struct store *store)
{
    return store->backend->ops->inbound;
}

void inbound_context(char out[CONTEXT_SIZE], const char *uuid)
{
    (void)snprintf(out, CONTEXT_SIZE, "webhook_event/%s", uuid);
}

void store_inbound_free(struct inbound_event *events, size_t count)
{
    for (size_t i = 0; i < count; i++)
        blob_free(&events[i].content);
    free(events);
}

void store_inbound_connections_free(struct inbound_connection *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(rows[i].connection_id);
        blob_free(&rows[i].config);
        free(rows[i].metadata_json);
        free(rows[i].webhook_url_override);
    }
    free(rows);
}

bool store_put_inbound(struct store *store, const struct inbound_event *event,
    const char *message, bool *repeated, struct err *err)
{
    return ops(store)->put(store->backend, event, message, repeated, err);
}

bool store_list_inbound(struct store *store, size_t max, struct inbound_event **out,
    size_t *count, struct err *err)
{
    return ops(store)->list(store->backend, max, out, count, err);
}

bool store_list_inbound_connections(struct store *store, int64_t integration_id,
    int64_t after_id, size_t max, struct inbound_connection **out, size_t *count,
    struct err *err)
{
    return ops(store)->connections(
        store->backend, integration_id, after_id, max, out, count, err);
}

bool store_settle_inbound(struct store *store,
    const struct inbound_settlement *settlements, size_t count, struct err *err)
{
    return ops(store)->settle(store->backend, settlements, count, err);
}

bool store_sweep_inbound(struct store *store, int64_t seen_before_ms, struct err *err)
{
    return ops(store)->sweep(store->backend, seen_before_ms, err);
}
