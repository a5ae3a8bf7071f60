/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for a connection: the same request again and again. The call carries the state;
 * run.c sleeps between two requests, async.c sets a timer. */
#include <stdio.h>
#include <string.h>

#include "sdk/methods_int.h"

/* As the official client waits. */
#define FIRST_DELAY_MS 10000
#define DELAY_MS 2000
#define ATTEMPTS 30

struct ngo_wait {
    char *provider_config_key;
    char *url; /* where each look begins, whatever redirects the last one met */
    int64_t first_delay_ms;
    int64_t delay_ms;
    int attempts; /* allowed */
    int made;
};

static bool is_wanted(const nango_json *connection, const char *key)
{
    const char *found = nango_json_string_at(connection, "/provider_config_key", NULL);

    if (found == NULL) /* early servers name the integration so */
        found = nango_json_string_at(connection, "/provider", NULL);
    return found != NULL && strcmp(found, key) == 0;
}

/* The first connection of the integration. None is no failure: the call is made again. */
static void *decode_wanted(nango_call *call)
{
    const nango_json *root = ngo_decode_json(call);
    const nango_json *list = nango_json_at(root, "/connections");
    const nango_json *item = nango_json_first(list);
    char pointer[48];

    if (root != NULL && nango_json_type_of(list) != NANGO_JSON_ARRAY)
        ngo_call_fail(
            call, NANGO_E_PARSE, "the server's answer has no array at /connections");
    for (size_t i = 0; item != NULL; item = nango_json_next(item), i++) {
        if (!is_wanted(item, call->wait->provider_config_key))
            continue;
        snprintf(pointer, sizeof pointer, "/connections/%zu", i);
        return ngo_decode_item(
            call, sizeof(struct nango_connection), pointer, NANGO_JSON_OBJECT);
    }
    return NULL;
}

static void deliver(ngo_fn *done, void *result, const nango_error *error, void *user)
{
    ngo_shape_connection.deliver(done, result, error, user);
}

static void release(void *result)
{
    nango_connection_free(result);
}

static const struct ngo_shape shape = {decode_wanted, release, deliver};

bool ngo_wait_next(nango_call *call, int64_t *delay_ms)
{
    struct ngo_wait *wait = call->wait;

    wait->made++;
    if (wait->made >= wait->attempts) {
        ngo_call_fail(call, NANGO_E_TIMEOUT,
            "Timeout waiting for connection to be created (%d looks)", wait->made);
        return false;
    }
    *delay_ms = wait->made == 1 ? wait->first_delay_ms : wait->delay_ms;
    /* The next request and its answer are others. */
    nango_response_free(call->response);
    call->response = NULL;
    call->error.http_status = 0;
    ngo_text_finish(&call->url);
    ngo_text_puts(&call->url, wait->url);
    ngo_transfer_renew(call);
    return true;
}

void ngo_wait_free(nango_call *call)
{
    if (call->wait == NULL)
        return;
    ngo_free(&call->mem, call->wait->provider_config_key);
    ngo_free(&call->mem, call->wait->url);
    ngo_free(&call->mem, call->wait);
    call->wait = NULL;
}

static bool keep_wait(
    nango_call *call, const char *key, const nango_wait_options *options)
{
    struct ngo_wait *wait = ngo_alloc(&call->mem, sizeof *wait);

    if (wait == NULL)
        return false;
    call->wait = wait;
    wait->first_delay_ms =
        options->first_delay_ms > 0 ? options->first_delay_ms : FIRST_DELAY_MS;
    wait->delay_ms = options->delay_ms > 0 ? options->delay_ms : DELAY_MS;
    wait->attempts = options->attempts > 0 ? options->attempts : ATTEMPTS;
    wait->provider_config_key = ngo_strdup(&call->mem, key);
    wait->url = ngo_strdup(&call->mem, call->url.data);
    return wait->provider_config_key != NULL && wait->url != NULL;
}

static nango_call *plan(nango_client *client, const char *key, const char *user_id,
    const nango_wait_options *options)
{
    static const nango_wait_options none;
    nango_call *call = ngo_call_new(
        client, "GET", ngo_early(client) ? "/connection" : "/connections", &shape);

    ngo_call_need(call, key, "Provider Config Key");
    ngo_call_need(call, user_id, "End user id");
    if (call == NULL || call->error.code != NANGO_OK)
        return call;
    ngo_call_query(call, "endUserId", user_id, NGO_FORM);
    ngo_call_header(call, "Content-Type", "application/json");
    if (!keep_wait(call, key, options != NULL ? options : &none))
        ngo_call_fail(call, NANGO_E_MEMORY, "memory is out");
    return call;
}

nango_code nango_wait_for_connection(nango_client *client,
    const char *provider_config_key, const char *end_user_id,
    const nango_wait_options *options, nango_connection **out, nango_error *err)
{
    NGO_RUN(plan(client, provider_config_key, end_user_id, options), nango_connection,
        nango_connection_free, out, err);
}

nango_code nango_wait_for_connection_start(nango_client *client,
    const char *provider_config_key, const char *end_user_id,
    const nango_wait_options *options, nango_connection_done *done, void *user,
    nango_call **call, nango_error *err)
{
    NGO_START(
        plan(client, provider_config_key, end_user_id, options), done, user, call, err);
}
