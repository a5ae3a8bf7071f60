/* SPDX-License-Identifier: Apache-2.0 */
/* Connections made from credentials that one already has, and the metadata that one keeps
 * with them. Servers of 2023 want a flat body with other names, and metadata for one
 * connection at a time (contract http-api.md, 3.3 and 3.6). */
#include "sdk/methods_int.h"

#include <stddef.h>

/* ---- credentials ---- */

/* One member of the body, from one of struct nango_new_credentials. */
struct field {
    const char *name;
    const char *early; /* its name on servers of 2023 */
    size_t offset;
    bool needed;
};

#define FIELD(member) offsetof(nango_new_credentials, member)

static const struct field oauth2_fields[] = {
    {"access_token", "access_token", FIELD(access_token), true},
    {"refresh_token", "refresh_token", FIELD(refresh_token), false},
    {"expires_at", "expires_at", FIELD(expires_at), false},
    /* Within config_override, but for servers of 2023. */
    {NULL, "oauth_client_id_override", FIELD(client_id), false},
    {NULL, "oauth_client_secret_override", FIELD(client_secret), false},
    {0},
};
static const struct field oauth2_cc_fields[] = {
    {"token", "access_token", FIELD(token), true},
    {"client_id", "client_id", FIELD(client_id), true},
    {"client_secret", "client_secret", FIELD(client_secret), true},
    {"expires_at", "expires_at", FIELD(expires_at), false},
    {0},
};
static const struct field oauth1_fields[] = {
    {"oauth_token", "oauth_token", FIELD(oauth_token), true},
    {"oauth_token_secret", "oauth_token_secret", FIELD(oauth_token_secret), true},
    {0},
};
static const struct field api_key_fields[] = {
    {"apiKey", "api_key", FIELD(api_key), true},
    {0},
};
/* Each may be empty, and then is sent so: see write_credentials(). */
static const struct field basic_fields[] = {
    {"username", "username", FIELD(username), false},
    {"password", "password", FIELD(password), false},
    {0},
};
static const struct field tba_fields[] = {
    {"token_id", "token_id", FIELD(token_id), true},
    {"token_secret", "token_secret", FIELD(token_secret), true},
    {0},
};
static const struct field app_fields[] = {
    {"app_id", "app_id", FIELD(app_id), true},
    {"installation_id", "installation_id", FIELD(installation_id), true},
    {0},
};
static const struct field no_fields[] = {{0}};

/* The kinds that can be imported. */
static const struct field *fields_of(nango_auth_type type)
{
    switch (type) {
    case NANGO_AUTH_OAUTH2:
        return oauth2_fields;
    case NANGO_AUTH_OAUTH2_CC:
        return oauth2_cc_fields;
    case NANGO_AUTH_OAUTH1:
        return oauth1_fields;
    case NANGO_AUTH_API_KEY:
        return api_key_fields;
    case NANGO_AUTH_BASIC:
        return basic_fields;
    case NANGO_AUTH_TBA:
        return tba_fields;
    case NANGO_AUTH_APP:
    case NANGO_AUTH_CUSTOM:
        return app_fields;
    case NANGO_AUTH_NONE:
        return no_fields;
    default:
        return NULL;
    }
}

static void write_fields(nango_call *call, struct ngo_text *text,
    const nango_new_credentials *credentials, bool early)
{
    const struct field *field = fields_of(credentials->type);

    if (field == NULL) {
        ngo_call_fail(call, NANGO_E_ARGUMENT,
            "connections cannot be made from credentials of this type");
        return;
    }
    for (; field->early != NULL; field++) {
        const char *value = *(
            const char *const *)(const void *)((const char *)credentials + field->offset);

        if (field->needed)
            ngo_call_need(call, value, field->name);
        if (credentials->type == NANGO_AUTH_BASIC && value == NULL)
            value = ""; /* the server wants both halves */
        if (early)
            ngo_json_member(text, field->early, value);
        else if (field->name != NULL)
            ngo_json_member(text, field->name, value);
    }
}

static void write_credentials(
    nango_call *call, struct ngo_text *text, const nango_new_credentials *credentials)
{
    ngo_json_name(text, "credentials");
    ngo_json_open(text, '{');
    ngo_json_member(text, "type", nango_auth_type_name(credentials->type));
    write_fields(call, text, credentials, false);
    if (credentials->type == NANGO_AUTH_OAUTH2 &&
        (credentials->client_id != NULL || credentials->client_secret != NULL)) {
        ngo_json_name(text, "config_override");
        ngo_json_open(text, '{');
        ngo_json_member(text, "client_id", credentials->client_id);
        ngo_json_member(text, "client_secret", credentials->client_secret);
        ngo_json_close(text, '}');
    }
    ngo_json_close(text, '}');
}

static void write_early_credentials(
    nango_call *call, struct ngo_text *text, const nango_new_credentials *credentials)
{
    write_fields(call, text, credentials, true);
    /* Servers between 2023 and the newest refuse a token of unknown end otherwise. */
    if ((credentials->type == NANGO_AUTH_OAUTH2 ||
            credentials->type == NANGO_AUTH_OAUTH2_CC) &&
        credentials->expires_at == NULL) {
        ngo_json_name(text, "no_expiration");
        ngo_json_put_bool(text, true);
    }
}

/* ---- new connections ---- */

static nango_call *new_call(nango_client *client)
{
    return ngo_call_new(client, "POST",
        ngo_early(client) ? "/connection" : "/connections", &ngo_shape_connection);
}

static nango_call *plan_create(
    nango_client *client, const nango_new_connection *connection)
{
    nango_call *call = new_call(client);
    struct ngo_text *text;

    if (connection == NULL || connection->credentials == NULL) {
        ngo_call_fail(call, NANGO_E_ARGUMENT, "Credentials are required");
        return call;
    }
    ngo_call_need(call, connection->provider_config_key, "Provider Config Key");
    text = ngo_plan_open(call);
    if (text == NULL)
        return call;
    ngo_json_member(text, "provider_config_key", connection->provider_config_key);
    ngo_json_member(text, "connection_id", connection->connection_id);
    if (ngo_early(client))
        write_early_credentials(call, text, connection->credentials);
    else
        write_credentials(call, text, connection->credentials);
    ngo_plan_member_object(call, text, "metadata", connection->metadata);
    ngo_plan_member_object(
        call, text, "connection_config", connection->connection_config);
    ngo_plan_end_user(call, text, connection->end_user, false);
    ngo_plan_pairs(call, text, "tags", connection->tags, connection->tag_count);
    ngo_json_member(text, "webhook_url_override", connection->webhook_url_override);
    ngo_plan_close(call, text);
    return call;
}

nango_code nango_create_connection(nango_client *client,
    const nango_new_connection *connection, nango_connection **out, nango_error *err)
{
    NGO_RUN(plan_create(client, connection), nango_connection, nango_connection_free, out,
        err);
}

nango_code nango_create_connection_start(nango_client *client,
    const nango_new_connection *connection, nango_connection_done *done, void *user,
    nango_call **call, nango_error *err)
{
    NGO_START(plan_create(client, connection), done, user, call, err);
}

static nango_call *plan_import(nango_client *client, const char *body)
{
    nango_call *call = new_call(client);

    ngo_plan_body(call, body, "The connection");
    return call;
}

nango_code nango_import_connection(
    nango_client *client, const char *body, nango_connection **out, nango_error *err)
{
    NGO_RUN(plan_import(client, body), nango_connection, nango_connection_free, out, err);
}

nango_code nango_import_connection_start(nango_client *client, const char *body,
    nango_connection_done *done, void *user, nango_call **call, nango_error *err)
{
    NGO_START(plan_import(client, body), done, user, call, err);
}

/* ---- metadata ---- */

static nango_call *plan_early_metadata(nango_client *client, const char *method,
    const char *key, const char *const *ids, size_t count, const char *metadata)
{
    nango_call *call = ngo_call_new(client, method, "/connection", &ngo_shape_response);

    ngo_call_need(call, key, "Provider Config Key");
    if (count > 1)
        ngo_call_fail(call, NANGO_E_ARGUMENT,
            "servers of 2023 take the metadata of one connection at a time");
    ngo_call_segment(call, ids == NULL || count == 0 ? NULL : ids[0], "Connection Id");
    ngo_call_path(call, "/metadata");
    ngo_call_query(call, "provider_config_key", key, NGO_AXIOS);
    ngo_call_header(call, "Provider-Config-Key", key);
    ngo_plan_body(call, metadata, "Metadata");
    return call;
}

static nango_call *plan_metadata(nango_client *client, const char *method,
    const char *key, const char *const *ids, size_t count, const char *metadata)
{
    nango_call *call;
    struct ngo_text *text;

    if (ngo_early(client))
        return plan_early_metadata(client, method, key, ids, count, metadata);
    call = ngo_call_new(client, method, "/connections/metadata", &ngo_shape_response);
    ngo_call_need(call, key, "Provider Config Key");
    if (ids == NULL || count == 0)
        ngo_call_need(call, NULL, "Connection Id");
    for (size_t i = 0; ids != NULL && i < count; i++)
        ngo_call_need(call, ids[i], "Connection Id");
    ngo_call_need(call, metadata, "Metadata");
    text = ngo_plan_open(call);
    if (text == NULL || call->error.code != NANGO_OK)
        return call;
    ngo_plan_object(call, metadata, "Metadata");
    ngo_json_member_raw(text, "metadata", metadata);
    if (count == 1)
        ngo_json_member(text, "connection_id", ids[0]);
    else
        ngo_json_member_strings(text, "connection_id", ids, count);
    ngo_json_member(text, "provider_config_key", key);
    ngo_plan_close(call, text);
    return call;
}

nango_code nango_set_metadata(nango_client *client, const char *provider_config_key,
    const char *const *connection_ids, size_t count, const char *metadata,
    nango_response **out, nango_error *err)
{
    NGO_RUN(plan_metadata(
                client, "POST", provider_config_key, connection_ids, count, metadata),
        nango_response, nango_response_free, out, err);
}

nango_code nango_set_metadata_start(nango_client *client, const char *provider_config_key,
    const char *const *connection_ids, size_t count, const char *metadata,
    nango_response_done *done, void *user, nango_call **call, nango_error *err)
{
    NGO_START(plan_metadata(
                  client, "POST", provider_config_key, connection_ids, count, metadata),
        done, user, call, err);
}

nango_code nango_update_metadata(nango_client *client, const char *provider_config_key,
    const char *const *connection_ids, size_t count, const char *metadata,
    nango_response **out, nango_error *err)
{
    NGO_RUN(plan_metadata(
                client, "PATCH", provider_config_key, connection_ids, count, metadata),
        nango_response, nango_response_free, out, err);
}

nango_code nango_update_metadata_start(nango_client *client,
    const char *provider_config_key, const char *const *connection_ids, size_t count,
    const char *metadata, nango_response_done *done, void *user, nango_call **call,
    nango_error *err)
{
    NGO_START(plan_metadata(
                  client, "PATCH", provider_config_key, connection_ids, count, metadata),
        done, user, call, err);
}
