/* SPDX-License-Identifier: Apache-2.0 */
/* A dry run: code that is run against a connection without being deployed, and without
 * leaving anything behind here.
 *
 *   proxy, getConnection, triggerAction …   as for any script: the provider is called
 *   metadata, checkpoints, locks            kept for this run only
 *   batchSave and its like                  written down: what would be saved
 *   triggerSync, startSync                  written down, nothing more
 *
 * What it logged and would save is told as text, in the manner of the official command
 * line's dry run, and what it would save as JSON besides. */
#ifndef SCRIPTS_DRYRUN_H
#define SCRIPTS_DRYRUN_H

#include "scripts/action.h"

struct dryrun_order {
    enum script_kind kind;
    /* From malloc(), and taken over. */
    char *code; /* as compiled */
    size_t code_len;
    char *input;      /* JSON; NULL = undefined */
    char *metadata;   /* an object, in place of the connection's; NULL */
    char *checkpoint; /* an object; NULL = there is none */
    char *last_sync;  /* ISO 8601; NULL */
    int64_t wall_ms;
    size_t max_rows; /* bytes of rows that are told; what is beyond is counted only */
    size_t max_text;
};

struct dryrun;
/* Called once, from any thread; `run` is for the functions below until this returns. */
typedef void dryrun_done(
    void *arg, const struct dryrun *run, const struct script_outcome *outcome);

/* Borrows the connection and the order until it returns. */
void dryrun_start(struct actions *actions, struct connection_row *connection,
    const struct dryrun_order *order, dryrun_done *done, void *arg);

/* Appends the text: what was logged, and how it ended. */
void dryrun_text(const struct dryrun *run, struct buf *out);
/* Appends what a sync would have saved:
 * {"counts":{"added","updated","deleted"},"saved":{MODEL:[…]},"updated":…,"deleted":…,
 *  "truncated":BOOL}. */
void dryrun_records(const struct dryrun *run, struct buf *out);

#endif
