/* SPDX-License-Identifier: Apache-2.0 */
/* An answer of the server as it came: status, headers, body.
 *
 * Methods without a type of their own give one, and each typed result has a `_response`
 * function for it. A response never changes; any thread may read it. */
#ifndef NANGO_RESPONSE_H
#define NANGO_RESPONSE_H

#include "nango/client.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The HTTP status, 200 to 299 unless the response came with NANGO_E_HTTP. */
NANGO_API int nango_response_status(const nango_response *response);

/* The first header field of that name, in any case of letters; NULL when there is none. */
NANGO_API const char *nango_response_header(
    const nango_response *response, const char *name);

/* How many header fields there are; names may repeat. */
NANGO_API size_t nango_response_header_count(const nango_response *response);

/* A header field by its place, as it came; false beyond the end. Borrowed. */
NANGO_API bool nango_response_header_at(
    const nango_response *response, size_t index, nango_pair *out);

/* The body's bytes, decompressed, followed by a NUL that `len` does not count; never NULL.
 * Empty for a typed result, whose body was made into JSON in place. `len` may be NULL. */
NANGO_API const char *nango_response_body(const nango_response *response, size_t *len);

/* The body as JSON; NULL when it is no JSON, as the plain `OK` of early servers. Borrowed. */
NANGO_API const nango_json *nango_response_json(const nango_response *response);

/* nango_json_at() of that JSON: the value at a JSON pointer, as "/data/0/name". NULL when
 * there is none. */
NANGO_API const nango_json *nango_response_at(
    const nango_response *response, const char *pointer);

/* Wipes and frees. Accepts NULL. Only for responses that were given as a result, not for
 * those that another object lent. */
NANGO_API void nango_response_free(nango_response *response);

#ifdef __cplusplus
}
#endif
#endif
