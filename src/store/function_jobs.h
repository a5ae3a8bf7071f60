/* SPDX-License-Identifier: Apache-2.0 */
/* Dry runs and deployments of functions in the store: who asked is told an id, and comes
 * back for what came of it.
 *
 *   WAITING ──begin──► RUNNING ──end──► OVER
 *      └──────┬───────────┘
 *             └──the server's end──► LOST
 *
 * What a job does is not kept: one that did not end with its server is lost, and says so.
 * Any thread. */
#ifndef STORE_FUNCTION_JOBS_H
#define STORE_FUNCTION_JOBS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/err.h"
#include "store/store.h"

enum function_job_kind {
    FUNCTION_DRYRUN = 1,
    FUNCTION_DEPLOYMENT,
};

enum function_job_state {
    FUNCTION_JOB_WAITING = 1,
    FUNCTION_JOB_RUNNING,
    FUNCTION_JOB_OVER,
    FUNCTION_JOB_LOST,
};

struct function_job_row {
    int64_t id;
    char uuid[UUID_TEXT_SIZE];
    int64_t environment_id;
    enum function_job_kind kind;
    enum function_job_state state;
    char *integration_key;
    enum script_kind function_kind;
    char *name;          /* of the function; "" = it has none */
    struct blob outcome; /* sealed; context "function_job/<uuid>/outcome"; once over */
    int64_t created_at_ms;
    int64_t updated_at_ms;
    int64_t started_at_ms;  /* 0 = it waits */
    int64_t finished_at_ms; /* 0 = not over yet */
};
void function_job_row_free(struct function_job_row *row); /* accepts NULL */

/* Texts are borrowed; of `row` the uuid, the environment, the kinds and the names count.
 * Its id and times are filled in. */
bool store_put_function_job(
    struct store *store, struct function_job_row *row, struct err *err);
/* NULL when the environment has none of that name and kind. */
bool store_find_function_job(struct store *store, int64_t environment_id,
    enum function_job_kind kind, const char *uuid, struct function_job_row **out,
    struct err *err);
bool store_begin_function_job(struct store *store, int64_t id, struct err *err);
bool store_end_function_job(
    struct store *store, int64_t id, const struct blob *outcome, struct err *err);
/* A server begins: what did not end with the last one is lost. */
bool store_lose_function_jobs(struct store *store, struct err *err);
/* Forgets those that were over before. */
bool store_sweep_function_jobs(
    struct store *store, int64_t finished_before_ms, struct err *err);

#endif
