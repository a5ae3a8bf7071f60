/* SPDX-License-Identifier: Apache-2.0 */
/* What the getters of each type give, one member for each getter. */
#include <string.h>

#include "driver.h"

void put_response(struct out *out, const char *name, const nango_response *response)
{
    size_t len;
    const char *body = nango_response_body(response, &len);
    nango_pair pair;

    if (body == NULL || body[len] != '\0')
        fault("a body without its end");
    put_open(out, name, '{');
    put_int(out, "status", nango_response_status(response));
    put_open(out, "headers", '[');
    for (size_t i = 0; i < nango_response_header_count(response); i++) {
        if (!nango_response_header_at(response, i, &pair))
            fault("header %zu is missing", i);
        put_open(out, NULL, '[');
        put_text(out, NULL, pair.name);
        put_text(out, NULL, pair.value);
        put_close(out, ']');
    }
    put_close(out, ']');
    if (nango_response_header_at(response, nango_response_header_count(response), &pair))
        fault("there is a header beyond the end");
    put_text(out, "content_type", nango_response_header(response, "CONTENT-type"));
    put_text(out, "no_header", nango_response_header(response, "x-not-there"));
    put_bytes(out, "body", body, len);
    put_int(out, "len", (int64_t)len);
    put_close(out, '}');
}

void put_credentials(
    struct out *out, const char *name, const nango_credentials *credentials)
{
    int64_t expires_at_ms;

    if (credentials == NULL) {
        put_text(out, name, NULL);
        return;
    }
    put_open(out, name, '{');
    put_int(out, "type", nango_credentials_type(credentials));
    put_text(out, "type_name", nango_auth_type_name(nango_credentials_type(credentials)));
    put_text(out, "token", nango_credentials_token(credentials));
    put_text(out, "secret", nango_credentials_secret(credentials));
    put_text(out, "access_token", nango_credentials_access_token(credentials));
    put_text(out, "refresh_token", nango_credentials_refresh_token(credentials));
    if (nango_credentials_expires_at_ms(credentials, &expires_at_ms))
        put_int(out, "expires_at_ms", expires_at_ms);
    else
        put_text(out, "expires_at_ms", NULL);
    put_text(out, "api_key", nango_credentials_api_key(credentials));
    put_text(out, "username", nango_credentials_username(credentials));
    put_text(out, "password", nango_credentials_password(credentials));
    put_text(out, "oauth_token", nango_credentials_oauth_token(credentials));
    put_text(
        out, "oauth_token_secret", nango_credentials_oauth_token_secret(credentials));
    put_text(out, "token_id", nango_credentials_token_id(credentials));
    put_text(out, "token_secret", nango_credentials_token_secret(credentials));
    put_text(out, "client_id", nango_credentials_client_id(credentials));
    put_text(out, "client_secret", nango_credentials_client_secret(credentials));
    put_json(out, "raw", nango_credentials_raw(credentials));
    put_json(out, "json", nango_credentials_json(credentials));
    put_close(out, '}');
}

void put_connection(struct out *out, const char *name, const nango_connection *connection)
{
    const nango_json *tags = nango_json_at(nango_connection_json(connection), "/tags");

    put_open(out, name, '{');
    put_int(out, "number", nango_connection_number(connection));
    put_text(out, "id", nango_connection_id(connection));
    put_text(
        out, "provider_config_key", nango_connection_provider_config_key(connection));
    put_text(out, "provider", nango_connection_provider(connection));
    put_text(out, "created_at", nango_connection_created_at(connection));
    put_text(out, "end_user_id", nango_connection_end_user_id(connection));
    put_open(out, "tags", '{');
    for (const nango_json *it = nango_json_first(tags); it != NULL;
         it = nango_json_next(it))
        put_text(out, nango_json_name(it),
            nango_connection_tag(connection, nango_json_name(it)));
    put_close(out, '}');
    put_text(out, "no_tag", nango_connection_tag(connection, "no such tag"));
    put_json(out, "metadata", nango_connection_metadata(connection));
    put_json(out, "config", nango_connection_config(connection));
    put_int(out, "error_count", (int64_t)nango_connection_error_count(connection));
    put_credentials(out, "credentials", nango_connection_credentials(connection));
    put_json(out, "json", nango_connection_json(connection));
    put_bool(out, "has_response", nango_connection_response(connection) != NULL);
    put_close(out, '}');
}

void put_integration(
    struct out *out, const char *name, const nango_integration *integration)
{
    put_open(out, name, '{');
    put_text(out, "unique_key", nango_integration_unique_key(integration));
    put_text(out, "provider", nango_integration_provider(integration));
    put_text(out, "display_name", nango_integration_display_name(integration));
    put_text(out, "logo", nango_integration_logo(integration));
    put_bool(out, "forward_webhooks", nango_integration_forward_webhooks(integration));
    put_text(out, "webhook_url", nango_integration_webhook_url(integration));
    put_text(out, "client_id", nango_integration_client_id(integration));
    put_text(out, "client_secret", nango_integration_client_secret(integration));
    put_text(out, "scopes", nango_integration_scopes(integration));
    put_text(out, "created_at", nango_integration_created_at(integration));
    put_json(out, "json", nango_integration_json(integration));
    put_bool(out, "has_response", nango_integration_response(integration) != NULL);
    put_close(out, '}');
}

void put_provider(struct out *out, const char *name, const nango_provider *provider)
{
    put_open(out, name, '{');
    put_text(out, "name", nango_provider_name(provider));
    put_text(out, "display_name", nango_provider_display_name(provider));
    put_text(out, "auth_mode", nango_provider_auth_mode(provider));
    put_text(out, "docs", nango_provider_docs(provider));
    put_json(out, "json", nango_provider_json(provider));
    put_bool(out, "has_response", nango_provider_response(provider) != NULL);
    put_close(out, '}');
}

void put_record(struct out *out, const char *name, const nango_record *record)
{
    put_open(out, name, '{');
    put_text(out, "id", nango_record_id(record));
    put_text(out, "last_action", nango_record_last_action(record));
    put_text(out, "first_seen_at", nango_record_first_seen_at(record));
    put_text(out, "last_modified_at", nango_record_last_modified_at(record));
    put_text(out, "deleted_at", nango_record_deleted_at(record));
    put_text(out, "pruned_at", nango_record_pruned_at(record));
    put_text(out, "cursor", nango_record_cursor(record));
    put_json(out, "json", nango_record_json(record));
    put_close(out, '}');
}

static void put_latest(struct out *out, const nango_sync_state *state, const char *model)
{
    int64_t added;
    int64_t updated;
    int64_t deleted;

    if (!nango_sync_state_latest(state, model, &added, &updated, &deleted)) {
        put_text(out, model, NULL);
        return;
    }
    put_open(out, model, '{');
    put_int(out, "added", added);
    put_int(out, "updated", updated);
    put_int(out, "deleted", deleted);
    put_close(out, '}');
}

void put_sync_state(struct out *out, const char *name, const nango_sync_state *state)
{
    const nango_json *json = nango_sync_state_json(state);
    const nango_json *it;

    put_open(out, name, '{');
    put_text(out, "id", nango_sync_state_id(state));
    put_text(out, "name", nango_sync_state_name(state));
    put_text(out, "variant", nango_sync_state_variant(state));
    put_text(out, "connection_id", nango_sync_state_connection_id(state));
    put_text(out, "status", nango_sync_state_status(state));
    put_text(out, "type", nango_sync_state_type(state));
    put_text(out, "frequency", nango_sync_state_frequency(state));
    put_text(out, "finished_at", nango_sync_state_finished_at(state));
    put_text(out, "next_at", nango_sync_state_next_at(state));
    put_open(out, "record_count", '{');
    for (it = nango_json_first(nango_json_get(json, "recordCount")); it != NULL;
         it = nango_json_next(it))
        put_int(out, nango_json_name(it),
            nango_sync_state_record_count(state, nango_json_name(it)));
    put_int(out, "no such model", nango_sync_state_record_count(state, "no such model"));
    put_close(out, '}');
    put_open(out, "latest", '{');
    for (it = nango_json_first(nango_json_get(json, "latestResult")); it != NULL;
         it = nango_json_next(it))
        put_latest(out, state, nango_json_name(it));
    put_latest(out, state, "no such model");
    put_close(out, '}');
    put_json(out, "json", json);
    put_close(out, '}');
}
