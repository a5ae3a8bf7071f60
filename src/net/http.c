/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of header fields, and what RFC 9110 says about single fields. Nothing here can
 * fail. */
#include "net/http.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"

void http_headers_finish(struct http_headers *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].name);
        /* Authorization and the like are among them. */
        mem_free_text(list->items[i].value);
    }
    free(list->items);
    *list = (struct http_headers){0};
}

void http_headers_add(struct http_headers *list, const char *name, const char *value)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity == 0 ? 8 : list->capacity * 2;
        list->items =
            mem_resize_array(list->items, list->capacity, sizeof(struct http_header));
    }
    list->items[list->count++] =
        (struct http_header){.name = str_dup(name), .value = str_dup(value)};
}

void http_headers_remove(struct http_headers *list, const char *name)
{
    size_t kept = 0;

    for (size_t i = 0; i < list->count; i++) {
        if (strcasecmp(list->items[i].name, name) == 0) {
            free(list->items[i].name);
            mem_free_text(list->items[i].value);
        } else {
            list->items[kept++] = list->items[i];
        }
    }
    list->count = kept;
}

void http_headers_set(struct http_headers *list, const char *name, const char *value)
{
    /* The new value may be a pointer into a field that goes. */
    struct http_header field = {.name = str_dup(name), .value = str_dup(value)};
    bool placed = false;
    size_t kept = 0;

    for (size_t i = 0; i < list->count; i++) {
        if (strcasecmp(list->items[i].name, field.name) != 0) {
            list->items[kept++] = list->items[i];
            continue;
        }
        free(list->items[i].name);
        mem_free_text(list->items[i].value);
        if (!placed)
            list->items[kept++] = field;
        placed = true;
    }
    list->count = kept;
    if (!placed) {
        http_headers_add(list, field.name, field.value);
        free(field.name);
        mem_free_text(field.value);
    }
}

const char *http_headers_find(const struct http_headers *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcasecmp(list->items[i].name, name) == 0)
            return list->items[i].value;
    return NULL;
}

/* One bit a character of RFC 9110's `tchar`. */
static bool is_tchar(unsigned char c)
{
    static const uint64_t tchars[4] = {
        0x03ff6cfa00000000u, /* ! # $ % & ' * + - . 0-9 */
        0x57ffffffc7fffffeu, /* A-Z ^ _ ` a-z | ~ */
        0,
        0,
    };

    return (tchars[c >> 6] >> (c & 63) & 1) != 0;
}

bool http_is_token(const char *s)
{
    const unsigned char *p = (const unsigned char *)s;

    if (*p == '\0')
        return false;
    for (; *p != '\0'; p++)
        if (!is_tchar(*p))
            return false;
    return true;
}

bool http_is_field_value(const char *s)
{
    /* Bytes that may not stand there; 0 ends the loop, too. */
    static const bool stops[256] = {[0] = true,
        [1] = true,
        [2] = true,
        [3] = true,
        [4] = true,
        [5] = true,
        [6] = true,
        [7] = true,
        [8] = true,
        [10] = true,
        [11] = true,
        [12] = true,
        [13] = true,
        [14] = true,
        [15] = true,
        [16] = true,
        [17] = true,
        [18] = true,
        [19] = true,
        [20] = true,
        [21] = true,
        [22] = true,
        [23] = true,
        [24] = true,
        [25] = true,
        [26] = true,
        [27] = true,
        [28] = true,
        [29] = true,
        [30] = true,
        [31] = true,
        [127] = true};
    const unsigned char *p = (const unsigned char *)s;

    while (!stops[*p])
        p++;
    return *p == '\0';
}

bool http_is_hop_by_hop(const char *name)
{
    static const char *const names[] = {
        "connection",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    };

    if (strncasecmp(name, "proxy-", 6) == 0)
        return true;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return false;
}

const char *http_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {402, "Payment Required"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"},
        {417, "Expectation Failed"},
        {422, "Unprocessable Content"},
        {424, "Failed Dependency"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
    };

    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Unknown";
}
