/* SPDX-License-Identifier: Apache-2.0 */
/* What a deploy of a project posts (contract http-api.md section 12). Of a project with an
 * index.ts each compiled script is loaded in nango-runner, and says itself what it is; of one
 * with a nango.yaml that file says it. */
#ifndef CLI_FLOWS_H
#define CLI_FLOWS_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "base/err.h"
#include "cli/host.h"
#include "cli/project.h"

/* Which scripts; NULL = all. */
struct flows_choice {
    const char *integration;
    const char *sync, *action; /* these alone, and what else there is stays */
};

/* The flow of a script that was bundled, without its code; of an index.ts's script of an event {type,
 * event}. For the caller to free; NULL and *err, after a script that does not load was printed as
 * "FILE:LINE: error: …". */
cJSON *flow_of(struct host *host, const struct project *project,
    const struct project_script *script, struct err *err);

/* The body of a confirmation, for the caller to free: a deploy's has `reconcile` true and
 * `nangoYamlBody` besides. The scripts must have been bundled. NULL and *err. */
cJSON *flows_body(
    const struct project *project, const struct flows_choice *choice, struct err *err);

#endif
