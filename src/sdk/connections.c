/* SPDX-License-Identifier: Apache-2.0 */
/* Connections: fetched (whole, or their credentials alone), listed, changed and deleted.
 * Servers of 2023 have them at /connection/{id} (contract http-api.md, 3). */
#include "sdk/methods_int.h"

#include <string.h>

/* `<method> /connections/<id>?provider_config_key=<key>`, `/connection` when `early`. */
static nango_call *plan_one(nango_client *client, const char *method, bool early,
    const char *key, const char *id, const struct ngo_shape *shape)
{
    nango_call *call =
        ngo_call_new(client, method, early ? "/connection" : "/connections", shape);

    ngo_call_need(call, key, "Provider Config Key");
    ngo_call_segment(call, id, "Connection Id");
    ngo_call_query(call, "provider_config_key", key, NGO_AXIOS);
    return call;
}

static nango_call *plan_get(nango_client *client, const char *key, const char *id,
    unsigned flags, const struct ngo_shape *shape)
{
    nango_call *call = plan_one(client, "GET", ngo_early(client), key, id, shape);

    ngo_plan_json_type(call);
    ngo_call_query_bool(call, "force_refresh", (flags & NANGO_FORCE_REFRESH) != 0);
    ngo_call_query_bool(call, "refresh_token", (flags & NANGO_REFRESH_TOKEN) != 0);
    if (ngo_early(client))
        ngo_call_flags(call); /* here, other than with most of its calls */
    else
        ngo_call_query_bool(call, "refresh_github_app_jwt_token",
            (flags & NANGO_REFRESH_GITHUB_APP_JWT) != 0);
    return call;
}

nango_code nango_get_connection(nango_client *client, const char *provider_config_key,
    const char *connection_id, unsigned flags, nango_connection **out, nango_error *err)
{
    NGO_RUN(plan_get(
                client, provider_config_key, connection_id, flags, &ngo_shape_connection),
        nango_connection, nango_connection_free, out, err);
}

nango_code nango_get_connection_start(nango_client *client,
    const char *provider_config_key, const char *connection_id, unsigned flags,
    nango_connection_done *done, void *user, nango_call **call, nango_error *err)
{
    NGO_START(plan_get(client, provider_config_key, connection_id, flags,
                  &ngo_shape_connection),
        done, user, call, err);
}

/* ---- metadata ---- */

static bool has_header(const nango_call *call, const char *name)
{
    for (size_t i = 0; i < call->header_count; i++) {
        if (strcmp(call->headers[i].name, name) == 0)
            return true;
    }
    return false;
}

static nango_call *plan_get_metadata(
    nango_client *client, const char *key, const char *id)
{
    nango_call *call = plan_get(client, key, id, 0, &ngo_shape_connection);

    /* Then it kept the server from logging each fetch. */
    if (call != NULL && ngo_early(client) && !has_header(call, "Nango-Is-Sync"))
        ngo_call_header(call, "Nango-Is-Sync", "true");
    return call;
}

nango_code nango_get_metadata(nango_client *client, const char *provider_config_key,
    const char *connection_id, nango_connection **out, nango_error *err)
{
    NGO_RUN(plan_get_metadata(client, provider_config_key, connection_id),
        nango_connection, nango_connection_free, out, err);
}

nango_code nango_get_metadata_start(nango_client *client, const char *provider_config_key,
    const char *connection_id, nango_connection_done *done, void *user, nango_call **call,
    nango_error *err)
{
    NGO_START(plan_get_metadata(client, provider_config_key, connection_id), done, user,
        call, err);
}

/* ---- credentials ---- */

static void *credentials_decode(nango_call *call)
{
    return ngo_decode_item(
        call, sizeof(nango_credentials), "/credentials", NANGO_JSON_OBJECT);
}

static void credentials_deliver(
    ngo_fn *done, void *result, const nango_error *error, void *user)
{
    ((nango_credentials_done *)done)(result, error, user);
}

const struct ngo_shape ngo_shape_credentials = {
    credentials_decode, ngo_item_free, credentials_deliver};

static nango_call *plan_credentials(
    nango_client *client, const char *key, const char *id, unsigned flags)
{
    /* The official client has no way to ask for the refresh token here. */
    return plan_get(
        client, key, id, flags & ~NANGO_REFRESH_TOKEN, &ngo_shape_credentials);
}

nango_code nango_get_token(nango_client *client, const char *provider_config_key,
    const char *connection_id, unsigned flags, nango_credentials **out, nango_error *err)
{
    NGO_RUN(plan_credentials(client, provider_config_key, connection_id, flags),
        nango_credentials, nango_credentials_free, out, err);
}

nango_code nango_get_token_start(nango_client *client, const char *provider_config_key,
    const char *connection_id, unsigned flags, nango_credentials_done *done, void *user,
    nango_call **call, nango_error *err)
{
    NGO_START(plan_credentials(client, provider_config_key, connection_id, flags), done,
        user, call, err);
}

nango_code nango_get_raw_token_response(nango_client *client,
    const char *provider_config_key, const char *connection_id, unsigned flags,
    nango_credentials **out, nango_error *err)
{
    return nango_get_token(client, provider_config_key, connection_id, flags, out, err);
}

nango_code nango_get_raw_token_response_start(nango_client *client,
    const char *provider_config_key, const char *connection_id, unsigned flags,
    nango_credentials_done *done, void *user, nango_call **call, nango_error *err)
{
    return nango_get_token_start(
        client, provider_config_key, connection_id, flags, done, user, call, err);
}

/* ---- list ---- */

/* `tags[<name>]`, with the two short names that the official client knows. */
static void add_tag(nango_call *call, const nango_pair *tag)
{
    struct ngo_text name;

    if (tag->name == NULL || tag->value == NULL) {
        ngo_call_fail(call, NANGO_E_ARGUMENT, "a pair of tags has no name or no value");
        return;
    }
    ngo_text_init(&name, &call->mem);
    ngo_text_puts(&name, "tags[");
    if (strcmp(tag->name, "displayName") == 0)
        ngo_text_puts(&name, "end_user_display_name");
    else if (strcmp(tag->name, "email") == 0)
        ngo_text_puts(&name, "end_user_email");
    else
        for (const char *s = tag->name; *s != '\0'; s++)
            ngo_text_putc(&name, *s >= 'A' && *s <= 'Z' ? (char)(*s + 'a' - 'A') : *s);
    ngo_text_putc(&name, ']');
    if (name.failed)
        ngo_call_fail(call, NANGO_E_MEMORY, "memory is out");
    else
        ngo_call_query(call, name.data, tag->value, NGO_FORM);
    ngo_text_finish(&name);
}

static void add_integration_ids(nango_call *call, const char *const *ids, size_t count)
{
    struct ngo_text list;

    ngo_text_init(&list, &call->mem);
    for (size_t i = 0; i < count; i++) {
        ngo_call_need(call, ids == NULL ? NULL : ids[i], "Each integration id");
        if (ids == NULL || ids[i] == NULL)
            break;
        if (i > 0)
            ngo_text_putc(&list, ',');
        ngo_text_puts(&list, ids[i]);
    }
    ngo_plan_query_text(call, "integrationId", &list, NGO_FORM);
}

static nango_call *plan_list(nango_client *client, const nango_connections_query *query)
{
    nango_call *call = ngo_call_new(client, "GET",
        ngo_early(client) ? "/connection" : "/connections", &ngo_shape_connections);

    ngo_plan_json_type(call);
    if (call == NULL || query == NULL)
        return call;
    ngo_call_query(call, "connectionId", query->connection_id, NGO_FORM);
    ngo_call_query(call, "search", query->search, NGO_FORM);
    ngo_call_query(call, "endUserId", query->end_user_id, NGO_FORM);
    ngo_call_query(
        call, "endUserOrganizationId", query->end_user_organization_id, NGO_FORM);
    if (query->integration_id_count > 0)
        add_integration_ids(call, query->integration_ids, query->integration_id_count);
    if (query->tags == NULL && query->tag_count > 0)
        ngo_call_need(call, NULL, "tags");
    for (size_t i = 0; query->tags != NULL && i < query->tag_count; i++)
        add_tag(call, &query->tags[i]);
    if (query->limit != 0)
        ngo_call_query_int(call, "limit", query->limit);
    if (query->page != 0)
        ngo_call_query_int(call, "page", query->page);
    return call;
}

nango_code nango_list_connections(nango_client *client,
    const nango_connections_query *query, nango_connections **out, nango_error *err)
{
    NGO_RUN(
        plan_list(client, query), nango_connections, nango_connections_free, out, err);
}

nango_code nango_list_connections_start(nango_client *client,
    const nango_connections_query *query, nango_connections_done *done, void *user,
    nango_call **call, nango_error *err)
{
    NGO_START(plan_list(client, query), done, user, call, err);
}

/* ---- change ---- */

static nango_call *plan_patch(nango_client *client, const char *key, const char *id,
    const nango_connection_patch *patch)
{
    nango_call *call = plan_one(client, "PATCH", false, key, id, &ngo_shape_response);
    struct ngo_text *text;

    if (patch == NULL) {
        ngo_call_fail(call, NANGO_E_ARGUMENT, "the patch is missing");
        return call;
    }
    if (patch->json != NULL) {
        ngo_plan_body(call, patch->json, "the patch's JSON");
        return call;
    }
    text = ngo_plan_open(call);
    if (text == NULL)
        return call;
    ngo_plan_end_user(call, text, patch->end_user, false);
    ngo_plan_pairs(call, text, "tags", patch->tags, patch->tag_count);
    ngo_json_member(text, "webhook_url_override", patch->webhook_url_override);
    ngo_plan_close(call, text);
    return call;
}

nango_code nango_patch_connection(nango_client *client, const char *provider_config_key,
    const char *connection_id, const nango_connection_patch *patch, nango_response **out,
    nango_error *err)
{
    NGO_RUN(plan_patch(client, provider_config_key, connection_id, patch), nango_response,
        nango_response_free, out, err);
}

nango_code nango_patch_connection_start(nango_client *client,
    const char *provider_config_key, const char *connection_id,
    const nango_connection_patch *patch, nango_response_done *done, void *user,
    nango_call **call, nango_error *err)
{
    NGO_START(plan_patch(client, provider_config_key, connection_id, patch), done, user,
        call, err);
}

/* ---- delete ---- */

static nango_call *plan_delete(nango_client *client, const char *key, const char *id)
{
    nango_call *call =
        plan_one(client, "DELETE", ngo_early(client), key, id, &ngo_shape_response);

    ngo_plan_json_type(call);
    return call;
}

nango_code nango_delete_connection(nango_client *client, const char *provider_config_key,
    const char *connection_id, nango_response **out, nango_error *err)
{
    NGO_RUN(plan_delete(client, provider_config_key, connection_id), nango_response,
        nango_response_free, out, err);
}

nango_code nango_delete_connection_start(nango_client *client,
    const char *provider_config_key, const char *connection_id, nango_response_done *done,
    void *user, nango_call **call, nango_error *err)
{
    NGO_START(
        plan_delete(client, provider_config_key, connection_id), done, user, call, err);
}
