/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of an integration, and of each one of a list. The OAuth client lies in
 * `credentials`, with servers of 2023 beside the other members (contract http-api.md, 4). */
#include "sdk/methods_int.h"

/* A member of the credentials, wherever the server put it. */
static const char *credential(
    const nango_integration *integration, const char *pointer, const char *early)
{
    const char *text = ngo_item_text(integration, pointer);

    return text != NULL ? text : ngo_item_text(integration, early);
}

const char *nango_integration_unique_key(const nango_integration *integration)
{
    return ngo_item_text(integration, "/unique_key");
}

const char *nango_integration_provider(const nango_integration *integration)
{
    return ngo_item_text(integration, "/provider");
}

const char *nango_integration_display_name(const nango_integration *integration)
{
    return ngo_item_text(integration, "/display_name");
}

const char *nango_integration_logo(const nango_integration *integration)
{
    return ngo_item_text(integration, "/logo");
}

bool nango_integration_forward_webhooks(const nango_integration *integration)
{
    return nango_json_bool_at(ngo_item_json(integration), "/forward_webhooks", true);
}

const char *nango_integration_webhook_url(const nango_integration *integration)
{
    return ngo_item_text(integration, "/webhook_url");
}

const char *nango_integration_client_id(const nango_integration *integration)
{
    return credential(integration, "/credentials/client_id", "/client_id");
}

const char *nango_integration_client_secret(const nango_integration *integration)
{
    return credential(integration, "/credentials/client_secret", "/client_secret");
}

const char *nango_integration_scopes(const nango_integration *integration)
{
    return credential(integration, "/credentials/scopes", "/scopes");
}

const char *nango_integration_created_at(const nango_integration *integration)
{
    return ngo_item_text(integration, "/created_at");
}

const nango_json *nango_integration_json(const nango_integration *integration)
{
    return ngo_item_json(integration);
}

const nango_response *nango_integration_response(const nango_integration *integration)
{
    return ngo_item_response(integration);
}

void nango_integration_free(nango_integration *integration)
{
    ngo_item_free(integration);
}

static void *integration_decode(nango_call *call)
{
    return ngo_decode_item(call, sizeof(struct ngo_item),
        ngo_early(call->client) ? "/config" : "/data", NANGO_JSON_OBJECT);
}

static void integration_deliver(
    ngo_fn *done, void *result, const nango_error *error, void *user)
{
    ((nango_integration_done *)done)(result, error, user);
}

const struct ngo_shape ngo_shape_integration = {
    integration_decode, ngo_item_free, integration_deliver};

/* For methods that no server of 2023 has. */
static void *current_decode(nango_call *call)
{
    return ngo_decode_item(call, sizeof(struct ngo_item), "/data", NANGO_JSON_OBJECT);
}

const struct ngo_shape ngo_shape_integration_current = {
    current_decode, ngo_item_free, integration_deliver};

/* ---- lists ---- */

size_t nango_integrations_count(const nango_integrations *integrations)
{
    return ngo_list_count(integrations);
}

const nango_integration *nango_integrations_at(
    const nango_integrations *integrations, size_t index)
{
    return ngo_list_at((const struct ngo_list *)integrations, index);
}

const nango_response *nango_integrations_response(const nango_integrations *integrations)
{
    return ngo_list_response(integrations);
}

void nango_integrations_free(nango_integrations *integrations)
{
    ngo_list_free(integrations);
}

static void *integrations_decode(nango_call *call)
{
    return ngo_decode_list(
        call, sizeof(struct ngo_item), ngo_early(call->client) ? "/configs" : "/data");
}

static void integrations_deliver(
    ngo_fn *done, void *result, const nango_error *error, void *user)
{
    ((nango_integrations_done *)done)(result, error, user);
}

const struct ngo_shape ngo_shape_integrations = {
    integrations_decode, ngo_list_free, integrations_deliver};
