/* SPDX-License-Identifier: Apache-2.0 */
/* The models of a deploy: one JSON schema with `definitions`, of which each script keeps
 * what it names and what that refers to. */
#ifndef SCRIPTS_SCHEMA_H
#define SCRIPTS_SCHEMA_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct schema_index;

/* Finds definitions without looking through all of them each time. Borrows `schema`, which
 * may be any value. Never NULL. */
struct schema_index *schema_index_new(const cJSON *schema);
void schema_index_free(struct schema_index *index); /* accepts NULL */

/* `{"definitions":{…}}` of the names and all that they refer to, as text (free()). NULL
 * when one is missing: 400 `deploy_missing_json_schema_model`; when the text would be
 * longer than `*budget`: 413 `request_too_large`. What was used goes off the budget. */
char *schema_pick(struct schema_index *index, const char *const *names, size_t count,
    size_t *budget, struct err *err);

#endif
