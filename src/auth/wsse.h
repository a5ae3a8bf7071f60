/* SPDX-License-Identifier: Apache-2.0 */
/* The user name token of WSSE, which SIGNATURE providers take. */
#ifndef AUTH_WSSE_H
#define AUTH_WSSE_H

#include <stdint.h>

#include "base/buf.h"

/* Appends `UsernameToken Username="…", …`. `nonce`: as it is shown. */
void wsse_token(const char *username, const char *password, const char *nonce,
    int64_t now_ms, struct buf *out);

#endif
