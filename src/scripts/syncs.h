/* SPDX-License-Identifier: Apache-2.0 */
/* Running syncs: what is due, or was triggered, is claimed from the store (store/syncs.h),
 * run by the processes of actions, and its records saved (saves.h).
 *
 *   store ─► claimed, leased ─► run ─► records saved ─► ended in the store
 *     ▲            │ renewed all along        │
 *     └────────────┴── cancelled by a reset ──┘
 *
 * A thread of its own claims and renews; nothing that was acknowledged is only here. What
 * runs when the server ends is begun again by the next one. */
#ifndef SCRIPTS_SYNCS_H
#define SCRIPTS_SYNCS_H

#include "base/clock.h"
#include "records/records.h"
#include "scripts/action.h"
#include "store/syncs.h"

struct sync_runs;

struct sync_runs_config {
    struct actions *actions; /* NULL: this server runs no scripts, and commands only */
    struct store *store;
    struct records *records;
    struct oplog *oplog;
    const struct clock *clock;
    const struct log *log;
    struct webhooks *webhooks; /* NULL = nobody is told */
    int64_t wall_ms;
    size_t at_once;    /* syncs that run */
    size_t max_record; /* bytes */
    int max_retries;
    int64_t retry_ms; /* before the first; doubled for each further one */
};
/* The config's pointers are borrowed. */
bool sync_runs_start(
    const struct sync_runs_config *config, struct sync_runs **out, struct err *err);
/* No further one begins, and those that run are aborted. Called before actions_stop(), and
 * sync_runs_free() after it. Both accept NULL. */
void sync_runs_stop(struct sync_runs *syncs);
void sync_runs_free(struct sync_runs *syncs);

/* Something changed elsewhere that may be due now: a deploy, a connection. */
void sync_runs_wake(struct sync_runs *syncs);

/* Removes records that are of no sync any more: its script, its connection or its variant
 * is gone. To be called now and then. */
bool sync_runs_sweep(struct sync_runs *syncs, struct err *err);

/* Commands, as those of the store; durable when they return, and what is due by them
 * begins at once. */
bool sync_runs_trigger(struct sync_runs *syncs, const int64_t *ids, size_t count,
    enum sync_trigger how, struct err *err);
bool sync_runs_pause(struct sync_runs *syncs, const int64_t *ids, size_t count,
    bool paused, struct err *err);
bool sync_runs_set_frequency(struct sync_runs *syncs, int64_t id, const char *frequency,
    char **shown, struct err *err);
bool sync_runs_create_variant(struct sync_runs *syncs, const struct sync_variant *variant,
    char uuid[UUID_TEXT_SIZE], struct err *err);
/* With its records and its checkpoint. */
bool sync_runs_delete(
    struct sync_runs *syncs, const struct sync_row *sync, bool *found, struct err *err);

#endif
