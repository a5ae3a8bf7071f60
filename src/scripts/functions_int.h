/* SPDX-License-Identifier: Apache-2.0 */
/* Between functions.c and function_deploy.c. */
#ifndef SCRIPTS_FUNCTIONS_INT_H
#define SCRIPTS_FUNCTIONS_INT_H

#include "scripts/functions.h"

/* A job, with copies of what its order says. */
struct function_job {
    struct functions *functions;
    int64_t id;
    char uuid[UUID_TEXT_SIZE];
    int64_t began_ms; /* monotonic */
    enum function_job_kind kind;
    int64_t environment_id;
    enum script_kind function_kind;
    char *integration, *name, *file, *code;
    int64_t connection_id;
    char *input, *metadata, *checkpoint, *last_sync;
    char *version;
    bool allow_destructive;
};

/* Deploys compiled code: *version (for free()) is what it became. False with the fault's
 * code `deployment_error` or a deploy's own. */
bool function_deploy(const struct functions_config *config,
    const struct function_job *job, const char *js, size_t js_len, char **version,
    struct compile_fault *fault);

#endif
