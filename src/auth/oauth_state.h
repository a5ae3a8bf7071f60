/* SPDX-License-Identifier: Apache-2.0 */
/* What is remembered between sending a browser to the provider and its coming back: one
 * sealed object, found by the SHA-256 of a random `state`, good once and for an hour. */
#ifndef AUTH_OAUTH_STATE_H
#define AUTH_OAUTH_STATE_H

#include <cjson/cJSON.h>

#include "auth/auth.h"

#define OAUTH_STATE_LIFE_MS ((int64_t)60 * 60 * 1000)
#define OAUTH_STATE_SIZE 65    /* 256 bits in hex, NUL */
#define OAUTH_VERIFIER_SIZE 49 /* 24 bytes in hex, NUL (auth.md section 3.1) */

/* Members of the payload:
 *   provider_config_key, integration_id, connection_id, callback_url, verifier, config
 *   reconnect_row_id?      the connection to renew must still be this one
 *   client {client_id, client_secret}?, refresh_token?   overrides of this connection
 *   ws_client_id?
 *   operation_id           what the logs call this authorization
 *   session {end_user, organization, tags, webhook_url_override}?
 *                          absent with a public key */
bool oauth_state_put(const struct auth *auth, int64_t environment_id, const char *state,
    const cJSON *payload, struct err *err);
/* Whose it is; it stays. False when there is none (or the store failed: taking it will
 * tell). `state` may be NULL. */
bool oauth_state_find(
    const struct auth *auth, const char *state, int64_t *environment_id);
/* Removes it. Unknown, used or expired: 400 `state_err`. */
bool oauth_state_take(const struct auth *auth, const char *state, int64_t *environment_id,
    cJSON **payload, struct err *err);

#endif
