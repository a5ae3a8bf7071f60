/* SPDX-License-Identifier: Apache-2.0 */
/* BILL: a session of Bill.com, which a login gives (contract auth.md section 7); renewed by
 * logging in again. */
#include <string.h>

#include "auth/mode.h"
#include "auth/provider_entry.h"
#include "auth/token_int.h"
#include "base/json.h"
#include "base/str.h"

#define CODE "bill_credentials_fetch_error"
#define LIFE_MS (INT64_C(35) * 60 * 1000)

/* Of the credentials, and as the login names them. */
static const struct {
    const char *ours;
    const char *theirs;
} fields[] = {
    {"username", "username"},
    {"password", "password"},
    {"organization_id", "organizationId"},
    {"dev_key", "devKey"},
};
#define FIELDS (sizeof fields / sizeof fields[0])

static bool obtain(const struct auth *auth, const struct integration *integration,
    const struct connection *connection, struct buf *answer, struct err *err)
{
    const char *url = provider_token_url(integration->provider);
    struct token_request request = {0};
    cJSON *body;
    bool ok;

    if (url == NULL)
        return err_set(err, 400, "missing_token_url", "provider %.60s has no token URL",
            integration->provider->name);
    request.url = template_url(url, connection->config, false, NULL, err);
    if (request.url == NULL)
        return false;
    body = cJSON_CreateObject();
    for (size_t i = 0; i < FIELDS; i++) {
        const char *value = json_str(connection->credentials, fields[i].ours);

        json_set_str(body, fields[i].theirs, value != NULL ? value : "");
    }
    request.method = str_dup("POST");
    request.body = json_print(body);
    token_request_keep_secrets(&request, body);
    token_request_defaults(&request, "application/json");
    cJSON_Delete(body);
    ok = token_request_send(auth, &request, CODE, answer, err);
    token_request_finish(&request);
    return ok;
}

static bool parse(const struct integration *integration,
    const struct connection *connection, const char *answer, size_t len,
    int64_t received_at_ms, cJSON **credentials, struct err *err)
{
    cJSON *raw = len > 0 ? json_parse_lenient(answer, len, NULL) : NULL;
    const char *session = json_str(raw, "sessionId"), *user = json_str(raw, "userId");
    struct token_secrets secrets = {{0}};
    cJSON *out;

    (void)integration;
    *credentials = NULL;
    if (str_is_empty(session)) {
        for (size_t i = 0; i < FIELDS; i++)
            secrets.items[i] = json_str(connection->credentials, fields[i].ours);
        token_answer_refused(answer != NULL ? answer : "", len, raw, &secrets, err);
        cJSON_Delete(raw);
        return false;
    }
    out = cJSON_CreateObject();
    json_set_str(out, "type", "BILL");
    for (size_t i = 0; i < FIELDS; i++)
        json_set_str(
            out, fields[i].ours, json_str(connection->credentials, fields[i].ours));
    json_set_str(out, "session_id", session);
    json_set_str(out, "user_id", user);
    token_expiry_set(out, received_at_ms + LIFE_MS);
    json_set(out, "raw", raw);
    *credentials = out;
    return true;
}

const struct mode mode_bill = {
    .credentials_type = "BILL",
    .can_renew = mode_renews_always,
    .obtain = obtain,
    .parse = parse,
};
