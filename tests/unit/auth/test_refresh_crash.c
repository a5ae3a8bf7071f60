/* SPDX-License-Identifier: Apache-2.0 */
/* Death in the middle of a refresh, at each of its steps: a process of its own, this
 * program again, refreshes against the test's token endpoint and kills itself where
 * NANGO_TEST_CRASH_AT says; then the test opens the directory as the next start would.
 *
 * Run with arguments (directory, port, row's connection id) this program is that process.
 */
#include "world.h"

#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int refresh_as_child(char **argv)
{
    struct world w = {.clock = {.frozen_ms = NOW_MS}};
    struct connection_row *row;
    struct refreshed got;

    world_open(&w, argv[1], (uint16_t)strtoul(argv[2], NULL, 10));
    MUST(store_find_environment_by_name(w.store, "dev", &w.env, &err));
    MUST(store_find_integration(w.store, w.env->id, "acme", &w.acme, &err));
    row = find_connection(&w, argv[3]);
    refresh(&w, row, false, &got);
    connection_row_unref(row);
    environment_row_unref(w.env);
    integration_row_unref(w.acme);
    world_close(&w);
    return got.ok ? 0 : 1;
}

static void close_for_child(struct world *w)
{
    environment_row_unref(w->env);
    integration_row_unref(w->acme);
    w->env = NULL;
    w->acme = NULL;
    world_close(w);
}

static void open_again(struct world *w)
{
    world_open(w, w->dir, w->server.port);
    MUST(store_find_environment_by_name(w->store, "dev", &w->env, &err));
    MUST(store_find_integration(w->store, w->env->id, "acme", &w->acme, &err));
}

/* The child's wait status. */
static int run_child(struct world *w, const char *crash_at)
{
    char program[] = "/proc/self/exe", port[8], id[] = "u-1";
    char *argv[] = {program, w->dir, port, id, NULL};
    pid_t child;
    int status;

    (void)snprintf(port, sizeof port, "%u", w->server.port);
    setenv("NANGO_TEST_CRASH_AT", crash_at, 1);
    assert_int_equal(posix_spawn(&child, program, NULL, NULL, argv, environ), 0);
    unsetenv("NANGO_TEST_CRASH_AT");
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

/* An expiring connection whose refresh dies at `crash_at`; the world is open again, and
 * nothing is recovered yet. */
static void given_death(struct world *w, const char *crash_at)
{
    int status;

    world_begin(w);
    connection_row_unref(given_connection(w, "u-1", 1));
    close_for_child(w);
    status = run_child(w, crash_at);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
    open_again(w);
}

static void refresh_again(struct world *w, struct refreshed *got)
{
    struct connection_row *row = find_connection(w, "u-1");

    refresh(w, row, false, got);
    connection_row_unref(row);
}

TEST(without_a_death_the_child_refreshes)
{
    struct world w;
    int status;

    world_begin(&w);
    connection_row_unref(given_connection(&w, "u-1", 1));
    close_for_child(&w);
    status = run_child(&w, "refresh:nowhere");
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    open_again(&w);
    assert_string_equal(stored(&w, "u-1", "access_token"), "at-1");
    world_end(&w);
}

TEST(death_before_the_call_costs_nothing)
{
    struct world w;
    struct refreshed got;

    given_death(&w, "refresh:before_call");
    assert_int_equal(token_server_requests(&w.server), 0);
    MUST(refresher_recover(w.refresher, &err));
    assert_string_equal(stored(&w, "u-1", "access_token"), "at-0");
    refresh_again(&w, &got); /* at once: the dead process's lease does not hold it up */
    assert_true(got.ok);
    assert_string_equal(got.access_token, "at-1");
    world_end(&w);
}

TEST(death_with_the_answer_in_hand_leaves_the_old_credentials)
{
    struct world w;
    struct refreshed got;

    given_death(&w, "refresh:after_answer");
    assert_int_equal(token_server_requests(&w.server), 1);
    assert_int_equal(journal_entries(&w), 0);
    MUST(refresher_recover(w.refresher, &err));
    assert_string_equal(stored(&w, "u-1", "refresh_token"), "rt-0");
    refresh_again(&w, &got);
    assert_true(got.ok);
    assert_non_null(strstr(token_server_body(&w.server, 1), "refresh_token=rt-0"));
    world_end(&w);
}

TEST(death_after_the_journal_loses_nothing)
{
    struct world w;
    struct refreshed got;

    given_death(&w, "refresh:after_journal");
    assert_int_equal(journal_entries(&w), 1);
    assert_string_equal(stored(&w, "u-1", "access_token"), "at-0");
    world_move_clock(&w, 10 * MINUTE_MS);
    MUST(refresher_recover(w.refresher, &err));
    assert_string_equal(stored(&w, "u-1", "access_token"), "at-1");
    assert_string_equal(stored(&w, "u-1", "refresh_token"), "rt-1");
    /* an hour from when it was received, not from now */
    assert_string_equal(stored(&w, "u-1", "expires_at"), "2024-01-15T13:34:56.789Z");
    assert_int_equal(journal_entries(&w), 0);
    refresh_again(&w, &got);
    assert_true(got.ok);
    assert_int_equal(token_server_requests(&w.server), 1);
    world_end(&w);
}

TEST(death_after_publishing_leaves_nothing_to_do)
{
    struct world w;

    given_death(&w, "refresh:after_publish");
    assert_int_equal(journal_entries(&w), 0);
    assert_string_equal(stored(&w, "u-1", "access_token"), "at-1");
    MUST(refresher_recover(w.refresher, &err));
    assert_string_equal(stored(&w, "u-1", "refresh_token"), "rt-1");
    assert_int_equal(token_server_requests(&w.server), 1);
    world_end(&w);
}

TEST(recovering_twice_is_recovering_once)
{
    struct world w;

    given_death(&w, "refresh:after_journal");
    MUST(refresher_recover(w.refresher, &err));
    MUST(refresher_recover(w.refresher, &err));
    assert_string_equal(stored(&w, "u-1", "access_token"), "at-1");
    world_end(&w);
}

TEST(a_journaled_answer_yields_to_credentials_imported_since)
{
    struct world w;

    given_death(&w, "refresh:after_journal");
    connection_row_unref(given_credentials(
        &w, "u-1", "{\"type\":\"OAUTH2\",\"access_token\":\"imported\"}"));
    MUST(refresher_recover(w.refresher, &err));
    assert_string_equal(stored(&w, "u-1", "access_token"), "imported");
    assert_int_equal(journal_entries(&w), 0);
    world_end(&w);
}

TEST(a_journaled_answer_survives_metadata_set_since)
{
    struct world w;
    const char *id = "u-1";

    given_death(&w, "refresh:after_journal");
    MUST(store_set_metadata(w.store,
        &(struct metadata_change){w.env->id, "acme", &id, 1, 0, "{\"a\":1}", false},
        &err));
    MUST(refresher_recover(w.refresher, &err));
    assert_string_equal(stored(&w, "u-1", "access_token"), "at-1");
    world_end(&w);
}

TEST(a_journaled_answer_of_a_deleted_connection_is_dropped)
{
    struct world w;
    struct connection_row *row;
    bool found;

    given_death(&w, "refresh:after_journal");
    row = find_connection(&w, "u-1");
    MUST(store_delete_connection(w.store, row->id, &found, &err));
    connection_row_unref(row);
    MUST(refresher_recover(w.refresher, &err));
    assert_int_equal(journal_entries(&w), 0);
    world_end(&w);
}

TEST(a_journal_entry_that_says_nothing_is_a_failed_refresh_once)
{
    struct world w;
    struct connection_row *row;
    int64_t id;

    given_death(&w, "refresh:before_call");
    row = find_connection(&w, "u-1");
    MUST(store_put_refresh_journal(w.store, row->id, "h", "rubbish", 7, &id, &err));
    connection_row_unref(row);
    MUST(refresher_recover(w.refresher, &err));
    world_move_clock(&w, DAY_MS);
    MUST(refresher_recover(w.refresher, &err));
    row = find_connection(&w, "u-1");
    assert_int_equal(row->last_refresh_failure_ms, NOW_MS);
    assert_int_equal(row->refresh_attempts, 1);
    assert_int_equal(journal_entries(&w), 1); /* another key may open it */
    connection_row_unref(row);
    assert_string_equal(stored(&w, "u-1", "refresh_token"), "rt-0");
    world_end(&w);
}

TEST(an_entry_whose_provider_has_left_the_catalogue_waits_for_its_return)
{
    struct world w;
    struct catalog *all, *none = NULL;
    struct catalog_source source = {0};
    struct refreshed got;

    given_death(&w, "refresh:after_journal");
    all = catalog_acquire(w.catalogs);
    MUST(catalog_load(&source, &none, &err));
    catalog_replace(w.catalogs, none);
    MUST(refresher_recover(w.refresher, &err)); /* the server starts all the same */
    assert_int_equal(journal_entries(&w), 1);

    catalog_replace(w.catalogs, all);
    refresh_again(&w, &got); /* settles what is left before it would spend rt-0 again */
    assert_true(got.ok);
    assert_string_equal(got.access_token, "at-1");
    assert_int_equal(token_server_requests(&w.server), 1);
    assert_int_equal(journal_entries(&w), 0);
    world_end(&w);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_death_the_child_refreshes),
        cmocka_unit_test(death_before_the_call_costs_nothing),
        cmocka_unit_test(death_with_the_answer_in_hand_leaves_the_old_credentials),
        cmocka_unit_test(death_after_the_journal_loses_nothing),
        cmocka_unit_test(death_after_publishing_leaves_nothing_to_do),
        cmocka_unit_test(recovering_twice_is_recovering_once),
        cmocka_unit_test(a_journaled_answer_yields_to_credentials_imported_since),
        cmocka_unit_test(a_journaled_answer_survives_metadata_set_since),
        cmocka_unit_test(a_journaled_answer_of_a_deleted_connection_is_dropped),
        cmocka_unit_test(a_journal_entry_that_says_nothing_is_a_failed_refresh_once),
        cmocka_unit_test(
            an_entry_whose_provider_has_left_the_catalogue_waits_for_its_return),
    };

    if (argc == 4)
        return refresh_as_child(argv);
    return RUN(tests);
}
