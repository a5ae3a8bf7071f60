/* SPDX-License-Identifier: Apache-2.0 */
/* Integrations, their functions, providers. */
#include "lists.h"

LIST_ENDED(integrations, put_integration, NOTHING_MORE);
LIST_ENDED(providers, put_provider, NOTHING_MORE);
ONE_ENDED(integration, put_integration);
ONE_ENDED(provider, put_provider);

static void list_integrations(struct run *run)
{
    CALL(run, integrations, list_integrations);
}

static void get_integration(struct run *run)
{
    unsigned include = (arg_bool(run, "webhook") ? NANGO_INCLUDE_WEBHOOK : 0) |
                       (arg_bool(run, "credentials") ? NANGO_INCLUDE_CREDENTIALS : 0);

    CALL(run, integration, get_integration, arg_text(run, "uniqueKey"), include);
}

/* From the body that the official client takes. */
static void fill_config(struct run *run, nango_integration_config *config)
{
    const nango_json *body = arg(run, "body");
    const nango_json *credentials = nango_json_get(body, "credentials");
    bool *forward = run_alloc(run, 1, sizeof *forward);

    config->provider = get_text(run, body, "provider");
    config->unique_key = get_text(run, body, "unique_key");
    config->display_name = get_text(run, body, "display_name");
    if (nango_json_bool(nango_json_get(body, "forward_webhooks"), forward))
        config->forward_webhooks = forward;
    config->credentials_type = get_text(run, credentials, "type");
    config->client_id = get_text(run, credentials, "client_id");
    config->client_secret = get_text(run, credentials, "client_secret");
    config->scopes = get_text(run, credentials, "scopes");
    config->webhook_secret = get_text(run, credentials, "webhook_secret");
    config->app_id = get_text(run, credentials, "app_id");
    config->app_link = get_text(run, credentials, "app_link");
    config->private_key = get_text(run, credentials, "private_key");
    config->integration_config =
        get_pairs(run, body, "integration_config", &config->integration_config_count);
    config->custom = get_pairs(run, body, "custom", &config->custom_count);
    config->json = arg_json(run, "json");
}

static void create_integration(struct run *run)
{
    nango_integration_config config = {0};

    fill_config(run, &config);
    CALL(run, integration, create_integration, &config);
}

static void create_quickstart_integration(struct run *run)
{
    nango_integration_config config = {0};

    fill_config(run, &config);
    CALL(run, integration, create_quickstart_integration, &config);
}

static void update_integration(struct run *run)
{
    nango_integration_config config = {0};

    fill_config(run, &config);
    CALL(run, integration, update_integration, arg_text(run, "uniqueKey"), &config);
}

static void delete_integration(struct run *run)
{
    CALL(run, response, delete_integration, arg_text(run, "uniqueKey"));
}

static void list_functions(struct run *run)
{
    nango_functions_query query = {
        .type = arg_text(run, "type"),
        .search = arg_text(run, "search"),
        .page = arg_int(run, "page"),
        .limit = arg_int(run, "limit"),
    };

    CALL(run, response, list_functions, arg_text(run, "uniqueKey"),
        arg_bool(run, "plain") ? NULL : &query);
}

static void get_function(struct run *run)
{
    CALL(run, response, get_function, arg_text(run, "uniqueKey"), arg_text(run, "name"),
        arg_text(run, "type"));
}

static void get_function_code(struct run *run)
{
    CALL(run, response, get_function_code, arg_text(run, "uniqueKey"),
        arg_text(run, "name"), arg_text(run, "type"));
}

static void delete_function(struct run *run)
{
    CALL(run, response, delete_function, arg_text(run, "uniqueKey"),
        arg_text(run, "name"), arg_text(run, "type"));
}

static void list_providers(struct run *run)
{
    CALL(run, providers, list_providers, arg_text(run, "search"));
}

static void get_provider(struct run *run)
{
    CALL(run, provider, get_provider, arg_text(run, "provider"));
}

static void get_provider_templates(struct run *run)
{
    CALL(run, response, get_provider_templates, arg_text(run, "provider"));
}

const struct method integration_methods[] = {
    {"listIntegrations", list_integrations},
    {"getIntegration", get_integration},
    {"createIntegration", create_integration},
    {"createQuickstartIntegration", create_quickstart_integration},
    {"updateIntegration", update_integration},
    {"deleteIntegration", delete_integration},
    {"listFunctions", list_functions},
    {"getFunction", get_function},
    {"getFunctionCode", get_function_code},
    {"deleteFunction", delete_function},
    {"listProviders", list_providers},
    {"getProvider", get_provider},
    {"getProviderTemplates", get_provider_templates},
    {NULL, NULL},
};
