/* SPDX-License-Identifier: Apache-2.0 */
/* The table of renewable kinds of credentials: one file per auth mode, one row here. */
#include "auth/mode.h"

#include "base/str.h"

static const struct mode *const modes[] = {
    &mode_oauth2,
};

const struct mode *mode_find(const char *credentials_type)
{
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (str_eq(modes[i]->credentials_type, credentials_type))
            return modes[i];
    }
    return NULL;
}
