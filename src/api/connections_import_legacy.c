/* SPDX-License-Identifier: Apache-2.0 */
/* POST /connection: the flat import of old days (contract http-api.md section 3.3,
 * "Legacy body"). What is needed depends on the provider's auth mode; unknown fields are
 * kept in `raw`. Each mode has a table of the fields it needs, with the error code of a
 * missing one. */
#include <stdlib.h>
#include <string.h>

#include "api/api_int.h"
#include "api/fields.h"
#include "auth/auth_log.h"
#include "auth/connection.h"
#include "base/json.h"
#include "base/str.h"

/* A field of the body that becomes a field of the credentials. */
struct needed {
    const char *from;
    const char *to;
    const char *missing_code; /* NULL = optional */
};

static const struct needed oauth2_fields[] = {
    {"access_token", "access_token", "missing_access_token"},
    {"refresh_token", "refresh_token", NULL},
    {NULL, NULL, NULL},
};
static const struct needed oauth1_fields[] = {
    {"oauth_token", "oauth_token", "missing_oauth_token"},
    {"oauth_token_secret", "oauth_token_secret", "missing_oauth_token_secret"},
    {NULL, NULL, NULL},
};
static const struct needed basic_fields[] = {
    {"username", "username", "missing_basic_username"},
    {"password", "password", NULL}, /* some providers take a name alone */
    {NULL, NULL, NULL},
};
static const struct needed api_key_fields[] = {
    {"api_key", "apiKey", "missing_api_key"},
    {NULL, NULL, NULL},
};
static const struct needed tba_fields[] = {
    {"token_id", "token_id", "missing_token_id"},
    {"token_secret", "token_secret", "missing_token_secret"},
    {NULL, NULL, NULL},
};
static const struct needed oauth2_cc_fields[] = {
    {"access_token", "token", "missing_access_token"},
    {NULL, NULL, NULL},
};
static const struct needed app_fields[] = {
    {"app_id", "app_id", "missing_app_id"},
    {"installation_id", "installation_id", "missing_installation_id"},
    {NULL, NULL, NULL},
};
static const struct needed no_fields[] = {{NULL, NULL, NULL}};

enum {
    WANTS_EXPIRY = 1, /* expires_at, expires_in or no_expiration */
    TAKES_EXPIRY = 2, /* expires_at when given */
    KEEPS_RAW = 4,
    TAKES_CLIENT = 8, /* oauth_client_*_override */
    WANTS_ACCOUNT = 16,
    UNSUPPORTED = 32, /* fields are checked, then refused */
};

static const struct mode {
    enum auth_mode mode;
    const struct needed *fields;
    unsigned flags;
} modes[] = {
    {AUTH_OAUTH2, oauth2_fields, WANTS_EXPIRY | KEEPS_RAW | TAKES_CLIENT},
    {AUTH_OAUTH1, oauth1_fields, KEEPS_RAW},
    {AUTH_BASIC, basic_fields, 0},
    {AUTH_API_KEY, api_key_fields, 0},
    {AUTH_TBA, tba_fields, TAKES_CLIENT | WANTS_ACCOUNT},
    {AUTH_OAUTH2_CC, oauth2_cc_fields, TAKES_EXPIRY | KEEPS_RAW},
    {AUTH_NONE, no_fields, 0},
    {AUTH_APP, app_fields, UNSUPPORTED},
};

static const struct mode *find_mode(const struct provider *provider)
{
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
        if (provider != NULL && modes[i].mode == provider->mode)
            return &modes[i];
    return NULL;
}

/* Empty counts as missing, but for BASIC: either of its texts may be empty. False after a
 * reply. */
static bool copy_fields(struct call *call, const struct mode *mode, cJSON *credentials)
{
    for (const struct needed *field = mode->fields; field->from != NULL; field++) {
        const char *value = json_str(call->body, field->from);

        if (value != NULL && (*value != '\0' || mode->mode == AUTH_BASIC)) {
            json_set_str(credentials, field->to, value);
        } else if (field->missing_code != NULL) {
            reply_detailed(
                call, 400, field->missing_code, NULL, "Missing param '%s'.", field->from);
            return false;
        } else if (mode->mode == AUTH_BASIC) {
            json_set_str(credentials, field->to, "");
        }
    }
    return true;
}

/* False after a reply. */
static bool copy_expiry(struct call *call, const struct mode *mode, cJSON *credentials)
{
    const cJSON *at = json_get(call->body, "expires_at");
    const cJSON *in = json_get(call->body, "expires_in");
    char text[CLOCK_TEXT_SIZE];
    int64_t ms = 0, seconds = 0;
    bool known = false;

    if ((mode->flags & (WANTS_EXPIRY | TAKES_EXPIRY)) == 0 ||
        json_bool(call->body, "no_expiration", false))
        return true;
    if (cJSON_IsNumber(at) || cJSON_IsString(at)) {
        known = date_read(at, &ms);
    } else if (json_i64(call->body, "expires_in", &seconds) ||
               (cJSON_IsString(in) && str_to_i64(in->valuestring, &seconds))) {
        known = seconds >= 0 && seconds < INT64_C(100) * 366 * 86400;
        if (known)
            ms = clock_now_ms(call_auth(call)->clock) + seconds * 1000;
    }
    if (known) {
        clock_text_z(ms, text);
        json_set_str(credentials, "expires_at", text);
        return true;
    }
    if ((mode->flags & WANTS_EXPIRY) == 0 && at == NULL)
        return true;
    reply_detailed(call, 400, "missing_expires_at", NULL,
        "Importing an OAuth2 token requires the 'expires_at' parameter. If the token "
        "doesn't expire pass in the 'no_expiration' parameter");
    return false;
}

static void copy_client(
    const struct call *call, const struct mode *mode, cJSON *credentials)
{
    const char *id = json_str(call->body, "oauth_client_id_override");
    const char *secret = json_str(call->body, "oauth_client_secret_override");
    cJSON *client;

    if ((mode->flags & TAKES_CLIENT) == 0 ||
        (id == NULL && secret == NULL && mode->mode != AUTH_TBA))
        return;
    client = cJSON_CreateObject();
    if (id != NULL)
        json_set_str(client, "client_id", id);
    if (secret != NULL)
        json_set_str(client, "client_secret", secret);
    json_set(credentials, "config_override", client);
}

static void copy_raw(const struct call *call, const struct mode *mode, cJSON *credentials)
{
    const cJSON *raw = json_get(call->body, "raw");

    if ((mode->flags & KEEPS_RAW) != 0)
        json_set(credentials, "raw",
            cJSON_Duplicate(cJSON_IsObject(raw) ? raw : call->body, true));
}

/* NULL after a reply. */
static cJSON *make_credentials(struct call *call, const struct mode *mode)
{
    cJSON *credentials = cJSON_CreateObject();

    if (mode->mode != AUTH_NONE)
        json_set_str(credentials, "type", auth_mode_name(mode->mode));
    if (!copy_fields(call, mode, credentials) || !copy_expiry(call, mode, credentials)) {
        cJSON_Delete(credentials);
        return NULL;
    }
    copy_client(call, mode, credentials);
    copy_raw(call, mode, credentials);
    return credentials;
}

/* NULL after a reply. */
static cJSON *make_config(
    struct call *call, const struct mode *mode, const struct integration *integration)
{
    const cJSON *given = json_get(call->body, "connection_config");
    cJSON *config =
        cJSON_IsObject(given) ? cJSON_Duplicate(given, true) : cJSON_CreateObject();

    if ((mode->flags & WANTS_ACCOUNT) == 0)
        return config;
    if (str_is_empty(json_str(config, "accountId"))) {
        cJSON_Delete(config);
        reply_detailed(call, 400, "missing_account_id", NULL,
            "Missing param 'connection_config.accountId'.");
        return NULL;
    }
    json_set_str(
        config, "oauth_client_id", json_str(integration->settings, "oauth_client_id"));
    json_set_str(config, "oauth_client_secret",
        json_str(integration->settings, "oauth_client_secret"));
    return config;
}

static bool is_verified(const struct call *call, const struct integration *integration)
{
    enum auth_mode mode = integration->provider->mode;

    return (mode == AUTH_API_KEY || mode == AUTH_BASIC || mode == AUTH_TBA) &&
           call->server->verifier.needed(integration);
}

static bool put(struct call *call, const struct integration *integration, const char *id,
    const cJSON *credentials, const cJSON *config, const struct oplog_op *operation,
    struct err *err)
{
    const struct verifier *verifier = &call->server->verifier;
    const cJSON *metadata = json_get(call->body, "metadata");
    enum auth_mode mode = integration->provider->mode;
    struct connection connection = {0};
    cJSON *no_tags;
    bool created, ok;

    if (is_verified(call, integration) &&
        !verifier->check(verifier->arg, integration, credentials, config, err))
        return false;
    no_tags = cJSON_CreateObject();
    ok = connection_put(call_auth(call),
        &(struct connection_put){
            .environment_id = call->environment_id,
            .integration = integration->row,
            .connection_id = id,
            .credentials = credentials,
            .config = config,
            .metadata = cJSON_IsObject(metadata) ? metadata : NULL,
            .empty_metadata = mode == AUTH_NONE, /* as recorded: null for the others */
            .tags = no_tags,
        },
        &created, &connection, err);
    if (ok) {
        auth_log_stored(call_auth(call), operation, connection.row, created);
        connection_finish(&connection);
    }
    cJSON_Delete(no_tags);
    return ok;
}

static bool store_connection(struct call *call, const struct integration *integration,
    const char *id, const cJSON *credentials, const cJSON *config, struct err *err)
{
    const cJSON *secrets[] = {credentials, integration->settings};
    const struct auth_log_start start = {
        .environment_id = call->environment_id,
        .key = integration->row->unique_key,
        .provider = integration->row->provider,
        .connection = id,
    };
    struct oplog_op operation = auth_log_begin(call_auth(call), &start, OPLOG_RUNNING);
    bool ok = put(call, integration, id, credentials, config, &operation, err);

    if (!ok)
        auth_log_failed(&operation, err, secrets, 2);
    return ok;
}

static void reply_echo(struct call *call, const char *id)
{
    cJSON *body = call->body;
    const cJSON *given = json_get(body, "connection_id");

    call->body = NULL;
    if (given == NULL || cJSON_IsNull(given))
        json_set_str(body, "connection_id", id);
    reply_json(call, 201, body);
}

static void reply_unknown_integration(struct call *call, const char *key)
{
    struct environment_row *environment = call_environment(call);
    cJSON *payload;
    struct buf text;

    if (environment == NULL)
        return;
    payload = cJSON_CreateObject();
    json_set_str(payload, "providerConfigKey", key);
    json_set_str(payload, "environmentName", environment->name);
    buf_init(&text, 0);
    buf_puts(&text, "{\n  \"providerConfigKey\": ");
    json_append_string(&text, key);
    buf_puts(&text, ",\n  \"environmentName\": ");
    json_append_string(&text, environment->name);
    buf_puts(&text, "\n}");
    reply_detailed(call, 400, "unknown_provider_config", payload,
        "There is no Provider Configuration matching this key. Please make sure this "
        "value "
        "exists in the Nango dashboard %s",
        text.data);
    buf_finish(&text);
}

/* A number is taken as its text: old importers sent their own ids. False after a reply.
 */
static bool read_id(struct call *call, struct buf *id)
{
    const cJSON *value = json_get(call->body, "connection_id");
    char uuid[UUID_TEXT_SIZE];

    if (value == NULL || cJSON_IsNull(value)) {
        crypto_uuid_v4(uuid);
        buf_puts(id, uuid);
        return true;
    }
    if (cJSON_IsString(value))
        buf_puts(id, value->valuestring);
    else if (cJSON_IsNumber(value))
        json_append(id, value);
    if (id->len > 0 && str_utf16_len(id->data) <= FIELD_MAX)
        return true;
    reply_detailed(call, 400, "missing_connection", NULL,
        "Param 'connection_id' must be a text of 1 to 255 characters.");
    return false;
}

void import_connection_legacy(struct call *call)
{
    const char *key = json_str(call->body, "provider_config_key");
    struct integration integration = {0};
    const struct mode *mode;
    cJSON *credentials = NULL, *config = NULL;
    struct err err = {0};
    struct buf id;

    buf_init(&id, 0);
    if (str_is_empty(key)) { /* as without any body */
        reply_detailed(call, 400, "missing_provider_config", NULL,
            "Missing param 'provider_config_key'.");
        goto done;
    }
    if (!read_id(call, &id))
        goto done;
    if (!integration_load(
            call_auth(call), call->environment_id, key, &integration, &err)) {
        if (err_is_internal(&err))
            reply_error(call, &err);
        else
            reply_unknown_integration(call, key);
        goto done;
    }
    mode = find_mode(integration.provider);
    if (mode == NULL) {
        reply_detailed(call, 400, "unknown_oauth_type", NULL,
            "Connections of this provider's auth mode cannot be imported.");
        goto done;
    }
    credentials = make_credentials(call, mode);
    if (credentials == NULL)
        goto done;
    config = make_config(call, mode, &integration);
    if (config == NULL)
        goto done;
    if ((mode->flags & UNSUPPORTED) != 0)
        reply_detailed(call, 400, "unsupported_auth", NULL,
            "This server does not make installation tokens of APP connections.");
    else if (!call_before_put(call, call->environment_id, integration.row->id,
                 is_verified(call, &integration)))
        goto done; /* called again, or answered */
    else if (store_connection(call, &integration, id.data, credentials, config, &err)) {
        reply_echo(call, id.data);
        call_after_put(call);
    } else
        reply_error_detailed(call, &err);

done:
    if (integration.row != NULL)
        integration_finish(&integration);
    cJSON_Delete(credentials);
    cJSON_Delete(config);
    buf_finish(&id);
}
