/* SPDX-License-Identifier: Apache-2.0 */
/* Client credentials requests (RFC 6749 section 4.4 and what providers make of it). See
 * token_steps.h.
 *
 * Of the connection's config, `oauth_scopes` (a comma list) and `authorization_params`
 * have a say. The provider's certificate is verified also where the client shows its own,
 * which the reference does not do. */
#include <stdlib.h>
#include <string.h>

#include "auth/jwt.h"
#include "auth/provider_entry.h"
#include "auth/token_int.h"
#include "auth/token_steps.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "catalog/pem.h"

#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#define ASSERTION_LIFE_S 300

/* NULL = none. */
static char *scopes_join(const struct cc_input *in)
{
    const char *own = json_str(in->config, "oauth_scopes");
    const char *scopes = !str_is_empty(own) ? own : in->scopes;

    if (str_is_empty(scopes))
        return NULL;
    return provider_scopes_join(in->provider, scopes + strspn(scopes, ","));
}

/* RFC 7523 section 2.2, RS256 with the JWK that the user entered. */
static bool assertion_add(
    const struct cc_input *in, const char *url, cJSON *fields, struct err *err)
{
    int64_t now_s = template_now_ms(in->stable) / 1000;
    cJSON *header = cJSON_CreateObject(), *payload = cJSON_CreateObject();
    cJSON *jwk = json_parse(in->private_key, strlen(in->private_key), NULL);
    const char *kid = json_str(jwk, "kid");
    char jti[UUID_TEXT_SIZE];
    struct buf token;
    bool ok;

    crypto_uuid_v4(jti);
    json_set_str(header, "alg", "RS256");
    json_set_str(header, "typ", "JWT");
    if (kid != NULL)
        json_set_str(header, "kid", kid);
    json_set_str(payload, "iss", in->client_id);
    json_set_str(payload, "sub", in->client_id);
    json_set_str(payload, "aud", url);
    json_set_i64(payload, "iat", now_s);
    json_set_i64(payload, "exp", now_s + ASSERTION_LIFE_S);
    json_set_str(payload, "jti", jti);
    buf_init_secret(&token, 0);
    ok = jwt_sign(header, payload, in->private_key, strlen(in->private_key), &token, err);
    if (ok) {
        json_set_str(fields, "client_id", in->client_id);
        json_set_str(fields, "client_assertion_type", ASSERTION_TYPE);
        json_set_str(fields, "client_assertion", token.data);
    }
    buf_finish(&token);
    cJSON_Delete(header);
    cJSON_Delete(payload);
    cJSON_Delete(jwk);
    return ok;
}

static bool client_check(const struct cc_input *in, struct err *err)
{
    if (str_is_empty(in->client_id))
        return err_set(err, 400, "missing_client_id", "Missing param 'oauth_client_id'.");
    if (str_is_empty(in->client_secret) && str_is_empty(in->private_key))
        return err_set(
            err, 400, "missing_client_secret", "Missing param 'oauth_client_secret'.");
    return true;
}

static bool client_add(const struct cc_input *in, const char *method, cJSON *fields,
    struct token_request *out, struct err *err)
{
    const struct token_client client = {.id = in->client_id, .secret = in->client_secret};

    if (str_eq(method, "private_key_jwt")) {
        if (!str_is_empty(in->private_key))
            return assertion_add(in, out->url, fields, err);
        return err_set(err, 400, "missing_client_secret",
            "The provider asks for a client_private_key.");
    }
    if (str_eq(method, "basic")) {
        token_header_basic(&out->headers, &client, false);
        return true;
    }
    json_set_str(fields, str_eq(method, "custom") ? "username" : "client_id", client.id);
    if (client.secret != NULL)
        json_set_str(fields, str_eq(method, "custom") ? "password" : "client_secret",
            client.secret);
    return true;
}

/* Parameters follow one another; of one name the form sends both, and what nothing fills
 * goes out as it stands: both as the reference does. */
static void params_add(const struct cc_input *in, cJSON *fields)
{
    cJSON *values = provider_values(in->config);
    const cJSON *param;

    cJSON_ArrayForEach(param, json_get(in->provider->entry, "token_params"))
    {
        char *text;

        if (!cJSON_IsString(param)) {
            cJSON_AddItemToObject(fields, param->string, cJSON_Duplicate(param, true));
            continue;
        }
        text = provider_param_render_stable(param->valuestring, values, in->stable);
        cJSON_AddItemToObject(fields, param->string, cJSON_CreateString(text));
        mem_free_text(text);
    }
    cJSON_Delete(values);
}

static void overrides_add(const struct cc_input *in, cJSON *fields)
{
    const cJSON *param;

    cJSON_ArrayForEach(param, json_get(in->config, "authorization_params"))
    {
        if (cJSON_IsString(param))
            json_set_str(fields, param->string, param->valuestring);
    }
}

static bool certificate_add(
    const struct cc_input *in, struct token_request *out, struct err *err)
{
    if (str_is_empty(in->certificate) || str_is_empty(in->private_key))
        return true;
    out->certificate = pem_format(in->certificate, "CERTIFICATE", err);
    if (out->certificate != NULL)
        out->key = pem_format(in->private_key, "PRIVATE KEY", err);
    return out->key != NULL;
}

/* JSON has one member of a name: the last counts. */
static char *json_body(const cJSON *fields)
{
    cJSON *once = cJSON_CreateObject();
    const cJSON *field;
    char *text;

    cJSON_ArrayForEach(field, fields)
        json_set(once, field->string, cJSON_Duplicate(field, true));
    text = json_print(once);
    cJSON_Delete(once);
    return text;
}

static void body_set(const cJSON *fields, const char *format, struct token_request *out)
{
    struct buf text;

    if (str_eq(format, "json")) {
        out->body = json_body(fields);
        http_headers_set(&out->headers, "Content-Type", "application/json");
        return;
    }
    if (str_eq(format, "query")) {
        token_query_add(out, fields);
        return;
    }
    buf_init_secret(&text, 0);
    token_form_write(&text, fields);
    out->body = buf_take(&text, NULL);
    http_headers_set(&out->headers, "Content-Type", "application/x-www-form-urlencoded");
}

bool cc_request(const struct cc_input *in, struct token_request *out, struct err *err)
{
    const cJSON *entry = in->provider->entry;
    const char *url = provider_token_url(in->provider);
    cJSON *fields = cJSON_CreateObject();
    char *scopes = scopes_join(in);
    bool ok = false;

    memset(out, 0, sizeof *out);
    if (!client_check(in, err))
        goto done;
    if (url == NULL) {
        err_set(err, 400, "missing_token_url", "provider %.60s has no token URL",
            in->provider->name);
        goto done;
    }
    out->url = template_url(url, in->config,
        provider_skips_encoding(in->provider, "token_url_skip_encode"), in->stable, err);
    if (out->url == NULL)
        goto done;
    out->method = str_dup("POST");
    out->secrets[0] = str_dup(in->client_secret);
    out->secrets[1] = str_dup(in->private_key);
    ok = client_add(in, json_str(entry, "token_request_auth_method"), fields, out, err) &&
         certificate_add(in, out, err);
    if (!ok)
        goto done;
    params_add(in, fields);
    if (scopes != NULL)
        cJSON_AddItemToObject(fields, "scope", cJSON_CreateString(scopes));
    overrides_add(in, fields);
    body_set(fields, json_str(entry, "body_format"), out);

done:
    free(scopes);
    cJSON_Delete(fields);
    if (!ok)
        token_request_finish(out);
    return ok;
}
