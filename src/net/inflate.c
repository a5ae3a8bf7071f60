/* SPDX-License-Identifier: Apache-2.0 */
#include "net/inflate.h"

#include <brotli/decode.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/mem.h"
#include "base/str.h"

#define PIECE_BYTES 16384
#define GZIP_WINDOW (15 + 16)
#define ZLIB_WINDOW 15
#define RAW_WINDOW (-15)

enum coding {
    CODING_GZIP,
    CODING_DEFLATE,
    CODING_BR,
};

struct inflater {
    enum coding coding;
    bool begun; /* the decoder is made, and has seen input */
    bool ended; /* the coding's own end came */
    z_stream z;
    BrotliDecoderState *br;
    size_t used;  /* of the input that will be given again */
    size_t ready; /* bytes of `piece` that were not taken yet */
    char piece[PIECE_BYTES];
};

struct inflater *inflater_new(const char *coding)
{
    static const struct {
        const char *name;
        enum coding coding;
    } codings[] = {
        {"gzip", CODING_GZIP},
        {"x-gzip", CODING_GZIP},
        {"deflate", CODING_DEFLATE},
        {"br", CODING_BR},
    };

    for (size_t i = 0; i < sizeof codings / sizeof codings[0]; i++) {
        if (str_eq_nocase(coding, codings[i].name)) {
            struct inflater *inflater = MEM_NEW(struct inflater);

            inflater->coding = codings[i].coding;
            return inflater;
        }
    }
    return NULL;
}

void inflater_free(struct inflater *inflater)
{
    if (inflater == NULL)
        return;
    if (inflater->coding == CODING_BR)
        BrotliDecoderDestroyInstance(inflater->br);
    else if (inflater->begun)
        inflateEnd(&inflater->z);
    mem_wipe(inflater, sizeof *inflater);
    free(inflater);
}

/* Some servers mean a bare deflate stream by `deflate`, some the zlib format (RFC 9110
 * section 8.4.1.2, the note): the first byte tells. */
static int window_of(const struct inflater *inflater, unsigned char first)
{
    if (inflater->coding == CODING_GZIP)
        return GZIP_WINDOW;
    return (first & 0x0f) == Z_DEFLATED && first >> 4 <= 7 ? ZLIB_WINDOW : RAW_WINDOW;
}

static void begin(struct inflater *inflater, unsigned char first)
{
    inflater->begun = true;
    if (inflater->coding == CODING_BR) {
        inflater->br = BrotliDecoderCreateInstance(NULL, NULL, NULL);
        if (inflater->br == NULL)
            abort();
    } else if (inflateInit2(&inflater->z, window_of(inflater, first)) != Z_OK) {
        abort();
    }
}

/* One step; false when the input is not what the coding says. */
static bool step_zlib(struct inflater *inflater, const char *data, size_t len)
{
    z_stream *z = &inflater->z;
    uInt offered = len < UINT_MAX ? (uInt)len : UINT_MAX;
    int result;

    z->next_in = (Bytef *)(uintptr_t)data;
    z->avail_in = offered;
    z->next_out = (Bytef *)inflater->piece;
    z->avail_out = PIECE_BYTES;
    result = inflate(z, Z_NO_FLUSH);
    inflater->used += offered - z->avail_in;
    inflater->ready = PIECE_BYTES - z->avail_out;
    inflater->ended = result == Z_STREAM_END;
    return result == Z_OK || result == Z_STREAM_END ||
           (result == Z_BUF_ERROR && z->avail_in == 0);
}

static bool step_br(struct inflater *inflater, const char *data, size_t len)
{
    const uint8_t *in = (const uint8_t *)data;
    uint8_t *out = (uint8_t *)inflater->piece;
    size_t in_left = len, out_left = PIECE_BYTES;
    BrotliDecoderResult result =
        BrotliDecoderDecompressStream(inflater->br, &in_left, &in, &out_left, &out, NULL);

    inflater->used += len - in_left;
    inflater->ready = PIECE_BYTES - out_left;
    inflater->ended = result == BROTLI_DECODER_RESULT_SUCCESS;
    return result != BROTLI_DECODER_RESULT_ERROR;
}

/* More output may be at hand though all input was used. */
static bool has_more(const struct inflater *inflater)
{
    if (!inflater->begun || inflater->ended)
        return false;
    if (inflater->coding == CODING_BR)
        return BrotliDecoderHasMoreOutput(inflater->br);
    return inflater->z.avail_out == 0;
}

/* A gzip file may be followed by another one (RFC 1952 section 2.2); what else follows the
 * end is of no interest to anyone. */
static void next_member(struct inflater *inflater, const char *data, size_t len)
{
    if (inflater->coding == CODING_GZIP && (unsigned char)data[0] == 0x1f) {
        inflateReset(&inflater->z);
        inflater->ended = false;
    } else {
        inflater->used += len;
    }
}

enum inflate_result inflater_feed(struct inflater *inflater, const char *data, size_t len,
    bool (*put)(void *arg, const char *data, size_t len), void *arg)
{
    for (;;) {
        size_t left = len - inflater->used;
        bool ok;

        if (inflater->ready > 0) {
            if (!put(arg, inflater->piece, inflater->ready))
                return INFLATE_WAIT;
            inflater->ready = 0;
        }
        if (left == 0 && !has_more(inflater))
            break;
        if (inflater->ended) {
            next_member(inflater, data + inflater->used, left);
            continue;
        }
        if (!inflater->begun)
            begin(inflater, (unsigned char)data[inflater->used]);
        ok = inflater->coding == CODING_BR
                 ? step_br(inflater, data + inflater->used, left)
                 : step_zlib(inflater, data + inflater->used, left);
        if (!ok)
            return INFLATE_BROKEN;
    }
    inflater->used = 0;
    return INFLATE_ON;
}

bool inflater_is_whole(const struct inflater *inflater)
{
    return !inflater->begun || inflater->ended;
}
