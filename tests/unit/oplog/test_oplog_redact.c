/* SPDX-License-Identifier: Apache-2.0 */
/* What is hidden, and what is not. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "net/http.h"
#include "oplog/oplog_int.h"
#include "oplog/redact.h"
#include "test.h"

static cJSON *tree_of(const char *text)
{
    cJSON *tree = json_parse(text, strlen(text), NULL);

    assert_non_null(tree);
    return tree;
}

TEST(names_of_secrets_are_known)
{
    static const char *const secret[] = {"access_token", "accessToken", "X-Api-Key",
        "api_key", "password", "client_secret", "Authorization", "Set-Cookie", "sig",
        "X-Amz-Signature", "code", "key", "refresh_token", "id_token", "privateKey"};
    static const char *const plain[] = {"page", "limit", "q", "keyword", "token_type",
        "page_token", "nextPageToken", "monkey", "encode", "author", "", "id"};

    for (size_t i = 0; i < sizeof secret / sizeof secret[0]; i++)
        if (!redact_name(secret[i], strlen(secret[i])))
            fail_msg("%s is shown", secret[i]);
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        if (redact_name(plain[i], strlen(plain[i])))
            fail_msg("%s is hidden", plain[i]);
}

TEST(urls_are_shown_without_what_is_secret_in_them)
{
    static const struct {
        const char *url, *shown;
    } rows[] = {
        {"https://api.example.com/items", "https://api.example.com/items"},
        {"https://api.example.com/items?page=2&limit=5",
            "https://api.example.com/items?page=2&limit=5"},
        {"https://api.example.com/?access_token=abc&page=2",
            "https://api.example.com/?access_token=REDACTED&page=2"},
        {"https://api.example.com/?a=1&api%5Fkey=abc#part",
            "https://api.example.com/?a=1&api%5Fkey=REDACTED"},
        {"https://user:pw@api.example.com/x", "https://api.example.com/x"},
        {"https://user@evil@api.example.com/x?at=a@b",
            "https://api.example.com/x?at=a@b"},
        {"https://api.example.com/bot0123456789/send",
            "https://api.example.com/botREDACTED/send"},
        {"https://api.example.com/a%20b%2Fc%3Dd1/send?x=a+b%2Fc%3Dd1",
            "https://api.example.com/REDACTED/send?x=REDACTED"},
        {"https://api.example.com/?flag&key", "https://api.example.com/?flag&key"},
        {"https://api.example.com/API_KEY_MODE/short",
            "https://api.example.com/API_KEY_MODE/short"},
    };
    cJSON *credentials = tree_of("{\"type\":\"API_KEY_MODE\",\"apiKey\":\"0123456789\","
                                 "\"inner\":[{\"s\":\"a b/c=d1\"},\"short\"]}");
    const cJSON *trees[] = {NULL, credentials};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *shown = redact_url(rows[i].url, trees, 2);

        assert_string_equal(shown, rows[i].shown);
        free(shown);
    }
    cJSON_Delete(credentials);
}

TEST(values_are_hidden_in_texts_and_in_json_in_any_spelling)
{
    struct redactor *redactor = redactor_new();
    cJSON *credentials = tree_of("{\"access_token\":\"tok\\\"en/1234\",\"expires_at\":"
                                 "\"2026-01-01T00:00:00Z\",\"short\":\"abc\"}");
    struct json_raw more = {"{\"password\":\"longer than tok\"}", 30};
    const char *meta =
        "{\"a\":[\"x tok\\\"en/1234 y\",1.50,null],\"tok\\\"en/1234\":2,"
        "\"Authorization\":\"Bearer zzz\",\"when\":\"2026-01-01T00:00:00Z\"}";
    struct buf out;
    char *text;

    redactor_add_tree(redactor, credentials);
    redactor_add_json(redactor, more);
    redactor_add_json(redactor, (struct json_raw){NULL, 0});
    text =
        redactor_text(redactor, "got tok\"en/1234, tok%22en%2F1234 and longer than tok.");
    assert_string_equal(text, "got REDACTED, REDACTED and REDACTED.");
    free(text);
    text = redactor_text(redactor, "abc at 2026-01-01T00:00:00Z");
    assert_string_equal(text, "abc at 2026-01-01T00:00:00Z");
    free(text);
    buf_init(&out, 0);
    redactor_json(redactor, (struct json_raw){meta, strlen(meta)}, &out);
    assert_string_equal(out.data,
        "{\"a\":[\"x REDACTED y\",1.50,null],\"REDACTED\":2,\"Authorization\":"
        "\"REDACTED\",\"when\":\"2026-01-01T00:00:00Z\"}");
    buf_finish(&out);
    cJSON_Delete(credentials);
    redactor_free(redactor);
}

TEST(meta_of_any_depth_is_redacted_without_end_to_the_stack)
{
    struct redactor *redactor = redactor_new();
    struct buf deep, out;

    buf_init(&deep, 0);
    buf_init(&out, 0);
    for (int i = 0; i < 100000; i++)
        buf_putc(&deep, '[');
    for (int i = 0; i < 100000; i++)
        buf_putc(&deep, ']');
    redactor_json(redactor, (struct json_raw){deep.data, deep.len}, &out);
    assert_true(out.len < 300);
    assert_true(json_check_syntax(out.data, out.len, NULL));
    buf_finish(&deep);
    buf_finish(&out);
    redactor_free(redactor);
}

TEST(headers_are_told_by_name_and_open_ones_by_value)
{
    struct http_headers request = {0}, answer = {0};
    struct oplog_http http = {.method = "GET",
        .url = "https://api.example.com/x",
        .status = 401,
        .attempt = 2,
        .took_ms = 7,
        .request = &request,
        .answer = &answer};
    struct buf out;

    http_headers_add(&request, "Authorization", "Bearer secret");
    http_headers_add(&request, "Accept", "text/html");
    http_headers_add(&request, "X-Custom", "may be secret");
    http_headers_add(&answer, "Set-Cookie", "session=secret");
    http_headers_add(&answer, "X-RateLimit-Remaining", "0");
    http_headers_add(&answer, "Retry-After", "\xff\xfe");
    buf_init(&out, 0);
    oplog_http_write(&http, true, &out);
    assert_string_equal(out.data,
        "\"durationMs\":7,\"request\":{\"method\":\"GET\",\"url\":\"https://"
        "api.example.com/x\",\"headers\":{\"authorization\":\"REDACTED\",\"accept\":"
        "\"text/"
        "html\",\"x-custom\":\"REDACTED\"}},\"response\":{\"code\":401,\"headers\":{"
        "\"set-cookie\":\"REDACTED\",\"x-ratelimit-remaining\":\"0\",\"retry-after\":"
        "\"REDACTED\"}},\"retry\":{\"attempt\":2}");
    buf_clear(&out);
    http = (struct oplog_http){.method = "GET",
        .url = "https://api.example.com/x",
        .failure = "ECONNREFUSED",
        .attempt = 1};
    oplog_http_write(&http, true, &out);
    assert_string_equal(out.data,
        "\"durationMs\":0,\"request\":{\"method\":\"GET\",\"url\":\"https://"
        "api.example.com/x\"},\"error\":{\"type\":\"network\",\"message\":"
        "\"ECONNREFUSED\"}");
    buf_finish(&out);
    http_headers_finish(&request);
    http_headers_finish(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_secrets_are_known),
        cmocka_unit_test(urls_are_shown_without_what_is_secret_in_them),
        cmocka_unit_test(values_are_hidden_in_texts_and_in_json_in_any_spelling),
        cmocka_unit_test(meta_of_any_depth_is_redacted_without_end_to_the_stack),
        cmocka_unit_test(headers_are_told_by_name_and_open_ones_by_value),
    };

    return RUN(tests);
}
