/* SPDX-License-Identifier: Apache-2.0 */
/* What became of a call: why it failed, what its answer holds, and how that is told. */
#include <stdio.h>
#include <string.h>

#include "sdk/client_int.h"

/* Shorter keys are nobody's secret, and part of every other word. */
#define SECRET_MIN 8

/* Copies what others said into `out`, which may be too small, without the client's key:
 * before it is cut off, since a part of a key is no longer found. */
static void redact(const nango_call *call, const char *from, char *out, size_t size)
{
    const char *key = call->client != NULL ? call->client->key : NULL;
    size_t len = key != NULL ? strlen(key) : 0, at = 0;

    while (*from != '\0' && at + 4 < size) {
        if (len >= SECRET_MIN && strncmp(from, key, len) == 0) {
            memcpy(out + at, "***", 3);
            at += 3;
            from += len;
        } else {
            unsigned char c = (unsigned char)*from++;

            out[at++] = c < 0x20 || c == 0x7f ? ' ' : (char)c;
        }
    }
    out[at] = '\0';
}

static bool holds_key(const nango_call *call, const char *text)
{
    const char *key = call->client != NULL ? call->client->key : NULL;

    return key != NULL && strlen(key) >= SECRET_MIN && strstr(text, key) != NULL;
}

void ngo_fail_by_libcurl(nango_call *call, CURLcode code)
{
    static const struct {
        CURLcode from;
        nango_code to;
        const char *text;
    } table[] = {
        {CURLE_OUT_OF_MEMORY, NANGO_E_MEMORY, "memory is out"},
        {CURLE_FAILED_INIT, NANGO_E_MEMORY, "libcurl lacks memory"},
        {CURLE_URL_MALFORMAT, NANGO_E_ARGUMENT, "the address is no URL"},
        {CURLE_UNSUPPORTED_PROTOCOL, NANGO_E_ARGUMENT,
            "the address is not http or https"},
        {CURLE_COULDNT_RESOLVE_HOST, NANGO_E_RESOLVE, "the host's name has no address"},
        {CURLE_COULDNT_RESOLVE_PROXY, NANGO_E_RESOLVE, "the proxy's name has no address"},
        {CURLE_COULDNT_CONNECT, NANGO_E_CONNECT, "no connection"},
        {CURLE_OPERATION_TIMEDOUT, NANGO_E_TIMEOUT, "no whole answer in time"},
        {CURLE_PARTIAL_FILE, NANGO_E_TRUNCATED, "the answer ends before its end"},
        {CURLE_BAD_CONTENT_ENCODING, NANGO_E_PARSE, "the answer cannot be decompressed"},
        {CURLE_GOT_NOTHING, NANGO_E_NETWORK, "the server closed without an answer"},
        {CURLE_SSL_CONNECT_ERROR, NANGO_E_TLS, "TLS failed"},
        {CURLE_PEER_FAILED_VERIFICATION, NANGO_E_TLS,
            "the certificate is not acceptable"},
        {CURLE_SSL_CACERT_BADFILE, NANGO_E_TLS, "ca_file cannot be read"},
        {CURLE_SSL_CIPHER, NANGO_E_TLS, "TLS failed"},
        {CURLE_SSL_ISSUER_ERROR, NANGO_E_TLS, "the certificate is not acceptable"},
        {CURLE_SSL_INVALIDCERTSTATUS, NANGO_E_TLS, "the certificate is not acceptable"},
    };
    const char *text = "the connection broke", *cause = NULL;
    const char *reason = call->transfer->reason;
    char words[sizeof call->error.message];
    nango_code to = NANGO_E_NETWORK;
    long number = 0;

    if (call->transfer->failed_inside || call->error.code != NANGO_OK)
        return; /* libcurl only tells of it */
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].from != code)
            continue;
        to = table[i].to;
        text = table[i].text;
    }
    if (call->cancelled) {
        ngo_call_fail(call, NANGO_E_CANCELLED, "the call was cancelled");
        return;
    }
    if (strncmp(reason, "Too large response headers", 26) == 0) {
        to = NANGO_E_TOO_LARGE;
        text = "the answer's headers are too large";
    }
    /* An address that only a redirect named is not the caller's argument. */
    if (to == NANGO_E_ARGUMENT && call->transfer->redirects > 0)
        to = NANGO_E_NETWORK;
    if (to == NANGO_E_CONNECT) {
        curl_easy_getinfo(call->transfer->easy, CURLINFO_OS_ERRNO, &number);
        cause = number != 0 ? strerrordesc_np((int)number) : NULL;
    }
    if (to == NANGO_E_NETWORK || to == NANGO_E_TLS)
        number = (long)code;
    redact(
        call, *reason != '\0' ? reason : curl_easy_strerror(code), words, sizeof words);
    ngo_call_fail(call, to, "%s: %s%s%s", text, words, cause != NULL ? ": " : "",
        cause != NULL ? cause : "");
    call->error.detail = (int)number;
}

static int retry_after(const nango_response *response)
{
    const char *text = nango_response_header(response, "Retry-After");
    long seconds = 0;

    if (text == NULL || *text == '\0')
        return -1;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9' || seconds > 100000000)
            return -1; /* a date, which needs a clock that agrees with the server's */
        seconds = 10 * seconds + (*text - '0');
    }
    return (int)seconds;
}

static bool is_code(const char *s)
{
    size_t len = strlen(s);

    return len > 0 && len < sizeof((nango_error *)0)->server_code &&
           strspn(s,
               "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == len;
}

/* The proxy's own failures (contract http-api.md, section 10), told from a provider's. */
static bool is_proxys_own(const char *code)
{
    static const char *const codes[] = {"invalid_headers", "unknown_provider_config",
        "unknown_connection", "server_error", "connection_refresh_backoff",
        "missing_api_url", "missing_base_api_url", "missing_endpoint",
        "missing_connection_id", "missing_provider_config_key", "unsupported_provider",
        "unsupported_auth", "invalid_query_params", "base_url_override_disabled",
        "base_url_override_not_allowed", "plan_limit", "too_many_request", "forbidden",
        "missing_auth_header", "malformed_auth_header", "invalid_secret_key_format",
        "unknown_account", "generic_error_support"};

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (strcmp(code, codes[i]) == 0)
            return true;
    return false;
}

/* The server's own words, of either era (contract http-api.md, section 1.2). A provider's
 * answer may repeat what it was sent, so of what comes through the proxy only a code is taken,
 * unless it is one of the proxy's. */
static void fail_by_status(nango_call *call)
{
    const nango_json *body = nango_response_json(call->response);
    const char *code = nango_json_string_at(body, "/error/code", NULL);
    const char *text = nango_json_string_at(body, "/error/message", NULL);
    char words[sizeof call->error.message];

    if (code == NULL)
        code = nango_json_string_at(body, "/type", NULL);
    if (code == NULL || !is_code(code) || holds_key(call, code))
        code = "";
    if (text == NULL)
        text = nango_json_string_at(body, "/error/errors/0/message", NULL);
    if (text == NULL)
        text = nango_json_string_at(body, "/error", NULL);
    if (text == NULL)
        text = nango_json_string_at(body, "/message", NULL);
    if (text == NULL || (call->proxied && !is_proxys_own(code)))
        text = "";
    redact(call, text, words, sizeof words);
    ngo_call_fail(call, NANGO_E_HTTP, "status %d%s%s%s%s", call->response->status,
        *code != '\0' ? " " : "", code, *words != '\0' ? ": " : "", words);
    snprintf(call->error.server_code, sizeof call->error.server_code, "%s", code);
    call->error.retry_after_s = retry_after(call->response);
}

/* Parses the body if it looks like JSON, keeping its bytes. */
static bool parse_body(nango_call *call)
{
    nango_response *response = call->response;
    size_t len = response->body.len;
    enum ngo_parse parsed;

    if (len == 0)
        return true;
    response->json_text = ngo_resize(&response->mem, NULL, len + 1);
    if (response->json_text == NULL)
        return false;
    memcpy(response->json_text, response->body.data, len + 1);
    parsed =
        ngo_json_parse(&response->mem, response->json_text, len, &response->json, NULL);
    if (parsed != NGO_PARSED) {
        ngo_free(&response->mem, response->json_text);
        response->json_text = NULL;
    }
    return parsed != NGO_NO_MEMORY;
}

/* A proxied body is a provider's, of any size and kind: it is parsed when it says that it
 * is JSON, or when it has to be. */
static bool wants_json(const nango_call *call, bool good)
{
    const char *type = nango_response_header(call->response, "Content-Type");

    if (!call->proxied)
        return !good || call->shape == &ngo_shape_response;
    return call->response_type == NANGO_RESPONSE_JSON ||
           (call->response_type == NANGO_RESPONSE_ANY && type != NULL &&
               strcasestr(type, "json") != NULL);
}

static void check_type(nango_call *call)
{
    const nango_response *response = call->response;

    if (call->response_type == NANGO_RESPONSE_JSON && response->json.values == NULL)
        ngo_call_fail(call, NANGO_E_PARSE, "the answer is not JSON");
    else if (call->response_type == NANGO_RESPONSE_TEXT &&
             !ngo_is_utf8(nango_response_body(response, NULL), response->body.len))
        ngo_call_fail(call, NANGO_E_PARSE, "the answer is not UTF-8 text");
}

void *ngo_decode(nango_call *call)
{
    int status = call->response->status;
    bool good = status >= 200 && status <= 299;
    void *result = NULL;

    call->error.http_status = status;
    if (!call->streamed && wants_json(call, good) && !parse_body(call))
        ngo_call_fail(call, NANGO_E_MEMORY, "memory is out");
    else if (!good)
        fail_by_status(call);
    else if (!call->streamed) {
        check_type(call);
        if (call->error.code == NANGO_OK)
            result = call->shape->decode(call);
    }
    if (call->proxied && result == NULL && call->error.code != NANGO_E_MEMORY &&
        !call->streamed) {
        result = call->response; /* it is given with the failure */
        call->response = NULL;
    }
    return result;
}

/* "GET /connections/1": what failed, without host and query. */
static void describe(const nango_call *call, char *out, size_t size)
{
    const char *url = call->url.data != NULL ? call->url.data : "";
    size_t skip = call->client != NULL ? strlen(call->client->host) : 0;

    if (call->client != NULL && strncmp(url, call->client->host, skip) == 0)
        url += skip;
    else
        url = "(elsewhere)"; /* after a redirect */
    snprintf(out, size, "%s %.*s", call->method, (int)strcspn(url, "?"), url);
}

void ngo_call_report(nango_call *call)
{
    char what[120], line[sizeof call->error.message + 64];
    int64_t took_ms = 0;

    describe(call, what, sizeof what);
    if (call->transfer != NULL)
        took_ms = ngo_now_ms() - call->transfer->began_ms;
    if (call->error.code != NANGO_OK && call->error.code != NANGO_E_ARGUMENT) {
        nango_error old = call->error;

        snprintf(call->error.message, sizeof call->error.message, "%s: %.195s", what,
            old.message);
    }
    if (call->client == NULL || call->client->log == NULL)
        return;
    if (call->error.code == NANGO_OK)
        snprintf(line, sizeof line, "%s %d %lld ms", what, call->error.http_status,
            (long long)took_ms);
    else
        snprintf(line, sizeof line, "%s after %lld ms: %s",
            nango_code_name(call->error.code), (long long)took_ms, call->error.message);
    call->client->log(call->error.code == NANGO_OK ? NANGO_LOG_DEBUG : NANGO_LOG_WARNING,
        line, call->client->log_user);
}
