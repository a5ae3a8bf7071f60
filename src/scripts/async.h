/* SPDX-License-Identifier: Apache-2.0 */
/* Scripts that nobody waits for, durable once they are ordered.
 *
 * Actions run one at a time for each environment, are tried again as often as asked, and
 * their outcome is kept for who comes for it (contract http-api.md sections 9.1 and 9.2).
 *
 * Scripts of a created connection are ordered by the write that creates it (store.h), run
 * one at a time for each connection, once; that one failed is logged. One that a server's
 * end broke off begins anew at the next start. */
#ifndef SCRIPTS_ASYNC_H
#define SCRIPTS_ASYNC_H

#include "base/clock.h"
#include "scripts/action.h"
#include "vault/vault.h"

struct async_runs;

struct async_config {
    struct actions *actions;
    struct store *store;
    struct vault *vault;
    struct oplog *oplog; /* NULL: no logs of operations are kept */
    const struct clock *clock;
    const struct log *log;
    struct webhooks *webhooks; /* NULL = nobody is told */
    /* Of scripts that take what a provider sent. */
    struct records *records;
    size_t max_record;
    int64_t webhook_wall_ms;
    int64_t retry_ms; /* before the first retry; doubled for each further one */
};
/* Takes up what the last server left. The config's pointers are borrowed. */
bool async_runs_start(
    const struct async_config *config, struct async_runs **out, struct err *err);
/* No further one begins. Those that run still tell what came of them, so this is called
 * before actions_stop(), and async_runs_free() after it. Both accept NULL. */
void async_runs_stop(struct async_runs *async);
void async_runs_free(struct async_runs *async);

/* Something was ordered elsewhere: it begins now. */
void async_runs_wake(struct async_runs *async);

struct async_order {
    const struct script_row *script;
    const struct connection_row *connection;
    const char *input; /* JSON; NULL = undefined */
    int max_retries;
};
/* Durable when it returns. `uuid` names it from here on. */
bool async_action_order(struct async_runs *async, const struct async_order *order,
    char uuid[UUID_TEXT_SIZE], struct err *err);
/* What came of it: *over is false while that is not known, and when the environment has
 * none of that name. The caller finishes *out. */
bool async_action_outcome(struct async_runs *async, int64_t environment_id,
    const char *uuid, struct script_outcome *out, bool *over, struct err *err);

#endif
