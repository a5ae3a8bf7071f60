/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to token endpoints and the reading of their answers, without a network. */
#include "world.h"

#include "auth/token.h"

static struct provider provider_of(cJSON *entry)
{
    return (struct provider){.name = "acme", .entry = entry, .mode = AUTH_OAUTH2};
}

/* `entry`: what the case adds to a plain entry. */
static cJSON *entry_of(const char *entry)
{
    cJSON *out =
        json_of("{\"auth_mode\":\"OAUTH2\",\"token_url\":\"https://p.test/token\"}");
    cJSON *more = json_of(entry);

    json_merge(out, more);
    cJSON_Delete(more);
    return out;
}

static const struct token_client client = {.id = "c:1", .secret = "s&1"};

TEST(the_exchange_is_built_as_the_entry_says)
{
    static const struct {
        const char *entry, *body, *authorization;
    } cases[] = {
        {"{}",
            "grant_type=authorization_code&code=co+de&redirect_uri=https%3A%2F%2Fn.test%"
            "2Fcb"
            "&code_verifier=ver&client_id=c%3A1&client_secret=s%261",
            NULL},
        {"{\"disable_pkce\":true,\"authorization_method\":\"header\"}",
            "grant_type=authorization_code&code=co+de&redirect_uri=https%3A%2F%2Fn.test%"
            "2Fcb",
            "Basic YyUzQTE6cyUyNjE="}, /* c%3A1:s%261 */
        {"{\"disable_pkce\":true,\"token_request_auth_method\":\"basic\"}",
            "grant_type=authorization_code&code=co+de&redirect_uri=https%3A%2F%2Fn.test%"
            "2Fcb"
            "&client_id=c%3A1&client_secret=s%261",
            "Basic YzoxOnMmMQ=="}, /* c:1:s&1 */
        {"{\"disable_pkce\":true,\"body_format\":\"json\",\"token_params\":{\"audience\":"
         "\"${connectionConfig.area}\",\"n\":1,\"b\":true}}",
            "{\"grant_type\":\"authorization_code\",\"code\":\"co de\",\"redirect_uri\":"
            "\"https://n.test/cb\",\"audience\":\"north\",\"n\":1,\"b\":true,"
            "\"client_id\":\"c:1\",\"client_secret\":\"s&1\"}",
            NULL},
        {"{\"disable_pkce\":true,\"token_params\":{\"grant_type\":\"special\",\"n\":1}}",
            "grant_type=special&code=co+de&redirect_uri=https%3A%2F%2Fn.test%2Fcb&n=1"
            "&client_id=c%3A1&client_secret=s%261",
            NULL},
    };
    cJSON *config = json_of("{\"area\":\"north\"}");

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cJSON *entry = entry_of(cases[i].entry);
        struct provider provider = provider_of(entry);
        struct token_request request;
        const char *authorization;

        MUST(token_request_exchange(&provider, &client, config, "co de",
            "https://n.test/cb", "ver", &request, &err));
        assert_string_equal(request.method, "POST");
        assert_string_equal(request.url, "https://p.test/token");
        assert_string_equal(request.body, cases[i].body);
        assert_string_equal(
            http_headers_find(&request.headers, "accept"), "application/json");
        authorization = http_headers_find(&request.headers, "authorization");
        if (!str_eq(authorization, cases[i].authorization))
            fail_msg("case %zu: %s", i, authorization);
        token_request_finish(&request);
        cJSON_Delete(entry);
    }
    cJSON_Delete(config);
}

TEST(a_refresh_names_its_own_grant_unless_the_entry_has_refresh_parameters)
{
    static const struct {
        const char *entry, *body;
    } cases[] = {
        {"{}", "grant_type=refresh_token&refresh_token=rt"},
        {"{\"token_params\":{\"grant_type\":\"authorization_code\",\"a\":\"b\"}}",
            "grant_type=refresh_token&a=b&refresh_token=rt"},
        {"{\"token_params\":{\"a\":\"b\"},\"refresh_params\":{\"grant_type\":\"other\","
         "\"area\":\"${connectionConfig.area}\"}}",
            "grant_type=other&area=north&refresh_token=rt"},
    };
    cJSON *config = json_of("{\"area\":\"north\"}");

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cJSON *entry = entry_of(cases[i].entry);
        struct provider provider = provider_of(entry);
        struct token_request request;

        json_set_str(entry, "authorization_method", "header");
        MUST(token_request_refresh(&provider, &client, config, "rt", &request, &err));
        assert_string_equal(request.body, cases[i].body);
        token_request_finish(&request);
        cJSON_Delete(entry);
    }
    cJSON_Delete(config);
}

TEST(the_token_url_keeps_its_query_and_may_depend_on_the_mode)
{
    static const struct {
        const char *entry, *url;
    } cases[] = {
        {"{\"token_url\":\"https://p.test/t?key=${connectionConfig.key}\"}",
            "https://p.test/t?key=k%201"},
        {"{\"token_url\":{\"OAUTH2\":\"https://p.test/user\",\"APP\":\"https://p.test/"
         "app\"}}",
            "https://p.test/user"},
        {"{\"token_url\":\"https://${connectionConfig.none}.p.test/t || "
         "https://p.test/u\"}",
            "https://p.test/u"},
    };
    cJSON *config = json_of("{\"key\":\"k 1\"}");

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cJSON *entry = entry_of(cases[i].entry);
        struct provider provider = provider_of(entry);
        struct token_request request;

        MUST(token_request_refresh(&provider, &client, config, "rt", &request, &err));
        assert_string_equal(request.url, cases[i].url);
        token_request_finish(&request);
        cJSON_Delete(entry);
    }
    cJSON_Delete(config);
}

TEST(a_request_that_cannot_be_built_says_why)
{
    static const struct {
        const char *entry, *client_id, *code;
    } cases[] = {
        {"{\"token_params\":{\"a\":\"${connectionConfig.none}\"}}", "c", "url_param_err"},
        {"{\"token_params\":{\"a\":{}}}", "c", "server_error"},
        {"{\"token_url\":\"\"}", "c", "missing_token_url"},
        {"{}", NULL, "provider_config_err"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cJSON *entry = entry_of(cases[i].entry);
        struct provider provider = provider_of(entry);
        struct token_client who = {.id = cases[i].client_id};
        struct token_request request;
        struct err err = {0};

        assert_false(
            token_request_exchange(&provider, &who, NULL, "c", "r", "v", &request, &err));
        assert_string_equal(err.code, cases[i].code);
        cJSON_Delete(entry);
    }
}

TEST(the_connections_own_client_wins)
{
    cJSON *settings =
        json_of("{\"oauth_client_id\":\"ours\",\"oauth_client_secret\":\"ours-s\"}");
    cJSON *override = json_of("{\"client_id\":\"own\",\"client_secret\":\"own-s\"}");
    struct token_client chosen;

    token_client_choose(settings, NULL, &chosen);
    assert_string_equal(chosen.id, "ours");
    token_client_choose(settings, override, &chosen);
    assert_string_equal(chosen.id, "own");
    assert_string_equal(chosen.secret, "own-s");
    cJSON_Delete(settings);
    cJSON_Delete(override);
}

TEST(answers_are_read_as_providers_write_them)
{
    static const struct {
        const char *entry, *answer, *credentials; /* without raw */
    } cases[] = {
        {"{}", "{\"access_token\":\"a\"}",
            "{\"type\":\"OAUTH2\",\"access_token\":\"a\","
            "\"refresh_token\":\"old\"}"},
        {"{}", "{\"access_token\":\"a\",\"refresh_token\":\"r\",\"expires_in\":3600}",
            "{\"type\":\"OAUTH2\",\"access_token\":\"a\",\"refresh_token\":\"r\","
            "\"expires_at\":\"2024-01-15T13:34:56.789Z\"}"},
        {"{}", "{\"access_token\":\"a\",\"refresh_token\":\"\",\"expires_in\":\"60 s\"}",
            "{\"type\":\"OAUTH2\",\"access_token\":\"a\",\"refresh_token\":\"old\","
            "\"expires_at\":\"2024-01-15T12:35:56.789Z\"}"},
        {"{}", "{\"access_token\":\"a\",\"expires_in\":0}",
            "{\"type\":\"OAUTH2\",\"access_token\":\"a\",\"refresh_token\":\"old\"}"},
        {"{}", "{\"access_token\":\"a\",\"expires_at\":1705325696,\"expires_in\":5}",
            "{\"type\":\"OAUTH2\",\"access_token\":\"a\",\"refresh_token\":\"old\","
            "\"expires_at\":\"2024-01-15T13:34:56.000Z\"}"},
        {"{}", "{\"access_token\":\"a\",\"expires_at\":\"never\",\"expires_in\":60}",
            "{\"type\":\"OAUTH2\",\"access_token\":\"a\",\"refresh_token\":\"old\","
            "\"expires_at\":\"2024-01-15T12:35:56.789Z\"}"},
        {"{}", "{\"access_token\":\"a\",\"expires_in\":1e30}",
            "{\"type\":\"OAUTH2\",\"access_token\":\"a\",\"refresh_token\":\"old\","
            "\"expires_at\":\"2123-12-22T12:34:56.789Z\"}"},
        {"{}", "\xef\xbb\xbf{\"access_token\":\"a\",\"who\":\"\\ud83d \\u0000 \xff\"}",
            "{\"type\":\"OAUTH2\",\"access_token\":\"a\",\"refresh_token\":\"old\"}"},
        {"{\"alternate_access_token_response_path\":\"authed_user\"}",
            "{\"ok\":true,\"authed_user\":{\"access_token\":\"u\",\"refresh_token\":"
            "\"ur\","
            "\"expires_in\":60}}",
            "{\"type\":\"OAUTH2\",\"access_token\":\"u\",\"refresh_token\":\"ur\","
            "\"expires_at\":\"2024-01-15T12:35:56.789Z\"}"},
        {"{\"alternate_access_token_response_path\":\"data.token\"}",
            "{\"data\":{\"token\":\"t\"}}",
            "{\"type\":\"OAUTH2\",\"access_token\":\"t\",\"refresh_token\":\"old\"}"},
    };
    cJSON *previous = json_of("{\"refresh_token\":\"old\"}");

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cJSON *entry = entry_of(cases[i].entry), *got = NULL;
        struct provider provider = provider_of(entry);
        struct token_secrets none = {{0}};
        char *text;

        MUST(token_parse_oauth2(&provider, cases[i].answer, strlen(cases[i].answer),
            previous, &none, NOW_MS, &got, &err));
        json_remove(got, "raw");
        text = json_print(got);
        assert_string_equal(text, cases[i].credentials);
        free(text);
        cJSON_Delete(got);
        cJSON_Delete(entry);
    }
    cJSON_Delete(previous);
}

TEST(raw_is_the_answer_with_its_computed_expiry)
{
    cJSON *entry = entry_of("{}"), *got = NULL;
    struct provider provider = provider_of(entry);
    struct token_secrets none = {{0}};
    const char *answer = "{\"access_token\":\"a\",\"expires_in\":60,\"scope\":\"x\"}";
    char *text;

    MUST(token_parse_oauth2(
        &provider, answer, strlen(answer), NULL, &none, NOW_MS, &got, &err));
    text = json_print(json_get(got, "raw"));
    assert_string_equal(text, "{\"access_token\":\"a\",\"expires_in\":60,\"scope\":\"x\","
                              "\"expires_at\":\"2024-01-15T12:35:56.789Z\"}");
    free(text);
    cJSON_Delete(got);
    cJSON_Delete(entry);
}

/* Recorded (conformance vectors, connectionMetadata). */
TEST(metadata_of_an_answer_are_its_texts_and_booleans)
{
    cJSON *entry =
        entry_of("{\"token_response_metadata\":[\"a\",\"b\",\"c\",\"d.e\",\"d.f\","
                 "\"g.h\"]}");
    struct provider provider = provider_of(entry);
    cJSON *raw = json_of("{\"a\":\"x\",\"b\":1,\"c\":true,\"d\":{\"e\":\"y\",\"f\":2},"
                         "\"g.h\":\"z\"}");
    cJSON *config = cJSON_CreateObject();
    char *text;

    token_response_metadata(&provider, raw, config);
    text = json_print(config);
    assert_string_equal(text, "{\"a\":\"x\",\"c\":true,\"d.e\":\"y\",\"g.h\":\"z\"}");
    free(text);
    cJSON_Delete(config);
    cJSON_Delete(raw);
    cJSON_Delete(entry);
}

TEST(what_is_quoted_of_an_error_is_short_and_printable)
{
    static const struct {
        const char *answer, *text;
    } cases[] = {
        {"{\"error\":\"a\\nb\",\"error_description\":\"c\\u0007d\"}", "a b: c d"},
        {"{\"error\":{\"code\":\"x\",\"message\":\"m\"}}", "x: m"},
        {"{\"message\":\"only this\"}", "only this"},
        {"{\"error\":5}", ""},
        {"not json", ""},
        {"{\"error\":\"secret-1 inside\"}", ""},
    };
    struct token_secrets secrets = {{"secret-1"}};
    char long_answer[700], text[400];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        token_error_text(
            cases[i].answer, strlen(cases[i].answer), &secrets, text, sizeof text);
        assert_string_equal(text, cases[i].text);
    }
    memset(long_answer, 'x', sizeof long_answer);
    memcpy(long_answer, "{\"error\":\"", 10);
    memcpy(long_answer + 600, "\"}", 3);
    token_error_text(long_answer, strlen(long_answer), &secrets, text, sizeof text);
    assert_int_equal(strlen(text), 160);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_exchange_is_built_as_the_entry_says),
        cmocka_unit_test(
            a_refresh_names_its_own_grant_unless_the_entry_has_refresh_parameters),
        cmocka_unit_test(the_token_url_keeps_its_query_and_may_depend_on_the_mode),
        cmocka_unit_test(a_request_that_cannot_be_built_says_why),
        cmocka_unit_test(the_connections_own_client_wins),
        cmocka_unit_test(answers_are_read_as_providers_write_them),
        cmocka_unit_test(raw_is_the_answer_with_its_computed_expiry),
        cmocka_unit_test(metadata_of_an_answer_are_its_texts_and_booleans),
        cmocka_unit_test(what_is_quoted_of_an_error_is_short_and_printable),
    };

    return RUN(tests);
}
