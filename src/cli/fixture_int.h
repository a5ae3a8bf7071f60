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

/* A request as recordings know it. */
struct request {
    char *method;         /* lower case */
    char *path;           /* without leading slash */
    struct pairs params;  /* by name */
    struct pairs headers; /* by name, in lower case, without those of the transport */
    char *data;           /* NULL = none */
    char hash[41];
};

/* From the arguments of a proxy call: {method, endpoint, params, headers, body}. */
bool request_read(struct json_raw call, struct request *request);
void request_finish(struct request *request);
/* The recorded answer in `api` for the request; absent when there is none. */
struct json_raw request_find(const struct request *request, struct json_raw api);

#endif
