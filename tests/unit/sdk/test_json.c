/* SPDX-License-Identifier: Apache-2.0 */
/* The SDK's JSON: what is accepted, how it is read, and how it is written. */
#include <float.h>
#include <locale.h>
#include <math.h>
#include <string.h>

#include "nango/json.h"
#include "test.h"

static nango_document *parse(const char *text)
{
    nango_document *document;
    nango_error err;
    nango_code code = nango_document_parse(text, strlen(text), &document, &err);

    assert_int_equal(code, err.code);
    assert_int_equal(code == NANGO_OK, document != NULL);
    return document;
}

TEST(what_is_json_comes_back_compact)
{
    static const char *const rows[][2] = {
        {"null", "null"},
        {" true ", "true"},
        {"\t-0\n", "-0"},
        {"1.50e+10", "1.50e+10"},
        {"123456789012345678901234567890", "123456789012345678901234567890"},
        {"\"\"", "\"\""},
        {"\"a\\u0041\\n\\/\\\"\\\\\"", "\"aA\\n/\\\"\\\\\""},
        {"\"\\u00e9\\ud83d\\ude00\"", "\"\xc3\xa9\xf0\x9f\x98\x80\""},
        {"\"\\ud83d\"", "\"\xef\xbf\xbd\""},
        {"\"\\ud83dx\\ude00\"", "\"\xef\xbf\xbdx\xef\xbf\xbd\""},
        {"\"\\u0000\\u001f\\u007f\"", "\"\\u0000\\u001f\x7f\""},
        {"[]", "[]"},
        {"{ }", "{}"},
        {"[ 1 , [ 2 , { } ] , { \"a\" : [ ] } ]", "[1,[2,{}],{\"a\":[]}]"},
        {"{\"a\":1,\"b\":{\"c\":[true,false,null]},\"a\":2}",
            "{\"a\":1,\"b\":{\"c\":[true,false,null]},\"a\":2}"},
        {"\xef\xbb\xbf{\"bom\":1}", "{\"bom\":1}"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        nango_document *document = parse(rows[i][0]);
        char *text = nango_json_text(nango_document_root(document), NULL);

        assert_non_null(text);
        assert_string_equal(text, rows[i][1]);
        nango_text_free(text);
        nango_document_free(document);
    }
}

TEST(what_is_not_json_is_refused)
{
    static const char *const rows[] = {"", " ", "nul", "nulll", "truE", "+1", "01", "1.",
        ".5", "1e", "1e+", "-", "0x1", "NaN", "Infinity", "'a'", "\"a", "\"\\x\"",
        "\"\\u12\"", "\"\\u12g4\"", "\"\n\"", "[", "]", "[1", "[1,", "[1,]", "[,1]",
        "[1 2]", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{a:1}",
        "{\"a\" 1}", "{1:1}", "[}", "{]", "[1}", "1 2", "{} x", "\"\xff\"",
        "\xed\xa0\x80", "\"\xc0\xaf\""};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (parse(rows[i]) != NULL)
            fail_msg("taken for JSON: %s", rows[i]);
}

TEST(nesting_is_limited)
{
    char text[2 * 513 + 1];

    for (int depth = 512; depth <= 513; depth++) {
        nango_document *document;

        memset(text, '[', (size_t)depth);
        memset(text + depth, ']', (size_t)depth);
        text[2 * depth] = '\0';
        document = parse(text);
        assert_int_equal(document != NULL, depth == 512);
        nango_document_free(document);
    }
}

TEST(pointers_find_values)
{
    nango_document *document = parse("{\"a\":{\"b\":[10,{\"c\":\"x\"}]},\"\":1,\"m/"
                                     "n\":2,\"o~p\":3,\"twice\":4,\"twice\":5,"
                                     "\"0\":6}");
    const nango_json *root = nango_document_root(document);

    assert_ptr_equal(nango_json_at(root, ""), root);
    assert_int_equal(nango_json_int_at(root, "/a/b/0", -1), 10);
    assert_string_equal(nango_json_string_at(root, "/a/b/1/c", ""), "x");
    assert_int_equal(nango_json_int_at(root, "/", -1), 1);
    assert_int_equal(nango_json_int_at(root, "/m~1n", -1), 2);
    assert_int_equal(nango_json_int_at(root, "/o~0p", -1), 3);
    assert_int_equal(nango_json_int_at(root, "/twice", -1), 5);
    assert_int_equal(nango_json_int_at(root, "/0", -1), 6);
    assert_null(nango_json_at(root, "/a/b/2"));
    assert_null(nango_json_at(root, "/a/b/00"));
    assert_null(nango_json_at(root, "/a/b/-"));
    assert_null(nango_json_at(root, "/a/b/99999999999999999999"));
    assert_null(nango_json_at(root, "a"));
    assert_null(nango_json_at(root, "/a/b/0/c"));
    assert_null(nango_json_at(NULL, ""));
    assert_int_equal(nango_json_int_at(NULL, "/a", 7), 7);
    nango_document_free(document);
}

TEST(members_and_elements_are_walked_in_order)
{
    nango_document *document = parse("{\"list\":[[1,[2]],[],{\"z\":[3]}],\"end\":true}");
    const nango_json *list = nango_json_get(nango_document_root(document), "list");
    const nango_json *item = nango_json_first(list);

    assert_int_equal(nango_json_count(list), 3);
    assert_int_equal(nango_json_count(item), 2);
    item = nango_json_next(item);
    assert_int_equal(nango_json_type_of(item), NANGO_JSON_ARRAY);
    assert_int_equal(nango_json_count(item), 0);
    assert_null(nango_json_first(item));
    item = nango_json_next(item);
    assert_ptr_equal(item, nango_json_item(list, 2));
    assert_string_equal(nango_json_name(nango_json_first(item)), "z");
    assert_null(nango_json_next(item));
    assert_null(nango_json_item(list, 3));
    assert_null(nango_json_next(nango_document_root(document)));
    assert_string_equal(nango_json_name(nango_json_next(list)), "end");
    nango_document_free(document);
}

TEST(whole_numbers_are_exact)
{
    static const struct {
        const char *text;
        bool whole;
        int64_t value;
    } rows[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"9007199254740993", true, 9007199254740993},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"18446744073709551616", false, 0},
        {"1.0", false, 0},
        {"1e2", false, 0},
        {"\"1\"", false, 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        nango_document *document = parse(rows[i].text);
        int64_t value = 0;

        assert_int_equal(
            nango_json_int(nango_document_root(document), &value), rows[i].whole);
        assert_true(value == rows[i].value);
        nango_document_free(document);
    }
}

/* A locale with a comma, when the machine has one, must change nothing. */
TEST(doubles_are_read_and_written_whatever_the_locale)
{
    static const double values[] = {
        0.1, -2.5, 1e300, DBL_MAX, DBL_MIN, 123456.789, 1.0 / 3};

    setlocale(LC_ALL, "de_DE.UTF-8");
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char *text = nango_json_format("[%f]", values[i]);
        nango_document *document;
        double value;

        assert_non_null(text);
        document = parse(text);
        assert_true(
            nango_json_double(nango_json_item(nango_document_root(document), 0), &value));
        assert_true(value == values[i]);
        nango_document_free(document);
        nango_text_free(text);
    }
    setlocale(LC_ALL, "C");
    {
        nango_document *document = parse("1e400");
        double value = 7;

        assert_false(nango_json_double(nango_document_root(document), &value));
        assert_true(value == 7);
        nango_document_free(document);
    }
    assert_null(nango_json_format("%f", (double)NAN));
    assert_null(nango_json_format("%f", (double)INFINITY));
}

TEST(formats_escape_what_they_are_given)
{
    char *text = nango_json_format("{\"q\":%Q,\"n\":%Q,\"d\":%d,\"D\":%D,\"b\":[%b,%b],"
                                   "\"j\":%J,\"none\":%J,\"p\":\"100%%\"}",
        "say \"hi\"\n\xc3\xa9", NULL, -5, INT64_MIN, 1, 0, "{\"x\": [1]}", NULL);

    assert_string_equal(text,
        "{\"q\":\"say \\\"hi\\\"\\n\xc3\xa9\",\"n\":null,\"d\":-5,"
        "\"D\":-9223372036854775808,\"b\":[true,false],\"j\":{\"x\": [1]},\"none\":null,"
        "\"p\":\"100%\"}");
    nango_text_free(text);
    assert_null(nango_json_format("{\"a\":%J}", "1,\"b\":2"));
    assert_null(nango_json_format("{\"a\":%Q}", "\xff"));
    assert_null(nango_json_format("{\"a\":%s}", "x"));
    assert_null(nango_json_format("{\"a\":%"));
    assert_null(nango_json_format("{\"a\":"));
    assert_null(nango_json_format(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_json_comes_back_compact),
        cmocka_unit_test(what_is_not_json_is_refused),
        cmocka_unit_test(nesting_is_limited),
        cmocka_unit_test(pointers_find_values),
        cmocka_unit_test(members_and_elements_are_walked_in_order),
        cmocka_unit_test(whole_numbers_are_exact),
        cmocka_unit_test(doubles_are_read_and_written_whatever_the_locale),
        cmocka_unit_test(formats_escape_what_they_are_given),
    };

    return RUN(tests);
}
