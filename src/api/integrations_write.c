/* SPDX-License-Identifier: Apache-2.0 */
/* Creating and changing integrations (contract http-api.md section 4.2). */
#include <stdlib.h>
#include <string.h>

#include "api/api_int.h"
#include "api/fields.h"
#include "api/integration_settings.h"
#include "base/json.h"
#include "base/str.h"

static const struct rule config_value = {.kind = RULE_STRING, .max = 8192};
static const struct rule custom_value = {.kind = RULE_STRING};

#define PROVIDER                                                                         \
    {                                                                                    \
        .name = "provider", .kind = RULE_STRING, .pattern = &PATTERN_PROVIDER,           \
        .max = FIELD_MAX                                                                 \
    }
#define FORWARD_WEBHOOKS                                                                 \
    {                                                                                    \
        .name = "forward_webhooks", .kind = RULE_BOOL, .optional = true                  \
    }
#define CREDENTIALS                                                                      \
    {                                                                                    \
        .name = "credentials", .kind = RULE_VARIANT, .optional = true,                   \
        .variants = INTEGRATION_CREDENTIALS,                                             \
        .variant_message = INTEGRATION_CREDENTIALS_MESSAGE                               \
    }
#define CONFIG                                                                           \
    {                                                                                    \
        .name = "integration_config", .kind = RULE_RECORD, .optional = true,             \
        .item = &config_value                                                            \
    }
#define CUSTOM                                                                           \
    {                                                                                    \
        .name = "custom", .kind = RULE_RECORD, .optional = true, .item = &custom_value   \
    }

static const struct rule create_rules[] = {
    PROVIDER,
    RULE_KEY_FIELD("unique_key"),
    RULE_TEXT_FIELD("display_name", true),
    CREDENTIALS,
    FORWARD_WEBHOOKS,
    CONFIG,
    CUSTOM,
};
static const struct shape create_shape = SHAPE_STRICT(create_rules);

static const struct rule quickstart_rules[] = {
    PROVIDER,
    RULE_KEY_FIELD("unique_key"),
    RULE_TEXT_FIELD("display_name", true),
    FORWARD_WEBHOOKS,
};
static const struct shape quickstart_shape = SHAPE_STRICT(quickstart_rules);

static const struct rule patch_rules[] = {
    {.name = "unique_key",
        .kind = RULE_STRING,
        .optional = true,
        .pattern = &PATTERN_KEY,
        .max = FIELD_MAX},
    RULE_TEXT_FIELD("display_name", true),
    CREDENTIALS,
    FORWARD_WEBHOOKS,
    CONFIG,
    CUSTOM,
};
static const struct shape patch_shape = SHAPE_STRICT(patch_rules);

static void reply_taken(struct call *call)
{
    const char *path[] = {"uniqueKey", NULL};

    reply_issues(call, "invalid_body",
        issue_list("invalid_string", "Unique key already exists", path));
}

/* False after a reply: do the credentials fit the provider's mode? */
static bool credentials_fit(
    struct call *call, const struct provider *provider, bool required)
{
    const cJSON *credentials = json_get(call->body, "credentials");

    if (credentials == NULL) {
        if (!required || !mode_needs_credentials(provider->mode))
            return true;
        reply_fault(call, 400, "invalid_body", "Missing credentials");
        return false;
    }
    if (str_eq(json_str(credentials, "type"), auth_mode_name(provider->mode)))
        return true;
    reply_fault(call, 400, "invalid_body",
        "incompatible credentials auth type and provider auth");
    return false;
}

/* Lays what the body says over `settings`. False after a reply. */
static bool apply_body(
    struct call *call, cJSON *settings, const struct provider *provider, bool partial)
{
    const cJSON *credentials = json_get(call->body, "credentials");
    const cJSON *config = json_get(call->body, "integration_config");
    const cJSON *custom = json_get(call->body, "custom");
    struct err err = {0};

    /* what a provider demands may also come as `custom`, unchecked, as it used to */
    if ((config != NULL || (!partial && custom == NULL)) &&
        !settings_set_config(settings, provider, config, partial, &err)) {
        reply_error(call, &err);
        return false;
    }
    if (credentials != NULL)
        settings_set_credentials(settings, credentials);
    if (custom != NULL)
        settings_set_custom(settings, custom);
    return true;
}

/* The answer after a write. The row is read again: its times are the store's. */
static void reply_row(struct call *call, struct integration_row *row, bool label)
{
    struct integration integration;
    struct err err = {0};

    if (!integration_open(call_auth(call), row, &integration, &err)) {
        reply_error(call, &err);
        return;
    }
    reply_data(call, 200,
        integration_json(call,
            &(struct integration_view){.integration = &integration, .label = label}));
    integration_finish(&integration);
}

static void insert(struct call *call, const struct provider *provider, cJSON *settings)
{
    const struct auth *auth = call_auth(call);
    char *name = str_dup(json_str(call->body, "display_name"));
    char *key = str_dup(json_str(call->body, "unique_key"));
    char *provider_name = str_dup(provider->name);
    struct integration_row row = {
        .environment_id = call->environment_id,
        .unique_key = key,
        .provider = provider_name,
        .display_name = name,
        .forward_webhooks = json_bool(call->body, "forward_webhooks", true),
    };
    struct integration_row *stored = NULL;
    struct err err = {0};

    crypto_uuid_v4(row.uid);
    if (integration_seal(auth, row.uid, settings, &row.settings, &err) &&
        store_insert_integration(auth->store, &row, &stored, &err))
        reply_row(call, stored, true);
    else if (err.status == 409)
        reply_taken(call);
    else
        reply_error(call, &err);
    free(row.settings.data);
    free(name);
    free(key);
    free(provider_name);
}

/* The provider that the body names; NULL after a reply. */
static const struct provider *named_provider(
    struct call *call, const struct catalog *catalog)
{
    const char *path[] = {"provider", NULL};
    const struct provider *provider =
        catalog_find(catalog, json_str(call->body, "provider"));

    if (provider == NULL)
        reply_issues(
            call, "invalid_body", issue_list("invalid_string", "Invalid provider", path));
    return provider;
}

/* False after a reply. */
static bool key_is_free(struct call *call, const char *key)
{
    struct integration_row *row = NULL;
    struct err err = {0};
    bool found;

    if (!store_find_integration(
            call_auth(call)->store, call->environment_id, key, &row, &err)) {
        reply_error(call, &err);
        return false;
    }
    found = row != NULL;
    integration_row_unref(row);
    if (found)
        reply_taken(call);
    return !found;
}

void create_integration(struct call *call)
{
    struct catalog *catalog = NULL;
    const struct provider *provider;
    cJSON *settings = NULL;

    if (!call_check_query(call, &SHAPE_EMPTY) || !call_check_body(call, &create_shape))
        return;
    catalog = catalog_acquire(call_auth(call)->catalogs);
    settings = cJSON_CreateObject();
    provider = named_provider(call, catalog);
    /* credentials of the wrong mode are told before a key that is taken, and that before
     * credentials that are missing */
    if (provider == NULL || !credentials_fit(call, provider, false) ||
        !key_is_free(call, json_str(call->body, "unique_key")) ||
        !credentials_fit(call, provider, true) ||
        !apply_body(call, settings, provider, false))
        goto done;
    settings_default_scopes(settings, provider);
    insert(call, provider, settings);

done:
    cJSON_Delete(settings);
    catalog_unref(catalog);
}

/* Developer apps shared by an operator are a service of the hosted product: there are
 * none. */
void create_quickstart_integration(struct call *call)
{
    struct catalog *catalog;
    const struct provider *provider;

    if (!call_check_query(call, &SHAPE_EMPTY) ||
        !call_check_body(call, &quickstart_shape))
        return;
    catalog = catalog_acquire(call_auth(call)->catalogs);
    provider = named_provider(call, catalog);
    if (provider != NULL &&
        (provider->mode == AUTH_OAUTH1 || provider->mode == AUTH_OAUTH2 ||
            provider->mode == AUTH_APP))
        reply_fault(call, 400, "invalid_body",
            "No Nango-provided developer app is configured for this provider");
    else if (provider != NULL)
        reply_fault(call, 400, "invalid_body",
            "Quickstart is only available for providers that require a developer app");
    catalog_unref(catalog);
}

/* ---- PATCH ---- */

/* False after a reply: is there nothing in the way of the new key? */
static bool may_rename(
    struct call *call, const struct integration *integration, const char *key)
{
    struct store *store = call_auth(call)->store;
    struct integration_row *other = NULL;
    struct err err = {0};
    size_t connections = 0;
    bool ok = false;

    if (!store_find_integration(store, call->environment_id, key, &other, &err) ||
        !store_count_connections(store, integration->row->id, &connections, &err))
        reply_error(call, &err);
    else if (other != NULL)
        reply_fault(call, 400, "invalid_body",
            "uniqueKey is already used by another integration");
    else if (connections > 0)
        reply_fault(call, 400, "invalid_body",
            "Can't rename an integration with active connections");
    else
        ok = true;
    integration_row_unref(other);
    return ok;
}

/* False, without a reply, when the integration was changed since it was read. */
static bool update(struct call *call, const struct integration *integration)
{
    const struct auth *auth = call_auth(call);
    const char *key = json_str(call->body, "unique_key");
    const char *name = json_str(call->body, "display_name");
    struct integration_row row = integration_draft(integration->row);
    struct integration_row *stored = NULL;
    struct err err = {0};
    char *new_key, *new_name;
    bool stale = false;

    new_key = str_dup(key != NULL ? key : row.unique_key);
    new_name = str_dup(name != NULL ? name : row.display_name);
    row.unique_key = new_key;
    row.display_name = new_name;
    row.forward_webhooks =
        json_bool(call->body, "forward_webhooks", row.forward_webhooks);
    if (integration_seal(auth, row.uid, integration->settings, &row.settings, &err) &&
        store_update_integration(auth->store, &row, &stored, &err))
        /* as recorded, without the label */
        reply_row(call, stored, false);
    else if (str_eq(err.code, "stale_integration"))
        stale = true;
    else if (err.status == 409)
        reply_fault(call, 400, "invalid_body",
            "uniqueKey is already used by another integration");
    else
        reply_error(call, &err);
    free(row.settings.data);
    free(new_key);
    free(new_name);
    return !stale;
}

/* False as update(). */
static bool patch(struct call *call, struct integration *integration)
{
    const char *key = json_str(call->body, "unique_key");

    if (key != NULL && strcmp(key, integration->row->unique_key) != 0 &&
        !may_rename(call, integration, key))
        return true;
    if (integration->provider == NULL) {
        if (json_get(call->body, "credentials") != NULL ||
            json_get(call->body, "integration_config") != NULL) {
            reply_fault(call, 400, "invalid_body",
                "The provider \"%s\" is not in the catalogue",
                integration->row->provider);
            return true;
        }
        settings_set_custom(integration->settings, json_get(call->body, "custom"));
    } else if (!credentials_fit(call, integration->provider, false) ||
               !apply_body(call, integration->settings, integration->provider, true)) {
        return true;
    }
    return update(call, integration);
}

/* One attempt at a PATCH. False, without a reply: repeat it. */
static bool load_and_patch(struct call *call, const char *key)
{
    struct integration integration;
    struct err err = {0};
    bool replied;

    if (!integration_load(
            call_auth(call), call->environment_id, key, &integration, &err)) {
        if (err_is_internal(&err))
            reply_error(call, &err);
        else
            reply_fault(call, 404, "not_found", "Integration \"%s\" does not exist", key);
        return true;
    }
    replied = patch(call, &integration);
    integration_finish(&integration);
    return replied;
}

void patch_integration(struct call *call)
{
    const char *key;

    if (!call_check_query(call, &SHAPE_EMPTY))
        return;
    key = call_param_checked(call, 0, &PATTERN_KEY);
    if (key == NULL || !call_check_body(call, &patch_shape))
        return;
    for (int left = INTEGRATION_UPDATE_TRIES; left > 0; left--) {
        if (load_and_patch(call, key))
            return;
    }
    reply_fault(
        call, 409, "conflict", "Integration \"%s\" is being changed by others", key);
}
