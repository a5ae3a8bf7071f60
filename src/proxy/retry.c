/* SPDX-License-Identifier: Apache-2.0 */
/* Retry decisions, in the order of the contract's table. */
#include "proxy/retry.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "catalog/pattern.h"
#include "catalog/plan.h"

#define BACKOFF_MAX_MS 600000
#define YEAR_1972_MS 63072000000.0 /* numbers from here on are milliseconds */
#define MAX_INSTANT_MS 8.64e15     /* of JavaScript's dates */

static bool is_network_error(enum up_failure failure, const char *also)
{
    return failure == UP_RESET || failure == UP_TIMEOUT || failure == UP_REFUSED ||
           failure == UP_UNREACHABLE || str_in_list(also, up_failure_code(failure));
}

/* `403`, `5xx`, `500-502`. */
static bool code_fits(const char *form, int status)
{
    int64_t low, high;
    const char *dash = strchr(form, '-');

    if (strlen(form) == 3 && str_eq_nocase(form + 1, "xx"))
        return form[0] - '0' == status / 100;
    if (dash != NULL) {
        char *first = str_ndup(form, (size_t)(dash - form));
        bool fits = str_to_i64(first, &low) && str_to_i64(dash + 1, &high) &&
                    status >= low && status <= high;

        free(first);
        return fits;
    }
    return str_to_i64(form, &low) && low == status;
}

static bool reason_is(struct retry_verdict *out, const char *prefix, const char *text)
{
    out->retry = true;
    snprintf(out->reason, sizeof out->reason, "%s%s", prefix, text);
    return true;
}

/* The catalogue's list takes the place of the usual statuses. */
static bool listed_code(
    const cJSON *codes, const struct retry_case *c, struct retry_verdict *out)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, codes)
    {
        char number[16];
        const char *form = cJSON_IsString(item) ? item->valuestring : number;

        snprintf(number, sizeof number, "%d", item->valueint);
        if (code_fits(form, c->status))
            return reason_is(out, "provider_error_code_", form);
    }
    return false;
}

static bool should_retry(const struct retry_case *c, struct retry_verdict *out)
{
    const cJSON *retry = c->provider->plan->retry;
    const cJSON *codes = json_get(retry, "error_code");
    const char *remaining = json_str(retry, "remaining");
    char status[16];

    snprintf(status, sizeof status, "%d", c->status);
    if (c->failure != UP_OK)
        return is_network_error(c->failure, c->network_errors) &&
               reason_is(out, "", "network_error");
    if (cJSON_IsArray(codes)) {
        if (listed_code(codes, c, out))
            return true;
    } else if (c->status >= 500 || c->status == 429 || c->status == 401) {
        return reason_is(out, "status_code_", status);
    }
    for (size_t i = 0; i < c->retry_on_count; i++) {
        if (c->retry_on[i] == c->status)
            return reason_is(out, "retry_on_", status);
    }
    if (remaining != NULL && c->headers != NULL &&
        str_eq(http_headers_find(c->headers, remaining), "0"))
        return reason_is(out, "", "provider_remaining");
    return false;
}

static bool to_number(const char *text, double *out)
{
    char *end;

    if (text == NULL || *text == '\0')
        return false;
    *out = strtod(text, &end);
    return *end == '\0' && isfinite(*out);
}

/* An instant as epoch seconds or ms, or a date; 0 when it is none or not in the future.
 * Waits are whole seconds, rounded up. */
static int64_t wait_at(const char *value, int64_t now_ms)
{
    double number;
    int64_t at_ms;

    if (to_number(value, &number)) {
        if (number < 0 || number > MAX_INSTANT_MS)
            return 0;
        at_ms = (int64_t)(number >= YEAR_1972_MS ? number : ceil(number) * 1000);
    } else if (value == NULL || !clock_parse(value, &at_ms)) {
        return 0;
    }
    if (at_ms <= now_ms)
        return 0;
    return (at_ms - now_ms + 999) / 1000 * 1000;
}

/* Seconds; a date is no number of seconds. */
static int64_t wait_after(const char *value, int64_t now_ms)
{
    double number;

    (void)now_ms;
    if (!to_number(value, &number) || number <= 0 || number > 1e9)
        return 0;
    return (int64_t)ceil(number * 1000);
}

/* The longest wait that one of the named headers asks for. */
static int64_t longest(const cJSON *names, const struct http_headers *headers,
    int64_t now_ms, int64_t (*read)(const char *value, int64_t now_ms))
{
    const cJSON *name;
    int64_t most = 0;

    if (headers == NULL)
        return 0;
    cJSON_ArrayForEach(name, names)
    {
        int64_t wait = cJSON_IsString(name)
                           ? read(http_headers_find(headers, name->valuestring), now_ms)
                           : 0;

        if (wait > most)
            most = wait;
    }
    return most;
}

/* `retry.in_body`: a pattern over a text of the answer; group 1 says how long. */
static int64_t wait_in_body(const cJSON *rule, const struct retry_case *c)
{
    const char *path = json_str(rule, "path"), *value = json_str(rule, "value");
    bool at = str_eq(json_str(rule, "strategy"), "at");
    const cJSON *text;
    char *found = NULL;
    int64_t wait = 0;
    cJSON *body;

    if (path == NULL || value == NULL || c->body == NULL)
        return 0;
    body = json_parse(c->body, c->body_len, NULL);
    text = body != NULL ? json_path(body, path) : NULL;
    if (cJSON_IsString(text))
        found = pattern_match(value, text->valuestring);
    if (found != NULL)
        wait = at ? wait_at(found, c->now_ms) : wait_after(found, c->now_ms);
    free(found);
    cJSON_Delete(body);
    return wait;
}

static int64_t backoff(const struct retry_case *c)
{
    int64_t wait = c->backoff_base_ms > 0 ? c->backoff_base_ms : 3000;

    for (int i = 0; i < c->attempt && wait < BACKOFF_MAX_MS; i++)
        wait *= 2;
    return wait < BACKOFF_MAX_MS ? wait : BACKOFF_MAX_MS;
}

void retry_decide(const struct retry_case *c, struct retry_verdict *out)
{
    const cJSON *retry = c->provider->plan->retry;
    const cJSON *in_body = json_get(retry, "in_body");
    const char *why = "backoff";

    memset(out, 0, sizeof *out);
    if (!should_retry(c, out)) {
        str_copy(out->reason, sizeof out->reason, "not_retryable");
        return;
    }
    out->wait_ms = longest(json_get(retry, "at"), c->headers, c->now_ms, wait_at);
    if (out->wait_ms > 0) {
        why = "preconfigured_at";
    } else {
        out->wait_ms =
            longest(json_get(retry, "after"), c->headers, c->now_ms, wait_after);
        if (out->wait_ms > 0)
            why = "preconfigured_after";
    }
    if (out->wait_ms == 0) {
        out->wait_ms = wait_in_body(in_body, c);
        if (out->wait_ms > 0)
            why = str_eq(json_str(in_body, "strategy"), "at")
                      ? "preconfigured_in_body:at"
                      : "preconfigured_in_body:after";
    }
    if (out->wait_ms == 0)
        out->wait_ms = backoff(c);
    str_copy(out->wait_reason, sizeof out->wait_reason, why);
}
