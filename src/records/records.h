/* SPDX-License-Identifier: Apache-2.0 */
/* Records: what syncs save, in a file of their own (records.db).
 *
 *   batch ─► cut, hashed ─► compared (reader) ─┬─ all the same ─────────────────► counts
 *            (rows.c)        by hashes only    └─ packed ─► written (committer) ─► counts
 *                                                 (payload.c)   (write.c)
 *
 * A record belongs to a part: one model of one connection (and variant). Nine of ten that
 * are saved are as they were: those are told by a narrow table of hashes, and cost no
 * write. What changed is compressed and sealed on the caller's thread, and written with
 * other writes in one commit (store/sqlite/committer.h). All functions are for any thread,
 * block, and are durable when they return true.
 *
 * Each write has a time of its own, later than those of all writes before it, whatever the
 * clock says, and is seen as a whole or not at all. A reader that follows by cursor, which
 * is a pair of time and UUID, thus never misses one nor sees one twice.
 *
 * Contract http-api.md section 7, runner-sdk.md section 5. */
#ifndef RECORDS_RECORDS_H
#define RECORDS_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json_raw.h"
#include "base/log.h"
#include "vault/vault.h"

struct records;

/* Copies the file of `dir`, also while a server writes it; `file` must not be there. */
bool records_backup(
    const char *dir, const char *file, const struct log *log, struct err *err);

/* Looks for damage in the file of `dir`, also while a server writes it. */
bool records_check(const char *dir, struct err *err);

struct records_config {
    const char *dir; /* records.db is made there when it is not */
    struct vault *vault;
    bool seal; /* payloads that are saved from here on */
    const struct clock *clock;
    const struct log *log;
};
/* Is there a file in `dir`? */
bool records_exist(const char *dir);
/* The config's pointers but `dir` are borrowed. */
bool records_open(
    const struct records_config *config, struct records **out, struct err *err);
void records_close(struct records *records); /* accepts NULL */

/* Whose records: borrowed texts. */
struct records_place {
    int64_t environment_id;
    int64_t connection_id; /* row id */
    int64_t made_ms; /* when that row was made: ids may come again after a restore */
    const char *model;
    const char *variant; /* NULL or "base" = none */
};

#define RECORDS_UUID_LEN 16
/* Where a record stands in the order that readers follow. */
struct records_cursor {
    int64_t updated_us;
    uint8_t uuid[RECORDS_UUID_LEN];
};
#define RECORDS_CURSOR_SIZE 128
/* Base64 of `<time>||<uuid>`. */
void records_cursor_text(
    const struct records_cursor *cursor, char out[RECORDS_CURSOR_SIZE]);
void records_append_cursor(const struct records_cursor *cursor, struct buf *out);
bool records_cursor_parse(const char *text, struct records_cursor *out);
#define RECORDS_TIME_SIZE 40
/* 2023-09-18T15:20:35.941305+00:00 */
void records_time_text(int64_t us, char out[RECORDS_TIME_SIZE]);

/* ---- writing ---- */

enum records_kind {
    RECORDS_SAVE,
    RECORDS_UPDATE, /* merged into what is there; what is not is left out */
    RECORDS_DELETE, /* stays, as deleted, with what is passed as its payload */
};

struct records_counts {
    int64_t added;
    int64_t updated;
    int64_t deleted;
    int64_t unchanged;
    int64_t repeated; /* ids that a batch had more than once: the first counted */
};

/* What an execution has saved of one part, so that it can delete the rest. */
struct records_seen;
struct records_seen *records_seen_new(void);
void records_seen_free(struct records_seen *seen); /* accepts NULL */

struct records_batch {
    struct records_place place;
    enum records_kind kind;
    struct json_raw rows; /* an array of objects with an id, a text or a number */
    /* Rows that are after it in the order are left as they are, but for this execution's
     * own: it moves on with what is written. NULL = all are written. */
    struct records_cursor *unless_after;
    struct records_seen *seen; /* what was saved is noted there; NULL */
    size_t max_record;         /* bytes of one; 0 = any number */
};
/* Refused as a whole: 400 `invalid_record` when one has no id or is none, 413
 * `record_too_large`. *out is added to. */
bool records_write(struct records *records, const struct records_batch *batch,
    struct records_counts *out, struct err *err);

/* From here on what is saved is noted, until records_track_end(), also when the execution
 * ends before. A second start changes nothing. */
bool records_track_start(
    struct records *records, const struct records_place *place, struct err *err);
/* A list of external ids. */
struct records_ids {
    char **list;
    size_t count;
};
void records_ids_free(struct records_ids *ids);
/* Deletes what was not saved since the start: their ids, counted. *was_tracked = false:
 * nothing was done, since there was no start. */
bool records_track_end(struct records *records, const struct records_place *place,
    bool *was_tracked, struct records_ids *deleted, struct err *err);
/* The same for what an execution has not saved. */
bool records_delete_unseen(struct records *records, const struct records_place *place,
    const struct records_seen *seen, struct records_ids *deleted, struct err *err);

/* ---- reading ---- */

enum records_filter { /* may be joined; 0 = all */
    RECORDS_ADDED = 1,
    RECORDS_UPDATED = 2,
    RECORDS_DELETED = 4,
};

struct record {
    const char *external_id;
    struct json_raw payload; /* an object */
    struct records_cursor at;
    int64_t created_us;
    int64_t deleted_us; /* 0 = live */
    int64_t pruned_us;  /* 0 = it has its payload; else the payload is {"id":…} */
};

enum records_order {
    RECORDS_BY_CURSOR, /* as readers follow: by time of change, then UUID, ascending */
    RECORDS_BY_ID,
    RECORDS_BY_CREATED,
    RECORDS_BY_UPDATED,
};

struct records_query {
    struct records_place place;
    const struct records_cursor *after; /* NULL = from the start; by cursor only */
    int64_t modified_since_us;          /* that, or later; 0 = any time */
    unsigned filter;
    const char *const *ids; /* external ones; only those */
    size_t id_count;        /* 0 = all */
    enum records_order order;
    bool descending;
    size_t limit;  /* 0 = all */
    size_t offset; /* so many of the first are left out */
};
/* Calls `each`, on this thread, for every record until it returns false; what it is given
 * is good until it returns. *more (may be NULL): there are others after the last that it was
 * given. A part that there is none of has no records. */
bool records_list(struct records *records, const struct records_query *query,
    bool (*each)(void *arg, const struct record *record), void *arg, bool *more,
    struct err *err);

/* Appends the payload with `_nango_metadata`, its id as a text. */
void records_append_json(struct buf *out, const struct record *record);
/* As GET /sync/records answers: the id as it was saved, and, with `apart`, the payload as a
 * member beside the times. */
void records_append_early(struct buf *out, const struct record *record, bool apart);

/* The last cursor of a part; *found = false when it has no records. */
bool records_last_cursor(struct records *records, const struct records_place *place,
    struct records_cursor *out, bool *found, struct err *err);

struct records_model {
    char *model; /* with its variant */
    int64_t live;
};
/* Those of the place's connection, for records_models_free(). */
bool records_models(struct records *records, const struct records_place *place,
    struct records_model **out, size_t *count, struct err *err);
void records_models_free(struct records_model *models, size_t count);

/* ---- taking away ---- */

/* Empties the payloads of up to `limit` records, the first ones first, up to and with
 * `until`. *more: there are others. */
bool records_prune(struct records *records, const struct records_place *place,
    const struct records_cursor *until, size_t limit, size_t *count, bool *more,
    struct err *err);
/* Empties the payloads of records that were last changed before `before_us`, of all parts,
 * some `limit` of them at most: *emptied. What is left is for the next call. */
bool records_retain(struct records *records, int64_t before_us, size_t limit,
    size_t *emptied, struct err *err);
/* Removes the records of a part, with their marks. */
bool records_drop(
    struct records *records, const struct records_place *place, struct err *err);
/* Removes every part that `is_wanted` says no of. It is asked for one connection after the
 * other; its place is good until it returns. */
bool records_sweep(struct records *records,
    bool (*is_wanted)(void *arg, const struct records_place *place), void *arg,
    struct err *err);

#endif
