/* SPDX-License-Identifier: Apache-2.0 */
/* JSON: what is accepted, the messages for what is not, and numbers as JavaScript prints
 * them. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "test.h"

TEST(faults_are_told_as_javascript_tells_them)
{
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"{", "Expected property name or '}' in JSON at position 1 (line 1 column 2)"},
        {"{\"a\":1,}", "Expected double-quoted property name in JSON at position 7 (line "
                       "1 column 8)"},
        {"{\"a\":", "Unexpected end of JSON input"},
        {"", "Unexpected end of JSON input"},
        {"nope", "Unexpected token 'o', \"nope\" is not valid JSON"},
        {"[1 2]", "Expected ',' or ']' after array element in JSON at position 3 (line 1 "
                  "column 4)"},
        {"01", "Unexpected number in JSON at position 1 (line 1 column 2)"},
        {"{}x", "Unexpected non-whitespace character after JSON in JSON at position 2 "
                "(line 1 column 3)"},
        {"\"a\nb\"", "Bad control character in string literal in JSON at position 2 "
                     "(line 1 column 3)"},
        {"\"\\u0000\"", "The character U+0000 is not accepted in JSON at position 3 "
                        "(line 1 column 4)"},
        {"\"\\ud800\"",
            "A lone surrogate is not accepted in JSON at position 3 (line 1 column 4)"},
        {"\"\xff\"", "The text is not valid UTF-8"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {0};

        assert_null(json_parse(rows[i].text, strlen(rows[i].text), &err));
        assert_string_equal(err.message, rows[i].message);
        assert_string_equal(err.code, "invalid_json");
        assert_int_equal(err.status, 400);
    }
}

TEST(numbers_print_as_javascript_prints_them)
{
    static const char *const rows[][2] = {
        {"0", "0"},
        {"-5", "-5"},
        {"1.50", "1.5"},
        {"0.1", "0.1"},
        {"1e21", "1e+21"},
        {"1e20", "100000000000000000000"},
        {"12345678901234567890", "12345678901234567000"},
        {"0.000001", "0.000001"},
        {"0.0000001", "1e-7"},
        {"1.25e-9", "1.25e-9"},
        {"-123.456", "-123.456"},
        {"9007199254740993", "9007199254740992"},
        {"1e999", "null"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cJSON *value = json_parse(rows[i][0], strlen(rows[i][0]), NULL);
        char *text = json_print(value);

        assert_string_equal(text, rows[i][1]);
        free(text);
        cJSON_Delete(value);
    }
}

TEST(a_document_survives_a_round_trip)
{
    const char *text =
        "{\"a\":[1,true,null,\"\\u00e9\\n\\\"\\ud83d\\ude00\"],\"A\":{},\"\":\"x\"}";
    cJSON *value = json_parse(text, strlen(text), NULL);
    char *out = json_print(value);

    assert_string_equal(out,
        "{\"a\":[1,true,null,\"\xc3\xa9\\n\\\"\xf0\x9f\x98\x80\"],\"A\":{},\"\":\"x\"}");
    free(out);
    cJSON_Delete(value);
}

TEST(nesting_is_limited)
{
    char deep[1200];

    memset(deep, '[', 600);
    memset(deep + 600, ']', 600);
    assert_null(json_parse(deep, 1200, NULL));
    cJSON *ok = json_parse(deep + 100, 1000, NULL);
    assert_non_null(ok);
    cJSON_Delete(ok);
}

TEST(paths_walk_objects_and_arrays_and_prefer_a_flat_key)
{
    const char *text =
        "{\"a\":{\"b\":[{\"c\":7}]},\"x.y\":\"flat\",\"x\":{\"y\":\"deep\"}}";
    cJSON *value = json_parse(text, strlen(text), NULL);

    assert_int_equal(json_path(value, "a.b[0].c")->valuedouble, 7);
    assert_int_equal(json_path(value, "a.b.0.c")->valuedouble, 7);
    assert_string_equal(json_path(value, "x.y")->valuestring, "flat");
    assert_null(json_path(value, "a.nope.c"));
    assert_null(json_get(value, "A"));
    cJSON_Delete(value);
}

TEST(members_are_set_replaced_and_merged)
{
    cJSON *a = cJSON_CreateObject(), *b = cJSON_CreateObject();
    char *text;

    json_set_str(a, "k", "1");
    json_set_str(a, "k", "2");
    json_set_i64(b, "n", 5);
    json_set_str(b, "k", "3");
    json_merge(a, b);
    text = json_print(a);
    assert_string_equal(text, "{\"k\":\"3\",\"n\":5}");
    free(text);
    cJSON_Delete(a);
    cJSON_Delete(b);
}

/* {"k0":<value>,"k1":<value>,…}; the caller frees. */
static char *many_members(size_t count, int value, const char *more)
{
    struct buf text;

    buf_init(&text, 0);
    buf_putc(&text, '{');
    for (size_t i = 0; i < count; i++)
        buf_printf(&text, "%s\"k%zu\":%d", i > 0 ? "," : "", i, value);
    buf_puts(&text, more);
    buf_putc(&text, '}');
    return buf_take(&text, NULL);
}

TEST(of_members_with_one_name_the_last_counts_in_the_first_ones_place)
{
    static const char *const rows[][2] = {
        {"{\"a\":1,\"a\":2}", "{\"a\":2}"},
        {"{\"a\":1,\"b\":2,\"a\":[3],\"c\":4,\"\\u0061\":{}}",
            "{\"a\":{},\"b\":2,\"c\":4}"},
        {"[{\"x\":{\"b\":1,\"b\":1,\"b\":null}}]", "[{\"x\":{\"b\":null}}]"},
        {"{\"a\":1,\"A\":2}", "{\"a\":1,\"A\":2}"},
    };
    char *text = many_members(100, 1, ",\"k0\":5,\"k99\":6,\"k0\":7"), *out;
    cJSON *value;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        value = json_parse(rows[i][0], strlen(rows[i][0]), NULL);
        out = json_print(value);
        assert_string_equal(out, rows[i][1]);
        free(out);
        cJSON_Delete(value);
    }
    value = json_parse(text, strlen(text), NULL);
    assert_int_equal(cJSON_GetArraySize(value), 100);
    assert_string_equal(value->child->string, "k0");
    assert_int_equal(value->child->valueint, 7);
    assert_int_equal(json_get(value, "k99")->valueint, 6);
    cJSON_Delete(value);
    free(text);
}

/* Compared name by name, this would take minutes. */
TEST(members_by_the_hundred_thousand_are_merged)
{
    char *old_text = many_members(200000, 1, ",\"old\":1");
    char *new_text = many_members(200000, 2, ",\"new\":2");
    cJSON *into = json_parse(old_text, strlen(old_text), NULL);
    cJSON *from = json_parse(new_text, strlen(new_text), NULL);

    json_merge(into, from);
    assert_int_equal(cJSON_GetArraySize(into), 200002);
    assert_int_equal(into->child->valueint, 2);
    assert_int_equal(json_get(into, "k199999")->valueint, 2);
    assert_int_equal(json_get(into, "old")->valueint, 1);
    assert_int_equal(json_get(into, "new")->valueint, 2);
    cJSON_Delete(into);
    cJSON_Delete(from);
    free(old_text);
    free(new_text);
}

TEST(the_grammar_alone_takes_what_a_document_may_not_hold)
{
    static const char *const good[] = {"{\"a\":\"\\u0000\"}", "[\"\\ud83d\"]", "\"x\"",
        "[\"\xff\"]", "{\"a\":1,\"a\":2}", " 1e999 "};
    static const char *const bad[] = {"", "{", "[1,]", "01", "\xff", "[tru\xff]",
        "\"\\u12g4\"", "\"\\x\"", "{\"a\" 1}", "1 2", "nul"};
    char deep[4000];
    struct err err;

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(json_check_syntax(good[i], strlen(good[i]), &err));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(json_check_syntax(bad[i], strlen(bad[i]), &err));
        assert_string_equal(err.code, "invalid_json");
        assert_true(str_is_utf8(err.message, strlen(err.message)));
    }
    memset(deep, '[', 2000);
    memset(deep + 2000, ']', 2000);
    assert_true(json_check_syntax(deep, sizeof deep, &err));
    assert_true(json_check_syntax(deep, 2000, &err)); /* not looked at */
    assert_false(json_check_strict(deep, sizeof deep, &err));
}

#define FFFD "\xef\xbf\xbd"

TEST(careless_text_is_mended_before_it_is_read)
{
    static const char *const rows[][2] = {
        {"\xef\xbb\xbf[1]", "[1]"},
        {"[\"a\\ud83dz\"]", "[\"a" FFFD "z\"]"},
        {"[\"\\ud83d\"]", "[\"" FFFD "\"]"},
        {"[\"\\ude00\\ud83d\\ude00\"]", "[\"" FFFD "\xf0\x9f\x98\x80\"]"},
        {"[\"\\ud83d\\\\ude00\"]", "[\"" FFFD "\\\\ude00\"]"},
        {"[\"\\ud83d\\ud83d\\u0041\"]", "[\"" FFFD FFFD "A\"]"},
        {"{\"\\u0000k\":\"\\u0000\"}", "{\"" FFFD "k\":\"" FFFD "\"}"},
        {"[\"\\\\u0000\"]", "[\"\\\\u0000\"]"}, /* a backslash, then text */
        {"[\"\xff\xc3\xa9\xc3\"]", "[\"" FFFD "\xc3\xa9" FFFD "\"]"},
        {"[\"\xe2\x82\"]", "[\"" FFFD FFFD "\"]"},
        {"[\"\\n\\u00e9\"]", "[\"\\n\xc3\xa9\"]"},
    };
    static const char *const bad[] = {"", "\xef\xbb\xbf", "{", "[\"\\", "[\"\\u",
        "[\"\\ud83d", "[\"\\ud83d\\u", "[\"\\u00\"]", "[\"\\\xc3\xa9\"]", "[\"\n\"]",
        "\xff[]", "[]\xef\xbb\xbf"};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cJSON *value = json_parse_lenient(rows[i][0], strlen(rows[i][0]), NULL);
        char *text = json_print(value);

        assert_string_equal(text, rows[i][1]);
        free(text);
        cJSON_Delete(value);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct err err = {0};

        assert_null(json_parse_lenient(bad[i], strlen(bad[i]), &err));
        assert_string_equal(err.code, "invalid_json");
    }
    assert_null(json_parse_lenient("[\"\0\"]", 5, NULL)); /* a NUL itself is no text */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_are_told_as_javascript_tells_them),
        cmocka_unit_test(numbers_print_as_javascript_prints_them),
        cmocka_unit_test(a_document_survives_a_round_trip),
        cmocka_unit_test(nesting_is_limited),
        cmocka_unit_test(paths_walk_objects_and_arrays_and_prefer_a_flat_key),
        cmocka_unit_test(members_are_set_replaced_and_merged),
        cmocka_unit_test(
            of_members_with_one_name_the_last_counts_in_the_first_ones_place),
        cmocka_unit_test(members_by_the_hundred_thousand_are_merged),
        cmocka_unit_test(the_grammar_alone_takes_what_a_document_may_not_hold),
        cmocka_unit_test(careless_text_is_mended_before_it_is_read),
    };

    return RUN(tests);
}
