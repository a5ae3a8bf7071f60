/* SPDX-License-Identifier: Apache-2.0 */
/* Proxied calls as they are kept. They come by tens of thousands a second and are looked
 * at seldom, so one call is a line of JSON with short names, and some hundred lines make
 * one compressed row:
 *
 *   {"t":began_ms,"d":took_ms,"s":state,"I":integration id,"i":key,"p":provider,
 *    "C":connection id,"c":connection,"e":error?,"h":[exchange…]}
 *
 *   block = codec byte (0 as it is, 1 zstd), then the lines */
#include <stdlib.h>
#include <zstd.h>

#include "base/json.h"
#include "base/mem.h"
#include "oplog/oplog_int.h"

enum {
    CODEC_NONE,
    CODEC_ZSTD,
    SMALL = 400, /* not worth compressing */
    LEVEL = 1,
};

static void put_text(struct buf *out, const char *name, const char *value)
{
    if (value == NULL)
        return;
    buf_puts(out, name);
    json_append_string(out, value);
}

static void put_number(struct buf *out, const char *name, int64_t value)
{
    buf_puts(out, name);
    buf_number(out, value);
}

void oplog_call_write(const struct oplog_call *call, struct buf *out)
{
    const struct oplog_subject *subject = call->subject;

    put_number(out, "{\"t\":", call->began_ms);
    put_number(out, ",\"d\":", call->took_ms);
    put_number(out, ",\"s\":", call->ok ? OPLOG_SUCCESS : OPLOG_FAILED);
    put_number(out, ",\"I\":", subject->integration_id);
    put_text(out, ",\"i\":", subject->integration);
    put_text(out, ",\"p\":", subject->provider);
    put_number(out, ",\"C\":", subject->connection_id);
    put_text(out, ",\"c\":", subject->connection);
    if (call->error != NULL) {
        buf_puts(out, ",\"e\":");
        oplog_error_write(call->error, out);
    }
    buf_puts(out, ",\"h\":[");
    if (call->exchanges->len > 0)
        buf_append(out, call->exchanges->data, call->exchanges->len);
    buf_puts(out, "]}");
}

void oplog_block_write(const struct buf *records, struct buf *out)
{
    size_t bound = ZSTD_compressBound(records->len), size;

    if (records->len >= SMALL) {
        buf_putc(out, CODEC_ZSTD);
        size = ZSTD_compress(
            buf_room(out, bound), bound, records->data, records->len, LEVEL);
        if (!ZSTD_isError(size) && size < records->len) {
            buf_added(out, size);
            return;
        }
        buf_clear(out);
    }
    buf_putc(out, CODEC_NONE);
    buf_append(out, records->data, records->len);
}

bool oplog_block_read(const void *data, size_t len, struct buf *records)
{
    const char *bytes = data;
    unsigned long long size;

    if (len < 1)
        return false;
    if (bytes[0] == CODEC_NONE)
        return buf_append(records, bytes + 1, len - 1);
    size = ZSTD_getFrameContentSize(bytes + 1, len - 1);
    if (bytes[0] != CODEC_ZSTD || size > CALL_BLOCK_MAX) /* errors are larger still */
        return false;
    if (ZSTD_decompress(buf_room(records, (size_t)size + 1), (size_t)size, bytes + 1,
            len - 1) != size)
        return false;
    buf_added(records, (size_t)size);
    return true;
}
