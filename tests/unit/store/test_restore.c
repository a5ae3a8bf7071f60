/* SPDX-License-Identifier: Apache-2.0 */
/* Restoring: a backup takes the place of the database whole, also when the last server
 * was killed and left its log, and when the restore itself is killed half way. */
#include "world.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

struct stage {
    struct world w;
    char backup[200]; /* holds u-1 and not u-2 */
};

static const char *path_in(const struct world *w, const char *name)
{
    static char path[200];

    (void)snprintf(path, sizeof path, "%s/%s", w->dir, name);
    return path;
}

static bool is_file(const struct world *w, const char *name)
{
    return access(path_in(w, name), F_OK) == 0;
}

static bool restore(const struct world *w, const char *file, struct err *err)
{
    struct store_config config = {.data_dir = w->dir};

    return store_restore(&config, file, err);
}

static void expect_refused(const struct world *w, const char *file, const char *why)
{
    struct err err = {0};

    assert_false(restore(w, file, &err));
    if (strstr(err.message, why) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.message, why);
}

static void expect_killed(pid_t pid)
{
    int status;

    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* A server that stores u-2 and is killed: what it wrote is in the log only. */
static void given_a_killed_server(struct world *w)
{
    pid_t pid = fork();

    if (pid == 0) { /* nothing of cmocka in here */
        struct store_config config = {.data_dir = w->dir, .clock = &w->clock};
        struct connection_row wanted = a_connection(w->github, "u-2"), *made;
        struct err err = {0};
        bool created;

        if (!open_store(&config, &w->store, &err) ||
            !store_put_connection(w->store, &wanted, NULL, &created, &made, &err))
            _exit(1);
        raise(SIGKILL);
    }
    expect_killed(pid);
    assert_true(is_file(w, "nango.db-wal"));
}

static void stage_begin(struct stage *s)
{
    world_begin(&s->w);
    connection_row_unref(given_connection(&s->w, s->w.github, "u-1"));
    (void)snprintf(s->backup, sizeof s->backup, "%s/backup", s->w.dir);
    MUST(store_backup(s->w.store, s->backup, &err));
    store_close(s->w.store);
    s->w.store = NULL;
    given_a_killed_server(&s->w);
}

static void expect_restored(struct world *w)
{
    world_open(w);
    assert_true(is_there(w, w->github, "u-1"));
    assert_false(is_there(w, w->github, "u-2"));
    MUST(store_check(w->store, &err));
    connection_row_unref(given_connection(w, w->github, "u-3")); /* and it can write */
    store_close(w->store);
    w->store = NULL;
    assert_false(is_file(w, "nango.db.part"));
    assert_false(is_file(w, "nango.db.restored"));
}

/* The database that was replaced, brought back by hand. */
static void expect_kept(struct world *w)
{
    static const char *const ends[] = {"", "-wal"};

    (void)unlink(path_in(w, "nango.db-wal"));
    (void)unlink(path_in(w, "nango.db-shm"));
    for (size_t i = 0; i < 2; i++) {
        char from[200], to[200];

        (void)snprintf(
            from, sizeof from, "%s/nango.db.before-restore%s", w->dir, ends[i]);
        (void)snprintf(to, sizeof to, "%s/nango.db%s", w->dir, ends[i]);
        assert_int_equal(rename(from, to), 0);
    }
    world_open(w);
    assert_true(is_there(w, w->github, "u-1"));
    assert_true(is_there(w, w->github, "u-2"));
    assert_false(is_there(w, w->github, "u-3"));
    MUST(store_check(w->store, &err));
}

TEST(a_backup_takes_the_place_of_a_killed_servers_database_and_log)
{
    struct stage s;
    struct stat st;

    stage_begin(&s);
    MUST(restore(&s.w, s.backup, &err));
    assert_false(is_file(&s.w, "nango.db-wal"));
    assert_int_equal(stat(path_in(&s.w, "nango.db"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_true(access(s.backup, F_OK) == 0);
    expect_restored(&s.w);
    expect_kept(&s.w);
    world_end(&s.w);
}

TEST(a_restore_killed_half_way_is_ended_by_the_next_start)
{
    static const char *const points[] = {
        "restore:after_decision", "restore:after_keep", "restore:after_drop"};

    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        struct stage s;
        struct store_config guest = {.read_only = true};
        struct err why = {0};
        pid_t pid;

        stage_begin(&s);
        pid = fork();
        if (pid == 0) {
            (void)setenv("NANGO_TEST_CRASH_AT", points[i], 1);
            _exit(restore(&s.w, s.backup, &why) ? 0 : 1);
        }
        expect_killed(pid);
        guest.data_dir = s.w.dir;
        assert_false(store_open(&guest, &s.w.store, &why));
        assert_non_null(strstr(why.message, "cut short"));
        expect_restored(&s.w);
        expect_kept(&s.w);
        world_end(&s.w);
    }
}

TEST(a_restore_killed_half_way_can_be_followed_by_another_command)
{
    struct stage s;
    struct err why = {0};
    pid_t pid;

    stage_begin(&s);
    pid = fork();
    if (pid == 0) {
        (void)setenv("NANGO_TEST_CRASH_AT", "restore:after_keep", 1);
        _exit(restore(&s.w, s.backup, &why) ? 0 : 1);
    }
    expect_killed(pid);
    /* The first is ended by it; the second is then refused as after any other. */
    expect_refused(&s.w, s.backup, "earlier restore");
    expect_restored(&s.w);
    expect_kept(&s.w);
    world_end(&s.w);
}

TEST(a_restore_into_a_new_directory_makes_it)
{
    struct stage s;
    struct world fresh;

    stage_begin(&s);
    world_begin_empty(&fresh);
    memcpy(fresh.dir + strlen(fresh.dir), "/in", 4);
    MUST(restore(&fresh, s.backup, &err));
    fresh.github = s.w.github;
    expect_restored(&fresh);
    assert_false(is_file(&fresh, "nango.db.before-restore"));
    fresh.github = NULL;
    fresh.dir[strlen(fresh.dir) - 3] = '\0';
    world_end(&fresh);
    world_end(&s.w);
}

TEST(a_database_kept_from_an_earlier_restore_is_not_replaced)
{
    struct stage s;

    stage_begin(&s);
    MUST(restore(&s.w, s.backup, &err));
    expect_refused(&s.w, s.backup, "kept from an earlier restore");
    expect_restored(&s.w);
    expect_kept(&s.w);
    world_end(&s.w);
}

TEST(whoever_uses_the_directory_keeps_a_restore_out)
{
    struct stage s;
    struct store_config guest = {.beside_server = true};

    stage_begin(&s);
    world_open(&s.w);
    expect_refused(&s.w, s.backup, "another nangod");
    store_close(s.w.store);
    guest.data_dir = s.w.dir;
    guest.clock = &s.w.clock;
    MUST(store_open(&guest, &s.w.store, &err));
    expect_refused(&s.w, s.backup, "another command of nangod");
    store_close(s.w.store);
    s.w.store = NULL;
    MUST(restore(&s.w, s.backup, &err));
    expect_restored(&s.w);
    world_end(&s.w);
}

/* Runs SQL on a file behind the store's back. */
static void run_sql(const char *file, const char *sql)
{
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void overwrite(const char *file, off_t at, size_t len)
{
    int fd = open(file, O_RDWR);
    char *junk = mem_alloc(len);

    memset(junk, 0xa5, len);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, junk, len, at), (ssize_t)len);
    assert_int_equal(close(fd), 0);
    free(junk);
}

TEST(what_cannot_be_served_is_not_put_in_place)
{
    struct stage s;
    char other[200];
    struct stat st;

    stage_begin(&s);
    expect_refused(&s.w, "/no/such/file", "/no/such/file");
    expect_refused(&s.w, path_in(&s.w, "nango.db"), "the database itself");
    (void)snprintf(other, sizeof other, "%s/other", s.w.dir);
    run_sql(other, "CREATE TABLE photo (id INTEGER)");
    expect_refused(&s.w, other, "another program");
    assert_int_equal(truncate(other, 0), 0);
    expect_refused(&s.w, other, "no backup of nangod");
    run_sql(s.backup, "PRAGMA user_version = 1000");
    expect_refused(&s.w, s.backup, "newer");
    run_sql(s.backup, "PRAGMA user_version = 4");
    assert_int_equal(stat(s.backup, &st), 0);
    overwrite(s.backup, st.st_size - 8192, 8192);
    expect_refused(&s.w, s.backup, "damaged");
    overwrite(s.backup, 0, 4096);
    expect_refused(&s.w, s.backup, "damaged");

    /* All is as it was. */
    assert_false(is_file(&s.w, "nango.db.part"));
    assert_false(is_file(&s.w, "nango.db.before-restore"));
    world_open(&s.w);
    assert_true(is_there(&s.w, s.w.github, "u-2"));
    world_end(&s.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_backup_takes_the_place_of_a_killed_servers_database_and_log),
        cmocka_unit_test(a_restore_killed_half_way_is_ended_by_the_next_start),
        cmocka_unit_test(a_restore_killed_half_way_can_be_followed_by_another_command),
        cmocka_unit_test(a_restore_into_a_new_directory_makes_it),
        cmocka_unit_test(a_database_kept_from_an_earlier_restore_is_not_replaced),
        cmocka_unit_test(whoever_uses_the_directory_keeps_a_restore_out),
        cmocka_unit_test(what_cannot_be_served_is_not_put_in_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
