/* SPDX-License-Identifier: Apache-2.0 */
/* Signed requests: OAuth 1.0a for OAUTH1 and TBA, Signature Version 4 for AWS_SIGV4. */
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "catalog/sigv4.h"
#include "proxy/build_int.h"
#include "proxy/oauth1.h"
#include "proxy/params.h"

/* 123-sb1 becomes 123_SB1: the first dash, then upper case. */
static char *realm_of(const char *account)
{
    char *realm = str_dup(account != NULL ? account : "");
    char *dash = strchr(realm, '-');

    if (dash != NULL)
        *dash = '_';
    for (char *c = realm; *c != '\0'; c++) {
        if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
    }
    return realm;
}

static const char *first_of(const char *a, const char *b)
{
    return !str_is_empty(a) ? a : b;
}

static void tba_parts(const struct build *b, struct oauth1 *sign)
{
    const cJSON *override = json_get(b->in->credentials, "config_override");

    sign->method = OAUTH1_HMAC_SHA256;
    sign->consumer_key = first_of(
        json_str(override, "client_id"), json_str(b->in->config, "oauth_client_id"));
    sign->consumer_secret = first_of(json_str(override, "client_secret"),
        json_str(b->in->config, "oauth_client_secret"));
    sign->token = json_str(b->in->credentials, "token_id");
    sign->token_secret = json_str(b->in->credentials, "token_secret");
}

static void oauth1_parts(const struct build *b, struct oauth1 *sign)
{
    /* The hash is HMAC-SHA1 whatever else the catalogue says; PLAINTEXT is meant. */
    sign->method = str_eq(b->plan->signature_method, "PLAINTEXT") ? OAUTH1_PLAINTEXT
                                                                  : OAUTH1_HMAC_SHA1;
    sign->consumer_key = json_str(b->in->settings, "oauth_client_id");
    sign->consumer_secret = json_str(b->in->settings, "oauth_client_secret");
    sign->token = json_str(b->in->credentials, "oauth_token");
    sign->token_secret = json_str(b->in->credentials, "oauth_token_secret");
}

bool build_sign_oauth1(struct build *b, struct err *err)
{
    bool tba = str_eq(b->type, "TBA");
    struct oauth1 sign = {
        .http_method = b->in->method, .url = b->url.text, .stable = b->in->stable};
    char *realm = tba ? realm_of(json_str(b->in->config, "accountId")) : NULL;
    struct buf value;

    if (tba)
        tba_parts(b, &sign);
    else
        oauth1_parts(b, &sign);
    sign.realm = realm;
    if (str_is_empty(sign.consumer_key) || sign.consumer_secret == NULL) {
        free(realm);
        return err_set(err, 400, "unsupported_auth",
            "The integration has no client id and secret to sign the request with");
    }
    buf_init_secret(&value, 0);
    oauth1_header(&sign, &value);
    build_secret_header(b, "authorization", value.data);
    buf_finish(&value);
    free(realm);
    return true;
}

/* ---- AWS ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(
        ((const struct sigv4_header *)a)->name, ((const struct sigv4_header *)b)->name);
}

static bool hash_payload(struct build *b, bool s3, char out[2 * SHA256_LEN + 1])
{
    const struct proxy_input *in = b->in;
    uint8_t digest[SHA256_LEN];

    if (s3 && in->body == NULL && in->body_json == NULL) {
        str_copy(out, 2 * SHA256_LEN + 1, "UNSIGNED-PAYLOAD");
        return true;
    }
    crypto_sha256(
        in->body != NULL ? in->body : "", in->body != NULL ? in->body_len : 0, digest);
    str_hex(digest, sizeof digest, out);
    return true;
}

static char *canonical_query(const struct build *b)
{
    struct params params = {0};
    struct buf out;

    buf_init(&out, 0);
    params_add_form(&params, b->url.text + b->url.query, b->url.query_len);
    params_sort(&params, true);
    params_write(&params, &out);
    params_finish(&params);
    return buf_take(&out, NULL);
}

bool build_sign_aws(struct build *b, struct err *err)
{
    const cJSON *credentials = b->in->credentials;
    const char *service = json_str(credentials, "service");
    const char *token = json_str(credentials, "session_token");
    bool s3 = str_eq(service, "s3");
    struct sigv4_header *fields;
    struct sigv4_input in = {
        .access_key = json_str(credentials, "access_key_id"),
        .secret_key = json_str(credentials, "secret_access_key"),
        .region = json_str(credentials, "region"),
        .service = service,
        .method = b->in->method,
    };
    char date[SIGV4_DATE_SIZE], hash[2 * SHA256_LEN + 1];
    char *path, *query;
    struct buf value;

    if (in.access_key == NULL || in.secret_key == NULL || in.region == NULL ||
        service == NULL)
        return err_set(
            err, 400, "unsupported_auth", "The AWS credentials are incomplete");
    sigv4_date(template_now_ms(b->in->stable), date);
    hash_payload(b, s3, hash);
    http_headers_set(b->headers, "host", b->url.host);
    http_headers_set(b->headers, "x-amz-date", date);
    if (token != NULL)
        build_secret_header(b, "x-amz-security-token", token);
    http_headers_set(b->headers, "x-amz-content-sha256", hash);
    fields = mem_resize_array(NULL, b->headers->count, sizeof *fields);
    for (size_t i = 0; i < b->headers->count; i++)
        fields[i] =
            (struct sigv4_header){b->headers->items[i].name, b->headers->items[i].value};
    qsort(fields, b->headers->count, sizeof *fields, by_name);
    path = str_ndup(b->url.text + b->url.path, b->url.path_len);
    query = canonical_query(b);
    in.date = date;
    in.path = path;
    in.canonical_query = query;
    in.headers = fields;
    in.header_count = b->headers->count;
    in.payload_hash = hash;
    buf_init_secret(&value, 0);
    sigv4_authorization(&in, &value);
    build_secret_header(b, "authorization", value.data);
    buf_finish(&value);
    free(fields);
    free(path);
    free(query);
    return true;
}
