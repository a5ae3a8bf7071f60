/* SPDX-License-Identifier: Apache-2.0 */
/* nango.yaml, both forms (contract runner-sdk.md section 8): the scripts of each integration
 * and the models.
 *
 *   v2  integrations: KEY: syncs: NAME: {…}, actions: NAME: {…}, on-events: EVENT: [NAME]
 *   v1  integrations: KEY: NAME: {type: sync|action, runs, returns, …}
 *
 * It is v2 when the first integration has one of the members of v2. */
#ifndef CLI_NANGOYAML_H
#define CLI_NANGOYAML_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "catalog/fault.h"
#include "catalog/tree.h"
#include "cli/models.h"

#define NANGO_YAML "nango.yaml"
#define NANGO_YAML_MAX ((size_t)1 << 20)

struct nango_yaml {
    struct tree tree;
    struct models models;
    /* [{providerConfigKey, syncs: […], actions: […], onEventScripts: {event: [name]},
     *   postConnectionScripts?: [name]}], in the shape of the official `.nango/nango.json` */
    cJSON *integrations;
};

/* `text` may go afterwards. False when `faults` has got new ones; `out` is to be finished in both cases.
 * `warnings` are of what may be meant. */
bool nango_yaml_read(const char *file, const char *text, size_t len,
    struct nango_yaml *out, struct faults *faults, struct faults *warnings);
void nango_yaml_finish(struct nango_yaml *yaml); /* accepts a zeroed one */

#endif
