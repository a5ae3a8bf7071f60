/* SPDX-License-Identifier: Apache-2.0 */
/* Small helpers over cJSON, which is our document library. Object keys are case-sensitive
 * in all of them. Numbers are doubles, as they are for the official clients. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* Parses exactly one JSON value (RFC 8259) with nothing but white space round it; nesting
 * is limited to 512 levels, the text must be UTF-8, and a string must not hold U+0000.
 * Of members with one name the last one's value counts, in the first one's place.
 * NULL on failure, *err says where (code `invalid_json`, status 400). Free with
 * cJSON_Delete(). */
cJSON *json_parse(const char *text, size_t len, struct err *err);
/* For answers that come once and cannot be asked for again: drops a byte order mark, and
 * puts U+FFFD for bytes that are no UTF-8, for \u0000 and for a surrogate escape without
 * its other half; then json_parse(). */
cJSON *json_parse_lenient(const char *text, size_t len, struct err *err);

/* Whether json_parse() would accept the text, without building anything. */
bool json_check_strict(const char *text, size_t len, struct err *err);
/* The grammar alone, for text that is passed on as it is: any escapes, any bytes within
 * strings; what lies deeper than 512 levels is not looked at. */
bool json_check_syntax(const char *text, size_t len, struct err *err);

/* Compact text; the caller frees. json_append() writes it into `out`. */
char *json_print(const cJSON *value);
void json_append(struct buf *out, const cJSON *value);
/* Appends a quoted, escaped JSON string; NULL gives `null`. */
void json_append_string(struct buf *out, const char *s);
/* Begins a member of the object that is being written: a comma, unless its brace was the
 * last, the name (plain ASCII) and a colon. */
void json_append_name(struct buf *out, const char *name);
/* A whole member; `s` as above. */
void json_append_text(struct buf *out, const char *name, const char *s);

const cJSON *json_get(const cJSON *object, const char *key); /* NULL when absent */
cJSON *json_get_mut(cJSON *object, const char *key);
const char *json_str(const cJSON *object, const char *key); /* NULL unless a string */
bool json_bool(const cJSON *object, const char *key, bool otherwise);
bool json_i64(const cJSON *object, const char *key, int64_t *out); /* a whole number */
/* Walks a dotted path with optional indices: `a.b`, `a[0].b`, `a.0.b`. NULL when absent.
 * A flat key equal to the whole path wins. */
const cJSON *json_path(const cJSON *object, const char *path);

/* Sets or replaces a member; the object owns `value`. */
void json_set(cJSON *object, const char *key, cJSON *value);
void json_set_str(
    cJSON *object, const char *key, const char *value); /* NULL gives null */
void json_set_i64(cJSON *object, const char *key, int64_t value);
void json_set_bool(cJSON *object, const char *key, bool value);
void json_remove(cJSON *object, const char *key);
/* Copies each member of `from` over `into` (top level only); neither has two members of
 * one name. */
void json_merge(cJSON *into, const cJSON *from);

#endif
