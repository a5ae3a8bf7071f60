/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of deploying. */
#ifndef SCRIPTS_DEPLOY_INT_H
#define SCRIPTS_DEPLOY_INT_H

#include "scripts/deploy.h"

/* Says whose fault it is: puts the script before the message. Returns false. */
bool deploy_blame(struct deploy_fault *fault, const struct deploy_item *item);

/* deploy_check.c: what scripts of one deploy must not have in common. */
bool deploy_check_unique(const struct deploy *deploy, struct deploy_fault *fault);
/* An endpoint that a script outside of the deploy has, and keeps. `kept`: those rows. */
bool deploy_check_running(const struct deploy *deploy, struct script_row *const *kept,
    size_t count, struct deploy_fault *fault);

/* deploy.c: one deploy at a time for each environment. 409 `concurrent_deployment`. */
bool deploy_begin(struct scripts *scripts, int64_t environment_id, struct err *err);
void deploy_end(struct scripts *scripts, int64_t environment_id);

/* deploy_plan.c: the integrations of all items. 400 `unknown_provider_config`. */
bool deploy_resolve(struct scripts *scripts, int64_t environment_id,
    struct deploy *deploy, struct deploy_fault *fault);
/* Fills item->before of the items from plan->running; the rows that no item is go to
 * `others`, which has room for all. */
void deploy_match(struct deploy *deploy, const struct deploy_plan *plan,
    struct script_row **others, size_t *count);

/* Of the release whose functions run here. */
#define SDK_VERSION_ZERO "0.71.10-zero"

#endif
