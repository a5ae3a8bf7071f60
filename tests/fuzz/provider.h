/* SPDX-License-Identifier: Apache-2.0 */
/* A provider for targets that need one: the entry `p` of a catalogue's text, read once. */
#ifndef TESTS_FUZZ_PROVIDER_H
#define TESTS_FUZZ_PROVIDER_H

#include <stdlib.h>

#include "catalog/catalog.h"

static inline const struct provider *fuzz_provider(const char *entry)
{
    static struct catalog *catalog;
    struct err err = {0};

    if (catalog == NULL) {
        struct catalog_source source = {.extra_yaml = entry};

        if (!catalog_load(&source, &catalog, &err))
            abort();
    }
    return catalog_find(catalog, "p");
}

#endif
