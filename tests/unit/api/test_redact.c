/* SPDX-License-Identifier: Apache-2.0 */
/* Cutting refresh tokens out of text must do what cutting them out of a tree does. */
#include <stdlib.h>
#include <string.h>

#include "api/redact.h"
#include "auth/connection.h"
#include "base/json.h"
#include "base/str.h"
#include "test.h"

static void expect(const char *text, const char *want)
{
    char *copy = str_dup(text);
    cJSON *tree = json_parse(text, strlen(text), NULL);
    char *printed;

    print_message("%s\n", text);
    assert_true(redact_refresh_tokens(copy));
    assert_string_equal(copy, want);
    credentials_hide_refresh_token(tree);
    printed = json_print(tree);
    assert_string_equal(printed, want);
    free(printed);
    free(copy);
    cJSON_Delete(tree);
}

TEST(members_of_that_name_go_wherever_they_are)
{
    expect("{}", "{}");
    expect("{\"a\":1}", "{\"a\":1}");
    expect("{\"refresh_token\":\"r\"}", "{}");
    expect("{\"refresh_token\":\"r\",\"a\":1}", "{\"a\":1}");
    expect("{\"a\":1,\"refresh_token\":\"r\"}", "{\"a\":1}");
    expect("{\"a\":1,\"refreshToken\":null,\"b\":[2]}", "{\"a\":1,\"b\":[2]}");
    expect("{\"a\":{\"REFRESH-TOKEN 2\":{\"x\":[\"}\",\"]\"]}},\"b\":\"\"}",
        "{\"a\":{},\"b\":\"\"}");
    expect("{\"a\":[{\"refresh_token\":[1,{\"b\":2}],\"c\":3},{\"refreshtoken\":1e5}]}",
        "{\"a\":[{\"c\":3},{}]}");
    expect("{\"refresh_token\":\"a\\\"},{\",\"refresh.token\":true,\"x\":false}",
        "{\"x\":false}");
}

TEST(other_names_and_all_values_stay)
{
    expect("{\"a\":\"refresh_token\"}", "{\"a\":\"refresh_token\"}");
    expect("{\"a\":[\"refresh_token\",\":\"]}", "{\"a\":[\"refresh_token\",\":\"]}");
    expect("{\"refresh_tokens\":1,\"my_refresh_token\":2,\"refresh\":3}",
        "{\"refresh_tokens\":1,\"my_refresh_token\":2,\"refresh\":3}");
    expect("{\"a\":\"x\\\\\",\"refresh_token\":\"y\",\"b\":\"\\\"\"}",
        "{\"a\":\"x\\\\\",\"b\":\"\\\"\"}");
    expect("{\"a\":\"\xC3\xA9\",\"\":0}", "{\"a\":\"\xC3\xA9\",\"\":0}");
}

TEST(a_name_with_escaped_letters_is_left_to_the_tree)
{
    char text[] = "{\"\\u0072efresh_token\":1}";
    char value[] = "{\"a\":\"\\u0072\"}";

    assert_false(redact_refresh_tokens(text));
    assert_true(redact_refresh_tokens(value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_of_that_name_go_wherever_they_are),
        cmocka_unit_test(other_names_and_all_values_stay),
        cmocka_unit_test(a_name_with_escaped_letters_is_left_to_the_tree),
    };

    return RUN(tests);
}
