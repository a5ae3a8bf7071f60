/* SPDX-License-Identifier: Apache-2.0 */
/* What an execution of a script tells its operation: that it began and how it ended, what
 * the script logged, and its requests that do not go by the proxy, which tells its own.
 *
 * Scripts see secrets: the connection's credentials, an integration's, variables of the
 * environment. Whatever they say is told without those that this server gave them. */
#ifndef SCRIPTS_SAY_H
#define SCRIPTS_SAY_H

#include <stdbool.h>

#include "auth/auth.h"
#include "base/buf.h"
#include "base/json_raw.h"
#include "oplog/oplog.h"
#include "oplog/redact.h"
#include "scripts/run.h"

/* What the operation of an execution is about. Borrows. */
void script_subject(const struct script_row *script,
    const struct connection_row *connection, struct oplog_subject *out);

struct script_say {
    struct oplog_op operation;
    const struct auth *auth;
    struct connection_row *connection;
    struct redactor *redactor; /* NULL: nothing is kept of the operation */
    bool knows_credentials;    /* the redactor does; used by the run's thread only */
};
/* `auth` is borrowed; of `connection` a reference is taken. */
void script_say_init(struct script_say *say, const struct oplog_op *operation,
    const struct auth *auth, struct connection_row *connection);
void script_say_finish(struct script_say *say); /* accepts a zeroed one */

/* Run thread. `attempt`: 1 = the first. */
void script_say_began(struct script_say *say, int attempt);
/* How it ended, also to the operation as a whole. */
void script_say_ended(struct script_say *say, const struct script_outcome *outcome);
void script_say_log(
    struct script_say *say, const char *level, const char *message, struct json_raw meta);

/* Any thread. What a method of `nango` gives the script: secrets in it are noted. */
void script_say_learn(
    struct script_say *say, const char *method, const struct buf *value);
/* An exchange outside of the proxy. */
void script_say_http(struct script_say *say, const struct oplog_http *http);

#endif
