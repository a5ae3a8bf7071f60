/* SPDX-License-Identifier: Apache-2.0 */
/* Our own provider files (catalog/ at the top of the sources), read, checked and resolved
 * when the program was built: the text that layers_add_resolved() takes. */
#ifndef CATALOG_EMBEDDED_H
#define CATALOG_EMBEDDED_H

#include <stddef.h>

extern const char catalog_embedded_text[];
extern const size_t catalog_embedded_len;

#endif
