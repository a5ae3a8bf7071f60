/* SPDX-License-Identifier: Apache-2.0 */
/* Locks of scripts (contract runner-sdk.md section 2): a name within an environment is
 * held by one execution, until it lets go, ends, or its time is over. Executions live no
 * longer than this process, so locks need not either. */
#ifndef SCRIPTS_LOCKS_H
#define SCRIPTS_LOCKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

struct script_locks;

/* `clock` is borrowed; it decides when a lock's time is over. */
struct script_locks *script_locks_new(const struct clock *clock);
void script_locks_free(struct script_locks *locks); /* accepts NULL */

/* All from any thread. `owner` names an execution; 0 is none. */
/* True when it was free, over, or held by `owner` already; its time then begins anew. */
bool script_lock(struct script_locks *locks, int64_t environment_id, const char *key,
    uint64_t owner, int64_t ttl_ms);
/* False when `owner` did not hold it. */
bool script_unlock(
    struct script_locks *locks, int64_t environment_id, const char *key, uint64_t owner);
void script_unlock_all(struct script_locks *locks, uint64_t owner);

#endif
