/* SPDX-License-Identifier: Apache-2.0 */
/* How fast records are saved, in batches of 1,000 of 1 KB, durable; beside it plain SQLite
 * with the same payloads, and what sealing and compression cost. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/clock.h"
#include "base/str.h"
#include "records/records.h"
#include "test.h"
#include "world.h"

enum {
    BATCH = 1000,
    BATCHES = 100,
};

static const struct records_place items = {1, 7, 5, "Item", NULL};

/* About 1 KB, as an issue of a tracker. */
static void put_row(struct buf *out, int id, int version)
{
    buf_printf(out,
        "{\"id\":\"%08d\",\"number\":%d,\"title\":\"Issue %d about something or other\","
        "\"state\":\"%s\",\"version\":%d,\"labels\":[\"bug\",\"p%d\"],\"url\":"
        "\"https://api.example.com/repos/acme/widgets/issues/%d\",\"body\":\"",
        id, id, id, id % 3 == 0 ? "open" : "closed", version, id % 5, id);
    for (int i = 0; i < 20; i++)
        buf_printf(
            out, "word%04x and some more text %d. ", (unsigned)(id * 31 + i * 7), i);
    buf_puts(out, "\",\"author\":{\"login\":\"someone\",\"id\":1234,\"admin\":false}}");
}

static char *batch_of(int number, int version)
{
    struct buf out;

    buf_init(&out, 0);
    for (int i = 0; i < BATCH; i++) {
        buf_putc(&out, i == 0 ? '[' : ',');
        put_row(&out, number * BATCH + i, version);
    }
    buf_putc(&out, ']');
    return buf_take(&out, NULL);
}

static double save_all(struct world *w, char *const *batches)
{
    struct records_counts counts = {0};
    int64_t from = clock_mono_us();

    for (int i = 0; i < BATCHES; i++) {
        const struct records_batch batch = {.place = items,
            .kind = RECORDS_SAVE,
            .rows = {batches[i], strlen(batches[i])}};

        MUST(records_write(w->records, &batch, &counts, &err));
    }
    return BATCH * BATCHES * 1e6 / (double)(clock_mono_us() - from);
}

static void must_run(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
}

/* One table, one index, each row an upsert; the ids are cut out as records.c does. */
static double save_plainly(const char *path, char *const *batches)
{
    sqlite3 *db;
    sqlite3_stmt *stmt;
    int64_t from;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    must_run(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    must_run(
        db, "CREATE TABLE IF NOT EXISTS r (id TEXT PRIMARY KEY, at INTEGER, p TEXT)");
    assert_int_equal(sqlite3_prepare_v2(db,
                         "INSERT INTO r VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
                         "at = excluded.at, p = excluded.p WHERE p != excluded.p",
                         -1, &stmt, NULL),
        SQLITE_OK);
    from = clock_mono_us();
    for (int i = 0; i < BATCHES; i++) {
        struct json_raw_iter iter;
        struct json_raw row;

        must_run(db, "BEGIN");
        json_raw_begin((struct json_raw){batches[i], strlen(batches[i])}, &iter);
        while (json_raw_next(&iter, NULL, &row)) {
            char *id = json_raw_dup_string(json_raw_get(row, "id"));

            (void)sqlite3_bind_text(stmt, 1, id, -1, SQLITE_STATIC);
            (void)sqlite3_bind_int64(stmt, 2, i);
            (void)sqlite3_bind_text(stmt, 3, row.text, (int)row.len, SQLITE_STATIC);
            assert_int_equal(sqlite3_step(stmt), SQLITE_DONE);
            (void)sqlite3_reset(stmt);
            free(id);
        }
        must_run(db, "COMMIT");
    }
    from = clock_mono_us() - from;
    (void)sqlite3_finalize(stmt);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return BATCH * BATCHES * 1e6 / (double)from;
}

static bool count_one(void *arg, const struct record *record)
{
    *(size_t *)arg += record->payload.len;
    return true;
}

static double read_pages(struct world *w)
{
    struct records_query query = {.place = items, .limit = 100};
    struct records_cursor at = {0};
    int64_t from = clock_mono_us();
    int pages = 2000;
    size_t bytes = 0;

    for (int i = 0; i < pages; i++) {
        /* Anywhere in the part. */
        at.updated_us = NOW_US + i % BATCHES;
        memset(at.uuid, i & 0xff, sizeof at.uuid);
        query.after = &at;
        MUST(records_list(w->records, &query, count_one, &bytes, NULL, &err));
    }
    assert_true(bytes > 0);
    return pages * 1e6 / (double)(clock_mono_us() - from);
}

/* What a record costs to make small and to seal, each alone. */
static void measure_packing(void)
{
    enum {
        TIMES = 20000
    };
    struct buf row, packed, sealed;
    ZSTD_CCtx *compressor = ZSTD_createCCtx();
    struct world w;
    int64_t from;
    size_t len = 0;

    world_begin(&w);
    buf_init(&row, 0);
    buf_init(&packed, 0);
    buf_init(&sealed, 0);
    put_row(&row, 7, 1);
    from = clock_mono_us();
    for (int i = 0; i < TIMES; i++)
        len =
            ZSTD_compressCCtx(compressor, buf_room(&packed, ZSTD_compressBound(row.len)),
                ZSTD_compressBound(row.len), row.data, row.len, 1);
    print_message("compressing      %.2f us a record, %zu bytes to %zu\n",
        (double)(clock_mono_us() - from) / TIMES, row.len, len);
    from = clock_mono_us();
    for (int i = 0; i < TIMES; i++) {
        buf_clear(&sealed);
        MUST(vault_seal(w.vault, "record/x", packed.data, len, &sealed, &err));
    }
    print_message(
        "sealing          %.2f us a record\n", (double)(clock_mono_us() - from) / TIMES);
    buf_finish(&row);
    buf_finish(&packed);
    buf_finish(&sealed);
    (void)ZSTD_freeCCtx(compressor);
    world_end(&w);
}

static void measure(
    const char *name, bool sealed, char *const *first, char *const *second)
{
    struct world w;
    double fresh, same, changed;

    world_begin(&w);
    w.seal = sealed;
    world_reopen(&w);
    fresh = save_all(&w, first);
    same = save_all(&w, first);
    changed = save_all(&w, second);
    print_message("%-16s new %7.0f/s  unchanged %7.0f/s  changed %7.0f/s  pages of 100 "
                  "%6.0f/s\n",
        name, fresh, same, changed, read_pages(&w));
    world_end(&w);
}

TEST(saving)
{
    static char *first[BATCHES], *second[BATCHES];
    char path[] = "/tmp/bench_records.XXXXXX";
    double fresh, same, changed;

    for (int i = 0; i < BATCHES; i++) {
        first[i] = batch_of(i, 1);
        second[i] = batch_of(i, 2);
    }
    print_message("a record has %zu bytes\n", strlen(first[0]) / BATCH);
    assert_true(close(mkstemp(path)) == 0);
    fresh = save_plainly(path, first);
    same = save_plainly(path, first);
    changed = save_plainly(path, second);
    print_message("%-16s new %7.0f/s  unchanged %7.0f/s  changed %7.0f/s\n",
        "plain SQLite", fresh, same, changed);
    (void)unlink(path);
    measure("sealed", true, first, second);
    measure("open", false, first, second);
    measure_packing();
    for (int i = 0; i < BATCHES; i++) {
        free(first[i]);
        free(second[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(saving)};

    return RUN(tests);
}
