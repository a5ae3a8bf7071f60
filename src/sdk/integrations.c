/* SPDX-License-Identifier: Apache-2.0 */
/* Integrations: listed, fetched, made, changed and deleted. Servers of 2023 have them at
 * /config with a flat body (contract http-api.md, 4.1 and 4.2). */
#include "sdk/methods_int.h"

#include <string.h>

/* `/integrations/<key>`, with servers of 2023 `/config/<key>`. */
static nango_call *plan_one(nango_client *client, const char *method, const char *key,
    const struct ngo_shape *shape)
{
    nango_call *call = ngo_call_new(
        client, method, ngo_early(client) ? "/config" : "/integrations", shape);

    ngo_call_segment(call, key, "Unique Key");
    return call;
}

/* ---- list ---- */

static nango_call *plan_list(nango_client *client)
{
    return ngo_call_new(client, "GET", ngo_early(client) ? "/config" : "/integrations",
        &ngo_shape_integrations);
}

nango_code nango_list_integrations(
    nango_client *client, nango_integrations **out, nango_error *err)
{
    NGO_RUN(plan_list(client), nango_integrations, nango_integrations_free, out, err);
}

nango_code nango_list_integrations_start(nango_client *client,
    nango_integrations_done *done, void *user, nango_call **call, nango_error *err)
{
    NGO_START(plan_list(client), done, user, call, err);
}

/* ---- get ---- */

static nango_call *plan_get(nango_client *client, const char *key, unsigned include)
{
    nango_call *call = plan_one(client, "GET", key, &ngo_shape_integration);

    if (ngo_early(client)) {
        ngo_call_query_bool(
            call, "include_creds", (include & NANGO_INCLUDE_CREDENTIALS) != 0);
        return call;
    }
    ngo_plan_json_type(call);
    if ((include & NANGO_INCLUDE_WEBHOOK) != 0)
        ngo_call_query(call, "include", "webhook", NGO_FORM);
    if ((include & NANGO_INCLUDE_CREDENTIALS) != 0)
        ngo_call_query(call, "include", "credentials", NGO_FORM);
    return call;
}

nango_code nango_get_integration(nango_client *client, const char *unique_key,
    unsigned include, nango_integration **out, nango_error *err)
{
    NGO_RUN(plan_get(client, unique_key, include), nango_integration,
        nango_integration_free, out, err);
}

nango_code nango_get_integration_start(nango_client *client, const char *unique_key,
    unsigned include, nango_integration_done *done, void *user, nango_call **call,
    nango_error *err)
{
    NGO_START(plan_get(client, unique_key, include), done, user, call, err);
}

/* ---- bodies ---- */

static void write_credentials(
    struct ngo_text *text, const nango_integration_config *config)
{
    const char *type = config->credentials_type;
    /* An app has no client, a client no app, a custom provider both. */
    const bool client = strcmp(type, "APP") != 0;
    const bool custom = strcmp(type, "CUSTOM") == 0;

    ngo_json_name(text, "credentials");
    ngo_json_open(text, '{');
    ngo_json_member(text, "type", type);
    if (client) {
        ngo_json_member(text, "client_id", config->client_id);
        ngo_json_member(text, "client_secret", config->client_secret);
    }
    if (client && !custom) {
        ngo_json_member(text, "scopes", config->scopes);
        ngo_json_member(text, "webhook_secret", config->webhook_secret);
    }
    if (custom || !client) {
        ngo_json_member(text, "app_id", config->app_id);
        ngo_json_member(text, "app_link", config->app_link);
        ngo_json_member(text, "private_key", config->private_key);
    }
    ngo_json_close(text, '}');
}

static void write_names(struct ngo_text *text, const nango_integration_config *config)
{
    ngo_json_member(text, "unique_key", config->unique_key);
    ngo_json_member(text, "display_name", config->display_name);
    if (config->forward_webhooks != NULL) {
        ngo_json_name(text, "forward_webhooks");
        ngo_json_put_bool(text, *config->forward_webhooks);
    }
}

static void write_settings(
    nango_call *call, struct ngo_text *text, const nango_integration_config *config)
{
    if (config->credentials_type != NULL)
        write_credentials(text, config);
    ngo_plan_pairs(call, text, "integration_config", config->integration_config,
        config->integration_config_count);
    ngo_plan_pairs(call, text, "custom", config->custom, config->custom_count);
}

/* Fails, or sends config->json; then there is no more to do. */
static bool is_settled(nango_call *call, const nango_integration_config *config)
{
    if (config == NULL) {
        ngo_call_fail(call, NANGO_E_ARGUMENT, "the integration is missing");
        return true;
    }
    if (config->json == NULL)
        return false;
    ngo_plan_body(call, config->json, "the integration's JSON");
    return true;
}

/* POST and PUT /config. An app's id and private key stand for the client's. */
static nango_call *plan_early(nango_client *client, const char *method, const char *key,
    const nango_integration_config *config)
{
    nango_call *call = ngo_call_new(client, method, "/config", &ngo_shape_integration);
    struct ngo_text *text;

    if (is_settled(call, config))
        return call;
    ngo_call_need(call, config->provider, "Provider");
    ngo_call_need(call, key, "Unique Key");
    text = ngo_plan_open(call);
    if (text == NULL)
        return call;
    ngo_json_member(text, "provider", config->provider);
    ngo_json_member(text, "provider_config_key", key);
    ngo_json_member(text, "oauth_client_id",
        config->client_id != NULL ? config->client_id : config->app_id);
    ngo_json_member(text, "oauth_client_secret",
        config->client_secret != NULL ? config->client_secret : config->private_key);
    ngo_json_member(text, "oauth_scopes", config->scopes);
    ngo_json_member(text, "app_link", config->app_link);
    ngo_plan_close(call, text);
    return call;
}

/* ---- create ---- */

static nango_call *plan_new(nango_client *client, const char *path, bool quickstart,
    const nango_integration_config *config, const struct ngo_shape *shape)
{
    nango_call *call = ngo_call_new(client, "POST", path, shape);
    struct ngo_text *text;

    if (is_settled(call, config))
        return call;
    ngo_call_need(call, config->provider, "Provider");
    ngo_call_need(call, config->unique_key, "Unique Key");
    text = ngo_plan_open(call);
    if (text == NULL)
        return call;
    ngo_json_member(text, "provider", config->provider);
    write_names(text, config);
    if (!quickstart)
        write_settings(call, text, config);
    ngo_plan_close(call, text);
    return call;
}

static nango_call *plan_create(
    nango_client *client, const nango_integration_config *config)
{
    if (ngo_early(client))
        return plan_early(
            client, "POST", config == NULL ? NULL : config->unique_key, config);
    return plan_new(client, "/integrations", false, config, &ngo_shape_integration);
}

nango_code nango_create_integration(nango_client *client,
    const nango_integration_config *config, nango_integration **out, nango_error *err)
{
    NGO_RUN(
        plan_create(client, config), nango_integration, nango_integration_free, out, err);
}

nango_code nango_create_integration_start(nango_client *client,
    const nango_integration_config *config, nango_integration_done *done, void *user,
    nango_call **call, nango_error *err)
{
    NGO_START(plan_create(client, config), done, user, call, err);
}

static nango_call *plan_quickstart(
    nango_client *client, const nango_integration_config *config)
{
    return plan_new(
        client, "/integrations/quickstart", true, config, &ngo_shape_integration_current);
}

nango_code nango_create_quickstart_integration(nango_client *client,
    const nango_integration_config *config, nango_integration **out, nango_error *err)
{
    NGO_RUN(plan_quickstart(client, config), nango_integration, nango_integration_free,
        out, err);
}

nango_code nango_create_quickstart_integration_start(nango_client *client,
    const nango_integration_config *config, nango_integration_done *done, void *user,
    nango_call **call, nango_error *err)
{
    NGO_START(plan_quickstart(client, config), done, user, call, err);
}

/* ---- update ---- */

static nango_call *plan_early_update(
    nango_client *client, const char *key, const nango_integration_config *config)
{
    nango_call *call = plan_early(client, "PUT", key, config);

    if (config != NULL && config->unique_key != NULL && key != NULL &&
        strcmp(config->unique_key, key) != 0)
        ngo_call_fail(
            call, NANGO_E_ARGUMENT, "servers of 2023 cannot rename an integration");
    return call;
}

static nango_call *plan_update(
    nango_client *client, const char *key, const nango_integration_config *config)
{
    nango_call *call;
    struct ngo_text *text;

    if (ngo_early(client))
        return plan_early_update(client, key, config);
    call = plan_one(client, "PATCH", key, &ngo_shape_integration);
    if (is_settled(call, config))
        return call;
    text = ngo_plan_open(call);
    if (text == NULL)
        return call;
    write_names(text, config);
    write_settings(call, text, config);
    ngo_plan_close(call, text);
    return call;
}

nango_code nango_update_integration(nango_client *client, const char *unique_key,
    const nango_integration_config *config, nango_integration **out, nango_error *err)
{
    NGO_RUN(plan_update(client, unique_key, config), nango_integration,
        nango_integration_free, out, err);
}

nango_code nango_update_integration_start(nango_client *client, const char *unique_key,
    const nango_integration_config *config, nango_integration_done *done, void *user,
    nango_call **call, nango_error *err)
{
    NGO_START(plan_update(client, unique_key, config), done, user, call, err);
}

/* ---- delete ---- */

nango_code nango_delete_integration(
    nango_client *client, const char *unique_key, nango_response **out, nango_error *err)
{
    NGO_RUN(plan_one(client, "DELETE", unique_key, &ngo_shape_response), nango_response,
        nango_response_free, out, err);
}

nango_code nango_delete_integration_start(nango_client *client, const char *unique_key,
    nango_response_done *done, void *user, nango_call **call, nango_error *err)
{
    NGO_START(plan_one(client, "DELETE", unique_key, &ngo_shape_response), done, user,
        call, err);
}
