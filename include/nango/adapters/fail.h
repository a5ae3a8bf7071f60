/* SPDX-License-Identifier: Apache-2.0 */
/* What the adapters share: how they tell that they could not be made. */
#ifndef NANGO_ADAPTERS_FAIL_H
#define NANGO_ADAPTERS_FAIL_H

#include <string.h>

#include "nango/client.h"

/* Fills *err unless it is NULL; returns `code`. `detail`: the errno, or 0. */
static inline nango_code nango_adapter_fail(
    nango_error *err, nango_code code, int detail, const char *message)
{
    if (err != NULL) {
        memset(err, 0, sizeof *err);
        err->code = code;
        err->detail = detail;
        err->retry_after_s = -1;
        strncpy(err->message, message, sizeof err->message - 1);
    }
    return code;
}

#endif
