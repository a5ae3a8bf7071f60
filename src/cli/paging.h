/* SPDX-License-Identifier: Apache-2.0 */
/* How a provider's lists are paged: what `paginate` in scripts starts from. */
#ifndef CLI_PAGING_H
#define CLI_PAGING_H

#include "base/buf.h"
#include "base/err.h"

/* Appends the settings of the provider as a JSON object, or `null` where it has none.
 * `catalog_file`: a catalogue to look into instead of the built-in one; NULL. */
bool paging_append(
    const char *provider, const char *catalog_file, struct buf *out, struct err *err);

#endif
