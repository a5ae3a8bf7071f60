/* SPDX-License-Identifier: Apache-2.0 */
/* Reading parsed JSON, and documents that the caller parsed. */
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/sdk_int.h"

/* Longer numbers are kept, but not made into a double. */
#define MAX_NUMBER 1023

static bool is(const nango_json *value, nango_json_type type)
{
    return value != NULL && value->type == type;
}

static bool is_container(const nango_json *value)
{
    return is(value, NANGO_JSON_ARRAY) || is(value, NANGO_JSON_OBJECT);
}

nango_json_type nango_json_type_of(const nango_json *value)
{
    return value != NULL ? (nango_json_type)value->type : NANGO_JSON_NONE;
}

size_t nango_json_count(const nango_json *value)
{
    return is_container(value) ? value->len : 0;
}

const nango_json *nango_json_first(const nango_json *value)
{
    return nango_json_count(value) > 0 ? value + 1 : NULL;
}

const nango_json *nango_json_next(const nango_json *value)
{
    return value != NULL && !value->last ? value + value->span : NULL;
}

const nango_json *nango_json_item(const nango_json *value, size_t index)
{
    const nango_json *child = nango_json_first(value);

    while (child != NULL && index-- > 0)
        child = nango_json_next(child);
    return child;
}

const char *nango_json_name(const nango_json *member)
{
    return member != NULL ? member->name : NULL;
}

static const nango_json *member(const nango_json *object, const char *name, size_t len)
{
    const nango_json *found = NULL;

    if (!is(object, NANGO_JSON_OBJECT))
        return NULL;
    for (const nango_json *child = nango_json_first(object); child != NULL;
         child = nango_json_next(child))
        if (child->name_len == len && memcmp(child->name, name, len) == 0)
            found = child;
    return found;
}

const nango_json *nango_json_get(const nango_json *object, const char *name)
{
    return name != NULL ? member(object, name, strlen(name)) : NULL;
}

/* The next token of a pointer, which is behind its slash: unescaped by comparing. */
static bool token_equals(const char *token, size_t len, const char *name, size_t name_len)
{
    size_t at = 0;

    for (size_t i = 0; i < len; i++, at++) {
        char c = token[i];

        if (c == '~' && i + 1 < len) {
            c = token[i + 1] == '0' ? '~' : token[i + 1] == '1' ? '/' : '\0';
            i++;
        }
        if (at >= name_len || name[at] != c)
            return false;
    }
    return at == name_len;
}

static const nango_json *step(const nango_json *value, const char *token, size_t len)
{
    const nango_json *found = NULL;
    size_t index = 0;

    if (is(value, NANGO_JSON_ARRAY)) {
        /* RFC 6901, section 4: digits without leading zeros. */
        if (len == 0 || (token[0] == '0' && len > 1))
            return NULL;
        for (size_t i = 0; i < len; i++) {
            if (token[i] < '0' || token[i] > '9' || index > (SIZE_MAX - 9) / 10)
                return NULL;
            index = 10 * index + (size_t)(token[i] - '0');
        }
        return nango_json_item(value, index);
    }
    if (is(value, NANGO_JSON_OBJECT))
        for (const nango_json *child = nango_json_first(value); child != NULL;
             child = nango_json_next(child))
            if (token_equals(token, len, child->name, child->name_len))
                found = child;
    return found;
}

const nango_json *nango_json_at(const nango_json *value, const char *pointer)
{
    if (pointer == NULL)
        return NULL;
    while (value != NULL && *pointer == '/') {
        size_t len = strcspn(++pointer, "/");

        value = step(value, pointer, len);
        pointer += len;
    }
    return *pointer == '\0' ? value : NULL;
}

const char *nango_json_string(const nango_json *value, size_t *len)
{
    bool string = is(value, NANGO_JSON_STRING);

    if (len != NULL)
        *len = string ? value->len : 0;
    return string ? value->text : NULL;
}

bool nango_json_int(const nango_json *value, int64_t *out)
{
    bool negative;
    uint64_t number = 0;
    size_t i = 0;

    if (!is(value, NANGO_JSON_NUMBER))
        return false;
    negative = value->text[0] == '-';
    for (i = negative ? 1 : 0; i < value->len; i++) {
        unsigned digit = (unsigned)(value->text[i] - '0');

        if (digit > 9 || number > (UINT64_MAX - digit) / 10)
            return false; /* a fraction, an exponent, or too large */
        number = 10 * number + digit;
    }
    if (number > (uint64_t)INT64_MAX + (negative ? 1 : 0))
        return false;
    if (negative && number > (uint64_t)INT64_MAX)
        *out = INT64_MIN;
    else
        *out = negative ? -(int64_t)number : (int64_t)number;
    return true;
}

bool nango_json_double(const nango_json *value, double *out)
{
    char text[MAX_NUMBER + 1];
    locale_t plain;
    double number;

    if (!is(value, NANGO_JSON_NUMBER) || value->len > MAX_NUMBER)
        return false;
    memcpy(text, value->text, value->len);
    text[value->len] = '\0';
    /* The process's locale may want a comma. The "C" locale is glibc's static object. */
    plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (plain == (locale_t)0)
        return false;
    number = strtod_l(text, NULL, plain);
    freelocale(plain);
    if (!isfinite(number))
        return false;
    *out = number;
    return true;
}

bool nango_json_bool(const nango_json *value, bool *out)
{
    if (!is(value, NANGO_JSON_BOOL))
        return false;
    *out = value->truth;
    return true;
}

const char *nango_json_string_at(
    const nango_json *value, const char *pointer, const char *otherwise)
{
    const char *text = nango_json_string(nango_json_at(value, pointer), NULL);

    return text != NULL ? text : otherwise;
}

int64_t nango_json_int_at(const nango_json *value, const char *pointer, int64_t otherwise)
{
    int64_t number;

    return nango_json_int(nango_json_at(value, pointer), &number) ? number : otherwise;
}

double nango_json_double_at(
    const nango_json *value, const char *pointer, double otherwise)
{
    double number;

    return nango_json_double(nango_json_at(value, pointer), &number) ? number : otherwise;
}

bool nango_json_bool_at(const nango_json *value, const char *pointer, bool otherwise)
{
    bool truth;

    return nango_json_bool(nango_json_at(value, pointer), &truth) ? truth : otherwise;
}

struct nango_document {
    struct ngo_json_doc json;
    char *text;
};

nango_code nango_document_parse(
    const char *text, size_t len, nango_document **out, nango_error *err)
{
    nango_document *document = ngo_alloc(&ngo_mem_default, sizeof *document);
    enum ngo_parse parsed = NGO_NO_MEMORY;
    size_t at = 0;

    *out = NULL;
    if (text == NULL)
        len = 0;
    if (document != NULL)
        document->text = ngo_resize(&ngo_mem_default, NULL, len + 1);
    if (document != NULL && document->text != NULL) {
        if (len > 0)
            memcpy(document->text, text, len);
        document->text[len] = '\0';
        parsed =
            ngo_json_parse(&ngo_mem_default, document->text, len, &document->json, &at);
    }
    switch (parsed) {
    case NGO_PARSED:
        *out = document;
        ngo_error_clear(err);
        return NANGO_OK;
    case NGO_NOT_JSON:
        nango_document_free(document);
        return ngo_error_set(err, NANGO_E_PARSE,
            "this is not JSON: it goes wrong behind byte %zu of %zu", at, len);
    case NGO_NO_MEMORY:
        break;
    }
    nango_document_free(document);
    return ngo_error_set(err, NANGO_E_MEMORY, "memory is out");
}

const nango_json *nango_document_root(const nango_document *document)
{
    return document != NULL ? document->json.values : NULL;
}

void nango_document_free(nango_document *document)
{
    if (document == NULL)
        return;
    ngo_json_finish(&ngo_mem_default, &document->json);
    ngo_free(&ngo_mem_default, document->text);
    ngo_free(&ngo_mem_default, document);
}
