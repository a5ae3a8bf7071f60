/* SPDX-License-Identifier: Apache-2.0 */
/* Strings and the encodings of the wire. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "test.h"

static void expect_encoded(void (*encode)(const char *, size_t, struct buf *),
    const char *in, const char *expected)
{
    struct buf out;

    buf_init(&out, 0);
    encode(in, strlen(in), &out);
    assert_string_equal(out.data, expected);
    buf_finish(&out);
}

TEST(texts_are_percent_and_form_encoded)
{
    expect_encoded(str_uri_component, "a b/\xc3\xa9~!*'()", "a%20b%2F%C3%A9~!*'()");
    expect_encoded(str_form_encode, "a b*~-._\xc3\xa9", "a+b*%7E-._%C3%A9");
    expect_encoded(str_uri_component, "", "");
}

TEST(bad_escapes_are_refused)
{
    static const char *const bad[] = {"%", "%4", "%zz", "a%4"};
    struct buf out;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        buf_init(&out, 0);
        assert_false(str_percent_decode(bad[i], strlen(bad[i]), true, &out));
        buf_finish(&out);
    }
    buf_init(&out, 0);
    assert_true(str_percent_decode("a+b%2B%41", 9, true, &out));
    assert_string_equal(out.data, "a b+A");
    buf_finish(&out);
}

TEST(base64_goes_there_and_back)
{
    static const char *const rows[][2] = {
        {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf out, back;

        buf_init(&out, 0);
        buf_init(&back, 0);
        str_base64(rows[i][0], strlen(rows[i][0]), &out);
        assert_string_equal(out.data, rows[i][1]);
        assert_true(str_unbase64(out.data, out.len, &back));
        assert_string_equal(back.data, rows[i][0]);
        buf_finish(&out);
        buf_finish(&back);
    }
}

TEST(uuids_are_recognised)
{
    assert_true(str_is_uuid_v4("9f1c8e3a-0b57-4f0e-8a52-1234567890ab"));
    assert_true(str_is_uuid_v4("9F1C8E3A-0B57-4F0E-BA52-1234567890AB"));
    assert_false(str_is_uuid_v4("9f1c8e3a-0b57-1f0e-8a52-1234567890ab"));
    assert_false(str_is_uuid_v4("9f1c8e3a-0b57-4f0e-7a52-1234567890ab"));
    assert_false(str_is_uuid("9f1c8e3a-0b57-4f0e-8a52-1234567890a"));
    assert_false(str_is_uuid("9f1c8e3a-0b57-4f0e-8a52-1234567890abc"));
    assert_false(str_is_uuid(""));
}

TEST(booleans_and_numbers_are_read_strictly)
{
    bool b;
    int64_t n;

    assert_true(str_to_bool("YES", &b) && b);
    assert_true(str_to_bool("off", &b) && !b);
    assert_false(str_to_bool("", &b));
    assert_false(str_to_bool("maybe", &b));
    assert_true(str_to_i64("-12", &n) && n == -12);
    assert_false(str_to_i64(" 12", &n));
    assert_false(str_to_i64("12x", &n));
    assert_false(str_to_i64("99999999999999999999", &n));
}

TEST(utf8_is_judged_and_counted)
{
    assert_true(str_is_utf8("\xc3\xa9\xf0\x9f\x98\x80", 6));
    assert_false(str_is_utf8("\xc0\x80", 2));
    assert_false(str_is_utf8("\xed\xa0\x80", 3));
    assert_false(str_is_utf8("\xc3", 1));
    assert_int_equal(str_utf16_len("a\xc3\xa9\xf0\x9f\x98\x80"), 4);
}

TEST(trimming_and_copying_stay_inside_the_field)
{
    char field[4];
    char text[] = "  a b\t\n";

    str_copy(field, sizeof field, "abcdef");
    assert_string_equal(field, "abc");
    assert_string_equal(str_trim(text), "a b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_percent_and_form_encoded),
        cmocka_unit_test(bad_escapes_are_refused),
        cmocka_unit_test(base64_goes_there_and_back),
        cmocka_unit_test(uuids_are_recognised),
        cmocka_unit_test(booleans_and_numbers_are_read_strictly),
        cmocka_unit_test(utf8_is_judged_and_counted),
        cmocka_unit_test(trimming_and_copying_stay_inside_the_field),
    };

    return RUN(tests);
}
