/* SPDX-License-Identifier: Apache-2.0 */
/* What both sides of HTTP share: a header field and lists of them. */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>

struct http_header {
    char *name;
    char *value;
};

/* An owned, growing list; order and repetitions are kept. Zeroed = empty. */
struct http_headers {
    struct http_header *items;
    size_t count;
    size_t capacity;
};

void http_headers_finish(struct http_headers *list);
void http_headers_add(struct http_headers *list, const char *name, const char *value);
/* Replaces every field of that name (any case) by one. */
void http_headers_set(struct http_headers *list, const char *name, const char *value);
void http_headers_remove(struct http_headers *list, const char *name);
/* The first value of that name (any case), or NULL. */
const char *http_headers_find(const struct http_headers *list, const char *name);

/* RFC 9110 section 5.6.2 and 5.5: what may stand in a field name, in a field value. */
bool http_is_token(const char *s);
bool http_is_field_value(const char *s);
/* connection, keep-alive, proxy-*, te, trailer, transfer-encoding, upgrade (RFC
 * 9110, 7.6.1). */
bool http_is_hop_by_hop(const char *name);
const char *http_reason(int status);

#endif
