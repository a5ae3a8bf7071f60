/* SPDX-License-Identifier: Apache-2.0 */
/* The checkpoint of one execution: what the script before it left, and what it leaves to
 * the next (contract runner-sdk.md section 4). The version that the execution saw last
 * must still be the stored one when it writes, so that of two at once one fails. */
#ifndef SCRIPTS_CHECKPOINTS_H
#define SCRIPTS_CHECKPOINTS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/json_raw.h"
#include "base/log.h"
#include "store/store.h"

/* "action:<name>", "on-event:<name>", "webhook:<name>", "sync:<name>:<variant>". `variant`
 * is NULL but for syncs. The caller frees. */
char *script_checkpoint_key(const char *kind, const char *name, const char *variant);

struct script_checkpoint {
    struct store *store; /* borrowed, as `log` is */
    const struct log *log;
    int64_t connection_id; /* row id */
    char *key;
    pthread_mutex_t lock; /* of what follows */
    bool seen;            /* `version` is that of the last look or write */
    int64_t version;
};

/* Takes `key` over. */
void script_checkpoint_init(struct script_checkpoint *checkpoint, struct store *store,
    const struct log *log, int64_t connection_id, char *key);
void script_checkpoint_finish(struct script_checkpoint *checkpoint);

bool script_checkpoint_known(const char *method);
/* getCheckpoint, saveCheckpoint or clearCheckpoint, as struct script_ops wants it. Any
 * thread, several at once. */
bool script_checkpoint_call(struct script_checkpoint *checkpoint, const char *method,
    struct json_raw args, struct buf *out);

#endif
