/* SPDX-License-Identifier: Apache-2.0 */
/* What the official suite does not say: schemas that are none, models by name, and bounds. */
#include <string.h>

#include "base/str.h"
#include "json.h"
#include "jsonschema/jsonschema.h"
#include "test.h"

static struct err err;

static struct jsonschema *compiled(const char *text)
{
    struct jsonschema *schema;

    memset(&err, 0, sizeof err);
    schema = jsonschema_compile(json_of(text), &err);
    if (schema == NULL)
        print_message("%s\n", err.message);
    return schema;
}

static enum jsonschema_verdict verdict(
    const struct jsonschema *schema, const char *name, const char *value)
{
    cJSON *parsed = json_of(value);
    enum jsonschema_verdict is = jsonschema_check(schema, name, parsed, NULL);

    cJSON_Delete(parsed);
    return is;
}

TEST(what_is_no_schema_is_refused_with_its_place)
{
    static const char *const rows[][2] = {
        {"5", "#: a schema must be an object or a boolean"},
        {"{\"type\":\"text\"}", "#/type: it must be null, boolean"},
        {"{\"type\":[]}", "#/type: it must be null, boolean"},
        {"{\"properties\":{\"a/b\":{\"minimum\":\"1\"}}}",
            "#/properties/a~1b/minimum: it must be a number"},
        {"{\"maxLength\":-1}", "#/maxLength: it must be a whole number"},
        {"{\"minItems\":1.5}", "#/minItems: it must be a whole number"},
        {"{\"multipleOf\":0}", "#/multipleOf: it must be a number above 0"},
        {"{\"required\":\"a\"}", "#/required: it must be a list of texts"},
        {"{\"enum\":{}}", "#/enum: it must be a list"},
        {"{\"pattern\":\"(\"}", "#/pattern: ( is no regular expression"},
        {"{\"patternProperties\":{\"[\":{}}}", "is no regular expression"},
        {"{\"properties\":[]}", "#/properties: it must be an object of schemas"},
        {"{\"allOf\":[]}", "#/allOf: it must be a list of schemas"},
        {"{\"items\":5}", "#/items: a schema must be an object or a boolean"},
        {"{\"dependencies\":{\"a\":[1]}}", "a list must be one of texts"},
        {"{\"$ref\":\"#/definitions/Gone\"}", "#/definitions/Gone leads to nothing"},
        {"{\"$ref\":\"https://example.com/other\"}", "leads to nothing in the schema"},
        {"{\"format\":5}", "#/format: it must be a text"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_null(compiled(rows[i][0]));
        assert_int_equal(err.status, 400);
        assert_string_equal(err.code, "invalid_json_schema");
        assert_non_null(strstr(err.message, rows[i][1]));
    }
}

TEST(models_are_compared_by_name)
{
    struct jsonschema *schema =
        compiled("{\"definitions\":{\"In\":{\"type\":\"object\",\"required\":[\"a\"],"
                 "\"properties\":{"
                 "\"a\":{\"$ref\":\"#/definitions/A\"}}},\"A\":{\"type\":\"integer\"}}}");

    assert_non_null(schema);
    assert_true(jsonschema_has(schema, "In"));
    assert_false(jsonschema_has(schema, "Out"));
    assert_int_equal(verdict(schema, "In", "{\"a\":1}"), JSONSCHEMA_VALID);
    assert_int_equal(verdict(schema, "In", "{\"a\":\"1\"}"), JSONSCHEMA_INVALID);
    assert_int_equal(verdict(schema, "A", "1.5"), JSONSCHEMA_INVALID);
    assert_int_equal(verdict(schema, "Out", "1"), JSONSCHEMA_UNDECIDED);
    assert_int_equal(verdict(schema, NULL, "1"), JSONSCHEMA_VALID);
    jsonschema_free(schema);
}

TEST(errors_are_told_without_values)
{
    struct jsonschema *schema =
        compiled("{\"properties\":{\"a b\":{\"type\":\"string\",\"maxLength\":2}}}");
    cJSON *value = json_of("{\"a b\":\"secret\"}");
    struct buf errors;

    buf_init(&errors, 0);
    assert_int_equal(jsonschema_check(schema, NULL, value, &errors), JSONSCHEMA_INVALID);
    assert_string_equal(errors.data,
        "[{\"instancePath\":\"/a b\",\"schemaPath\":\"#/properties/a%20b/maxLength\","
        "\"keyword\":\"maxLength\",\"params\":{\"limit\":2},\"message\":\"must NOT have "
        "more than 2 characters\"}]");
    buf_finish(&errors);
    cJSON_Delete(value);
    jsonschema_free(schema);
}

TEST(a_hundred_errors_are_enough)
{
    struct jsonschema *schema = compiled("{\"items\":{\"type\":\"string\"}}");
    cJSON *value = cJSON_CreateArray(), *told;
    struct buf errors;

    for (int i = 0; i < 1000; i++)
        cJSON_AddItemToArray(value, cJSON_CreateNumber(i));
    buf_init(&errors, 0);
    assert_int_equal(jsonschema_check(schema, NULL, value, &errors), JSONSCHEMA_INVALID);
    told = json_of(errors.data);
    assert_int_equal(cJSON_GetArraySize(told), JSONSCHEMA_MAX_ERRORS);
    cJSON_Delete(told);
    buf_finish(&errors);
    cJSON_Delete(value);
    jsonschema_free(schema);
}

TEST(what_never_ends_is_given_up)
{
    static const char *const rows[][2] = {
        {"{\"$ref\":\"#\"}", "1"},
        {"{\"allOf\":[{\"$ref\":\"\"}]}", "1"}, /* no fragment: the same */
        {"{\"definitions\":{\"a\":{\"$ref\":\"#/definitions/b\"},"
         "\"b\":{\"$ref\":\"#/definitions/a\"}},\"$ref\":\"#/definitions/a\"}",
            "1"},
        {"{\"allOf\":[{\"$ref\":\"#\"},{\"$ref\":\"#\"}]}", "1"},
        {"{\"pattern\":\"^(a+)+$\"}",
            "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\""},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct jsonschema *schema = compiled(rows[i][0]);

        assert_non_null(schema);
        assert_int_equal(verdict(schema, NULL, rows[i][1]), JSONSCHEMA_UNDECIDED);
        jsonschema_free(schema);
    }
}

TEST(many_elements_are_compared_in_time)
{
    struct jsonschema *schema = compiled("{\"uniqueItems\":true}");
    cJSON *value = cJSON_CreateArray(), *last = NULL;

    for (int i = 0; i < 100000; i++) {
        cJSON *item = cJSON_CreateNumber(i);

        if (last == NULL)
            cJSON_AddItemToArray(value, item);
        else
            last->next = item;
        item->prev = last;
        last = item;
    }
    value->child->prev = last;
    assert_int_equal(jsonschema_check(schema, NULL, value, NULL), JSONSCHEMA_VALID);
    cJSON_AddItemToArray(value, cJSON_CreateNumber(99999));
    assert_int_equal(jsonschema_check(schema, NULL, value, NULL), JSONSCHEMA_INVALID);
    cJSON_Delete(value);
    jsonschema_free(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_schema_is_refused_with_its_place),
        cmocka_unit_test(models_are_compared_by_name),
        cmocka_unit_test(errors_are_told_without_values),
        cmocka_unit_test(a_hundred_errors_are_enough),
        cmocka_unit_test(what_never_ends_is_given_up),
        cmocka_unit_test(many_elements_are_compared_in_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
