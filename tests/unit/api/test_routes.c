/* SPDX-License-Identifier: Apache-2.0 */
/* The route table: what serves what, and that it holds together. */
#include <ctype.h>
#include <string.h>

#include "api/api_int.h"
#include "api/scopes.h"
#include "test.h"

static const struct route *find(const char *method, const char *path)
{
    struct path_span spans[PATH_MAX_PARAMS];

    return route_find(method, path, spans);
}

static void expect(const char *method, const char *path, void (*handle)(struct call *))
{
    const struct route *route = find(method, path);

    print_message("%s %s\n", method, path);
    assert_non_null(route);
    assert_ptr_equal(route->handle, handle);
}

TEST(both_eras_of_paths_are_served)
{
    expect("GET", "/connection/c1", get_connection);
    expect("GET", "/connections/c1", get_connection);
    expect("HEAD", "/connections/c1", get_connection);
    expect("GET", "/Connections/C1/", get_connection);
    expect("GET", "/connection/", list_connections);
    expect("POST", "/connection", import_connection_legacy);
    expect("POST", "/connections", import_connection);
    expect("POST", "/connection/c1/metadata", set_metadata_legacy);
    expect("GET", "/config/github", config_get);
    expect("POST", "/unauth/none", auth_unauthenticated_legacy);
}

TEST(fixed_words_are_not_taken_for_ids)
{
    expect("POST", "/connection/metadata", set_metadata);
    expect("PATCH", "/connections/metadata", update_metadata);
    expect("GET", "/connection/metadata", get_connection);
    expect("POST", "/integrations/quickstart", create_quickstart_integration);
    expect("GET", "/integrations/quickstart", get_integration);
}

TEST(the_proxy_takes_every_method)
{
    static const char *const methods[] = {"GET", "POST", "PROPFIND", "REPORT", "DELETE"};

    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        const struct route *route = find(methods[i], "/proxy/a/b");

        assert_non_null(route);
        assert_int_equal(route->run, RUN_PROXY);
    }
}

TEST(what_is_not_listed_is_not_found)
{
    assert_null(find("POST", "/connections/c1"));
    assert_null(find("GET", "/connections/c1/metadata"));
    assert_null(find("PUT", "/connections"));
    assert_null(find("GET", "//connections"));
    assert_null(find("GET", "/"));
    assert_null(find("get", "/connections"));
}

/* Scopes mean nothing where no key is asked for, and literals are compared in lower case.
 */
TEST(every_row_is_sound)
{
    for (size_t i = 0; i < api_route_count; i++) {
        const struct route *route = &api_routes[i];
        bool in_name = false;

        print_message("%s %s\n", route->method, route->pattern);
        assert_true(route->pattern[0] == '/');
        assert_true((route->handle == NULL) == (route->run == RUN_PROXY));
        if (route->who == WHO_ANYONE || route->who == WHO_SESSION ||
            route->who == WHO_BROWSER)
            assert_null(route->scope);
        if (strcmp(route->method, "GET") != 0 && route->who == WHO_KEY)
            assert_non_null(route->scope);
        if (route->scope != NULL) /* a key can be given it */
            assert_true(scope_is_known(route->scope, strlen(route->scope)));
        if (route->or_scope != NULL)
            assert_true(scope_is_known(route->or_scope, strlen(route->or_scope)));
        if (strcmp(route->method, "GET") != 0 && route->handle != trigger_action &&
            route->handle != call_endpoint) /* which do not write themselves */
            assert_int_not_equal(route->run, RUN_READ);
        for (const char *c = route->pattern; *c != '\0'; c++) {
            in_name = *c == ':' || (in_name && *c != '/');
            assert_true(in_name || !isupper((unsigned char)*c));
        }
    }
}

TEST(scopes_are_known_whole_or_cut_at_a_colon)
{
    static const char *const known[] = {"environment:*", "account:*",
        "account:environments:*", "environment:proxy", "environment:connections:*",
        "environment:connections:read"};
    static const char *const unknown[] = {"", "*", ":*", "environment",
        "environment:", "environment:conn*", "environment:connections",
        "environment:connections:reads", "environment:connections:rea",
        "environment:proxy:*", "account:environments:create "};

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        assert_true(scope_is_known(known[i], strlen(known[i])));
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        assert_false(scope_is_known(unknown[i], strlen(unknown[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_eras_of_paths_are_served),
        cmocka_unit_test(fixed_words_are_not_taken_for_ids),
        cmocka_unit_test(the_proxy_takes_every_method),
        cmocka_unit_test(what_is_not_listed_is_not_found),
        cmocka_unit_test(every_row_is_sound),
        cmocka_unit_test(scopes_are_known_whole_or_cut_at_a_colon),
    };

    return RUN(tests);
}
