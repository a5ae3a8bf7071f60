/* SPDX-License-Identifier: Apache-2.0 */
/* What the body of a deploy may hold, by its era (contract http-api.md section 12). */
#ifndef API_DEPLOY_SHAPE_H
#define API_DEPLOY_SHAPE_H

#include "api/validate.h"

extern const struct pattern PATTERN_SCRIPT; /* name of a sync, action, event script */

/* The shape to check `body` against. */
const struct shape *deploy_shape(const cJSON *body, bool confirmation);

#endif
