/* SPDX-License-Identifier: Apache-2.0 */
/* What the SDK sends where: hosts, paths, queries, headers; and times that it reads. */
#include <stdlib.h>
#include <string.h>

#include "sdk/client_int.h"
#include "sdk/proxy_int.h"
#include "test.h"

static nango_client *client_for(const char *host, nango_era era)
{
    nango_client_options options = {.secret_key = "key", .host = host, .era = era};
    nango_client *client;

    assert_int_equal(nango_client_new(&options, &client, NULL), NANGO_OK);
    return client;
}

TEST(a_host_is_an_http_url)
{
    static const struct {
        const char *host;
        const char *as;
    } rows[] = {
        {NULL, "https://api.nango.dev"},
        {"", "https://api.nango.dev"},
        {"http://localhost:3003/", "http://localhost:3003"},
        {"http://localhost:3003//", "http://localhost:3003/"},
        {"https://nango.example.com/base/", "https://nango.example.com/base"},
        {"http://[::1]:80", "http://[::1]:80"},
        {"localhost", NULL},
        {"localhost:3003", NULL},
        {"ftp://localhost", NULL},
        {"http://", NULL},
        {"http://local host", NULL},
        {"http://localhost?x", NULL},
        {"http://localhost#x", NULL},
        {"http://localhost:99999", NULL},
        {"file:///etc/passwd", NULL},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        nango_client_options options = {.secret_key = "key", .host = rows[i].host};
        nango_client *client;
        nango_error err;
        nango_code code = nango_client_new(&options, &client, &err);

        if (rows[i].as == NULL) {
            assert_int_equal(code, NANGO_E_ARGUMENT);
            assert_non_null(
                strstr(err.message, "Invalid URL provided for the Nango host"));
            assert_null(client);
            continue;
        }
        assert_int_equal(code, NANGO_OK);
        assert_string_equal(nango_client_host(client), rows[i].as);
        nango_client_free(client);
    }
}

TEST(options_that_cannot_be_are_refused)
{
    static const nango_pair bad[] = {{"A b", "c"}};
    static const struct {
        nango_client_options options;
        const char *says;
    } rows[] = {
        {{0}, "You must specify an API key"},
        {{.secret_key = "a", .api_key = "b"}, "only one of"},
        {{.secret_key = "a\r\nX: y"}, "control character"},
        {{.secret_key = "a", .user_agent = "x\n"}, "control characters"},
        {{.secret_key = "a", .headers = bad, .header_count = 1}, "headers[0]"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        nango_client *client;
        nango_error err;

        assert_int_equal(
            nango_client_new(&rows[i].options, &client, &err), NANGO_E_ARGUMENT);
        assert_non_null(strstr(err.message, rows[i].says));
    }
}

TEST(the_environment_fills_what_is_not_given)
{
    nango_client *client;
    nango_error err;

    unsetenv("NANGO_SECRET_KEY");
    unsetenv("NANGO_HOSTPORT");
    assert_int_equal(nango_client_new_from_env(NULL, &client, &err), NANGO_E_ARGUMENT);
    assert_non_null(strstr(err.message, "NANGO_SECRET_KEY"));
    setenv("NANGO_SECRET_KEY", "from-env", 1);
    setenv("NANGO_HOSTPORT", "http://localhost:1/", 1);
    assert_int_equal(nango_client_new_from_env(NULL, &client, &err), NANGO_OK);
    assert_string_equal(client->key, "from-env");
    assert_string_equal(nango_client_host(client), "http://localhost:1");
    nango_client_free(client);
    assert_int_equal(nango_client_new_from_env(&(nango_client_options){.api_key = "given",
                                                   .host = "http://localhost:2"},
                         &client, &err),
        NANGO_OK);
    assert_string_equal(client->key, "given");
    assert_string_equal(nango_client_host(client), "http://localhost:2");
    nango_client_free(client);
}

TEST(ids_are_one_segment_of_the_path)
{
    static const char *const rows[][2] = {
        {"plain-1", "http://h/c/plain-1"},
        {"a b", "http://h/c/a%20b"},
        {"a/b?c#d%", "http://h/c/a%2Fb%3Fc%23d%25"},
        {"x:@,;=+~", "http://h/c/x:@,;=+~"},
        {"\xc3\xa9", "http://h/c/%C3%A9"},
        {"..x", "http://h/c/..x"},
        {"..", NULL},
        {".", NULL},
        {"", NULL},
        {NULL, NULL},
    };
    nango_client *client = client_for("http://h", NANGO_ERA_CURRENT);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        nango_call *call = ngo_call_new(client, "GET", "/c", &ngo_shape_response);

        ngo_call_segment(call, rows[i][0], "id");
        if (rows[i][1] != NULL)
            assert_string_equal(call->url.data, rows[i][1]);
        else
            assert_int_equal(call->error.code, NANGO_E_ARGUMENT);
        ngo_call_free(call);
    }
    nango_client_free(client);
}

TEST(headers_cannot_be_smuggled)
{
    static const struct {
        const char *name, *value;
        bool good;
    } rows[] = {
        {"X-Plain", "value", true},
        {"X-Empty", "", true},
        {"X-Tab", "a\tb", true},
        {"X-Utf8", "\xc3\xa9", true},
        {"X\r\nY", "v", false},
        {"X Y", "v", false},
        {"X:Y", "v", false},
        {"", "v", false},
        {"X", "v\r\nY: z", false},
        {"X", "v\n", false},
        {"X", "v\x7f", false},
    };
    nango_client *client = client_for("http://h", NANGO_ERA_CURRENT);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        nango_call *call = ngo_call_new(client, "GET", "/", &ngo_shape_response);

        ngo_call_header(call, rows[i].name, rows[i].value);
        assert_int_equal(call->error.code == NANGO_OK, rows[i].good);
        ngo_call_free(call);
    }
    nango_client_free(client);
}

/* The queries that the official client's newest version puts on the wire. */
TEST(params_replace_those_of_the_endpoint)
{
    static const nango_pair a1[] = {{"a", "1"}};
    static const nango_pair no_value[] = {{"a", NULL}};
    static const nango_pair ab[] = {{"a", "x y"}, {"b", "\xc3\xa9&="}};
    static const struct {
        nango_proxy_config config;
        const char *url;
    } rows[] = {
        {{.endpoint = "x"}, "http://h/proxy/x"},
        {{.endpoint = "/x"}, "http://h/proxy/x"},
        {{.endpoint = "//x"}, "http://h/proxy//x"},
        {{.endpoint = "x?b=2#part"}, "http://h/proxy/x?b=2"},
        {{.endpoint = "x y/\xc3\xa9\"?q=a b'"},
            "http://h/proxy/x%20y/%C3%A9%22?q=a%20b%27"},
        {{.endpoint = "x?"}, "http://h/proxy/x?"},
        {{.endpoint = "x", .params = a1, .param_count = 1}, "http://h/proxy/x?a=1"},
        {{.endpoint = "x?a=0&c=%20d&a=9&e", .params = a1, .param_count = 1},
            "http://h/proxy/x?a=1&c=+d&e="},
        {{.endpoint = "x?z=%zz&&=1", .params = a1, .param_count = 1},
            "http://h/proxy/x?z=%25zz&=1&a=1"},
        {{.endpoint = "x", .params = ab, .param_count = 2},
            "http://h/proxy/x?a=x+y&b=%C3%A9%26%3D"},
        {{.endpoint = "x", .params_text = "?a=1 2"}, "http://h/proxy/x?a=1%202"},
        {{.endpoint = "x", .params_text = "a=1"}, "http://h/proxy/x?a=1"},
        {{.endpoint = "x?b", .params_text = "a=1"}, NULL},
        {{.endpoint = "x\r\ny"}, NULL},
        {{.endpoint = "x", .params = no_value, .param_count = 1}, NULL},
    };
    nango_client *client = client_for("http://h", NANGO_ERA_CURRENT);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        nango_call *call = ngo_call_new(client, "GET", "/proxy", &ngo_shape_response);

        ngo_proxy_url(call, &rows[i].config);
        if (rows[i].url != NULL)
            assert_string_equal(call->url.data, rows[i].url);
        assert_int_equal(call->error.code == NANGO_OK, rows[i].url != NULL);
        ngo_call_free(call);
    }
    nango_client_free(client);
}

TEST(times_need_a_zone)
{
    static const struct {
        const char *text;
        bool good;
        int64_t ms;
    } rows[] = {
        {"1970-01-01T00:00:00Z", true, 0},
        {"1970-01-01T00:00:00.001Z", true, 1},
        {"2024-03-08T09:43:03.725Z", true, 1709890983725},
        {"2024-03-08T10:43:03.725999+01:00", true, 1709890983725},
        {"2024-02-29T00:00:00-00:30", true, 1709166600000},
        {"1969-12-31T23:59:59Z", true, -1000},
        {"2023-02-29T00:00:00Z", false, 0},
        {"2024-13-01T00:00:00Z", false, 0},
        {"2024-01-01T24:00:01Z", false, 0},
        {"2024-01-01T00:00:00", false, 0},
        {"2024-01-01", false, 0},
        {"2024-01-01T00:00:00Zx", false, 0},
        {"", false, 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t ms = 0;

        if (ngo_time_parse(rows[i].text, &ms) != rows[i].good || ms != rows[i].ms)
            fail_msg("%s gives %lld", rows[i].text, (long long)ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_is_an_http_url),
        cmocka_unit_test(options_that_cannot_be_are_refused),
        cmocka_unit_test(the_environment_fills_what_is_not_given),
        cmocka_unit_test(ids_are_one_segment_of_the_path),
        cmocka_unit_test(headers_cannot_be_smuggled),
        cmocka_unit_test(params_replace_those_of_the_endpoint),
        cmocka_unit_test(times_need_a_zone),
    };

    return RUN(tests);
}
