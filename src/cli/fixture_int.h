/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of the recording. */
#ifndef CLI_FIXTURE_INT_H
#define CLI_FIXTURE_INT_H

#include "base/buf.h"
#include "base/json_raw.h"

struct pair {
    char *name, *value;
};
struct pairs {
    struct pair *items;
    size_t count;
};

/* What a recording may have hashed of one request: header names as they were given or in lower
 * case, and an empty object or list as a body or as none. */
#define MAX_HASHES 4

/* A request as recordings know it. */
struct request {
    char *method;        /* lower case */
    char *path;          /* without leading slash */
    struct pairs params; /* by name */
    struct pairs
        headers; /* by name, without those of the transport; names in lower case */
    char *data;  /* NULL = none */
    char hashes[MAX_HASHES][41];
    size_t hash_count;
};

/* From the arguments of a proxy call: {method, endpoint, params, headers, body}. */
bool request_read(struct json_raw call, struct request *request);
/* A call as recordings describe it. `fetched`: one of uncontrolledFetch(), which has a `url` where a
 * proxied request has an `endpoint`. What is returned may borrow from `text`. */
struct json_raw request_as_recorded(struct json_raw call, bool fetched, struct buf *text);
void request_finish(struct request *request);
/* The recorded answer in `api` for the request; absent when there is none. */
struct json_raw request_find(const struct request *request, struct json_raw api);
/* The first one of its method and path, whatever else the request says. */
struct json_raw request_find_any(const struct request *request, struct json_raw api);

#endif
