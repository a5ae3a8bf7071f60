/* SPDX-License-Identifier: Apache-2.0 */
/* Parsing of HTTP/1.1 requests (RFC 9112), strict: what two programs could read in two
 * ways is refused. No I/O; the parser works on bytes in memory and is fuzzed on its own.
 *
 * Refused, beyond plain syntax errors: Content-Length with Transfer-Encoding, more than
 * one Content-Length, a length that is not all digits, any transfer coding but a single
 * `chunked`, white space before a colon, folded lines, lines that end in LF alone,
 * control characters, no Host or several in HTTP/1.1, a Host (or an authority in the
 * target) that is no host with an optional port, chunk sizes that are not all hex
 * digits. */
#ifndef NET_HTTP_PARSE_H
#define NET_HTTP_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/http.h"

#define HTTP_MAX_FIELDS 100

/* The length of the head at the start of `data`, its empty line included; 0 when it is
 * not complete. `from`: how many bytes were searched before. */
size_t http_head_length(const char *data, size_t len, size_t from);

struct http_head {
    char *method;
    char *target; /* origin form, always with '/' first, or "*" */
    int minor;    /* HTTP/1.<minor>: 0 or 1 */
    struct http_header fields[HTTP_MAX_FIELDS]; /* point into the text */
    size_t field_count;
    int64_t body_length; /* -1 = chunked, 0 = none */
    bool keep_alive;
    bool expects_continue;
};
/* `text`: exactly one head, http_head_length() bytes and a NUL after them; it is cut up
 * in place. Returns 0, or the status to answer before closing: 400, 417, 431, 501, 505.
 */
int http_head_parse(char *text, size_t len, struct http_head *out);

/* Undoing of chunked coding (RFC 9112 section 7.1), piece by piece. Zeroed = the
 * beginning. */
#define HTTP_CHUNKS_DATA                                                                 \
    3 /* the state inside a chunk: a reader that took less goes back to it */
struct http_chunks {
    int state;
    uint64_t left;   /* of the current chunk */
    size_t overhead; /* of the current size line or of the trailers */
};
/* Reads from `data`: *used bytes were taken, of which the payload is *piece, *piece_len
 * (may be none). Returns 1 when the body ended, 0 when more is needed, -1 when it is
 * malformed. */
int http_chunks_read(struct http_chunks *chunks, const char *data, size_t len,
    size_t *used, const char **piece, size_t *piece_len);

#endif
