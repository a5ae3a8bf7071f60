/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a connection, and of each one of a list. Servers of 2023 put the
 * integration's id into `provider` of a list's connections and have no provider there
 * (contract http-api.md, 3.2). */
#include "sdk/methods_int.h"

int64_t nango_connection_number(const nango_connection *connection)
{
    return nango_json_int_at(ngo_item_json(connection), "/id", 0);
}

const char *nango_connection_id(const nango_connection *connection)
{
    return ngo_item_text(connection, "/connection_id");
}

const char *nango_connection_provider_config_key(const nango_connection *connection)
{
    const char *key = ngo_item_text(connection, "/provider_config_key");

    return key != NULL ? key : ngo_item_text(connection, "/provider");
}

const char *nango_connection_provider(const nango_connection *connection)
{
    return ngo_item_text(connection, "/provider_config_key") != NULL
               ? ngo_item_text(connection, "/provider")
               : NULL;
}

const char *nango_connection_created_at(const nango_connection *connection)
{
    const char *time = ngo_item_text(connection, "/created_at");

    return time != NULL ? time : ngo_item_text(connection, "/created");
}

const char *nango_connection_end_user_id(const nango_connection *connection)
{
    return ngo_item_text(connection, "/end_user/id");
}

const char *nango_connection_tag(const nango_connection *connection, const char *name)
{
    if (name == NULL)
        return NULL;
    return nango_json_string(
        nango_json_get(ngo_item_member(connection, "tags"), name), NULL);
}

const nango_json *nango_connection_metadata(const nango_connection *connection)
{
    return ngo_item_member(connection, "metadata");
}

const nango_json *nango_connection_config(const nango_connection *connection)
{
    return ngo_item_member(connection, "connection_config");
}

size_t nango_connection_error_count(const nango_connection *connection)
{
    return nango_json_count(ngo_item_member(connection, "errors"));
}

const nango_credentials *nango_connection_credentials(const nango_connection *connection)
{
    if (connection == NULL || connection->credentials.item.json == NULL)
        return NULL;
    return &connection->credentials;
}

const nango_json *nango_connection_json(const nango_connection *connection)
{
    return ngo_item_json(connection);
}

const nango_response *nango_connection_response(const nango_connection *connection)
{
    return ngo_item_response(connection);
}

void nango_connection_free(nango_connection *connection)
{
    ngo_item_free(connection);
}

static void *connection_decode(nango_call *call)
{
    nango_connection *connection =
        ngo_decode_item(call, sizeof *connection, "", NANGO_JSON_OBJECT);

    if (connection != NULL)
        connection->credentials.item.json = ngo_item_member(connection, "credentials");
    return connection;
}

static void connection_deliver(
    ngo_fn *done, void *result, const nango_error *error, void *user)
{
    ((nango_connection_done *)done)(result, error, user);
}

const struct ngo_shape ngo_shape_connection = {
    connection_decode, ngo_item_free, connection_deliver};

/* ---- lists ---- */

size_t nango_connections_count(const nango_connections *connections)
{
    return ngo_list_count(connections);
}

const nango_connection *nango_connections_at(
    const nango_connections *connections, size_t index)
{
    return ngo_list_at((const struct ngo_list *)connections, index);
}

const nango_response *nango_connections_response(const nango_connections *connections)
{
    return ngo_list_response(connections);
}

void nango_connections_free(nango_connections *connections)
{
    ngo_list_free(connections);
}

static void *connections_decode(nango_call *call)
{
    return ngo_decode_list(call, sizeof(nango_connection), "/connections");
}

static void connections_deliver(
    ngo_fn *done, void *result, const nango_error *error, void *user)
{
    ((nango_connections_done *)done)(result, error, user);
}

const struct ngo_shape ngo_shape_connections = {
    connections_decode, ngo_list_free, connections_deliver};
