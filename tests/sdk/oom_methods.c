/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/oom_methods.h"

/* How a result of each type is received by a callback: counted and freed. */
#define RECEIVER(type, release)                                                          \
    static void got_##type(nango_##type *result, const nango_error *error, void *user)   \
    {                                                                                    \
        struct outcome *outcome = user;                                                  \
                                                                                         \
        outcome->calls++;                                                                \
        outcome->code = error->code;                                                     \
        release(result);                                                                 \
    }

RECEIVER(response, nango_response_free)
RECEIVER(connection, nango_connection_free)
RECEIVER(connections, nango_connections_free)
RECEIVER(credentials, nango_credentials_free)
RECEIVER(integration, nango_integration_free)
RECEIVER(integrations, nango_integrations_free)
RECEIVER(provider, nango_provider_free)
RECEIVER(providers, nango_providers_free)
RECEIVER(connect_session, nango_connect_session_free)
RECEIVER(records, nango_records_free)
RECEIVER(sync_states, nango_sync_states_free)
RECEIVER(variables, nango_variables_free)
RECEIVER(async_action, nango_async_action_free)

/* Both forms of a method, with the same arguments. */
#define METHOD(name, type, ...)                                                          \
    static nango_code run_##name(nango_client *client, nango_error *err)                 \
    {                                                                                    \
        nango_##type *result = NULL;                                                     \
        nango_code code = nango_##name(client, __VA_ARGS__, &result, err);               \
                                                                                         \
        nango_##type##_free(result);                                                     \
        return code;                                                                     \
    }                                                                                    \
    static nango_code start_##name(                                                      \
        nango_client *client, struct outcome *outcome, nango_error *err)                 \
    {                                                                                    \
        return nango_##name##_start(                                                     \
            client, __VA_ARGS__, got_##type, outcome, NULL, err);                        \
    }

/* A method without arguments. */
#define METHOD0(name, type)                                                              \
    static nango_code run_##name(nango_client *client, nango_error *err)                 \
    {                                                                                    \
        nango_##type *result = NULL;                                                     \
        nango_code code = nango_##name(client, &result, err);                            \
                                                                                         \
        nango_##type##_free(result);                                                     \
        return code;                                                                     \
    }                                                                                    \
    static nango_code start_##name(                                                      \
        nango_client *client, struct outcome *outcome, nango_error *err)                 \
    {                                                                                    \
        return nango_##name##_start(client, got_##type, outcome, NULL, err);             \
    }

static const nango_pair pairs[] = {{"a", "1"}, {"b", "two words"}};
static const nango_end_user end_user = {.id = "u",
    .email = "a@b.co",
    .display_name = "A",
    .tags = pairs,
    .tag_count = 2,
    .organization_id = "o"};
static const char *const ids[] = {"k", "l"};
static const bool yes = true;

static const nango_connections_query connections_query = {.connection_id = "c",
    .search = "s",
    .end_user_id = "u",
    .integration_ids = ids,
    .integration_id_count = 2,
    .tags = pairs,
    .tag_count = 2,
    .limit = 10,
    .page = 1};
static const nango_new_credentials credentials = {.type = NANGO_AUTH_OAUTH2,
    .access_token = "t",
    .refresh_token = "r",
    .client_id = "i",
    .client_secret = "s"};
static const nango_new_connection new_connection = {.provider_config_key = "k",
    .connection_id = "c",
    .credentials = &credentials,
    .metadata = "{\"a\":1}",
    .connection_config = "{}",
    .end_user = &end_user,
    .tags = pairs,
    .tag_count = 2};
static const nango_connection_patch patch = {
    .end_user = &end_user, .tags = pairs, .tag_count = 2, .webhook_url_override = ""};
static const nango_integration_config integration = {.provider = "github",
    .unique_key = "k",
    .display_name = "K",
    .forward_webhooks = &yes,
    .credentials_type = "OAUTH2",
    .client_id = "i",
    .client_secret = "s",
    .scopes = "a,b",
    .custom = pairs,
    .custom_count = 2};
static const nango_functions_query functions_query = {
    .type = "sync", .search = "s", .page = 1, .limit = 5};
static const nango_connect_session_config session = {.end_user = &end_user,
    .allowed_integrations = ids,
    .allowed_integration_count = 2,
    .integrations_config_defaults = "{\"k\":{}}",
    .tags = pairs,
    .tag_count = 2};
static const nango_sync syncs[] = {{"s", NULL}, {"t", "v"}};
static const nango_trigger_options trigger = {
    .form = NANGO_TRIGGER_OPTS, .reset = true, .empty_cache = true};
static const nango_records_query records_query = {.provider_config_key = "k",
    .connection_id = "c",
    .model = "Model",
    .variant = "v",
    .modified_after = "2024-01-01T00:00:00Z",
    .limit = 10,
    .filter = "added,updated",
    .cursor = "c",
    .ids = ids,
    .id_count = 2};
static const nango_get_records_query get_records_query = {
    .provider_config_key = "k", .connection_id = "c", .model = "Model", .limit = 3};
static const nango_wait_options wait = {
    .first_delay_ms = 1, .delay_ms = 1, .attempts = 2};
static const int retry_on[] = {404, 429};
static const nango_part parts[] = {
    {"file", "f.txt", "text/plain", "hello", 5}, {"field", NULL, NULL, "value", 5}};
static const nango_proxy_config proxied = {.endpoint = "/x?q=1&a=0",
    .provider_config_key = "k",
    .connection_id = "c",
    .headers = pairs,
    .header_count = 2,
    .params = pairs,
    .param_count = 2,
    .retries = 1,
    .retry_on = retry_on,
    .retry_on_count = 2};
static const nango_proxy_config proxied_json = {.endpoint = "x",
    .provider_config_key = "k",
    .connection_id = "c",
    .data_kind = NANGO_DATA_JSON,
    .data = "{\"a\":[1,2]}"};
static const nango_proxy_config proxied_form = {.endpoint = "x",
    .provider_config_key = "k",
    .connection_id = "c",
    .data_kind = NANGO_DATA_FORM,
    .form = pairs,
    .form_count = 2};
static const nango_proxy_config proxied_parts = {.endpoint = "x",
    .method = "POST",
    .provider_config_key = "k",
    .connection_id = "c",
    .data_kind = NANGO_DATA_MULTIPART,
    .parts = parts,
    .part_count = 2};

METHOD(list_connections, connections, &connections_query)
METHOD(get_connection, connection, "k", "c", NANGO_FORCE_REFRESH)
METHOD(get_token, credentials, "k", "c", 0)
METHOD(get_raw_token_response, credentials, "k", "c", 0)
METHOD(create_connection, connection, &new_connection)
METHOD(import_connection, connection, "{\"provider_config_key\":\"k\"}")
METHOD(patch_connection, response, "k", "c", &patch)
METHOD(delete_connection, response, "k", "c")
METHOD(wait_for_connection, connection, "k", "u", &wait)
METHOD(get_metadata, connection, "k", "c")
METHOD(set_metadata, response, "k", ids, 2, "{\"a\":1}")
METHOD(update_metadata, response, "k", ids, 1, "{\"a\":1}")
METHOD0(list_integrations, integrations)
METHOD(get_integration, integration, "k", NANGO_INCLUDE_WEBHOOK)
METHOD(create_integration, integration, &integration)
METHOD(create_quickstart_integration, integration, &integration)
METHOD(update_integration, integration, "k", &integration)
METHOD(delete_integration, response, "k")
METHOD(list_functions, response, "k", &functions_query)
METHOD(get_function, response, "k", "f", "sync")
METHOD(get_function_code, response, "k", "f", NULL)
METHOD(delete_function, response, "k", "f", "sync")
METHOD(list_providers, providers, "git")
METHOD(get_provider, provider, "github")
METHOD(get_provider_templates, response, "github")
METHOD(create_connect_session, connect_session, &session)
METHOD(create_reconnect_session, connect_session, "k", "c", &session)
METHOD(trigger_sync, response, "k", syncs, 2, "c", &trigger)
METHOD(start_sync, response, "k", syncs, 2, "c")
METHOD(pause_sync, response, "k", syncs, 2, NULL)
METHOD(sync_status, sync_states, "k", syncs, 2, "c")
METHOD(update_sync_connection_frequency, response, "k", &syncs[1], "c", "every 1 hour")
METHOD(create_sync_variant, response, "k", "c", &syncs[1])
METHOD(delete_sync_variant, response, "k", "c", &syncs[1])
METHOD(get_scripts_config, response, "nango")
METHOD0(get_environment_variables, variables)
METHOD(list_records, records, &records_query)
METHOD(get_records, records, &get_records_query)
METHOD(trigger_action, response, "k", "c", "a", "{\"x\":1}")
METHOD(trigger_action_async, async_action, "k", "c", "a", "{\"x\":1}")
METHOD(get_async_action_result, response, "i", NULL)
METHOD(get, response, &proxied)
METHOD(post, response, &proxied_json)
METHOD(put, response, &proxied_form)
METHOD(patch, response, &proxied_json)
METHOD(delete, response, &proxied)
METHOD(proxy, response, &proxied_parts)

static nango_code run_prune_records(nango_client *client, nango_error *err)
{
    static const nango_prune_config config = {.provider_config_key = "k",
        .connection_id = "c",
        .model = "Model",
        .until_cursor = "c",
        .variant = "v",
        .limit = 10};
    nango_prune_result result;

    return nango_prune_records(client, &config, &result, err);
}

static void got_pruned(
    const nango_prune_result *result, const nango_error *error, void *user)
{
    struct outcome *outcome = user;

    outcome->calls++;
    outcome->code = error->code;
    if ((result != NULL) != (error->code == NANGO_OK))
        outcome->calls = -1;
}

static nango_code start_prune_records(
    nango_client *client, struct outcome *outcome, nango_error *err)
{
    static const nango_prune_config config = {.provider_config_key = "k",
        .connection_id = "c",
        .model = "Model",
        .until_cursor = "c"};

    return nango_prune_records_start(client, &config, got_pruned, outcome, NULL, err);
}

static bool on_piece(const char *data, size_t len, void *user)
{
    (void)data;
    (void)len;
    (void)user;
    return true;
}

static int64_t no_more(char *data, size_t size, void *user)
{
    (void)data;
    (void)size;
    (void)user;
    return 0;
}

static const nango_proxy_config streamed_config = {
    .method = "POST", .endpoint = "x", .provider_config_key = "k", .connection_id = "c"};
static const nango_stream stream = {
    .on_data = on_piece, .read = no_more, .read_size = -1};

static nango_code run_proxy_stream(nango_client *client, nango_error *err)
{
    return nango_proxy_stream(client, &streamed_config, &stream, err);
}

static void got_end(const nango_error *error, void *user)
{
    struct outcome *outcome = user;

    outcome->calls++;
    outcome->code = error->code;
}

static nango_code start_proxy_stream(
    nango_client *client, struct outcome *outcome, nango_error *err)
{
    return nango_proxy_stream_start(
        client, &streamed_config, &stream, got_end, outcome, NULL, err);
}

/* All pages of a query. */
static nango_code run_iterate_records(nango_client *client, nango_error *err)
{
    static const nango_records_query query = {
        .provider_config_key = "k", .connection_id = "c", .model = "Paged"};
    nango_record_iterator *iterator;
    const nango_record *record = NULL;
    nango_code code = nango_iterate_records(client, &query, &iterator, err);

    while (code == NANGO_OK) {
        code = nango_record_iterator_next(iterator, &record, err);
        if (record == NULL)
            break;
    }
    nango_record_iterator_free(iterator);
    return code;
}

/* Local functions: what they answer without memory is "no". */
static nango_code run_verify(nango_client *client, nango_error *err)
{
    static const nango_pair headers[] = {{"X-Nango-Hmac-Sha256", "00"}};

    (void)nango_verify_incoming_webhook_request(client, "{}", 2, headers, 1);
    (void)nango_verify_webhook_signature(client, "00", "{\"a\":1}", 7);
    *err = (nango_error){.retry_after_s = -1};
    return NANGO_OK;
}

static nango_code run_json(nango_client *client, nango_error *err)
{
    nango_document *document;
    char *text = nango_json_format("{\"a\":[%Q,%d,%f,%J]}", "x", 1, 2.5, "{}");
    nango_code code = NANGO_E_MEMORY;

    (void)client;
    *err = (nango_error){.code = code, .retry_after_s = -1};
    if (text != NULL)
        code = nango_document_parse(text, __builtin_strlen(text), &document, err);
    nango_text_free(text);
    if (code != NANGO_OK)
        return code;
    text = nango_json_text(nango_document_root(document), NULL);
    nango_document_free(document);
    if (text == NULL)
        *err = (nango_error){.code = code = NANGO_E_MEMORY, .retry_after_s = -1};
    nango_text_free(text);
    return code;
}

/* clang-format off */
#define ROW(name) {#name, run_##name, start_##name, 0}
/* clang-format on */

const struct method methods[] = {
    ROW(list_connections),
    ROW(get_connection),
    ROW(get_token),
    ROW(get_raw_token_response),
    ROW(create_connection),
    ROW(import_connection),
    ROW(patch_connection),
    ROW(delete_connection),
    ROW(wait_for_connection),
    ROW(get_metadata),
    ROW(set_metadata),
    ROW(update_metadata),
    ROW(list_integrations),
    ROW(get_integration),
    ROW(create_integration),
    ROW(create_quickstart_integration),
    ROW(update_integration),
    ROW(delete_integration),
    ROW(list_functions),
    ROW(get_function),
    ROW(get_function_code),
    ROW(delete_function),
    ROW(list_providers),
    ROW(get_provider),
    ROW(get_provider_templates),
    ROW(create_connect_session),
    ROW(create_reconnect_session),
    ROW(trigger_sync),
    ROW(start_sync),
    ROW(pause_sync),
    ROW(sync_status),
    ROW(update_sync_connection_frequency),
    ROW(create_sync_variant),
    ROW(delete_sync_variant),
    ROW(get_scripts_config),
    ROW(get_environment_variables),
    ROW(list_records),
    ROW(get_records),
    ROW(prune_records),
    ROW(trigger_action),
    ROW(trigger_action_async),
    ROW(get_async_action_result),
    ROW(get),
    ROW(post),
    ROW(put),
    ROW(patch),
    ROW(delete),
    ROW(proxy),
    ROW(proxy_stream),
    {"iterate_records", run_iterate_records, NULL, 0},
    /* OpenSSL 3.0's EVP_MAC_CTX_new(): what it had made before its last allocation. */
    {"verify", run_verify, NULL, 2},
    {"json", run_json, NULL, 0},
};
const size_t method_count = sizeof methods / sizeof methods[0];
