/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a proxied request: check, look up, refresh, build; the order of checks is
 * contract proxy.md section 2. forward_int.h draws the whole and says who does the rest.
 *
 * Ownership: the struct belongs to whoever moves the request on. Each path ends in
 * exactly one answer (or an abort, when the caller left) and then in forward_end(). */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "auth/connection.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/str.h"
#include "catalog/pem.h"
#include "net/answer.h"
#include "proxy/forward_int.h"

#define LARGE_BODY (256 * 1024) /* building may hash it: not on the reactor */
#define CODINGS "gzip, deflate, br"

void forward_denied(struct err *err)
{
    err_set(err, 400, "base_url_override_not_allowed",
        "This outbound URL is not allowed by server configuration.");
}

/* ---- the end ---- */

static void drop_lookup(struct forward *f)
{
    if (f->has_integration)
        integration_finish(&f->integration);
    f->has_integration = false;
    connection_row_unref(f->row);
    f->row = NULL;
}

static void drop_built(struct forward *f)
{
    if (f->has_built)
        proxy_request_finish(&f->built);
    f->has_built = false;
    free(f->url);
    f->url = NULL;
    secret_free(f->client_certificate);
    secret_free(f->client_key);
    f->client_certificate = f->client_key = NULL;
}

void forward_end(struct forward *f)
{
    assert(!f->away);
    if (f->call != NULL)
        up_cancel(f->call);
    reactor_timer_cancel(f->timer);
    drop_lookup(f);
    drop_built(f);
    catalog_unref(f->catalog);
    http_headers_finish(&f->passed);
    http_headers_finish(&f->peeked_headers);
    http_headers_finish(&f->answer_headers);
    buf_finish(&f->body.kept);
    buf_finish(&f->answer);
    forward_log_finish(f);
    free(f->next_url);
    free(f->target);
    free(f);
}

void forward_fail(struct forward *f, const struct err *err)
{
    if (err_is_internal(err))
        forward_log_failed(f, "server_error", "The server failed: its own log says why");
    else
        forward_log_failed(f, err->code, err->message);
    if (f->started)
        http_abort(f->req);
    else
        answer_error(f->req, f->proxy->auth->log, err);
    forward_end(f);
}

void forward_gone(struct forward *f)
{
    if (!f->gone)
        FORWARD_COUNT(f, abandoned);
    f->gone = true;
    if (f->away)
        return;
    forward_log_failed(
        f, "client_left", "The client left before the answer was complete");
    http_abort(f->req);
    forward_end(f);
}

static void on_gone(void *arg)
{
    forward_gone(arg);
}

/* ---- work elsewhere ---- */

/* Back on the reactor: true when the caller is still there. */
static bool came_back(struct forward *f)
{
    f->away = false;
    if (f->gone)
        forward_gone(f);
    else
        return true;
    return false;
}

static void job_back(void *arg)
{
    struct forward *f = arg;

    if (came_back(f))
        f->then(f);
}

static void stopping(struct err *err)
{
    err_set(err, 503, "server_error", "The server is stopping");
}

static void job_run(void *arg)
{
    struct forward *f = arg;

    if (pool_gives_up(f->proxy->auth->outbound)) {
        stopping(&f->err);
        f->ok = false;
    } else {
        f->work(f);
    }
    reactor_post(f->reactor, job_back, f);
}

void forward_run(struct forward *f, bool here, void (*work)(struct forward *f),
    void (*then)(struct forward *f))
{
    struct err err;

    if (here) {
        work(f);
        then(f);
        return;
    }
    f->work = work;
    f->then = then;
    f->away = true;
    if (pool_submit(f->proxy->auth->outbound, job_run, f))
        return;
    f->away = false;
    stopping(&err);
    forward_fail(f, &err);
}

/* ---- build ---- */

/* The connection's own certificate for providers that demand one. */
static bool take_certificate(struct forward *f, const cJSON *credentials, struct err *err)
{
    const char *certificate = json_str(credentials, "client_certificate");
    const char *key = json_str(credentials, "client_private_key");
    char *certificate_pem, *key_pem;
    bool ok;

    if (certificate == NULL || key == NULL ||
        !json_bool(f->provider->entry, "require_client_certificate", false))
        return true;
    certificate_pem = pem_format(certificate, "CERTIFICATE", err);
    key_pem = pem_format(key, "PRIVATE KEY", err);
    ok = certificate_pem != NULL && key_pem != NULL;
    if (ok) {
        f->client_certificate = secret_strndup(certificate_pem, strlen(certificate_pem));
        f->client_key = secret_strndup(key_pem, strlen(key_pem));
    }
    mem_free_text(key_pem);
    free(certificate_pem);
    return ok;
}

/* Which codings the provider may use, and whether we undo them. The caller's own
 * Accept-Encoding goes to the provider when there is one, so that what comes back suits
 * it and passes untouched. A caller that says nothing (curl) gets plain bytes: then we
 * inflate. A part of a compressed file cannot be inflated, so ranges are asked for plain.
 */
static void choose_codings(struct forward *f)
{
    const char *own = http_header(f->req, "accept-encoding");
    bool chosen = http_headers_find(&f->passed, "accept-encoding") != NULL;
    bool range = http_headers_find(&f->passed, "range") != NULL;

    f->inflate = f->options.decompress ||
                 json_bool(json_get(f->provider->entry, "proxy"), "decompress", false);
    if (str_is_empty(own))
        own = NULL;
    if (!f->inflate && own == NULL && !range)
        f->inflate = true;
    if (!chosen)
        http_headers_set(&f->built.headers, "accept-encoding",
            f->inflate    ? CODINGS
            : own != NULL ? own
                          : "identity");
}

/* Values come from credentials and templates: what cannot stand in a header is refused
 * here, so that no value can begin a header of its own. */
static bool headers_are_fit(const struct http_headers *headers, struct err *err)
{
    for (size_t i = 0; i < headers->count; i++) {
        if (!http_is_token(headers->items[i].name) ||
            !http_is_field_value(headers->items[i].value))
            return err_set(err, 400, "invalid_headers",
                "The header %.100s cannot be sent: it holds characters that headers may "
                "not hold",
                headers->items[i].name);
    }
    return true;
}

/* Any thread, hence without a look at the request itself. */
static bool build(struct forward *f, struct err *err)
{
    const struct auth *auth = f->proxy->auth;
    struct template_stable stable = {
        .clock = auth->clock, .now_ms = clock_now_ms(auth->clock)};
    struct proxy_input input = {
        .provider = f->provider,
        .settings = f->integration.settings,
        .method = f->caller_method,
        .endpoint = f->target,
        .base_override = f->options.base_override,
        .headers = &f->passed,
        .stable = &stable,
        .library_defaults = true,
    };
    struct connection connection = {0};
    cJSON *metadata = NULL, *body = NULL;
    bool ok = false;

    ok = proxy_needs_whole_connection(
             f->provider, f->row->auth_type, f->options.base_override, f->target)
             ? connection_open(auth, f->row, &connection, err)
             : connection_open_credentials(auth, f->row, &connection, err);
    f->row = NULL;
    if (!ok)
        goto done;
    ok = false;
    if (proxy_needs_random(f->provider))
        crypto_uuid_v4(stable.random);
    if (connection.row->metadata_json != NULL &&
        proxy_needs_metadata(f->provider, f->options.base_override))
        metadata = json_parse(
            connection.row->metadata_json, strlen(connection.row->metadata_json), NULL);
    input.credentials = connection.credentials;
    input.config = connection.config;
    input.metadata = metadata;
    input.body = forward_body_bytes(f, &input.body_len);
    if (input.body_len > 0 && f->body.is_json &&
        proxy_needs_body(f->provider, connection.row->auth_type))
        body = json_parse(input.body, input.body_len, NULL);
    input.body_json = body;
    if (!proxy_build(&input, &f->built, err)) {
        if (str_eq(err->code, "ERR_INVALID_URL")) /* the policy's word for it */
            forward_denied(err);
        goto done;
    }
    f->has_built = true;
    forward_log_built(f, connection.credentials);
    if (f->body.type != NULL &&
        http_headers_find(&f->built.headers, "content-type") == NULL)
        http_headers_add(&f->built.headers, "content-type", f->body.type);
    if (f->body.coding != NULL &&
        http_headers_find(&f->built.headers, "content-encoding") == NULL)
        http_headers_add(&f->built.headers, "content-encoding", f->body.coding);
    ok = take_certificate(f, connection.credentials, err) &&
         headers_are_fit(&f->built.headers, err);

done:
    cJSON_Delete(body);
    cJSON_Delete(metadata);
    connection_finish(&connection);
    return ok;
}

static void build_work(struct forward *f)
{
    f->ok = build(f, &f->err);
}

static void build_then(struct forward *f)
{
    drop_lookup(f);
    if (!f->ok) {
        forward_fail(f, &f->err);
        return;
    }
    choose_codings(f);
    forward_call_when_allowed(f);
}

void forward_build(struct forward *f)
{
    bool whole = proxy_needs_body(f->provider, f->row->auth_type);

    forward_run(f, !whole || f->body.kept.len <= LARGE_BODY, build_work, build_then);
}

/* ---- look up and refresh ---- */

static void fresh(struct forward *f)
{
    const struct auth *auth = f->proxy->auth;

    f->fetched_mono_ms = clock_mono_ms();
    store_touch_connection(auth->store, f->row->id, clock_now_ms(auth->clock));
    if (f->attempt == 0)
        forward_body_start(f);
    else
        forward_build(f);
}

/* The refresh answered; f->row is the row in force, f->err says why not. */
static void refreshed(void *arg)
{
    struct forward *f = arg;
    struct err err;

    if (!came_back(f))
        return;
    if (f->ok && f->row != NULL) {
        fresh(f);
        return;
    }
    if (f->ok)
        err_set(&err, 400, "server_error", "Failed to get connection");
    else if (str_eq(f->err.code, "connection_refresh_backoff"))
        err = f->err;
    else
        err_set(&err, f->err.status, "server_error",
            "Failed to get connection credentials: '%s'", f->err.message);
    forward_fail(f, &err);
}

/* On an outbound thread. */
static void refresh_done(void *arg, const struct refresh_result *result)
{
    struct forward *f = arg;

    connection_row_unref(f->row);
    f->row = result->row;
    if (f->row != NULL)
        connection_row_ref(f->row);
    f->ok = result->ok;
    f->err = result->err;
    reactor_post(f->reactor, refreshed, f);
}

static void refresh(struct forward *f)
{
    enum refresh_need need =
        refresh_needed(f->proxy->refresher, f->row, f->provider, false);

    switch (need) {
    case REFRESH_FRESH:
        fresh(f);
        break;
    case REFRESH_WANTED:
        f->away = true;
        refresher_run(f->proxy->refresher, f->row, false, refresh_done, f);
        break;
    case REFRESH_BACKOFF:
    case REFRESH_EXHAUSTED:
        f->ok = false;
        refresh_refusal(need, &f->err);
        refreshed(f);
        break;
    }
}

static bool look_up(struct forward *f, struct err *err)
{
    const struct auth *auth = f->proxy->auth;
    const char *key = f->options.provider_config_key;

    if (!integration_load_closed(auth, f->environment_id, key, &f->integration, err)) {
        if (err->status == 404)
            err_set(err, 404, "unknown_provider_config",
                "Provider config not found for the given provider config key. Please "
                "make sure the provider config exists in the Nango dashboard.");
        return false;
    }
    f->has_integration = true;
    if (f->integration.provider != NULL &&
        proxy_needs_settings(f->integration.provider) &&
        !integration_open_settings(auth, &f->integration, err))
        return false;
    if (!connection_find(auth, f->environment_id, f->held_id, key,
            f->options.connection_id, &f->row, err))
        return false;
    if (f->row == NULL)
        return err_set(err, 400, "server_error", "Failed to get connection");
    return true;
}

static void look_up_work(struct forward *f)
{
    f->ok = look_up(f, &f->err);
}

/* An integration of some providers names its own base URL, which is an override as well.
 */
static bool integration_override_allowed(const struct forward *f, struct err *err)
{
    const char *base = json_str(json_get(f->integration.settings, "custom"), "baseUrl");

    if (str_is_empty(base) || f->options.base_override != NULL ||
        json_get(f->provider->entry, "integration_config") == NULL)
        return true;
    if (!f->proxy->base_override_enabled)
        return err_set(err, 400, "base_url_override_disabled",
            "The base URL override is disabled by server configuration.");
    return true;
}

static void look_up_then(struct forward *f)
{
    int64_t age_ms = clock_mono_ms() - f->fetched_mono_ms;

    if (!f->ok) {
        forward_fail(f, &f->err);
        return;
    }
    catalog_unref(f->catalog);
    f->catalog = f->integration.catalog;
    f->provider = f->integration.provider;
    if (f->catalog != NULL)
        catalog_ref(f->catalog);
    forward_log_found(f);
    f->integration_id = f->integration.row->id;
    f->connection_id = f->row->id;
    if (f->provider == NULL) {
        err_set(&f->err, 400, "unknown_provider", "The provider %.100s is not known",
            f->integration.row->provider);
        forward_fail(f, &f->err);
    } else if (!integration_override_allowed(f, &f->err)) {
        forward_fail(f, &f->err);
    } else if (f->fetched_mono_ms > 0 && age_ms < f->proxy->refetch_after_ms) {
        forward_build(f); /* a further try, soon after */
    } else {
        refresh(f);
    }
}

static void look_up_start(struct forward *f)
{
    forward_run(
        f, store_reads_are_local(f->proxy->auth->store), look_up_work, look_up_then);
}

void forward_again(struct forward *f)
{
    struct err err;

    if (f->body.too_large) { /* what was kept of it is not all of it */
        forward_body_refusal(&err);
        forward_fail(f, &err);
        return;
    }
    f->attempt++;
    f->hops = 0;
    f->use = ANSWER_UNDECIDED;
    f->method = f->caller_method;
    f->without_body = false;
    f->left_site = false;
    f->dropped = 0;
    http_headers_finish(&f->peeked_headers);
    buf_clear(&f->answer);
    drop_built(f);
    forward_body_rewind(f);
    look_up_start(f);
}

/* ---- the beginning ---- */

static void answer_faults(struct http_req *req, cJSON *errors)
{
    cJSON *body = cJSON_CreateObject();
    cJSON *error = cJSON_CreateObject();

    json_set_str(error, "code", "invalid_headers");
    json_set(error, "errors", errors);
    json_set(body, "error", error);
    answer_json(req, 400, body);
}

static bool override_allowed(const struct forward *f, struct err *err)
{
    const char *base = f->options.base_override;

    if (base == NULL)
        return true;
    if (!f->proxy->base_override_enabled)
        return err_set(err, 400, "base_url_override_disabled",
            "The base URL override is disabled by server configuration.");
    /* With a placeholder in it the host is known only later; the call checks it again
     * anyway. */
    if (strstr(base, "${") == NULL && !policy_check_url(f->proxy->policy, base, err)) {
        forward_denied(err);
        return false;
    }
    return true;
}

void proxy_forward(const struct proxy *proxy, struct up_pool *pool, struct http_req *req,
    int64_t environment_id, int64_t held_id, bool background, const char *target)
{
    struct forward *f;
    struct forward_options options;
    cJSON *errors;

    if (!forward_options_read(req, &options, &errors)) {
        answer_faults(req, errors);
        return;
    }
    f = MEM_NEW(struct forward);
    f->proxy = proxy;
    f->pool = pool;
    f->req = req;
    f->reactor = http_reactor(req);
    f->environment_id = environment_id;
    f->held_id = held_id;
    f->background = background;
    f->target = str_dup(target);
    f->options = options;
    f->caller_method = f->method = http_method(req);
    http_on_gone(req, on_gone, f);
    forward_log_begin(f);
    if (!override_allowed(f, &f->err)) {
        forward_fail(f, &f->err);
        return;
    }
    forward_passed_headers(req, &f->passed);
    look_up_start(f);
}

void proxy_stats(const struct proxy *proxy, struct proxy_stats *out)
{
    struct proxy_counters *c = proxy->counters;

    *out = (struct proxy_stats){0};
    if (c == NULL)
        return;
    out->requests = atomic_load_explicit(&c->requests, memory_order_relaxed);
    out->retries = atomic_load_explicit(&c->retries, memory_order_relaxed);
    out->redirects = atomic_load_explicit(&c->redirects, memory_order_relaxed);
    out->failures = atomic_load_explicit(&c->failures, memory_order_relaxed);
    out->held = atomic_load_explicit(&c->held, memory_order_relaxed);
    out->abandoned = atomic_load_explicit(&c->abandoned, memory_order_relaxed);
}
