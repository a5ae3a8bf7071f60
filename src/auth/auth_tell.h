/* SPDX-License-Identifier: Apache-2.0 */
/* Webhooks about connections that are made and tokens that cannot be renewed. */
#ifndef AUTH_AUTH_TELL_H
#define AUTH_AUTH_TELL_H

#include "auth/connection.h"
#include "webhooks/webhooks.h"

/* Of a connection that is about to be put: one of the two takes effect. `row` is what it
 * is put from. */
bool auth_tell_put(const struct auth *auth, const struct connection_row *row,
    struct webhook_outbox *if_new, struct webhook_outbox *if_old, struct err *err);

/* An authorization failed: puts the webhook. Strings of the `secrets` (NULL = none) are
 * not shown. A fault on the way is logged: there is nobody to tell. */
struct auth_tell_failure {
    int64_t environment_id;
    const char *key;        /* provider config key */
    const char *connection; /* NULL = not known */
    const char *mode;       /* NULL = not known */
    const char *provider;   /* NULL = not known */
};
void auth_tell_failed(const struct auth *auth, const struct auth_tell_failure *failure,
    const struct err *why, const cJSON *const *secrets, size_t count);

/* The renewal of a token failed, and the failure is about to be noted. */
bool auth_tell_refresh(const struct auth *auth, int64_t connection_id,
    const struct err *why, struct webhook_outbox *outbox, struct err *err);

#endif
