/* SPDX-License-Identifier: Apache-2.0 */
/* Trying credentials at the provider before they are stored (contract auth.md
 * section 7.1): the catalogue's `proxy.verification` endpoints, in order; one 2xx is
 * enough. Blocking. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "proxy/forward.h"

struct attempt {
    const struct proxy *proxy;
    const struct integration *integration;
    const cJSON *credentials, *config;
    const cJSON *rules; /* proxy.verification */
    struct http_headers headers;
    struct template_stable stable;
};

/* The rules are the catalogue's, so they may name credentials even in an endpoint
 * (Algolia's, Twilio's), which proxy_build() refuses to callers. Wiped by the caller. */
static void render(const struct attempt *a, const char *text, struct buf *out)
{
    const struct template_layer layers[] = {
        {.prefix = "connectionConfig", .object = a->config},
        {.prefix = "credentials", .object = a->credentials},
        {.object = a->credentials},
    };

    buf_init_secret(out, 0);
    template_append(text, layers, sizeof layers / sizeof layers[0], &a->stable, 0, out);
    if (out->data == NULL)
        buf_puts(out, "");
}

static void add_rule_headers(struct attempt *a)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, json_get(a->rules, "headers"))
    {
        struct buf value;

        if (!cJSON_IsString(item))
            continue;
        render(a, item->valuestring, &value);
        http_headers_set(&a->headers, item->string, value.data);
        buf_finish(&value);
    }
}

/* What must not follow a redirect to another site: what the templates put in, and what the
 * rules say of their own. The array ends with NULL and is the caller's, its names are not.
 */
static const char **secret_names(
    const struct attempt *a, const struct proxy_request *built)
{
    size_t count = 0;
    const char **names;

    for (char **name = built->secret_headers; name != NULL && *name != NULL; name++)
        count++;
    names = mem_resize_array(NULL, count + a->headers.count + 1, sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] = built->secret_headers[i];
    for (size_t i = 0; i < a->headers.count; i++)
        names[count++] = a->headers.items[i].name;
    names[count] = NULL;
    return names;
}

static void log_refused(const struct attempt *a, int status, const char *why)
{
    log_event(a->proxy->auth->log, LOG_INFO, "credentials_refused",
        LOG_STR("integration", a->integration->row->unique_key),
        LOG_STR("provider", a->integration->provider->name), LOG_INT("status", status),
        LOG_STR("failure", why), LOG_END);
}

static bool try_endpoint(struct attempt *a, const char *endpoint)
{
    const char *method = json_str(a->rules, "method");
    const cJSON *data = json_get(a->rules, "data");
    struct buf path;
    char *body = data != NULL ? json_print(data) : NULL;
    struct proxy_input input = {
        .provider = a->integration->provider,
        .settings = a->integration->settings,
        .credentials = a->credentials,
        .config = a->config,
        .method = method != NULL ? method : "GET",
        .base_override = json_str(a->rules, "base_url_override"),
        .headers = &a->headers,
        .body = body,
        .body_len = body != NULL ? strlen(body) : 0,
        .body_json = data,
        .stable = &a->stable,
        .library_defaults = true,
    };
    struct proxy_request built;
    struct up_request request = {0};
    struct up_answer answer;
    struct up_blocking call = {.request = &request,
        .timeout_ms = a->proxy->auth->token_timeout_ms,
        .follow = true,
        .head_only = true, /* the status says it all */
        .ca_file = a->proxy->auth->ca_file};
    const char **names;
    struct err err;
    bool ok = false;

    render(a, endpoint, &path);
    input.endpoint = path.data;
    if (proxy_build(&input, &built, &err)) {
        request.method = input.method;
        request.url = built.url;
        request.headers = &built.headers;
        request.policy = a->proxy->policy;
        request.body = built.body != NULL ? built.body : body;
        request.body_kind = request.body != NULL && !str_eq(input.method, "GET")
                                ? UP_BODY_BYTES
                                : UP_BODY_NONE;
        request.body_len =
            (int64_t)(built.body != NULL ? built.body_len : input.body_len);
        if (request.body_kind == UP_BODY_BYTES &&
            http_headers_find(&built.headers, "content-type") == NULL)
            http_headers_add(&built.headers, "content-type", "application/json");
        names = secret_names(a, &built);
        call.drop_on_redirect = names;
        ok = up_call_blocking(&call, &answer) && answer.status >= 200 &&
             answer.status < 300;
        if (!ok)
            log_refused(a, answer.status, up_failure_code(answer.failure));
        up_answer_finish(&answer);
        free(names);
        proxy_request_finish(&built);
    } else {
        log_refused(a, 0, err.code);
    }
    buf_finish(&path);
    free(body);
    return ok;
}

static const cJSON *rules_of(const struct integration *integration)
{
    return integration->provider == NULL
               ? NULL
               : json_get(
                     json_get(integration->provider->entry, "proxy"), "verification");
}

bool proxy_verify_needed(const struct integration *integration)
{
    return cJSON_IsObject(rules_of(integration));
}

bool proxy_verify(void *proxy, const struct integration *integration,
    const cJSON *credentials, const cJSON *config, struct err *err)
{
    struct attempt a = {.proxy = proxy,
        .integration = integration,
        .credentials = credentials,
        .config = config};
    const cJSON *endpoint;
    bool ok = false;

    if (!proxy_verify_needed(integration))
        return true;
    a.rules = rules_of(integration);
    a.stable.clock = a.proxy->auth->clock;
    a.stable.now_ms = clock_now_ms(a.stable.clock);
    crypto_uuid_v4(a.stable.random);
    add_rule_headers(&a);
    cJSON_ArrayForEach(endpoint, json_get(a.rules, "endpoints"))
    {
        ok = cJSON_IsString(endpoint) && try_endpoint(&a, endpoint->valuestring);
        if (ok)
            break;
    }
    http_headers_finish(&a.headers);
    return ok || err_set(err, 400, "connection_test_failed",
                     "The given credentials were found to be invalid. Please check the "
                     "credentials and try again.");
}
