/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/paging.h"

#include <string.h>

#include "base/json.h"
#include "catalog/catalog.h"
#include "cli/paging_table.h"

bool paging_append(
    const char *provider, const char *catalog_file, struct buf *out, struct err *err)
{
    struct log log = {.fd = -1, .level = LOG_ERROR};
    struct catalog_source source = {.file = catalog_file, .log = &log};
    struct catalog *catalog = NULL;
    const struct provider *found;
    const cJSON *settings;

    if (!catalog_load(&source, &catalog, err))
        return err_context(err, "the catalogue");
    found = catalog_find(catalog, provider);
    settings = found == NULL ? NULL : json_path(found->entry, "proxy.paginate");
    if (settings != NULL) {
        json_append(out, settings);
        catalog_unref(catalog);
        return true;
    }
    catalog_unref(catalog);
    if (found == NULL) {
        for (size_t i = 0; i < sizeof paging_table / sizeof paging_table[0]; i++) {
            if (strcmp(paging_table[i].provider, provider) == 0) {
                buf_puts(out, paging_table[i].settings);
                return true;
            }
        }
    }
    buf_puts(out, "null");
    return true;
}
