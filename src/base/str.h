/* SPDX-License-Identifier: Apache-2.0 */
/* Strings: comparing, trimming, and the text encodings of the wire. UTF-8 throughout. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

char *str_dup(const char *s);              /* NULL gives NULL */
char *str_ndup(const char *s, size_t len); /* copies exactly `len` bytes and a NUL */
char *str_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Copies into a fixed field, truncating; always terminated. */
void str_copy(char *out, size_t out_size, const char *s);

bool str_eq(const char *a, const char *b);        /* NULL equals only NULL */
bool str_eq_nocase(const char *a, const char *b); /* ASCII */
bool str_starts(const char *s, const char *prefix);
bool str_starts_nocase(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);
bool str_contains_nocase(const char *haystack, const char *needle); /* ASCII folding */
bool str_is_empty(const char *s);                                   /* NULL or "" */
void str_lower(char *s);                                            /* ASCII, in place */
/* Points past leading white space and cuts the trailing one, in place. */
char *str_trim(char *s);

/* Every byte of `s` is a letter or digit of ASCII, or is in `extra`. */
bool str_all_alnum_or(const char *s, const char *extra);
bool str_is_utf8(const char *s, size_t len);
/* The number of UTF-16 code units of a UTF-8 text: lengths of the contract count these.
 */
size_t str_utf16_len(const char *s);
/* How many of the first `max` bytes of a UTF-8 text are whole characters: for showing the
 * beginning of one by "%.*s". */
int str_cut(const char *s, size_t max);
/* A whole decimal number with an optional sign; false on anything else or out of range.
 */
bool str_to_i64(const char *s, int64_t *out);
/* `true/1/yes/on/y/enabled` and `false/0/no/off/n/disabled`, any case (contract,
 * section 1.5). */
bool str_to_bool(const char *s, bool *out);
bool str_is_uuid(const char *s);    /* 8-4-4-4-12 hex, any case, any version */
bool str_is_uuid_v4(const char *s); /* version digit 4, variant 8 9 a b, any case */

void str_hex(const void *data, size_t len, char *out /* 2*len+1 */);
bool str_unhex(const char *hex, void *out, size_t out_len); /* exactly 2*out_len digits */
/* The decimal digits of `number`, without NUL; returns how many. Much cheaper than a
 * format. */
#define STR_DECIMAL_MAX 20
size_t str_decimal(uint64_t number, char out[STR_DECIMAL_MAX]);
int str_hex_value(char digit); /* -1 when it is none */
/* Is `word` one of a comma list's (NULL = empty), case and white space aside? */
bool str_in_list(const char *list, const char *word);
void str_base64(const void *data, size_t len, struct buf *out); /* RFC 4648 section 4 */
void str_base64url(
    const void *data, size_t len, struct buf *out); /* section 5, no padding */
/* Accepts either alphabet, padding optional, white space refused. */
bool str_unbase64(const char *s, size_t len, struct buf *out);

/* Percent-encodes all but A-Z a-z 0-9 - _ . ! ~ * ' ( ): JavaScript's encodeURIComponent.
 */
void str_uri_component(const char *s, size_t len, struct buf *out);
/* application/x-www-form-urlencoded serialising: space becomes +, unreserved are * - . _
 */
void str_form_encode(const char *s, size_t len, struct buf *out);
/* Decodes %xx (and + as space when `plus`); false on a bad escape, `out` then holds a
 * part. */
bool str_percent_decode(const char *s, size_t len, bool plus, struct buf *out);

#endif
