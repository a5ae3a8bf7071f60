/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCRIPTS_ACTIVE_H
#define SCRIPTS_ACTIVE_H

#include "store/store.h"

/* A script in the version that is active now, for script_row_free(). NULL and *err (404
 * `not_found`) when it was removed. */
struct script_row *script_find_active(
    struct store *store, int64_t script_id, struct err *err);

#endif
