/* SPDX-License-Identifier: Apache-2.0 */
/* Connections, their credentials and metadata; connect sessions. */
#include <string.h>

#include "lists.h"

LIST_ENDED(connections, put_connection, NOTHING_MORE);
ONE_ENDED(connection, put_connection);

static void credentials_ended(
    nango_credentials *credentials, const nango_error *error, void *user)
{
    struct run *run = user;

    if (run_begin(run, error, credentials != NULL)) {
        put_json(&run->out, "result", nango_credentials_json(credentials));
        put_credentials(&run->out, "typed", credentials);
    }
    run_end(run);
    nango_credentials_free(credentials);
}

static void put_connect_session(
    struct out *out, const char *name, const nango_connect_session *session)
{
    put_open(out, name, '{');
    put_text(out, "token", nango_connect_session_token(session));
    put_text(out, "link", nango_connect_session_link(session));
    put_text(out, "expires_at", nango_connect_session_expires_at(session));
    put_close(out, '}');
}

ONE_ENDED(connect_session, put_connect_session);

static unsigned flags(struct run *run)
{
    return (arg_bool(run, "forceRefresh") ? NANGO_FORCE_REFRESH : 0) |
           (arg_bool(run, "refreshToken") ? NANGO_REFRESH_TOKEN : 0) |
           (arg_bool(run, "refreshGithubAppJwtToken") ? NANGO_REFRESH_GITHUB_APP_JWT : 0);
}

static void get_connection(struct run *run)
{
    CALL(run, connection, get_connection, arg_text(run, "providerConfigKey"),
        arg_text(run, "connectionId"), flags(run));
}

static void get_token(struct run *run)
{
    CALL(run, credentials, get_token, arg_text(run, "providerConfigKey"),
        arg_text(run, "connectionId"), flags(run));
}

static void get_raw_token_response(struct run *run)
{
    CALL(run, credentials, get_raw_token_response, arg_text(run, "providerConfigKey"),
        arg_text(run, "connectionId"), flags(run));
}

static void get_metadata(struct run *run)
{
    CALL(run, connection, get_metadata, arg_text(run, "providerConfigKey"),
        arg_text(run, "connectionId"));
}

static void list_connections(struct run *run)
{
    nango_connections_query query = {
        .connection_id = arg_text(run, "connectionId"),
        .search = arg_text(run, "search"),
        .end_user_id = arg_text(run, "userId"),
        .end_user_organization_id = arg_text(run, "endUserOrganizationId"),
        .limit = arg_int(run, "limit"),
        .page = arg_int(run, "page"),
    };

    query.integration_ids =
        get_texts(run, run->args, "integrationId", &query.integration_id_count);
    query.tags = get_pairs(run, run->args, "tags", &query.tag_count);
    CALL(run, connections, list_connections,
        nango_json_count(run->args) == 0 ? NULL : &query);
}

static nango_auth_type auth_type(const char *name)
{
    for (nango_auth_type type = NANGO_AUTH_UNKNOWN; type <= NANGO_AUTH_NONE; type++) {
        if (name != NULL && strcmp(nango_auth_type_name(type), name) == 0)
            return type;
    }
    return NANGO_AUTH_UNKNOWN;
}

static void create_connection(struct run *run)
{
    const nango_json *given = arg(run, "credentials");
    nango_new_credentials credentials = {
        .type = auth_type(get_text(run, given, "type")),
        .access_token = get_text(run, given, "access_token"),
        .refresh_token = get_text(run, given, "refresh_token"),
        .expires_at = get_text(run, given, "expires_at"),
        .client_id = get_text(run, given, "client_id"),
        .client_secret = get_text(run, given, "client_secret"),
        .token = get_text(run, given, "token"),
        .oauth_token = get_text(run, given, "oauth_token"),
        .oauth_token_secret = get_text(run, given, "oauth_token_secret"),
        .api_key = get_text(run, given, "apiKey"),
        .username = get_text(run, given, "username"),
        .password = get_text(run, given, "password"),
        .token_id = get_text(run, given, "token_id"),
        .token_secret = get_text(run, given, "token_secret"),
        .app_id = get_text(run, given, "app_id"),
        .installation_id = get_text(run, given, "installation_id"),
    };
    nango_new_connection connection = {
        .provider_config_key = arg_text(run, "provider_config_key"),
        .connection_id = arg_text(run, "connection_id"),
        .credentials = given != NULL ? &credentials : NULL,
        .metadata = arg_json(run, "metadata"),
        .connection_config = arg_json(run, "connection_config"),
        .end_user = get_end_user(run, run->args),
        .webhook_url_override = arg_text(run, "webhook_url_override"),
    };

    connection.tags = get_pairs(run, run->args, "tags", &connection.tag_count);
    CALL(run, connection, create_connection, &connection);
}

static void import_connection(struct run *run)
{
    CALL(run, connection, import_connection, arg_json(run, "body"));
}

static void patch_connection(struct run *run)
{
    const nango_json *body = arg(run, "body");
    nango_connection_patch patch = {
        .end_user = get_end_user(run, body),
        .webhook_url_override = get_text(run, body, "webhook_url_override"),
        .json = arg_json(run, "json"),
    };

    patch.tags = get_pairs(run, body, "tags", &patch.tag_count);
    CALL(run, response, patch_connection, arg_text(run, "provider_config_key"),
        arg_text(run, "connectionId"), &patch);
}

static void delete_connection(struct run *run)
{
    CALL(run, response, delete_connection, arg_text(run, "providerConfigKey"),
        arg_text(run, "connectionId"));
}

static void wait_for_connection(struct run *run)
{
    nango_wait_options options = {
        .first_delay_ms = arg_int(run, "firstDelayMs"),
        .delay_ms = arg_int(run, "delayMs"),
        .attempts = (int)arg_int(run, "attempts"),
    };

    CALL(run, connection, wait_for_connection, arg_text(run, "integrationKey"),
        arg_text(run, "userId"), arg_bool(run, "plain") ? NULL : &options);
}

static void set_metadata(struct run *run)
{
    size_t count;
    const char *const *ids = get_texts(run, run->args, "connectionId", &count);

    CALL(run, response, set_metadata, arg_text(run, "providerConfigKey"), ids, count,
        arg_json(run, "metadata"));
}

static void update_metadata(struct run *run)
{
    size_t count;
    const char *const *ids = get_texts(run, run->args, "connectionId", &count);

    CALL(run, response, update_metadata, arg_text(run, "providerConfigKey"), ids, count,
        arg_json(run, "metadata"));
}

static void fill_session(struct run *run, nango_connect_session_config *config)
{
    const nango_json *body = arg(run, "body");

    config->end_user = get_end_user(run, body);
    config->allowed_integrations =
        get_texts(run, body, "allowed_integrations", &config->allowed_integration_count);
    config->integrations_config_defaults =
        get_json(run, body, "integrations_config_defaults");
    config->overrides = get_json(run, body, "overrides");
    config->tags = get_pairs(run, body, "tags", &config->tag_count);
    config->webhook_url_override = get_text(run, body, "webhook_url_override");
    config->json = arg_json(run, "json");
}

static void create_connect_session(struct run *run)
{
    nango_connect_session_config config = {0};

    fill_session(run, &config);
    CALL(run, connect_session, create_connect_session, &config);
}

static void create_reconnect_session(struct run *run)
{
    const nango_json *body = arg(run, "body");
    nango_connect_session_config config = {0};

    fill_session(run, &config);
    CALL(run, connect_session, create_reconnect_session,
        get_text(run, body, "integration_id"), get_text(run, body, "connection_id"),
        arg_bool(run, "plain") ? NULL : &config);
}

const struct method connection_methods[] = {
    {"getConnection", get_connection},
    {"getToken", get_token},
    {"getRawTokenResponse", get_raw_token_response},
    {"getMetadata", get_metadata},
    {"setMetadata", set_metadata},
    {"updateMetadata", update_metadata},
    {"listConnections", list_connections},
    {"createConnection", create_connection},
    {"importConnection", import_connection},
    {"patchConnection", patch_connection},
    {"deleteConnection", delete_connection},
    {"waitForConnection", wait_for_connection},
    {"createConnectSession", create_connect_session},
    {"createReconnectSession", create_reconnect_session},
    {NULL, NULL},
};
