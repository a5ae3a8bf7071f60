/* SPDX-License-Identifier: Apache-2.0 */
/* Integrations (a provider as one's product uses it), the functions deployed for them, and
 * the catalogue of providers.
 * Source: contract node-sdk.md sections 2 and 3, http-api.md sections 4 and 5. */
#ifndef NANGO_INTEGRATIONS_H
#define NANGO_INTEGRATIONS_H

#include "nango/async.h"
#include "nango/json.h"
#include "nango/response.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nango_integration nango_integration;   /* opaque */
typedef struct nango_integrations nango_integrations; /* opaque: a list */
typedef struct nango_provider nango_provider;         /* opaque */
typedef struct nango_providers nango_providers;       /* opaque: a list */

typedef void nango_integration_done(
    nango_integration *integration, const nango_error *error, void *user);
typedef void nango_integrations_done(
    nango_integrations *integrations, const nango_error *error, void *user);
typedef void nango_provider_done(
    nango_provider *provider, const nango_error *error, void *user);
typedef void nango_providers_done(
    nango_providers *providers, const nango_error *error, void *user);

/* Lists the environment's integrations: GET /integrations. */
NANGO_API nango_code nango_list_integrations(
    nango_client *client, nango_integrations **out, nango_error *err);
NANGO_API nango_code nango_list_integrations_start(nango_client *client,
    nango_integrations_done *done, void *user, nango_call **call, nango_error *err);

/* For nango_get_integration(): have the webhook address, the OAuth client in the answer. */
#define NANGO_INCLUDE_WEBHOOK 1u
#define NANGO_INCLUDE_CREDENTIALS 2u

/* Fetches one integration: GET /integrations/{unique_key}. `include`: NANGO_INCLUDE_… or 0.
 * Both are asked for when both are given, of which the official client sends the last. */
NANGO_API nango_code nango_get_integration(nango_client *client, const char *unique_key,
    unsigned include, nango_integration **out, nango_error *err);
NANGO_API nango_code nango_get_integration_start(nango_client *client,
    const char *unique_key, unsigned include, nango_integration_done *done, void *user,
    nango_call **call, nango_error *err);

/* An integration to make or change. NULL: not sent, which leaves it as it is. */
typedef struct {
    const char *provider;   /* needed to make one; not sent to change one */
    const char *unique_key; /* needed to make one; to change one: its new key */
    const char *display_name;
    const bool *forward_webhooks;
    /* The OAuth client or app; sent when credentials_type is set: OAUTH1, OAUTH2 and TBA
     * have client_id, client_secret, scopes (a comma list), webhook_secret; APP has app_id,
     * app_link, private_key; CUSTOM the first two and those three. */
    const char *credentials_type; /* as "OAUTH2" */
    const char *client_id;
    const char *client_secret;
    const char *scopes;
    const char *webhook_secret;
    const char *app_id;
    const char *app_link;
    const char *private_key; /* PEM */
    const nango_pair
        *integration_config; /* what the provider asks of every integration */
    size_t integration_config_count;
    const nango_pair *custom;
    size_t custom_count;
    const char *json; /* the whole body instead of the members above */
    const void *reserved[4];
} nango_integration_config;

/* Makes an integration: POST /integrations. */
NANGO_API nango_code nango_create_integration(nango_client *client,
    const nango_integration_config *config, nango_integration **out, nango_error *err);
NANGO_API nango_code nango_create_integration_start(nango_client *client,
    const nango_integration_config *config, nango_integration_done *done, void *user,
    nango_call **call, nango_error *err);

/* Makes an integration with the OAuth client that the server's operator shares: POST
 * /integrations/quickstart. Of `config` provider, unique_key, display_name and
 * forward_webhooks are looked at, or json. */
NANGO_API nango_code nango_create_quickstart_integration(nango_client *client,
    const nango_integration_config *config, nango_integration **out, nango_error *err);
NANGO_API nango_code nango_create_quickstart_integration_start(nango_client *client,
    const nango_integration_config *config, nango_integration_done *done, void *user,
    nango_call **call, nango_error *err);

/* Changes an integration: PATCH /integrations/{unique_key}. With NANGO_ERA_2023 (PUT
 * /config) `config` names the provider too. */
NANGO_API nango_code nango_update_integration(nango_client *client,
    const char *unique_key, const nango_integration_config *config,
    nango_integration **out, nango_error *err);
NANGO_API nango_code nango_update_integration_start(nango_client *client,
    const char *unique_key, const nango_integration_config *config,
    nango_integration_done *done, void *user, nango_call **call, nango_error *err);

/* Deletes an integration and all that belongs to it: DELETE /integrations/{unique_key}. */
NANGO_API nango_code nango_delete_integration(
    nango_client *client, const char *unique_key, nango_response **out, nango_error *err);
NANGO_API nango_code nango_delete_integration_start(nango_client *client,
    const char *unique_key, nango_response_done *done, void *user, nango_call **call,
    nango_error *err);

/* Which of an integration's functions are wanted. */
typedef struct {
    const char *type;   /* "sync", "action" or "on-event"; NULL: all */
    const char *search; /* part of the name; NULL: all */
    int64_t page;       /* from 0 */
    int64_t limit;      /* 1 to 100; 0: 20 */
    const void *reserved[4];
} nango_functions_query;

/* Lists the functions deployed for an integration: GET
 * /integrations/{unique_key}/functions. The answer's JSON has "/data" and "/pagination".
 * `query` may be NULL. */
NANGO_API nango_code nango_list_functions(nango_client *client, const char *unique_key,
    const nango_functions_query *query, nango_response **out, nango_error *err);
NANGO_API nango_code nango_list_functions_start(nango_client *client,
    const char *unique_key, const nango_functions_query *query, nango_response_done *done,
    void *user, nango_call **call, nango_error *err);

/* Fetches one function's description, at "/data" of the answer's JSON: GET
 * /integrations/{unique_key}/functions/{name}. `type` may be NULL when the name is used
 * once. */
NANGO_API nango_code nango_get_function(nango_client *client, const char *unique_key,
    const char *name, const char *type, nango_response **out, nango_error *err);
NANGO_API nango_code nango_get_function_start(nango_client *client,
    const char *unique_key, const char *name, const char *type, nango_response_done *done,
    void *user, nango_call **call, nango_error *err);

/* Fetches one function's source, at "/code" of the answer's JSON: GET
 * /integrations/{unique_key}/functions/{name}/code. `type` as above. */
NANGO_API nango_code nango_get_function_code(nango_client *client, const char *unique_key,
    const char *name, const char *type, nango_response **out, nango_error *err);
NANGO_API nango_code nango_get_function_code_start(nango_client *client,
    const char *unique_key, const char *name, const char *type, nango_response_done *done,
    void *user, nango_call **call, nango_error *err);

/* Deletes one function: DELETE /integrations/{unique_key}/functions/{name}. `type`: "sync"
 * or "action". */
NANGO_API nango_code nango_delete_function(nango_client *client, const char *unique_key,
    const char *name, const char *type, nango_response **out, nango_error *err);
NANGO_API nango_code nango_delete_function_start(nango_client *client,
    const char *unique_key, const char *name, const char *type, nango_response_done *done,
    void *user, nango_call **call, nango_error *err);

/* Lists the providers of the catalogue: GET /providers. `search`: part of the name; NULL:
 * all. */
NANGO_API nango_code nango_list_providers(
    nango_client *client, const char *search, nango_providers **out, nango_error *err);
NANGO_API nango_code nango_list_providers_start(nango_client *client, const char *search,
    nango_providers_done *done, void *user, nango_call **call, nango_error *err);

/* Fetches one provider's entry: GET /providers/{provider}. */
NANGO_API nango_code nango_get_provider(
    nango_client *client, const char *provider, nango_provider **out, nango_error *err);
NANGO_API nango_code nango_get_provider_start(nango_client *client, const char *provider,
    nango_provider_done *done, void *user, nango_call **call, nango_error *err);

/* Fetches the function templates of a provider, at "/data" of the answer's JSON: GET
 * /providers/{provider}/templates. */
NANGO_API nango_code nango_get_provider_templates(
    nango_client *client, const char *provider, nango_response **out, nango_error *err);
NANGO_API nango_code nango_get_provider_templates_start(nango_client *client,
    const char *provider, nango_response_done *done, void *user, nango_call **call,
    nango_error *err);

/* The key that names the integration everywhere. The text of this and of the functions
 * below is borrowed from the integration, and NULL when the server gave none. */
NANGO_API const char *nango_integration_unique_key(const nango_integration *integration);

/* Its provider, as "github". */
NANGO_API const char *nango_integration_provider(const nango_integration *integration);

/* The name that people read. */
NANGO_API const char *nango_integration_display_name(
    const nango_integration *integration);

/* The address of its logo. */
NANGO_API const char *nango_integration_logo(const nango_integration *integration);

/* Whether the provider's webhooks are passed on; true when the server does not say. */
NANGO_API bool nango_integration_forward_webhooks(const nango_integration *integration);

/* Where the provider sends its webhooks; with NANGO_INCLUDE_WEBHOOK. */
NANGO_API const char *nango_integration_webhook_url(const nango_integration *integration);

/* The OAuth client; with NANGO_INCLUDE_CREDENTIALS. */
NANGO_API const char *nango_integration_client_id(const nango_integration *integration);
NANGO_API const char *nango_integration_client_secret(
    const nango_integration *integration);

/* The OAuth scopes, a comma list; with NANGO_INCLUDE_CREDENTIALS. */
NANGO_API const char *nango_integration_scopes(const nango_integration *integration);

/* When it was made, as the server writes it (ISO 8601). */
NANGO_API const char *nango_integration_created_at(const nango_integration *integration);

/* All of it as the server sent it. */
NANGO_API const nango_json *nango_integration_json(const nango_integration *integration);

/* The answer it came with; NULL for an integration from a list. */
NANGO_API const nango_response *nango_integration_response(
    const nango_integration *integration);

/* Wipes and frees. Accepts NULL. Not for an integration from a list. */
NANGO_API void nango_integration_free(nango_integration *integration);

/* How many integrations the list holds. */
NANGO_API size_t nango_integrations_count(const nango_integrations *integrations);

/* An integration of the list, counted from 0; NULL beyond the end. Borrowed. */
NANGO_API const nango_integration *nango_integrations_at(
    const nango_integrations *integrations, size_t index);

/* The answer that the list came with. */
NANGO_API const nango_response *nango_integrations_response(
    const nango_integrations *integrations);

/* Frees the list and its integrations. Accepts NULL. */
NANGO_API void nango_integrations_free(nango_integrations *integrations);

/* The provider's name in the catalogue, as "github". The text of this and of the functions
 * below is borrowed from the provider, and NULL when the server gave none. */
NANGO_API const char *nango_provider_name(const nango_provider *provider);

/* The name that people read. */
NANGO_API const char *nango_provider_display_name(const nango_provider *provider);

/* How it authorises, as "OAUTH2". */
NANGO_API const char *nango_provider_auth_mode(const nango_provider *provider);

/* The address of its documentation. */
NANGO_API const char *nango_provider_docs(const nango_provider *provider);

/* The whole entry as the server sent it. */
NANGO_API const nango_json *nango_provider_json(const nango_provider *provider);

/* The answer it came with; NULL for a provider from a list. */
NANGO_API const nango_response *nango_provider_response(const nango_provider *provider);

/* Frees. Accepts NULL. Not for a provider from a list. */
NANGO_API void nango_provider_free(nango_provider *provider);

/* How many providers the list holds. */
NANGO_API size_t nango_providers_count(const nango_providers *providers);

/* A provider of the list, counted from 0; NULL beyond the end. Borrowed. */
NANGO_API const nango_provider *nango_providers_at(
    const nango_providers *providers, size_t index);

/* The answer that the list came with. */
NANGO_API const nango_response *nango_providers_response(
    const nango_providers *providers);

/* Frees the list and its providers. Accepts NULL. */
NANGO_API void nango_providers_free(nango_providers *providers);

#ifdef __cplusplus
}
#endif
#endif
