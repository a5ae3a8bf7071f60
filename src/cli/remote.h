/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to a running nangod: where it is, who asks, what it answers.
 *
 * The address is that of `--host`, else NANGO_HOSTPORT, else http://localhost:3003; the
 * secret key comes from NANGO_SECRET_KEY_<ENVIRONMENT> or NANGO_SECRET_KEY, as every user of
 * a machine sees command lines. Projects may have them in a file `.env`. */
#ifndef CLI_REMOTE_H
#define CLI_REMOTE_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

struct remote {
    char *base; /* without a slash at its end */
    const char *key;
};
/* Sets the environment's NANGO_… variables of DIR/.env, where there is one, but those that
 * are set. Call it before remote_init(); before threads. */
bool remote_read_env_file(const char *dir, struct err *err);
/* `host` and `environment` NULL = not given. False and *err (code `usage`) when something is missing. */
bool remote_init(
    struct remote *remote, const char *host, const char *environment, struct err *err);
void remote_finish(struct remote *remote);

/* A path with its query, piece by piece. */
void remote_query(
    struct buf *path, const char *name, const char *value); /* NULL = none */

/* The answer's JSON, for the caller to free. NULL and *err: nobody answers, or the server
 * refuses: with its status, its code and its words. */
cJSON *remote_get(const struct remote *remote, const char *path, struct err *err);
cJSON *remote_post(
    const struct remote *remote, const char *path, const cJSON *body, struct err *err);

#endif
