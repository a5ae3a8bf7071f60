/* SPDX-License-Identifier: Apache-2.0 */
/* Digests, MACs, signatures and randomness for the prelude's `crypto`, over OpenSSL. */
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "runner/engine_int.h"

#define RANDOM_MAX 65536

/* Hashes by the names that Node knows. */
static const EVP_MD *hash_named(JSContextRef ctx, JSValueRef value)
{
    static const char *const names[] = {"md5", "sha1", "sha224", "sha256", "sha384",
        "sha512", "sha512-256", "sha3-256", "sha3-384", "sha3-512", "ripemd160"};
    char name[24];
    JSStringRef js = JSValueToStringCopy(ctx, value, NULL);
    size_t size = js == NULL ? 0 : JSStringGetUTF8CString(js, name, sizeof name);

    if (js != NULL)
        JSStringRelease(js);
    for (size_t i = 0; size > 0 && i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0)
            return EVP_get_digestbyname(name);
    }
    return NULL;
}

/* digest(name, bytes): bytes. */
NATIVE_FUNCTION(native_digest)
{
    const EVP_MD *md = argc > 0 ? hash_named(ctx, argv[0]) : NULL;
    const uint8_t *data;
    size_t len;
    uint8_t out[EVP_MAX_MD_SIZE];
    unsigned out_len = 0;

    (void)function, (void)self;
    if (md == NULL)
        return native_throw(ctx, exception, "Digest method not supported");
    if (argc < 2 || !native_bytes(ctx, argv[1], &data, &len))
        return native_throw(ctx, exception, "digest: bytes are needed");
    if (EVP_Digest(data, len, out, &out_len, md, NULL) != 1)
        return native_throw(ctx, exception, "Digest method not supported");
    return native_make_bytes(ctx, out, out_len, exception);
}

/* hmac(name, key, bytes): bytes. */
NATIVE_FUNCTION(native_hmac)
{
    const EVP_MD *md = argc > 0 ? hash_named(ctx, argv[0]) : NULL;
    const uint8_t *key, *data;
    size_t key_len, len;
    uint8_t out[EVP_MAX_MD_SIZE];
    unsigned out_len = 0;

    (void)function, (void)self;
    if (md == NULL)
        return native_throw(ctx, exception, "Invalid digest");
    if (argc < 3 || !native_bytes(ctx, argv[1], &key, &key_len) ||
        !native_bytes(ctx, argv[2], &data, &len))
        return native_throw(ctx, exception, "hmac: bytes are needed");
    if (HMAC(md, key_len > 0 ? key : (const uint8_t *)"", (int)key_len, data, len, out,
            &out_len) == NULL)
        return native_throw(ctx, exception, "Invalid digest");
    return native_make_bytes(ctx, out, out_len, exception);
}

/* random(count): bytes. */
NATIVE_FUNCTION(native_random)
{
    double count = argc > 0 ? JSValueToNumber(ctx, argv[0], exception) : -1;
    uint8_t *out;
    JSValueRef made;

    (void)function, (void)self;
    if (!(count >= 0 && count <= RANDOM_MAX))
        return native_throw(
            ctx, exception, "At most 65536 random bytes are given at once");
    out = mem_alloc((size_t)count + 1);
    if (RAND_bytes(out, (int)count) != 1)
        abort(); /* predictable "randomness" is worse than none */
    made = native_make_bytes(ctx, out, (size_t)count, exception);
    free(out);
    return made;
}

/* pbkdf2(name, password, salt, iterations, length): bytes. */
NATIVE_FUNCTION(native_pbkdf2)
{
    const EVP_MD *md = argc > 0 ? hash_named(ctx, argv[0]) : NULL;
    const uint8_t *password, *salt;
    size_t password_len, salt_len;
    double rounds, length;
    uint8_t *out;
    JSValueRef made;

    (void)function, (void)self;
    if (md == NULL)
        return native_throw(ctx, exception, "Invalid digest");
    /* Numbers first: to ask for one may run the script's code, which may resize a buffer. */
    rounds = argc > 3 ? JSValueToNumber(ctx, argv[3], exception) : 0;
    length = argc > 4 ? JSValueToNumber(ctx, argv[4], exception) : 0;
    if (argc < 5 || !native_bytes(ctx, argv[1], &password, &password_len) ||
        !native_bytes(ctx, argv[2], &salt, &salt_len))
        return native_throw(ctx, exception, "pbkdf2: bytes are needed");
    if (!(rounds >= 1 && rounds <= 10000000) || !(length >= 0 && length <= RANDOM_MAX))
        return native_throw(ctx, exception, "pbkdf2: iterations or length out of range");
    out = mem_alloc((size_t)length + 1);
    if (PKCS5_PBKDF2_HMAC((const char *)password, (int)password_len, salt, (int)salt_len,
            (int)rounds, md, (int)length, out) != 1)
        made = native_throw(ctx, exception, "pbkdf2 failed");
    else
        made = native_make_bytes(ctx, out, (size_t)length, exception);
    mem_wipe(out, (size_t)length);
    free(out);
    return made;
}

/* A key with a password is refused: OpenSSL would ask on the terminal. */
static int no_password(char *into, int size, int writing, void *context)
{
    (void)into, (void)size, (void)writing, (void)context;
    return -1;
}

/* sign(name or "", privateKeyPem, bytes): bytes. "" = the key's own (Ed25519). */
NATIVE_FUNCTION(native_sign)
{
    const EVP_MD *md = argc > 0 ? hash_named(ctx, argv[0]) : NULL;
    const uint8_t *pem, *data;
    size_t pem_len, len, out_len = 0;
    BIO *bio;
    EVP_PKEY *key;
    EVP_MD_CTX *sign;
    uint8_t *out = NULL;
    JSValueRef made;

    (void)function, (void)self;
    if (argc < 3 || !native_bytes(ctx, argv[1], &pem, &pem_len) ||
        !native_bytes(ctx, argv[2], &data, &len))
        return native_throw(ctx, exception, "sign: bytes are needed");
    bio = BIO_new_mem_buf(pem, (int)pem_len);
    key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
    BIO_free(bio);
    if (key == NULL)
        return native_throw(
            ctx, exception, "The private key cannot be read (PEM, unencrypted)");
    sign = EVP_MD_CTX_new();
    if (EVP_DigestSignInit(sign, NULL, md, NULL, key) == 1 &&
        EVP_DigestSign(sign, NULL, &out_len, data, len) == 1) {
        out = mem_alloc(out_len + 1);
        if (EVP_DigestSign(sign, out, &out_len, data, len) != 1) {
            free(out);
            out = NULL;
        }
    }
    made = out == NULL ? native_throw(ctx, exception, "Signing failed")
                       : native_make_bytes(ctx, out, out_len, exception);
    free(out);
    EVP_MD_CTX_free(sign);
    EVP_PKEY_free(key);
    return made;
}
