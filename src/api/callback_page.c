/* SPDX-License-Identifier: Apache-2.0 */
/* The page at the end of an authorization in a popup (contract connect-flow.md section
 * 8). It tells the opener and every page of this origin how it went, and the person in
 * words.
 *
 * The markup is fixed. Two values are put in: the error's type and its text, escaped for
 * where they stand (text of an element, a JSON value in a script). The content security
 * policy allows the one script and the one style of this answer by a nonce, and nothing
 * from elsewhere. */
#include <stdlib.h>

#include "api/browser.h"
#include "base/crypto.h"
#include "base/json.h"
#include "net/answer.h"

#define NONCE_BYTES 16

static void append_html(struct buf *out, const char *s)
{
    for (; *s != '\0'; s++) {
        switch (*s) {
        case '&':
            buf_puts(out, "&amp;");
            break;
        case '<':
            buf_puts(out, "&lt;");
            break;
        case '>':
            buf_puts(out, "&gt;");
            break;
        case '"':
            buf_puts(out, "&quot;");
            break;
        case '\'':
            buf_puts(out, "&#39;");
            break;
        default:
            buf_putc(out, *s);
        }
    }
}

/* JSON that may stand in a script: nothing in it ends the script or a line of it. */
static void append_script_json(struct buf *out, const cJSON *value)
{
    char *text = json_print(value);

    for (const char *s = text; *s != '\0'; s++) {
        if (*s == '<' || *s == '>' || *s == '&') {
            buf_printf(out, "\\u%04x", (unsigned)*s);
        } else if ((unsigned char)s[0] == 0xE2 && (unsigned char)s[1] == 0x80 &&
                   ((unsigned char)s[2] == 0xA8 || (unsigned char)s[2] == 0xA9)) {
            buf_printf(out, "\\u20%02x", (unsigned)((unsigned char)s[2] - 0x80));
            s += 2;
        } else {
            buf_putc(out, *s);
        }
    }
    free(text);
}

static cJSON *message_json(const struct browser_outcome *outcome)
{
    cJSON *out = cJSON_CreateObject();
    cJSON *payload;

    if (outcome->error_type == NULL) {
        json_set_str(out, "type", "nango_oauth_callback_success");
        return out;
    }
    payload = cJSON_CreateObject();
    json_set_str(payload, "message", outcome->message);
    json_set_str(payload, "errorType", outcome->error_type);
    json_set_str(out, "type", "nango_oauth_callback_error");
    json_set(out, "payload", payload);
    return out;
}

static const char style[] =
    "body{font:16px/1.5 system-ui,sans-serif;margin:0;display:grid;place-items:center;"
    "min-height:100vh;background:#fff;color:#1a1a1a}main{max-width:32rem;padding:2rem;"
    "text-align:center}pre{text-align:left;white-space:pre-wrap;overflow-wrap:anywhere;"
    "background:#f3f3f3;padding:1rem;border-radius:.5rem}"
    "@media(prefers-color-scheme:dark){body{background:#111;color:#eee}"
    "pre{background:#222}}";

/* Posts the outcome, again until someone acknowledges it; closes then, and on success
 * also by itself. The clients of 0.36 without a socket listen for their own form of the
 * message. */
static const char script[] =
    "(function(){"
    "var ok=message.type==='nango_oauth_callback_success';"
    "var channel='BroadcastChannel' in window?"
    "new BroadcastChannel('nango-oauth-callback'):null;"
    "var done=function(){window.close();};"
    "var heard=function(event){"
    "if(event.data&&event.data.type==='nango_oauth_callback_ack')done();};"
    "window.addEventListener('message',heard);"
    "if(channel){channel.addEventListener('message',heard);channel.postMessage(message);}"
    "if(window.opener){window.opener.postMessage(message,'*');"
    "window.opener.postMessage(early,'*');}"
    "if(ok)setTimeout(done,500);"
    "})();";

static cJSON *early_json(const struct browser_outcome *outcome)
{
    cJSON *out = cJSON_CreateObject();
    cJSON *data = cJSON_CreateObject();
    cJSON *error;

    if (outcome->error_type == NULL) {
        json_set_str(out, "eventType", "AUTHORIZATION_SUCEEDED"); /* their spelling */
        json_set_str(data, "connectionId", outcome->connection_id);
        json_set_str(data, "providerConfigKey", outcome->provider_config_key);
    } else {
        error = cJSON_CreateObject();
        json_set_str(error, "type", outcome->error_type);
        json_set_str(error, "message", outcome->message);
        json_set_str(out, "eventType", "AUTHORIZATION_FAILED");
        json_set(data, "error", error);
    }
    json_set(out, "data", data);
    return out;
}

static void write_page(
    struct buf *out, const char *nonce, const struct browser_outcome *outcome)
{
    cJSON *posted = message_json(outcome);
    cJSON *early = early_json(outcome);

    buf_printf(out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<title>%s</title>\n<style nonce=\"%s\">%s</style>\n</head>\n<body>\n<main>\n",
        outcome->error_type == NULL ? "Connected" : "Not connected", nonce, style);
    if (outcome->error_type == NULL) {
        buf_puts(out, "<h1>Connected</h1>\n<p>You can close this window.</p>\n");
    } else {
        buf_puts(out, "<h1>Not connected</h1>\n<p>The connection could not be made. You "
                      "can close this window and try again.</p>\n<details>\n"
                      "<summary>Details</summary>\n<pre>");
        append_html(out, outcome->error_type);
        buf_puts(out, ": ");
        append_html(out, outcome->message);
        buf_puts(out, "</pre>\n</details>\n");
    }
    buf_printf(out, "</main>\n<script nonce=\"%s\">\nvar message=", nonce);
    append_script_json(out, posted);
    buf_puts(out, ",early=");
    append_script_json(out, early);
    buf_printf(out, ";\n%s\n</script>\n</body>\n</html>\n", script);
    cJSON_Delete(posted);
    cJSON_Delete(early);
}

void reply_callback_page(struct call *call, const struct browser_outcome *outcome)
{
    struct http_headers headers = {0};
    char nonce[2 * NONCE_BYTES + 1];
    struct buf page, policy;

    crypto_random_hex(nonce, NONCE_BYTES);
    buf_init(&policy, 0);
    buf_printf(&policy,
        "default-src 'none'; script-src 'nonce-%s'; style-src 'nonce-%s'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        nonce, nonce);
    answer_cors(&headers);
    http_headers_add(&headers, "Content-Type", "text/html; charset=utf-8");
    http_headers_add(&headers, "Content-Security-Policy", policy.data);
    http_headers_add(&headers, "Cache-Control", "no-store");
    http_headers_add(&headers, "Referrer-Policy", "no-referrer");
    http_headers_add(&headers, "X-Content-Type-Options", "nosniff");
    buf_init(&page, 0);
    write_page(&page, nonce, outcome);
    reply_headers(
        call, outcome->error_type == NULL ? 200 : 400, &headers, page.data, page.len);
    http_headers_finish(&headers);
    buf_finish(&policy);
    buf_finish(&page);
}
