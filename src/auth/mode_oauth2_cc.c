/* SPDX-License-Identifier: Apache-2.0 */
/* OAUTH2_CC: tokens for the client's own credentials (contract auth.md section 4); renewed
 * by the same request again. */
#include <string.h>

#include "auth/connection.h"
#include "auth/mode.h"
#include "auth/token_int.h"
#include "auth/token_steps.h"
#include "base/json.h"
#include "base/str.h"

#define CODE "client_credentials_fetch_error"
/* When the answer says nothing. */
#define LIFE_MS (INT64_C(55) * 60 * 1000)

/* What is entered, and kept. */
static const char *const kept[] = {
    "client_id", "client_secret", "client_certificate", "client_private_key"};

static bool obtain(const struct auth *auth, const struct integration *integration,
    const struct connection *connection, struct buf *answer, struct err *err)
{
    const struct template_stable stable = {.clock = auth->clock};
    const struct cc_input input = {
        .provider = integration->provider,
        .client_id = json_str(connection->credentials, "client_id"),
        .client_secret = json_str(connection->credentials, "client_secret"),
        .private_key = json_str(connection->credentials, "client_private_key"),
        .certificate = json_str(connection->credentials, "client_certificate"),
        .scopes = json_str(integration->settings, "oauth_scopes"),
        .config = connection->config,
        .stable = &stable,
    };
    struct token_request request;
    bool ok;

    if (!cc_request(&input, &request, err))
        return false;
    token_request_defaults(&request, NULL);
    ok = token_request_send(auth, &request, CODE, answer, err);
    token_request_finish(&request);
    return ok;
}

static const char *token_of(const cJSON *raw)
{
    const char *token = json_str(raw, "access_token");

    if (str_is_empty(token))
        token = json_str(json_get(raw, "data"), "token");
    return !str_is_empty(token) ? token : json_str(raw, "jwt");
}

static int64_t expiry_of(
    const struct provider *provider, const cJSON *raw, int64_t now_ms)
{
    const char *unit = json_str(provider->entry, "expires_in_unit");
    int64_t at_ms, life_ms;

    if (credentials_expiry(raw, now_ms, &at_ms) && at_ms != 0)
        return at_ms;
    if (!token_life_parse(json_get(raw, "expires_in"), &life_ms))
        return now_ms + LIFE_MS;
    return now_ms + (str_eq(unit, "milliseconds") ? life_ms / 1000 : life_ms);
}

static bool parse(const struct integration *integration,
    const struct connection *connection, const char *answer, size_t len,
    int64_t received_at_ms, cJSON **credentials, struct err *err)
{
    struct token_secrets secrets = {{0}};
    cJSON *raw = len > 0 ? json_parse_lenient(answer, len, NULL) : NULL;
    const char *token = token_of(raw);
    cJSON *out;

    *credentials = NULL;
    if (str_is_empty(token)) {
        for (size_t i = 1; i < sizeof kept / sizeof kept[0]; i++) /* the id is none */
            secrets.items[i] = json_str(connection->credentials, kept[i]);
        token_answer_refused(answer != NULL ? answer : "", len, raw, &secrets, err);
        cJSON_Delete(raw);
        return false;
    }
    out = cJSON_CreateObject();
    json_set_str(out, "type", "OAUTH2_CC");
    json_set_str(out, "token", token);
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        const char *value = json_str(connection->credentials, kept[i]);

        if (value != NULL)
            json_set_str(out, kept[i], value);
    }
    token_expiry_set(out, expiry_of(integration->provider, raw, received_at_ms));
    json_set(out, "raw", raw);
    *credentials = out;
    return true;
}

static void learn(
    const struct provider *provider, const char *answer, size_t len, cJSON *config)
{
    cJSON *raw = json_parse_lenient(answer, len, NULL);

    token_response_metadata(provider, raw, config);
    cJSON_Delete(raw);
}

const struct mode mode_oauth2_cc = {
    .credentials_type = "OAUTH2_CC",
    .can_renew = mode_renews_always,
    .obtain = obtain,
    .parse = parse,
    .learn = learn,
};
