/* SPDX-License-Identifier: Apache-2.0 */
/* Syncs in the store: schedules, and the runs that wait or go on.
 *
 *   deploy, connection made ─► sync ──due, or triggered──► run ──claimed──► run, leased
 *                               ▲                                              │
 *                               └────────────── what came of it ◄──────────────┘
 *
 * A sync is a script's, for one connection and variant. The store makes the `base` variant
 * of every sync script for every connection of its integration, in the transaction that
 * makes either, and removes them in that which deletes either. A sync has one run at a
 * time at most: the schema sees to that.
 *
 * A run is leased by a holder, who renews the lease while it goes on; what was not renewed
 * in time is anybody's to claim. Any thread. */
#ifndef STORE_SYNCS_H
#define STORE_SYNCS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/err.h"
#include "store/store.h"

#define SYNC_BASE "base"
#define SYNC_HOLDER_SIZE UUID_TEXT_SIZE

struct sync_row {
    int64_t id;
    char uuid[UUID_TEXT_SIZE];
    int64_t environment_id;
    int64_t integration_id;
    int64_t connection_row; /* row id */
    int64_t connection_made_ms;
    char *connection_id; /* as the customer names it */
    char *provider_config_key;
    int64_t script_id;
    char *name;
    char *variant;
    char *models_json; /* names of what it saves, of the active version */
    char *frequency;   /* as written: its own, else the script's */
    int64_t interval_ms;
    bool paused;
    int64_t due_at_ms;    /* 0 = no run is scheduled */
    int64_t runs;         /* begun so far */
    int64_t last_sync_ms; /* when the last run began that succeeded; 0 = none did */
    int64_t created_at_ms;
    bool running;
    /* of the run that goes on, else of the last that is over */
    bool initial;
    /* of the last that is over; finished_at_ms 0 = none is */
    int64_t started_at_ms;
    int64_t finished_at_ms;
    bool succeeded;
    char *result_json; /* an object; NULL = none */
};
void sync_row_free(struct sync_row *row); /* accepts NULL */
void store_syncs_free(struct sync_row **rows, size_t count);

struct sync_filter {
    int64_t environment_id;
    int64_t integration_id; /* 0 = all */
    int64_t connection_row; /* 0 = all */
    const char *name;       /* NULL = all */
    const char *variant;    /* NULL = all */
};
/* By name, variant, connection. */
bool store_list_syncs(struct store *store, const struct sync_filter *filter,
    struct sync_row ***out, size_t *count, struct err *err);

/* ---- commands ---- */

/* No further runs by the schedule, or again. `ids`: those that are gone do not matter. A
 * sync that starts again runs at its next time. */
bool store_pause_syncs(struct store *store, const int64_t *ids, size_t count, bool paused,
    int64_t now_ms, struct err *err);

enum sync_trigger {
    TRIGGER_NEXT = 1, /* from the last state */
    TRIGGER_RESET,    /* the last sync's date and the checkpoint forgotten */
    TRIGGER_CLEAR,    /* also the records removed */
};
/* A run each, due now; also of those that are paused. One that waits is taken for it. One
 * that goes on: another follows it; with TRIGGER_RESET and up it is cancelled. */
bool store_trigger_syncs(struct store *store, const int64_t *ids, size_t count,
    enum sync_trigger how, int64_t now_ms, struct err *err);

/* Another frequency for this one, or (NULL) its script's again; *shown is what it now has
 * (the caller frees). The text was checked by frequency_parse(). False with 404
 * `unknown_sync` when it is gone. */
bool store_set_sync_frequency(struct store *store, int64_t id, const char *frequency,
    int64_t now_ms, char **shown, struct err *err);

/* Another variant of a script's sync for a connection. 409 `sync_variant_already_exists`,
 * 400 `resource_capped` when the script has SYNC_MAX_VARIANTS there, 404 `unknown_sync`
 * when the connection's integration has no such sync. */
#define SYNC_MAX_VARIANTS 100
struct sync_variant {
    int64_t environment_id;
    int64_t connection_row;
    const char *name;
    const char *variant;
};
bool store_create_sync_variant(struct store *store, const struct sync_variant *variant,
    int64_t now_ms, char uuid[UUID_TEXT_SIZE], struct err *err);
/* Removes a sync; what runs of it finds itself gone. */
bool store_delete_sync(struct store *store, int64_t id, bool *found, struct err *err);

/* ---- running ---- */

struct sync_run {
    int64_t id;
    int64_t number; /* of the sync's runs, from 1 */
    int attempts;   /* this one included */
    bool initial;   /* there is no last sync's date */
    bool reset;
    bool clear;
    int64_t started_at_ms; /* of the first attempt */
    struct sync_row *sync;
};
void store_sync_runs_free(struct sync_run *runs, size_t count);

struct sync_claim {
    const char *holder;
    int64_t now_ms;
    int64_t lease_until_ms;
    size_t max;
};
/* Takes up to `max` runs: those that nobody renews, those that were triggered, those that
 * are due by their schedule. *next_ms: when the next will be due if nothing changes; 0 =
 * none will. Durable when it returns. */
bool store_claim_sync_runs(struct store *store, const struct sync_claim *claim,
    struct sync_run **out, size_t *count, int64_t *next_ms, struct err *err);
/* Renews all of a holder's. `kept`: ids of those that go on; any other of its is to end,
 * since it was cancelled, or its sync removed. The caller frees. */
bool store_renew_sync_runs(struct store *store, const char *holder,
    int64_t lease_until_ms, int64_t **kept, size_t *count, struct err *err);

struct sync_end {
    int64_t run_id;
    const char *holder;
    bool succeeded;
    int64_t now_ms;
    const char *result_json;             /* NULL = none */
    int64_t retry_at_ms;                 /* 0 = it is over */
    const struct webhook_puts *webhooks; /* put in the same write; NULL = none */
};
/* *kept = false when the run was no longer the holder's: nothing is written then. */
bool store_end_sync_run(
    struct store *store, const struct sync_end *end, bool *kept, struct err *err);
/* The only server of a store begins: no lease of before counts. */
bool store_free_sync_runs(struct store *store, struct err *err);

/* There are no records any more: every sync begins anew, as after TRIGGER_RESET. *count: of
 * those that had begun. */
bool store_forget_syncs(struct store *store, size_t *count, struct err *err);

/* Overwrites the date that a sync's next run gets (setLastSyncDate of old scripts). */
bool store_set_last_sync(
    struct store *store, int64_t sync_id, int64_t last_sync_ms, struct err *err);

#endif
