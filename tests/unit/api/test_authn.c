/* SPDX-License-Identifier: Apache-2.0 */
/* Reading keys out of headers, and what scopes open. */
#include "api/api_int.h"
#include "test.h"

TEST(the_key_is_what_follows_the_last_bearer)
{
    assert_string_equal(bearer_of("Bearer abc"), "abc");
    assert_string_equal(bearer_of("abc"), "abc");
    assert_string_equal(bearer_of("Bearer x Bearer y"), "y");
    assert_string_equal(bearer_of("bearer abc"), "bearer abc");
    assert_string_equal(bearer_of("Bearer  abc"), " abc");
    assert_string_equal(bearer_of("Bearer "), "");
    assert_string_equal(bearer_of("Bearer"), "Bearer");
}

TEST(a_scope_opens_itself_and_a_star_all_below)
{
    assert_true(scopes_allow("environment:*", "environment:connections:read"));
    assert_true(scopes_allow("environment:proxy", "environment:proxy"));
    assert_true(scopes_allow("a b environment:proxy", "environment:proxy"));
    assert_true(
        scopes_allow("environment:connections:*", "environment:connections:read"));
    assert_false(scopes_allow("", "environment:proxy"));
    assert_false(scopes_allow("environment:prox", "environment:proxy"));
    assert_false(scopes_allow("environment:proxyx", "environment:proxy"));
    assert_false(scopes_allow("environment:*", "account:environments:create"));
    assert_false(
        scopes_allow("environment:connections:*", "environment:connectionsx:read"));
    assert_false(
        scopes_allow("environment:connections:*", "environment:integrations:read"));
    assert_false(scopes_allow(":*", "environment:proxy"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_key_is_what_follows_the_last_bearer),
        cmocka_unit_test(a_scope_opens_itself_and_a_star_all_below),
    };

    return RUN(tests);
}
