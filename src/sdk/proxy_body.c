/* SPDX-License-Identifier: Apache-2.0 */
/* A proxied request's body, typed as the official client's HTTP library types it. */
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "sdk/proxy_int.h"

#define FORM_TYPE "application/x-www-form-urlencoded"
/* A boundary: the dashes that every browser writes, and 128 random bits. */
#define BOUNDARY_DASHES "--------------------------"
#define BOUNDARY_SIZE (sizeof BOUNDARY_DASHES + 32)

static bool is_write(const char *method)
{
    return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
           strcmp(method, "PATCH") == 0;
}

static bool random_boundary(char out[BOUNDARY_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[16];
    char *to = out + sizeof BOUNDARY_DASHES - 1;
    ssize_t got;

    do
        got = getrandom(bytes, sizeof bytes, 0);
    while (got < 0 && errno == EINTR);
    if (got != (ssize_t)sizeof bytes)
        return false;
    memcpy(out, BOUNDARY_DASHES, sizeof BOUNDARY_DASHES);
    for (size_t i = 0; i < sizeof bytes; i++) {
        *to++ = digits[bytes[i] >> 4];
        *to++ = digits[bytes[i] & 15];
    }
    *to = '\0';
    return true;
}

/* A name within a part's header: what would end it is escaped (the HTML standard's
 * multipart/form-data encoding). */
static void put_quoted(struct ngo_text *out, const char *s)
{
    for (; *s != '\0'; s++) {
        if (*s == '"')
            ngo_text_puts(out, "%22");
        else if (*s == '\r')
            ngo_text_puts(out, "%0D");
        else if (*s == '\n')
            ngo_text_puts(out, "%0A");
        else
            ngo_text_putc(out, *s);
    }
}

static void put_part(nango_call *call, const nango_part *part, const char *boundary)
{
    struct ngo_text *out = &call->body;
    const char *type = part->content_type;

    if (part->name == NULL || (part->data == NULL && part->size > 0) ||
        (type != NULL && strpbrk(type, "\r\n") != NULL)) {
        ngo_call_fail(call, NANGO_E_ARGUMENT,
            "a part needs a name, data, and a content type without line ends");
        return;
    }
    if (type == NULL && part->file_name != NULL)
        type = "application/octet-stream";
    ngo_text_puts(out, "--");
    ngo_text_puts(out, boundary);
    ngo_text_puts(out, "\r\nContent-Disposition: form-data; name=\"");
    put_quoted(out, part->name);
    if (part->file_name != NULL) {
        ngo_text_puts(out, "\"; filename=\"");
        put_quoted(out, part->file_name);
    }
    ngo_text_puts(out, "\"\r\n");
    if (type != NULL) {
        ngo_text_puts(out, "Content-Type: ");
        ngo_text_puts(out, type);
        ngo_text_puts(out, "\r\n");
    }
    ngo_text_puts(out, "\r\n");
    ngo_text_add(out, part->data, part->size);
    ngo_text_puts(out, "\r\n");
}

static void put_multipart(nango_call *call, const nango_proxy_config *config)
{
    static const char type[] = "multipart/form-data; boundary=";
    char boundary[BOUNDARY_SIZE], line[sizeof type + BOUNDARY_SIZE];

    if (!random_boundary(boundary)) {
        ngo_call_fail(
            call, NANGO_E_STATE, "the system has no random bytes for a boundary");
        return;
    }
    for (size_t i = 0; i < config->part_count; i++)
        put_part(call, &config->parts[i], boundary);
    ngo_text_puts(&call->body, "--");
    ngo_text_puts(&call->body, boundary);
    ngo_text_puts(&call->body, "--\r\n");
    memcpy(line, type, sizeof type - 1);
    memcpy(line + sizeof type - 1, boundary, strlen(boundary) + 1);
    /* Nothing else can be said of it: the boundary is only known here. */
    ngo_call_header(call, "Content-Type", line);
}

static void put_form(nango_call *call, const nango_proxy_config *config)
{
    for (size_t i = 0; i < config->form_count; i++) {
        const nango_pair *pair = &config->form[i];

        if (pair->name == NULL || pair->value == NULL) {
            ngo_call_fail(call, NANGO_E_ARGUMENT, "form[%zu] lacks name or value", i);
            return;
        }
        if (i > 0)
            ngo_text_putc(&call->body, '&');
        ngo_text_encode(&call->body, pair->name, NGO_FORM);
        ngo_text_putc(&call->body, '=');
        ngo_text_encode(&call->body, pair->value, NGO_FORM);
    }
}

static void put_json(nango_call *call, const nango_proxy_config *config)
{
    size_t size = config->data_size > 0 || config->data == NULL ? config->data_size
                                                                : strlen(config->data);

    switch (ngo_json_check(&call->mem, config->data != NULL ? config->data : "", size)) {
    case NGO_PARSED:
        ngo_text_add(&call->body, config->data, size);
        break;
    case NGO_NOT_JSON:
        ngo_call_fail(call, NANGO_E_ARGUMENT, "data is not JSON");
        break;
    case NGO_NO_MEMORY:
        ngo_call_fail(call, NANGO_E_MEMORY, "memory is out");
        break;
    }
}

void ngo_proxy_body(
    nango_call *call, const nango_proxy_config *config, const char *content_type)
{
    const char *type = NULL;

    if (config->data_kind != NANGO_DATA_NONE && strcmp(call->method, "GET") == 0) {
        ngo_call_fail(call, NANGO_E_ARGUMENT, "a GET request carries no data");
        return;
    }
    /* The early client sent none with DELETE. */
    if (ngo_early(call->client) && !is_write(call->method)) {
        ngo_call_header(call, "Content-Type", content_type);
        return;
    }
    call->has_body = config->data_kind != NANGO_DATA_NONE || is_write(call->method);
    switch (config->data_kind) {
    case NANGO_DATA_NONE:
    case NANGO_DATA_BYTES:
        type = is_write(call->method) ? FORM_TYPE : NULL;
        if (config->data_kind == NANGO_DATA_BYTES && config->data_size > 0)
            ngo_text_add(&call->body, config->data, config->data_size);
        break;
    case NANGO_DATA_JSON:
        type = "application/json";
        put_json(call, config);
        break;
    case NANGO_DATA_FORM:
        type = FORM_TYPE ";charset=utf-8";
        put_form(call, config);
        break;
    case NANGO_DATA_MULTIPART:
        put_multipart(call, config);
        return;
    default:
        ngo_call_fail(call, NANGO_E_ARGUMENT, "data_kind is none of NANGO_DATA_…");
        return;
    }
    ngo_call_header(call, "Content-Type", content_type != NULL ? content_type : type);
}
