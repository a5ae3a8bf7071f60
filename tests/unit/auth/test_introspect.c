/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens without an expiry whose provider is asked whether they live. */
#include "world.h"

#include <stdio.h>

/* Salesforce at the test's server; its token answer named it, unless `in_config`. */
static struct connection_row *given_salesforce(struct world *w, const char *config_url)
{
    char text[300];
    cJSON *credentials, *config = cJSON_CreateObject();
    struct connection_put put = {.environment_id = w->env->id, .connection_id = "u-1"};
    struct connection connection;
    struct connection_row *row;
    bool created;

    integration_row_unref(w->acme);
    w->acme = given_integration_of(w, "sf", "salesforce");
    (void)snprintf(text, sizeof text,
        "{\"type\":\"OAUTH2\",\"access_token\":\"at 0\",\"refresh_token\":\"rt-0\","
        "\"raw\":{\"instance_url\":\"http://127.0.0.1:%u/\"}}",
        w->server.port);
    credentials = json_of(text);
    if (config_url != NULL) {
        json_remove(credentials, "raw");
        json_set_str(config, "instance_url", config_url);
    }
    put.integration = w->acme;
    put.credentials = credentials;
    put.config = config;
    MUST(connection_put(&w->auth, &put, &created, &connection, &err));
    row = connection.row;
    connection_row_ref(row);
    connection_finish(&connection);
    cJSON_Delete(credentials);
    cJSON_Delete(config);
    return row;
}

static void expect_path(struct world *w, size_t n, const char *path)
{
    assert_true(str_starts(token_server_head(&w->server, n), path));
}

/* NOW is 1705322096 s. */
TEST(a_token_that_lives_is_kept_and_not_asked_about_again_for_some_minutes)
{
    struct world w;
    struct connection_row *row;
    struct refreshed got;

    world_begin(&w);
    row = given_salesforce(&w, NULL);
    token_server_answers(
        &w.server, 200, "application/json", "{\"active\":true,\"exp\":1705329296}");
    assert_int_equal(refresh_needed(w.refresher, row, NULL, false), REFRESH_WANTED);
    refresh(&w, row, false, &got);
    assert_true(got.ok);
    assert_string_equal(got.access_token, "at 0");
    expect_path(&w, 0, "POST /services/oauth2/introspect ");
    assert_string_equal(token_server_body(&w.server, 0),
        "token=at+0&token_type_hint=access_token&client_id=ci-1&client_secret=cs-1");
    assert_int_equal(refresh_needed(w.refresher, row, NULL, false), REFRESH_FRESH);
    world_move_clock(&w, 5 * MINUTE_MS);
    assert_int_equal(refresh_needed(w.refresher, row, NULL, false), REFRESH_WANTED);
    connection_row_unref(row);
    world_end(&w);
}

TEST(what_was_found_before_the_clock_was_set_back_is_asked_again)
{
    struct world w;
    struct connection_row *row;
    struct refreshed got;

    world_begin(&w);
    row = given_salesforce(&w, NULL);
    token_server_answers(
        &w.server, 200, "application/json", "{\"active\":true,\"exp\":1705329296}");
    refresh(&w, row, false, &got);
    assert_int_equal(refresh_needed(w.refresher, row, NULL, false), REFRESH_FRESH);
    world_move_clock(&w, -1);
    assert_int_equal(refresh_needed(w.refresher, row, NULL, false), REFRESH_WANTED);
    connection_row_unref(row);
    world_end(&w);
}

TEST(a_token_that_is_dead_or_dying_or_not_spoken_of_is_renewed)
{
    static const struct {
        int status;
        const char *body;
    } cases[] = {
        {200, "{\"active\":false,\"access_token\":\"at-{n}\"}"},
        {200, "{\"active\":true,\"exp\":1705322900,\"access_token\":\"at-{n}\"}"},
        {200, "{\"active\":true,\"access_token\":\"at-{n}\"}"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world w;
        struct connection_row *row;
        struct refreshed got;

        world_begin(&w);
        row = given_salesforce(&w, NULL);
        token_server_answers(
            &w.server, cases[i].status, "application/json", cases[i].body);
        refresh(&w, row, false, &got);
        assert_true(got.ok);
        assert_string_equal(got.access_token, "at-2");
        expect_path(&w, 0, "POST /services/oauth2/introspect ");
        expect_path(&w, 1, "POST /token ");
        connection_row_unref(row);
        row = find_connection(&w, "u-1"); /* just renewed: not asked about at once */
        assert_int_equal(refresh_needed(w.refresher, row, NULL, false), REFRESH_FRESH);
        connection_row_unref(row);
        world_end(&w);
    }
}

TEST(force_does_not_ask)
{
    struct world w;
    struct connection_row *row;
    struct refreshed got;

    world_begin(&w);
    row = given_salesforce(&w, NULL);
    refresh(&w, row, true, &got);
    assert_true(got.ok);
    expect_path(&w, 0, "POST /token ");
    assert_int_equal(token_server_requests(&w.server), 1);
    connection_row_unref(row);
    world_end(&w);
}

TEST(the_secret_goes_nowhere_that_a_browser_could_have_named)
{
    static const char *const urls[] = {"http://127.0.0.1:1", "https://evil.test",
        "https://x.salesforce.com.evil.test", "https://x.salesforce.com@evil.test",
        "http://x.salesforce.com", ""};

    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct world w;
        struct connection_row *row;
        struct refreshed got;

        world_begin(&w);
        row = given_salesforce(&w, urls[i]);
        refresh(&w, row, false, &got);
        assert_true(got.ok); /* no expiry is known: used as it is */
        assert_string_equal(got.access_token, "at 0");
        assert_int_equal(token_server_requests(&w.server), 0);
        connection_row_unref(row);
        world_end(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_token_that_lives_is_kept_and_not_asked_about_again_for_some_minutes),
        cmocka_unit_test(what_was_found_before_the_clock_was_set_back_is_asked_again),
        cmocka_unit_test(a_token_that_is_dead_or_dying_or_not_spoken_of_is_renewed),
        cmocka_unit_test(force_does_not_ask),
        cmocka_unit_test(the_secret_goes_nowhere_that_a_browser_could_have_named),
    };

    return RUN(tests);
}
