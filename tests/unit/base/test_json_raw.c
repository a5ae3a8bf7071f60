/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/json_raw.h"
#include "test.h"

static struct json_raw parse(const char *text)
{
    struct json_raw value;
    struct err err = {0};

    assert_true(json_raw_parse(text, strlen(text), &value, &err));
    return value;
}

static void assert_text(struct json_raw value, const char *text)
{
    if (text == NULL) {
        assert_null(value.text);
        assert_int_equal(json_raw_kind(value), JSON_RAW_ABSENT);
        return;
    }
    assert_int_equal(value.len, strlen(text));
    assert_memory_equal(value.text, text, value.len);
}

static void elements_are_found_by_place(void **state)
{
    static const struct {
        const char *document;
        size_t index;
        const char *found; /* NULL = absent */
    } rows[] = {
        {"[1,\"a]\",{\"b\":[2]}]", 0, "1"},
        {"[1,\"a]\",{\"b\":[2]}]", 1, "\"a]\""},
        {" [ 1 , \"a]\" , { \"b\" : [2] } ] ", 2, "{ \"b\" : [2] }"},
        {"[1]", 1, NULL},
        {"[1]", (size_t)-1, NULL},
        {"[]", 0, NULL},
        {"[null]", 0, "null"},
        {"{\"a\":1}", 0, NULL},
        {"\"text\"", 0, NULL},
        {"7", 0, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_text(json_raw_at(parse(rows[i].document), rows[i].index), rows[i].found);
    assert_text(json_raw_at((struct json_raw){0}, 0), NULL);
}

static void of_members_with_one_name_the_last_counts(void **state)
{
    struct json_raw object = parse("{\"a\":1,\"b\":{\"a\":2},\"a\":[3],\"\\u0063\":4}");

    (void)state;
    assert_text(json_raw_get(object, "a"), "[3]");
    assert_text(json_raw_get(json_raw_get(object, "b"), "a"), "2");
    assert_text(json_raw_get(object, "c"), "4");
    assert_text(json_raw_get(object, "d"), NULL);
    assert_text(json_raw_get(parse("[1]"), "a"), NULL);
}

static void text_comes_with_its_escapes_resolved(void **state)
{
    char *text = json_raw_dup_string(parse("\"a\\n\\u00e9\\ud83d\\ude00\\\"\""));

    (void)state;
    assert_string_equal(text, "a\n\xc3\xa9\xf0\x9f\x98\x80\"");
    free(text);
    assert_null(json_raw_dup_string(parse("1")));
    assert_true(json_raw_is_string(parse("\"\\u0061b\""), "ab"));
    assert_false(json_raw_is_string(parse("\"ab\""), "abc"));
}

static void expect_sorted(const char *text, const char *wanted)
{
    struct json_raw value;
    struct buf out;

    assert_true(json_raw_parse(text, strlen(text), &value, NULL));
    buf_init(&out, 0);
    json_raw_append_sorted(value, &out);
    assert_string_equal(out.data, wanted);
    buf_finish(&out);
}

TEST(members_are_put_in_order_at_every_level)
{
    expect_sorted("{ \"b\" : 1.0, \"a\":[ {\"d\":1,\"c\":2} , 1e2 ] }",
        "{\"a\":[{\"c\":2,\"d\":1},100],\"b\":1}");
    expect_sorted("{\"b\":1,\"a\":2,\"b\":3}", "{\"a\":2,\"b\":3}");
    expect_sorted("{\"\\u0062\":1,\"a\\/\":2,\"10\":3,\"9\":4}",
        "{\"10\":3,\"9\":4,\"a/\":2,\"b\":1}");
    expect_sorted("{}", "{}");
    expect_sorted("[]", "[]");
    expect_sorted(" \"x\\u00e4\" ", "\"x\xc3\xa4\"");
    expect_sorted("null", "null");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_put_in_order_at_every_level),
        cmocka_unit_test(elements_are_found_by_place),
        cmocka_unit_test(of_members_with_one_name_the_last_counts),
        cmocka_unit_test(text_comes_with_its_escapes_resolved),
    };

    return RUN(tests);
}
