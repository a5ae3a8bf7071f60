/* SPDX-License-Identifier: Apache-2.0 */
/* Signing and reading JSON Web Tokens. No I/O. What fails is the key: unreadable, of
 * another kind than the algorithm asks for, or too short for it. */
#include "auth/jwt.h"

#include <math.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "catalog/pem.h"

#define CODE "failed_to_generate"
#define EC_HALF_MAX 66
#define SIGNATURE_MAX 2048

enum kind {
    KIND_HMAC,
    KIND_RSA,
    KIND_PSS,
    KIND_EC,
    KIND_EDDSA,
};

/* RFC 7518 section 3.1, RFC 8037. */
static const struct algorithm {
    const char *name;
    enum kind kind;
    const char *digest;
    size_t half; /* of an EC signature */
} algorithms[] = {
    {"HS256", KIND_HMAC, "SHA256", 0},
    {"HS384", KIND_HMAC, "SHA384", 0},
    {"HS512", KIND_HMAC, "SHA512", 0},
    {"RS256", KIND_RSA, "SHA256", 0},
    {"RS384", KIND_RSA, "SHA384", 0},
    {"RS512", KIND_RSA, "SHA512", 0},
    {"PS256", KIND_PSS, "SHA256", 0},
    {"PS384", KIND_PSS, "SHA384", 0},
    {"PS512", KIND_PSS, "SHA512", 0},
    {"ES256", KIND_EC, "SHA256", 32},
    {"ES384", KIND_EC, "SHA384", 48},
    {"ES512", KIND_EC, "SHA512", EC_HALF_MAX},
    {"EdDSA", KIND_EDDSA, NULL, 0},
};

static const struct algorithm *algorithm_find(const char *name)
{
    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++) {
        if (str_eq(algorithms[i].name, name))
            return &algorithms[i];
    }
    return NULL;
}

/* ---- keys ---- */

static const struct {
    const char *member;
    const char *param;
} rsa_members[] = {
    {"n", OSSL_PKEY_PARAM_RSA_N},
    {"e", OSSL_PKEY_PARAM_RSA_E},
    {"d", OSSL_PKEY_PARAM_RSA_D},
    {"p", OSSL_PKEY_PARAM_RSA_FACTOR1},
    {"q", OSSL_PKEY_PARAM_RSA_FACTOR2},
    {"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1},
    {"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2},
    {"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1},
};
#define RSA_MEMBERS (sizeof rsa_members / sizeof rsa_members[0])

static BIGNUM *member_number(const cJSON *jwk, const char *name)
{
    const char *text = json_str(jwk, name);
    BIGNUM *number = NULL;
    struct buf bytes;

    buf_init_secret(&bytes, 0);
    if (text != NULL && str_unbase64(text, strlen(text), &bytes) && bytes.len > 0 &&
        bytes.len < SIGNATURE_MAX)
        number = BN_bin2bn((const unsigned char *)bytes.data, (int)bytes.len, NULL);
    buf_finish(&bytes);
    return number;
}

static EVP_PKEY *key_of_params(OSSL_PARAM *params)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY *key = NULL;

    if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(ctx);
    return key;
}

/* RFC 7517 with the members of RFC 7518 section 6.3.2: all of them, or n, e and d. */
static EVP_PKEY *key_of_jwk(const cJSON *jwk)
{
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    BIGNUM *numbers[RSA_MEMBERS] = {NULL};
    OSSL_PARAM *params = NULL;
    EVP_PKEY *key = NULL;
    bool ok = builder != NULL && str_eq(json_str(jwk, "kty"), "RSA");

    for (size_t i = 0; i < RSA_MEMBERS; i++) {
        numbers[i] = member_number(jwk, rsa_members[i].member);
        if (numbers[i] != NULL)
            ok = ok &&
                 OSSL_PARAM_BLD_push_BN(builder, rsa_members[i].param, numbers[i]) == 1;
        else
            ok = ok && i >= 3;
    }
    if (ok)
        params = OSSL_PARAM_BLD_to_param(builder);
    if (params != NULL)
        key = key_of_params(params);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(builder);
    for (size_t i = 0; i < RSA_MEMBERS; i++)
        BN_clear_free(numbers[i]);
    return key;
}

static EVP_PKEY *key_read(const char *text)
{
    cJSON *jwk;
    EVP_PKEY *key;

    if (text[strspn(text, " \t\r\n")] != '{')
        return pem_private_key(text);
    jwk = json_parse(text, strlen(text), NULL);
    key = jwk != NULL ? key_of_jwk(jwk) : NULL;
    cJSON_Delete(jwk);
    return key;
}

/* ---- signing ---- */

static bool key_suits(const EVP_PKEY *key, const struct algorithm *algorithm)
{
    int bits = EVP_PKEY_get_bits(key);

    switch (algorithm->kind) {
    case KIND_RSA:
    case KIND_PSS:
        return EVP_PKEY_is_a(key, "RSA") && bits >= 1024;
    case KIND_EC:
        return EVP_PKEY_is_a(key, "EC") && ((size_t)bits + 7) / 8 == algorithm->half;
    case KIND_EDDSA:
        return EVP_PKEY_is_a(key, "ED25519");
    case KIND_HMAC:
        break;
    }
    return false;
}

/* ES wants the two numbers side by side (RFC 7518 section 3.4), OpenSSL gives DER. */
static bool ec_flatten(unsigned char *signature, size_t *len, size_t half)
{
    const unsigned char *at = signature;
    ECDSA_SIG *parts = d2i_ECDSA_SIG(NULL, &at, (long)*len);
    bool ok =
        parts != NULL &&
        BN_bn2binpad(ECDSA_SIG_get0_r(parts), signature, (int)half) == (int)half &&
        BN_bn2binpad(ECDSA_SIG_get0_s(parts), signature + half, (int)half) == (int)half;

    ECDSA_SIG_free(parts);
    *len = 2 * half;
    return ok;
}

static bool sign_with(const struct algorithm *algorithm, EVP_PKEY *key,
    const struct buf *text, unsigned char *signature, size_t *len)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *options = NULL;
    bool ok = ctx != NULL && EVP_DigestSignInit_ex(ctx, &options, algorithm->digest, NULL,
                                 NULL, key, NULL) == 1;

    if (ok && algorithm->kind == KIND_PSS)
        ok = EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1;
    ok = ok && EVP_DigestSign(ctx, signature, len, (const unsigned char *)text->data,
                   text->len) == 1;
    EVP_MD_CTX_free(ctx);
    return ok &&
           (algorithm->kind != KIND_EC || ec_flatten(signature, len, algorithm->half));
}

static bool sign_by_key(const struct algorithm *algorithm, const char *key_text,
    const struct buf *text, unsigned char *signature, size_t *len, struct err *err)
{
    EVP_PKEY *key = key_read(key_text);
    bool ok = key != NULL && key_suits(key, algorithm) &&
              sign_with(algorithm, key, text, signature, len);

    if (!ok)
        err_set(err, 400, CODE, "The private key %s",
            key == NULL ? "cannot be read: it must be a PEM without a pass phrase"
                        : "does not suit the signature that the provider asks for");
    EVP_PKEY_free(key);
    return ok;
}

static bool sign_by_secret(const struct algorithm *algorithm, const char *key,
    size_t key_len, const struct buf *text, unsigned char *signature, size_t *len,
    struct err *err)
{
    return EVP_Q_mac(NULL, "HMAC", NULL, algorithm->digest, NULL, key, key_len,
               (const unsigned char *)text->data, text->len, signature, SIGNATURE_MAX,
               len) != NULL ||
           err_set(err, 500, "server_error", "HMAC failed");
}

static void part_append(struct buf *out, const cJSON *value)
{
    struct buf text;

    buf_init_secret(&text, 0);
    json_append(&text, value);
    str_base64url(text.data, text.len, out);
    buf_finish(&text);
}

bool jwt_sign(const cJSON *header, const cJSON *payload, const char *key, size_t key_len,
    struct buf *out, struct err *err)
{
    const char *name = json_str(header, "alg");
    const struct algorithm *algorithm = algorithm_find(name);
    unsigned char signature[SIGNATURE_MAX];
    size_t len = sizeof signature;
    struct buf text;
    bool ok;

    if (algorithm == NULL)
        return err_set(err, 400, CODE, "The catalogue's algorithm \"%.20s\" is not known",
            name != NULL ? name : "");
    buf_init_secret(&text, 0);
    part_append(&text, header);
    buf_putc(&text, '.');
    part_append(&text, payload);
    if (algorithm->kind == KIND_HMAC)
        ok = sign_by_secret(algorithm, key, key_len, &text, signature, &len, err);
    else
        ok = sign_by_key(algorithm, key, &text, signature, &len, err);
    if (ok) {
        buf_append(out, text.data, text.len);
        buf_putc(out, '.');
        str_base64url(signature, len, out);
    }
    buf_finish(&text);
    return ok;
}

bool jwt_expiry(const char *token, int64_t *expires_at_ms)
{
    const char *begin = strchr(token, '.');
    const char *end = begin != NULL ? strchr(begin + 1, '.') : NULL;
    const cJSON *exp;
    cJSON *payload = NULL;
    struct buf text;
    bool ok;

    if (end == NULL || strncmp(token, "eyJ", 3) != 0)
        return false;
    buf_init_secret(&text, 0);
    if (str_unbase64(begin + 1, (size_t)(end - begin - 1), &text) && text.len > 0)
        payload = json_parse(text.data, text.len, NULL);
    exp = json_get(payload, "exp");
    ok = cJSON_IsNumber(exp) && fabs(exp->valuedouble) < 8.64e12;
    if (ok)
        *expires_at_ms = (int64_t)(exp->valuedouble * 1000);
    cJSON_Delete(payload);
    buf_finish(&text);
    return ok;
}
