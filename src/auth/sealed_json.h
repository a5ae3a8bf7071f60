/* SPDX-License-Identifier: Apache-2.0 */
/* JSON objects as they lie in the store: printed, then sealed under a context. */
#ifndef AUTH_SEALED_JSON_H
#define AUTH_SEALED_JSON_H

#include <cjson/cJSON.h>

#include "auth/auth.h"

/* The caller frees out->data. */
bool sealed_json_write(const struct auth *auth, const char *context, const cJSON *value,
    struct blob *out, struct err *err);
/* As below, without the members `raw` at the top: what a provider once said, which is
 * mostly a copy of what else is there. */
bool sealed_json_open_without_raw(const struct auth *auth, const char *context,
    const struct blob *sealed, cJSON **out, struct err *err);
/* *out is an object; an absent blob gives {}. Anything but a sealed object is a damaged
 * row: a fault of ours, 500. */
bool sealed_json_open(const struct auth *auth, const char *context,
    const struct blob *sealed, cJSON **out, struct err *err);

#endif
