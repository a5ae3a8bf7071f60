/* SPDX-License-Identifier: Apache-2.0 */
#include "inbound/google_token.h"

#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "net/upstream.h"

#define KEYS_URL "https://www.googleapis.com/oauth2/v1/certs"
#define ISSUER "https://accounts.google.com"
#define SKEW_S 60

/* ---- the token ---- */

static cJSON *part_json(const char *text, size_t len)
{
    cJSON *out = NULL;
    struct buf plain;

    buf_init(&plain, 0);
    if (str_unbase64(text, len, &plain))
        out = json_parse(plain.data, plain.len, NULL);
    buf_finish(&plain);
    return out;
}

static EVP_PKEY *key_of(const char *certificate)
{
    BIO *bio = certificate != NULL ? BIO_new_mem_buf(certificate, -1) : NULL;
    X509 *x509 = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    EVP_PKEY *key = x509 != NULL ? X509_get_pubkey(x509) : NULL;

    X509_free(x509);
    BIO_free(bio);
    return key;
}

static bool is_signed(
    const char *certificate, const char *text, size_t len, const struct buf *signature)
{
    EVP_PKEY *key = key_of(certificate);
    bool good = check_rsa_of(key, signature, text, len);

    EVP_PKEY_free(key);
    return good;
}

static bool claims_hold(const cJSON *claims, const char *audience, int64_t now_ms)
{
    int64_t expires = 0;

    return str_eq(json_str(claims, "iss"), ISSUER) &&
           str_eq(json_str(claims, "aud"), audience) &&
           json_i64(claims, "exp", &expires) && expires + SKEW_S > now_ms / 1000;
}

bool google_token_verify(
    const char *token, const cJSON *certificates, const char *audience, int64_t now_ms)
{
    const char *first = strchr(token, '.');
    const char *second = first != NULL ? strchr(first + 1, '.') : NULL;
    cJSON *header, *claims;
    struct buf signature;
    bool good;

    if (second == NULL)
        return false;
    header = part_json(token, (size_t)(first - token));
    claims = part_json(first + 1, (size_t)(second - first) - 1);
    buf_init(&signature, 0);
    good = str_eq(json_str(header, "alg"), "RS256") && json_str(header, "kid") != NULL &&
           str_unbase64(second + 1, strlen(second + 1), &signature) &&
           is_signed(json_str(certificates, json_str(header, "kid")), token,
               (size_t)(second - token), &signature) &&
           claims_hold(claims, audience, now_ms);
    buf_finish(&signature);
    cJSON_Delete(header);
    cJSON_Delete(claims);
    return good;
}

/* ---- Google's keys ---- */

static cJSON *fetch_keys(const struct auth *auth)
{
    struct http_headers none = {0};
    const struct up_request request = {
        .method = "GET",
        .url = KEYS_URL,
        .headers = &none,
        .policy = auth->policy,
    };
    const struct up_blocking call = {
        .request = &request, .timeout_ms = 10000, .ca_file = auth->ca_file};
    struct up_answer answer;
    cJSON *keys = NULL;

    if (up_call_blocking(&call, &answer) && answer.status == 200)
        keys = json_parse(answer.body.data, answer.body.len, NULL);
    up_answer_finish(&answer);
    return keys;
}

bool google_token_check(struct visit *visit, const char *header)
{
    const struct inbound_request *request = visit->request;
    char *audience;
    cJSON *keys;
    bool good;

    if (!str_starts(header, "Bearer "))
        return visit_forged(visit);
    keys = fetch_keys(visit->auth);
    if (keys == NULL)
        return err_set(visit->err, 500, "webhook_invalid_secret",
            "Google's keys could not be fetched: send the message again");
    /* With the provider's name where others have the integration's key (contract). */
    audience = str_printf("%s/webhook/%s/%s", visit->auth->public_url,
        request->environment->uuid, request->integration->row->provider);
    good = google_token_verify(header + strlen("Bearer "), keys, audience, visit->now_ms);
    free(audience);
    cJSON_Delete(keys);
    return good || visit_forged(visit);
}
