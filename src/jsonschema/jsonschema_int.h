/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the validator: compile.c walks the document and notes what its references and
 * patterns lead to; check.c walks document and value together, object.c and array.c have
 * the keywords of those; report.c words what is wrong. */
#ifndef JSONSCHEMA_JSONSCHEMA_INT_H
#define JSONSCHEMA_JSONSCHEMA_INT_H

#include <stdint.h>

#include "base/regex.h"
#include "jsonschema/jsonschema.h"

/* ---- compiled ---- */

/* What stands in the document at `key`: a $ref's target, or the pattern of a text. */
struct note {
    const cJSON *key;
    const cJSON *target; /* of a $ref */
    bool inlined;        /* the target holds no reference itself */
    struct regex *regex; /* of a pattern; NULL = cannot be evaluated, and passes */
};

struct jsonschema {
    cJSON *document;
    struct note *notes; /* sorted by key */
    size_t note_count;
};
const struct note *schema_note(const struct jsonschema *schema, const cJSON *key);

/* ---- kinds of values ---- */

enum {
    TYPE_NULL = 1,
    TYPE_BOOLEAN = 2,
    TYPE_INTEGER = 4,
    TYPE_NUMBER = 8,
    TYPE_STRING = 16,
    TYPE_ARRAY = 32,
    TYPE_OBJECT = 64,
};
unsigned type_of_name(const char *name); /* 0 = there is none */
/* All that it is: a whole number is TYPE_INTEGER | TYPE_NUMBER. */
unsigned type_of_value(const cJSON *value);

/* As JSON Schema compares: numbers by value, objects in any order. Each step takes one off
 * `steps`; false once there are none. */
bool value_equal(const cJSON *a, const cJSON *b, uint64_t *steps);
/* Equal values have equal hashes. */
uint64_t value_hash(const cJSON *value, uint64_t *steps);

/* ---- formats ---- */

/* Whether the value has that format; true also where the format is not known, or not for
 * such a value. */
bool format_passes(const char *format, const cJSON *value);

/* ---- URIs (RFC 3986) ---- */

struct uri_part {
    const char *at; /* NULL = absent */
    size_t len;
};
struct uri {
    struct uri_part scheme, authority, path, query, fragment; /* `path` is never absent */
};
void uri_split(const char *text, struct uri *out);
/* `ref` as seen from `base`, without its fragment (free()). */
char *uri_resolve(const char *base, const char *ref);
/* Is every character where it may be? */
bool uri_is_valid(const char *text, size_t len, bool relative);

/* ---- comparing ---- */

struct run {
    const struct jsonschema *schema;
    uint64_t steps;
    struct regex_effort effort;
    unsigned depth;
    bool gave_up;
    unsigned quiet;     /* > 0: nobody will be told why */
    struct buf *errors; /* elements of an array; NULL = not told */
    size_t error_count;
    struct buf at;        /* the value's pointer */
    struct buf rule;      /* the schema's */
    const char *property; /* the name that propertyNames compares; NULL */
};

/* A place to come back to, of a path or of the errors. */
struct mark {
    size_t bytes, count;
};
struct mark run_mark(const struct run *run);
/* Forgets the errors since. */
void run_forget(struct run *run, struct mark mark);
/* One step. False: there are none left, and what follows does not count. */
bool run_step(struct run *run);

/* Compares with the schema that stands under `keyword` (and `name`, or `index` where that
 * is not negative) of the present one. */
bool run_under(struct run *run, const cJSON *schema, const cJSON *value,
    const char *keyword, const char *name, int index);
/* The same, of a part of the value: a member or an element. */
bool run_member(struct run *run, const cJSON *schema, const cJSON *member,
    const char *keyword, const char *name);
bool run_element(struct run *run, const cJSON *schema, const cJSON *element,
    size_t element_index, const char *keyword, int index);

/* The keywords of objects and of arrays. */
bool check_object(struct run *run, const cJSON *schema, const cJSON *value);
bool check_array(struct run *run, const cJSON *schema, const cJSON *value);
/* Does the text have the pattern that stands at `key`? */
bool run_matches(struct run *run, const cJSON *key, const char *text);
/* Not more than the keyword `most` says, nor fewer than `least`. `what`: they are counted, in
 * the plural. */
bool check_count(struct run *run, const cJSON *schema, const char *most,
    const char *least, double count, const char *what);

/* ---- telling ---- */

/* False, always. `params`: the members of the object, as JSON; NULL = none. `message`: what
 * follows is as printf's. */
bool run_fail(struct run *run, const char *keyword, char *params, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* {"name": value}, for run_fail(), which frees it. */
char *param_json(const char *name, const cJSON *value);
char *param_text(const char *name, const char *value);
char *param_number(const char *name, double value);
void path_add(struct buf *path, const char *segment);
/* With what a URI's fragment does not hold escaped. */
void path_add_escaped(struct buf *path, const char *segment);

#endif
