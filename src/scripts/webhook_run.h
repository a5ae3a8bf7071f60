/* SPDX-License-Identifier: Apache-2.0 */
/* One execution of a sync's `onWebhook` for what a provider sent: it saves records as the
 * sync does, and the customer is told what it changed. */
#ifndef SCRIPTS_WEBHOOK_RUN_H
#define SCRIPTS_WEBHOOK_RUN_H

#include "scripts/action.h"
#include "store/syncs.h"
#include "webhooks/webhooks.h"

struct webhook_run;

struct webhook_run_config {
    struct store *store;
    struct records *records;
    struct webhooks *webhooks; /* NULL = nobody is told */
    const struct clock *clock;
    const struct log *log;
    size_t max_record; /* bytes */
    int64_t wall_ms;
};
/* NULL and *err (404 `unknown_sync`) when the connection has no such sync any more.
 * `config` is borrowed for its life. */
struct webhook_run *webhook_run_new(const struct webhook_run_config *config,
    const struct script_row *script, const struct connection_row *connection,
    struct err *err);
void webhook_run_free(struct webhook_run *run); /* accepts NULL */
const struct action_hooks *webhook_run_hooks(struct webhook_run *run);
bool webhook_run_tell_end(struct webhook_run *run, const struct script_outcome *outcome,
    struct webhook_outbox *outbox, struct err *err);

#endif
