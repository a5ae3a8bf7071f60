/* SPDX-License-Identifier: Apache-2.0 */
/* Refreshing: when, once for all, and what becomes of it when others write meanwhile. */
#include "world.h"

#include <stdio.h>

#include "auth/refresh_int.h"
#include "auth/sealed_json.h"
#include "store/sqlite/sqlite_int.h"

/* ---- when ---- */

TEST(credentials_are_renewed_within_the_margin_and_never_without_a_way_to)
{
    static const struct {
        const char *what;
        const char *type, *provider;
        bool has_refresh_token;
        int64_t expires_in_min; /* 0 = never */
        enum refresh_need unforced, forced;
    } cases[] = {
        {"expired", "OAUTH2", "acme", true, -1, REFRESH_WANTED, REFRESH_WANTED},
        {"a minute within the margin", "OAUTH2", "acme", true, 14, REFRESH_WANTED,
            REFRESH_WANTED},
        {"a minute before it", "OAUTH2", "acme", true, 16, REFRESH_FRESH, REFRESH_WANTED},
        {"no expiry", "OAUTH2", "acme", true, 0, REFRESH_FRESH, REFRESH_WANTED},
        {"no refresh token", "OAUTH2", "acme", false, -1, REFRESH_FRESH, REFRESH_FRESH},
        {"renewed on request only", "OAUTH2", "facebook", true, -1, REFRESH_FRESH,
            REFRESH_WANTED},
        {"an API key", "API_KEY", "acme-key", false, -1, REFRESH_FRESH, REFRESH_FRESH},
        {"an imported kind", "OAUTH1", "acme", true, -1, REFRESH_FRESH, REFRESH_FRESH},
        {"nothing at all", "NONE", "acme", false, 0, REFRESH_FRESH, REFRESH_FRESH},
    };
    struct clock clock = {.frozen_ms = NOW_MS};
    struct auth auth = {.clock = &clock};
    struct refresher *refresher = refresher_new(&auth);

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char type[16], provider[16];
        struct connection_row row = {
            .auth_type = type,
            .provider = provider,
            .has_refresh_token = cases[i].has_refresh_token,
            .expires_at_ms = cases[i].expires_in_min != 0
                                 ? NOW_MS + cases[i].expires_in_min * MINUTE_MS
                                 : 0,
        };

        str_copy(type, sizeof type, cases[i].type);
        str_copy(provider, sizeof provider, cases[i].provider);
        if (refresh_needed(refresher, &row, NULL, false) != cases[i].unforced ||
            refresh_needed(refresher, &row, NULL, true) != cases[i].forced)
            fail_msg("%s", cases[i].what);
    }
    refresher_free(refresher);
}

TEST(a_provider_with_a_margin_of_its_own_is_asked_later)
{
    struct clock clock = {.frozen_ms = NOW_MS};
    struct auth auth = {.clock = &clock};
    struct provider provider = {.name = "acme", .expiry_margin_ms = 30000};
    struct refresher *refresher = refresher_new(&auth);
    char type[] = "OAUTH2", name[] = "acme";
    struct connection_row row = {
        .auth_type = type,
        .provider = name,
        .has_refresh_token = true,
        .expires_at_ms = NOW_MS + MINUTE_MS,
    };

    assert_int_equal(refresh_needed(refresher, &row, NULL, false), REFRESH_WANTED);
    assert_int_equal(refresh_needed(refresher, &row, &provider, false), REFRESH_FRESH);
    row.expires_at_ms = NOW_MS + 29999;
    assert_int_equal(refresh_needed(refresher, &row, &provider, false), REFRESH_WANTED);
    refresher_free(refresher);
}

/* ---- once for all ---- */

TEST(two_hundred_callers_share_one_token_call)
{
    struct world w;
    struct connection_row *row;
    struct waiting *waiting;
    struct refreshed last;
    struct refresh_stats stats;
    size_t succeeded, failed;

    world_begin(&w);
    row = given_connection(&w, "u-1", 1);
    token_server_holds(&w.server, true);
    waiting = waiting_new(&w);
    for (int i = 0; i < 200; i++)
        refresh_start(waiting, row, false);
    token_server_await(&w.server, 1);
    token_server_holds(&w.server, false);
    waiting_finish(waiting, &last, &succeeded, &failed);

    assert_int_equal(succeeded, 200);
    assert_int_equal(failed, 0);
    assert_int_equal(token_server_requests(&w.server), 1);
    assert_string_equal(last.access_token, "at-1");
    refresher_stats(w.refresher, &stats);
    assert_int_equal(stats.requests, 1);
    assert_int_equal(stats.joined, 199);
    assert_string_equal(stored(&w, "u-1", "refresh_token"), "rt-1");
    assert_int_equal(journal_entries(&w), 0);
    connection_row_unref(row);
    world_end(&w);
}

struct crowd {
    struct waiting *waiting;
    struct connection_row *row;
};

static void *crowd_member(void *arg)
{
    const struct crowd *crowd = arg;

    for (int i = 0; i < 25; i++)
        refresh_start(crowd->waiting, crowd->row, false);
    return NULL;
}

TEST(callers_on_many_threads_share_it_too)
{
    struct world w;
    struct connection_row *row;
    struct crowd crowd;
    pthread_t threads[8];
    size_t succeeded;

    world_begin(&w);
    row = given_connection(&w, "u-1", 1);
    crowd = (struct crowd){waiting_new(&w), row};
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, crowd_member, &crowd), 0);
    for (size_t i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    waiting_finish(crowd.waiting, NULL, &succeeded, NULL);
    /* Whoever came after the first flight had landed found the row fresh by re-reading.
     */
    assert_int_equal(succeeded, 200);
    assert_int_equal(token_server_requests(&w.server), 1);
    connection_row_unref(row);
    world_end(&w);
}

TEST(many_connections_are_renewed_each_once)
{
    struct world w;
    struct connection_row *rows[20];
    struct waiting *waiting;
    size_t succeeded;

    world_begin(&w);
    waiting = waiting_new(&w);
    for (size_t i = 0; i < 20; i++) {
        char id[16];

        (void)snprintf(id, sizeof id, "u-%zu", i);
        rows[i] = given_connection(&w, id, 1);
        for (int j = 0; j < 5; j++)
            refresh_start(waiting, rows[i], false);
    }
    waiting_finish(waiting, NULL, &succeeded, NULL);
    assert_int_equal(succeeded, 100);
    assert_int_equal(token_server_requests(&w.server), 20);
    for (size_t i = 0; i < 20; i++)
        connection_row_unref(rows[i]);
    world_end(&w);
}

TEST(a_caller_with_an_old_row_gets_the_new_token_without_a_call)
{
    struct world w;
    struct connection_row *row;
    struct refreshed got;

    world_begin(&w);
    row = given_connection(&w, "u-1", 1);
    refresh(&w, row, false, &got);
    assert_true(got.ok);
    refresh(&w, row, false, &got);
    assert_true(got.ok);
    assert_string_equal(got.access_token, "at-1");
    assert_int_equal(token_server_requests(&w.server), 1);
    connection_row_unref(row);
    world_end(&w);
}

TEST(forced_calls_are_made_each_in_turn)
{
    struct world w;
    struct connection_row *row;
    struct refreshed got;

    world_begin(&w);
    row = given_connection(&w, "u-1", 60);
    refresh(&w, row, false, &got);
    assert_string_equal(got.access_token, "at-0");
    assert_int_equal(token_server_requests(&w.server), 0);
    refresh(&w, row, true, &got);
    assert_string_equal(got.access_token, "at-1");
    refresh(&w, row, true, &got);
    assert_string_equal(got.access_token, "at-2");
    assert_non_null(strstr(token_server_body(&w.server, 1), "refresh_token=rt-1"));
    connection_row_unref(row);
    world_end(&w);
}

TEST(a_forced_call_is_not_content_with_the_unforced_one_in_flight)
{
    struct world w;
    struct connection_row *row;
    struct waiting *waiting;
    size_t succeeded;

    world_begin(&w);
    row = given_connection(&w, "u-1", 1);
    token_server_holds(&w.server, true);
    waiting = waiting_new(&w);
    refresh_start(waiting, row, false);
    token_server_await(&w.server, 1);
    refresh_start(waiting, row, true);
    refresh_start(waiting, row, true);
    token_server_holds(&w.server, false);
    waiting_finish(waiting, NULL, &succeeded, NULL);
    assert_int_equal(succeeded, 3);
    assert_int_equal(token_server_requests(&w.server), 2);
    /* in turn: the second was made with what the first had brought */
    assert_non_null(strstr(token_server_body(&w.server, 1), "refresh_token=rt-1"));
    assert_string_equal(stored(&w, "u-1", "access_token"), "at-2");
    connection_row_unref(row);
    world_end(&w);
}

TEST(an_unforced_call_behind_a_forced_one_finds_it_done)
{
    struct world w;
    struct connection_row *row;
    struct waiting *waiting;
    struct refreshed last;

    world_begin(&w);
    row = given_connection(&w, "u-1", 1);
    token_server_holds(&w.server, true);
    waiting = waiting_new(&w);
    refresh_start(waiting, row, true);
    token_server_await(&w.server, 1);
    refresh_start(waiting, row, false);
    token_server_holds(&w.server, false);
    waiting_finish(waiting, &last, NULL, NULL);
    assert_true(last.ok);
    assert_string_equal(last.access_token, "at-1");
    assert_int_equal(token_server_requests(&w.server), 1);
    connection_row_unref(row);
    world_end(&w);
}

TEST(rotating_refresh_tokens_are_each_presented_once)
{
    struct world w;
    struct connection_row *row;
    struct refreshed got;

    world_begin(&w);
    row = given_connection(&w, "u-1", 1);
    for (size_t i = 0; i < 5; i++) {
        char wanted[40];

        refresh(&w, row, false, &got);
        assert_true(got.ok);
        (void)snprintf(wanted, sizeof wanted, "refresh_token=rt-%zu&", i);
        assert_non_null(strstr(token_server_body(&w.server, i), wanted));
        world_move_clock(&w, 50 * MINUTE_MS);
    }
    assert_int_equal(token_server_requests(&w.server), 5);
    connection_row_unref(row);
    world_end(&w);
}

TEST(what_the_answer_leaves_out_is_kept)
{
    struct world w;
    struct connection_row *row;
    struct refreshed got;

    world_begin(&w);
    row = given_credentials(&w, "u-1",
        "{\"type\":\"OAUTH2\",\"access_token\":\"at-0\",\"refresh_token\":\"rt-0\","
        "\"expires_at\":\"2024-01-15T12:35:00Z\",\"raw\":{},"
        "\"config_override\":{\"client_id\":\"own\",\"client_secret\":\"own-s\"}}");
    token_server_answers(&w.server, 200, "text/plain", "{\"access_token\":\"at-new\"}");
    refresh(&w, row, false, &got);
    assert_true(got.ok);
    assert_string_equal(stored(&w, "u-1", "access_token"), "at-new");
    assert_string_equal(stored(&w, "u-1", "refresh_token"), "rt-0");
    assert_string_equal(stored(&w, "u-1", "expires_at"), "");
    assert_string_equal(stored(&w, "u-1", "config_override.client_id"), "own");
    assert_non_null(
        strstr(token_server_body(&w.server, 0), "client_id=own&client_secret=own-s"));
    connection_row_unref(row);
    world_end(&w);
}

TEST(a_token_of_64_kilobytes_is_a_token)
{
    struct world w;
    struct connection_row *row;
    struct refreshed got;
    char *body = malloc(70000);

    world_begin(&w);
    row = given_connection(&w, "u-1", 1);
    memset(body, 'x', 65536 + 17);
    memcpy(body, "{\"access_token\":\"", 17);
    memcpy(body + 65536 + 17, "\"}", 3);
    token_server_answers(&w.server, 200, "application/json", body);
    refresh(&w, row, false, &got);
    assert_true(got.ok);
    connection_row_unref(row);
    row = find_connection(&w, "u-1");
    {
        struct connection connection;

        MUST(connection_open(&w.auth, row, &connection, &err));
        assert_int_equal(strlen(json_str(connection.credentials, "access_token")), 65536);
        connection_finish(&connection);
    }
    world_end(&w);
    free(body);
}

/* ---- others write meanwhile ---- */

TEST(another_process_refresh_is_waited_for_and_adopted)
{
    struct world w;
    struct connection_row *row, *published;
    struct waiting *waiting;
    struct refreshed got;
    struct credentials_update update = {0};
    char context[CONTEXT_SIZE];
    cJSON *theirs = json_of("{\"type\":\"OAUTH2\",\"access_token\":\"theirs\","
                            "\"refresh_token\":\"rt-theirs\",\"raw\":{}}");
    bool taken;

    world_begin(&w);
    row = given_connection(&w, "u-1", 1);
    MUST(store_take_refresh_lease(
        w.store, row->id, "another process", MINUTE_MS, &taken, &err));
    assert_true(taken);
    waiting = waiting_new(&w);
    refresh_start(waiting, row, false);

    connection_context(
        context, row->environment_id, row->integration_id, "u-1", "credentials");
    MUST(sealed_json_write(&w.auth, context, theirs, &update.credentials, &err));
    update.connection_id = row->id;
    update.version = row->version;
    update.holder = "another process";
    update.has_refresh_token = true;
    update.expires_at_ms = NOW_MS + 60 * MINUTE_MS;
    update.now_ms = NOW_MS;
    MUST(store_publish_credentials(w.store, &update, &published, &err));
    connection_row_unref(published);
    waiting_finish(waiting, &got, NULL, NULL);

    assert_true(got.ok);
    assert_string_equal(got.access_token, "theirs");
    assert_int_equal(token_server_requests(&w.server), 0);
    free(update.credentials.data);
    cJSON_Delete(theirs);
    connection_row_unref(row);
    world_end(&w);
}

TEST(another_process_failure_is_adopted_as_well)
{
    struct world w;
    struct connection_row *row;
    struct waiting *waiting;
    struct refreshed got;
    bool taken;

    world_begin(&w);
    row = given_connection(&w, "u-1", 1);
    MUST(store_take_refresh_lease(
        w.store, row->id, "another process", MINUTE_MS, &taken, &err));
    waiting = waiting_new(&w);
    refresh_start(waiting, row, false);
    given_failure(&w, row, "another process");
    waiting_finish(waiting, &got, NULL, NULL);
    assert_false(got.ok);
    expect_error(&got.err, 424, "connection_refresh_backoff");
    assert_int_equal(token_server_requests(&w.server), 0);
    connection_row_unref(row);
    world_end(&w);
}

TEST(a_lease_that_its_dead_holder_left_is_taken_when_it_ends)
{
    struct world w;
    struct connection_row *row;
    struct refreshed got;
    bool taken;

    world_begin(&w);
    row = given_connection(&w, "u-1", 1);
    MUST(store_take_refresh_lease(w.store, row->id, "dead process", 100, &taken, &err));
    assert_true(taken);
    world_move_clock(&w, 100);
    refresh(&w, row, false, &got);
    assert_true(got.ok);
    connection_row_unref(row);
    world_end(&w);
}

TEST(a_lease_covers_an_introspection_and_the_token_call_after_it)
{
    struct world w;
    struct connection_row *row;
    struct waiting *waiting;
    bool taken;

    world_begin(&w);
    row = given_connection(&w, "u-1", 1);
    token_server_holds(&w.server, true);
    waiting = waiting_new(&w);
    refresh_start(waiting, row, false);
    token_server_await(&w.server, 1);
    world_move_clock(&w, 2 * w.auth.token_timeout_ms + REFRESH_LEASE_SLACK_MS - 1);
    MUST(store_take_refresh_lease(w.store, row->id, "other", 100, &taken, &err));
    assert_false(taken);
    token_server_holds(&w.server, false);
    waiting_finish(waiting, NULL, NULL, NULL);
    connection_row_unref(row);
    world_end(&w);
}

TEST(an_invalid_grant_is_no_failure_when_somebody_else_has_renewed_the_token)
{
    struct world w;
    struct connection_row *row, *imported;
    struct waiting *waiting;
    struct refreshed got;

    world_begin(&w);
    row = given_connection(&w, "u-1", 1);
    token_server_answers(
        &w.server, 400, "application/json", "{\"error\":\"invalid_grant\"}");
    token_server_holds(&w.server, true);
    waiting = waiting_new(&w);
    refresh_start(waiting, row, false);
    token_server_await(&w.server, 1);
    imported = given_credentials(&w, "u-1",
        "{\"type\":\"OAUTH2\",\"access_token\":\"imported\",\"refresh_token\":\"r\"}");
    token_server_holds(&w.server, false);
    waiting_finish(waiting, &got, NULL, NULL);
    assert_true(got.ok);
    assert_string_equal(got.access_token, "imported");
    connection_row_unref(imported);
    imported = find_connection(&w, "u-1");
    assert_int_equal(imported->last_refresh_failure_ms, 0);
    assert_string_equal(imported->errors_json, "[]");
    connection_row_unref(imported);
    connection_row_unref(row);
    world_end(&w);
}

TEST(what_was_imported_while_it_refreshed_is_not_overwritten)
{
    struct world w;
    struct connection_row *row, *imported;
    struct waiting *waiting;
    struct refreshed got;

    world_begin(&w);
    row = given_connection(&w, "u-1", 1);
    token_server_holds(&w.server, true);
    waiting = waiting_new(&w);
    refresh_start(waiting, row, false);
    token_server_await(&w.server, 1);
    imported = given_credentials(&w, "u-1",
        "{\"type\":\"OAUTH2\",\"access_token\":\"imported\",\"refresh_token\":\"r\"}");
    token_server_holds(&w.server, false);
    waiting_finish(waiting, &got, NULL, NULL);
    assert_true(got.ok);
    assert_string_equal(got.access_token, "imported");
    assert_string_equal(stored(&w, "u-1", "refresh_token"), "r");
    assert_int_equal(journal_entries(&w), 0);
    connection_row_unref(imported);
    connection_row_unref(row);
    world_end(&w);
}

/* Credentials that have to be renewed at once, with refresh token `name`. */
static void import_expired(struct world *w, const char *name)
{
    char text[200];

    (void)snprintf(text, sizeof text,
        "{\"type\":\"OAUTH2\",\"access_token\":\"imported\",\"refresh_token\":\"%s\","
        "\"expires_at\":\"2020-01-01T00:00:00Z\"}",
        name);
    connection_row_unref(given_credentials(w, "u-1", text));
}

TEST(expired_credentials_imported_while_it_refreshed_are_renewed_in_turn)
{
    static const bool forced[] = {false, true};

    for (size_t i = 0; i < 2; i++) {
        struct world w;
        struct connection_row *row;
        struct waiting *waiting;
        struct refreshed got;

        world_begin(&w);
        row = given_connection(&w, "u-1", 1);
        token_server_holds(&w.server, true);
        waiting = waiting_new(&w);
        refresh_start(waiting, row, forced[i]);
        token_server_await(&w.server, 1);
        import_expired(&w, "rt-new");
        token_server_holds(&w.server, false);
        waiting_finish(waiting, &got, NULL, NULL);
        assert_true(got.ok);
        assert_string_equal(got.access_token, "at-2");
        assert_non_null(strstr(token_server_body(&w.server, 1), "refresh_token=rt-new"));
        assert_int_equal(token_server_requests(&w.server), 2);
        assert_int_equal(journal_entries(&w), 0);
        connection_row_unref(row);
        world_end(&w);
    }
}

TEST(a_failure_of_what_was_replaced_by_expired_credentials_is_no_answer)
{
    struct world w;
    struct connection_row *row;
    struct waiting *waiting;
    struct refreshed got;

    world_begin(&w);
    row = given_connection(&w, "u-1", 1);
    token_server_answers(
        &w.server, 400, "application/json", "{\"error\":\"invalid_grant\"}");
    token_server_holds(&w.server, true);
    waiting = waiting_new(&w);
    refresh_start(waiting, row, false);
    token_server_await(&w.server, 1);
    import_expired(&w, "rt-new");
    token_server_passes_one(&w.server);
    token_server_await(&w.server, 2);
    token_server_answers(
        &w.server, 200, "application/json", "{\"access_token\":\"at-{n}\"}");
    token_server_holds(&w.server, false);
    waiting_finish(waiting, &got, NULL, NULL);
    assert_true(got.ok);
    assert_string_equal(got.access_token, "at-2");
    connection_row_unref(row);
    world_end(&w);
}

TEST(credentials_replaced_again_and_again_end_in_an_error_not_in_a_loop)
{
    struct world w;
    struct connection_row *row;
    struct waiting *waiting;
    struct refreshed got;
    bool taken;

    world_begin(&w);
    row = given_connection(&w, "u-1", 1);
    token_server_holds(&w.server, true);
    waiting = waiting_new(&w);
    refresh_start(waiting, row, false);
    for (size_t i = 1; i <= 3; i++) {
        token_server_await(&w.server, i);
        import_expired(&w, "rt-new");
        token_server_passes_one(&w.server);
    }
    waiting_finish(waiting, &got, NULL, NULL);
    assert_false(got.ok);
    expect_error(&got.err, 400, "refresh_token_external_error");
    assert_int_equal(token_server_requests(&w.server), 3);
    MUST(store_take_refresh_lease(w.store, row->id, "next", 100, &taken, &err));
    assert_true(taken);
    connection_row_unref(row);
    world_end(&w);
}

TEST(metadata_set_while_it_refreshes_costs_no_token)
{
    struct world w;
    struct connection_row *row;
    struct waiting *waiting;
    struct refreshed got;
    const char *id = "u-1";

    world_begin(&w);
    row = given_connection(&w, "u-1", 1);
    token_server_holds(&w.server, true);
    waiting = waiting_new(&w);
    refresh_start(waiting, row, false);
    token_server_await(&w.server, 1);
    MUST(store_set_metadata(w.store,
        &(struct metadata_change){w.env->id, "acme", &id, 1, 0, "{\"a\":1}", false},
        &err));
    token_server_holds(&w.server, false);
    waiting_finish(waiting, &got, NULL, NULL);
    assert_true(got.ok);
    assert_string_equal(got.access_token, "at-1");
    connection_row_unref(row);
    row = find_connection(&w, "u-1");
    assert_string_equal(row->metadata_json, "{\"a\":1}");
    connection_row_unref(row);
    world_end(&w);
}

TEST(a_connection_deleted_while_it_refreshes_stays_deleted)
{
    struct world w;
    struct connection_row *row;
    struct waiting *waiting;
    struct refreshed got;
    bool found;

    world_begin(&w);
    row = given_connection(&w, "u-1", 1);
    token_server_holds(&w.server, true);
    waiting = waiting_new(&w);
    refresh_start(waiting, row, false);
    token_server_await(&w.server, 1);
    MUST(store_delete_connection(w.store, row->id, &found, &err));
    token_server_holds(&w.server, false);
    waiting_finish(waiting, &got, NULL, NULL);
    assert_false(got.ok);
    expect_error(&got.err, 404, "not_found");
    assert_null(find_connection(&w, "u-1"));
    assert_int_equal(journal_entries(&w), 0);
    connection_row_unref(row);
    world_end(&w);
}

TEST(a_server_that_goes_down_tells_those_who_still_ask)
{
    struct world w;
    struct connection_row *row;
    struct refreshed got;

    world_begin(&w);
    row = given_connection(&w, "u-1", 1);
    pool_stop(w.auth.outbound);
    refresh(&w, row, false, &got);
    assert_false(got.ok);
    assert_int_equal(got.err.status, 503);
    connection_row_unref(row);
    world_end(&w);
}

/* ---- a disk that is full ---- */

static bool set_page_limit(struct sql_conn *conn, void *arg, struct err *err)
{
    char text[60];

    (void)snprintf(text, sizeof text, "PRAGMA max_page_count = %d", *(int *)arg);
    return sql_execute(conn, text, err);
}

/* Full: the database cannot grow, but a write that needs no room goes on. */
static void disk_is_full(struct world *w, bool full)
{
    int limit = full ? 1 : 1000000;

    MUST(sqlite_write(w->store->backend, set_page_limit, &limit, &err));
}

TEST(an_answer_that_neither_journal_nor_row_has_room_for_is_not_lost)
{
    struct world w;
    struct connection_row *row;
    struct waiting *waiting;
    struct refreshed got;
    struct buf body;

    world_begin(&w);
    buf_init(&body, 0);
    buf_puts(&body, "{\"access_token\":\"at-new\",\"refresh_token\":\"rt-new\","
                    "\"expires_in\":3600,\"filler\":\"");
    for (int i = 0; i < 100000; i++)
        buf_putc(&body, 'x');
    buf_puts(&body, "\"}");
    row = given_connection(&w, "u-1", 1);
    token_server_answers(&w.server, 200, "application/json", body.data);
    token_server_holds(&w.server, true);
    waiting = waiting_new(&w);
    refresh_start(waiting, row, false);
    token_server_await(&w.server, 1);
    disk_is_full(&w, true);
    token_server_holds(&w.server, false);
    waiting_finish(waiting, &got, NULL, NULL);
    assert_false(got.ok);
    assert_non_null(strstr(got.err.message, "disk is full"));
    refresh(&w, row, true, &got); /* does not ask again as long as there is no room */
    assert_false(got.ok);
    world_move_clock(&w, 10 * MINUTE_MS);

    disk_is_full(&w, false);
    refresh(&w, row, false, &got);
    assert_true(got.ok);
    assert_string_equal(got.access_token, "at-new");
    assert_string_equal(stored(&w, "u-1", "refresh_token"), "rt-new");
    /* an hour from when it came */
    assert_string_equal(stored(&w, "u-1", "expires_at"), "2024-01-15T13:34:56.789Z");
    assert_int_equal(token_server_requests(&w.server), 1);
    assert_int_equal(journal_entries(&w), 0);
    connection_row_unref(row);
    world_end(&w);
    buf_finish(&body);
}

TEST(an_answer_that_waits_in_memory_yields_to_credentials_imported_since)
{
    struct world w;
    struct connection_row *row;
    struct refreshed got;
    struct journal_entry entry = {.received_at_ms = NOW_MS};

    world_begin(&w);
    row = given_connection(&w, "u-1", 1);
    entry.connection_id = row->id;
    credentials_mark_make(row, entry.replaces);
    buf_init_secret(&entry.answer, 0);
    buf_puts(&entry.answer, "{\"access_token\":\"held\"}");
    held_put(w.refresher, &entry);
    import_expired(&w, "rt-new");
    refresh(&w, row, false, &got);
    assert_true(got.ok);
    assert_string_equal(got.access_token, "at-1");
    assert_non_null(strstr(token_server_body(&w.server, 0), "refresh_token=rt-new"));
    assert_int_equal(journal_entries(&w), 0);
    connection_row_unref(row);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            credentials_are_renewed_within_the_margin_and_never_without_a_way_to),
        cmocka_unit_test(a_provider_with_a_margin_of_its_own_is_asked_later),
        cmocka_unit_test(two_hundred_callers_share_one_token_call),
        cmocka_unit_test(callers_on_many_threads_share_it_too),
        cmocka_unit_test(many_connections_are_renewed_each_once),
        cmocka_unit_test(a_caller_with_an_old_row_gets_the_new_token_without_a_call),
        cmocka_unit_test(forced_calls_are_made_each_in_turn),
        cmocka_unit_test(a_forced_call_is_not_content_with_the_unforced_one_in_flight),
        cmocka_unit_test(an_unforced_call_behind_a_forced_one_finds_it_done),
        cmocka_unit_test(rotating_refresh_tokens_are_each_presented_once),
        cmocka_unit_test(what_the_answer_leaves_out_is_kept),
        cmocka_unit_test(a_token_of_64_kilobytes_is_a_token),
        cmocka_unit_test(another_process_refresh_is_waited_for_and_adopted),
        cmocka_unit_test(another_process_failure_is_adopted_as_well),
        cmocka_unit_test(a_lease_that_its_dead_holder_left_is_taken_when_it_ends),
        cmocka_unit_test(a_lease_covers_an_introspection_and_the_token_call_after_it),
        cmocka_unit_test(
            an_invalid_grant_is_no_failure_when_somebody_else_has_renewed_the_token),
        cmocka_unit_test(what_was_imported_while_it_refreshed_is_not_overwritten),
        cmocka_unit_test(
            expired_credentials_imported_while_it_refreshed_are_renewed_in_turn),
        cmocka_unit_test(
            a_failure_of_what_was_replaced_by_expired_credentials_is_no_answer),
        cmocka_unit_test(
            credentials_replaced_again_and_again_end_in_an_error_not_in_a_loop),
        cmocka_unit_test(metadata_set_while_it_refreshes_costs_no_token),
        cmocka_unit_test(a_connection_deleted_while_it_refreshes_stays_deleted),
        cmocka_unit_test(an_answer_that_neither_journal_nor_row_has_room_for_is_not_lost),
        cmocka_unit_test(
            an_answer_that_waits_in_memory_yields_to_credentials_imported_since),
        cmocka_unit_test(a_server_that_goes_down_tells_those_who_still_ask),
    };

    return RUN(tests);
}
