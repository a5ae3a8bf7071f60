/* SPDX-License-Identifier: Apache-2.0 */
/* /config: integrations as old clients read and write them (contract http-api.md
 * section 4.1). */
#include <stdlib.h>
#include <string.h>

#include "api/api_int.h"
#include "api/fields.h"
#include "api/integration_settings.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/str.h"

static cJSON *short_json(const struct integration_row *row)
{
    cJSON *out = cJSON_CreateObject();

    json_set_str(out, "unique_key", row->unique_key);
    json_set_str(out, "provider", row->provider);
    return out;
}

static void reply_config(struct call *call, cJSON *config)
{
    cJSON *body = cJSON_CreateObject();

    json_set(body, "config", config);
    reply_json(call, 200, body);
}

/* False after a reply. */
static bool load(struct call *call, const char *key, struct integration *out)
{
    struct err err = {0};

    if (integration_load(call_auth(call), call->environment_id, key, out, &err))
        return true;
    if (err_is_internal(&err))
        reply_error(call, &err);
    else
        reply_no_integration(call);
    return false;
}

void config_list(struct call *call)
{
    struct integration_row **rows = NULL;
    struct err err = {0};
    size_t count = 0;
    cJSON *body, *list;

    if (!store_list_integrations(
            call_auth(call)->store, call->environment_id, &rows, &count, &err)) {
        reply_error(call, &err);
        return;
    }
    body = cJSON_CreateObject();
    list = cJSON_CreateArray();
    for (size_t i = 0; i < count; i++)
        cJSON_AddItemToArray(list, short_json(rows[i]));
    store_integrations_free(rows, count);
    json_set(body, "configs", list);
    reply_json(call, 200, body);
}

/* ---- GET /config/:key?include_creds=true ---- */

/* The webhook secret that GitHub apps are set up with is made from their credentials. */
static void set_webhook_secret(cJSON *out, const struct integration *integration)
{
    const cJSON *settings = integration->settings;
    const cJSON *custom = json_get(settings, "custom");
    enum auth_mode mode = integration->provider->mode;
    const char *id = mode == AUTH_APP ? json_str(settings, "oauth_client_id")
                                      : json_str(custom, "app_id");
    const char *key = mode == AUTH_APP ? json_str(settings, "oauth_client_secret")
                                       : json_str(custom, "private_key");
    const char *link = json_str(settings, "app_link");
    uint8_t digest[SHA256_LEN];
    char hex[2 * SHA256_LEN + 1];
    struct buf text;

    if ((mode != AUTH_APP && mode != AUTH_CUSTOM) || id == NULL || key == NULL) {
        json_set_str(out, "webhook_secret", NULL);
        return;
    }
    buf_init_secret(&text, 0);
    buf_printf(&text, "%s%s%s", id, key, link != NULL ? link : "");
    crypto_sha256(text.data, text.len, digest);
    buf_finish(&text);
    str_hex(digest, sizeof digest, hex);
    json_set_str(out, "webhook_secret", hex);
}

static void set_custom(cJSON *out, const cJSON *settings)
{
    const cJSON *custom = json_get(settings, "custom");
    const char *secret = json_str(settings, "webhook_secret");
    cJSON *all =
        cJSON_IsObject(custom) ? cJSON_Duplicate(custom, true) : cJSON_CreateObject();

    if (!str_is_empty(secret))
        json_set_str(all, "webhookSecret", secret);
    if (cJSON_GetArraySize(all) == 0) {
        cJSON_Delete(all);
        all = cJSON_CreateNull();
    }
    json_set(out, "custom", all);
}

/* The integration's connections, newest first, and how many there are. */
static bool set_connections(
    struct call *call, cJSON *out, const struct integration_row *row, struct err *err)
{
    const char *const keys[] = {row->unique_key};
    struct connection_filter filter = {
        .environment_id = call->environment_id,
        .integrations = keys,
        .integration_count = 1,
    };
    struct connection_row **rows = NULL;
    size_t count = 0;
    cJSON *list;

    if (!store_list_connections(call_auth(call)->store, &filter, &rows, &count, err))
        return false;
    list = cJSON_CreateArray();
    for (size_t i = 0; i < count; i++) {
        struct buf text;
        char *item;

        buf_init(&text, 0);
        connection_list_item(&text, rows[i], true);
        item = buf_take(&text, NULL);
        cJSON_AddItemToArray(list, cJSON_CreateRaw(item));
        free(item);
    }
    store_connections_free(rows, count);
    json_set(out, "connections", list);
    json_set_i64(out, "connection_count", (int64_t)count);
    return true;
}

/* False after a reply. */
static bool add_credentials(
    struct call *call, cJSON *out, const struct integration *integration)
{
    const struct provider *provider = integration->provider;
    const cJSON *settings = integration->settings;
    struct environment_row *environment = call_environment(call);
    char text[CLOCK_TEXT_SIZE];
    struct err err = {0};
    char *url;

    if (environment == NULL)
        return false;
    json_set_str(out, "client_id", json_str(settings, "oauth_client_id"));
    json_set_str(out, "client_secret", json_str(settings, "oauth_client_secret"));
    set_custom(out, settings);
    json_set_str(out, "scopes", json_str(settings, "oauth_scopes"));
    json_set_str(out, "app_link", json_str(settings, "app_link"));
    clock_text_z(integration->row->created_at_ms, text);
    json_set_str(out, "created_at", text);
    if (!set_connections(call, out, integration->row, &err)) {
        reply_error(call, &err);
        return false;
    }
    if (provider == NULL)
        return true;
    json_set_str(out, "auth_mode", auth_mode_name(provider->mode));
    json_set_str(out, "docs", json_str(provider->entry, "docs"));
    url =
        integration_webhook_url(call, provider, environment, integration->row->provider);
    json_set_bool(out, "has_webhook", url != NULL);
    json_set_str(out, "webhook_url", url);
    free(url);
    json_set_bool(out, "has_webhook_user_defined_secret",
        json_bool(provider->entry, "webhook_user_defined_secret", false));
    set_webhook_secret(out, integration);
    return true;
}

static cJSON *script_json(const struct script_row *row)
{
    char text[CLOCK_TEXT_SIZE];
    cJSON *out = cJSON_CreateObject();

    json_set_str(out, "name", row->name);
    if (row->spec.description[0] != '\0')
        json_set_str(out, "description", row->spec.description);
    clock_text_z(row->created_at_ms, text);
    json_set_str(out, "created_at", text);
    clock_text_z(row->deployed_at_ms, text);
    json_set_str(out, "updated_at", text);
    return out;
}

/* False after a reply. */
static bool add_scripts(struct call *call, cJSON *out, int64_t integration_id)
{
    const struct script_filter filter = {
        .environment_id = call->environment_id, .integration_id = integration_id};
    struct script_row **rows = NULL;
    struct err err = {0};
    size_t count = 0;

    if (!store_list_scripts(call_auth(call)->store, &filter, &rows, &count, NULL, &err)) {
        reply_error(call, &err);
        return false;
    }
    json_set(out, "syncs", cJSON_CreateArray());
    json_set(out, "actions", cJSON_CreateArray());
    for (size_t i = 0; i < count; i++) {
        if (rows[i]->kind == SCRIPT_ON_EVENT)
            continue; /* there were none when this was asked */
        cJSON_AddItemToArray(
            json_get_mut(out, rows[i]->kind == SCRIPT_SYNC ? "syncs" : "actions"),
            script_json(rows[i]));
    }
    store_scripts_free(rows, count);
    return true;
}

void config_get(struct call *call)
{
    struct integration integration;
    bool with_credentials;
    const char *key;
    cJSON *out;

    if (call_query(call) == NULL)
        return;
    key = call_param(call, 0);
    if (key == NULL)
        return;
    with_credentials = str_eq(call_query_str(call, "include_creds"), "true");
    if (with_credentials &&
        !call_needs_scope(call, "environment:integrations:read_credentials", NULL))
        return;
    if (!load(call, key, &integration))
        return;
    out = short_json(integration.row);
    if (add_scripts(call, out, integration.row->id) &&
        (!with_credentials || add_credentials(call, out, &integration)))
        reply_config(call, out);
    else
        cJSON_Delete(out);
    integration_finish(&integration);
}

/* ---- POST, PUT, DELETE ---- */

static bool reply_missing(struct call *call, const char *code, const char *param)
{
    reply_detailed(call, 400, code, NULL, "Missing param '%s'.", param);
    return false;
}

/* The key and the provider that the body names. False after a reply. */
static bool read_names(
    struct call *call, const struct catalog *catalog, const struct provider **provider)
{
    const char *key = json_str(call->body, "provider_config_key");
    const char *name = json_str(call->body, "provider");

    if (call->body == NULL) {
        reply_detailed(call, 400, "missing_body", NULL, "The request has no body.");
        return false;
    }
    if (str_is_empty(key))
        return reply_missing(call, "missing_provider_config", "provider_config_key");
    if (!PATTERN_KEY.matches(key) || strlen(key) > FIELD_MAX) {
        reply_detailed(call, 400, "invalid_provider_config", NULL,
            "Param 'provider_config_key' must match %s and have at most 255 characters.",
            PATTERN_KEY.text);
        return false;
    }
    if (str_is_empty(name))
        return reply_missing(call, "missing_provider_template", "provider");
    *provider = catalog_find(catalog, name);
    if (*provider == NULL)
        reply_detailed(call, 400, "unknown_provider_template", NULL,
            "No Provider Template with name '%s'.", name);
    return *provider != NULL;
}

/* Scopes were typed by people: blanks separate as commas do. */
static void set_scopes(cJSON *settings, const char *given)
{
    struct buf out;
    bool gap = false;

    buf_init(&out, 0);
    for (; *given != '\0'; given++) {
        if (strchr(", \t\r\n", *given) != NULL) {
            gap = out.len > 0;
            continue;
        }
        if (gap)
            buf_putc(&out, ',');
        gap = false;
        buf_putc(&out, *given);
    }
    json_set_str(settings, "oauth_scopes", out.data != NULL ? out.data : "");
    buf_finish(&out);
}

/* False after a reply: the credentials of the provider's mode, into `settings`. */
static bool read_credentials(
    struct call *call, const struct provider *provider, cJSON *settings)
{
    bool app = provider->mode == AUTH_APP;
    const char *id = json_str(call->body, "oauth_client_id");
    const char *secret = json_str(call->body, "oauth_client_secret");
    const cJSON *scopes = json_get(call->body, "oauth_scopes");
    const char *link = json_str(call->body, "app_link");

    if (cJSON_IsArray(scopes)) {
        reply_detailed(call, 400, "invalid_oauth_scopes", NULL,
            "Param 'oauth_scopes' must be a comma-separated text, not a list.");
        return false;
    }
    if (mode_needs_credentials(provider->mode) && str_is_empty(id))
        return reply_missing(
            call, app ? "missing_app_id" : "missing_client_id", "oauth_client_id");
    if (mode_needs_credentials(provider->mode) && str_is_empty(secret))
        return reply_missing(call, app ? "missing_app_secret" : "missing_client_secret",
            "oauth_client_secret");
    if (id != NULL)
        json_set_str(settings, "oauth_client_id", id);
    if (secret != NULL)
        json_set_str(settings, "oauth_client_secret", secret);
    if (cJSON_IsString(scopes))
        set_scopes(settings, scopes->valuestring);
    if (link != NULL)
        json_set_str(settings, "app_link", link);
    return true;
}

static void reply_row(struct call *call, struct integration_row *row)
{
    reply_config(call, short_json(row));
    integration_row_unref(row);
}

static void insert(struct call *call, const struct provider *provider, cJSON *settings)
{
    const struct auth *auth = call_auth(call);
    char *key = str_dup(json_str(call->body, "provider_config_key"));
    char *name = str_dup(provider->name);
    struct integration_row row = {
        .environment_id = call->environment_id,
        .unique_key = key,
        .provider = name,
        .forward_webhooks = true,
    };
    struct integration_row *stored = NULL;
    struct err err = {0};

    crypto_uuid_v4(row.uid);
    if (integration_seal(auth, row.uid, settings, &row.settings, &err) &&
        store_insert_integration(auth->store, &row, &stored, &err))
        reply_row(call, stored);
    else if (err.status == 409)
        reply_detailed(call, 409, "duplicate_provider_config", NULL,
            "There is already a Provider Configuration matching the param "
            "'provider_config_key'.");
    else
        reply_error(call, &err);
    free(row.settings.data);
    free(key);
    free(name);
}

void config_create(struct call *call)
{
    struct catalog *catalog = catalog_acquire(call_auth(call)->catalogs);
    cJSON *settings = cJSON_CreateObject();
    const struct provider *provider;

    if (read_names(call, catalog, &provider) &&
        read_credentials(call, provider, settings)) {
        settings_default_scopes(settings, provider);
        insert(call, provider, settings);
    }
    cJSON_Delete(settings);
    catalog_unref(catalog);
}

/* False, without a reply, when the integration was changed since it was read. */
static bool update(struct call *call, struct integration *integration)
{
    const struct auth *auth = call_auth(call);
    struct integration_row row = integration_draft(integration->row);
    struct integration_row *stored = NULL;
    struct err err = {0};
    bool stale = false;

    if (integration_seal(auth, row.uid, integration->settings, &row.settings, &err) &&
        store_update_integration(auth->store, &row, &stored, &err))
        reply_row(call, stored);
    else if (str_eq(err.code, "stale_integration"))
        stale = true;
    else
        reply_error(call, &err);
    free(row.settings.data);
    return !stale;
}

static bool may_edit(
    struct call *call, const struct provider *provider, const struct integration *have)
{
    bool ok = provider->mode != AUTH_API_KEY && provider->mode != AUTH_BASIC &&
              (have == NULL || strcmp(have->row->provider, provider->name) == 0);

    if (!ok)
        reply_detailed(call, 400, "provider_config_edit_not_allowed", NULL,
            "Only the credentials of an integration can be edited this way, and this one "
            "has none or is of another provider.");
    return ok;
}

/* One attempt. False, without a reply: repeat it. */
static bool load_and_update(
    struct call *call, const struct provider *provider, const cJSON *checked)
{
    struct integration integration = {0};
    bool replied = true;

    if (!load(call, json_str(call->body, "provider_config_key"), &integration))
        return true;
    if (may_edit(call, provider, &integration)) {
        json_merge(integration.settings, checked);
        replied = update(call, &integration);
    }
    integration_finish(&integration);
    return replied;
}

void config_update(struct call *call)
{
    struct catalog *catalog = catalog_acquire(call_auth(call)->catalogs);
    cJSON *checked = cJSON_CreateObject();
    const struct provider *provider;

    if (!read_names(call, catalog, &provider) || !may_edit(call, provider, NULL) ||
        !read_credentials(call, provider, checked))
        goto done;
    for (int left = INTEGRATION_UPDATE_TRIES; left > 0; left--) {
        if (load_and_update(call, provider, checked))
            goto done;
    }
    reply_detailed(call, 409, "conflict", NULL,
        "The Provider Configuration is being changed by others.");

done:
    cJSON_Delete(checked);
    catalog_unref(catalog);
}

void config_delete(struct call *call)
{
    struct store *store = call_auth(call)->store;
    struct integration_row *row = NULL;
    struct err err = {0};
    bool found;
    const char *key = call_param(call, 0);

    if (key == NULL)
        return;
    if (!store_find_integration(store, call->environment_id, key, &row, &err) ||
        (row != NULL && !store_delete_integration(store, row->id, &found, &err)))
        reply_error(call, &err);
    else
        reply_empty(call, 204); /* also for what was not there */
    integration_row_unref(row);
}
