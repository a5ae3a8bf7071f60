/* SPDX-License-Identifier: Apache-2.0 */
/* What an execution's outcome is to whoever asked for it (contract http-api.md section
 * 9.1). */
#ifndef API_ACTION_JSON_H
#define API_ACTION_JSON_H

#include "base/buf.h"
#include "scripts/run.h"

/* Appends the answer's body and returns its status. */
int action_answer(const struct script_outcome *outcome, struct buf *body);

#endif
