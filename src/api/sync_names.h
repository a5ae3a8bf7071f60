/* SPDX-License-Identifier: Apache-2.0 */
/* Which syncs a request is about (contract http-api.md section 8). */
#ifndef API_SYNC_NAMES_H
#define API_SYNC_NAMES_H

#include "api/api_int.h"
#include "store/syncs.h"

/* "name", "name::variant" or {name, variant}; for rules of elements. */
extern const struct rule RULE_SYNC_NAME;

/* Whose syncs: rows, for sync_target_finish(). */
struct sync_target {
    struct integration_row *integration;
    struct connection_row *connection; /* NULL = all of the integration */
};
/* False after a reply: 400 `unknown_provider_config`, 404 `unknown_connection`. */
bool sync_target_find(struct call *call, const char *provider_config_key,
    const char *connection_id, struct sync_target *out);
void sync_target_finish(struct sync_target *target);

/* Row ids of those that `names` (elements that RULE_SYNC_NAME has checked; none = all)
 * means, for free(). False after a reply: 400 `no_syncs_found` when there is none, or one
 * of the names stands for none. */
bool sync_ids_find(struct call *call, const struct sync_target *target,
    const cJSON *names, int64_t **ids, size_t *count);

/* One sync of a connection, for sync_row_free(); NULL when there is none. False after a
 * reply. `variant` NULL = the base. */
bool sync_find(struct call *call, const struct connection_row *connection,
    const char *name, const char *variant, struct sync_row **out);

/* A name's parts, for the caller to free. Without a variant it is the base. */
void sync_name_split(const char *text, char **name, char **variant);

#endif
