/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens of Google's Pub/Sub, signed here with a key of our own. */
#include "inbound/google_token.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "test.h"

#define NOW_MS INT64_C(1700000000000)
#define AUDIENCE "https://nango.example.com/webhook/e/google-mail"

static EVP_PKEY *key, *other;
static cJSON *certificates;

/* Signed by itself. */
static char *certificate_of(EVP_PKEY *of)
{
    X509 *x509 = X509_new();
    BIO *bio = BIO_new(BIO_s_mem());
    char *text, *out;
    long len;

    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509), 0);
    X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
    X509_set_pubkey(x509, of);
    assert_true(X509_sign(x509, of, EVP_sha256()) > 0);
    assert_int_equal(PEM_write_bio_X509(bio, x509), 1);
    len = BIO_get_mem_data(bio, &text);
    out = str_ndup(text, (size_t)len);
    BIO_free(bio);
    X509_free(x509);
    return out;
}

static int setup(void **state)
{
    char *pem;

    (void)state;
    key = EVP_RSA_gen(2048);
    other = EVP_RSA_gen(2048);
    pem = certificate_of(key);
    certificates = cJSON_CreateObject();
    json_set_str(certificates, "k1", pem);
    free(pem);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cJSON_Delete(certificates);
    EVP_PKEY_free(key);
    EVP_PKEY_free(other);
    return 0;
}

static char *token(const char *header, const char *claims, EVP_PKEY *by)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t signature[512];
    size_t len = sizeof signature;
    struct buf out;

    buf_init(&out, 0);
    str_base64url(header, strlen(header), &out);
    buf_putc(&out, '.');
    str_base64url(claims, strlen(claims), &out);
    assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, by), 1);
    assert_int_equal(
        EVP_DigestSign(context, signature, &len, (const uint8_t *)out.data, out.len), 1);
    EVP_MD_CTX_free(context);
    buf_putc(&out, '.');
    str_base64url(signature, len, &out);
    return buf_take(&out, NULL);
}

#define HEADER "{\"alg\":\"RS256\",\"kid\":\"k1\"}"
#define CLAIMS(iss, aud, exp) "{\"iss\":\"" iss "\",\"aud\":\"" aud "\",\"exp\":" exp "}"
#define GOOD CLAIMS("https://accounts.google.com", AUDIENCE, "1700000100")

static bool takes(const char *header, const char *claims, EVP_PKEY *by)
{
    char *text = token(header, claims, by);
    bool yes = google_token_verify(text, certificates, AUDIENCE, NOW_MS);

    free(text);
    return yes;
}

TEST(googles_own_is_taken)
{
    assert_true(takes(HEADER, GOOD, key));
}

TEST(anything_else_is_not)
{
    assert_false(takes(HEADER, GOOD, other));
    assert_false(takes("{\"alg\":\"none\",\"kid\":\"k1\"}", GOOD, key));
    assert_false(takes("{\"alg\":\"RS256\",\"kid\":\"k2\"}", GOOD, key));
    assert_false(takes("{\"alg\":\"RS256\"}", GOOD, key));
    assert_false(
        takes(HEADER, CLAIMS("https://evil.example", AUDIENCE, "1700000100"), key));
    assert_false(takes(
        HEADER, CLAIMS("https://accounts.google.com", "https://x", "1700000100"), key));
    assert_false(takes(
        HEADER, CLAIMS("https://accounts.google.com", AUDIENCE, "1699999900"), key));
    assert_false(
        takes(HEADER, CLAIMS("https://accounts.google.com", AUDIENCE, "\"x\""), key));
    assert_false(google_token_verify("a.b", certificates, AUDIENCE, NOW_MS));
    assert_false(google_token_verify("..", certificates, AUDIENCE, NOW_MS));
    assert_false(google_token_verify("", certificates, AUDIENCE, NOW_MS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(googles_own_is_taken),
        cmocka_unit_test(anything_else_is_not),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
