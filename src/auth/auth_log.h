/* SPDX-License-Identifier: Apache-2.0 */
/* What the logs of operations are told of connections that are made and of tokens that are
 * renewed. */
#ifndef AUTH_AUTH_LOG_H
#define AUTH_AUTH_LOG_H

#include <cjson/cJSON.h>

#include "auth/auth.h"

/* One authorization: auth/create_connection. `operation`: the id of one that may be begun
 * already, as a connect session carries it; NULL = a new one. `key`, `connection`: as the
 * caller named them; NULL = not known yet. `life_ms`: how long the browser may take; 0 =
 * it is done at once. */
struct auth_log_start {
    int64_t environment_id;
    const char *operation;
    const char *key;
    const char *provider;
    const char *connection;
    int64_t life_ms;
};
struct oplog_op auth_log_begin(
    const struct auth *auth, const struct auth_log_start *start, enum oplog_state state);
/* The connection is stored. */
void auth_log_stored(const struct auth *auth, const struct oplog_op *operation,
    const struct connection_row *row, bool created);
/* It is not. Strings of the `secrets` (NULL = none) are not shown. */
void auth_log_failed(const struct oplog_op *operation, const struct err *why,
    const cJSON *const *secrets, size_t count);

/* Why it is not, for people, without the `secrets`. The caller frees. */
char *auth_shown_reason(const struct err *why, const cJSON *const *secrets, size_t count);

/* auth/refresh_token of a connection. */
struct oplog_op auth_log_refresh(
    const struct auth *auth, int64_t id, const struct connection_row *row);

#endif
