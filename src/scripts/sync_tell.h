/* SPDX-License-Identifier: Apache-2.0 */
/* The webhooks of a sync's end (contract webhooks.md section 4.2): one for each model when
 * it succeeded, one for all of them when it failed. */
#ifndef SCRIPTS_SYNC_TELL_H
#define SCRIPTS_SYNC_TELL_H

#include "scripts/run.h"
#include "scripts/saves.h"
#include "store/syncs.h"
#include "webhooks/webhooks.h"

struct sync_end_told {
    struct store *store;
    struct webhooks *webhooks;
    const struct sync_run *run;
    const char *url_override;        /* the connection's; NULL = none */
    const struct script_row *script; /* NULL where the kind is told */
    struct saves *saves;
    const char *kind; /* NULL: INITIAL or INCREMENTAL, as the run was */
    const char *checkpoint_key;
    const char *checkpoint_from;          /* as it was when the run began; NULL = none */
    const struct script_outcome *outcome; /* NULL = success */
    int64_t now_ms;
};
bool sync_tell_end(
    const struct sync_end_told *told, struct webhook_outbox *outbox, struct err *err);

#endif
