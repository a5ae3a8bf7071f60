/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures of providers. What is compared is compared in a time that depends on lengths
 * only. */
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "inbound/inbound_int.h"

#define SECOND_MS 1000

bool check_equal(const char *a, const char *b)
{
    return a != NULL && b != NULL && crypto_equal(a, strlen(a), b, strlen(b));
}

static void append_hmac(
    const struct hmac_check *check, const char *text, size_t len, struct buf *out)
{
    size_t key_len = check->key_len > 0 ? check->key_len : strlen(check->key);
    size_t size = check->digest == DIGEST_SHA1 ? 20 : SHA256_LEN;
    uint8_t hash[SHA256_LEN];
    char hex[2 * SHA256_LEN + 1];

    if (check->digest == DIGEST_SHA1)
        crypto_hmac_sha1(check->key, key_len, text, len, hash);
    else
        crypto_hmac_sha256(check->key, key_len, text, len, hash);
    if (check->base64) {
        str_base64(hash, size, out);
        return;
    }
    str_hex(hash, size, hex);
    buf_puts(out, hex);
}

bool check_hmac(struct visit *visit, const struct hmac_check *check)
{
    const char *given =
        check->given != NULL ? check->given : visit_header(visit, check->header);
    const struct inbound_request *request = visit->request;
    struct buf wanted;
    bool same;

    if (str_is_empty(given))
        return visit_unsigned(visit);
    if (str_is_empty(check->key))
        return visit_forged(visit);
    buf_init(&wanted, 0);
    buf_puts(&wanted, check->prefix != NULL ? check->prefix : "");
    if (check->text != NULL)
        append_hmac(check, check->text, check->text_len, &wanted);
    else
        append_hmac(
            check, request->body != NULL ? request->body : "", request->len, &wanted);
    same = check_equal(given, wanted.data);
    buf_finish(&wanted);
    return same || visit_forged(visit);
}

bool check_hmac_if_set(struct visit *visit, struct hmac_check check)
{
    check.key = visit_secret(visit);
    return check.key == NULL || check_hmac(visit, &check);
}

/* ---- Standard Webhooks ---- */

static const char *svix_header(const struct visit *visit, const char *which)
{
    char name[40];
    const char *value;

    (void)snprintf(name, sizeof name, "webhook-%s", which);
    value = visit_header(visit, name);
    if (value != NULL)
        return value;
    (void)snprintf(name, sizeof name, "svix-%s", which);
    return visit_header(visit, name);
}

/* One of `v1,<base64>`, separated by spaces. */
static bool is_among(const char *given, const char *wanted)
{
    while (*given != '\0') {
        size_t len = strcspn(given, " ");
        const char *comma = memchr(given, ',', len);

        if (comma != NULL && len > 3 && memcmp(given, "v1,", 3) == 0 &&
            crypto_equal(given + 3, len - 3, wanted, strlen(wanted)))
            return true;
        given += len;
        given += strspn(given, " ");
    }
    return false;
}

/* What comes after `whsec_` is base64; another secret is taken as it stands. */
static void append_svix_key(const char *secret, struct buf *out)
{
    const char *text = str_starts(secret, "whsec_") ? secret + 6 : secret;

    if (text == secret || !str_unbase64(text, strlen(text), out)) {
        buf_clear(out);
        buf_puts(out, text);
    }
}

bool check_svix(struct visit *visit, const char *secret, int64_t window_ms)
{
    const char *id = svix_header(visit, "id");
    const char *time = svix_header(visit, "timestamp");
    const char *given = svix_header(visit, "signature");
    const struct inbound_request *request = visit->request;
    struct buf key, text, wanted;
    int64_t seconds;
    bool same;

    if (id == NULL || time == NULL || given == NULL)
        return visit_unsigned(visit);
    if (!str_to_i64(time, &seconds) ||
        (window_ms > 0 && llabs(visit->now_ms - seconds * SECOND_MS) > window_ms))
        return visit_forged(visit);
    buf_init_secret(&key, 0);
    buf_init(&text, 0);
    buf_init(&wanted, 0);
    append_svix_key(secret, &key);
    buf_printf(&text, "%s.%s.", id, time);
    if (request->len > 0)
        buf_append(&text, request->body, request->len);
    append_hmac(&(struct hmac_check){.base64 = true, .key = key.data, .key_len = key.len},
        text.data, text.len, &wanted);
    same = is_among(given, wanted.data);
    buf_finish(&key);
    buf_finish(&text);
    buf_finish(&wanted);
    if (!same)
        return visit_forged(visit);
    free(visit->message);
    visit->message = str_dup(id);
    return true;
}

/* ---- RSA ---- */

static EVP_PKEY *read_public_key(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;

    BIO_free(bio);
    return key;
}

bool check_rsa_of(
    EVP_PKEY *key, const struct buf *signature, const char *text, size_t len)
{
    EVP_MD_CTX *context = key != NULL ? EVP_MD_CTX_new() : NULL;
    bool good = context != NULL &&
                EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
                EVP_DigestVerify(context, (const uint8_t *)signature->data,
                    signature->len, (const uint8_t *)text, len) == 1;

    EVP_MD_CTX_free(context);
    return good;
}

bool check_rsa(struct visit *visit, const char *header, const char *pem)
{
    const char *given = visit_header(visit, header);
    const struct inbound_request *request = visit->request;
    struct buf signature;
    EVP_PKEY *key;
    bool good;

    if (str_is_empty(given))
        return visit_unsigned(visit);
    buf_init(&signature, 0);
    key = read_public_key(pem);
    good = key != NULL && str_unbase64(given, strlen(given), &signature) &&
           check_rsa_of(
               key, &signature, request->body != NULL ? request->body : "", request->len);
    EVP_PKEY_free(key);
    buf_finish(&signature);
    return good || visit_forged(visit);
}
