/* SPDX-License-Identifier: Apache-2.0 */
/* URLs as the WHATWG standard writes them, and regular expressions of the catalogue. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "catalog/pattern.h"
#include "catalog/weburl.h"

static const struct {
    const char *text;
    const char *want; /* NULL = no http(s) URL */
} urls[] = {
    {"https://x.test", "https://x.test/"},
    {"HTTPS://X.Test:443/A", "https://x.test/A"},
    {"http://x.test:80", "http://x.test/"},
    {"http://x.test:443/", "http://x.test:443/"},
    {"https://x.test:08443/", "https://x.test:8443/"},
    {"https://x.test:/", "https://x.test/"},
    {"https://x.test:65536/", NULL},
    {"https://x.test:8a/", NULL},
    {"  https://x.test/a b\t", "https://x.test/a%20b"},
    {"https://x.te\nst/", "https://x.test/"},
    {"https://x.test/a%20b/%2F?q=a+b&r=a%20b", "https://x.test/a%20b/%2F?q=a+b&r=a%20b"},
    {"https://x.test/a/./b/../c", "https://x.test/a/c"},
    {"https://x.test/a/%2e%2E/c", "https://x.test/c"},
    {"https://x.test/../../a", "https://x.test/a"},
    {"https://x.test/a/..", "https://x.test/"},
    {"https://x.test/a/.", "https://x.test/a/"},
    {"https://x.test/a//b/", "https://x.test/a//b/"},
    {"https://x.test\\a\\b", "https://x.test/a/b"},
    {"https:\\\\x.test/", NULL},
    {"https:////x.test/", "https://x.test/"},
    {"https:/x.test/", NULL},
    {"https://", NULL},
    {"https:///", NULL},
    {"https://x.test?q", "https://x.test/?q"},
    {"https://x.test/?", "https://x.test/?"},
    {"https://x.test/p?q='\"<>#f`", "https://x.test/p?q=%27%22%3C%3E#f%60"},
    {"https://x.test/{a}|b", "https://x.test/%7Ba%7D|b"},
    {"https://x.test/?{a}", "https://x.test/?{a}"},
    {"https://x.test/\xc3\xa9", "https://x.test/%C3%A9"},
    {"https://\xc3\xa9.test/", NULL},
    {"https://a b/", NULL},
    {"https://a%20b/", NULL},
    {"https://a<b/", NULL},
    {"https://%61.test/", "https://a.test/"},
    {"https://a%/", NULL},
    {"https://u:p@x.test/", "https://u:p@x.test/"},
    {"https://u@v@x.test/", "https://u%40v@x.test/"},
    {"https://@x.test/", "https://x.test/"},
    {"https://1.2.3.4/", "https://1.2.3.4/"},
    {"https://0x7f.1/", "https://127.0.0.1/"},
    {"https://2130706433/", "https://127.0.0.1/"},
    {"https://1.2.3.256/", NULL},
    {"https://1.2.3.4.5/", NULL},
    {"https://x.1/", NULL},
    {"https://[::1]:8080/", "https://[::1]:8080/"},
    {"https://[0:0::1]/", "https://[::1]/"},
    {"https://[::1/", NULL},
    {"https://[x]/", NULL},
    {"ftp://x.test/", NULL},
    {"javascript:alert(1)", NULL},
    {"x.test/a", NULL},
    {"", NULL},
};

TEST(urls_are_written_in_their_normal_form)
{
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct weburl url;
        bool ok = weburl_parse(urls[i].text, &url);
        if (ok != (urls[i].want != NULL) || (ok && !str_eq(url.text, urls[i].want)))
            fail_msg("%s: got %s, want %s", urls[i].text, ok ? url.text : "none",
                urls[i].want ? urls[i].want : "none");
        weburl_finish(&url);
    }
}

TEST(a_url_knows_its_parts)
{
    struct weburl url;

    assert_true(weburl_parse("https://u@X.test:8443/a/b?c=d&e#f", &url));
    assert_string_equal(url.host, "x.test:8443");
    assert_int_equal(url.origin_len, strlen("https://u@x.test:8443"));
    assert_memory_equal(url.text + url.path, "/a/b", 4);
    assert_int_equal(url.path_len, 4);
    assert_true(url.has_query);
    assert_memory_equal(url.text + url.query, "c=d&e", 5);
    assert_int_equal(url.query_len, 5);
    weburl_finish(&url);
    assert_true(weburl_parse("https://x.test/a#b", &url));
    assert_false(url.has_query);
    assert_int_equal(url.query_len, 0);
    weburl_finish(&url);
}

/* ---- patterns ---- */

static const struct {
    const char *pattern;
    const char *fault; /* NULL = fine */
} patterns[] = {
    {"^[a-z0-9_-]+$", NULL},
    {"^(?!x)(?:a|b){2,3}?\\d*$", NULL},
    {"^(?<name>a)(?<=b)(?<!c)$", NULL},
    {"[\\]]", NULL},
    {"[(]", NULL},
    {"a{", NULL},
    {"", NULL},
    {"(a", "`(` without `)`"},
    {"a)", "`)` without `(`"},
    {"[a", "`[` without `]`"},
    {"a\\", "a lone `\\` at its end"},
    {"[\\", "`[` without `]`"},
    {"*a", "a quantifier with nothing before it"},
    {"a|+", "a quantifier with nothing before it"},
    {"(?)", "unknown kind of group after `(?`"},
    {"(?<n", "unknown kind of group after `(?`"},
};

TEST(broken_patterns_are_told_apart)
{
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        const char *got = pattern_fault(patterns[i].pattern);
        if (!str_eq(got, patterns[i].fault))
            fail_msg("%s: got %s, want %s", patterns[i].pattern, got ? got : "fine",
                patterns[i].fault ? patterns[i].fault : "fine");
    }
}

static const struct {
    const char *pattern;
    const char *text;
    const char *want; /* group 1; NULL = no match */
} matches[] = {
    {"until (.+)", "wait until noon", "noon"},
    {"/until (.+)/", "wait until noon", "noon"},
    {"Retry after (\\d+) s", "Retry after 17 s", "17"},
    {"\\. +Retry after (.+)", "Limit. Retry after 5", "5"}, {"([0-9\\d]+)", "x42", "42"},
    {"a(b)?c", "ac", NULL}, {"(x)", "y", NULL}, {"(?:a)(b)", "ab", "b"},
    {"(a+?)", "aaa", "a"}, {"(a)\\1b", "aab", "a"}, {"^(?!x)([\\w-]+)$", "a-b", "a-b"},
    {"^(?!x)(.+)$", "xa", NULL}, {"(?<=\\$)(\\d+)", "cost $42", "42"},
    {"(a{,3})", "aaa a{,3}", "a{,3}"}, /* no quantifier in JavaScript */
    {"({x}[{}]|y)", "{x}}", "{x}}"},
    {"([[:x]+)", "a[:x", "[:x"}, /* no class of its own in a class */
    {"(\\a\\v)", "a\v", "a\v"}, {"(b)$", "b\n", NULL}, /* the very end */
    {"([^]+)", "a\nb", "a\nb"},
    {"(\\u00e9.)", "caf\xc3\xa9\xe2\x82\xac", "\xc3\xa9\xe2\x82\xac"},
    {"((a*)*)*$b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac",
        NULL}, /* in time */
};

TEST(the_first_group_of_a_match_is_read)
{
    for (size_t i = 0; i < sizeof matches / sizeof matches[0]; i++) {
        char *got = pattern_match(matches[i].pattern, matches[i].text);
        if (!str_eq(got, matches[i].want))
            fail_msg("%s on %s: got %s", matches[i].pattern, matches[i].text,
                got ? got : "none");
        free(got);
    }
}

TEST(what_a_browser_would_not_read_or_nobody_could_is_refused)
{
    static const char *const bad[] = {"no group", "(a", "(a++)", "(?>a)(b)", "(*UTF)(a)",
        "((((a{1,255}){1,255}){1,255}){1,255})", "(a{99999999999999999999})", "(b{2,1})"};

    assert_null(pattern_match_fault("/User-rate limit exceeded\\. +Retry after (.+)/"));
    assert_null(pattern_match_fault("([0-9]{1,3}) of [0-9]{1,3}"));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (pattern_match_fault(bad[i]) == NULL)
            fail_msg("%s is taken", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_written_in_their_normal_form),
        cmocka_unit_test(a_url_knows_its_parts),
        cmocka_unit_test(broken_patterns_are_told_apart),
        cmocka_unit_test(the_first_group_of_a_match_is_read),
        cmocka_unit_test(what_a_browser_would_not_read_or_nobody_could_is_refused),
    };

    return RUN(tests);
}
