/* SPDX-License-Identifier: Apache-2.0 */
/* What an answer becomes: a result, or an error that names the cause and no secret. */
#include <string.h>

#include "sdk/client_int.h"
#include "test.h"

#define KEY "0791b35e-8a9c-44e5-a22d-65e3747e44dd"

/* So long that the message ends within the key that follows; and what is left of it. */
#define TEN "0123456789"
#define LONG TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define CUT TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "***"

static nango_client *client;

static int set_up(void **state)
{
    nango_client_options options = {.secret_key = KEY, .host = "http://h"};

    (void)state;
    return nango_client_new(&options, &client, NULL) == NANGO_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    nango_client_free(client);
    return 0;
}

/* A call whose answer has just come. */
static nango_call *answered(
    int status, const char *header, const char *value, const char *body, bool proxied)
{
    nango_call *call = ngo_call_new(client, "GET", "/path", &ngo_shape_response);

    assert_non_null(call);
    call->proxied = proxied;
    call->response = ngo_response_new(&call->mem);
    assert_non_null(call->response);
    call->response->status = status;
    if (header != NULL)
        assert_true(ngo_response_add_header(
            call->response, header, strlen(header), value, strlen(value)));
    ngo_text_puts(&call->response->body, body);
    return call;
}

TEST(failures_carry_the_servers_code_and_words)
{
    static const struct {
        int status;
        bool proxied;
        const char *body, *code, *message;
    } rows[] = {
        {404, false,
            "{\"error\":{\"code\":\"unknown_connection\",\"message\":\"No such one\"}}",
            "unknown_connection",
            "GET /path: status 404 unknown_connection: No such one"},
        {400, false,
            "{\"error\":{\"code\":\"invalid_body\",\"errors\":[{\"message\":\"Too "
            "long\"}]}}",
            "invalid_body", "GET /path: status 400 invalid_body: Too long"},
        {400, false, "{\"error\":\"Missing it\",\"type\":\"missing_it\"}", "missing_it",
            "GET /path: status 400 missing_it: Missing it"},
        {400, false, "{\"message\":\"Syncs must be an array\"}", "",
            "GET /path: status 400: Syncs must be an array"},
        {502, false, "<html>", "", "GET /path: status 502"},
        {500, false, "", "", "GET /path: status 500"},
        {400, false, "{\"error\":{\"code\":\"not a code\"}}", "",
            "GET /path: status 400"},
        {400, false, "{\"message\":\"a\\r\\nb\\u0007\"}", "",
            "GET /path: status 400: a  b "},
        {401, false, "{\"message\":\"no such key: " KEY "\"}", "",
            "GET /path: status 401: no such key: ***"},
        /* one that is cut off in the middle of the key */
        {401, false, "{\"message\":\"" LONG KEY "\"}", "", "GET /path: status 401: " CUT},
        {401, false, "{\"error\":{\"code\":\"" KEY "\"}}", "", "GET /path: status 401"},
        /* a provider's words may repeat what it was sent */
        {403, true, "{\"error\":{\"code\":\"denied\",\"message\":\"token x\"}}", "denied",
            "GET /path: status 403 denied"},
        /* the proxy's own words do not */
        {424, true,
            "{\"error\":{\"code\":\"connection_refresh_backoff\",\"message\":\"Later\"}}",
            "connection_refresh_backoff",
            "GET /path: status 424 connection_refresh_backoff: Later"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        nango_call *call = answered(rows[i].status, "Content-Type", "application/json",
            rows[i].body, rows[i].proxied);
        nango_response *result = ngo_decode(call);

        ngo_call_report(call);
        assert_int_equal(call->error.code, NANGO_E_HTTP);
        assert_int_equal(call->error.http_status, rows[i].status);
        assert_string_equal(call->error.server_code, rows[i].code);
        assert_string_equal(call->error.message, rows[i].message);
        assert_int_equal(result != NULL, rows[i].proxied);
        nango_response_free(result);
        ngo_call_free(call);
    }
}

TEST(retry_after_is_told_in_seconds)
{
    static const struct {
        const char *value;
        int seconds;
    } rows[] = {{"120", 120}, {"0", 0}, {"", -1}, {"-1", -1}, {"1.5", -1},
        {"Wed, 21 Oct 2026 07:28:00 GMT", -1}, {"99999999999", -1}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        nango_call *call = answered(429, "Retry-After", rows[i].value, "{}", false);

        assert_null(ngo_decode(call));
        assert_int_equal(call->error.retry_after_s, rows[i].seconds);
        ngo_call_free(call);
    }
}

TEST(a_proxied_answer_is_what_was_asked_for)
{
    static const struct {
        nango_response_type type;
        const char *content_type, *body;
        nango_code code;
        bool json;
    } rows[] = {
        {NANGO_RESPONSE_ANY, "application/json", "{\"a\":1}", NANGO_OK, true},
        {NANGO_RESPONSE_ANY, "Application/JSON", "{\"a\":1}", NANGO_OK, true},
        {NANGO_RESPONSE_ANY, "application/json", "{\"a\":", NANGO_OK, false},
        {NANGO_RESPONSE_ANY, "text/plain", "{\"a\":1}", NANGO_OK, false},
        {NANGO_RESPONSE_ANY, "text/plain", "\xff", NANGO_OK, false},
        {NANGO_RESPONSE_JSON, "text/plain", "{\"a\":1}", NANGO_OK, true},
        {NANGO_RESPONSE_JSON, "application/json", "<html>", NANGO_E_PARSE, false},
        {NANGO_RESPONSE_JSON, "application/json", "", NANGO_E_PARSE, false},
        {NANGO_RESPONSE_TEXT, "text/plain", "caf\xc3\xa9", NANGO_OK, false},
        {NANGO_RESPONSE_TEXT, "text/plain", "caf\xe9", NANGO_E_PARSE, false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        nango_call *call =
            answered(200, "Content-Type", rows[i].content_type, rows[i].body, true);
        nango_response *result;
        size_t len;

        call->response_type = rows[i].type;
        result = ngo_decode(call);
        assert_int_equal(call->error.code, rows[i].code);
        assert_non_null(result);
        assert_string_equal(nango_response_body(result, &len), rows[i].body);
        assert_int_equal(len, strlen(rows[i].body));
        assert_int_equal(nango_response_json(result) != NULL, rows[i].json);
        nango_response_free(result);
        ngo_call_free(call);
    }
}

TEST(webhooks_of_the_contract_are_verified)
{
    static const char hmac[] =
        "c3a92ff9e274cdcce27a58c15a78ec6dcbbdbd0038a87e7a11baef2028fd8bff";
    static const char signature[] =
        "4b0dc82e07edcdc53d791124dab7f9d4515ae1cc96a2098ec15b3e444b3b19df";
    nango_client_options options = {.api_key = KEY, .webhook_signing_key = "k"};
    nango_pair headers[] = {
        {"Content-Type", "application/json"}, {"x-NANGO-hmac-sha256", hmac}};
    nango_client *signer;

    assert_int_equal(nango_client_new(&options, &signer, NULL), NANGO_OK);
    assert_true(
        nango_verify_incoming_webhook_request(signer, "{\"a\":1}", 7, headers, 2));
    assert_false(
        nango_verify_incoming_webhook_request(signer, "{\"a\":2}", 7, headers, 2));
    assert_false(
        nango_verify_incoming_webhook_request(signer, "{\"a\":1}", 7, headers, 1));
    assert_false(
        nango_verify_incoming_webhook_request(client, "{\"a\":1}", 7, headers, 2));
    headers[1].value = "c3a9";
    assert_false(
        nango_verify_incoming_webhook_request(signer, "{\"a\":1}", 7, headers, 2));
    assert_true(nango_verify_webhook_signature(signer, signature, "{ \"a\" : 1 }", 11));
    assert_false(nango_verify_webhook_signature(signer, signature, "{\"a\":2}", 7));
    assert_false(nango_verify_webhook_signature(signer, hmac, "{\"a\":1}", 7));
    nango_client_free(signer);
    /* The API key signs nothing. */
    options.webhook_signing_key = NULL;
    options.api_key = "k";
    assert_int_equal(nango_client_new(&options, &signer, NULL), NANGO_OK);
    headers[1].value = hmac;
    assert_false(
        nango_verify_incoming_webhook_request(signer, "{\"a\":1}", 7, headers, 2));
    nango_client_free(signer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_carry_the_servers_code_and_words),
        cmocka_unit_test(retry_after_is_told_in_seconds),
        cmocka_unit_test(a_proxied_answer_is_what_was_asked_for),
        cmocka_unit_test(webhooks_of_the_contract_are_verified),
    };

    return cmocka_run_group_tests_name(__FILE__, tests, set_up, tear_down);
}
