/* SPDX-License-Identifier: Apache-2.0 */
/* Digests and randomness. Algorithms are fetched once: an implicit fetch takes a lock. */
#include "base/crypto.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

static struct {
    pthread_once_t once;
    EVP_MD *sha256, *sha1, *md5;
} algorithms = {.once = PTHREAD_ONCE_INIT};

static void fetch_all(void)
{
    algorithms.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    algorithms.sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
    algorithms.md5 = EVP_MD_fetch(NULL, "MD5", NULL);
}

static void digest(EVP_MD *const *md, const void *data, size_t len, uint8_t *out)
{
    pthread_once(&algorithms.once, fetch_all);
    if (*md == NULL || EVP_Digest(data, len, out, NULL, *md, NULL) != 1)
        abort(); /* OpenSSL without its own digests */
}

static void hmac(EVP_MD *const *md, const void *key, size_t key_len, const void *data,
    size_t len, uint8_t *out)
{
    unsigned int out_len = 0;

    pthread_once(&algorithms.once, fetch_all);
    if (*md == NULL ||
        HMAC(*md, key_len > 0 ? key : "", (int)key_len, data, len, out, &out_len) == NULL)
        abort();
}

void crypto_random(void *out, size_t len)
{
    if (RAND_bytes(out, (int)len) != 1)
        abort(); /* no randomness: nothing of this program is safe */
}

void crypto_uuid_v4(char out[UUID_TEXT_SIZE])
{
    uint8_t raw[UUID_LEN];

    crypto_random(raw, sizeof raw);
    raw[6] = (uint8_t)((raw[6] & 0x0f) | 0x40);
    raw[8] = (uint8_t)((raw[8] & 0x3f) | 0x80);
    crypto_uuid_text(raw, out);
}

void crypto_uuid_text(const uint8_t uuid[UUID_LEN], char out[UUID_TEXT_SIZE])
{
    char hex[2 * UUID_LEN + 1];

    str_hex(uuid, UUID_LEN, hex);
    memcpy(out, hex, 8);
    memcpy(out + 9, hex + 8, 4);
    memcpy(out + 14, hex + 12, 4);
    memcpy(out + 19, hex + 16, 4);
    memcpy(out + 24, hex + 20, 12);
    out[8] = out[13] = out[18] = out[23] = '-';
    out[36] = '\0';
}

void crypto_random_hex(char *out, size_t bytes)
{
    uint8_t *raw = mem_alloc(bytes);

    crypto_random(raw, bytes);
    str_hex(raw, bytes, out);
    mem_wipe(raw, bytes);
    free(raw);
}

void crypto_sha256(const void *data, size_t len, uint8_t out[SHA256_LEN])
{
    digest(&algorithms.sha256, data, len, out);
}

void crypto_sha1(const void *data, size_t len, uint8_t out[20])
{
    digest(&algorithms.sha1, data, len, out);
}

void crypto_md5(const void *data, size_t len, uint8_t out[16])
{
    digest(&algorithms.md5, data, len, out);
}

void crypto_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
    uint8_t out[SHA256_LEN])
{
    hmac(&algorithms.sha256, key, key_len, data, len, out);
}

void crypto_hmac_sha1(
    const void *key, size_t key_len, const void *data, size_t len, uint8_t out[20])
{
    hmac(&algorithms.sha1, key, key_len, data, len, out);
}

bool crypto_equal(const void *a, size_t a_len, const void *b, size_t b_len)
{
    return a_len == b_len && CRYPTO_memcmp(a, b, a_len) == 0;
}
