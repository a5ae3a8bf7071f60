/* SPDX-License-Identifier: Apache-2.0 */
/* Token introspection. The call carries the client's secret, so it goes only where the
 * provider itself said (`instance_url` of its token answer); an address from the
 * connection's config, which a browser may have set, is taken only when it is one of
 * Salesforce's. */
#include "auth/introspect.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "auth/token.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define KNOWN_SLOTS 1024
#define TRUST_MS ((int64_t)5 * 60 * 1000)

struct known {
    int64_t id;
    int64_t version;
    int64_t until_ms;
};

/* One slot for each id modulo the size: a collision costs a call, no more. */
struct introspections {
    pthread_mutex_t lock;
    struct known slots[KNOWN_SLOTS];
};

/* Held by pointer, so that those who may only look at the refresher can use it. */
struct introspections *introspections_new(void)
{
    struct introspections *known = MEM_NEW(struct introspections);

    pthread_mutex_init(&known->lock, NULL);
    return known;
}

void introspections_free(struct introspections *known)
{
    if (known != NULL)
        pthread_mutex_destroy(&known->lock);
    free(known);
}

bool introspect_applies(const struct connection_row *row)
{
    static const char *const providers[] = {"salesforce", "salesforce-cc",
        "salesforce-sandbox", "salesforce-experience-cloud", "salesforce-jwt"};

    for (size_t i = 0; i < sizeof providers / sizeof providers[0]; i++) {
        if (str_eq(row->provider, providers[i]))
            return true;
    }
    return false;
}

bool introspections_know(
    struct introspections *known, const struct connection_row *row, int64_t now_ms)
{
    const struct known *slot = &known->slots[(uint64_t)row->id % KNOWN_SLOTS];
    bool live;

    pthread_mutex_lock(&known->lock);
    /* Further off than is ever noted: the clock was set back since. */
    live = slot->id == row->id && slot->version == row->version &&
           now_ms < slot->until_ms && slot->until_ms - now_ms <= TRUST_MS;
    pthread_mutex_unlock(&known->lock);
    return live;
}

void introspections_note(struct introspections *known, const struct connection_row *row,
    int64_t now_ms, int64_t until_ms)
{
    struct known *slot = &known->slots[(uint64_t)row->id % KNOWN_SLOTS];

    if (until_ms == 0 || until_ms > now_ms + TRUST_MS)
        until_ms = now_ms + TRUST_MS;
    pthread_mutex_lock(&known->lock);
    *slot = (struct known){row->id, row->version, until_ms};
    pthread_mutex_unlock(&known->lock);
}

/* https://<something>.salesforce.com or .force.com, without user, port or path tricks. */
static bool is_salesforce(const char *url)
{
    static const char *const domains[] = {".salesforce.com", ".force.com"};
    const char *host = str_starts(url, "https://") ? url + strlen("https://") : "";
    size_t len =
        strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-");

    if (host[len] != '\0' && host[len] != '/')
        return false;
    for (size_t i = 0; i < sizeof domains / sizeof domains[0]; i++) {
        size_t domain_len = strlen(domains[i]);

        if (len > domain_len &&
            strncasecmp(host + len - domain_len, domains[i], domain_len) == 0)
            return true;
    }
    return false;
}

static const char *instance_url(const struct connection *connection)
{
    const char *said = json_str(json_get(connection->credentials, "raw"), "instance_url");
    const char *set = json_str(connection->config, "instance_url");

    if (!str_is_empty(said))
        return said;
    return set != NULL && is_salesforce(set) ? set : NULL;
}

static void field_append(struct buf *out, const char *name, const char *value)
{
    if (str_is_empty(value))
        return;
    if (out->len > 0)
        buf_putc(out, '&');
    buf_puts(out, name);
    buf_putc(out, '=');
    str_form_encode(value, strlen(value), out);
}

static void request_make(struct token_request *request, const char *base,
    const struct token_client *client, const char *token)
{
    size_t len = strlen(base);
    struct buf body;

    memset(request, 0, sizeof *request);
    buf_init_secret(&body, 0);
    field_append(&body, "token", token);
    field_append(&body, "token_type_hint", "access_token");
    field_append(&body, "client_id", client->id);
    field_append(&body, "client_secret", client->secret);
    request->method = str_dup("POST");
    request->url = str_printf("%.*s/services/oauth2/introspect",
        (int)(len > 0 && base[len - 1] == '/' ? len - 1 : len), base);
    http_headers_add(&request->headers, "Accept", "application/json");
    http_headers_add(&request->headers, "User-Agent", "Nango");
    http_headers_add(
        &request->headers, "Content-Type", "application/x-www-form-urlencoded");
    request->body = buf_take(&body, NULL);
    buf_finish(&body);
}

/* The client that the token was given to: the connection's own, where the user entered one
 * (OAUTH2_CC, TWO_STEP), else as for OAUTH2. */
static void client_choose(const struct integration *integration, const cJSON *credentials,
    struct token_client *out)
{
    static const char *const ids[] = {"client_id", "clientId"};
    static const char *const secrets[] = {"client_secret", "clientSecret"};

    token_client_choose(
        integration->settings, json_get(credentials, "config_override"), out);
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        if (!str_is_empty(json_str(credentials, ids[i]))) {
            out->id = json_str(credentials, ids[i]);
            out->secret = json_str(credentials, secrets[i]);
        }
    }
}

enum introspected introspect_token(const struct auth *auth,
    const struct integration *integration, const struct connection *connection,
    int64_t *until_ms)
{
    const char *base = instance_url(connection);
    const cJSON *credentials = connection->credentials;
    const char *token = json_str(credentials, "access_token");
    int64_t margin_ms = integration->provider->expiry_margin_ms;
    enum introspected found = INTROSPECTED_DEAD;
    struct token_request request;
    struct token_client client;
    struct buf answer;
    cJSON *parsed = NULL;
    int64_t exp_s = 0;

    *until_ms = 0;
    if (base == NULL)
        return INTROSPECTED_NOT;
    if (token == NULL)
        token = json_str(credentials, "token");
    client_choose(integration, credentials, &client);
    request_make(&request, base, &client, token);
    buf_init_secret(&answer, 0);
    if (token_request_send(auth, &request, "introspection_failed", &answer, NULL) &&
        answer.len > 0)
        parsed = json_parse_lenient(answer.data, answer.len, NULL);
    if (json_bool(parsed, "active", false) && json_i64(parsed, "exp", &exp_s) &&
        exp_s < INT64_MAX / 1000) {
        *until_ms = exp_s * 1000 - margin_ms;
        if (*until_ms > clock_now_ms(auth->clock))
            found = INTROSPECTED_LIVE;
    }
    cJSON_Delete(parsed);
    buf_finish(&answer);
    token_request_finish(&request);
    return found;
}
