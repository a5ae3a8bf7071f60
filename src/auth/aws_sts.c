/* SPDX-License-Identifier: Apache-2.0 */
/* Building and reading STS requests. See aws_sts.h.
 *
 * With `stsMode` builtin the integration has keys of its own, with which we sign; a
 * `stsEndpointUrl` then stands for AWS's address (a VPC endpoint, say). Otherwise it names
 * a broker that is asked in JSON. */
#include "auth/aws_sts.h"

#include <stdlib.h>
#include <string.h>

#include "auth/connection.h"
#include "auth/token_int.h"
#include "auth/xml.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "catalog/sigv4.h"
#include "catalog/weburl.h"

#define LIFE_MS (INT64_C(3600) * 1000)
#define SECONDS_MAX 1e12
#define FORM "application/x-www-form-urlencoded"

struct keys {
    const char *id;
    const char *secret;
    const char *session; /* NULL */
};

static const char *setting(const struct integration *integration, const char *name)
{
    return json_str(json_get(integration->settings, "custom"), name);
}

static bool is_builtin(const struct integration *integration)
{
    return str_eq(setting(integration, "stsMode"), "builtin");
}

bool aws_region_is_valid(const char *region)
{
    size_t len = strlen(region);

    return len >= 1 && len <= 64 &&
           strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

/* Where AWS answers for a region, to be freed. */
static char *address_of(const struct integration *integration, const char *region)
{
    const char *own = setting(integration, "stsEndpointUrl");

    if (is_builtin(integration) && !str_is_empty(own))
        return str_dup(own);
    return str_printf("https://sts.%s.amazonaws.com%s/", region,
        str_starts(region, "cn-") ? ".cn" : "");
}

static void param(struct buf *form, const char *name, const char *value)
{
    buf_printf(form, "%s%s=", form->len > 0 ? "&" : "", name);
    str_form_encode(value, strlen(value), form);
}

/* Signs a form for the service `sts`. Takes over `url`. */
static bool sign(char *url, const struct buf *form, const char *region,
    const struct keys *keys, int64_t now_ms, struct token_request *out, struct err *err)
{
    char date[SIGV4_DATE_SIZE], hash[2 * SHA256_LEN + 1];
    uint8_t digest[SHA256_LEN];
    struct sigv4_header headers[4];
    struct sigv4_input in = {.access_key = keys->id,
        .secret_key = keys->secret,
        .region = region,
        .service = "sts",
        .date = date,
        .method = "POST",
        .canonical_query = "",
        .headers = headers,
        .payload_hash = hash};
    struct weburl parsed;
    struct buf value;
    char *path;

    if (!weburl_parse(url, &parsed) || parsed.has_query) {
        free(url);
        return err_set(err, 400, "invalid_aws_sigv4_config",
            "stsEndpointUrl must be an http(s) URL without a query");
    }
    sigv4_date(now_ms, date);
    crypto_sha256(form->data, form->len, digest);
    str_hex(digest, sizeof digest, hash);
    headers[in.header_count++] = (struct sigv4_header){"content-type", FORM};
    headers[in.header_count++] = (struct sigv4_header){"host", parsed.host};
    headers[in.header_count++] = (struct sigv4_header){"x-amz-date", date};
    if (keys->session != NULL)
        headers[in.header_count++] =
            (struct sigv4_header){"x-amz-security-token", keys->session};
    path = str_ndup(parsed.text + parsed.path, parsed.path_len);
    in.path = path;
    buf_init_secret(&value, 0);
    sigv4_authorization(&in, &value);
    out->url = str_dup(parsed.text);
    for (size_t i = 0; i < in.header_count; i++) {
        if (!str_eq(headers[i].name, "host"))
            http_headers_add(&out->headers, headers[i].name, headers[i].value);
    }
    http_headers_add(&out->headers, "authorization", value.data);
    http_headers_add(&out->headers, "accept", "application/json");
    out->method = str_dup("POST");
    out->body = str_ndup(form->data, form->len);
    out->secrets[0] = str_dup(keys->secret);
    out->secrets[1] = str_dup(keys->session);
    buf_finish(&value);
    weburl_finish(&parsed);
    free(path);
    free(url);
    return true;
}

static bool assume_builtin(const struct integration *integration,
    const cJSON *credentials, int64_t now_ms, struct token_request *out, struct err *err)
{
    const struct keys keys = {.id = setting(integration, "awsAccessKeyId"),
        .secret = setting(integration, "awsSecretAccessKey")};
    const char *region = json_str(credentials, "region");
    struct buf form;
    bool ok;

    if (str_is_empty(keys.id) || str_is_empty(keys.secret))
        return err_set(err, 400, "missing_aws_sigv4_builtin_credentials",
            "The integration needs awsAccessKeyId and awsSecretAccessKey");
    buf_init(&form, 0);
    param(&form, "Action", "AssumeRole");
    param(&form, "Version", "2011-06-15");
    param(&form, "RoleArn", json_str(credentials, "role_arn"));
    param(&form, "RoleSessionName", "nango");
    param(&form, "ExternalId", json_str(credentials, "external_id"));
    param(&form, "DurationSeconds", "3600");
    ok = sign(address_of(integration, region), &form, region, &keys, now_ms, out, err);
    buf_finish(&form);
    return ok;
}

/* The broker's own authorization, in a header of the integration's choice or as Basic. */
static void broker_auth(const struct integration *integration, struct token_request *out)
{
    const char *type = setting(integration, "stsAuthType");
    const char *name = setting(integration, "stsAuthHeader");
    const char *key = setting(integration, "stsApiKey");
    const struct token_client client = {.id = setting(integration, "stsAuthUsername"),
        .secret = setting(integration, "stsAuthPassword")};

    if (str_eq(type, "basic") && client.id != NULL) {
        token_header_basic(&out->headers, &client, false);
        out->secrets[0] = str_dup(client.secret);
    } else if (!str_eq(type, "basic") && !str_is_empty(key)) {
        http_headers_add(&out->headers, str_is_empty(name) ? "x-api-key" : name, key);
        out->secrets[0] = str_dup(key);
    }
}

static bool assume_custom(const struct integration *integration, const cJSON *credentials,
    struct token_request *out, struct err *err)
{
    static const char *const sent[] = {"role_arn", "external_id", "region", "service"};
    const char *url = setting(integration, "stsEndpointUrl");
    const char *name = setting(integration, "stsAuthHeader");
    cJSON *body;

    if (str_is_empty(url))
        return err_set(err, 400, "missing_aws_sigv4_sts_endpoint",
            "The integration needs stsEndpointUrl");
    if (!str_is_empty(name) && !http_is_token(name))
        return err_set(
            err, 400, "invalid_aws_sigv4_config", "stsAuthHeader is no name of a header");
    body = cJSON_CreateObject();
    for (size_t i = 0; i < sizeof sent / sizeof sent[0]; i++)
        json_set_str(body, sent[i], json_str(credentials, sent[i]));
    out->url = str_dup(url);
    out->method = str_dup("POST");
    out->body = json_print(body);
    broker_auth(integration, out);
    token_request_defaults(out, "application/json");
    cJSON_Delete(body);
    return true;
}

bool aws_sts_assume(const struct integration *integration, const cJSON *credentials,
    int64_t now_ms, struct token_request *out, struct err *err)
{
    const char *region = json_str(credentials, "region");

    memset(out, 0, sizeof *out);
    if (str_is_empty(json_str(credentials, "role_arn")))
        return err_set(err, 400, "missing_aws_sigv4_role_arn", "role_arn is missing");
    if (str_is_empty(json_str(credentials, "external_id")))
        return err_set(
            err, 400, "missing_aws_sigv4_external_id", "external_id is missing");
    if (str_is_empty(json_str(credentials, "service")))
        return err_set(err, 400, "missing_aws_sigv4_service",
            "The integration needs a service, \"s3\" say");
    if (str_is_empty(region))
        return err_set(err, 400, "missing_aws_sigv4_region", "The region is missing");
    if (!aws_region_is_valid(region))
        return err_set(err, 400, "invalid_aws_sigv4_config",
            "The region may hold a-z, 0-9 and dashes only");
    return is_builtin(integration)
               ? assume_builtin(integration, credentials, now_ms, out, err)
               : assume_custom(integration, credentials, out, err);
}

bool aws_sts_identity(const struct integration *integration, const cJSON *credentials,
    int64_t now_ms, struct token_request *out, struct err *err)
{
    const struct keys keys = {.id = json_str(credentials, "access_key_id"),
        .secret = json_str(credentials, "secret_access_key"),
        .session = json_str(credentials, "session_token")};
    const char *region = json_str(credentials, "region");
    struct buf form;
    bool ok;

    memset(out, 0, sizeof *out);
    buf_init(&form, 0);
    param(&form, "Action", "GetCallerIdentity");
    param(&form, "Version", "2011-06-15");
    ok = sign(address_of(integration, region), &form, region, &keys, now_ms, out, err);
    buf_finish(&form);
    return ok;
}

/* ---- answers ---- */

/* Brokers write a name in one of three ways. */
static const cJSON *member(const cJSON *object, const char *const names[3])
{
    for (size_t i = 0; i < 3; i++) {
        const cJSON *value = names[i] != NULL ? json_get(object, names[i]) : NULL;

        if (value != NULL && !cJSON_IsNull(value))
            return value;
    }
    return NULL;
}

static const cJSON *holder_of(const cJSON *raw)
{
    static const char *const paths[] = {
        "AssumeRoleResponse.AssumeRoleResult.Credentials", "Credentials", "credentials"};

    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        const cJSON *found = json_path(raw, paths[i]);

        if (cJSON_IsObject(found))
            return found;
    }
    return raw;
}

static int64_t expiry_of(const cJSON *value, int64_t now_ms)
{
    int64_t at_ms;

    if (cJSON_IsNumber(value) && value->valuedouble > 0 && value->valuedouble < 8.64e15)
        return (int64_t)(value->valuedouble < SECONDS_MAX ? value->valuedouble * 1000
                                                          : value->valuedouble);
    if (value != NULL && token_expiry_parse(value, now_ms, &at_ms))
        return at_ms;
    return now_ms + LIFE_MS;
}

bool aws_sts_parse(
    const char *answer, size_t len, int64_t now_ms, cJSON *credentials, struct err *err)
{
    static const struct {
        const char *name;
        const char *const theirs[3];
    } texts[] = {
        {"access_key_id", {"accessKeyId", "access_key_id", "AccessKeyId"}},
        {"secret_access_key",
            {"secretAccessKey", "secret_access_key", "SecretAccessKey"}},
        {"session_token", {"sessionToken", "session_token", "SessionToken"}},
    };
    static const char *const expiration[3] = {"expiration", "expires_at", "Expiration"};
    static const char *const expires[3] = {"expiresAt", NULL, NULL};
    cJSON *raw = len > 0 ? json_parse_lenient(answer, len, NULL) : NULL;
    const cJSON *holder, *end;
    bool ok;

    if (raw == NULL)
        raw = xml_parse(answer, len);
    holder = holder_of(raw);
    ok = cJSON_IsObject(holder);
    for (size_t i = 0; ok && i < sizeof texts / sizeof texts[0]; i++) {
        const cJSON *value = member(holder, texts[i].theirs);

        ok = cJSON_IsString(value) && value->valuestring[0] != '\0';
        if (ok)
            json_set_str(credentials, texts[i].name, value->valuestring);
    }
    if (!ok) {
        cJSON_Delete(raw);
        return err_set(err, 400, "aws_sigv4_sts_request_failed",
            "the answer to AssumeRole has no access key, secret and session token");
    }
    end = member(holder, expiration);
    token_expiry_set(
        credentials, expiry_of(end != NULL ? end : member(holder, expires), now_ms));
    json_set(credentials, "raw", raw);
    return true;
}

bool aws_verify(const struct auth *auth, const struct integration *integration,
    const cJSON *credentials, struct err *err)
{
    struct token_request request;
    struct buf answer;
    bool ok;

    if (!aws_sts_identity(
            integration, credentials, clock_now_ms(auth->clock), &request, err))
        return false;
    buf_init_secret(&answer, 0);
    ok = token_request_send(auth, &request, "connection_test_failed", &answer, err);
    buf_finish(&answer);
    token_request_finish(&request);
    return ok;
}
