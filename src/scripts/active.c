/* SPDX-License-Identifier: Apache-2.0 */
#include "scripts/active.h"

struct script_row *script_find_active(
    struct store *store, int64_t script_id, struct err *err)
{
    struct script_row **rows = NULL, *found = NULL;
    size_t count = 0;

    if (!store_list_script_versions(store, script_id, &rows, &count, err))
        return NULL;
    for (size_t i = 0; i < count; i++)
        if (rows[i]->active && found == NULL) {
            found = rows[i];
            rows[i] = NULL;
        }
    store_scripts_free(rows, count);
    if (found == NULL)
        err_set(err, 404, "not_found", "The script was removed");
    return found;
}
