/* SPDX-License-Identifier: Apache-2.0 */
/* Connect sessions (contract connect-flow.md section 2). The payload as sealed in the
 * store: end_user {id, email, display_name, tags}|null, organization {id,
 * display_name}|null, allowed_integrations [..]?, integrations_config_defaults {..}?,
 * overrides {..}?, webhook_url_override?, tags {..} (derived and explicit, merged),
 * operation_id (the operation that each authorization with it belongs to) */
#ifndef AUTH_SESSION_H
#define AUTH_SESSION_H

#include "auth/auth.h"

#define SESSION_TOKEN_PREFIX "nango_connect_session_"
#define SESSION_LIFE_MS ((int64_t)30 * 60 * 1000)
#define SESSION_TOKEN_SIZE 87 /* prefix, 64 hex digits, NUL */

struct session {
    struct connect_session_row *row;
    cJSON *payload;
    char *end_user_tags; /* the end user's tags as object text, or NULL */
};
/* Lives 30 minutes. `payload` is borrowed; `reconnect_connection_id`: the row's id, 0 =
 * none. */
bool session_create(const struct auth *auth, int64_t environment_id, const cJSON *payload,
    int64_t reconnect_connection_id, char token[SESSION_TOKEN_SIZE],
    int64_t *expires_at_ms, struct err *err);
/* Bad shape: 401 `invalid_connect_session_token_format`; unknown or expired: 401
 * `unknown_connect_session_token`. */
bool session_load(
    const struct auth *auth, const char *token, struct session *out, struct err *err);
void session_finish(struct session *session);
/* *found = false when there was none. */
bool session_delete(
    const struct auth *auth, const char *token, bool *found, struct err *err);
/* Borrowed view of the payload's end user; false when null. */
bool session_end_user(const struct session *session, struct end_user_row *out);
bool session_allows(const struct session *session, const char *integration_key);

#endif
