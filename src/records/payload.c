/* SPDX-License-Identifier: Apache-2.0 */
/* A payload as it is kept: a byte that says how, then the text, compressed where that makes
 * it smaller, sealed where there is a vault. Sealed ones are tied to their record's UUID:
 * moved to another record, they do not open. */
#include <string.h>
#include <zstd.h>

#include "base/mem.h"
#include "base/secret.h"
#include "base/str.h"
#include "records/records_int.h"

enum {
    CODEC_ZSTD = 1, /* bits */
    CODEC_SEALED = 2,
    LEVEL = 1,        /* the fastest: a batch of changes waits for it */
    WORTHWHILE = 200, /* bytes; what is shorter is not tried */
    RECORD_CONTEXT_SIZE = 64,
};
#define MAX_TEXT ((size_t)1 << 30)

static void context_of(
    const uint8_t uuid[RECORDS_UUID_LEN], char out[RECORD_CONTEXT_SIZE])
{
    static const char prefix[] = "record/";

    memcpy(out, prefix, sizeof prefix - 1);
    crypto_uuid_text(uuid, out + sizeof prefix - 1);
}

/* False: it is not smaller. */
static bool compress(struct reader *reader, struct json_raw text, struct buf *out)
{
    size_t bound, len;

    if (text.len < WORTHWHILE)
        return false;
    bound = ZSTD_compressBound(text.len);
    len = ZSTD_compressCCtx(
        reader->compressor, buf_room(out, bound), bound, text.text, text.len, LEVEL);
    if (ZSTD_isError(len) || len >= text.len)
        return false;
    buf_added(out, len);
    return true;
}

bool payload_pack(struct records *records, struct reader *reader,
    const uint8_t uuid[RECORDS_UUID_LEN], struct json_raw text, struct buf *out,
    struct err *err)
{
    char context[RECORD_CONTEXT_SIZE];
    struct buf packed;
    bool smaller, ok;

    buf_init(&packed, 0);
    smaller = compress(reader, text, &packed);
    if (!smaller)
        buf_append(&packed, text.text, text.len);
    buf_putc(
        out, (char)((smaller ? CODEC_ZSTD : 0) | (records->seal ? CODEC_SEALED : 0)));
    if (!records->seal) {
        buf_append(out, packed.data, packed.len);
        ok = true;
    } else {
        context_of(uuid, context);
        ok = vault_seal(records->vault, context, packed.data, packed.len, out, err);
    }
    buf_finish(&packed);
    return ok;
}

static bool decompress(
    struct reader *reader, const char *data, size_t len, struct buf *out, struct err *err)
{
    unsigned long long size = ZSTD_getFrameContentSize(data, len);
    size_t got;

    if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR ||
        size > MAX_TEXT)
        return err_internal(err, "a record's payload is damaged");
    got = ZSTD_decompressDCtx(
        reader->decompressor, buf_room(out, (size_t)size), (size_t)size, data, len);
    if (ZSTD_isError(got))
        return err_internal(
            err, "a record's payload is damaged: %s", ZSTD_getErrorName(got));
    buf_added(out, got);
    return true;
}

bool payload_unpack(struct records *records, struct reader *reader,
    const uint8_t uuid[RECORDS_UUID_LEN], const void *packed, size_t len, struct buf *out,
    struct err *err)
{
    const char *data = packed;
    char context[RECORD_CONTEXT_SIZE];
    char *opened = NULL;
    bool ok = true;
    int codec;

    buf_clear(out);
    if (len == 0)
        return err_internal(err, "a record's payload is damaged: it is empty");
    codec = *data++;
    len--;
    if ((codec & CODEC_SEALED) != 0) {
        context_of(uuid, context);
        if (!vault_unseal(records->vault, context, data, len, &opened, &len, err))
            return false;
        data = opened;
    }
    if ((codec & CODEC_ZSTD) != 0)
        ok = decompress(reader, data, len, out, err);
    else
        buf_append(out, data, len);
    secret_free(opened);
    return ok;
}
