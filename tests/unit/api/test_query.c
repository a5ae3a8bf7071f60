/* SPDX-License-Identifier: Apache-2.0 */
/* Query strings: what they say, and what is too much. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/query.h"
#include "base/buf.h"
#include "base/json.h"
#include "test.h"

static void expect(const char *query, const char *json)
{
    cJSON *value = query_parse(query, strlen(query));
    char *text;

    assert_non_null(value);
    text = json_print(value);
    print_message("%s\n", query);
    assert_string_equal(text, json);
    free(text);
    cJSON_Delete(value);
}

TEST(a_query_becomes_an_object)
{
    expect("", "{}");
    expect("&&&", "{}");
    expect("a=1", "{\"a\":\"1\"}");
    expect("a", "{\"a\":\"\"}");
    expect("a=", "{\"a\":\"\"}");
    expect("=x", "{}");
    expect("a=1&b=2", "{\"a\":\"1\",\"b\":\"2\"}");
    expect("a=b=c", "{\"a\":\"b=c\"}");
    expect("a=x+y%20z", "{\"a\":\"x y z\"}");
    expect("a%5Bb%5D=1", "{\"a\":{\"b\":\"1\"}}");
}

TEST(repetition_and_empty_brackets_make_lists)
{
    expect("a=1&a=2", "{\"a\":[\"1\",\"2\"]}");
    expect("a=1&a=2&a=3", "{\"a\":[\"1\",\"2\",\"3\"]}");
    expect("a[]=1", "{\"a\":[\"1\"]}");
    expect("a[0]=1&a[1]=2", "{\"a\":[\"1\",\"2\"]}");
}

TEST(names_in_brackets_make_objects)
{
    expect("t[a]=1&t[b]=2", "{\"t\":{\"a\":\"1\",\"b\":\"2\"}}");
    expect("t[a][b]=1", "{\"t\":{\"a\":{\"b\":\"1\"}}}");
    expect("t[a][]=1&t[a][]=2", "{\"t\":{\"a\":[\"1\",\"2\"]}}");
    expect("t[a=1", "{\"t[a\":\"1\"}");
    expect("[a]=1", "{\"[a]\":\"1\"}");
}

TEST(brackets_beyond_the_depth_do_not_nest)
{
    struct buf text;
    cJSON *value;
    size_t depth = 0;

    buf_init(&text, 0);
    buf_puts(&text, "a");
    for (int i = 0; i < 200; i++)
        buf_puts(&text, "[x]");
    buf_puts(&text, "=1");
    value = query_parse(text.data, text.len);
    for (const cJSON *at = value; cJSON_IsObject(at); at = at->child)
        depth++;
    assert_in_range(depth, 2, QUERY_MAX_DEPTH + 1);
    cJSON_Delete(value);
    buf_finish(&text);
}

TEST(bad_escapes_stay_as_they_are)
{
    expect("a=%zz", "{\"a\":\"%zz\"}");
    expect("a=%ff", "{\"a\":\"%ff\"}");
    expect("a=%zz+b", "{\"a\":\"%zz b\"}");
    expect("a=x%00y", "{\"a\":\"x\xEF\xBF\xBDy\"}");
}

static bool parses(size_t count, const char *pair)
{
    struct buf text;
    cJSON *value;

    buf_init(&text, 0);
    for (size_t i = 0; i < count; i++)
        buf_printf(&text, "&%s", pair);
    value = query_parse(text.data, text.len);
    buf_finish(&text);
    cJSON_Delete(value);
    return value != NULL;
}

TEST(too_many_parameters_or_elements_are_refused)
{
    assert_true(parses(QUERY_MAX_LIST, "a=1"));
    assert_false(parses(QUERY_MAX_LIST + 1, "a=1"));
    assert_false(parses(QUERY_MAX_PARAMS + 1, "a[b]"));
}

TEST(plain_pairs_are_walked_without_building)
{
    const char *text = "&a=1&&b&c=%20&d[x]=1";
    struct query_pair pair;

    assert_true(query_next(&text, &pair));
    assert_memory_equal(pair.name, "a", pair.name_len);
    assert_memory_equal(pair.value, "1", pair.value_len);
    assert_true(query_pair_is_plain(&pair));
    assert_true(query_next(&text, &pair));
    assert_int_equal(pair.value_len, 0);
    assert_true(query_next(&text, &pair));
    assert_false(query_pair_is_plain(&pair));
    assert_true(query_next(&text, &pair));
    assert_false(query_pair_is_plain(&pair));
    assert_false(query_next(&text, &pair));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_query_becomes_an_object),
        cmocka_unit_test(repetition_and_empty_brackets_make_lists),
        cmocka_unit_test(names_in_brackets_make_objects),
        cmocka_unit_test(brackets_beyond_the_depth_do_not_nest),
        cmocka_unit_test(bad_escapes_stay_as_they_are),
        cmocka_unit_test(too_many_parameters_or_elements_are_refused),
        cmocka_unit_test(plain_pairs_are_walked_without_building),
    };

    return RUN(tests);
}
