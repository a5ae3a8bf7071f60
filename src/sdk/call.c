/* SPDX-License-Identifier: Apache-2.0 */
/* Building a call: method, path, query, headers, body. The first failure sticks. */
#include <stdio.h>
#include <string.h>

#include "sdk/client_int.h"

nango_call *ngo_call_new(nango_client *client, const char *method, const char *path,
    const struct ngo_shape *shape)
{
    struct ngo_mem mem = client != NULL ? client->mem : ngo_mem_default;
    nango_call *call = ngo_alloc(&mem, sizeof *call);

    if (call == NULL)
        return NULL;
    call->mem = mem;
    call->client = client;
    call->method = method;
    call->shape = shape;
    ngo_error_clear(&call->error);
    ngo_text_init(&call->url, &call->mem);
    ngo_text_init(&call->body, &call->mem);
    if (client == NULL) {
        ngo_call_fail(call, NANGO_E_ARGUMENT, "client is NULL");
        return call;
    }
    ngo_text_puts(&call->url, client->host);
    ngo_text_puts(&call->url, path);
    ngo_call_header(call, "Accept", "application/json, text/plain, */*");
    ngo_call_header(call, "Authorization", client->authorization);
    ngo_call_header(call, "User-Agent", client->user_agent);
    for (size_t i = 0; i < client->header_count; i++)
        ngo_call_header(call, client->headers[i].name, client->headers[i].value);
    if (client->era != NANGO_ERA_2023)
        ngo_call_flags(call);
    return call;
}

void ngo_call_free(nango_call *call)
{
    struct ngo_mem mem;

    if (call == NULL)
        return;
    mem = call->mem;
    ngo_transfer_free(call);
    ngo_wait_free(call);
    nango_response_free(call->response);
    ngo_text_finish(&call->url);
    ngo_text_finish(&call->body);
    ngo_headers_free(&mem, call->headers, call->header_count);
    ngo_free(&mem, call);
}

void ngo_call_fail(nango_call *call, nango_code code, const char *fmt, ...)
{
    va_list args;

    if (call == NULL || call->error.code != NANGO_OK)
        return;
    call->error.code = code;
    va_start(args, fmt);
    vsnprintf(call->error.message, sizeof call->error.message, fmt, args);
    va_end(args);
}

void ngo_call_need(nango_call *call, const char *value, const char *what)
{
    if (value == NULL || *value == '\0')
        ngo_call_fail(call, NANGO_E_ARGUMENT, "%s is required", what);
}

void ngo_call_path(nango_call *call, const char *literal)
{
    if (call != NULL)
        ngo_text_puts(&call->url, literal);
}

void ngo_call_segment(nango_call *call, const char *id, const char *what)
{
    ngo_call_need(call, id, what);
    if (call == NULL || call->error.code != NANGO_OK)
        return;
    if (strcmp(id, ".") == 0 || strcmp(id, "..") == 0) {
        /* Every URL parser on the way takes these for steps, encoded or not. */
        ngo_call_fail(call, NANGO_E_ARGUMENT, "%s must not be \"%s\"", what, id);
        return;
    }
    ngo_text_putc(&call->url, '/');
    ngo_text_encode(&call->url, id, NGO_PATH);
}

void ngo_call_query(
    nango_call *call, const char *name, const char *value, enum ngo_encoding encoding)
{
    if (call == NULL || value == NULL)
        return;
    ngo_text_putc(&call->url, call->has_query ? '&' : '?');
    call->has_query = true;
    ngo_text_encode(&call->url, name, encoding);
    ngo_text_putc(&call->url, '=');
    ngo_text_encode(&call->url, value, encoding);
}

void ngo_call_query_int(nango_call *call, const char *name, int64_t value)
{
    char digits[24];

    snprintf(digits, sizeof digits, "%lld", (long long)value);
    ngo_call_query(call, name, digits, NGO_FORM);
}

void ngo_call_query_bool(nango_call *call, const char *name, bool value)
{
    ngo_call_query(call, name, value ? "true" : "false", NGO_FORM);
}

/* RFC 9110, section 5.1: a token. */
static bool is_name(const char *s)
{
    if (*s == '\0')
        return false;
    for (; *s != '\0'; s++)
        if ((unsigned char)*s <= 0x20 || (unsigned char)*s >= 0x7f ||
            strchr("\"(),/:;<=>?@[\\]{}", *s) != NULL)
            return false;
    return true;
}

static bool is_value(const char *s)
{
    for (; *s != '\0'; s++)
        if (((unsigned char)*s < 0x20 && *s != '\t') || *s == 0x7f)
            return false;
    return true;
}

void ngo_call_header(nango_call *call, const char *name, const char *value)
{
    if (call == NULL || value == NULL || call->error.code != NANGO_OK)
        return;
    if (!is_name(name))
        ngo_call_fail(
            call, NANGO_E_ARGUMENT, "\"%.80s\" cannot be the name of a header", name);
    else if (!is_value(value))
        ngo_call_fail(call, NANGO_E_ARGUMENT,
            "the value of %s holds a line end or another control character", name);
    else if (!ngo_headers_add(&call->mem, &call->headers, &call->header_count,
                 &call->header_capacity, name, strlen(name), value, strlen(value)))
        ngo_call_fail(call, NANGO_E_MEMORY, "memory is out");
}

void ngo_call_flags(nango_call *call)
{
    if (call == NULL || call->client == NULL)
        return;
    /* A false one is left out, as the official client's HTTP library does. */
    ngo_call_header(call, "Nango-Is-Sync", call->client->is_sync ? "true" : NULL);
    if (call->client->era != NANGO_ERA_2023)
        ngo_call_header(call, "Nango-Is-Script", call->client->is_script ? "true" : NULL);
    ngo_call_header(call, "Nango-Is-Dry-Run", call->client->dry_run ? "true" : NULL);
}

void ngo_call_for(
    nango_call *call, const char *provider_config_key, const char *connection_id)
{
    ngo_call_header(call, "Connection-Id", connection_id);
    ngo_call_header(call, "Provider-Config-Key", provider_config_key);
}

struct ngo_text *ngo_call_json(nango_call *call)
{
    return call != NULL ? &call->body : NULL;
}

void ngo_call_json_done(nango_call *call)
{
    if (call == NULL)
        return;
    if (call->body.invalid)
        ngo_call_fail(call, NANGO_E_ARGUMENT,
            "the body cannot be written as JSON: a text is not UTF-8, a name or value is "
            "NULL, or what was given as JSON is none");
    call->has_body = true;
    ngo_call_header(call, "Content-Type", "application/json");
}

void ngo_call_json_raw(nango_call *call, const char *json, const char *what)
{
    ngo_call_need(call, json, what);
    if (call == NULL || call->error.code != NANGO_OK)
        return;
    ngo_json_put_raw(&call->body, json);
    if (call->body.invalid)
        ngo_call_fail(call, NANGO_E_ARGUMENT, "%s is not JSON", what);
    ngo_call_json_done(call);
}
