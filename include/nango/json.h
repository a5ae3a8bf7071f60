/* SPDX-License-Identifier: Apache-2.0 */
/* Reading JSON without copying: a nango_json is a value inside a document that something
 * else owns (a response, a connection, a nango_document), and lives as long as that.
 *
 * Every function accepts NULL for a value and then answers as for one of another type, so
 * that a path can be walked without checks. Numbers keep the text they came with: whole
 * numbers are exact over the whole range of int64_t. Nothing here allocates but where a
 * free function is named, and then with malloc(). Any thread. */
#ifndef NANGO_JSON_H
#define NANGO_JSON_H

#include "nango/client.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    NANGO_JSON_NONE = 0, /* there is no such value */
    NANGO_JSON_NULL,
    NANGO_JSON_BOOL,
    NANGO_JSON_NUMBER,
    NANGO_JSON_STRING,
    NANGO_JSON_ARRAY,
    NANGO_JSON_OBJECT
} nango_json_type;

/* What kind of value it is; NANGO_JSON_NONE for NULL. */
NANGO_API nango_json_type nango_json_type_of(const nango_json *value);

/* The value at a JSON pointer (RFC 6901), as "/a/b/0"; "" is the value itself, `~0` stands
 * for `~` and `~1` for `/`. NULL when there is none. Of members with one name the last one
 * counts. */
NANGO_API const nango_json *nango_json_at(const nango_json *value, const char *pointer);

/* The member of an object by its name, without pointer syntax. NULL when there is none. */
NANGO_API const nango_json *nango_json_get(const nango_json *object, const char *name);

/* How many elements or members; 0 for what is neither array nor object. */
NANGO_API size_t nango_json_count(const nango_json *value);

/* The first element or member; nango_json_next() gives the others in order, then NULL. */
NANGO_API const nango_json *nango_json_first(const nango_json *value);

/* The element or member after this one; NULL after the last. */
NANGO_API const nango_json *nango_json_next(const nango_json *value);

/* An element or member by its place, counted from 0; NULL beyond the end. Walks: use
 * nango_json_next() for all of a long list. */
NANGO_API const nango_json *nango_json_item(const nango_json *value, size_t index);

/* The name under which its object has this member; NULL for what is no member. */
NANGO_API const char *nango_json_name(const nango_json *member);

/* A string's text, and its length in bytes unless `len` is NULL (a string may hold NUL
 * bytes). NULL for what is no string. */
NANGO_API const char *nango_json_string(const nango_json *value, size_t *len);

/* Whether it is a whole number within the range of int64_t; then *out is set. */
NANGO_API bool nango_json_int(const nango_json *value, int64_t *out);

/* Whether it is a number within the range of a double; then *out is the nearest one. */
NANGO_API bool nango_json_double(const nango_json *value, double *out);

/* Whether it is true or false; then *out is set. */
NANGO_API bool nango_json_bool(const nango_json *value, bool *out);

/* The four below walk a JSON pointer and answer `otherwise` when there is no value of that
 * type. The text is borrowed. */
NANGO_API const char *nango_json_string_at(
    const nango_json *value, const char *pointer, const char *otherwise);
NANGO_API int64_t nango_json_int_at(
    const nango_json *value, const char *pointer, int64_t otherwise);
NANGO_API double nango_json_double_at(
    const nango_json *value, const char *pointer, double otherwise);
NANGO_API bool nango_json_bool_at(
    const nango_json *value, const char *pointer, bool otherwise);

/* Compact JSON text of a value, and its length unless `len` is NULL. NULL when memory is
 * out or the value is NULL. Free with nango_text_free(), which wipes it. */
NANGO_API char *nango_json_text(const nango_json *value, size_t *len);

/* Writes JSON text from a format, so that no text needs escaping by hand:
 *
 *   %Q  const char *: a quoted and escaped string; NULL gives null
 *   %J  const char *: JSON text, put in as it is once it was found to be JSON; NULL: null
 *   %d  int     %D  int64_t     %f  double     %b  int: true or false     %%  a per cent
 *
 * Everything else is copied. The whole must be one JSON value. NULL when it is not, when a
 * string is not UTF-8, when a double is no number, or when memory is out. Free with
 * nango_text_free(). Example: nango_json_format("{\"id\":%Q,\"open\":%b}", id, 1). */
NANGO_API char *nango_json_format(const char *format, ...);

/* Wipes and frees what nango_json_text() or nango_json_format() gave. Accepts NULL. */
NANGO_API void nango_text_free(char *text);

typedef struct nango_document nango_document; /* opaque: JSON that the caller parsed */

/* Parses one JSON value (RFC 8259), UTF-8, nested at most 512 deep. `text` is copied.
 * Fails with NANGO_E_PARSE, the message telling the position, and NANGO_E_MEMORY. */
NANGO_API nango_code nango_document_parse(
    const char *text, size_t len, nango_document **out, nango_error *err);

/* The document's value. Borrowed. */
NANGO_API const nango_json *nango_document_root(const nango_document *document);

/* Wipes and frees. Accepts NULL. */
NANGO_API void nango_document_free(nango_document *document);

#ifdef __cplusplus
}
#endif
#endif
