/* SPDX-License-Identifier: Apache-2.0 */
/* For the files of this folder. */
#ifndef RECORDS_RECORDS_INT_H
#define RECORDS_RECORDS_INT_H

#include <pthread.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "records/records.h"
#include "store/sqlite/committer.h"
#include "store/sqlite/sql.h"

#define RECORDS_VARIANT "::"   /* between a model and its variant */
#define RECORDS_IDLE_READERS 8 /* that are kept */

#define HASH_KEY_LEN 32

/* What one thread at a time reads with, and packs and opens payloads by: making either is
 * dearer than using it. */
struct reader {
    struct sql_conn *conn;
    struct ZSTD_CCtx_s *compressor;
    struct ZSTD_DCtx_s *decompressor;
    struct reader *next;
};

struct records {
    struct vault *vault;
    bool seal;
    const struct clock *clock;
    const struct log *log;
    char *path;
    uint8_t hash_key[HASH_KEY_LEN];
    struct committer *committer;
    pthread_mutex_t lock; /* of the readers */
    struct reader *idle;
    size_t idle_count;
};

/* ---- records.c ---- */

/* To be given back; NULL on failure. */
struct reader *records_reader(struct records *records, struct err *err);
void records_reader_done(struct records *records, struct reader *reader); /* or NULL */
/* From here on all that it reads is of one time, until it is given back or the end. */
bool reader_begin(struct reader *reader, struct err *err);
bool reader_end(struct reader *reader, struct err *err);

struct part {
    int64_t id; /* 0 = there is none */
    bool tracked;
};
bool part_find(struct sql_conn *conn, const struct records_place *place, struct part *out,
    struct err *err);
/* The same with a reader of its own. */
bool records_find_part(struct records *records, const struct records_place *place,
    struct part *out, struct err *err);
/* In a write. Makes it where there is none. */
bool part_make(struct sql_conn *conn, const struct records_place *place, struct part *out,
    struct err *err);
bool part_count(struct sql_conn *conn, int64_t part, int64_t more, struct err *err);
/* In a write: a time that is later than any before. */
bool records_stamp(
    struct records *records, struct sql_conn *conn, int64_t *us, struct err *err);

/* In a write: empties the payload of a record. */
bool record_prune(struct sql_conn *conn, int64_t record, int64_t now_us, struct err *err);

/* The name with its variant, for free(). */
char *records_model_name(const struct records_place *place);

/* ---- rows.c ---- */

#define HASH_LEN 16

enum row_state {
    STATE_LIVE = 0,
    STATE_PRUNED = 1, /* a bit */
    STATE_DELETED = 2,
};

/* One record of a batch. */
struct row {
    char *external_id;
    struct json_raw text;
    uint8_t hash[HASH_LEN];
    uint8_t uuid[RECORDS_UUID_LEN];
    int64_t deleted_us; /* what a row to delete says of itself; 0 = nothing */
    /* as found before it is written */
    int64_t record; /* 0 = there is none */
    uint8_t found_hash[HASH_LEN];
    bool same; /* nothing is to be done but to note that it was seen */
    bool done;
    bool stale; /* changed by somebody since it was looked up */
    struct buf packed;
};
struct rows {
    struct row *list; /* by external id, each of which is there once */
    size_t count;
    int64_t repeated;
};
bool rows_cut(const struct records *records, const struct records_batch *batch,
    struct rows *out, struct err *err);
void rows_free(struct rows *rows);
/* The first 16 bytes of a SHA-256 of the key and the text: who chooses the text must not be
 * able to make two that pass for one, nor who reads the file to try guesses. */
void record_hash(
    const uint8_t key[HASH_KEY_LEN], const char *text, size_t len, uint8_t out[HASH_LEN]);

/* ---- payload.c ---- */

/* Compressed where that pays, and sealed under the record's UUID. Appends to `out`. */
bool payload_pack(struct records *records, struct reader *reader,
    const uint8_t uuid[RECORDS_UUID_LEN], struct json_raw text, struct buf *out,
    struct err *err);
/* The text again, in `out`, which is emptied. */
bool payload_unpack(struct records *records, struct reader *reader,
    const uint8_t uuid[RECORDS_UUID_LEN], const void *packed, size_t len, struct buf *out,
    struct err *err);

/* ---- merge.c ---- */

/* Objects member by member, and all else replaced; appends the text. */
void merge_json(struct json_raw into, struct json_raw part, struct buf *out);

/* ---- seen.c ---- */

void seen_add(struct records_seen *seen, int64_t record);
bool seen_has(const struct records_seen *seen, int64_t record);

/* ---- write.c ---- */

/* In a write: marks live records as deleted at `now_us`, their payload as it was. */
bool delete_listed(struct sql_conn *conn, int64_t part, const int64_t *records,
    size_t count, int64_t now_us, struct err *err);

#endif
