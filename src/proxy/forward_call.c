/* SPDX-License-Identifier: Apache-2.0 */
/* The call to the provider: hops (contract proxy.md section 6) and further tries (section
 * 8).
 *
 * A redirect or a further try needs the body once more; when it went by and was not kept,
 * the provider's answer is passed on as it is. What the provider says with an answer that
 * will not be passed on is read to its end while it is short, so that the connection can
 * be used again. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "net/answer.h"
#include "proxy/forward_int.h"
#include "proxy/retry.h"

#define DROP_LIMIT (64 * 1024) /* of an answer that is dropped */
#define DROP_TIME_MS 1000      /* for an answer that is dropped to come to its end */
#define PEEK_LIMIT (64 * 1024) /* of an answer that tells when to try again */

static const char *current_url(const struct forward *f)
{
    return f->url != NULL ? f->url : f->built.url;
}

/* ---- what the provider allows ---- */

static struct throttle_call throttle_call_of(const struct forward *f)
{
    return (struct throttle_call){
        .integration_id = f->integration_id,
        .connection_id = f->connection_id,
        .provider = f->provider,
        .background = f->background,
        .now_ms = clock_now_ms(f->proxy->auth->clock),
    };
}

/* Of other sites, which a redirect may lead to, nothing is learnt for this one. */
static void learn(const struct forward *f, int status, const struct http_headers *headers)
{
    struct throttle_call call;

    if (f->proxy->throttle == NULL || f->left_site)
        return;
    call = throttle_call_of(f);
    throttle_learn(f->proxy->throttle, &call, status, headers);
}

/* ---- without an answer from the provider ---- */

/* What the HTTP library of the reference server says, as far as people meet it. */
static char *failure_message(
    const struct forward *f, enum up_failure failure, const char *message)
{
    const char *host = strstr(current_url(f), "://"), *end;
    size_t len;

    if (failure == UP_RESET)
        return str_dup("socket hang up");
    if (failure != UP_REFUSED || host == NULL)
        return str_dup(message);
    host += 3;
    end = host + strcspn(host, "/?#");
    for (const char *c = host; c < end; c++) {
        if (*c == '@') /* a name and a password stand before it */
            host = c + 1;
    }
    len = (size_t)(end - host);
    return str_printf("connect ECONNREFUSED %.*s%s", (int)len, host,
        memchr(host, ':', len) != NULL         ? ""
        : str_starts(current_url(f), "https:") ? ":443"
                                               : ":80");
}

/* A header tells our own answer from a provider's. Takes `body` over. */
static void respond_failure(struct http_req *req, const char *code, cJSON *body)
{
    struct http_headers headers = {0};
    char *text = json_print(body);

    cJSON_Delete(body);
    answer_cors(&headers);
    http_headers_add(&headers, "Content-Type", "application/json; charset=utf-8");
    http_headers_add(&headers, ANSWER_FAILURE_HEADER, code);
    http_respond(req, 500, &headers, text, strlen(text), true);
    http_headers_finish(&headers);
}

/* Ends `f`. Takes `message` over. */
static void answer_failure(struct forward *f, const char *code, char *message)
{
    cJSON *body = cJSON_CreateObject();
    char *method = str_dup(f->method);

    str_lower(method);
    json_set_str(body, "message", message);
    json_set_str(body, "code", code);
    json_set_str(body, "method", method);
    free(method);
    forward_log_failed(f, code, message);
    log_event(f->proxy->auth->log, LOG_WARN, "proxy_failed",
        LOG_STR("integration", f->options.provider_config_key), LOG_STR("code", code),
        LOG_STR("message", message), LOG_INT("attempts", f->attempt + 1), LOG_END);
    free(message);
    FORWARD_COUNT(f, failures);
    respond_failure(f->req, code, body);
    forward_end(f);
}

static void try_again_later(struct forward *f);

/* The call ended before anything went to the caller. Ends `f` unless it is tried again.
 */
static void no_answer(struct forward *f, enum up_failure failure, const char *message)
{
    struct err err;

    if (f->body.too_large) {
        forward_body_refusal(&err);
        forward_fail(f, &err);
        return;
    }
    if (forward_wants_retry(f, failure, 0, NULL, NULL, 0)) {
        try_again_later(f);
        return;
    }
    switch (failure) {
    case UP_DENIED:
    case UP_UNRESOLVED:
    case UP_BAD_URL:
        forward_denied(&err);
        forward_fail(f, &err);
        break;
    default:
        answer_failure(f, up_failure_code(failure), failure_message(f, failure, message));
        break;
    }
}

/* ---- further tries ---- */

bool forward_wants_retry(struct forward *f, enum up_failure failure, int status,
    const struct http_headers *headers, const char *body, size_t len)
{
    struct retry_verdict verdict = {0};
    const struct retry_case c = {
        .provider = f->provider,
        .attempt = f->attempt,
        .failure = failure,
        .status = status,
        .headers = headers,
        .body = body,
        .body_len = len,
        .retry_on = f->options.retry_on,
        .retry_on_count = f->options.retry_on_count,
        .now_ms = clock_now_ms(f->proxy->auth->clock),
        .backoff_base_ms = f->proxy->backoff_base_ms,
        .network_errors = f->proxy->network_errors,
    };

    if (f->attempt >= f->options.retries || !forward_body_can_replay(f))
        return false;
    retry_decide(&c, &verdict);
    f->wait_ms = verdict.wait_ms;
    if (verdict.retry) {
        forward_body_promise(f);
        log_event(f->proxy->auth->log, LOG_INFO, "proxy_retry",
            LOG_STR("integration", f->options.provider_config_key),
            LOG_STR("reason", verdict.reason), LOG_STR("wait", verdict.wait_reason),
            LOG_INT("wait_ms", verdict.wait_ms), LOG_INT("attempt", f->attempt + 1),
            LOG_END);
    }
    return verdict.retry;
}

static void waited(void *arg)
{
    struct forward *f = arg;

    f->timer = NULL;
    FORWARD_COUNT(f, retries);
    forward_again(f);
}

static void try_again_later(struct forward *f)
{
    f->timer = reactor_timer_start(f->reactor, f->wait_ms, waited, f);
}

/* ---- redirects ---- */

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 ||
           status == 308;
}

/* 303 makes any method a GET, 301 and 302 only POST: what browsers do. */
static bool becomes_get(const struct forward *f, int status)
{
    if (str_eq(f->method, "GET") || str_eq(f->method, "HEAD"))
        return false;
    return status == 303 ||
           ((status == 301 || status == 302) && str_eq(f->method, "POST"));
}

static bool will_follow(struct forward *f, int status, const struct http_headers *headers)
{
    const char *location;

    if (!is_redirect(status) || f->proxy->policy->max_redirects <= 0)
        return false;
    location = http_headers_find(headers, "location");
    if (str_is_empty(location))
        return false;
    if (!becomes_get(f, status) && !f->without_body && !forward_body_can_replay(f))
        return false;
    free(f->next_url);
    f->next_url = up_resolve_url(current_url(f), location);
    return f->next_url != NULL;
}

/* What must not go to another site: credentials in the usual places, and whatever a
 * template put in. Nor does the client certificate. */
static void drop_secrets(struct forward *f)
{
    static const char *const usual[] = {"authorization", "proxy-authorization", "cookie"};
    struct http_headers *headers = &f->built.headers;

    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
        http_headers_remove(headers, usual[i]);
    for (char **name = f->built.secret_headers; name != NULL && *name != NULL; name++)
        http_headers_remove(headers, *name);
}

static bool keeps_secrets(const struct forward *f)
{
    return f->options.forward_on_redirect ||
           json_bool(json_get(f->provider->entry, "proxy"), "forward_headers_on_redirect",
               false);
}

/* Ends `f`, or starts the next hop. */
static void follow(struct forward *f)
{
    struct http_headers *headers = &f->built.headers;
    struct err err;

    if (f->body.too_large) {
        forward_body_refusal(&err);
        forward_fail(f, &err);
        return;
    }
    if (f->hops >= f->proxy->policy->max_redirects) {
        answer_failure(f, "ERR_FR_TOO_MANY_REDIRECTS",
            str_dup("Maximum number of redirects exceeded"));
        return;
    }
    if (!policy_check_url(f->proxy->policy, f->next_url, &err)) {
        forward_denied(&err);
        forward_fail(f, &err);
        return;
    }
    if (becomes_get(f, f->status)) {
        f->method = "GET";
        f->without_body = true;
        forward_body_ignore(f);
        http_headers_remove(headers, "content-type");
        http_headers_remove(headers, "content-encoding");
        http_headers_remove(headers, "content-language");
        http_headers_remove(headers, "content-location");
        http_headers_remove(headers, "content-md5");
    } else if (!f->without_body) {
        forward_body_rewind(f);
    }
    http_headers_remove(headers, "host");
    if (!up_same_site(current_url(f), f->next_url)) {
        f->left_site = true;
        if (!keeps_secrets(f))
            drop_secrets(f);
    }
    f->hops++;
    FORWARD_COUNT(f, redirects);
    free(f->url);
    f->url = f->next_url;
    f->next_url = NULL;
    forward_call_start(f);
}

/* ---- the call ---- */

/* The rest of an answer that nobody wants: on to what it leads to. */
static void skip_rest(void *arg)
{
    struct forward *f = arg;

    assert(f->use == ANSWER_REDIRECT || f->use == ANSWER_RETRY);
    f->timer = NULL;
    up_cancel(f->call);
    f->call = NULL;
    f->body.wanted = false;
    if (f->use == ANSWER_REDIRECT)
        follow(f);
    else
        try_again_later(f);
}

/* From now on the answer is dropped; its end is waited for a little. */
static void drop_answer(struct forward *f, enum answer_use use)
{
    f->use = use;
    f->timer = reactor_timer_start(f->reactor, DROP_TIME_MS, skip_rest, f);
}

static void on_head(void *arg, int status, const struct http_headers *headers)
{
    struct forward *f = arg;
    bool failed = status < 200 || status >= 300;

    f->status = status;
    f->dropped = 0;
    learn(f, status, headers);
    forward_log_exchange(f, status, headers, NULL);
    if (will_follow(f, status, headers)) {
        drop_answer(f, ANSWER_REDIRECT);
        if (!f->without_body && !becomes_get(f, status))
            forward_body_promise(f);
    } else if (failed && f->attempt < f->options.retries &&
               json_get(json_get(json_get(f->provider->entry, "proxy"), "retry"),
                   "in_body") != NULL) {
        f->use = ANSWER_PEEK;
        for (size_t i = 0; i < headers->count; i++)
            http_headers_add(
                &f->peeked_headers, headers->items[i].name, headers->items[i].value);
    } else if (failed && forward_wants_retry(f, UP_OK, status, headers, NULL, 0)) {
        drop_answer(f, ANSWER_RETRY);
    } else {
        forward_answer_head(f, status, headers);
    }
}

/* The beginning of a failed answer is there: does it call for another try? */
static void decide_peeked(struct forward *f)
{
    if (forward_wants_retry(
            f, UP_OK, f->status, &f->peeked_headers, f->answer.data, f->answer.len))
        drop_answer(f, ANSWER_RETRY);
    else
        forward_answer_pass_peeked(f);
}

static bool on_data(void *arg, const char *data, size_t len)
{
    struct forward *f = arg;

    if (f->use == ANSWER_PEEK) {
        if (f->answer.len + len <= PEEK_LIMIT) {
            buf_append(&f->answer, data, len);
            return true;
        }
        decide_peeked(f);
    }
    if (f->use == ANSWER_HOLD || f->use == ANSWER_STREAM)
        return forward_answer_data(f, data, len);
    assert(f->use == ANSWER_REDIRECT || f->use == ANSWER_RETRY);
    f->dropped += len;
    if (f->dropped <= DROP_LIMIT)
        return true;
    reactor_timer_cancel(f->timer);
    /* Soon, but not now: a call is not to be cancelled from within. */
    f->timer = reactor_timer_start(f->reactor, 0, skip_rest, f);
    return false;
}

static size_t on_need(void *arg, char *out, size_t room)
{
    return forward_body_need(arg, out, room);
}

static void on_done(void *arg, enum up_failure failure, const char *message)
{
    struct forward *f = arg;

    f->call = NULL;
    f->body.wanted = false;
    if (failure != UP_OK && f->use == ANSWER_UNDECIDED)
        forward_log_exchange(f, 0, NULL, up_failure_code(failure));
    if (f->use == ANSWER_PEEK && failure == UP_OK)
        decide_peeked(f);
    switch (f->use) {
    case ANSWER_REDIRECT: /* a fault in an answer that is dropped is no fault */
        reactor_timer_cancel(f->timer);
        f->timer = NULL;
        follow(f);
        break;
    case ANSWER_RETRY:
        reactor_timer_cancel(f->timer);
        try_again_later(f);
        break;
    case ANSWER_HOLD:
    case ANSWER_STREAM:
        if (failure == UP_OK) {
            forward_answer_done(f);
            break;
        }
        if (f->started) { /* the caller must see that something is missing */
            FORWARD_COUNT(f, failures);
            forward_log_failed(f, up_failure_code(failure),
                "The provider's answer broke off before its end");
            http_abort(f->req);
            forward_end(f);
            break;
        }
        no_answer(f, failure, message);
        break;
    case ANSWER_UNDECIDED:
    case ANSWER_PEEK:
        no_answer(f, failure, message);
        break;
    }
}

static void allowed_perhaps(void *arg)
{
    struct forward *f = arg;

    f->timer = NULL;
    forward_call_when_allowed(f);
}

void forward_call_when_allowed(struct forward *f)
{
    struct throttle_call call;
    int64_t wait = 0;

    if (f->proxy->throttle != NULL) {
        call = throttle_call_of(f);
        wait = throttle_ask(f->proxy->throttle, &call);
    }
    if (wait > f->proxy->max_hold_ms - f->hold_ms)
        wait = f->proxy->max_hold_ms - f->hold_ms;
    if (wait <= 0) {
        forward_call_start(f);
        return;
    }
    if (f->hold_ms == 0)
        FORWARD_COUNT(f, held);
    f->hold_ms += wait;
    forward_log_held(f, wait);
    f->timer = reactor_timer_start(f->reactor, wait, allowed_perhaps, f);
}

void forward_call_start(struct forward *f)
{
    static const struct up_ops ops = {on_head, on_data, on_need, on_done};
    struct up_request request = {
        .method = f->method,
        .url = current_url(f),
        .headers = &f->built.headers,
        .body_kind = UP_BODY_NONE,
        .decompress = f->inflate,
        .policy = f->proxy->policy,
    };
    size_t len;

    if (f->attempt == 0 && f->hops == 0)
        FORWARD_COUNT(f, requests);
    if (!f->left_site) {
        request.client_certificate_pem = f->client_certificate;
        request.client_key_pem = f->client_key;
    }
    f->use = ANSWER_UNDECIDED;
    f->status = 0;
    forward_log_sent(f);
    if (f->without_body) {
        request.body_kind = UP_BODY_NONE;
    } else if (f->built.body != NULL) {
        request.body_kind = UP_BODY_BYTES;
        request.body = f->built.body;
        request.body_len = (int64_t)f->built.body_len;
    } else if (f->body.kind == BODY_NONE) {
        request.body_kind = UP_BODY_NONE;
    } else if (f->body.kind == BODY_WHOLE) {
        request.body_kind = UP_BODY_BYTES;
        request.body = forward_body_bytes(f, &len);
        request.body_len = (int64_t)len;
    } else {
        request.body_kind = UP_BODY_STREAM;
        request.body_len = f->body.length;
    }
    f->call = up_start(f->pool, &request, &ops, f);
    /* What stays behind is read, too: else a caller that leaves would go unnoticed. */
    if (request.body_kind == UP_BODY_STREAM || f->body.ignored)
        forward_body_read(f);
}
