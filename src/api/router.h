/* SPDX-License-Identifier: Apache-2.0 */
/* Paths to patterns. Pure functions over text: no request, no server. */
#ifndef API_ROUTER_H
#define API_ROUTER_H

#include <stdbool.h>
#include <stddef.h>

#define PATH_MAX_PARAMS 3

/* What stood for a `:name` of the pattern, still percent-encoded. */
struct path_span {
    const char *text;
    size_t len;
};

/* Does `path` match `pattern`? A pattern is made of literal segments (any case in the
 * path),
 * `:name` for one non-empty segment, and a trailing slash-star for the rest of the path,
 * empty or not. One slash at the end of the path is ignored; slashes in a row are not
 * joined. */
bool path_match(
    const char *pattern, const char *path, struct path_span spans[PATH_MAX_PARAMS]);

/* Decodes a span into fresh memory. NULL when an escape is bad or the text is not UTF-8.
 * U+0000 becomes U+FFFD, which no pattern of an identifier accepts. */
char *path_span_decode(const struct path_span *span);

/* The name of the pattern's parameter number `index`, without the colon; "" when there is
 * none. `out` is always terminated. */
void path_param_name(const char *pattern, size_t index, char *out, size_t out_size);

#endif
