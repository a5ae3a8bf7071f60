/* SPDX-License-Identifier: Apache-2.0 */
/* The server's catalogue of providers (contract http-api.md, 5). */
#include "sdk/methods_int.h"

/* ---- list ---- */

static void *providers_decode(nango_call *call)
{
    return ngo_decode_list(call, sizeof(struct ngo_item), "/data");
}

static void providers_deliver(
    ngo_fn *done, void *result, const nango_error *error, void *user)
{
    ((nango_providers_done *)done)(result, error, user);
}

static const struct ngo_shape providers_shape = {
    providers_decode, ngo_list_free, providers_deliver};

static nango_call *plan_list(nango_client *client, const char *search)
{
    nango_call *call = ngo_call_new(client, "GET", "/providers", &providers_shape);

    ngo_call_query(call, "search", search, NGO_FORM);
    return call;
}

nango_code nango_list_providers(
    nango_client *client, const char *search, nango_providers **out, nango_error *err)
{
    NGO_RUN(plan_list(client, search), nango_providers, nango_providers_free, out, err);
}

nango_code nango_list_providers_start(nango_client *client, const char *search,
    nango_providers_done *done, void *user, nango_call **call, nango_error *err)
{
    NGO_START(plan_list(client, search), done, user, call, err);
}

size_t nango_providers_count(const nango_providers *providers)
{
    return ngo_list_count(providers);
}

const nango_provider *nango_providers_at(const nango_providers *providers, size_t index)
{
    return ngo_list_at((const struct ngo_list *)providers, index);
}

const nango_response *nango_providers_response(const nango_providers *providers)
{
    return ngo_list_response(providers);
}

void nango_providers_free(nango_providers *providers)
{
    ngo_list_free(providers);
}

/* ---- one ---- */

static void *provider_decode(nango_call *call)
{
    return ngo_decode_item(call, sizeof(struct ngo_item), "/data", NANGO_JSON_OBJECT);
}

static void provider_deliver(
    ngo_fn *done, void *result, const nango_error *error, void *user)
{
    ((nango_provider_done *)done)(result, error, user);
}

static const struct ngo_shape provider_shape = {
    provider_decode, ngo_item_free, provider_deliver};

static nango_call *plan_one(
    nango_client *client, const char *provider, const struct ngo_shape *shape)
{
    nango_call *call = ngo_call_new(client, "GET", "/providers", shape);

    ngo_call_segment(call, provider, "Provider");
    return call;
}

nango_code nango_get_provider(
    nango_client *client, const char *provider, nango_provider **out, nango_error *err)
{
    NGO_RUN(plan_one(client, provider, &provider_shape), nango_provider,
        nango_provider_free, out, err);
}

nango_code nango_get_provider_start(nango_client *client, const char *provider,
    nango_provider_done *done, void *user, nango_call **call, nango_error *err)
{
    NGO_START(plan_one(client, provider, &provider_shape), done, user, call, err);
}

const char *nango_provider_name(const nango_provider *provider)
{
    return ngo_item_text(provider, "/name");
}

const char *nango_provider_display_name(const nango_provider *provider)
{
    return ngo_item_text(provider, "/display_name");
}

const char *nango_provider_auth_mode(const nango_provider *provider)
{
    return ngo_item_text(provider, "/auth_mode");
}

const char *nango_provider_docs(const nango_provider *provider)
{
    return ngo_item_text(provider, "/docs");
}

const nango_json *nango_provider_json(const nango_provider *provider)
{
    return ngo_item_json(provider);
}

const nango_response *nango_provider_response(const nango_provider *provider)
{
    return ngo_item_response(provider);
}

void nango_provider_free(nango_provider *provider)
{
    ngo_item_free(provider);
}

/* ---- templates ---- */

static nango_call *plan_templates(nango_client *client, const char *provider)
{
    nango_call *call = plan_one(client, provider, &ngo_shape_response);

    ngo_call_path(call, "/templates");
    return call;
}

nango_code nango_get_provider_templates(
    nango_client *client, const char *provider, nango_response **out, nango_error *err)
{
    NGO_RUN(
        plan_templates(client, provider), nango_response, nango_response_free, out, err);
}

nango_code nango_get_provider_templates_start(nango_client *client, const char *provider,
    nango_response_done *done, void *user, nango_call **call, nango_error *err)
{
    NGO_START(plan_templates(client, provider), done, user, call, err);
}
