/* SPDX-License-Identifier: Apache-2.0 */
/* What only the SQLite store has: its files and their modes, one server for a directory,
 * damage, versions of the schema, backup, a full disk. Looks into the file by SQLite
 * itself. */
#include "store/syncs.h"
#include "world.h"

#include <fcntl.h>
#include <glob.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/sqlite/migrate.h"
#include "store/sqlite/sqlite_int.h"

static const char *path_in(const struct world *w, const char *name)
{
    static char path[200];

    (void)snprintf(path, sizeof path, "%s/%s", w->dir, name);
    return path;
}

static bool try_open(struct world *w, struct store_config config, struct err *err)
{
    bool ok;

    config.data_dir = w->dir;
    config.clock = &w->clock;
    ok = store_open(&config, &w->store, err);
    assert_true(ok == (w->store != NULL));
    return ok;
}

static void expect_refused(struct world *w, struct store_config config, const char *why)
{
    struct store *kept = w->store;
    struct err err = {0};

    assert_false(try_open(w, config, &err));
    w->store = kept;
    if (strstr(err.message, why) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.message, why);
}

/* Runs SQL on the file behind the store's back. */
static void run_sql(const struct world *w, const char *sql)
{
    sqlite3 *db = NULL;
    char *message = NULL;

    assert_int_equal(sqlite3_open(path_in(w, "nango.db"), &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s", message);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* ---- files ---- */

TEST(the_directory_and_its_files_are_private)
{
    static const char *const names[] = {
        "nango.db", "nango.db-wal", "nango.db-shm", "nangod.lock", NULL};
    struct world w;
    struct stat st;
    mode_t before = umask(0);
    char outer[64];

    world_begin_empty(&w);
    memcpy(outer, w.dir, sizeof outer);
    memcpy(w.dir + strlen(w.dir), "/in", 4);
    world_open(&w);
    (void)umask(before);
    environment_row_unref(given_environment(&w, "dev"));
    assert_int_equal(stat(w.dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    for (size_t i = 0; names[i] != NULL; i++) {
        assert_int_equal(stat(path_in(&w, names[i]), &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
    memcpy(w.dir, outer, sizeof outer);
    world_end(&w);
}

TEST(a_directory_that_cannot_be_made_is_told)
{
    struct world w;
    struct store_config config = {.data_dir = "/proc/no/such"};
    struct store *store;
    struct err err = {0};

    world_begin_empty(&w);
    config.clock = &w.clock;
    assert_false(store_open(&config, &store, &err));
    assert_non_null(strstr(err.message, "/proc/no/such"));
    assert_null(store);
    world_end(&w);
}

/* ---- one server, and guests ---- */

TEST(a_second_server_is_refused_until_the_first_has_gone)
{
    struct world w;

    world_begin(&w);
    expect_refused(&w, (struct store_config){0}, "another nangod (process ");
    store_close(w.store);
    world_open(&w);
    world_end(&w);
}

TEST(guests_are_let_in_beside_the_server)
{
    struct world w;
    struct store *server;
    struct store_key *keys;
    struct variable_row *rows;
    struct err why = {0};
    size_t count;

    world_begin(&w);
    server = w.store;
    assert_true(try_open(&w, (struct store_config){.beside_server = true}, &why));
    MUST(store_put_variable(w.store, w.env->id, "A", "by guest", 8, &err));
    MUST(store_list_variables(server, w.env->id, &rows, &count, &err));
    assert_int_equal(count, 1);
    store_variables_free(rows, count);
    store_close(w.store);

    assert_true(try_open(&w, (struct store_config){.read_only = true}, &why));
    MUST(store_list_variables(w.store, w.env->id, &rows, &count, &err));
    assert_int_equal(count, 1);
    store_variables_free(rows, count);
    MUST(store_list_keys(w.store, &keys, &count, &err));
    store_keys_free(keys, count);
    assert_false(store_put_variable(w.store, w.env->id, "A", "x", 1, &why));
    assert_non_null(strstr(why.message, "reading only"));
    assert_true(store_is_ready(w.store));
    MUST(store_check(w.store, &err));
    MUST(store_backup(w.store, path_in(&w, "copy"), &err));
    store_touch_connection(w.store, 1, NOW_MS); /* nowhere to note it */
    store_close(w.store);

    w.store = server;
    environment_row_unref(given_environment(&w, "after"));
    world_end(&w);
}

TEST(what_a_guest_writes_is_seen_by_the_servers_next_lookup)
{
    struct world w;
    struct store *server;
    struct environment_row *env;
    struct api_key_row *key, *made;
    struct environment_patch patch = {.set_callback_url = true};
    char name[] = "k", scopes[] = "environment:*";
    struct api_key_row wanted = {.display_name = name, .scopes = scopes};
    bool found;

    world_begin(&w);
    server = w.store;
    wanted.environment_id = w.env->id;
    wanted.secret = text_blob("sealed");
    (void)hash_of("key", wanted.sha256);
    MUST(try_open(&w, (struct store_config){.beside_server = true}, &err));
    for (int i = 0; i < 3; i++) {
        char url[40];

        (void)snprintf(url, sizeof url, "https://a.example/%d", i);
        patch.callback_url = url;
        MUST(store_patch_environment(w.store, w.env->id, &patch, &err));
        for (int round = 0; round < 2; round++) { /* the second from the cache */
            MUST(store_find_environment(server, w.env->id, &env, &err));
            assert_string_equal(env->callback_url, url);
            environment_row_unref(env);
        }
        MUST(store_insert_api_key(w.store, &wanted, &made, &err));
        for (int round = 0; round < 2; round++) {
            MUST(store_find_api_key(server, wanted.sha256, &key, &err));
            assert_non_null(key);
            api_key_row_unref(key);
        }
        MUST(store_delete_api_key(w.store, w.env->id, made->id, &found, &err));
        api_key_row_unref(made);
        MUST(store_find_api_key(server, wanted.sha256, &key, &err));
        assert_null(key); /* taken back at once */
    }
    store_close(w.store);
    w.store = server;
    world_end(&w);
}

TEST(guests_need_a_store_of_this_version)
{
    struct world w;

    world_begin_empty(&w);
    expect_refused(&w, (struct store_config){.read_only = true}, "No such file");
    expect_refused(&w, (struct store_config){.beside_server = true}, "No such file");
    run_sql(&w, store_schema.steps[0].sql);
    run_sql(&w, "PRAGMA user_version = 1");
    expect_refused(&w, (struct store_config){.read_only = true}, "start the server once");
    expect_refused(
        &w, (struct store_config){.beside_server = true}, "start the server once");
    world_end(&w);
}

/* ---- versions ---- */

TEST(a_newer_schema_is_refused_and_left_alone)
{
    struct world w;

    world_begin(&w);
    store_close(w.store);
    w.store = NULL;
    run_sql(&w, "PRAGMA user_version = 1000");
    expect_refused(&w, (struct store_config){0}, "a newer nangod wrote it");
    expect_refused(
        &w, (struct store_config){.read_only = true}, "a newer nangod wrote it");
    run_sql(&w, "CREATE TABLE x AS SELECT 1 / (user_version = 1000) AS ok FROM "
                "pragma_user_version");
    world_end(&w);
}

TEST(the_database_of_another_program_is_refused)
{
    struct world w;

    world_begin_empty(&w);
    run_sql(&w, "CREATE TABLE photo (id INTEGER)");
    expect_refused(&w, (struct store_config){0}, "another program");
    world_end(&w);
}

static char *read_text(const char *path)
{
    FILE *file = fopen(path, "r");
    struct buf text;
    size_t got;

    if (file == NULL)
        fail_msg(
            "%s is missing: each version of the schema has its rows to migrate", path);
    buf_init(&text, 0);
    do {
        got = fread(buf_room(&text, 4096), 1, 4096, file);
        buf_added(&text, got);
    } while (got > 0);
    (void)fclose(file);
    return buf_take(&text, NULL);
}

static void given_version(const struct world *w, int version)
{
    char path[300], set[64];
    char *rows;

    for (int i = 0; i < version; i++)
        run_sql(w, store_schema.steps[i].sql);
    (void)snprintf(set, sizeof set, "PRAGMA user_version = %d", version);
    run_sql(w, set);
    (void)snprintf(path, sizeof path, FIXTURES_DIR "/%04d.sql", version);
    rows = read_text(path);
    run_sql(w, rows);
    free(rows);
}

/* The rows that every fixture holds. */
static void expect_rows(struct world *w)
{
    const char *const keys[] = {"plan"}, *const values[] = {"pro"};
    struct connection_filter filter = {
        .environment_id = 1, .tag_keys = keys, .tag_values = values, .tag_count = 1};
    struct connection_row *row, **rows;
    struct refresh_journal_row *journal;
    struct api_key_row *key;
    struct integration_row *integration;
    struct variable_row *variables;
    struct store_key *ring;
    uint8_t hash[SHA256_LEN];
    size_t count;

    MUST(store_list_keys(w->store, &ring, &count, &err));
    assert_int_equal(count, 1);
    expect_blob(ring[0].wrapped, "key");
    store_keys_free(ring, count);
    MUST(store_find_environment_by_uuid(w->store, "e-uuid", &w->env, &err));
    assert_string_equal(w->env->name, "dev");
    MUST(store_find_api_key(w->store, hash_of("x", hash), &key, &err));
    assert_non_null(key);
    assert_string_equal(key->display_name, "default");
    api_key_row_unref(key);
    MUST(store_list_variables(w->store, 1, &variables, &count, &err));
    assert_int_equal(count, 1);
    store_variables_free(variables, count);
    MUST(store_find_integration(w->store, 1, "github", &integration, &err));
    assert_true(integration->forward_webhooks);
    integration_row_unref(integration);
    MUST(store_find_connection(w->store, 1, "github", "u-1", &row, &err));
    assert_int_equal(row->id, 7);
    assert_int_equal(row->version, 4);
    assert_string_equal(row->metadata_json, "{\"m\":1}");
    assert_string_equal(row->end_user->email, "a@b.co");
    assert_int_equal(row->last_fetched_at_ms, 1600000000008);
    connection_row_unref(row);
    MUST(store_list_refresh_journal(w->store, 0, &journal, &count, &err));
    assert_int_equal(count, 1);
    assert_int_equal(journal[0].connection_id, 7);
    store_refresh_journal_free(journal, count);
    MUST(store_list_connections(w->store, &filter, &rows, &count, &err));
    assert_int_equal(count, 1);
    assert_string_equal(rows[0]->connection_id, "u-1");
    store_connections_free(rows, count);
    MUST(store_check(w->store, &err));
}

TEST(each_earlier_version_is_migrated_with_its_rows)
{
    assert_true(store_schema.count >= 2);
    for (int version = 1; version < store_schema.count; version++) {
        struct world w;

        world_begin_empty(&w);
        given_version(&w, version);
        world_open(&w);
        expect_rows(&w);
        world_reopen(&w);
        environment_row_unref(w.env);
        expect_rows(&w);
        world_end(&w);
    }
}

TEST(what_was_deployed_before_there_were_schedules_gets_them)
{
    const struct sync_filter all = {.environment_id = 1};
    struct sync_row **rows;
    struct world w;
    size_t count;

    world_begin_empty(&w);
    given_version(&w, 9);
    world_open(&w);
    MUST(store_list_syncs(w.store, &all, &rows, &count, &err));
    assert_int_equal(count, 2); /* connections that have the script */
    assert_string_equal(rows[0]->name, "issues");
    assert_int_equal(rows[0]->due_at_ms, NOW_MS);
    store_syncs_free(rows, count);
    world_end(&w);
}

static int schema_version(const struct world *w)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    int version;

    assert_int_equal(sqlite3_open(path_in(w, "nango.db"), &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    version = sqlite3_column_int(stmt, 0);
    sqlite3_finalize(stmt);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return version;
}

struct asked {
    bool answer;
    int times;
};

static bool accept_keys(
    void *arg, const struct store_key *keys, size_t count, struct err *err)
{
    struct asked *asked = arg;

    asked->times++;
    assert_int_equal(count, 1);
    assert_int_equal(keys[0].number, 1);
    expect_blob(keys[0].wrapped, "key");
    return asked->answer || err_internal(err, "that is not the key");
}

TEST(actions_that_nobody_waits_for_outlive_their_move_to_lanes)
{
    struct async_run_row *row;
    struct world w;
    int64_t next_ms;

    world_begin_empty(&w);
    given_version(&w, 7);
    world_open(&w);
    MUST(store_find_async_run(
        w.store, 1, "00000000-0000-4000-8000-000000000011", &row, &err));
    assert_int_equal(row->id, 11);
    expect_blob(row->outcome, "o");
    assert_int_equal(row->finished_at_ms, 1600000000011);
    async_run_row_free(row);
    MUST(store_take_async_run(w.store, NOW_MS, &row, &next_ms, &err));
    assert_null(row); /* the other one of the lane runs */
    MUST(store_resume_async_runs(w.store, &err));
    MUST(store_take_async_run(w.store, NOW_MS, &row, &next_ms, &err));
    assert_string_equal(row->uuid, "00000000-0000-4000-8000-000000000012");
    assert_int_equal(row->attempts, 2);
    expect_blob(row->input, "i");
    async_run_row_free(row);
    world_end(&w);
}

TEST(the_keys_are_asked_for_before_anything_is_migrated)
{
    struct asked asked = {0};
    struct store_config config = {.accept_keys = accept_keys, .accept_keys_arg = &asked};
    struct world w;

    world_begin_empty(&w);
    MUST(try_open(&w, config, &err)); /* a new store has none to ask for */
    assert_int_equal(asked.times, 0);
    store_close(w.store);
    w.store = NULL;
    assert_int_equal(unlink(path_in(&w, "nango.db")), 0);

    given_version(&w, 1);
    expect_refused(&w, config, "that is not the key");
    assert_int_equal(asked.times, 1);
    assert_int_equal(schema_version(&w), 1);
    asked.answer = true;
    MUST(try_open(&w, config, &err));
    assert_int_equal(asked.times, 2);
    expect_rows(&w);
    world_end(&w);
}

TEST(a_migration_that_fails_changes_nothing)
{
    struct world w;

    world_begin_empty(&w);
    given_version(&w, 1);
    run_sql(&w, "CREATE INDEX connection_tag_of_connection ON connection (tags)");
    expect_refused(&w, (struct store_config){0}, "already exists");
    run_sql(&w, "DROP INDEX connection_tag_of_connection");
    world_open(&w); /* from version 1 again */
    expect_rows(&w);
    world_end(&w);
}

TEST(a_migration_that_orphans_rows_is_rolled_back)
{
    struct world w;

    world_begin_empty(&w);
    given_version(&w, 1);
    run_sql(&w, "INSERT INTO variable VALUES (99, 'ORPHAN', x'00')");
    expect_refused(&w, (struct store_config){0}, "without their parent");
    run_sql(&w, "DELETE FROM variable WHERE environment = 99");
    world_open(&w);
    expect_rows(&w);
    world_end(&w);
}

/* ---- the key ring ---- */

static bool is_in_file(const struct world *w, const char *name, const char *text)
{
    FILE *file = fopen(path_in(w, name), "r");
    struct buf all;
    size_t got;
    bool found;

    if (file == NULL)
        return false;
    buf_init(&all, 0);
    do {
        got = fread(buf_room(&all, 65536), 1, 65536, file);
        buf_added(&all, got);
    } while (got > 0);
    (void)fclose(file);
    found = memmem(all.data, all.len, text, strlen(text)) != NULL;
    buf_finish(&all);
    return found;
}

TEST(a_replaced_key_ring_leaves_nothing_of_the_old_one_in_the_file)
{
    static const char old[] = "a data key as it was wrapped";
    struct world w;
    struct store_config config = {.existing = true};
    struct store_key ring[2] = {{1, text_blob("one anew")}, {2, text_blob("two")}};
    struct store_key *keys;
    size_t count;

    world_begin_empty(&w);
    expect_refused(&w, config, "No such file");
    world_open(&w);
    MUST(store_put_key(w.store, 1, old, strlen(old), &err));
    store_close(w.store);
    assert_true(is_in_file(&w, "nango.db", old));

    MUST(try_open(&w, config, &err));
    MUST(store_replace_keys(w.store, ring, 2, &err));
    MUST(store_list_keys(w.store, &keys, &count, &err));
    assert_int_equal(count, 2);
    expect_blob(keys[0].wrapped, "one anew");
    expect_blob(keys[1].wrapped, "two");
    store_keys_free(keys, count);
    store_close(w.store);
    w.store = NULL;
    assert_false(is_in_file(&w, "nango.db", old));
    assert_false(is_in_file(&w, "nango.db-wal", old));
    world_end(&w);
}

/* ---- damage ---- */

static void overwrite(const struct world *w, off_t at, size_t len)
{
    int fd = open(path_in(w, "nango.db"), O_RDWR);
    char *junk = mem_alloc(len);

    memset(junk, 0xa5, len);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, junk, len, at), (ssize_t)len);
    assert_int_equal(close(fd), 0);
    free(junk);
}

TEST(a_file_that_is_no_database_is_refused)
{
    struct world w;

    world_begin(&w);
    store_close(w.store);
    w.store = NULL;
    overwrite(&w, 0, 4096);
    expect_refused(&w, (struct store_config){0}, "damaged");
    expect_refused(&w, (struct store_config){.read_only = true}, "damaged");
    world_end(&w);
}

static void given_many(struct world *w, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char id[32];

        (void)snprintf(id, sizeof id, "u-%zu", i);
        connection_row_unref(given_connection(w, w->github, id));
    }
}

/* The lock file as a killed server leaves it. */
static void given_a_crash(const struct world *w)
{
    int fd = open(path_in(w, "nangod.lock"), O_RDWR);

    assert_int_equal(write(fd, "123\n", 4), 4);
    assert_int_equal(close(fd), 0);
}

TEST(a_whole_store_is_served_again_after_a_crash)
{
    struct world w;
    struct connection_row wanted;
    struct end_user_row person = {.id = str_dup("eu"), .email = str_dup("a@b.co")};
    char tags[] = "{\"plan\":\"pro\",\"seat\":\"1\"}";

    world_begin(&w);
    wanted = a_connection(w.github, "u-1");
    wanted.tags_json = tags;
    wanted.end_user = &person;
    connection_row_unref(put_connection(&w, &wanted));
    MUST(store_put_variable(w.store, w.env->id, "NAME", "v", 1, &err));
    store_close(w.store);
    given_a_crash(&w);
    world_open(&w);
    assert_true(is_there(&w, w.github, "u-1"));
    MUST(store_check(w.store, &err));
    free(person.id);
    free(person.email);
    world_end(&w);
}

/* SQLite 3.40's quick_check finds missing values in a whole WITHOUT ROWID table whose
 * columns do not begin with those of its key, in the key's order. */
TEST(no_table_is_taken_for_damaged_by_the_order_of_its_columns)
{
    struct world w;

    world_begin(&w);
    run_sql(&w, "CREATE TEMP TABLE misplaced (columns INTEGER CHECK (columns = 0));"
                "INSERT INTO misplaced SELECT count(*) "
                "FROM pragma_table_list t, pragma_table_info(t.name) c "
                "WHERE t.wr AND c.pk > 0 AND c.pk <> c.cid + 1");
    world_end(&w);
}

TEST(damage_is_found_at_the_start)
{
    struct store_config trusting = {.check_after_crash_only = true};
    struct world w;
    struct err why = {0};
    struct stat st;

    world_begin(&w);
    given_many(&w, 200);
    store_close(w.store);
    w.store = NULL;
    assert_int_equal(stat(path_in(&w, "nango.db"), &st), 0);
    overwrite(&w, st.st_size - 8192, 8192); /* the last page: none of the schema's */

    expect_refused(&w, (struct store_config){0}, "damaged");
    assert_int_equal(truncate(path_in(&w, "nangod.lock"), 0), 0);

    /* For who says so, an orderly end is enough; a full check looks anyway. */
    MUST(try_open(&w, trusting, &err));
    assert_false(store_check(w.store, &why));
    assert_non_null(strstr(why.message, "damaged"));
    store_close(w.store);
    w.store = NULL;

    given_a_crash(&w);
    expect_refused(&w, trusting, "damaged");
    expect_refused(&w, trusting, "damaged"); /* and again: the mark stays */
    world_end(&w);
}

TEST(only_an_orderly_end_empties_the_lock_file)
{
    struct world w;
    struct stat st;

    world_begin(&w);
    assert_int_equal(stat(path_in(&w, "nangod.lock"), &st), 0);
    assert_true(st.st_size > 0);
    store_close(w.store);
    w.store = NULL;
    assert_int_equal(stat(path_in(&w, "nangod.lock"), &st), 0);
    assert_int_equal(st.st_size, 0);
    world_end(&w);
}

/* ---- backup ---- */

struct busy {
    struct world *w;
    atomic_bool stop;
    atomic_size_t written, failed;
};

static void *keep_writing(void *arg)
{
    struct busy *busy = arg;

    while (!atomic_load(&busy->stop)) {
        struct connection_row wanted, *made = NULL;
        struct err err = {0};
        char id[32];
        bool created;

        (void)snprintf(id, sizeof id, "w-%zu", atomic_load(&busy->written));
        wanted = a_connection(busy->w->slack, id);
        if (!store_put_connection(busy->w->store, &wanted, NULL, &created, &made, &err))
            atomic_fetch_add(&busy->failed, 1);
        connection_row_unref(made);
        atomic_fetch_add(&busy->written, 1);
    }
    return NULL;
}

TEST(a_backup_taken_during_writes_is_whole)
{
    struct world w, restored;
    struct busy busy = {.w = &w};
    struct stat st;
    struct err why = {0};
    pthread_t thread;
    size_t before, count;
    char target[200];

    world_begin(&w);
    given_many(&w, 100);
    world_begin_empty(&restored);
    (void)snprintf(target, sizeof target, "%s/nango.db", restored.dir);
    assert_int_equal(pthread_create(&thread, NULL, keep_writing, &busy), 0);
    for (int i = 0; i < 5; i++) {
        (void)unlink(target); /* there is none the first time */
        before = atomic_load(&busy.written);
        MUST(store_backup(w.store, target, &err));
    }
    atomic_store(&busy.stop, true);
    pthread_join(thread, NULL);
    assert_int_equal(busy.failed, 0);
    assert_int_equal(stat(target, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    (void)snprintf(target, sizeof target, "%s/nango.db-wal", restored.dir);
    assert_int_not_equal(access(target, F_OK), 0); /* one file, with everything in it */

    world_open(&restored);
    MUST(store_check(restored.store, &err));
    assert_true(is_there(&restored, w.github, "u-99"));
    MUST(store_count_connections(restored.store, w.slack->id, &count, &err));
    assert_true(count >= before); /* what was acknowledged before it began is in it */
    assert_false(store_backup(w.store, path_in(&w, "nango.db"), &why));
    assert_non_null(strstr(why.message, "the database itself"));
    assert_false(store_backup(w.store, path_in(&w, "no/such/file"), &why));
    world_end(&restored);
    world_end(&w);
}

TEST(a_backup_never_replaces_a_file)
{
    struct world w;
    struct err why = {0};
    struct stat st;
    char target[200], kept[8] = "";
    glob_t names;
    int fd;

    world_begin(&w);
    (void)snprintf(target, sizeof target, "%s/copy", w.dir);
    fd = open(target, O_RDWR | O_CREAT | O_EXCL, 0640);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "before", 6), 6);
    assert_false(store_backup(w.store, target, &why));
    assert_non_null(strstr(why.message, "exists"));
    assert_int_equal(pread(fd, kept, sizeof kept, 0), 6);
    assert_string_equal(kept, "before");
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_nlink, 1); /* still under its name */
    (void)close(fd);
    assert_int_equal(unlink(target), 0);
    MUST(store_backup(w.store, target, &err));
    assert_int_equal(glob(path_in(&w, "copy*"), 0, NULL, &names), 0);
    assert_int_equal(names.gl_pathc, 1); /* no temporary file stays */
    globfree(&names);
    world_end(&w);
}

/* ---- a full disk ---- */

static bool set_page_limit(struct sql_conn *conn, void *arg, struct err *err)
{
    char text[64];

    (void)snprintf(text, sizeof text, "PRAGMA max_page_count = %d", *(int *)arg);
    return sql_execute(conn, text, err);
}

TEST(a_full_disk_fails_the_write_that_does_not_fit_and_no_other)
{
    struct world w;
    int none = 1, many = 1000000;
    struct connection_row wanted, *made = NULL;
    struct err why = {0};
    bool created;

    world_begin(&w);
    given_many(&w, 10);
    MUST(
        sqlite_write(w.store->backend, set_page_limit, &none, &err)); /* = as it is now */
    wanted = a_connection(w.github, "large");
    wanted.config.len = 1 << 20;
    wanted.config.data = mem_zalloc(wanted.config.len);
    assert_false(store_put_connection(w.store, &wanted, NULL, &created, &made, &why));
    assert_non_null(strstr(why.message, "disk is full"));
    assert_null(made);
    assert_false(is_there(&w, w.github, "large"));
    assert_true(is_there(&w, w.github, "u-9"));
    /* A write that needs no room goes on. */
    made = given_failure(&w, 1, "h", NOW_MS, "l");
    connection_row_unref(made);

    MUST(sqlite_write(w.store->backend, set_page_limit, &many, &err));
    MUST(store_put_connection(w.store, &wanted, NULL, &created, &made, &err));
    connection_row_unref(made);
    free(wanted.config.data);
    world_reopen(&w);
    assert_true(is_there(&w, w.github, "large"));
    MUST(store_check(w.store, &err));
    world_end(&w);
}

/* ---- group commit, from inside ---- */

/* What a disk does that fails in the middle of a group. */
static bool lose_transaction(struct sql_conn *conn, void *arg, struct err *err)
{
    (void)arg;
    assert_true(sql_execute(conn, "ROLLBACK", err));
    return err_internal(err, "the transaction is lost");
}

static void *losing(void *arg)
{
    struct busy *busy = arg;
    struct err why = {0};

    while (!atomic_load(&busy->stop)) {
        if (sqlite_write(busy->w->store->backend, lose_transaction, NULL, &why))
            atomic_fetch_add(&busy->failed, 1);
    }
    return NULL;
}

TEST(writes_of_a_lost_transaction_are_run_again)
{
    struct world w;
    struct busy busy = {.w = &w};
    pthread_t threads[3];

    world_begin(&w);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, losing, &busy), 0);
    given_many(&w, 200); /* MUST inside */
    atomic_store(&busy.stop, true);
    for (size_t i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(busy.failed, 0); /* none of those may say that it succeeded */
    world_reopen(&w);
    for (size_t i = 0; i < 200; i++) {
        char id[32];

        (void)snprintf(id, sizeof id, "u-%zu", i);
        assert_true(is_there(&w, w.github, id));
    }
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_directory_and_its_files_are_private),
        cmocka_unit_test(a_directory_that_cannot_be_made_is_told),
        cmocka_unit_test(a_second_server_is_refused_until_the_first_has_gone),
        cmocka_unit_test(guests_are_let_in_beside_the_server),
        cmocka_unit_test(what_a_guest_writes_is_seen_by_the_servers_next_lookup),
        cmocka_unit_test(guests_need_a_store_of_this_version),
        cmocka_unit_test(a_newer_schema_is_refused_and_left_alone),
        cmocka_unit_test(the_database_of_another_program_is_refused),
        cmocka_unit_test(each_earlier_version_is_migrated_with_its_rows),
        cmocka_unit_test(what_was_deployed_before_there_were_schedules_gets_them),
        cmocka_unit_test(actions_that_nobody_waits_for_outlive_their_move_to_lanes),
        cmocka_unit_test(the_keys_are_asked_for_before_anything_is_migrated),
        cmocka_unit_test(a_migration_that_fails_changes_nothing),
        cmocka_unit_test(a_migration_that_orphans_rows_is_rolled_back),
        cmocka_unit_test(a_replaced_key_ring_leaves_nothing_of_the_old_one_in_the_file),
        cmocka_unit_test(a_file_that_is_no_database_is_refused),
        cmocka_unit_test(a_whole_store_is_served_again_after_a_crash),
        cmocka_unit_test(no_table_is_taken_for_damaged_by_the_order_of_its_columns),
        cmocka_unit_test(damage_is_found_at_the_start),
        cmocka_unit_test(only_an_orderly_end_empties_the_lock_file),
        cmocka_unit_test(a_backup_taken_during_writes_is_whole),
        cmocka_unit_test(a_backup_never_replaces_a_file),
        cmocka_unit_test(a_full_disk_fails_the_write_that_does_not_fit_and_no_other),
        cmocka_unit_test(writes_of_a_lost_transaction_are_run_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
