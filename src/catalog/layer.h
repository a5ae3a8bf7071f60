/* SPDX-License-Identifier: Apache-2.0 */
/* Catalogue files laid over one another, and their aliases followed (contract
 * providers.md section 1). Each file is a layer: an entry replaces the whole entry of
 * that name beneath it.
 *
 * Aliases are followed once, in the order of the file: the target's members, then the
 * entry's own over them (shallow: an own `proxy` replaces the target's `proxy`; ''
 * switches a key off). A target is looked for in the same file, then in the layers
 * beneath; an alias to the entry's own name means the one beneath. A target of the same
 * file that is itself an alias must stand before. */
#ifndef CATALOG_LAYER_H
#define CATALOG_LAYER_H

#include "catalog/hash.h"
#include <cjson/cJSON.h>

#include "base/buf.h"
#include "base/err.h"
#include "catalog/fault.h"
#include "catalog/schema.h"

struct layered_entry {
    char *name;
    cJSON *json;  /* resolved */
    char *origin; /* the file's name without its directories */
    UT_hash_handle hh;
};
struct layers {
    struct layered_entry *entries; /* a uthash, in the order of first definition */
    struct schema_unknown *unknown;
};

/* Lays one YAML file over what is there. False when a fault was added; then nothing
 * changed. */
bool layers_add_yaml(struct layers *layers, const char *file, const char *text,
    size_t len, struct faults *faults);
bool layers_add_file(struct layers *layers, const char *path, struct faults *faults);
/* Every *.yaml of a directory, by name. */
bool layers_add_dir(struct layers *layers, const char *dir, struct faults *faults);
/* `{name: {"origin":…, "entry":{…}}}` as layers_print() wrote it: trusted, not checked
 * again. */
bool layers_add_resolved(
    struct layers *layers, const char *text, size_t len, struct err *err);
void layers_print(const struct layers *layers, struct buf *out);
void layers_finish(struct layers *layers);

#endif
