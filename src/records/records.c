/* SPDX-License-Identifier: Apache-2.0 */
/* The file's life, who reads it, and what all parts of this folder share. */
#include "records/records.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/mem.h"
#include "base/secret.h"
#include "base/str.h"
#include "records/records_int.h"
#include "store/sqlite/copy.h"
#include "store/sqlite/migrate.h"

extern const struct schema records_schema;

/* ---- life ---- */

static bool prepare(struct records *records, struct sql_conn *conn, struct err *err)
{
    return sql_execute(conn, "PRAGMA page_size = 8192", err) && sql_set_wal(conn, err) &&
           sql_execute(conn, "PRAGMA wal_autocheckpoint = 4000", err) &&
           sqlite_migrate(conn->db, &records_schema, true, records->log, err);
}

bool records_exist(const char *dir)
{
    char *path = str_printf("%s/records.db", dir);
    bool exists = access(path, F_OK) == 0 || errno != ENOENT;

    free(path);
    return exists;
}

bool records_backup(
    const char *dir, const char *file, const struct log *log, struct err *err)
{
    char *path = str_printf("%s/records.db", dir);
    struct sql_conn *conn = NULL;
    bool ok = sql_connect(path, SQL_READS, &conn, err) &&
              sql_copy_to(conn, path, file, log, err);

    sql_disconnect(conn);
    free(path);
    return ok;
}

bool records_check(const char *dir, struct err *err)
{
    char *path = str_printf("%s/records.db", dir);
    struct sql_conn *conn = NULL;
    bool ok = sql_connect(path, SQL_READS, &conn, err) &&
              sql_check(conn, "PRAGMA integrity_check(1)", err);

    sql_disconnect(conn);
    free(path);
    return ok || err_context(err, "records.db");
}

/* Made when the file is; sealed, as the payloads are. */
static bool make_hash_key(
    const struct records *records, struct sql_conn *conn, struct err *err)
{
    uint8_t key[HASH_KEY_LEN];
    struct buf sealed;
    struct sql q;
    bool ok;

    buf_init(&sealed, 0);
    crypto_random(key, sizeof key);
    ok = vault_seal(records->vault, "records/hash_key", key, sizeof key, &sealed, err);
    mem_wipe(key, sizeof key);
    if (ok) {
        q = sql_begin(conn, "INSERT INTO hash_key (id, sealed) VALUES (1, ?)");
        sql_blob(&q, sealed.data, sealed.len);
        ok = sql_run(&q, err);
    }
    buf_finish(&sealed);
    return ok;
}

/* *found = false: there is none yet. */
static bool read_hash_key(
    struct records *records, struct sql_conn *conn, bool *found, struct err *err)
{
    struct sql q = sql_begin(conn, "SELECT sealed FROM hash_key");
    enum sql_result step = sql_step(&q, err);
    struct blob sealed = {0};
    char *key = NULL;
    size_t len = 0;
    bool ok;

    *found = step == SQL_ROW;
    if (*found)
        sealed = sql_take_blob(&q, 0);
    sql_end(&q);
    if (step != SQL_ROW)
        return step == SQL_DONE;
    ok = vault_unseal(records->vault, "records/hash_key", sealed.data, sealed.len, &key,
             &len, err) &&
         (len == HASH_KEY_LEN || err_internal(err, "the key of hashes is damaged"));
    if (ok)
        memcpy(records->hash_key, key, HASH_KEY_LEN);
    secret_free(key);
    free(sealed.data);
    return ok;
}

static bool load_hash_key(struct records *records, struct sql_conn *conn, struct err *err)
{
    bool found;

    return read_hash_key(records, conn, &found, err) &&
           (found || (make_hash_key(records, conn, err) &&
                         read_hash_key(records, conn, &found, err)));
}

bool records_open(
    const struct records_config *config, struct records **out, struct err *err)
{
    struct records *records = MEM_NEW(struct records);
    struct sql_conn *conn = NULL;

    *out = NULL;
    records->vault = config->vault;
    records->seal = config->seal;
    records->clock = config->clock;
    records->log = config->log;
    records->path = str_printf("%s/records.db", config->dir);
    pthread_mutex_init(&records->lock, NULL);
    if (!sql_make_file(records->path, err) ||
        !sql_connect(records->path, SQL_WRITES, &conn, err) ||
        !prepare(records, conn, err) || !load_hash_key(records, conn, err)) {
        err_context(err, "%s", records->path);
        sql_disconnect(conn);
        records_close(records);
        return false;
    }
    records->committer = committer_new(conn, config->log);
    *out = records;
    return true;
}

static void reader_free(struct reader *reader)
{
    if (reader == NULL)
        return;
    sql_disconnect(reader->conn);
    (void)ZSTD_freeCCtx(reader->compressor);
    (void)ZSTD_freeDCtx(reader->decompressor);
    free(reader);
}

void records_close(struct records *records)
{
    if (records == NULL)
        return;
    while (records->idle != NULL) {
        struct reader *reader = records->idle;

        records->idle = reader->next;
        reader_free(reader);
    }
    committer_free(records->committer);
    pthread_mutex_destroy(&records->lock);
    mem_wipe(records->hash_key, sizeof records->hash_key);
    free(records->path);
    free(records);
}

/* ---- who reads ---- */

static struct reader *reader_new(struct records *records, struct err *err)
{
    struct reader *reader = MEM_NEW(struct reader);

    if (!sql_connect(records->path, SQL_READS, &reader->conn, err)) {
        reader_free(reader);
        return NULL;
    }
    reader->compressor = ZSTD_createCCtx();
    reader->decompressor = ZSTD_createDCtx();
    if (reader->compressor != NULL && reader->decompressor != NULL)
        return reader;
    reader_free(reader);
    err_internal(err, "no memory for compressing");
    return NULL;
}

struct reader *records_reader(struct records *records, struct err *err)
{
    struct reader *reader;

    pthread_mutex_lock(&records->lock);
    reader = records->idle;
    if (reader != NULL) {
        records->idle = reader->next;
        records->idle_count--;
    }
    pthread_mutex_unlock(&records->lock);
    return reader != NULL ? reader : reader_new(records, err);
}

bool reader_begin(struct reader *reader, struct err *err)
{
    return sql_execute(reader->conn, "BEGIN", err);
}

bool reader_end(struct reader *reader, struct err *err)
{
    return sqlite3_get_autocommit(reader->conn->db) ||
           sql_execute(reader->conn, "COMMIT", err);
}

void records_reader_done(struct records *records, struct reader *reader)
{
    struct err ignored = {0};

    if (reader == NULL)
        return;
    if (!reader_end(reader, &ignored)) { /* of no use any more */
        reader_free(reader);
        return;
    }
    pthread_mutex_lock(&records->lock);
    if (records->idle_count < RECORDS_IDLE_READERS) {
        reader->next = records->idle;
        records->idle = reader;
        records->idle_count++;
        reader = NULL;
    }
    pthread_mutex_unlock(&records->lock);
    reader_free(reader);
}

/* ---- parts ---- */

char *records_model_name(const struct records_place *place)
{
    if (place->variant == NULL || strcmp(place->variant, "base") == 0)
        return str_dup(place->model);
    return str_printf("%s" RECORDS_VARIANT "%s", place->model, place->variant);
}

bool part_find(struct sql_conn *conn, const struct records_place *place, struct part *out,
    struct err *err)
{
    struct sql q = sql_begin(conn,
        "SELECT id, tracked FROM part WHERE connection = ? AND made = ? AND model = ?");
    char *model = records_model_name(place);
    enum sql_result step;

    *out = (struct part){0};
    sql_i64(&q, place->connection_id);
    sql_i64(&q, place->made_ms);
    sql_text(&q, model);
    step = sql_step(&q, err);
    if (step == SQL_ROW) {
        out->id = sql_take_i64(&q, 0);
        out->tracked = sql_take_bool(&q, 1);
    }
    sql_end(&q);
    free(model);
    return step != SQL_FAILED;
}

bool records_find_part(struct records *records, const struct records_place *place,
    struct part *out, struct err *err)
{
    struct reader *reader = records_reader(records, err);
    bool ok = reader != NULL && part_find(reader->conn, place, out, err);

    records_reader_done(records, reader);
    return ok;
}

static bool insert_part(struct sql_conn *conn, const struct records_place *place,
    struct part *out, struct err *err)
{
    struct sql q = sql_begin(conn,
        "INSERT INTO part (environment, connection, made, model) VALUES (?, ?, ?, ?)");
    char *model = records_model_name(place);
    bool ok;

    sql_i64(&q, place->environment_id);
    sql_i64(&q, place->connection_id);
    sql_i64(&q, place->made_ms);
    sql_text(&q, model);
    ok = sql_run(&q, err);
    free(model);
    *out = (struct part){.id = ok ? sqlite3_last_insert_rowid(conn->db) : 0};
    return ok;
}

bool part_make(struct sql_conn *conn, const struct records_place *place, struct part *out,
    struct err *err)
{
    return part_find(conn, place, out, err) &&
           (out->id != 0 || insert_part(conn, place, out, err));
}

bool part_count(struct sql_conn *conn, int64_t part, int64_t more, struct err *err)
{
    struct sql q;

    if (more == 0)
        return true;
    q = sql_begin(conn, "UPDATE part SET live = live + ? WHERE id = ?");
    sql_i64(&q, more);
    sql_i64(&q, part);
    return sql_run(&q, err);
}

bool records_stamp(
    struct records *records, struct sql_conn *conn, int64_t *us, struct err *err)
{
    struct sql q = sql_begin(conn,
        "UPDATE stamp SET last_us = max(?, last_us + 1) WHERE id = 1 RETURNING last_us");
    enum sql_result step;

    sql_i64(&q, clock_now_us(records->clock));
    step = sql_step(&q, err);
    if (step == SQL_ROW)
        *us = sql_take_i64(&q, 0);
    sql_end(&q);
    return step == SQL_ROW;
}
