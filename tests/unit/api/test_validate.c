/* SPDX-License-Identifier: Apache-2.0 */
/* The validator's issues: codes, texts and paths as clients know them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/fields.h"
#include "base/json.h"
#include "base/str.h"
#include "test.h"

static const struct rule text = {.kind = RULE_STRING};
static const char *const kinds[] = {"sync", "action", NULL};
static const char *const signature[] = {"SIGNATURE", NULL};
static const struct rule a_rules[] = {
    {.name = "type", .kind = RULE_STRING}, {.name = "x", .kind = RULE_STRING}};
static const struct shape a_shape = SHAPE_STRICT(a_rules);
static const struct variant variants[] = {{"A", &a_shape}, {NULL, NULL}};

static const struct rule rules[] = {
    {.name = "key",
        .kind = RULE_STRING,
        .optional = true,
        .pattern = &PATTERN_KEY,
        .max = 255},
    {.name = "id",
        .kind = RULE_STRING,
        .optional = true,
        .pattern = &PATTERN_CONNECTION_ID},
    {.name = "short", .kind = RULE_STRING, .optional = true, .min = 1, .max = 3},
    {.name = "flag", .kind = RULE_FLAG, .optional = true},
    {.name = "count", .kind = RULE_COUNT, .optional = true, .min = 1, .max = 2000},
    {.name = "number", .kind = RULE_NUMBER, .optional = true},
    {.name = "on", .kind = RULE_BOOL, .optional = true},
    {.name = "record", .kind = RULE_RECORD, .optional = true, .item = &text},
    {.name = "list", .kind = RULE_ARRAY, .optional = true, .item = &text, .max = 2},
    {.name = "kind", .kind = RULE_OPTION, .optional = true, .options = kinds},
    {.name = "fixed", .kind = RULE_LITERAL, .optional = true, .options = signature},
    {.name = "date", .kind = RULE_DATE, .optional = true},
    {.name = "one", .kind = RULE_VARIANT, .optional = true, .variants = variants},
    {.name = "pem", .kind = RULE_STRING, .optional = true, .starts = "<", .ends = ">"},
    RULE_END_USER,
    RULE_TAGS(true),
    RULE_WEBHOOK_URL,
};
static const struct shape shape = SHAPE_STRICT(rules);

#define ISSUE(code, message, path)                                                       \
    "[{\"code\":\"" code "\",\"message\":\"" message "\",\"path\":[" path "]}]"

#define WEBHOOK(code, message) ISSUE(code, message, "\"webhook_url_override\"")
#define REFUSED(why) WEBHOOK("custom", "The outbound URL is not allowed: " why)

/* The issues of one document; "" = none. */
static void expect(const char *document, const char *issues)
{
    cJSON *value = document != NULL ? json_parse(document, strlen(document), NULL) : NULL;
    struct policy policy;
    struct webhook_bounds bounds = {&policy, "http://ours.test:3003"};
    cJSON *found;
    char *got;

    print_message("%s\n", document != NULL ? document : "undefined");
    policy_init(&policy, false);
    found = validate(&shape, value, &bounds);
    policy_finish(&policy);
    got = found != NULL ? json_print(found) : NULL;
    assert_string_equal(got != NULL ? got : "", issues);
    free(got);
    cJSON_Delete(found);
    cJSON_Delete(value);
}

TEST(types_are_named)
{
    expect(NULL,
        ISSUE("invalid_type", "Invalid input: expected object, received undefined", ""));
    expect("[]",
        ISSUE("invalid_type", "Invalid input: expected object, received array", ""));
    expect(
        "{\"key\":1}", ISSUE("invalid_type",
                           "Invalid input: expected string, received number", "\"key\""));
    expect("{\"key\":null}",
        ISSUE(
            "invalid_type", "Invalid input: expected string, received null", "\"key\""));
    expect("{\"on\":\"yes\"}",
        ISSUE("invalid_type", "Invalid input: expected boolean, received string",
            "\"on\""));
    expect("{\"record\":[1]}",
        ISSUE("invalid_type", "Invalid input: expected record, received array",
            "\"record\""));
    expect("{\"list\":\"a\"}",
        ISSUE("invalid_type", "Invalid input: expected array, received string",
            "\"list\""));
    expect("{\"number\":1.5}",
        ISSUE("invalid_type", "Invalid input: expected int, received number",
            "\"number\""));
    expect("{\"date\":\"tomorrow\"}",
        ISSUE("invalid_type", "Invalid input: expected date, received Date", "\"date\""));
    expect("{\"date\":4070908800000}", "");
}

TEST(lengths_and_ranges_are_bounded)
{
    expect("{\"short\":\"\"}",
        ISSUE("too_small", "Too small: expected string to have >=1 characters",
            "\"short\""));
    expect("{\"short\":\"abcd\"}",
        ISSUE("too_big", "Too big: expected string to have <=3 characters", "\"short\""));
    expect("{\"short\":\"\xF0\x9F\x98\x80\xF0\x9F\x98\x80\"}",
        ISSUE("too_big", "Too big: expected string to have <=3 characters", "\"short\""));
    expect("{\"list\":[\"a\",\"b\",\"c\"]}",
        ISSUE("too_big", "Too big: expected array to have <=2 items", "\"list\""));
    expect("{\"list\":[\"a\",1]}",
        ISSUE("invalid_type", "Invalid input: expected string, received number",
            "\"list\",\"1\""));
    expect("{\"count\":\"0\"}",
        ISSUE("too_small", "Too small: expected number to be >=1", "\"count\""));
    expect("{\"count\":\"\"}",
        ISSUE("too_small", "Too small: expected number to be >=1", "\"count\""));
    expect("{\"count\":\"2001\"}",
        ISSUE("too_big", "Too big: expected number to be <=2000", "\"count\""));
    expect("{\"count\":\"abc\"}",
        ISSUE(
            "invalid_type", "Invalid input: expected number, received NaN", "\"count\""));
    expect("{\"count\":\"1e999\"}",
        ISSUE("too_big", "Too big: expected number to be <=2000", "\"count\""));
    expect("{\"count\":\"1.5\"}",
        ISSUE(
            "invalid_type", "Invalid input: expected int, received number", "\"count\""));
}

TEST(records_have_a_bounded_number_of_keys)
{
    struct buf document;

    buf_init(&document, 0);
    buf_puts(&document, "{\"record\":{");
    for (int i = 0; i < RECORD_MAX_KEYS; i++)
        buf_printf(&document, "%s\"k%d\":\"v\"", i > 0 ? "," : "", i);
    buf_puts(&document, "}}");
    expect(document.data, "");
    document.len -= 2;
    buf_puts(&document, ",\"one\":1}}");
    expect(document.data,
        ISSUE("too_big", "Too big: expected record to have <=1000 keys", "\"record\""));
    buf_finish(&document);
}

TEST(formats_show_their_pattern)
{
    expect("{\"key\":\"a/b\"}",
        ISSUE("invalid_format",
            "Invalid string: must match pattern /^[a-zA-Z0-9~:.@ _-]+$/", "\"key\""));
    expect("{\"key\":\"\"}",
        ISSUE("invalid_format",
            "Invalid string: must match pattern /^[a-zA-Z0-9~:.@ _-]+$/", "\"key\""));
    expect("{\"id\":\"a?b\"}", ISSUE("invalid_format",
                                   "Invalid string: must match pattern "
                                   "/^[a-zA-Z0-9,.;:=+~[\\\\]|@${}\\\"'\\\\\\\\/_ -]+$/",
                                   "\"id\""));
    expect("{\"id\":\"a/b,.;:=+~[]|@${}\\\"'\\\\_ -\"}", "");
    expect("{\"pem\":\"x\"}", "[{\"code\":\"invalid_format\",\"message\":\"Invalid "
                              "string: must start with \\\"<\\\"\",\"path\":[\"pem\"]},"
                              "{\"code\":\"invalid_format\",\"message\":\"Invalid "
                              "string: must end with \\\">\\\"\",\"path\":[\"pem\"]}]");
}

TEST(choices_are_listed)
{
    expect("{\"kind\":\"nope\"}",
        ISSUE("invalid_value",
            "Invalid option: expected one of \\\"sync\\\"|\\\"action\\\"", "\"kind\""));
    expect("{\"fixed\":\"x\"}",
        ISSUE("invalid_value", "Invalid input: expected \\\"SIGNATURE\\\"", "\"fixed\""));
    expect("{\"flag\":\"Yes\"}", "");
    expect("{\"flag\":\"\"}",
        ISSUE("invalid_value",
            "Invalid option: expected one of "
            "\\\"true\\\"|\\\"1\\\"|\\\"yes\\\"|\\\"on\\\"|\\\"y\\\"|\\\"enabled\\\"|"
            "\\\"false\\\"|\\\"0\\\"|\\\"no\\\"|\\\"off\\\"|\\\"n\\\"|\\\"disabled\\\"",
            "\"flag\""));
    expect("{\"one\":{\"type\":\"B\"}}",
        ISSUE("invalid_union", "Invalid input", "\"one\",\"type\""));
    expect("{\"one\":{\"type\":\"A\"}}",
        ISSUE("invalid_type", "Invalid input: expected string, received undefined",
            "\"one\",\"x\""));
    expect("{\"one\":{\"type\":\"A\",\"x\":\"\",\"y\":1}}",
        ISSUE("unrecognized_keys", "Unrecognized key: \\\"y\\\"", "\"one\""));
}

TEST(unknown_keys_come_last_and_together)
{
    expect("{\"a\":1}", ISSUE("unrecognized_keys", "Unrecognized key: \\\"a\\\"", ""));
    expect("{\"a\":1,\"b\":2}",
        ISSUE("unrecognized_keys", "Unrecognized keys: \\\"a\\\", \\\"b\\\"", ""));
    expect("{\"a\":1,\"on\":1}",
        "[{\"code\":\"invalid_type\",\"message\":\"Invalid input: expected boolean, "
        "received number\",\"path\":[\"on\"]},"
        "{\"code\":\"unrecognized_keys\",\"message\":\"Unrecognized key: "
        "\\\"a\\\"\",\"path\":[]}]");
}

TEST(tags_obey_their_own_rules)
{
    expect("{\"tags\":{\"Plan\":\"gold\",\"a.b/c-d_e\":\"x\"}}", "");
    expect("{\"tags\":\"x\"}",
        ISSUE("invalid_type", "Invalid input: expected record, received string",
            "\"tags\""));
    expect("{\"tags\":{\"1a\":\"b\",\"A\":\"x\",\"a\":\"y\"}}",
        ISSUE("invalid_key", "Invalid key in record", "\"tags\",\"1a\""));
    expect("{\"tags\":{\"A\":\"x\",\"a\":\"y\"}}",
        ISSUE("custom", "Tags cannot contain the same key twice", "\"tags\""));
    expect("{\"tags\":{\"end_user_email\":\"nope\"}}",
        ISSUE("custom", "Tag \\\"end_user_email\\\" must be a valid email", "\"tags\""));
    expect("{\"tags\":{\"t0\":\"v\",\"t1\":\"v\",\"t2\":\"v\",\"t3\":\"v\",\"t4\":\"v\","
           "\"t5\":\"v\",\"t6\":\"v\",\"t7\":\"v\",\"t8\":\"v\",\"t9\":\"v\",\"t10\":"
           "\"v\"}}",
        ISSUE("custom", "Tags cannot contain more than 10 keys", "\"tags\""));
}

TEST(end_users_have_an_id_and_perhaps_an_address)
{
    expect("{\"end_user\":{\"id\":\"u\",\"email\":\"ann@example.com\",\"tags\":{\"a\":"
           "\"b\"}}}",
        "");
    expect("{\"end_user\":{\"email\":\"a@b.co\"}}",
        ISSUE("invalid_type", "Invalid input: expected string, received undefined",
            "\"end_user\",\"id\""));
    expect("{\"end_user\":{\"id\":\"u\",\"email\":\"x\"}}",
        "[{\"code\":\"invalid_format\",\"message\":\"Invalid email "
        "address\",\"path\":[\"end_user\",\"email\"]},"
        "{\"code\":\"too_small\",\"message\":\"Too small: expected string to have >=5 "
        "characters\",\"path\":[\"end_user\",\"email\"]}]");
    expect("{\"end_user\":{\"id\":\"u\",\"organization\":{}}}",
        ISSUE("unrecognized_keys", "Unrecognized key: \\\"organization\\\"",
            "\"end_user\""));
}

TEST(webhook_addresses_are_urls_of_others)
{
    expect("{\"webhook_url_override\":\"\"}", "");
    expect("{\"webhook_url_override\":\"https://example.com/hook?a=b\"}", "");
    expect("{\"webhook_url_override\":\"http://[2606:4700::1111]:8080/\"}", "");
    expect("{\"webhook_url_override\":\"notaurl\"}",
        ISSUE("invalid_union", "Invalid input", "\"webhook_url_override\""));
    expect("{\"webhook_url_override\":\"http://\"}",
        ISSUE("invalid_union", "Invalid input", "\"webhook_url_override\""));
    expect("{\"webhook_url_override\":5}",
        ISSUE("invalid_union", "Invalid input", "\"webhook_url_override\""));
    expect("{\"webhook_url_override\":\"https://u@API.nango.dev./x\"}",
        ISSUE("custom", "Webhook URLs cannot point to Nango's domain (nango.dev).",
            "\"webhook_url_override\""));
    expect("{\"webhook_url_override\":\"https://notnango.dev/x\"}", "");
}

TEST(webhook_addresses_pass_the_outbound_policy)
{
    static const struct {
        const char *url, *issues;
    } rows[] = {
        {"http://169.254.169.254/", REFUSED("the host is in the denylist")},
        {"http://metadata.google.internal/x", REFUSED("the host is in the denylist")},
        {"https://u:p@LOCALHOST./", REFUSED("the host is in the denylist")},
        {"http://127.0.0.1:9/", REFUSED("the host is in the denylist")},
        {"http://[::1]/", REFUSED("the host is in the denylist")},
        {"http://127.0.0.2/", REFUSED("the address is in a blocked range")},
        {"http://10.0.0.1/", REFUSED("the address is in a blocked range")},
        {"http://2130706433/", REFUSED("the address is in a blocked range")},
        {"http://[::ffff:10.0.0.1]/", REFUSED("the address is in a blocked range")},
        {"http://a@b@example.com/", REFUSED("it has no host, or not a plain one")},
        {"https://Ours.test/",
            WEBHOOK("custom", "Webhook URLs cannot point to this server (ours.test).")},
        {"https://hooks.ours.test/", ""},
        {"http://example.com:99999/", WEBHOOK("invalid_union", "Invalid input")},
        {"javascript:alert(1)", WEBHOOK("invalid_union", "Invalid input")},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *document = str_printf("{\"webhook_url_override\":\"%s\"}", rows[i].url);

        expect(document, rows[i].issues);
        free(document);
    }
}

TEST(addresses_are_judged)
{
    static const char *const good[] = {
        "a@b.co", "ann.lee+x@mail.example.com", "A_'z@ex-ample.org"};
    static const char *const bad[] = {"", "a", "@b.co", "a@", "a@b", "a@b.c", "a b@c.de",
        ".a@b.co", "a.@b.co", "a..b@c.de", "a@-b.co", "a@b..co", "a@b.c0", "a@b.co\n"};

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(is_email(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(is_email(bad[i]));
}

TEST(tags_are_derived_in_lower_case_explicit_ones_last)
{
    const char *user_text =
        "{\"id\":\"u\",\"email\":\"a@b.co\",\"tags\":{\"Team\":\"red\",\"x\":\"1\"}}";
    cJSON *user = json_parse(user_text, strlen(user_text), NULL);
    cJSON *group = json_parse("{\"id\":\"o\"}", 10, NULL);
    cJSON *tags = json_parse("{\"X\":\"2\"}", 9, NULL);
    cJSON *all = tags_derive(user, group, tags);
    char *got = json_print(all);

    assert_string_equal(got, "{\"team\":\"red\",\"x\":\"2\",\"end_user_id\":\"u\",\"end_"
                             "user_email\":\"a@b.co\",\"organization_id\":\"o\"}");
    free(got);
    cJSON_Delete(user);
    cJSON_Delete(group);
    cJSON_Delete(tags);
    cJSON_Delete(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_are_named),
        cmocka_unit_test(lengths_and_ranges_are_bounded),
        cmocka_unit_test(records_have_a_bounded_number_of_keys),
        cmocka_unit_test(formats_show_their_pattern),
        cmocka_unit_test(choices_are_listed),
        cmocka_unit_test(unknown_keys_come_last_and_together),
        cmocka_unit_test(tags_obey_their_own_rules),
        cmocka_unit_test(end_users_have_an_id_and_perhaps_an_address),
        cmocka_unit_test(webhook_addresses_are_urls_of_others),
        cmocka_unit_test(webhook_addresses_pass_the_outbound_policy),
        cmocka_unit_test(addresses_are_judged),
        cmocka_unit_test(tags_are_derived_in_lower_case_explicit_ones_last),
    };

    return RUN(tests);
}
