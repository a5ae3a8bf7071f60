/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of scripts, in one of two forms:
 *
 *   index.ts    imports each script: ./KEY/syncs/NAME.js, ./KEY/actions/NAME.js,
 *               ./KEY/on-events/NAME.js. What a script is it says itself (createSync(), …).
 *   nango.yaml  says what there is; the scripts are in the same places, or NAME.ts beside it.
 *
 * With both, index.ts counts, as for the official command line. What is compiled is
 * build/KEY_syncs_NAME.cjs and so on. */
#ifndef CLI_PROJECT_H
#define CLI_PROJECT_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "catalog/fault.h"
#include "cli/nangoyaml.h"

struct project_script {
    const char *kind; /* "sync", "action", "on-event" */
    char *integration, *name;
    char *event;        /* of nango.yaml's scripts of events; else NULL */
    char *source;       /* within the project: KEY/syncs/NAME.ts */
    char *built;        /* likewise: build/KEY_syncs_NAME.cjs */
    const cJSON *entry; /* what nango.yaml says of it; else NULL */
};

struct project {
    char *dir;
    bool zero; /* it has an index.ts */
    struct buf yaml_text;
    struct nango_yaml yaml;
    struct project_script *scripts;
    size_t count;
};

/* False when it is no project or there is something wrong with it, which was printed as
 * "FILE:LINE: error: …"; *err then says so in short. To be finished in both cases. */
bool project_open(struct project *project, const char *dir, struct err *err);
void project_finish(struct project *project); /* accepts a zeroed one */

/* The path of one of its files; the caller frees. */
char *project_path(const struct project *project, const char *name);
/* Those of that name; `integration` and `kind` NULL = any. NULL and *err when there is none, or
 * more than one. */
const struct project_script *project_find(const struct project *project, const char *name,
    const char *integration, const char *kind, struct err *err);
/* Prints and empties the list. */
void project_tell(struct faults *faults, const char *what);

#endif
