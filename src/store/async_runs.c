/* SPDX-License-Identifier: Apache-2.0 */
/* The store's face for scripts that nobody waits for. Not cached: each is read as often
 * as it is asked for. */
#include <stdlib.h>

#include "store/store_int.h"

void async_run_row_free(struct async_run_row *row)
{
    if (row == NULL)
        return;
    blob_free(&row->input);
    blob_free(&row->outcome);
    free(row);
}

bool store_put_async_run(
    struct store *store, const struct async_run_row *row, struct err *err)
{
    return store->backend->ops->put_async_run(store->backend, row, err);
}

bool store_find_async_run(struct store *store, int64_t environment_id, const char *uuid,
    struct async_run_row **out, struct err *err)
{
    return store->backend->ops->find_async_run(
        store->backend, environment_id, uuid, out, err);
}

bool store_take_async_run(struct store *store, int64_t now_ms, struct async_run_row **out,
    int64_t *next_ms, struct err *err)
{
    return store->backend->ops->take_async_run(store->backend, now_ms, out, next_ms, err);
}

bool store_end_async_run(struct store *store, int64_t id, const struct blob *outcome,
    int64_t due_at_ms, const struct webhook_puts *webhooks, struct err *err)
{
    return store->backend->ops->end_async_run(
        store->backend, id, outcome, due_at_ms, webhooks, err);
}

bool store_drop_async_run(
    struct store *store, int64_t id, const struct webhook_puts *webhooks, struct err *err)
{
    return store->backend->ops->drop_async_run(store->backend, id, webhooks, err);
}

bool store_resume_async_runs(struct store *store, struct err *err)
{
    return store->backend->ops->resume_async_runs(store->backend, err);
}

bool store_sweep_async_runs(
    struct store *store, int64_t finished_before_ms, struct err *err)
{
    return store->backend->ops->sweep_async_runs(store->backend, finished_before_ms, err);
}
