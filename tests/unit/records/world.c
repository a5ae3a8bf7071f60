/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "test.h"

static void open_records(struct world *w, struct err *err)
{
    const struct records_config config = {.dir = w->dir,
        .vault = w->vault,
        .seal = w->seal,
        .clock = &w->clock,
        .log = &w->log};

    if (!records_open(&config, &w->records, err))
        fail_msg("records_open: %s", err->message);
}

void world_begin(struct world *w)
{
    static const uint8_t kek[VAULT_KEY_LEN] = {1};
    struct vault_ring_entry ring = {.number = 1};
    struct err err = {0};
    struct buf wrapped;

    memset(w, 0, sizeof *w);
    str_copy(w->dir, sizeof w->dir, "/tmp/test_records.XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    w->seal = true;
    w->clock.frozen_ms = NOW_US / 1000;
    w->log.fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    w->log.clock = &w->clock;
    buf_init(&wrapped, 0);
    assert_true(vault_new_key(kek, ring.number, &wrapped, &err));
    ring.wrapped = wrapped.data;
    ring.wrapped_len = wrapped.len;
    assert_true(vault_open(kek, &ring, 1, &w->vault, &err));
    buf_finish(&wrapped);
    open_records(w, &err);
}

void world_reopen(struct world *w)
{
    struct err err = {0};

    records_close(w->records);
    open_records(w, &err);
}

void world_make_first_version(struct world *w)
{
    char path[128];
    sqlite3 *db = NULL;

    records_close(w->records);
    w->records = NULL;
    (void)snprintf(path, sizeof path, "%s/records.db", w->dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "ALTER TABLE part DROP COLUMN emptied; PRAGMA user_version = 1",
            NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

void world_end(struct world *w)
{
    static const char *const files[] = {"records.db", "records.db-wal", "records.db-shm"};
    char path[128];

    records_close(w->records);
    vault_free(w->vault);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", w->dir, files[i]);
        (void)unlink(path);
    }
    assert_int_equal(rmdir(w->dir), 0);
    (void)close(w->log.fd);
}

void world_pass(struct world *w, int64_t ms)
{
    w->clock.frozen_ms += ms;
}
