/* SPDX-License-Identifier: Apache-2.0 */
/* The proxy's methods: what a config says made into a call (contract node-sdk.md, section
 * 4). The address is made in proxy_url.c, the body in proxy_body.c. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sdk/client_int.h"
#include "sdk/proxy_int.h"

static const char *method_of(const char *name)
{
    static const char *const methods[] = {
        "GET", "POST", "PUT", "PATCH", "DELETE", "PROPFIND", "REPORT"};

    if (name == NULL)
        return methods[0];
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (strcasecmp(name, methods[i]) == 0)
            return methods[i];
    return NULL;
}

static void put_retry_on(nango_call *call, const nango_proxy_config *config)
{
    struct ngo_text list;

    if (call == NULL || config->retry_on_count == 0)
        return;
    ngo_text_init(&list, &call->mem);
    for (size_t i = 0; i < config->retry_on_count; i++) {
        if (i > 0)
            ngo_text_putc(&list, ',');
        ngo_text_int(&list, config->retry_on[i]);
    }
    if (list.failed)
        ngo_call_fail(call, NANGO_E_MEMORY, "memory is out");
    else
        ngo_call_header(call, "Retry-On", list.data);
    ngo_text_finish(&list);
}

/* Headers for the provider travel under a prefix. The client gives one spelled exactly
 * `Content-Type` to the request itself, too; *content_type is that one's value. */
static void put_provider_headers(
    nango_call *call, const nango_proxy_config *config, const char **content_type)
{
    char name[300];

    for (size_t i = 0; i < config->header_count; i++) {
        const nango_pair *header = &config->headers[i];

        if (header->name == NULL || header->value == NULL) {
            ngo_call_fail(call, NANGO_E_ARGUMENT, "headers[%zu] lacks name or value", i);
            return;
        }
        if (snprintf(name, sizeof name, "Nango-Proxy-%s", header->name) >=
            (int)sizeof name) {
            ngo_call_fail(
                call, NANGO_E_ARGUMENT, "the name of headers[%zu] is too long", i);
            return;
        }
        ngo_call_header(call, name, header->value);
        if (strcmp(header->name, "Content-Type") == 0 && call != NULL &&
            !ngo_early(call->client))
            *content_type = header->value;
    }
}

static void put_headers(nango_call *call, const nango_proxy_config *config,
    const char *key, const char *id, const char **content_type)
{
    char retries[16];

    ngo_call_for(call, key, id);
    /* Empty when not set, as the client sends them. */
    ngo_call_header(call, "Base-Url-Override",
        config->base_url_override != NULL ? config->base_url_override : "");
    if (call != NULL && call->client != NULL)
        ngo_call_header(call, "Nango-Activity-Log-Id",
            call->client->activity_log_id != NULL ? call->client->activity_log_id : "");
    put_provider_headers(call, config, content_type);
    if (config->retries > 0) {
        snprintf(retries, sizeof retries, "%d", config->retries);
        ngo_call_header(call, "Retries", retries);
    }
    ngo_call_header(call, "Decompress", config->decompress ? "true" : NULL);
    put_retry_on(call, config);
    ngo_call_header(call, "Forward-Headers-On-Redirect",
        config->forward_headers_on_redirect == NANGO_TRUE ? "true" : NULL);
}

static const char *set_or(const char *value, const char *otherwise)
{
    if (value == NULL || *value == '\0')
        value = otherwise;
    return value != NULL && *value != '\0' ? value : NULL;
}

static void check(nango_call *call, const nango_proxy_config *config, const char *method,
    const char *key, const char *id)
{
    struct {
        const char *name;
        const char *value;
    } needed[] = {
        {"endpoint", config->endpoint}, {"providerConfigKey", key}, {"connectionId", id}};

    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if (needed[i].value == NULL)
            ngo_call_fail(call, NANGO_E_ARGUMENT,
                "%s is missing and is required to make a proxy call!", needed[i].name);
    if ((config->headers == NULL && config->header_count > 0) ||
        (config->params == NULL && config->param_count > 0) ||
        (config->form == NULL && config->form_count > 0) ||
        (config->parts == NULL && config->part_count > 0) ||
        (config->retry_on == NULL && config->retry_on_count > 0) ||
        (config->data == NULL && config->data_size > 0))
        ngo_call_fail(
            call, NANGO_E_ARGUMENT, "a pointer is NULL whose count or size is not 0");
    if (method == NULL)
        ngo_call_fail(call, NANGO_E_ARGUMENT,
            "method is to be GET, POST, PUT, PATCH, DELETE, PROPFIND or REPORT, not "
            "\"%.40s\"",
            config->method);
}

static nango_call *plan(nango_client *client, const nango_proxy_config *config,
    const char *method_name, const nango_stream *stream, const struct ngo_shape *shape)
{
    static const nango_proxy_config none;
    const char *method, *key, *id, *content_type = NULL;
    nango_call *call;

    if (config == NULL)
        config = &none;
    method = method_of(method_name != NULL ? method_name : config->method);
    call = ngo_call_new(client, method != NULL ? method : "GET", "/proxy", shape);
    if (call == NULL || client == NULL)
        return call;
    key = set_or(config->provider_config_key, client->provider_config_key);
    id = set_or(config->connection_id, client->connection_id);
    call->proxied = true;
    call->response_type = config->response_type;
    check(call, config, method, key, id);
    if (call->error.code != NANGO_OK)
        return call;
    if (ngo_early(client))
        ngo_call_flags(call);
    ngo_proxy_url(call, config);
    put_headers(call, config, key, id, &content_type);
    if (stream != NULL) {
        call->streamed = true;
        call->stream = *stream;
    }
    if (stream != NULL && stream->read != NULL) {
        if (strcmp(call->method, "GET") == 0)
            ngo_call_fail(call, NANGO_E_ARGUMENT, "a GET request carries no data");
        if (config->data_kind != NANGO_DATA_NONE)
            ngo_call_fail(call, NANGO_E_ARGUMENT,
                "the body comes from stream->read or from the config, not from both");
        ngo_call_header(call, "Content-Type",
            content_type != NULL ? content_type : "application/octet-stream");
    } else {
        ngo_proxy_body(call, config, content_type);
    }
    return call;
}

nango_code nango_proxy(nango_client *client, const nango_proxy_config *config,
    nango_response **out, nango_error *err)
{
    NGO_RUN(plan(client, config, NULL, NULL, &ngo_shape_response), nango_response,
        nango_response_free, out, err);
}

nango_code nango_proxy_start(nango_client *client, const nango_proxy_config *config,
    nango_response_done *done, void *user, nango_call **call, nango_error *err)
{
    NGO_START(
        plan(client, config, NULL, NULL, &ngo_shape_response), done, user, call, err);
}

/* The five with a method in their name. */
#define SHORT(name, method)                                                              \
    nango_code name(nango_client *client, const nango_proxy_config *config,              \
        nango_response **out, nango_error *err)                                          \
    {                                                                                    \
        NGO_RUN(plan(client, config, (method), NULL, &ngo_shape_response),               \
            nango_response, nango_response_free, out, err);                              \
    }                                                                                    \
    nango_code name##_start(nango_client *client, const nango_proxy_config *config,      \
        nango_response_done *done, void *user, nango_call **call, nango_error *err)      \
    {                                                                                    \
        NGO_START(plan(client, config, (method), NULL, &ngo_shape_response), done, user, \
            call, err);                                                                  \
    }

SHORT(nango_get, "GET")
SHORT(nango_post, "POST")
SHORT(nango_put, "PUT")
SHORT(nango_patch, "PATCH")
SHORT(nango_delete, "DELETE")

static void deliver_stream(
    ngo_fn *done, void *result, const nango_error *error, void *user)
{
    (void)result;
    ((nango_stream_done *)done)(error, user);
}

static const struct ngo_shape stream_shape = {.deliver = deliver_stream};

static nango_call *plan_stream(
    nango_client *client, const nango_proxy_config *config, const nango_stream *stream)
{
    static const nango_stream none;

    return plan(client, config, NULL, stream != NULL ? stream : &none, &stream_shape);
}

nango_code nango_proxy_stream(nango_client *client, const nango_proxy_config *config,
    const nango_stream *stream, nango_error *err)
{
    nango_code code;

    ngo_call_run(plan_stream(client, config, stream), &code, err);
    return code;
}

nango_code nango_proxy_stream_start(nango_client *client,
    const nango_proxy_config *config, const nango_stream *stream, nango_stream_done *done,
    void *user, nango_call **call, nango_error *err)
{
    NGO_START(plan_stream(client, config, stream), done, user, call, err);
}
