/* SPDX-License-Identifier: Apache-2.0 */
/* Settings of integrations from what callers send, and the fields that providers declare.
 */
#include <stdlib.h>
#include <string.h>

#include "api/integration_settings.h"
#include "base/json.h"
#include "test.h"

static const char declared[] =
    "{\"default_scopes\":[\"a\",\"b\"],\"integration_config\":{"
    "\"place\":{\"title\":\"Place\",\"enum\":[\"header\",\"query\"],\"default_value\":"
    "\"header\"},"
    "\"name\":{\"title\":\"Name\"},"
    "\"url\":{\"title\":\"URL\",\"pattern\":\"^https?://\"},"
    "\"extra\":{\"title\":\"Extra\",\"optional\":true},"
    "\"word\":{\"title\":\"Word\",\"visible_when\":{\"field\":\"place\",\"equals\":"
    "\"query\"}}}}";

static cJSON *parse(const char *text)
{
    cJSON *value = json_parse(text, strlen(text), NULL);

    assert_non_null(value);
    return value;
}

/* Lays `values` over `before`; the result, or the message of the refusal. */
static void expect(const char *entry, const char *before, const char *values,
    bool partial, const char *want)
{
    cJSON *owned = parse(entry);
    struct provider provider = {.name = "p", .entry = owned};
    cJSON *settings = parse(before);
    cJSON *given = values != NULL ? parse(values) : NULL;
    struct err err = {0};
    char *got;

    if (settings_set_config(settings, &provider, given, partial, &err)) {
        got = json_print(settings);
        assert_string_equal(got, want);
        free(got);
    } else {
        assert_string_equal(err.code, "invalid_body");
        assert_string_equal(err.message, want);
    }
    cJSON_Delete(owned);
    cJSON_Delete(settings);
    cJSON_Delete(given);
}

TEST(declared_fields_are_demanded_and_defaults_filled_in)
{
    expect(declared, "{}", "{\"name\":\"n\",\"url\":\"https://x\"}", false,
        "{\"custom\":{\"name\":\"n\",\"url\":\"https://x\",\"place\":\"header\"}}");
    expect(declared, "{}", "{\"nope\":\"x\"}", false,
        "Unknown field nope, Name is required, URL is required");
    expect(declared, "{}", "{\"place\":\"body\",\"name\":\"n\",\"url\":\"x\"}", false,
        "Place must be one of: header, query, URL has an invalid format");
    expect(declared, "{}", "{\"place\":\"query\",\"name\":\"n\",\"url\":\"http://x\"}",
        false, "Word is required");
    expect(declared, "{}", NULL, false, "Name is required, URL is required");
}

TEST(a_change_says_only_what_changes)
{
    expect(declared, "{\"custom\":{\"name\":\"n\",\"url\":\"https://x\"}}",
        "{\"name\":\"m\"}", true, "{\"custom\":{\"name\":\"m\",\"url\":\"https://x\"}}");
    expect(declared, "{}", "{\"url\":\"x\"}", true, "URL has an invalid format");
}

TEST(a_provider_that_asks_for_nothing_takes_nothing)
{
    expect("{}", "{}", NULL, false, "{}");
    expect("{}", "{}", "{\"a\":\"b\"}", false,
        "This provider does not accept integration configuration");
}

static void expect_credentials(
    const char *before, const char *credentials, const char *want)
{
    cJSON *settings = parse(before);
    cJSON *given = parse(credentials);
    char *got;

    settings_set_credentials(settings, given);
    got = json_print(settings);
    assert_string_equal(got, want);
    free(got);
    cJSON_Delete(settings);
    cJSON_Delete(given);
}

TEST(credentials_go_where_the_flows_look_for_them)
{
    expect_credentials("{\"webhook_secret\":\"kept\"}",
        "{\"type\":\"OAUTH2\",\"client_id\":\"i\",\"client_secret\":\"s\",\"scopes\":"
        "\"\"}",
        "{\"webhook_secret\":\"kept\",\"oauth_client_id\":\"i\",\"oauth_client_secret\":"
        "\"s\","
        "\"oauth_scopes\":\"\"}");
    expect_credentials("{}",
        "{\"type\":\"APP\",\"app_id\":\"1\",\"app_link\":\"l\",\"private_key\":\"k\"}",
        "{\"app_link\":\"l\",\"oauth_client_id\":\"1\",\"oauth_client_secret\":\"k\"}");
    expect_credentials("{}",
        "{\"type\":\"CUSTOM\",\"client_id\":\"i\",\"client_secret\":\"s\",\"app_id\":"
        "\"1\","
        "\"app_link\":\"l\",\"private_key\":\"k\"}",
        "{\"app_link\":\"l\",\"oauth_client_id\":\"i\",\"oauth_client_secret\":\"s\","
        "\"custom\":{\"app_id\":\"1\",\"private_key\":\"k\"}}");
}

TEST(default_scopes_fill_in_for_none_not_for_empty)
{
    cJSON *entry = parse(declared);
    struct provider provider = {.name = "p", .entry = entry};
    cJSON *none = parse("{}");
    cJSON *empty = parse("{\"oauth_scopes\":\"\"}");

    settings_default_scopes(none, &provider);
    settings_default_scopes(empty, &provider);
    assert_string_equal(json_str(none, "oauth_scopes"), "a,b");
    assert_string_equal(json_str(empty, "oauth_scopes"), "");
    cJSON_Delete(entry);
    cJSON_Delete(none);
    cJSON_Delete(empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(declared_fields_are_demanded_and_defaults_filled_in),
        cmocka_unit_test(a_change_says_only_what_changes),
        cmocka_unit_test(a_provider_that_asks_for_nothing_takes_nothing),
        cmocka_unit_test(credentials_go_where_the_flows_look_for_them),
        cmocka_unit_test(default_scopes_fill_in_for_none_not_for_empty),
    };

    return RUN(tests);
}
