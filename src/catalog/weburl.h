/* SPDX-License-Identifier: Apache-2.0 */
/* http and https URLs as the WHATWG URL standard reads and writes them, which is how the
 * catalogue's templates were written and tested: case of scheme and host folded, default
 * port dropped, dot segments resolved, unsafe bytes percent-encoded, escapes of the
 * caller kept. Hosts must be ASCII (IDNs in their xn-- form). */
#ifndef CATALOG_WEBURL_H
#define CATALOG_WEBURL_H

#include <stdbool.h>
#include <stddef.h>

/* Offsets into `text`, the normal form. */
struct weburl {
    char *text;
    size_t len;
    size_t origin_len; /* scheme, user information, host and port */
    char *host;        /* with `:port` unless it is the default one */
    size_t path;
    size_t path_len;
    size_t query; /* after the `?`; path + path_len when there is none */
    size_t query_len;
    bool has_query;
};

/* False when `text` is no http(s) URL; *out is then zeroed. */
bool weburl_parse(const char *text, struct weburl *out);
void weburl_finish(struct weburl *url); /* wipes: a query may hold a key */

#endif
