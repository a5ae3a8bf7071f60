/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters as signatures want them: decoded, sorted, encoded again by RFC 3986. */
#ifndef PROXY_PARAMS_H
#define PROXY_PARAMS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct param {
    char *name;
    char *value;
    size_t order; /* in which it was added */
};
/* Zeroed = empty. */
struct params {
    struct param *items;
    size_t count;
    size_t capacity;
};
void params_finish(struct params *params);
void params_add(struct params *params, const char *name, const char *value);
/* A query or form text. */
void params_add_form(struct params *params, const char *text, size_t len);
/* The members of an object; what is neither text nor number goes in as JSON. */
void params_add_object(struct params *params, const cJSON *object);
/* By name; equal names by value when `by_value`, else as they came. */
void params_sort(struct params *params, bool by_value);
/* `k=v&…`, each part encoded. */
void params_write(const struct params *params, struct buf *out);
/* RFC 3986: all but letters, digits and - . _ ~ */
void params_encode(const char *text, struct buf *out);

#endif
