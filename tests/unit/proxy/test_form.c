/* SPDX-License-Identifier: Apache-2.0 */
/* Forms as the proxy converts them: what the reference server's parser and its HTTP
 * library make of the same text. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "proxy/forward_int.h"
#include "test.h"

TEST(a_form_becomes_json)
{
    static const struct {
        const char *form, *json;
    } rows[] = {
        {"", "{}"},
        {"&&", "{}"},
        {"a=1&b[c]=2&d=x+y", "{\"a\":\"1\",\"b\":{\"c\":\"2\"},\"d\":\"x y\"}"},
        {"a", "{\"a\":\"\"}"},
        {"a=", "{\"a\":\"\"}"},
        {"=1", "{}"},
        {"a=b=c", "{\"a\":\"b=c\"}"},
        {"a%5Bb%5D=1", "{\"a\":{\"b\":\"1\"}}"},
        {"a=1&a=2&a=3", "{\"a\":[\"1\",\"2\",\"3\"]}"},
        {"a[]=1&a[]=2", "{\"a\":[\"1\",\"2\"]}"},
        {"a[1]=y&a[0]=x", "{\"a\":[\"x\",\"y\"]}"},
        {"a[5]=x", "{\"a\":[\"x\"]}"},
        {"a[101]=x", "{\"a\":{\"101\":\"x\"}}"},
        {"a[01]=x", "{\"a\":{\"01\":\"x\"}}"},
        {"a[0][b]=1&a[1][b]=2", "{\"a\":[{\"b\":\"1\"},{\"b\":\"2\"}]}"},
        {"a[][b]=1", "{\"a\":[{\"b\":\"1\"}]}"},
        {"a[b]=1&a[b]=2", "{\"a\":{\"b\":[\"1\",\"2\"]}}"},
        {"0=x&1=y", "{\"0\":\"x\",\"1\":\"y\"}"},
        {"a[b=1", "{\"a[b\":\"1\"}"},
        {"[a]=1", "{\"a\":\"1\"}"},
        {"a[b][c][d][e][f][g][h]=1",
            "{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"f\":{\"[g][h]\":\"1\"}}}}}}}"},
        {"a=%C3%A9&b=\xc3\xa9", "{\"a\":\"\xc3\xa9\",\"b\":\"\xc3\xa9\"}"},
        {"a=%zz&b=%", "{\"a\":\"%zz\",\"b\":\"%\"}"},
        {"a=%00", "{\"a\":\"%00\"}"},
        {"a=%ff", "{\"a\":\"%ff\"}"},
        {"a=\xff", "{\"a\":\"%FF\"}"},
        {"a=%22%5C%0A", "{\"a\":\"\\\"\\\\\\n\"}"},
        {"__proto__=1&constructor[x]=2",
            "{\"__proto__\":\"1\",\"constructor\":{\"x\":\"2\"}}"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cJSON *value = form_to_json(rows[i].form, strlen(rows[i].form));
        char *text = json_print(value);

        assert_string_equal(text, rows[i].json);
        free(text);
        cJSON_Delete(value);
    }
}

static char *many_pairs(size_t count)
{
    struct buf form;

    buf_init(&form, 0);
    for (size_t i = 0; i < count; i++)
        buf_puts(&form, "a[]=1&");
    return buf_take(&form, NULL);
}

TEST(a_form_has_a_thousand_pairs_at_most)
{
    char *most = many_pairs(FORM_MAX_PAIRS), *more = many_pairs(FORM_MAX_PAIRS + 1);
    cJSON *value = form_to_json(most, strlen(most));

    assert_non_null(value);
    assert_int_equal(cJSON_GetArraySize(json_get(value, "a")), FORM_MAX_PAIRS);
    assert_null(form_to_json(more, strlen(more)));
    cJSON_Delete(value);
    free(most);
    free(more);
}

TEST(a_form_is_spelled_one_way)
{
    static const struct {
        const char *form, *same;
    } rows[] = {
        {"", ""},
        {"a=1&b[c]=2&d=x+y", "a=1&b%5Bc%5D=2&d=x+y"},
        {"a=1&a=2", "a=1&a=2"},
        {"a=x%20y&&b", "a=x+y&b="},
        {"a=%zz", "a=%zz"},
        {"a=%ff%00", "a=%FF%00"},
        {"z=1&a=2", "z=1&a=2"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf out;

        buf_init(&out, 0);
        form_normalise(rows[i].form, strlen(rows[i].form), &out);
        assert_string_equal(out.data != NULL ? out.data : "", rows[i].same);
        buf_finish(&out);
    }
}

TEST(json_becomes_a_form)
{
    static const struct {
        const char *json, *form;
    } rows[] = {
        {"{}", ""},
        {"{\"a\":1,\"b\":true,\"c\":\"x y\",\"d\":null}", "a=1&b=true&c=x+y"},
        {"{\"a\":{\"b\":{\"c\":1}}}", "a%5Bb%5D%5Bc%5D=1"},
        {"{\"a\":[1,null,\"x\"]}", "a%5B%5D=1&a%5B%5D=x"},
        {"{\"a\":[]}", ""},
        {"{\"a\":[{\"b\":1},2]}", "a%5B0%5D%5Bb%5D=1&a%5B1%5D=2"},
        {"{\"a\":{\"b\":[1,2]}}", "a%5Bb%5D%5B0%5D=1&a%5Bb%5D%5B1%5D=2"},
        {"[\"x\",{\"y\":1}]", "0=x&1%5By%5D=1"},
        {"{\"a\":1.5,\"b\":12345678901,\"e\":\"\xc3\xa9\"}",
            "a=1.5&b=12345678901&e=%C3%A9"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cJSON *value = json_parse(rows[i].json, strlen(rows[i].json), NULL);
        struct buf out;

        assert_non_null(value);
        buf_init(&out, 0);
        form_from_json(value, &out);
        assert_string_equal(out.data != NULL ? out.data : "", rows[i].form);
        buf_finish(&out);
        cJSON_Delete(value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_form_becomes_json),
        cmocka_unit_test(a_form_has_a_thousand_pairs_at_most),
        cmocka_unit_test(a_form_is_spelled_one_way),
        cmocka_unit_test(json_becomes_a_form),
    };

    return RUN(tests);
}
