/* SPDX-License-Identifier: Apache-2.0 */
/* JSON text that is looked into without being rebuilt: a value is a piece of its document's
 * text. For text that is passed on or hashed as it stands, where cJSON would change
 * numbers, escapes and U+0000.
 *
 * json_raw_parse() checks the grammar once; what the other functions hand out borrows from
 * the document's text and lives as long as that. Their behaviour on text that was never
 * checked is still bounded: they never read outside it. */
#ifndef BASE_JSON_RAW_H
#define BASE_JSON_RAW_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

struct json_raw {
    const char *text; /* NULL = absent */
    size_t len;       /* without white space round it */
};

enum json_raw_kind {
    JSON_RAW_ABSENT,
    JSON_RAW_NULL,
    JSON_RAW_BOOL,
    JSON_RAW_NUMBER,
    JSON_RAW_STRING,
    JSON_RAW_ARRAY,
    JSON_RAW_OBJECT,
};

/* False and *err (400 `invalid_json`) when `text` is not one JSON value. */
bool json_raw_parse(const char *text, size_t len, struct json_raw *out, struct err *err);
enum json_raw_kind json_raw_kind(struct json_raw value);

/* The member of that name; the last one counts, as in JavaScript. Absent when there is
 * none, or `object` is no object. */
struct json_raw json_raw_get(struct json_raw object, const char *key);

/* The element at `index`, from 0. Absent when there is none, or `array` is no array. */
struct json_raw json_raw_at(struct json_raw array, size_t index);

/* Steps through an array's elements or an object's members, in order. */
struct json_raw_iter {
    const char *at, *end;
    bool object;
};
void json_raw_begin(struct json_raw value, struct json_raw_iter *iter);
/* False at the end. `key` (NULL for arrays) is the member's name, still quoted. */
bool json_raw_next(
    struct json_raw_iter *iter, struct json_raw *key, struct json_raw *value);

/* Appends a string's text, escapes resolved (U+0000 becomes a zero byte, half a surrogate
 * pair U+FFFD). False when `value` is no string. */
bool json_raw_append_string(struct json_raw value, struct buf *out);
/* The same as a new NUL-terminated text; NULL when `value` is no string. */
char *json_raw_dup_string(struct json_raw value);
bool json_raw_is_string(struct json_raw value, const char *text);
bool json_raw_number(struct json_raw value, double *out);
bool json_raw_is_true(struct json_raw value);

/* Appends the value as JavaScript's JSON.stringify(JSON.parse(text)) would print it, but
 * that members keep their order and repetitions. */
void json_raw_append_compact(struct json_raw value, struct buf *out);
/* The same with the members of every object in the order of their names' bytes, each name
 * once: as canonical texts are signed (contract webhooks.md section 2). */
void json_raw_append_sorted(struct json_raw value, struct buf *out);
/* Appends a number as JavaScript prints it. */
void json_raw_append_number(double number, struct buf *out);
/* Appends a quoted JSON string of `len` bytes, which may hold zero bytes. */
void json_raw_append_quoted(const char *text, size_t len, struct buf *out);

#endif
