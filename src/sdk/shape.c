/* SPDX-License-Identifier: Apache-2.0 */
/* How answers become results. A result keeps the response that it came with, whose body was
 * parsed in place: an item is a pointer to one of its values, a list an array of such
 * pointers, and text that is read from them is borrowed from the body.
 *
 *   item  --json--> a value  ) of the same response,
 *         --response---------) which it owns
 *
 * What is not of the expected form fails with NANGO_E_PARSE; a member that is missing does
 * not, since servers of different years send different ones. */
#include "sdk/methods_int.h"

#include <string.h>

/* Items follow the list's own members at this distance. */
#define ITEM_ALIGN sizeof(void *)
#define LIST_HEAD ((sizeof(struct ngo_list) + ITEM_ALIGN - 1) / ITEM_ALIGN * ITEM_ALIGN)

static const char *const type_names[] = {
    [NANGO_JSON_NONE] = "value",
    [NANGO_JSON_NULL] = "null",
    [NANGO_JSON_BOOL] = "bool",
    [NANGO_JSON_NUMBER] = "number",
    [NANGO_JSON_STRING] = "string",
    [NANGO_JSON_ARRAY] = "array",
    [NANGO_JSON_OBJECT] = "object",
};

/* Whether a text can be JSON by its first character. What comes from something else than
 * the server (a page of HTML, most often) is told apart before it is parsed, since parsing
 * spoils the text that nango_client_last_answer() is to show. */
static bool may_be_json(const char *text, size_t len)
{
    size_t i = 0;

    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        i = 3; /* a byte order mark */
    while (i < len && memchr(" \t\r\n", text[i], 4) != NULL)
        i++;
    return i < len && memchr("{[\"-0123456789tfn", text[i], 17) != NULL;
}

const nango_json *ngo_decode_json(nango_call *call)
{
    nango_response *response = call->response;
    size_t at = 0;

    if (response->json.values != NULL)
        return response->json.values;
    if (response->body.len == 0) {
        ngo_call_fail(call, NANGO_E_PARSE, "the server's answer is empty");
        return NULL;
    }
    if (!may_be_json(response->body.data, response->body.len)) {
        ngo_call_fail(call, NANGO_E_PARSE, "the server's answer is no JSON");
        return NULL;
    }
    response->in_place = true;
    switch (ngo_json_parse(
        &response->mem, response->body.data, response->body.len, &response->json, &at)) {
    case NGO_PARSED:
        return response->json.values;
    case NGO_NOT_JSON:
        ngo_call_fail(
            call, NANGO_E_PARSE, "the server's answer is no JSON from byte %zu on", at);
        return NULL;
    case NGO_NO_MEMORY:
        break;
    }
    ngo_call_fail(call, NANGO_E_MEMORY, "memory is out");
    return NULL;
}

/* The value of a type at a pointer of the answer. */
static const nango_json *find(nango_call *call, const char *pointer, nango_json_type type)
{
    const nango_json *root = ngo_decode_json(call);
    const nango_json *value = nango_json_at(root, pointer);

    if (root == NULL || nango_json_type_of(value) == type)
        return value;
    if (*pointer == '\0')
        ngo_call_fail(
            call, NANGO_E_PARSE, "the server's answer is no %s", type_names[type]);
    else
        ngo_call_fail(call, NANGO_E_PARSE, "the server's answer has no %s at %s",
            type_names[type], pointer);
    return NULL;
}

void *ngo_decode_item(
    nango_call *call, size_t size, const char *pointer, nango_json_type type)
{
    const nango_json *value = find(call, pointer, type);
    struct ngo_item *item;

    if (value == NULL)
        return NULL;
    item = ngo_alloc(&call->mem, size);
    if (item == NULL) {
        ngo_call_fail(call, NANGO_E_MEMORY, "memory is out");
        return NULL;
    }
    item->json = value;
    item->response = call->response;
    call->response = NULL;
    return item;
}

void ngo_item_free(void *item)
{
    struct ngo_item *own = item;
    struct ngo_mem mem;

    /* What a list lends is not freed, should a user try. */
    if (own == NULL || own->response == NULL)
        return;
    mem = own->response->mem;
    nango_response_free(own->response);
    ngo_free(&mem, own);
}

const nango_json *ngo_item_json(const void *item)
{
    const struct ngo_item *own = item;

    return own == NULL ? NULL : own->json;
}

const char *ngo_item_text(const void *item, const char *pointer)
{
    return nango_json_string_at(ngo_item_json(item), pointer, NULL);
}

const nango_json *ngo_item_member(const void *item, const char *name)
{
    const nango_json *member = nango_json_get(ngo_item_json(item), name);

    return nango_json_type_of(member) == NANGO_JSON_NULL ? NULL : member;
}

const nango_response *ngo_item_response(const void *item)
{
    const struct ngo_item *own = item;

    return own == NULL ? NULL : own->response;
}

/* ---- lists ---- */

static struct ngo_item *item_at(struct ngo_list *list, size_t index)
{
    return (struct ngo_item *)(void *)((char *)list + LIST_HEAD + index * list->size);
}

struct ngo_list *ngo_list_take(nango_call *call, size_t size, const nango_json *array)
{
    const size_t count = nango_json_count(array);
    const nango_json *element = nango_json_first(array);
    struct ngo_list *list = NULL;

    if (count <= (SIZE_MAX - LIST_HEAD) / size)
        list = ngo_alloc(&call->mem, LIST_HEAD + count * size);
    if (list == NULL) {
        ngo_call_fail(call, NANGO_E_MEMORY, "memory is out");
        return NULL;
    }
    list->size = size;
    for (; element != NULL; element = nango_json_next(element))
        item_at(list, list->count++)->json = element;
    list->response = call->response;
    call->response = NULL;
    return list;
}

struct ngo_list *ngo_decode_list(nango_call *call, size_t size, const char *pointer)
{
    const nango_json *array = find(call, pointer, NANGO_JSON_ARRAY);

    return array == NULL ? NULL : ngo_list_take(call, size, array);
}

void *ngo_list_at(const struct ngo_list *list, size_t index)
{
    /* The caller gives it out as const again. */
    union {
        const struct ngo_list *lent;
        struct ngo_list *own;
    } either = {.lent = list};

    if (list == NULL || index >= list->count)
        return NULL;
    return item_at(either.own, index);
}

void ngo_list_free(void *list)
{
    struct ngo_list *own = list;
    struct ngo_mem mem;

    if (own == NULL)
        return;
    mem = own->response->mem;
    nango_response_free(own->response);
    ngo_free(&mem, own);
}

size_t ngo_list_count(const void *list)
{
    const struct ngo_list *own = list;

    return own == NULL ? 0 : own->count;
}

const nango_response *ngo_list_response(const void *list)
{
    const struct ngo_list *own = list;

    return own == NULL ? NULL : own->response;
}

/* ---- the plain response ---- */

static void *response_decode(nango_call *call)
{
    nango_response *response = call->response;

    call->response = NULL;
    return response;
}

static void response_release(void *result)
{
    nango_response_free(result);
}

static void response_deliver(
    ngo_fn *done, void *result, const nango_error *error, void *user)
{
    ((nango_response_done *)done)(result, error, user);
}

const struct ngo_shape ngo_shape_response = {
    response_decode, response_release, response_deliver};
