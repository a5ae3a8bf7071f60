/* SPDX-License-Identifier: Apache-2.0 */
/* JavaScript's regular expressions: what they match, and that no search takes long. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/regex.h"
#include "base/str.h"
#include "test.h"

#define PLENTY ((struct regex_effort){.steps = 1000000, .memory_kb = 1024})

static enum regex_found search(const char *pattern, bool unicode, const char *text)
{
    struct regex_effort effort = PLENTY;
    const char *fault;
    struct regex *regex = regex_new(pattern, unicode, &fault);
    enum regex_found found;

    if (regex == NULL)
        fail_msg("%s: %s", pattern, fault);
    found = regex_search(regex, text, strlen(text), &effort, NULL);
    regex_free(regex);
    return found;
}

static const struct {
    const char *pattern, *text;
    bool want;
} meanings[] = {
    {"^\\s$", "\xc2\xa0", true}, /* no-break space */
    {"^\\s$", "\xef\xbb\xbf", true},
    {"^\\s$", "\xe2\x80\xa9", true},
    {"^\\s$", "\xe2\x80\x8b", false}, /* zero width is not white */
    {"^\\S$", "\xc2\xa0", false},
    {"^\\S$", "x", true},
    {"^[\\s-]+$", " - \xc2\xa0", true},
    {"^[\\S\\n]+$", "x\ny", true},
    {"^[\\S]$", "\xc2\xa0", false},
    {"^.$", "\xe2\x80\xa8", false}, /* a line separator ends a line */
    {"^.$", "\r", false},
    {"^[.]$", "x", false},
    {"^.$", "\xf0\x9f\x98\x80", true}, /* one character, whatever its planes */
    {"^\\d$", "\xe0\xa7\xaa", false},  /* a digit of Bengali */
    {"^\\w$", "\xc3\xa9", false},
    {"^\\ud83d\\ude00$", "\xf0\x9f\x98\x80", true},
    {"^[\\ud83d\\ude00x]$", "\xf0\x9f\x98\x80", true},
    {"^\\u{1F600}$", "\xf0\x9f\x98\x80", true},
    {"^\\p{Letter}+$", "\xc3\xa9x", true},
    {"^\\P{Letter}+$", "\xc3\xa9x", false},
    {"^\\p{Lu}\\p{General_Category=Lowercase_Letter}$", "Ab", true},
    {"^[\\p{Script=Greek}\\d]+$",
        "\xce\xb1"
        "1",
        true},
    {"^(\\p{Extended_Pictographic}|\\p{Emoji_Component})+$", "\xf0\x9f\x98\x80", true},
    {"^\\cA$", "\x01", true},
    {"a$", "a\n", false},
    {"^(?<year>\\d{4})-\\k<year>$", "2020-2020", true},
    {"^a{2,}?b{1}$", "aaab", true},
};

TEST(patterns_mean_what_javascript_means)
{
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++)
        if (search(meanings[i].pattern, true, meanings[i].text) !=
            (meanings[i].want ? REGEX_YES : REGEX_NO))
            fail_msg("%s on %s", meanings[i].pattern, meanings[i].text);
    assert_int_equal(search("^\\p{2}$", false, "pp"), REGEX_YES); /* without the flag */
}

TEST(the_flag_is_stricter_about_escapes)
{
    static const char *const lenient[] = {
        "\\Z", "\\-", "\\a", "x{", "]", "\\p{L", "[\\B]", "\\u{110000", "\\xZ", "\\_"};
    static const char *const fine[] = {
        "\\/\\.\\u{1F600}\\p{L}\\x41\\cA\\1()[\\-\\]]", ""};

    for (size_t i = 0; i < sizeof lenient / sizeof lenient[0]; i++) {
        assert_null(regex_fault(lenient[i], false));
        if (regex_fault(lenient[i], true) == NULL)
            fail_msg("%s is taken", lenient[i]);
    }
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++)
        if (regex_fault(fine[i], true) != NULL)
            fail_msg("%s: %s", fine[i], regex_fault(fine[i], true));
}

TEST(what_cannot_be_evaluated_is_told_from_what_is_wrong)
{
    const char *fault;

    assert_null(regex_new("(?<=a+)b", true, &fault));
    assert_string_equal(fault, "a form that cannot be evaluated");
    assert_null(regex_fault("(?<=a+)b", true));
    assert_null(regex_new("(?<=a+b", true, &fault));
    assert_string_equal(fault, "`(` without `)`");
}

/* Each would run for minutes or years without a bound. `text` is repeated. */
static const struct {
    const char *pattern, *text;
} slow[] = {
    {"^(a+)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"},
    {"(x+x+)+[yz]", "x"},
    {"a{65535}[bx]", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac"},
    {"^(.*)\\1[bx]", "a"},
    {"[a-z]+[@x]", "a"},
    {"(?:a|b|ab)*[cd]", "ab"},
};

TEST(no_search_takes_long)
{
    const size_t len = 1000000;
    char *text = mem_zalloc(len + 1);

    for (size_t i = 0; i < sizeof slow / sizeof slow[0]; i++) {
        struct regex_effort effort = PLENTY;
        size_t piece = strlen(slow[i].text);
        const char *fault;
        struct regex *regex = regex_new(slow[i].pattern, true, &fault);

        for (size_t at = 0; at < len; at++)
            text[at] = slow[i].text[at % piece];
        assert_non_null(regex);
        if (regex_search(regex, text, len, &effort, NULL) != REGEX_GAVE_UP)
            fail_msg("%s came to an end", slow[i].pattern);
        regex_free(regex);
    }
    free(text);
}

TEST(searches_share_what_they_may_take)
{
    struct regex_effort effort = {.steps = 1000, .memory_kb = 64};
    const char *fault;
    struct regex *regex = regex_new("b", true, &fault);
    int times = 0;

    while (regex_search(regex, "aaab", 4, &effort, NULL) == REGEX_YES)
        assert_true(++times < 1000);
    assert_true(times > 10);
    assert_int_equal(effort.steps, 0);
    regex_free(regex);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_mean_what_javascript_means),
        cmocka_unit_test(the_flag_is_stricter_about_escapes),
        cmocka_unit_test(what_cannot_be_evaluated_is_told_from_what_is_wrong),
        cmocka_unit_test(no_search_takes_long),
        cmocka_unit_test(searches_share_what_they_may_take),
    };

    return RUN(tests);
}
