/* SPDX-License-Identifier: Apache-2.0 */
/* An answer: filled by the transfer, read by everyone. */
#include <string.h>
#include <strings.h>

#include "sdk/sdk_int.h"

nango_response *ngo_response_new(const struct ngo_mem *mem)
{
    nango_response *response = ngo_alloc(mem, sizeof *response);

    if (response != NULL) {
        response->mem = *mem;
        ngo_text_init(&response->body, &response->mem);
    }
    return response;
}

bool ngo_headers_add(const struct ngo_mem *mem, struct ngo_header **list, size_t *count,
    size_t *capacity, const char *name, size_t name_len, const char *value, size_t len)
{
    struct ngo_header *header;
    char *text;

    if (*count == *capacity) {
        size_t more = *capacity > 0 ? 2 * *capacity : 16;
        struct ngo_header *grown = ngo_resize(mem, *list, more * sizeof *grown);

        if (grown == NULL)
            return false;
        *list = grown;
        *capacity = more;
    }
    /* One block for both texts. */
    text = ngo_resize(mem, NULL, name_len + len + 2);
    if (text == NULL)
        return false;
    header = &(*list)[(*count)++];
    header->name = text;
    memcpy(text, name, name_len);
    text[name_len] = '\0';
    header->value = text + name_len + 1;
    if (len > 0)
        memcpy(header->value, value, len);
    header->value[len] = '\0';
    return true;
}

void ngo_headers_free(const struct ngo_mem *mem, struct ngo_header *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ngo_free(mem, list[i].name);
    ngo_free(mem, list);
}

bool ngo_response_add_header(nango_response *response, const char *name, size_t name_len,
    const char *value, size_t len)
{
    return ngo_headers_add(&response->mem, &response->headers, &response->header_count,
        &response->header_capacity, name, name_len, value, len);
}

void ngo_response_clear(nango_response *response)
{
    for (size_t i = 0; i < response->header_count; i++)
        ngo_free(&response->mem, response->headers[i].name);
    response->header_count = 0;
    response->status = 0;
    ngo_text_finish(&response->body);
}

int nango_response_status(const nango_response *response)
{
    return response != NULL ? response->status : 0;
}

const char *nango_response_header(const nango_response *response, const char *name)
{
    if (response == NULL || name == NULL)
        return NULL;
    for (size_t i = 0; i < response->header_count; i++)
        if (strcasecmp(response->headers[i].name, name) == 0)
            return response->headers[i].value;
    return NULL;
}

size_t nango_response_header_count(const nango_response *response)
{
    return response != NULL ? response->header_count : 0;
}

bool nango_response_header_at(
    const nango_response *response, size_t index, nango_pair *out)
{
    if (index >= nango_response_header_count(response))
        return false;
    out->name = response->headers[index].name;
    out->value = response->headers[index].value;
    return true;
}

const char *nango_response_body(const nango_response *response, size_t *len)
{
    bool there = response != NULL && response->body.data != NULL && !response->in_place;

    if (len != NULL)
        *len = there ? response->body.len : 0;
    return there ? response->body.data : "";
}

const nango_json *nango_response_json(const nango_response *response)
{
    return response != NULL ? response->json.values : NULL;
}

const nango_json *nango_response_at(const nango_response *response, const char *pointer)
{
    return nango_json_at(nango_response_json(response), pointer);
}

void nango_response_free(nango_response *response)
{
    struct ngo_mem mem;

    if (response == NULL)
        return;
    mem = response->mem;
    ngo_json_finish(&mem, &response->json);
    ngo_free(&mem, response->json_text);
    ngo_text_finish(&response->body);
    ngo_headers_free(&mem, response->headers, response->header_count);
    ngo_free(&mem, response);
}
