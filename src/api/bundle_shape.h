/* SPDX-License-Identifier: Apache-2.0 */
/* The shape of a bundle of functions, and which of its parts must agree. */
#ifndef API_BUNDLE_SHAPE_H
#define API_BUNDLE_SHAPE_H

#include "api/validate.h"

/* Of that body, any JSON or NULL. */
const struct shape *bundle_shape(const cJSON *body);

#endif
