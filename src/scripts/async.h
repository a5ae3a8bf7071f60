/* SPDX-License-Identifier: Apache-2.0 */
/* Actions that nobody waits for: durable once ordered, run one at a time for each
 * environment, tried again as often as asked, their outcome kept for who comes for it
 * (contract http-api.md sections 9.1 and 9.2). */
#ifndef SCRIPTS_ASYNC_H
#define SCRIPTS_ASYNC_H

#include "base/clock.h"
#include "scripts/action.h"
#include "vault/vault.h"

struct async_actions;

struct async_config {
    struct actions *actions;
    struct store *store;
    struct vault *vault;
    const struct clock *clock;
    const struct log *log;
    int64_t retry_ms; /* before the first retry; doubled for each further one */
};
/* Takes up what the last server left. The config's pointers are borrowed. */
bool async_actions_start(
    const struct async_config *config, struct async_actions **out, struct err *err);
/* No further one begins. Those that run still tell what came of them, so this is called
 * before actions_stop(), and async_actions_free() after it. Both accept NULL. */
void async_actions_stop(struct async_actions *async);
void async_actions_free(struct async_actions *async);

struct async_order {
    const struct script_row *script;
    const struct connection_row *connection;
    const char *input; /* JSON; NULL = undefined */
    int max_retries;
};
/* Durable when it returns. `uuid` names it from here on. */
bool async_actions_order(struct async_actions *async, const struct async_order *order,
    char uuid[UUID_TEXT_SIZE], struct err *err);
/* What came of it: *over is false while that is not known, and when the environment has
 * none of that name. The caller finishes *out. */
bool async_action_outcome(struct async_actions *async, int64_t environment_id,
    const char *uuid, struct script_outcome *out, bool *over, struct err *err);

#endif
