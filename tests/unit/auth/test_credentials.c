/* SPDX-License-Identifier: Apache-2.0 */
/* Dates in credentials, hiding refresh tokens, sealing connections and integrations. */
#include "world.h"

#include "auth/sealed_json.h"

/* Recorded (conformance vectors, parseTokenExpirationDate), but for the digits alone: the
 * reference does not read them, we read them as a number. */
TEST(dates_are_read_as_recorded)
{
    static const struct {
        const char *json;
        const char *date; /* NULL = none */
    } cases[] = {
        {"1705320000", "2024-01-15T12:00:00.000Z"},
        {"1705320000000", "2024-01-15T12:00:00.000Z"},
        {"3600", "1970-01-01T01:00:00.000Z"},
        {"\"2024-01-15T13:00:00Z\"", "2024-01-15T13:00:00.000Z"},
        {"\"2024-01-15 13:00:00\"", "2024-01-15T13:00:00.000Z"},
        {"\"177:05:38\"", "2024-07-10T18:12:56.789Z"},
        {"\"1:23:59\"", "2024-01-17T12:33:56.789Z"},
        {"\"1:24:00\"", NULL},
        {"\"1:00:60\"", NULL},
        {"\"1:00\"", NULL},
        {"\"soon\"", NULL},
        {"\"1705320000\"", "2024-01-15T12:00:00.000Z"},
        {"null", NULL},
        {"true", NULL},
        {"\"\"", NULL},
        {"1e300", NULL},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cJSON *value = json_of(cases[i].json);
        char text[CLOCK_TEXT_SIZE] = "";
        int64_t ms;
        bool ok = token_expiry_parse(value, NOW_MS, &ms);

        if (ok)
            clock_text_z(ms, text);
        if (ok != (cases[i].date != NULL) || (ok && !str_eq(text, cases[i].date)))
            fail_msg("%s gives %s", cases[i].json, ok ? text : "no date");
        cJSON_Delete(value);
    }
}

TEST(credentials_are_opened_without_what_the_provider_said)
{
    static const char *const rows[][2] = {
        {"{\"type\":\"OAUTH2\",\"raw\":{\"a\":[1,\"}\"],\"raw\":2},\"z\":1}",
            "{\"type\":\"OAUTH2\",\"z\":1}"},
        {"{\"raw\":{},\"a\":\"b\"}", "{\"a\":\"b\"}"},
        {"{\"a\":{\"raw\":1},\"raw\":{\"x\":\"\\\\\\\"{\"}}", "{\"a\":{\"raw\":1}}"},
        {"{\"raw\":5}", "{}"},
        {"{\"a\":-1.5,\"raw\":null}", "{\"a\":-1.5}"},
        {"{\"a\":\"x\\\"raw\\\":1\",\"b\":[\"raw\",{}],\"c\":true}",
            "{\"a\":\"x\\\"raw\\\":1\",\"b\":[\"raw\",{}],\"c\":true}"},
        {"{\"a\":\"ends with \\\\\",\"raw\":[[],[]],\"b\":{}}",
            "{\"a\":\"ends with \\\\\",\"b\":{}}"},
        {"{}", "{}"},
    };
    struct world w;

    world_begin(&w);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cJSON *value = json_of(rows[i][0]), *opened;
        struct blob sealed;
        struct err err = {0};
        char *text;

        assert_true(sealed_json_write(&w.auth, "a/b", value, &sealed, &err));
        assert_true(sealed_json_open_without_raw(&w.auth, "a/b", &sealed, &opened, &err));
        text = json_print(opened);
        assert_string_equal(text, rows[i][1]);
        free(text);
        free(sealed.data);
        cJSON_Delete(opened);
        cJSON_Delete(value);
    }
    world_end(&w);
}

TEST(credentials_without_a_date_never_expire_and_a_bad_date_is_an_error)
{
    static const struct {
        const char *json;
        bool ok;
        int64_t at_ms;
    } cases[] = {
        {"{}", true, 0},
        {"{\"expires_at\":null}", true, 0},
        {"{\"expires_at\":\"\"}", true, 0},
        {"{\"expires_at\":0}", true, 0},
        {"{\"expires_at\":1705320000}", true, 1705320000000},
        {"{\"expires_at\":\"tomorrow\"}", false, 0},
        {"{\"expires_at\":{}}", false, 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cJSON *credentials = json_of(cases[i].json);
        int64_t at_ms = -1;
        bool ok = credentials_expiry(credentials, NOW_MS, &at_ms);

        if (ok != cases[i].ok || (ok && at_ms != cases[i].at_ms))
            fail_msg("%s", cases[i].json);
        cJSON_Delete(credentials);
    }
}

TEST(refresh_tokens_are_hidden_under_any_spelling_at_any_depth)
{
    cJSON *value =
        json_of("{\"refresh_token\":1,\"refreshToken\":2,\"REFRESH-TOKEN\":3,"
                "\"keep\":[{\"Refresh_Token9\":4,\"a\":5}],"
                "\"refresh_token_expires_in\":6,\"raw\":{\"refresh_token\":{}}}");
    char *text;

    credentials_hide_refresh_token(value);
    text = json_print(value);
    assert_string_equal(
        text, "{\"keep\":[{\"a\":5}],\"refresh_token_expires_in\":6,\"raw\":{}}");
    free(text);
    cJSON_Delete(value);
    credentials_hide_refresh_token(NULL);
}

TEST(a_connection_is_stored_sealed_and_comes_back_whole)
{
    struct world w;
    struct connection_row *row;

    world_begin(&w);
    row = given_credentials(&w, "u-1",
        "{\"type\":\"OAUTH2\",\"access_token\":\"very-secret\",\"refresh_token\":\"r\","
        "\"expires_at\":4070908800000}");
    assert_null(memmem(row->credentials.data, row->credentials.len, "very-secret", 11));
    assert_string_equal(row->auth_type, "OAUTH2");
    assert_true(row->has_refresh_token);
    assert_int_equal(row->expires_at_ms, 4070908800000);
    assert_string_equal(stored(&w, "u-1", "access_token"), "very-secret");
    assert_string_equal(stored(&w, "u-1", "expires_at"), "2099-01-01T00:00:00.000Z");
    connection_row_unref(row);

    row = given_credentials(&w, "u-2", "{}");
    assert_string_equal(row->auth_type, "NONE");
    assert_false(row->has_refresh_token);
    assert_int_equal(row->expires_at_ms, 0);
    connection_row_unref(row);
    world_end(&w);
}

TEST(credentials_moved_to_another_row_do_not_open)
{
    struct world w;
    struct connection_row *one, *two, forged;
    struct connection connection;
    struct err err = {0};

    world_begin(&w);
    one = given_connection(&w, "u-1", 60);
    two = given_connection(&w, "u-2", 60);
    forged = *two;
    forged.credentials = one->credentials;
    forged.refs = 2; /* on the stack: never freed by the unref on failure */
    assert_false(connection_open(&w.auth, &forged, &connection, &err));
    assert_int_equal(err.status, 500);
    connection_row_unref(one);
    connection_row_unref(two);
    world_end(&w);
}

TEST(a_bad_expiry_is_refused_on_import)
{
    struct world w;
    cJSON *credentials =
        json_of("{\"type\":\"OAUTH2\",\"access_token\":\"a\",\"expires_at\":\"x\"}");
    struct connection_put put = {.connection_id = "u-1", .credentials = credentials};
    struct connection connection;
    struct err err = {0};
    bool created;

    world_begin(&w);
    put.environment_id = w.env->id;
    put.integration = w.acme;
    assert_false(connection_put(&w.auth, &put, &created, &connection, &err));
    assert_int_equal(err.status, 400);
    assert_null(find_connection(&w, "u-1"));
    cJSON_Delete(credentials);
    world_end(&w);
}

TEST(what_does_not_exist_is_said_so)
{
    struct world w;
    struct connection connection;
    struct integration integration;
    struct err err = {0};

    world_begin(&w);
    assert_false(
        connection_load(&w.auth, w.env->id, "acme", "nobody", &connection, &err));
    expect_error(&err, 404, "not_found");
    assert_string_equal(err.message, "Failed to find connection");
    assert_false(integration_load(&w.auth, w.env->id, "nothing", &integration, &err));
    expect_error(&err, 404, "unknown_provider_config");
    MUST(integration_load(&w.auth, w.env->id, "acme", &integration, &err));
    assert_string_equal(json_str(integration.settings, "oauth_client_secret"), "cs-1");
    assert_string_equal(integration.provider->name, "acme");
    integration_finish(&integration);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credentials_are_opened_without_what_the_provider_said),
        cmocka_unit_test(dates_are_read_as_recorded),
        cmocka_unit_test(
            credentials_without_a_date_never_expire_and_a_bad_date_is_an_error),
        cmocka_unit_test(refresh_tokens_are_hidden_under_any_spelling_at_any_depth),
        cmocka_unit_test(a_connection_is_stored_sealed_and_comes_back_whole),
        cmocka_unit_test(credentials_moved_to_another_row_do_not_open),
        cmocka_unit_test(a_bad_expiry_is_refused_on_import),
        cmocka_unit_test(what_does_not_exist_is_said_so),
    };

    return RUN(tests);
}
