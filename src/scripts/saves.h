/* SPDX-License-Identifier: Apache-2.0 */
/* What one execution of a sync does to its records: the methods of `nango` that only syncs
 * have (contract runner-sdk.md sections 2 and 5). */
#ifndef SCRIPTS_SAVES_H
#define SCRIPTS_SAVES_H

#include <pthread.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/json_raw.h"
#include "records/records.h"

/* What it saved of one model. */
struct saves_model {
    char *model;
    struct records_counts counts;
    struct records_seen *seen;
    bool merging; /* what others changed after `cursor` is left alone */
    struct records_cursor cursor;
};

struct saves {
    struct records *records;
    struct records_place place; /* without a model; borrows */
    const struct log *log;
    size_t max_record;
    pthread_mutex_t lock; /* of the counts */
    struct saves_model *models;
    size_t count;
    int64_t last_sync_ms; /* as the script set it; 0 = it did not */
};

/* `models_json`: a list of the names that the script declares. Borrows what `place` and
 * the others point to. */
void saves_init(struct saves *saves, struct records *records,
    const struct records_place *place, const char *models_json, size_t max_record,
    const struct log *log);
void saves_finish(struct saves *saves);

bool saves_known(const char *method);
/* As struct script_ops wants it. Any thread, several at once. */
bool saves_call(
    struct saves *saves, const char *method, struct json_raw args, struct buf *out);

/* Removes the records of all models. */
bool saves_clear(struct saves *saves, struct err *err);
/* Deletes what was not saved. */
bool saves_delete_unseen(struct saves *saves, struct err *err);
/* Per model {added, updated, deleted}, as JSON. */
void saves_append_result(struct saves *saves, struct buf *out);

#endif
