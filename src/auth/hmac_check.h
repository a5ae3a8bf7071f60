/* SPDX-License-Identifier: Apache-2.0 */
/* The HMAC that an environment may demand of browsers with a public key (contract
 * connect-flow.md section 7): hex HMAC-SHA256 under the environment's key over the
 * provider config key and the connection id as received, joined by `:`; what is absent is
 * left out. */
#ifndef AUTH_HMAC_CHECK_H
#define AUTH_HMAC_CHECK_H

#include "auth/auth.h"

/* True when the environment does not demand one. False: 400 `missing_hmac` or
 * `invalid_hmac`. `connection_id`: as received, NULL = none; `hmac`: NULL or "" = none.
 */
bool hmac_check(const struct auth *auth, const struct environment_row *environment,
    const char *provider_config_key, const char *connection_id, const char *hmac,
    struct err *err);
/* 64 hex digits and a NUL. */
void hmac_make(const char *key, const char *provider_config_key,
    const char *connection_id, char out[2 * SHA256_LEN + 1]);

#endif
