/* SPDX-License-Identifier: Apache-2.0 */
/* Code of scripts: a row holds one text, named by its SHA-256 and compressed with zstd.
 * Reading checks the text against its name, so a page that went bad is never run. */
#include <string.h>
#include <zstd.h>

#include "base/mem.h"
#include "store/sqlite/sqlite_int.h"

enum {
    /* Written once and read at most once per start of a runner: small matters more than
     * fast. Levels above gain little on texts of a few KB. */
    LEVEL = 9,
};

bool sqlite_pack_code(const char *text, struct packed_code *out, struct err *err)
{
    size_t bound, len;

    *out = (struct packed_code){.size = strlen(text)};
    crypto_sha256(text, out->size, out->sha256);
    bound = ZSTD_compressBound(out->size);
    out->content.data = mem_alloc(bound);
    len = ZSTD_compress(out->content.data, bound, text, out->size, LEVEL);
    if (ZSTD_isError(len)) {
        blob_free(&out->content);
        return err_internal(err, "compressing code: %s", ZSTD_getErrorName(len));
    }
    out->content.len = len;
    return true;
}

bool sqlite_put_code(
    struct sql_conn *conn, const struct packed_code *code, struct err *err)
{
    struct sql q = sql_begin(conn, "INSERT INTO code (sha256, size, content) "
                                   "VALUES (?, ?, ?) ON CONFLICT DO NOTHING");

    sql_blob(&q, code->sha256, sizeof code->sha256);
    sql_i64(&q, (int64_t)code->size);
    sql_blob_of(&q, code->content);
    return sql_run(&q, err);
}

static bool unpack(const uint8_t sha256[SHA256_LEN], int64_t size, struct blob packed,
    struct blob *out, struct err *err)
{
    uint8_t hash[SHA256_LEN];
    size_t len;

    /* The frame says its size as well: a row that lies must not make us allocate. */
    if (size < 0 ||
        ZSTD_getFrameContentSize(packed.data, packed.len) != (unsigned long long)size)
        return err_internal(err, "a script's code is damaged: wrong size");
    out->data = mem_alloc((size_t)size + 1);
    len = ZSTD_decompress(out->data, (size_t)size, packed.data, packed.len);
    if (!ZSTD_isError(len) && len == (size_t)size) {
        crypto_sha256(out->data, len, hash);
        out->data[len] = '\0';
        out->len = len;
        if (memcmp(hash, sha256, sizeof hash) == 0)
            return true;
    }
    blob_free(out);
    return err_internal(err, "a script's code is damaged");
}

bool sqlite_load_code(struct backend *b, const uint8_t sha256[SHA256_LEN],
    struct blob *out, struct err *err)
{
    struct sql_conn *conn = sqlite_reader(b, err);
    enum sql_result step = SQL_FAILED;
    struct blob packed = {0};
    int64_t size = 0;
    bool ok = false;

    *out = (struct blob){0};
    if (conn != NULL) {
        struct sql q = sql_begin(conn, "SELECT size, content FROM code WHERE sha256 = ?");

        sql_blob(&q, sha256, SHA256_LEN);
        step = sql_step(&q, err);
        if (step == SQL_ROW) {
            size = sql_take_i64(&q, 0);
            packed = sql_take_blob(&q, 1);
        }
        sql_end(&q);
    }
    sqlite_reader_done(b, conn);
    if (step == SQL_DONE)
        err_set(err, 404, "not_found", "the code is not there");
    else if (step == SQL_ROW)
        ok = unpack(sha256, size, packed, out, err);
    blob_free(&packed);
    return ok;
}
