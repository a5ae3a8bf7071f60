/* SPDX-License-Identifier: Apache-2.0 */
/* Refreshes that fail: what is said, what is noted, what is tried again when. */
#include "world.h"

#include <stdio.h>

TEST(whatever_the_token_endpoint_does_is_one_clear_failure)
{
    static const struct {
        int status;
        const char *type, *body, *code, *says;
    } cases[] = {
        {400, "application/json",
            "{\"error\":\"invalid_grant\",\"error_description\":\"gone\"}",
            "refresh_token_external_error", "400: invalid_grant: gone"},
        {401, "application/json",
            "{\"error\":{\"type\":\"OAuthException\",\"message\":\"no\"}}",
            "refresh_token_external_error", "401: OAuthException: no"},
        {500, "application/json", "", "refresh_token_external_error", "answered 500"},
        {503, "text/html", "<html>down</html>", "refresh_token_external_error", "HTML"},
        {302, "text/plain", "", "refresh_token_external_error", "302"},
        {200, "text/html", "<!doctype html><p>Log in", "refresh_token_parsing_error",
            "page"},
        {200, "application/json", "", "refresh_token_parsing_error", "empty"},
        {200, "application/json", "nonsense", "refresh_token_parsing_error", "not JSON"},
        {200, "application/json", "{\"access_token\":", "refresh_token_parsing_error",
            "not JSON"},
        {200, "application/json", "[]", "refresh_token_parsing_error", "no access token"},
        {200, "application/json", "{\"token\":\"x\"}", "refresh_token_parsing_error",
            "no access token"},
        {200, "application/json", "{\"access_token\":5}", "refresh_token_parsing_error",
            "no access token"},
        {200, "application/json",
            "{\"error\":\"bad_verification_code\",\"error_description\":\"old\"}",
            "refresh_token_parsing_error", "bad_verification_code: old"},
        {200, "application/json", "{\"ok\":false,\"error\":\"token_revoked\"}",
            "refresh_token_parsing_error", "token_revoked"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world w;
        struct connection_row *row;
        struct refreshed got;

        world_begin(&w);
        row = given_connection(&w, "u-1", 1);
        token_server_answers(&w.server, cases[i].status, cases[i].type, cases[i].body);
        refresh(&w, row, false, &got);
        connection_row_unref(row);
        assert_false(got.ok);
        expect_error(&got.err, 400, cases[i].code);
        if (strstr(got.err.message, cases[i].says) == NULL)
            fail_msg("case %zu says \"%s\"", i, got.err.message);
        /* noted, nothing lost, the row as it is now handed out */
        row = find_connection(&w, "u-1");
        assert_int_equal(row->last_refresh_failure_ms, NOW_MS);
        assert_int_equal(row->refresh_attempts, 1);
        assert_non_null(strstr(row->errors_json, "\"auth\""));
        assert_string_equal(got.access_token, "at-0");
        assert_string_equal(stored(&w, "u-1", "refresh_token"), "rt-0");
        /* what came with a 200 was paid for with rt-0: it stays */
        assert_int_equal(journal_entries(&w), cases[i].status == 200);
        connection_row_unref(row);
        world_end(&w);
    }
}

/* The catalogue of a later version, which knows where acme puts its token. */
static void learn_where_the_token_is(struct world *w)
{
    char *text = str_printf("acme:\n"
                            "    display_name: Acme\n"
                            "    categories:\n"
                            "        - dev-tools\n"
                            "    auth_mode: OAUTH2\n"
                            "    authorization_url: http://127.0.0.1:%u/authorize\n"
                            "    token_url: http://127.0.0.1:%u/token\n"
                            "    alternate_access_token_response_path: data\n"
                            "    proxy:\n"
                            "        base_url: http://127.0.0.1:%u\n"
                            "    docs: https://acme.example.test/docs\n",
        w->server.port, w->server.port, w->server.port);
    struct catalog_source source = {.extra_yaml = text};
    struct catalog *catalog = NULL;

    MUST(catalog_load(&source, &catalog, &err));
    catalog_replace(w->catalogs, catalog);
    free(text);
}

TEST(an_answer_that_could_not_be_read_is_read_by_a_later_version)
{
    struct world w;
    struct connection_row *row;
    struct refreshed got;

    world_begin(&w);
    row = given_connection(&w, "u-1", 1);
    token_server_answers(&w.server, 200, "application/json",
        "{\"data\":{\"access_token\":\"late\",\"refresh_token\":\"rt-late\"}}");
    refresh(&w, row, false, &got);
    assert_false(got.ok);
    /* the token is spent; what comes now must not cost what came before */
    token_server_answers(
        &w.server, 400, "application/json", "{\"error\":\"invalid_grant\"}");
    refresh(&w, row, true, &got);
    assert_false(got.ok);
    token_server_answers(&w.server, 200, "application/json", "{\"error\":\"no\"}");
    refresh(&w, row, true, &got);
    assert_false(got.ok);
    MUST(refresher_recover(w.refresher, &err)); /* no wiser, and not counted again */
    assert_int_equal(journal_entries(&w), 2);

    learn_where_the_token_is(&w);
    MUST(refresher_recover(w.refresher, &err));
    assert_string_equal(stored(&w, "u-1", "access_token"), "late");
    assert_string_equal(stored(&w, "u-1", "refresh_token"), "rt-late");
    assert_int_equal(journal_entries(&w), 0);
    connection_row_unref(row);
    row = find_connection(&w, "u-1");
    assert_int_equal(row->last_refresh_failure_ms, 0);
    connection_row_unref(row);
    world_end(&w);
}

TEST(an_answer_that_could_not_be_read_yields_to_the_next_good_one)
{
    struct world w;
    struct connection_row *row;
    struct refreshed got;

    world_begin(&w);
    row = given_connection(&w, "u-1", 1);
    token_server_answers(&w.server, 200, "application/json", "nonsense");
    refresh(&w, row, false, &got);
    assert_false(got.ok);
    token_server_answers(
        &w.server, 200, "application/json", "{\"access_token\":\"good\"}");
    refresh(&w, row, true, &got);
    assert_true(got.ok);
    assert_int_equal(journal_entries(&w), 0);
    connection_row_unref(row);
    world_end(&w);
}

TEST(what_the_provider_says_is_not_repeated_when_it_holds_a_secret_of_ours)
{
    static const char *const secrets[] = {"rt-0", "cs-1"};
    static const int statuses[] = {400, 200};

    for (size_t i = 0; i < 4; i++) {
        struct world w;
        struct connection_row *row;
        struct refreshed got;
        char body[200];

        world_begin(&w);
        row = given_connection(&w, "u-1", 1);
        (void)snprintf(body, sizeof body,
            "{\"error\":\"invalid_grant\",\"error_description\":\"bad token %s!\"}",
            secrets[i % 2]);
        token_server_answers(&w.server, statuses[i / 2], "application/json", body);
        refresh(&w, row, false, &got);
        assert_false(got.ok);
        assert_null(strstr(got.err.message, secrets[i % 2]));
        connection_row_unref(row);
        world_end(&w);
    }
}

TEST(a_body_without_end_is_cut_off)
{
    struct world w;
    struct connection_row *row;
    struct refreshed got;

    world_begin(&w);
    row = given_connection(&w, "u-1", 1);
    token_server_sends_without_end(&w.server);
    refresh(&w, row, false, &got);
    assert_false(got.ok);
    expect_error(&got.err, 400, "refresh_token_external_error");
    assert_non_null(strstr(got.err.message, "larger than 1 MiB"));
    connection_row_unref(row);
    world_end(&w);
}

TEST(an_endpoint_that_does_not_answer_is_given_up)
{
    struct world w;
    struct connection_row *row;
    struct refreshed got;

    world_begin(&w);
    w.auth.token_timeout_ms = 50;
    row = given_connection(&w, "u-1", 1);
    token_server_holds(&w.server, true);
    refresh(&w, row, false, &got);
    assert_false(got.ok);
    expect_error(&got.err, 400, "refresh_token_external_error");
    assert_non_null(strstr(got.err.message, "50 ms"));
    connection_row_unref(row);
    world_end(&w);
}

TEST(an_address_that_the_policy_refuses_is_not_called)
{
    struct world w;
    struct connection_row *row;
    struct refreshed got;

    world_begin(&w);
    policy_finish(&w.policy);
    policy_init(&w.policy, false);
    row = given_connection(&w, "u-1", 1);
    refresh(&w, row, false, &got);
    assert_false(got.ok);
    expect_error(&got.err, 400, "refresh_token_external_error");
    assert_non_null(strstr(got.err.message, "policy"));
    assert_int_equal(token_server_requests(&w.server), 0);
    connection_row_unref(row);
    world_end(&w);
}

static enum refresh_need need_of(struct world *w, bool forced)
{
    struct connection_row *row = find_connection(w, "u-1");
    enum refresh_need need = refresh_needed(w->refresher, row, NULL, forced);

    connection_row_unref(row);
    return need;
}

TEST(after_a_failure_there_is_half_a_minute_of_peace)
{
    struct world w;
    struct connection_row *row;
    struct refreshed got;
    struct err refusal = {0};

    world_begin(&w);
    row = given_connection(&w, "u-1", 1);
    token_server_answers(&w.server, 500, "text/plain", "");
    refresh(&w, row, false, &got);
    assert_int_equal(need_of(&w, false), REFRESH_BACKOFF);
    assert_int_equal(need_of(&w, true), REFRESH_WANTED);
    refresh_refusal(REFRESH_BACKOFF, &refusal);
    expect_error(&refusal, 424, "connection_refresh_backoff");

    /* one who did not look first is refused as well, without a call */
    refresh(&w, row, false, &got);
    assert_false(got.ok);
    expect_error(&got.err, 424, "connection_refresh_backoff");
    assert_int_equal(token_server_requests(&w.server), 1);

    world_move_clock(&w, 29999);
    assert_int_equal(need_of(&w, false), REFRESH_BACKOFF);
    world_move_clock(&w, 1);
    assert_int_equal(need_of(&w, false), REFRESH_WANTED);
    token_server_answers(
        &w.server, 200, "application/json", "{\"access_token\":\"good\"}");
    refresh(&w, row, false, &got);
    assert_true(got.ok);
    connection_row_unref(row);
    row = find_connection(&w, "u-1");
    assert_int_equal(row->last_refresh_failure_ms, 0);
    assert_int_equal(row->refresh_attempts, 0);
    assert_string_equal(row->errors_json, "[]");
    connection_row_unref(row);
    world_end(&w);
}

TEST(a_failure_noted_before_the_clock_was_set_back_holds_nobody_up)
{
    struct world w;
    struct connection_row *row;
    struct refreshed got;

    world_begin(&w);
    row = given_connection(&w, "u-1", 1);
    token_server_answers(&w.server, 500, "text/plain", "");
    refresh(&w, row, false, &got);
    assert_int_equal(need_of(&w, false), REFRESH_BACKOFF);
    world_move_clock(&w, -1);
    assert_int_equal(need_of(&w, false), REFRESH_WANTED);
    connection_row_unref(row);
    world_end(&w);
}

TEST(four_days_of_failures_exhaust_a_connection_but_for_force)
{
    struct world w;
    struct connection_row *row;
    struct refreshed got;

    world_begin(&w);
    row = given_connection(&w, "u-1", 1);
    token_server_answers(
        &w.server, 400, "application/json", "{\"error\":\"invalid_grant\"}");
    for (int day = 0; day < 4; day++) {
        assert_int_equal(need_of(&w, false), REFRESH_WANTED);
        refresh(&w, row, false, &got);
        assert_false(got.ok);
        world_move_clock(&w, DAY_MS);
    }
    assert_int_equal(need_of(&w, false), REFRESH_EXHAUSTED);
    refresh(&w, row, false, &got);
    expect_error(&got.err, 424, "connection_refresh_exhausted");
    assert_int_equal(token_server_requests(&w.server), 4);

    token_server_answers(
        &w.server, 200, "application/json", "{\"access_token\":\"good\"}");
    refresh(&w, row, true, &got);
    assert_true(got.ok);
    assert_int_equal(need_of(&w, false), REFRESH_FRESH);
    connection_row_unref(row);
    world_end(&w);
}

TEST(all_who_waited_share_the_failure)
{
    struct world w;
    struct connection_row *row;
    struct waiting *waiting;
    struct refreshed last;
    size_t failed;

    world_begin(&w);
    row = given_connection(&w, "u-1", 1);
    token_server_answers(
        &w.server, 400, "application/json", "{\"error\":\"invalid_grant\"}");
    token_server_holds(&w.server, true);
    waiting = waiting_new(&w);
    for (int i = 0; i < 50; i++)
        refresh_start(waiting, row, false);
    token_server_await(&w.server, 1);
    token_server_holds(&w.server, false);
    waiting_finish(waiting, &last, NULL, &failed);
    assert_int_equal(failed, 50);
    assert_int_equal(token_server_requests(&w.server), 1);
    connection_row_unref(row);
    row = find_connection(&w, "u-1");
    assert_int_equal(row->refresh_attempts, 1);
    connection_row_unref(row);
    world_end(&w);
}

TEST(a_refusal_leaves_the_lease_free)
{
    struct world w;
    struct connection_row *row;
    struct refreshed got;
    bool taken;

    world_begin(&w);
    row = given_connection(&w, "u-1", 1);
    token_server_answers(&w.server, 400, "application/json", "{}");
    refresh(&w, row, false, &got);
    assert_false(got.ok);
    MUST(store_take_refresh_lease(w.store, row->id, "next", 1, &taken, &err));
    assert_true(taken);
    connection_row_unref(row);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_the_token_endpoint_does_is_one_clear_failure),
        cmocka_unit_test(an_answer_that_could_not_be_read_is_read_by_a_later_version),
        cmocka_unit_test(an_answer_that_could_not_be_read_yields_to_the_next_good_one),
        cmocka_unit_test(
            what_the_provider_says_is_not_repeated_when_it_holds_a_secret_of_ours),
        cmocka_unit_test(a_body_without_end_is_cut_off),
        cmocka_unit_test(an_endpoint_that_does_not_answer_is_given_up),
        cmocka_unit_test(an_address_that_the_policy_refuses_is_not_called),
        cmocka_unit_test(after_a_failure_there_is_half_a_minute_of_peace),
        cmocka_unit_test(a_failure_noted_before_the_clock_was_set_back_holds_nobody_up),
        cmocka_unit_test(four_days_of_failures_exhaust_a_connection_but_for_force),
        cmocka_unit_test(all_who_waited_share_the_failure),
        cmocka_unit_test(a_refusal_leaves_the_lease_free),
    };

    return RUN(tests);
}
