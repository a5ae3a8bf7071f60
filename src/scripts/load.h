/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a script that is to be deployed loads: the check that deploys ask for. */
#ifndef SCRIPTS_LOAD_H
#define SCRIPTS_LOAD_H

#include "scripts/action.h"
#include "scripts/deploy.h"

/* For struct script_check; `actions` is a struct actions. Blocking, any thread. */
bool script_loads(
    void *actions, const struct script_source *source, struct deploy_fault *fault);

/* The first place that a stack names ("    at name (FILE:LINE:COLUMN)"): what is not found
 * leaves file "" and line 0. For tests as well. */
void script_stack_place(const char *stack, char *file, size_t size, int *line);

#endif
