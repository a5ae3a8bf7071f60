/* SPDX-License-Identifier: Apache-2.0 */
/* What an entry of the catalogue may hold (contract providers.md sections 3 – 6): one
 * table of the keys that we know and of the values they take. Known keys with a wrong
 * value are faults; unknown keys are accepted and reported once each, so that a newer
 * catalogue still loads. */
#ifndef CATALOG_SCHEMA_H
#define CATALOG_SCHEMA_H

#include "base/log.h"
#include "catalog/fault.h"
#include "catalog/tree.h"

struct schema_unknown; /* the unknown keys met so far */

/* Checks one entry as its file has it (aliases not yet followed). False when there was a
 * fault. */
bool schema_check(const char *file, const struct tree_node *entry, struct faults *faults,
    struct schema_unknown **unknown);
/* What every entry needs once its alias is followed. */
bool schema_check_resolved(const char *file, int line, const cJSON *entry,
    struct faults *faults, const char *name);

/* One warning a key, with the place where it was first met; `log` may be NULL. */
void schema_log_unknown(const struct schema_unknown *unknown, const struct log *log);
void schema_free_unknown(struct schema_unknown *unknown);

/* Letters, digits and `-`: the names of entries. */
bool schema_is_entry_name(const char *name);

#endif
