/* SPDX-License-Identifier: Apache-2.0 */
/* Explaining cases of `nangod catalog explain`. The frozen world is one instant, one UUID
 * and one client, so that results can be compared as texts. */
#include "nangod/explain.h"

#include <stdlib.h>
#include <string.h>

#include "auth/oauth_flow.h"
#include "auth/token.h"
#include "auth/token_steps.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "proxy/build.h"

#define FROZEN_MS INT64_C(1705322096789) /* 2024-01-15T12:34:56.789Z */
#define FROZEN_UUID "00000000-0000-4000-8000-000000000001"
#define FROZEN_NONCE "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
#define FROZEN_STATE "11111111-1111-11ee-8111-111111111111"
#define FROZEN_VERIFIER "070707070707070707070707070707070707070707070707"
#define CALLBACK "https://nango.example.test/oauth/callback"
#define SCOPES "scope.a,scope/b"

static cJSON *failure(const struct err *err)
{
    cJSON *out = cJSON_CreateObject();

    json_set_str(out, "error", err->code);
    return out;
}

static cJSON *client_settings(void)
{
    cJSON *settings = cJSON_CreateObject();

    json_set_str(settings, "oauth_client_id", "ci-1");
    json_set_str(settings, "oauth_client_secret", "cs-1");
    json_set_str(settings, "oauth_scopes", SCOPES);
    json_set_str(settings, "app_link", "https://apps.example.test/my-app");
    return settings;
}

static const struct provider *find(
    const struct catalog *catalog, const cJSON *one, struct err *err)
{
    const struct provider *provider = catalog_find(catalog, json_str(one, "name"));

    if (provider == NULL)
        err_set(err, 400, "unknown_provider", "no such provider");
    return provider;
}

static cJSON *shown_headers(const struct http_headers *headers)
{
    cJSON *out = cJSON_CreateObject();

    for (size_t i = 0; i < headers->count; i++) {
        char *name = str_dup(headers->items[i].name);

        str_lower(name);
        json_set_str(out, name, headers->items[i].value);
        free(name);
    }
    return out;
}

cJSON *explain_proxy(const struct catalog *catalog, const cJSON *one, bool frozen)
{
    const cJSON *request = json_get(one, "request"), *header;
    const cJSON *data = json_get(request, "data");
    struct clock clock = {.frozen_ms = frozen ? FROZEN_MS : 0};
    struct template_stable stable = {.clock = &clock};
    struct http_headers headers = {0};
    struct proxy_request built;
    struct err err = {0};
    cJSON *settings, *out;
    char *body = data != NULL ? json_print(data) : NULL;
    struct proxy_input input = {
        .provider = find(catalog, one, &err),
        .credentials = json_get(one, "credentials"),
        .config = json_get(one, "connection_config"),
        .metadata = json_get(one, "metadata"),
        .method =
            json_str(request, "method") != NULL ? json_str(request, "method") : "GET",
        .endpoint =
            json_str(request, "endpoint") != NULL ? json_str(request, "endpoint") : "/",
        .headers = &headers,
        .body = body,
        .body_len = body != NULL ? strlen(body) : 0,
        .body_json = data,
        .stable = &stable,
    };

    if (input.provider == NULL) {
        free(body);
        return failure(&err);
    }
    stable.now_ms = clock_now_ms(&clock);
    if (frozen) {
        str_copy(stable.random, sizeof stable.random, FROZEN_UUID);
        str_copy(stable.nonce, sizeof stable.nonce, FROZEN_NONCE);
    } else {
        crypto_uuid_v4(stable.random);
    }
    settings = client_settings();
    input.settings = settings;
    cJSON_ArrayForEach(header, json_get(request, "headers"))
    {
        if (cJSON_IsString(header))
            http_headers_add(&headers, header->string, header->valuestring);
    }
    if (proxy_build(&input, &built, &err)) {
        out = cJSON_CreateObject();
        json_set_str(out, "url", built.url);
        json_set(out, "headers", shown_headers(&built.headers));
        if (data != NULL) {
            cJSON *sent = built.body != NULL
                              ? json_parse(built.body, built.body_len, NULL)
                              : cJSON_Duplicate(data, true);

            json_set(out, "data", sent != NULL ? sent : cJSON_CreateString(built.body));
        }
        proxy_request_finish(&built);
    } else {
        out = failure(&err);
    }
    http_headers_finish(&headers);
    cJSON_Delete(settings);
    free(body);
    return out;
}

cJSON *explain_authurl(const struct catalog *catalog, const cJSON *one, bool frozen)
{
    struct err err = {0};
    struct clock clock = {.frozen_ms = frozen ? FROZEN_MS : 0};
    struct template_stable stable = {.clock = &clock, .now_ms = clock_now_ms(&clock)};
    char verifier[49], state[UUID_TEXT_SIZE];
    struct authorize_request request = {
        .provider = find(catalog, one, &err),
        .config = json_get(one, "connection_config"),
        .authorization_params = json_get(one, "authorization_params"),
        .client_id = "ci-1",
        .scopes = SCOPES,
        .redirect_uri = CALLBACK,
        .state = FROZEN_STATE,
        .verifier = FROZEN_VERIFIER,
    };
    cJSON *out;
    char *url;

    if (request.provider == NULL)
        return failure(&err);
    if (!frozen) {
        crypto_random_hex(verifier, 24);
        crypto_uuid_v4(state);
        request.verifier = verifier;
        request.state = state;
    } else {
        str_copy(stable.random, sizeof stable.random, FROZEN_UUID);
        request.stable = &stable;
    }
    url = oauth_authorize_url(&request, &err);
    if (url == NULL)
        return failure(&err);
    out = cJSON_CreateObject();
    json_set_str(out, "url", url);
    free(url);
    return out;
}

/* A JSON or XML body is shown as what it says, any other as its text. */
static cJSON *shown_body(const struct token_request *request)
{
    const char *type = http_headers_find(&request->headers, "content-type");
    cJSON *value = NULL;

    if (request->body == NULL)
        return cJSON_CreateNull();
    if (request->xml != NULL) {
        value = cJSON_CreateObject();
        json_set(value, "xml", cJSON_Duplicate(request->xml, true));
    } else if (str_eq(type, "application/json")) {
        value = json_parse(request->body, strlen(request->body), NULL);
    }
    return value != NULL ? value : cJSON_CreateString(request->body);
}

static bool build_step(const struct provider *provider, const char *step,
    const cJSON *one, const struct template_stable *stable, struct token_request *request,
    struct err *err)
{
    const struct token_client client = {.id = "ci-1", .secret = "cs-1"};
    const cJSON *config = json_get(one, "connection_config");
    const struct cc_input cc = {
        .provider = provider,
        .client_id = client.id,
        .client_secret = client.secret,
        .scopes = SCOPES,
        .config = config,
        .stable = stable,
    };
    struct two_step_input two_step = {
        .provider = provider,
        .fields = json_get(one, "fields"),
        .config = config,
        .stable = stable,
    };
    cJSON *none = cJSON_CreateObject();
    bool ok;

    if (two_step.fields == NULL)
        two_step.fields = none;
    if (str_eq(step, "two_step_refresh"))
        two_step.refresh_token = "rt-1";
    if (str_eq(step, "exchange"))
        ok = token_request_exchange(
            provider, &client, config, "code-1", CALLBACK, FROZEN_VERIFIER, request, err);
    else if (str_eq(step, "refresh"))
        ok = token_request_refresh(provider, &client, config, "rt-1", request, err);
    else if (str_eq(step, "client_credentials"))
        ok = cc_request(&cc, request, err);
    else if (str_eq(step, "two_step") || str_eq(step, "two_step_refresh"))
        ok = two_step_request(&two_step, request, err);
    else
        ok = err_set(err, 400, "unsupported_step", "no such step");
    cJSON_Delete(none);
    return ok;
}

cJSON *explain_token(const struct catalog *catalog, const cJSON *one, bool frozen)
{
    struct clock clock = {.frozen_ms = frozen ? FROZEN_MS : 0};
    struct template_stable stable = {.clock = &clock, .now_ms = clock_now_ms(&clock)};
    struct token_request request = {0};
    struct err err = {0};
    const struct provider *provider = find(catalog, one, &err);
    cJSON *out;

    if (frozen)
        str_copy(stable.random, sizeof stable.random, FROZEN_UUID);
    else
        crypto_uuid_v4(stable.random);
    if (provider == NULL ||
        !build_step(provider, json_str(one, "step"), one, &stable, &request, &err))
        return failure(&err);
    out = cJSON_CreateObject();
    json_set_str(out, "method", request.method);
    json_set_str(out, "url", request.url);
    json_set(out, "headers", shown_headers(&request.headers));
    json_set(out, "body", shown_body(&request));
    token_request_finish(&request);
    return out;
}
