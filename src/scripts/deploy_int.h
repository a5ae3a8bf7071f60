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

#endif
