/* SPDX-License-Identifier: Apache-2.0 */
/* The frame of the endpoints that take credentials in a body: one row per endpoint, the
 * same checks in the same order for all. */
#ifndef API_AUTH_INPUT_H
#define API_AUTH_INPUT_H

#include "api/api_int.h"
#include "auth/integration.h"

struct input_mode {
    enum auth_mode mode;
    const struct shape *shape;
    bool body_optional;
    bool verified;       /* the finished credentials are tried, where there is a way */
    bool unknown_is_bad; /* an unknown integration is 400, else 404 */
    /* Makes what is stored from what was submitted (with its `type`); may change both and
     * the config, and may wait for a provider. *credentials NULL = `submitted` itself.
     * False: *err. NULL = what was submitted is stored. */
    bool (*make)(struct call *call, const struct integration *integration,
        cJSON *submitted, cJSON *config, cJSON **credentials, struct err *err);
};
void auth_input(struct call *call, const struct input_mode *mode);

#endif
