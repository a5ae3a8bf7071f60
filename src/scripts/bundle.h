/* SPDX-License-Identifier: Apache-2.0 */
/* Deploying functions that were made by createFunction(): the command line posts all of an
 * environment, or of an integration, and what is not among them goes.
 *
 * A function's version is a hash of all that was posted of it, so that what has not changed
 * is left alone. Functions are a kind of their own beside actions and syncs; a deploy of
 * those does not touch them, nor the other way round. */
#ifndef SCRIPTS_BUNDLE_H
#define SCRIPTS_BUNDLE_H

#include "scripts/deploy.h"

struct bundle {
    const char *scope; /* an integration; NULL = the environment */
    struct deploy deploy;
};

/* Reads a body, which must outlive *out; any JSON may be given. A function that this
 * server cannot run is refused: 400 `functions_deployment_error`. On failure *out needs no
 * finishing. */
bool bundle_parse(const cJSON *body, struct bundle *out, struct deploy_fault *fault);
void bundle_finish(struct bundle *bundle);

enum bundle_change {
    BUNDLE_CREATED,
    BUNDLE_UPDATED,
    BUNDLE_UNCHANGED,
    BUNDLE_DELETED,
    BUNDLE_CHANGES,
};

/* One function, and what becomes of it. */
struct bundle_entry {
    enum bundle_change change;
    const char *integration; /* the bundle's, or the plan's */
    const char *name;
    int64_t id; /* of a script that is deleted */
};
struct bundle_plan {
    struct script_row **running; /* all functions of the environment */
    size_t running_count;
    struct bundle_entry *entries; /* those posted, in order, then the deleted */
    size_t count;
};
/* What would be done, or with `apply` what was. An unknown integration: 400
 * `integration_not_found`. Code that does not load: 400 `script_does_not_load`. */
bool bundle_deploy(struct scripts *scripts, int64_t environment_id, struct bundle *bundle,
    bool apply, struct bundle_plan *out, struct deploy_fault *fault);
void bundle_plan_finish(struct bundle_plan *plan);

#endif
