/* SPDX-License-Identifier: Apache-2.0 */
/* What an execution of a sync's script has, whether it runs by schedule or for what a
 * provider sent. */
#ifndef SCRIPTS_SYNC_CONTEXT_H
#define SCRIPTS_SYNC_CONTEXT_H

#include "records/records.h"
#include "store/syncs.h"

/* Where its records are, without a model. Borrows. */
struct records_place sync_place(const struct sync_row *sync);

/* More properties of `nango`, as struct action_hooks wants them. `number`: of the run; 0 =
 * it is none by schedule. The caller frees. */
char *sync_props(
    const struct sync_row *sync, const struct script_row *script, int64_t number);

#endif
