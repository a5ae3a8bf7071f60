/* SPDX-License-Identifier: Apache-2.0 */
/* The models of a nango.yaml: its type grammar (contract runner-sdk.md section 8) as a tree,
 * and what is made of it: TypeScript and JSON schema.
 *
 *   Issue:                      model Issue
 *     id: string                  field id            word string
 *     title?: string              field title, optional
 *     labels: Label[]             field labels        list of model Label
 *     state: open | closed        field state         union of texts
 *     author: {name: string}      field author        object
 *     __extends: Base             fields of Base that are not given here
 *     __string: any               any other field
 *
 * Nothing is fetched or written here. One thread uses a `struct models`. */
#ifndef CLI_MODELS_H
#define CLI_MODELS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "catalog/fault.h"
#include "catalog/tree.h"

enum type_kind {
    TYPE_WORD,   /* `text`: a type of TypeScript, such as `string` */
    TYPE_MODEL,  /* `text`: its name */
    TYPE_TEXT,   /* `text`: the only value */
    TYPE_VALUE,  /* `text`: null, true, false or a number */
    TYPE_UNION,  /* of `parts` */
    TYPE_LIST,   /* of the one in `parts` */
    TYPE_OBJECT, /* with `fields` */
};

struct type {
    enum type_kind kind;
    const char *text;
    struct type *parts;
    struct type *next; /* in a union */
    struct model_field *fields;
};

struct model_field {
    const char *name;
    bool optional;
    bool any_name; /* `__string`: the fields that have no line of their own */
    struct type *type;
    struct model_field *next;
};

enum model_state {
    MODEL_NEW,
    MODEL_READING, /* it is what some model extends that is read now */
    MODEL_READ,
};

struct model {
    const char *name;
    enum model_state state;
    const struct tree_node *node; /* NULL for one without a name of its own */
    struct model_field *fields;
    struct type *type; /* of one without a name: it is an alias, not an interface */
    struct model *next;
};

struct models_memory;
/* Zeroed = empty. Texts borrow from the tree. */
struct models {
    const char *file; /* for faults */
    const struct tree_node *node;
    struct model *first, *last;
    size_t field_count;
    struct faults *faults, *warnings;
    struct models_memory *memory;
};

/* Reads all models under `node` (NULL = there are none). What is wrong is added to
 * models->faults, what looks wrong to models->warnings. */
void models_read(struct models *models, const struct tree_node *node);
void models_finish(struct models *models);

struct model *models_find(const struct models *models, const char *name);
/* The model that a script's input or output names, or one without a name made of its type
 * words, called `name`. NULL after a fault. */
struct model *models_for(
    struct models *models, const struct tree_node *node, const char *name);
const struct model_field *model_field(const struct model *model, const char *name);
/* Appends `name` and the names of all models that it refers to, unless they are there. */
void models_used(const struct models *models, const char *name, cJSON *names);
/* Copied; lives as long as the models. */
const char *models_text(struct models *models, const char *text);

/* An `export interface` or `export type` for each. */
void models_append_ts(const struct models *models, struct buf *out);
/* {"$schema", "definitions": {…}}: draft-07. */
cJSON *models_schema(const struct models *models);

#endif
