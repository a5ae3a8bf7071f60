/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the answer to any method: the result is whole or there is an error, and all
 * that can be read of either is read. The input's first two bytes choose the method and the
 * status; then come a Retry-After header, a zero byte, and the body. */
#include <stdlib.h>
#include <string.h>

#include "sdk/client_int.h"
#include "sdk/methods_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_credentials(const nango_credentials *credentials)
{
    int64_t ms;

    (void)nango_credentials_type(credentials);
    (void)nango_credentials_token(credentials);
    (void)nango_credentials_secret(credentials);
    (void)nango_credentials_refresh_token(credentials);
    (void)nango_credentials_expires_at_ms(credentials, &ms);
    (void)nango_credentials_client_id(credentials);
    (void)nango_credentials_client_secret(credentials);
    (void)nango_credentials_raw(credentials);
}

static void read_connection(const nango_connection *connection)
{
    (void)nango_connection_number(connection);
    (void)nango_connection_provider_config_key(connection);
    (void)nango_connection_provider(connection);
    (void)nango_connection_created_at(connection);
    (void)nango_connection_end_user_id(connection);
    (void)nango_connection_tag(connection, "a");
    (void)nango_connection_metadata(connection);
    (void)nango_connection_error_count(connection);
    read_credentials(nango_connection_credentials(connection));
}

static void use_connection(void *result)
{
    read_connection(result);
    nango_connection_free(result);
}

static void use_connections(void *result)
{
    for (size_t i = 0; i < nango_connections_count(result); i++)
        read_connection(nango_connections_at(result, i));
    nango_connections_free(result);
}

static void use_credentials(void *result)
{
    read_credentials(result);
    nango_credentials_free(result);
}

static void use_integration(void *result)
{
    (void)nango_integration_unique_key(result);
    (void)nango_integration_client_secret(result);
    (void)nango_integration_forward_webhooks(result);
    nango_integration_free(result);
}

static void use_records(void *result)
{
    for (size_t i = 0; i < nango_records_count(result); i++) {
        const nango_record *record = nango_records_at(result, i);

        (void)nango_record_id(record);
        (void)nango_record_last_action(record);
        (void)nango_record_cursor(record);
    }
    (void)nango_records_cursor(result);
    nango_records_free(result);
}

static void use_states(void *result)
{
    int64_t added, updated, deleted;

    for (size_t i = 0; i < nango_sync_states_count(result); i++) {
        const nango_sync_state *state = nango_sync_states_at(result, i);

        (void)nango_sync_state_variant(state);
        (void)nango_sync_state_record_count(state, "M");
        (void)nango_sync_state_latest(state, "M", &added, &updated, &deleted);
    }
    nango_sync_states_free(result);
}

static void use_variables(void *result)
{
    nango_pair pair;

    for (size_t i = 0; nango_variables_at(result, i, &pair); i++)
        if (pair.name == NULL || pair.value == NULL)
            abort();
    (void)nango_variables_find(result, "A");
    nango_variables_free(result);
}

static void use_response(void *result)
{
    (void)nango_response_json(result);
    nango_response_free(result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct {
        const struct ngo_shape *shape;
        void (*use)(void *result);
    } methods[] = {
        {&ngo_shape_response, use_response},
        {&ngo_shape_connection, use_connection},
        {&ngo_shape_connections, use_connections},
        {&ngo_shape_credentials, use_credentials},
        {&ngo_shape_integration, use_integration},
        {&ngo_shape_records, use_records},
        {&ngo_shape_sync_states, use_states},
        {&ngo_shape_variables, use_variables},
    };
    static nango_client *client;
    const uint8_t *end = size > 2 ? memchr(data + 2, 0, size - 2) : NULL;
    nango_client_options options = {.secret_key = "key", .host = "http://h"};
    nango_call *call;
    void *result;
    size_t which;

    if (client == NULL && nango_client_new(&options, &client, NULL) != NANGO_OK)
        abort();
    if (end == NULL)
        return 0;
    which = data[0] % (sizeof methods / sizeof methods[0]);
    call = ngo_call_new(client, "GET", "/x", methods[which].shape);
    if (call == NULL || (call->response = ngo_response_new(&call->mem)) == NULL)
        abort();
    call->response->status = 200 + 100 * (data[1] % 4);
    if (!ngo_response_add_header(call->response, "Retry-After", 11,
            (const char *)data + 2, (size_t)(end - data - 2)))
        abort();
    ngo_text_add(&call->response->body, end + 1, size - (size_t)(end + 1 - data));
    result = ngo_decode(call);
    if ((result != NULL) != (call->error.code == NANGO_OK))
        abort();
    ngo_call_report(call);
    if (result != NULL)
        methods[which].use(result);
    ngo_call_free(call);
    return 0;
}
