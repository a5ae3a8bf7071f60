/* SPDX-License-Identifier: Apache-2.0 */
/* Paths against patterns, and what stood for the names. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/router.h"
#include "test.h"

struct match_case {
    const char *pattern, *path;
    const char *first, *second; /* raw spans; NULL = no match when both are */
    bool matches;
};

TEST(a_path_matches_its_pattern)
{
    static const struct match_case cases[] = {
        {"/health", "/health", NULL, NULL, true},
        {"/health", "/health/", NULL, NULL, true},
        {"/health", "/HeAlTh", NULL, NULL, true},
        {"/health", "/health//", NULL, NULL, false},
        {"/health", "//health", NULL, NULL, false},
        {"/health", "/healthy", NULL, NULL, false},
        {"/health", "/heal", NULL, NULL, false},
        {"/health", "/", NULL, NULL, false},
        {"/a/:b", "/a/x", "x", NULL, true},
        {"/a/:b", "/a/X%2Fy", "X%2Fy", NULL, true},
        {"/a/:b", "/a/x/", "x", NULL, true},
        {"/a/:b", "/a/", NULL, NULL, false},
        {"/a/:b", "/a//", NULL, NULL, false},
        {"/a/:b", "/a", NULL, NULL, false},
        {"/a/:b", "/a/x/y", NULL, NULL, false},
        {"/a/:b/c", "/A/x/C", "x", NULL, true},
        {"/a/:b/c", "/a/x/d", NULL, NULL, false},
        {"/a/:b/c/:d", "/a/1/c/2", "1", "2", true},
        {"/a/:b/c/:d", "/a//c/2", NULL, NULL, false},
        {"/proxy/*", "/proxy", NULL, NULL, true},
        {"/proxy/*", "/proxy/", NULL, NULL, true},
        {"/proxy/*", "/PROXY/a/b//c", NULL, NULL, true},
        {"/proxy/*", "/proxyx", NULL, NULL, false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct match_case *c = &cases[i];
        const char *want[] = {c->first, c->second};
        struct path_span spans[PATH_MAX_PARAMS] = {0};

        print_message("%s ~ %s\n", c->path, c->pattern);
        assert_int_equal(path_match(c->pattern, c->path, spans), c->matches);
        for (size_t k = 0; k < 2 && want[k] != NULL; k++) {
            assert_int_equal(spans[k].len, strlen(want[k]));
            assert_memory_equal(spans[k].text, want[k], spans[k].len);
        }
    }
}

static void expect_decoded(const char *raw, const char *want)
{
    struct path_span span = {raw, strlen(raw)};
    char *text = path_span_decode(&span);

    if (want == NULL) {
        assert_null(text);
        return;
    }
    assert_non_null(text);
    assert_string_equal(text, want);
    free(text);
}

TEST(escapes_are_decoded_and_bad_ones_refused)
{
    expect_decoded("rec%20sp@c:e", "rec sp@c:e");
    expect_decoded("a+b", "a+b");
    expect_decoded("%F0%9F%98%80", "\xF0\x9F\x98\x80");
    expect_decoded("a%00b", "a\xEF\xBF\xBD"
                            "b");
    expect_decoded("%zz", NULL);
    expect_decoded("%f", NULL);
    expect_decoded("%", NULL);
    expect_decoded("%ff%fe", NULL);
}

TEST(names_are_read_off_the_pattern)
{
    char name[16];

    path_param_name("/a/:first/c/:second", 0, name, sizeof name);
    assert_string_equal(name, "first");
    path_param_name("/a/:first/c/:second", 1, name, sizeof name);
    assert_string_equal(name, "second");
    path_param_name("/a/:first/c/:second", 2, name, sizeof name);
    assert_string_equal(name, "");
    path_param_name("/a/:first", 0, name, 4);
    assert_string_equal(name, "fir");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_matches_its_pattern),
        cmocka_unit_test(escapes_are_decoded_and_bad_ones_refused),
        cmocka_unit_test(names_are_read_off_the_pattern),
    };

    return RUN(tests);
}
