/* SPDX-License-Identifier: Apache-2.0 */
/* The store's face for jobs of functions. Not cached: each is read by who asked for it. */
#include "store/function_jobs.h"

#include <stdlib.h>

#include "store/function_jobs_int.h"
#include "store/store_int.h"

void function_job_row_free(struct function_job_row *row)
{
    if (row == NULL)
        return;
    free(row->integration_key);
    free(row->name);
    blob_free(&row->outcome);
    free(row);
}

static const struct function_job_ops *ops(const struct store *store)
{
    return store->backend->ops->function_jobs;
}

bool store_put_function_job(
    struct store *store, struct function_job_row *row, struct err *err)
{
    return ops(store)->put(store->backend, row, err);
}

bool store_find_function_job(struct store *store, int64_t environment_id,
    enum function_job_kind kind, const char *uuid, struct function_job_row **out,
    struct err *err)
{
    return ops(store)->find(store->backend, environment_id, kind, uuid, out, err);
}

bool store_begin_function_job(struct store *store, int64_t id, struct err *err)
{
    return ops(store)->begin(store->backend, id, err);
}

bool store_end_function_job(
    struct store *store, int64_t id, const struct blob *outcome, struct err *err)
{
    return ops(store)->end(store->backend, id, outcome, err);
}

bool store_lose_function_jobs(struct store *store, struct err *err)
{
    return ops(store)->lose(store->backend, err);
}

bool store_sweep_function_jobs(
    struct store *store, int64_t finished_before_ms, struct err *err)
{
    return ops(store)->sweep(store->backend, finished_before_ms, err);
}
