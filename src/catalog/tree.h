/* SPDX-License-Identifier: Apache-2.0 */
/* YAML text as a tree that remembers its lines (contract providers.md section 1).
 *
 * The syntax is libyaml's; the meaning of plain scalars is YAML 1.2's core schema: only
 * true and false are booleans, numbers are numbers, quoted and block scalars stay text.
 * What has no place in a catalogue is a fault: anchors and `*` aliases, tags, merge keys,
 * a second document, a key given twice, a key that is no scalar, U+0000, numbers that
 * JSON cannot hold. Depth, size and the number of nodes are bounded. */
#ifndef CATALOG_TREE_H
#define CATALOG_TREE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catalog/fault.h"

#define TREE_MAX_BYTES ((size_t)16 << 20)
#define TREE_MAX_DEPTH 32
#define TREE_MAX_NODES 1000000

enum tree_kind {
    TREE_NULL,
    TREE_BOOL,
    TREE_NUMBER,
    TREE_TEXT,
    TREE_LIST,
    TREE_MAP,
};

struct tree_node {
    enum tree_kind kind;
    int line;        /* where the key stands, or the value when it has none */
    const char *key; /* NULL unless a member of a map */
    uint32_t key_hash;
    const char *text; /* a scalar as written, quotes and escapes resolved */
    bool truth;
    double number;
    size_t count; /* of children */
    struct tree_node *first;
    struct tree_node *last;
    struct tree_node *next; /* sibling */
};

struct tree_chunk;
/* Zeroed = empty. All nodes live in the chunks and go with tree_finish(). */
struct tree {
    struct tree_chunk *chunks;
    size_t nodes;
    struct tree_node *root; /* NULL for an empty file */
};

/* False when there was a fault; they are added to `faults` under the name `file`. */
bool tree_parse(const char *file, const char *text, size_t len, struct tree *out,
    struct faults *faults);
void tree_finish(struct tree *tree);

const struct tree_node *tree_get(const struct tree_node *map, const char *key);
const char *tree_kind_name(enum tree_kind kind); /* "a text", "a list", … */
cJSON *tree_to_json(const struct tree_node *node);

#endif
