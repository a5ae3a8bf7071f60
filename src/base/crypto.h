/* SPDX-License-Identifier: Apache-2.0 */
/* Digests, randomness and comparison, over OpenSSL. Aborts only if OpenSSL itself is
 * broken. */
#ifndef BASE_CRYPTO_H
#define BASE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHA256_LEN 32
#define UUID_TEXT_SIZE 37

void crypto_random(void *out, size_t len);
void crypto_uuid_v4(char out[UUID_TEXT_SIZE]);
#define UUID_LEN 16
/* 8-4-4-4-12 digits, in lower case. */
void crypto_uuid_text(const uint8_t uuid[UUID_LEN], char out[UUID_TEXT_SIZE]);
void crypto_random_hex(char *out, size_t bytes); /* writes 2*bytes characters and a NUL */
void crypto_sha256(const void *data, size_t len, uint8_t out[SHA256_LEN]);
void crypto_sha1(const void *data, size_t len, uint8_t out[20]);
void crypto_md5(const void *data, size_t len, uint8_t out[16]);
void crypto_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
    uint8_t out[SHA256_LEN]);
void crypto_hmac_sha1(
    const void *key, size_t key_len, const void *data, size_t len, uint8_t out[20]);
/* Time depends on the lengths only. */
bool crypto_equal(const void *a, size_t a_len, const void *b, size_t b_len);

#endif
