/* SPDX-License-Identifier: Apache-2.0 */
/* Building the provider's request. The recorded requests of each catalogue entry are
 * compared by tests/api/golden.test.mjs; here are the rules one by one, the signatures'
 * tables, and what a caller must not be able to do. */
#include "test.h"

#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "catalog/catalog.h"
#include "proxy/build.h"
#include "proxy/oauth1.h"
#include "proxy/params.h"
#include "vectors.h"

/* ---- given, when, then ---- */

static struct template_stable frozen = {
    .random = "00000000-0000-4000-8000-000000000001",
    .nonce = "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
    .now_ms = VECTORS_NOW_MS,
};

static struct {
    struct catalog *catalog;
    struct proxy_input in;
    struct http_headers headers;
    cJSON *parsed[8];
    size_t parsed_count;
    struct proxy_request out;
    struct err err;
    bool ok;
} w;

static cJSON *json_of(const char *text)
{
    struct err err = {0};
    cJSON *json = json_parse(text, strlen(text), &err);

    if (!json)
        fail_msg("%s: %s", text, err.message);
    w.parsed[w.parsed_count++] = json;
    return json;
}

static void forget(void)
{
    proxy_request_finish(&w.out);
    http_headers_finish(&w.headers);
    for (size_t i = 0; i < w.parsed_count; i++)
        cJSON_Delete(w.parsed[i]);
    catalog_unref(w.catalog);
    memset(&w, 0, sizeof w);
}

static void given_catalogue(const char *yaml, const char *provider)
{
    struct catalog_source source = {.extra_yaml = yaml};
    struct err err = {0};

    forget();
    if (!catalog_load(&source, &w.catalog, &err))
        fail_msg("%s", err.message);
    w.in = (struct proxy_input){
        .provider = catalog_find(w.catalog, provider),
        .config = json_of("{}"),
        .credentials = json_of("{}"),
        .method = "GET",
        .endpoint = "/p",
        .headers = &w.headers,
        .stable = &frozen,
    };
    assert_non_null(w.in.provider);
}

static void given_provider(const char *yaml)
{
    given_catalogue(yaml, "t");
}

static void given_body(const char *body)
{
    w.in.body = body;
    w.in.body_len = strlen(body);
    w.in.body_json = *body == '{' || *body == '[' ? json_of(body) : NULL;
}

static void build(void)
{
    proxy_request_finish(&w.out);
    memset(&w.err, 0, sizeof w.err);
    w.ok = proxy_build(&w.in, &w.out, &w.err);
}

static void url_is(const char *want)
{
    build();
    if (!w.ok)
        fail_msg("%s: %s", w.err.code, w.err.message);
    assert_string_equal(w.out.url, want);
}

static void header_is(const char *name, const char *want)
{
    const char *got = http_headers_find(&w.out.headers, name);

    if (!str_eq(got, want))
        fail_msg("%s: got %s, want %s", name, got ? got : "none", want ? want : "none");
}

static void fails_with(const char *code)
{
    build();
    assert_false(w.ok);
    assert_string_equal(w.err.code, code);
    assert_null(w.out.url);
    assert_int_equal(w.out.headers.count, 0);
}

static bool is_secret(const char *name)
{
    for (char **at = w.out.secret_headers; at && *at; at++) {
        if (str_eq(*at, name))
            return true;
    }
    return false;
}

#define PLAIN                                                                            \
    "t:\n    auth_mode: API_KEY\n    proxy:\n        base_url: https://x.test/v1/\n"

/* ---- URL ---- */

TEST(base_and_endpoint_meet_in_one_slash)
{
    static const struct {
        const char *endpoint;
        const char *want;
    } rows[] = {
        {"/a", "https://x.test/v1/a"},
        {"a", "https://x.test/v1/a"},
        {"//a//b/", "https://x.test/v1/a//b/"},
        {"/", "https://x.test/v1/"},
        {"/?q=1", "https://x.test/v1/?q=1"},
        {"/a%20b/%2F?q=a+b&r=a%20b&s=%C3%A9&t[]=1&t[]=2&u=",
            "https://x.test/v1/a%20b/%2F?q=a+b&r=a%20b&s=%C3%A9&t[]=1&t[]=2&u="},
        /* The base in the path is not doubled, at a real boundary only. */
        {"/https://x.test/v1/a", "https://x.test/v1/a"},
        {"https://x.test/v1?a=1", "https://x.test/v1/?a=1"},
        {"/https://x.test/v12/a", "https://x.test/v1/https://x.test/v12/a"},
        /* A base in a value belongs to the caller. */
        {"/a?u=https://x.test/v1/b", "https://x.test/v1/a?u=https://x.test/v1/b"},
    };

    given_provider(PLAIN);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        w.in.endpoint = rows[i].endpoint;
        url_is(rows[i].want);
    }
    forget();
}

TEST(an_override_replaces_the_base)
{
    given_provider(PLAIN);
    w.in.base_override = "http://127.0.0.1:8080/v2/";
    w.in.endpoint = "/a";
    url_is("http://127.0.0.1:8080/v2/a");
    w.in.endpoint = "/https://x.test/v1/a";
    url_is("http://127.0.0.1:8080/v2/https://x.test/v1/a");
    w.in.base_override = "http://h/";
    w.in.endpoint = "";
    url_is("http://h/");
    w.in.base_override = "";
    w.in.endpoint = "/a";
    url_is("https://x.test/v1/a");
    forget();
}

TEST(a_request_without_target_is_refused)
{
    given_provider(PLAIN);
    w.in.endpoint = "";
    fails_with("missing_api_url");
    given_provider("t:\n    auth_mode: NONE\n");
    fails_with("unsupported_provider");
    given_provider("t:\n    auth_mode: NONE\n    proxy:\n"
                   "        base_url: ${connectionConfig.u}\n");
    fails_with("ERR_INVALID_URL");
    forget();
}

TEST(the_first_base_is_taken_when_its_first_name_is_set)
{
    given_provider("t:\n    auth_mode: NONE\n    proxy:\n        base_url: "
                   "https://${connectionConfig.h}.${connectionConfig.z}.test/a || "
                   "https://other.test/b\n");
    url_is("https://other.test/b/p");
    w.in.config = json_of("{\"z\":\"z\"}");
    url_is("https://other.test/b/p");
    w.in.config = json_of("{\"h\":\"\",\"z\":\"z\"}");
    url_is("https://other.test/b/p");
    w.in.config = json_of("{\"h\":\"h\",\"z\":\"z\"}");
    url_is("https://h.z.test/a/p");
    forget();
}

TEST(a_base_may_name_config_metadata_and_credentials)
{
    given_provider("t:\n    auth_mode: API_KEY\n    proxy:\n        base_url: https://"
                   "${connectionConfig.a}.${metadata.b}.test/${credentials.c}/${c}\n");
    w.in.config = json_of("{\"a\":\"a\"}");
    w.in.metadata = json_of("{\"b\":\"b\"}");
    w.in.credentials = json_of("{\"type\":\"API_KEY\",\"c\":\"c\"}");
    url_is("https://a.b.test/c/c/p");
    forget();
}

/* Trap of the contract: the path comes from the caller, and a URL ends up in logs. */
TEST(a_path_is_filled_from_the_config_alone)
{
    given_provider(PLAIN);
    w.in.config = json_of("{\"id\":\"7\"}");
    w.in.credentials = json_of("{\"type\":\"API_KEY\",\"apiKey\":\"k\"}");
    w.in.endpoint = "/${connectionConfig.id}/x";
    url_is("https://x.test/v1/7/x");
    w.in.endpoint = "/${apiKey}/${credentials.apiKey}";
    url_is("https://x.test/v1/$%7BapiKey%7D/$%7Bcredentials.apiKey%7D");
    w.in.endpoint = "/a?x=${connectionConfig.id}||b";
    url_is("https://x.test/v1/a?x=7||b");
    forget();
}

TEST(the_catalogues_query_replaces_the_callers_and_keeps_the_rest)
{
    given_provider(
        "t:\n    auth_mode: API_KEY\n    proxy:\n        base_url: https://x.test\n"
        "        query:\n            key: ${apiKey}\n            n: 5\n"
        "            none: ${connectionConfig.none}\n");
    w.in.credentials = json_of("{\"type\":\"API_KEY\",\"apiKey\":\"a&b c\"}");
    w.in.endpoint = "/p?a=%20+&key=mine&keys=1&key";
    url_is("https://x.test/p?a=%20+&keys=1&key=a%26b+c&n=5");
    w.in.endpoint = "/p";
    url_is("https://x.test/p?key=a%26b+c&n=5");
    forget();
}

/* ---- headers ---- */

TEST(each_type_of_credentials_has_its_header)
{
    static const struct {
        const char *credentials;
        const char *want;
    } rows[] = {
        {"{}", NULL},
        {"{\"type\":\"OAUTH2\",\"access_token\":\"t\"}", "Bearer t"},
        {"{\"type\":\"APP\",\"access_token\":\"t\"}", "Bearer t"},
        {"{\"type\":\"OAUTH2_CC\",\"token\":\"t\"}", "Bearer t"},
        {"{\"type\":\"SIGNATURE\",\"token\":\"t\"}", "Bearer t"},
        {"{\"type\":\"JWT\",\"token\":\"t\"}", "Bearer t"},
        {"{\"type\":\"TWO_STEP\",\"token\":\"t\"}", "Bearer t"},
        {"{\"type\":\"BASIC\",\"username\":\"u\",\"password\":\"p\"}", "Basic dTpw"},
        {"{\"type\":\"BASIC\",\"username\":\"u\",\"password\":\"\"}", "Basic dTo="},
        {"{\"type\":\"API_KEY\",\"apiKey\":\"k\"}", NULL},
        {"{\"type\":\"BILL\",\"session_id\":\"s\"}", NULL},
        {"{\"type\":\"CUSTOM\"}", NULL},
    };

    given_provider(PLAIN);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cJSON *credentials =
            json_parse(rows[i].credentials, strlen(rows[i].credentials), NULL);
        w.in.credentials = credentials;
        build();
        assert_true(w.ok);
        header_is("authorization", rows[i].want);
        assert_int_equal(is_secret("authorization"), rows[i].want != NULL);
        cJSON_Delete(credentials);
    }
    w.in.credentials = w.parsed[1];
    forget();
}

#define HEADERS                                                                          \
    "t:\n    auth_mode: API_KEY\n    proxy:\n        base_url: https://x.test\n        " \
    "headers:\n"

TEST(templates_see_what_their_type_allows)
{
    given_provider(HEADERS "            x-key: ${apiKey}\n            x-id: ${clientId}\n"
                           "            x-token: T ${accessToken}\n"
                           "            x-config: ${connectionConfig.a}\n"
                           "            x-gone: ${connectionConfig.b}\n"
                           "            x-both: ${connectionConfig.a} ${apiKey}\n"
                           "            x-plain: v\n");
    w.in.config = json_of("{\"a\":\"A\"}");
    w.in.settings = json_of("{\"oauth_client_id\":\"ci\"}");
    w.in.credentials = json_of("{\"type\":\"API_KEY\",\"apiKey\":\"k\"}");
    build();
    header_is("x-key", "k");
    header_is("x-id", "${clientId}"); /* unresolved text is sent literally … */
    header_is("x-config", "A");
    header_is("x-gone", NULL); /* … unless it was to come from the config */
    header_is("x-both", "A k");
    header_is("x-plain", "v");
    assert_true(is_secret("x-key"));
    assert_false(is_secret("x-plain"));

    w.in.credentials =
        json_of("{\"type\":\"OAUTH2\",\"access_token\":\"t\",\"apiKey\":\"k\"}");
    build();
    header_is("authorization", "Bearer t");
    header_is("x-token", "T t");
    header_is("x-id", "ci");
    header_is("x-key", "${apiKey}");
    forget();
}

TEST(a_two_step_template_that_places_the_token_stands_for_the_bearer)
{
    given_provider(HEADERS "            x-token: ${accessToken}\n");
    w.in.credentials =
        json_of("{\"type\":\"TWO_STEP\",\"token\":\"t\",\"_cookies\":\"c\"}");
    build();
    header_is("authorization", NULL);
    header_is("x-token", "t");
    given_provider(HEADERS "            cookie: ${credentials._cookies}\n");
    w.in.credentials =
        json_of("{\"type\":\"TWO_STEP\",\"token\":\"t\",\"_cookies\":\"c\"}");
    build();
    header_is("authorization", NULL);
    header_is("cookie", "c");
    forget();
}

TEST(the_callers_headers_win_but_for_the_user_agent)
{
    given_provider(HEADERS "            user-agent: theirs\n            x-a: theirs\n");
    http_headers_add(&w.headers, "User-Agent", "mine");
    http_headers_add(&w.headers, "X-A", "mine");
    http_headers_add(&w.headers, "Authorization", "mine");
    http_headers_add(&w.headers, "Accept", "mine");
    w.in.credentials = json_of("{\"type\":\"OAUTH2\",\"access_token\":\"t\"}");
    w.in.library_defaults = true;
    build();
    header_is("user-agent", "theirs");
    header_is("x-a", "mine");
    header_is("authorization", "mine");
    header_is("accept", "mine");
    for (size_t i = 0; i < w.out.headers.count; i++)
        for (const char *c = w.out.headers.items[i].name; *c; c++)
            assert_false(*c >= 'A' && *c <= 'Z');
    given_provider(PLAIN);
    w.in.library_defaults = true;
    build();
    header_is("accept", "application/json, text/plain, */*");
    assert_true(str_starts(http_headers_find(&w.out.headers, "user-agent"), "nango/"));
    w.in.library_defaults = false;
    build();
    assert_int_equal(w.out.headers.count, 0);
    forget();
}

TEST(values_of_the_request_are_at_hand)
{
    given_provider(
        HEADERS "            x-v: ${method} ${host} ${path} ${endpoint}\n"
                "            x-u: ${urlCanonicalParams}\n"
                "            x-p: ${params}\n            x-b: ${bodyCanonicalParams}\n"
                "            x-r: ${random} ${now:X}\n");
    w.in.credentials =
        json_of("{\"type\":\"BASIC\",\"username\":\"u\",\"password\":\"p\"}");
    w.in.method = "POST";
    w.in.endpoint = "/a%20b?z=1&y=2";
    given_body("{\"b\": 1.5,\"a\":\"x y\"}");
    build();
    header_is("x-v", "POST x.test /a%20b /a%20b?z=1&y=2");
    header_is("x-u", "y=2&z=1");
    header_is("x-p", "a=x%20y&b=1.5");
    header_is("x-b", "{\"b\": 1.5,\"a\":\"x y\"}");
    header_is("x-r", "00000000-0000-4000-8000-000000000001 1705322096");
    assert_true(proxy_needs_body(w.in.provider, "BASIC"));
    forget();
}

TEST(an_integration_says_where_its_key_goes)
{
    given_catalogue(NULL, "private-api-generic");
    w.in.credentials = json_of("{\"type\":\"API_KEY\",\"apiKey\":\"k 1\"}");
    w.in.settings =
        json_of("{\"custom\":{\"keyName\":\"X-Key\",\"baseUrl\":\"https://my.test/b\","
                "\"valueTemplate\":\"Api ${apiKey}\"}}");
    url_is("https://my.test/b/p");
    header_is("x-key", "Api k 1");
    assert_true(is_secret("x-key"));
    w.in.settings = json_of("{\"custom\":{\"keyName\":\"key\",\"keyPlacement\":\"query\","
                            "\"baseUrl\":\"https://my.test\"}}");
    url_is("https://my.test/p?key=k+1");
    assert_int_equal(w.out.headers.count, 0);
    w.in.base_override = "https://over.test";
    url_is("https://over.test/p?key=k+1");
    assert_true(proxy_needs_settings(w.in.provider));
    /* Settings of that name mean nothing to other providers. */
    given_provider(PLAIN);
    w.in.settings =
        json_of("{\"custom\":{\"keyName\":\"x\",\"baseUrl\":\"https://evil.test\"}}");
    url_is("https://x.test/v1/p");
    forget();
}

/* ---- body ---- */

#define BODY                                                                             \
    "t:\n    auth_mode: API_KEY\n    proxy:\n        base_url: https://x.test\n        " \
    "body:\n"                                                                            \
    "            key: ${apiKey}\n            in:\n                a: "                   \
    "${connectionConfig.a}\n"                                                            \
    "                b: ${connectionConfig.b}\n"

static void body_is(const char *want)
{
    build();
    assert_true(w.ok);
    assert_true(str_eq(w.out.body, want));
    assert_true(!want || w.out.body_len == strlen(want));
}

TEST(the_catalogues_body_is_merged)
{
    given_provider(BODY);
    w.in.credentials = json_of("{\"type\":\"API_KEY\",\"apiKey\":\"k\"}");
    w.in.config = json_of("{\"a\":\"A\"}");
    w.in.method = "POST";
    given_body("{\"x\":1,\"key\":\"mine\"}");
    body_is("{\"x\":1,\"key\":\"k\",\"in\":{\"a\":\"A\"}}");
    given_body("[1]");
    body_is(NULL);
    given_body("bytes");
    body_is(NULL);
    given_body("");
    body_is("{\"key\":\"k\",\"in\":{\"a\":\"A\"}}");
    header_is("content-type", "application/json");
    given_body("x=1");
    http_headers_add(&w.headers, "content-type", "application/x-www-form-urlencoded");
    body_is("x=1&key=k&in%5Ba%5D=A");
    w.in.method = "GET";
    body_is(NULL);
    assert_true(proxy_needs_body(w.in.provider, "API_KEY"));
    given_provider(PLAIN);
    assert_false(proxy_needs_body(w.in.provider, "API_KEY"));
    assert_true(proxy_needs_body(w.in.provider, "AWS_SIGV4"));
    forget();
}

/* ---- signatures ---- */

TEST(aws_requests_are_signed_as_recorded)
{
    cJSON *vectors = read_json(VECTORS);
    const cJSON *row;

    given_provider("t:\n    auth_mode: AWS_SIGV4\n");
    http_headers_add(&w.headers, "X-Amz-Target", " T  x ");
    cJSON_ArrayForEach(row, json_get(vectors, "sigv4"))
    {
        const char *url = json_str(row, "url");
        const char *path = strchr(url + 8, '/');
        char *base = str_ndup(url, (size_t)(path - url));
        const cJSON *header;

        w.in.method = json_str(row, "method");
        w.in.endpoint = path;
        w.in.base_override = base;
        w.in.credentials = json_get(row, "credentials");
        w.in.body = json_str(row, "body");
        w.in.body_len = w.in.body ? strlen(w.in.body) : 0;
        url_is(url);
        cJSON_ArrayForEach(header, json_get(row, "result"))
            header_is(header->string, header->valuestring);
        assert_int_equal(
            w.out.headers.count, cJSON_GetArraySize(json_get(row, "result")));
        free(base);
    }
    cJSON_Delete(vectors);
    given_provider("t:\n    auth_mode: AWS_SIGV4\n");
    w.in.config = json_of("{\"base_url\":\"https://mine.test\"}");
    w.in.credentials = json_of("{\"type\":\"AWS_SIGV4\"}");
    fails_with("unsupported_auth");
    forget();
}

/* OAuth Core 1.0, appendix A.5. */
TEST(oauth_1_signs_the_standards_example)
{
    struct template_stable stable = {
        .nonce = "kllo9940pd9333jh", .now_ms = INT64_C(1191242096000)};
    struct oauth1 in = {
        .method = OAUTH1_HMAC_SHA1,
        .http_method = "GET",
        .url = "http://photos.example.net/photos?file=vacation.jpg&size=original",
        .consumer_key = "dpf43f3p2l4k3l03",
        .consumer_secret = "kd94hf93k423kf44",
        .token = "nnch734d00sl2jdk",
        .token_secret = "pfkkdhi9sl3r4s00",
        .stable = &stable,
    };
    struct buf out;

    buf_init(&out, 0);
    oauth1_header(&in, &out);
    assert_string_equal(out.data,
        "OAuth oauth_consumer_key=\"dpf43f3p2l4k3l03\", "
        "oauth_nonce=\"kllo9940pd9333jh\", "
        "oauth_signature=\"tR3%2BTy81lMeYAr%2FFid0kMTYa%2FWM%3D\", "
        "oauth_signature_method=\"HMAC-SHA1\", oauth_timestamp=\"1191242096\", "
        "oauth_token=\"nnch734d00sl2jdk\", oauth_version=\"1.0\"");
    buf_clear(&out);
    in.method = OAUTH1_PLAINTEXT;
    oauth1_header(&in, &out);
    assert_non_null(
        strstr(out.data, "oauth_signature=\"kd94hf93k423kf44%26pfkkdhi9sl3r4s00\""));
    buf_finish(&out);
}

TEST(a_nonce_is_fresh_each_time)
{
    struct template_stable stable = {.now_ms = VECTORS_NOW_MS};
    struct oauth1 in = {.http_method = "GET",
        .url = "https://x.test/",
        .consumer_key = "k",
        .consumer_secret = "s",
        .stable = &stable};
    struct buf one, two;

    buf_init(&one, 0);
    buf_init(&two, 0);
    oauth1_header(&in, &one);
    oauth1_header(&in, &two);
    assert_string_not_equal(one.data, two.data);
    buf_finish(&one);
    buf_finish(&two);
}

TEST(without_a_client_nothing_is_signed)
{
    given_provider(
        "t:\n    auth_mode: OAUTH1\n    proxy:\n        base_url: https://x.test\n");
    w.in.credentials = json_of(
        "{\"type\":\"OAUTH1\",\"oauth_token\":\"t\",\"oauth_token_secret\":\"s\"}");
    fails_with("unsupported_auth");
    w.in.settings = json_of("{\"oauth_client_id\":\"i\",\"oauth_client_secret\":\"s\"}");
    url_is("https://x.test/p");
    forget();
}

TEST(parameters_are_canonical_as_recorded)
{
    cJSON *vectors = read_json(VECTORS);
    const cJSON *row;

    given_provider(HEADERS "            x-p: ${params}\n");
    cJSON_ArrayForEach(row, json_get(vectors, "canonicalParams"))
    {
        const cJSON *data = json_get(row, "data");
        char *endpoint = str_printf("/p?%s", json_str(row, "query"));
        char *body = cJSON_IsObject(data) ? json_print(data) : NULL;

        w.in.method = json_str(row, "method");
        w.in.endpoint = endpoint;
        w.in.body = body ? body : cJSON_IsString(data) ? data->valuestring : NULL;
        w.in.body_len = w.in.body ? strlen(w.in.body) : 0;
        w.in.body_json = cJSON_IsObject(data) ? data : NULL;
        build();
        header_is("x-p", json_str(row, "result"));
        free(endpoint);
        free(body);
    }
    cJSON_Delete(vectors);
    forget();
}

TEST(many_parameters_are_sorted_quickly)
{
    struct params params = {0};
    struct buf form, out;
    int64_t start_ms = clock_mono_ms();

    buf_init(&form, 0);
    buf_init(&out, 0);
    for (int i = 200000; i > 0; i--)
        buf_printf(&form, "k%d=%d&", i, i);
    params_add_form(&params, form.data, form.len);
    params_sort(&params, false);
    params_write(&params, &out);
    assert_true(str_starts(out.data, "k1=1&k10=10&k100=100&"));
    assert_true(clock_mono_ms() - start_ms < 20000); /* quadratic work would take hours */
    params_finish(&params);
    buf_finish(&form);
    buf_finish(&out);
}

/* ---- what it costs ---- */

TEST(the_usual_requests_cost_microseconds)
{
    static const struct {
        const char *provider;
        const char *credentials;
    } rows[] = {
        {"github", "{\"type\":\"OAUTH2\",\"access_token\":\"gho_"
                   "0123456789012345678901234567\"}"},
        {"private-api-bearer",
            "{\"type\":\"API_KEY\",\"apiKey\":\"0123456789012345678901234\"}"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t start_us;
        given_catalogue(NULL, rows[i].provider);
        w.in.credentials = json_of(rows[i].credentials);
        w.in.endpoint = "/repos/acme/site/issues?state=all&per_page=100";
        w.in.library_defaults = true;
        start_us = clock_mono_us();
        for (int n = 0; n < 20000; n++)
            build();
        printf("%s: %.2f us a request\n", rows[i].provider,
            (double)(clock_mono_us() - start_us) / 20000);
        assert_true(w.ok);
    }
    forget();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base_and_endpoint_meet_in_one_slash),
        cmocka_unit_test(an_override_replaces_the_base),
        cmocka_unit_test(a_request_without_target_is_refused),
        cmocka_unit_test(the_first_base_is_taken_when_its_first_name_is_set),
        cmocka_unit_test(a_base_may_name_config_metadata_and_credentials),
        cmocka_unit_test(a_path_is_filled_from_the_config_alone),
        cmocka_unit_test(the_catalogues_query_replaces_the_callers_and_keeps_the_rest),
        cmocka_unit_test(each_type_of_credentials_has_its_header),
        cmocka_unit_test(templates_see_what_their_type_allows),
        cmocka_unit_test(a_two_step_template_that_places_the_token_stands_for_the_bearer),
        cmocka_unit_test(the_callers_headers_win_but_for_the_user_agent),
        cmocka_unit_test(values_of_the_request_are_at_hand),
        cmocka_unit_test(an_integration_says_where_its_key_goes),
        cmocka_unit_test(the_catalogues_body_is_merged),
        cmocka_unit_test(aws_requests_are_signed_as_recorded),
        cmocka_unit_test(oauth_1_signs_the_standards_example),
        cmocka_unit_test(a_nonce_is_fresh_each_time),
        cmocka_unit_test(without_a_client_nothing_is_signed),
        cmocka_unit_test(parameters_are_canonical_as_recorded),
        cmocka_unit_test(many_parameters_are_sorted_quickly),
        cmocka_unit_test(the_usual_requests_cost_microseconds),
    };

    return RUN(tests);
}
