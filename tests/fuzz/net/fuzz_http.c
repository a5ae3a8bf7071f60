/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of requests and chunked bodies, as any client may send them. What the parser
 * accepts must be unambiguous: a chunked body cut in pieces reads as it does whole. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "net/http_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse_head(const char *text, size_t len)
{
    size_t head = http_head_length(text, len, 0);
    struct http_head parsed;
    char *copy;

    if (head == 0)
        return;
    /* Found in steps, it ends at the same place. */
    for (size_t seen = 1; seen < head; seen += 7)
        assert(http_head_length(text, seen, 0) == 0);
    copy = malloc(head + 1);
    memcpy(copy, text, head);
    copy[head] = '\0';
    if (http_head_parse(copy, head, &parsed) == 0) {
        assert(http_is_token(parsed.method));
        assert(parsed.target[0] == '/' || parsed.target[0] == '*');
        assert(parsed.body_length >= -1);
        for (size_t i = 0; i < parsed.field_count; i++)
            assert(http_is_token(parsed.fields[i].name) &&
                   http_is_field_value(parsed.fields[i].value));
    }
    free(copy);
}

/* Undoes the chunks in steps of at most `step` bytes. */
static int undo(const char *data, size_t len, size_t step, struct buf *out)
{
    struct http_chunks chunks = {0};
    size_t at = 0;
    int result = 0;

    while (result == 0 && at < len) {
        size_t n = len - at < step ? len - at : step, used = 0, piece_len;
        const char *piece;

        result = http_chunks_read(&chunks, data + at, n, &used, &piece, &piece_len);
        if (result < 0)
            break;
        assert(used <= n && piece_len <= used);
        if (piece_len > 0)
            buf_append(out, piece, piece_len);
        at += used;
    }
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct buf whole, pieces;
    int a, b;

    parse_head(text, size);
    buf_init(&whole, 0);
    buf_init(&pieces, 0);
    a = undo(text, size, size > 0 ? size : 1, &whole);
    b = undo(text, size, 3, &pieces);
    assert(a == b);
    if (a == 1)
        assert(whole.len == pieces.len &&
               (whole.len == 0 || memcmp(whole.data, pieces.data, whole.len) == 0));
    buf_finish(&whole);
    buf_finish(&pieces);
    return 0;
}
