/* SPDX-License-Identifier: Apache-2.0 */
/* Providers with ways of their own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/connection.h"
#include "base/json.h"
#include "base/secret.h"
#include "base/str.h"
#include "catalog/weburl.h"
#include "inbound/inbound_int.h"
#include "net/upstream.h"

#define MINUTE_MS 60000

/* ---- connectwise ---- */

/* `{api-,sandbox-}{au,eu,na}`, or one of these alone, at myconnectwise.net. */
static bool is_connectwise(const char *url)
{
    static const char *const hosts[] = {"au", "eu", "na", "api-au", "api-eu", "api-na",
        "sandbox-au", "sandbox-eu", "sandbox-na"};
    char start[80];

    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        (void)snprintf(start, sizeof start, "https://%s.myconnectwise.net/", hosts[i]);
        if (str_starts(url, start))
            return true;
    }
    return false;
}

/* The key that a message is signed with is told by the message, at a host that only the
 * provider has. */
static bool fetch_signing_key(struct visit *visit, const char *url, struct buf *out)
{
    struct http_headers none = {0};
    const struct up_request request = {
        .method = "GET",
        .url = url,
        .headers = &none,
        .policy = visit->auth->policy,
    };
    const struct up_blocking call = {
        .request = &request, .timeout_ms = 10000, .ca_file = visit->auth->ca_file};
    struct up_answer answer;
    const char *key;
    cJSON *body = NULL;

    if (up_call_blocking(&call, &answer) && answer.status == 200)
        body = json_parse(answer.body.data, answer.body.len, NULL);
    up_answer_finish(&answer);
    key = json_str(body, "signing_key");
    if (key != NULL)
        buf_puts(out, key);
    cJSON_Delete(body);
    return out->len > 0;
}

static bool connectwise(struct visit *visit)
{
    const char *url = visit_text(visit, "Metadata.key_url");
    uint8_t hash[SHA256_LEN];
    struct buf key;
    bool ok;

    if (visit_header(visit, "x-content-signature") == NULL)
        return visit_unsigned(visit);
    if (url == NULL || !is_connectwise(url))
        return visit_forged(visit);
    buf_init_secret(&key, 0);
    ok = fetch_signing_key(visit, url, &key);
    crypto_sha256(ok ? key.data : "", key.len, hash);
    buf_finish(&key);
    if (!ok)
        return err_set(visit->err, 500, "webhook_invalid_secret",
            "The provider's signing key could not be fetched: send the message again");
    if (!check_hmac(visit, &(struct hmac_check){.header = "x-content-signature",
                               .base64 = true,
                               .key = (const char *)hash,
                               .key_len = sizeof hash}))
        return false;
    event_add(visit, visit_text(visit, "Type"), NULL, NULL);
    event_find_at(visit, FIND_METADATA, "productInstanceId", NULL, "ProductInstanceId");
    return true;
}

/* ---- github ---- */

/* Its webhooks are signed with a secret that is made of the app's other data. */
static bool github_signature(struct visit *visit, const char *id, const char *key)
{
    const char *link = visit_setting(visit, "app_link");
    uint8_t hash[SHA256_LEN];
    char secret[2 * SHA256_LEN + 1];
    struct buf text;

    if (visit_header(visit, "x-hub-signature-256") == NULL)
        return true;
    buf_init_secret(&text, 0);
    buf_puts(&text, id != NULL ? id : "");
    if (key != NULL && strstr(key, "-----BEGIN") == NULL) {
        if (!str_unbase64(key, strlen(key), &text)) {
            buf_finish(&text);
            return visit_forged(visit);
        }
    } else {
        buf_puts(&text, key != NULL ? key : "");
    }
    buf_puts(&text, link != NULL ? link : "");
    crypto_sha256(text.data, text.len, hash);
    buf_finish(&text);
    str_hex(hash, sizeof hash, secret);
    return check_hmac(
        visit, &(struct hmac_check){
                   .header = "x-hub-signature-256", .prefix = "sha256=", .key = secret});
}

static void github_event(struct visit *visit)
{
    event_add(visit, NULL, visit_header(visit, "x-github-event"), NULL);
    event_find_at(visit, FIND_CONFIG, "installation_id", NULL, "installation.id");
    visit->message = str_dup(visit_header(visit, "x-github-delivery"));
}

static bool github_app(struct visit *visit)
{
    if (!github_signature(visit, visit_setting(visit, "oauth_client_id"),
            visit_setting(visit, "oauth_client_secret")))
        return false;
    github_event(visit);
    return true;
}

static bool github_app_oauth(struct visit *visit)
{
    if (!github_signature(
            visit, visit_custom(visit, "app_id"), visit_custom(visit, "private_key")))
        return false;
    github_event(visit);
    return true;
}

/* ---- secrets that each connection has ---- */

/* metadata.webhookSecret, a text or a list of one. The caller frees with secret_free(). */
static bool connection_secret(struct visit *visit, const char *connection_id, char **out)
{
    const struct inbound_request *request = visit->request;
    struct connection_row *row = NULL;
    const cJSON *value;
    cJSON *metadata = NULL;
    const char *text;

    *out = NULL;
    if (!store_find_connection(visit->auth->store, request->environment->id,
            request->integration->row->unique_key, connection_id, &row, visit->err))
        return false;
    if (row != NULL && row->metadata_json != NULL)
        metadata = json_parse(row->metadata_json, strlen(row->metadata_json), NULL);
    value = json_get(metadata, "webhookSecret");
    if (cJSON_IsArray(value) && cJSON_GetArraySize(value) == 1)
        value = cJSON_GetArrayItem(value, 0);
    text = cJSON_GetStringValue(value);
    if (!str_is_empty(text))
        *out = secret_strndup(text, strlen(text));
    cJSON_Delete(metadata);
    connection_row_unref(row);
    return true;
}

static bool gitlab_signature(struct visit *visit, const char *secret)
{
    const char *token = visit_header(visit, "x-gitlab-token");

    if (str_starts(secret, "whsec_"))
        return check_svix(visit, secret, 5 * MINUTE_MS);
    if (token == NULL)
        return visit_unsigned(visit);
    return check_equal(token, secret) || visit_forged(visit);
}

static bool gitlab(struct visit *visit)
{
    const char *id = visit_query(visit, "nangoConnectionId");
    char *secret;
    bool ok;

    if (id == NULL)
        id = visit_text(visit, "nangoConnectionId");
    if (id == NULL)
        return visit_bad(visit, "webhook_missing_connection_id",
            "Put ?nangoConnectionId=… at the end of the webhook's URL");
    if (!connection_secret(visit, id, &secret))
        return false;
    ok = secret != NULL ? gitlab_signature(visit, secret) : visit_forged(visit);
    secret_free(secret);
    if (!ok)
        return false;
    event_add(visit, NULL, visit_header(visit, "x-gitlab-event"), NULL);
    event_find(visit, FIND_ID, NULL, id);
    if (visit->message == NULL)
        visit->message = str_dup(visit_header(visit, "x-gitlab-event-uuid"));
    return true;
}

/* Its header lists a signature for each of its keys. */
static bool pagerduty_signature(struct visit *visit, const char *secret)
{
    const char *at = visit_header(visit, "x-pagerduty-signature");

    if (str_is_empty(at))
        return visit_unsigned(visit);
    while (*at != '\0') {
        size_t len = strcspn(at, ",");
        char *one = str_ndup(at, len);
        bool good = check_hmac(
            visit, &(struct hmac_check){
                       .given = one + strspn(one, " "), .prefix = "v1=", .key = secret});

        free(one);
        if (good)
            return true;
        at += len;
        at += *at == ',';
    }
    return visit_forged(visit);
}

static bool pagerduty(struct visit *visit)
{
    const char *id = visit_header(visit, "x-nango-connection-id");
    struct err none = {0};
    char *secret;
    bool ok;

    if (id == NULL)
        return visit_bad(visit, "webhook_missing_connection_id",
            "Give the webhook subscription a header X-Nango-Connection-Id");
    if (!connection_secret(visit, id, &secret))
        return false;
    ok = secret != NULL ? pagerduty_signature(visit, secret) : visit_forged(visit);
    secret_free(secret);
    if (!ok)
        return false;
    *visit->err = none; /* of a signature by another key */
    event_add(visit, visit_text(visit, "event.event_type"), NULL, NULL);
    event_find(visit, FIND_ID, NULL, id);
    visit->message = str_dup(visit_text(visit, "event.id"));
    return true;
}

/* ---- sentry ---- */

static bool sentry(struct visit *visit)
{
    const char *secret = visit_setting(visit, "oauth_client_secret");

    if (visit_header(visit, "sentry-hook-signature") != NULL &&
        !check_hmac(visit,
            &(struct hmac_check){.header = "sentry-hook-signature", .key = secret}))
        return false;
    event_add(visit, visit_text(visit, "action"), NULL, NULL);
    event_find_at(visit, FIND_CONFIG, "installation_id", NULL, "installation.id");
    return true;
}

/* ---- shipstation ---- */

static bool shipstation(struct visit *visit)
{
    const char *id = visit_header(visit, "x-nango-connection-id");
    const char *url = visit_text(visit, "resource_url");
    const char *at = url != NULL ? strstr(url, "storeID=") : NULL;
    char *store;

    event_add(visit, visit_text(visit, "resource_type"), NULL, NULL);
    if (id != NULL) {
        event_find(visit, FIND_ID, NULL, id);
        return true;
    }
    store = at != NULL ? str_ndup(at + 8, strcspn(at + 8, "&#")) : NULL;
    event_find(visit, FIND_METADATA, "storeId", store);
    free(store);
    return true;
}

/* ---- slack ---- */

/* `v0=`, over `v0:<seconds>:<body>`. */
static bool slack_signature(struct visit *visit, const char *secret)
{
    const char *time = visit_header(visit, "x-slack-request-timestamp");
    struct buf text;
    int64_t at;
    bool ok;

    if (time == NULL || visit_header(visit, "x-slack-signature") == NULL)
        return visit_unsigned(visit);
    if (!str_to_i64(time, &at) || llabs(visit->now_ms - at * 1000) > 5 * MINUTE_MS)
        return visit_forged(visit);
    buf_init(&text, 0);
    buf_printf(&text, "v0:%s:", time);
    if (visit->request->len > 0)
        buf_append(&text, visit->request->body, visit->request->len);
    ok = check_hmac(visit, &(struct hmac_check){.header = "x-slack-signature",
                               .prefix = "v0=",
                               .key = secret,
                               .text = text.data,
                               .text_len = text.len});
    buf_finish(&text);
    return ok;
}

/* What a person does in Slack comes as a form with JSON in it. */
static void slack_open_form(struct visit *visit)
{
    const char *payload = visit_text(visit, "payload");
    cJSON *body = payload != NULL ? json_parse(payload, strlen(payload), NULL) : NULL;

    if (body == NULL)
        return;
    cJSON_Delete(visit->body);
    visit->body = body;
}

static bool slack(struct visit *visit)
{
    const char *secret = visit_secret(visit);
    const char *type;

    if (secret != NULL && !slack_signature(visit, secret))
        return false;
    slack_open_form(visit);
    type = visit_text(visit, "type");
    if (str_eq(type, "url_verification")) { /* it asks whether we are there */
        const char *challenge = visit_text(visit, "challenge");

        visit->answer = (struct inbound_answer){200, "text/plain", str_dup(challenge)};
        visit->passes_on = false;
        return true;
    }
    event_add(visit, type, NULL, NULL);
    event_find_at(visit, FIND_CONFIG, "team.id", NULL,
        json_get(visit->body, "team_id") != NULL ? "team_id" : "team.id");
    visit->message = str_dup(visit_text(visit, "event_id"));
    if (str_eq(type, "view_submission")) /* any body would be shown as an error */
        visit->answer = (struct inbound_answer){200, NULL, NULL};
    return true;
}

const struct handler handlers_special[] = {
    {.name = "connectwisePsa", .run = connectwise, .asks_provider = true},
    {.name = "githubApp", .run = github_app},
    {.name = "githubAppOauth", .run = github_app_oauth},
    {.name = "gitlab", .run = gitlab},
    {.name = "pagerduty", .run = pagerduty},
    {.name = "sentryOauth", .run = sentry},
    {.name = "shipstation", .run = shipstation},
    {.name = "slack", .run = slack},
    {.name = NULL},
};
