/* SPDX-License-Identifier: Apache-2.0 */
/* Building requests to token endpoints: code exchange and refresh of the generic OAuth 2
 * client (contract auth.md sections 3.2 and 8.3). No I/O.
 *
 * Ours differs from the reference on purpose: the query of `token_url` is kept; on
 * refresh the grant type is `refresh_token` unless `refresh_params` says otherwise (the
 * reference falls back to `token_params`, whose grant type is the code's), and
 * placeholders in the refresh parameters are filled. Fails on a URL or parameter whose
 * placeholders the connection's config cannot fill, and on parameters that are neither
 * text, number nor boolean. */
#include "auth/token.h"

#include <stdlib.h>
#include <string.h>

#include "auth/provider_entry.h"
#include "auth/token_int.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "catalog/template.h"

void token_request_finish(struct token_request *request)
{
    for (size_t i = 0; i < request->headers.count; i++)
        mem_wipe(
            request->headers.items[i].value, strlen(request->headers.items[i].value));
    http_headers_finish(&request->headers);
    free(request->method);
    mem_free_text(request->url); /* some providers take credentials in it */
    mem_free_text(request->body);
    for (size_t i = 0; i < TOKEN_SECRETS; i++)
        mem_free_text(request->secrets[i]);
    mem_free_text(request->certificate);
    mem_free_text(request->key);
    cJSON_Delete(request->xml);
    memset(request, 0, sizeof *request);
}

void token_request_secrets(const struct token_request *request, struct token_secrets *out)
{
    for (size_t i = 0; i < TOKEN_SECRETS; i++)
        out->items[i] = request->secrets[i];
}

void token_client_choose(
    const cJSON *settings, const cJSON *config_override, struct token_client *out)
{
    const char *id = json_str(config_override, "client_id");
    const char *secret = json_str(config_override, "client_secret");

    out->id = str_is_empty(id) ? json_str(settings, "oauth_client_id") : id;
    out->secret =
        str_is_empty(secret) ? json_str(settings, "oauth_client_secret") : secret;
}

static bool param_add(
    cJSON *fields, const cJSON *param, const cJSON *values, struct err *err)
{
    cJSON *copy;

    if (cJSON_IsString(param)) {
        char *text = provider_param_render(param->valuestring, values);
        bool unresolved = template_is_unresolved(text);

        if (!unresolved)
            json_set_str(fields, param->string, text);
        free(text);
        return !unresolved ||
               err_set(err, 400, "url_param_err",
                   "token parameter %.60s needs a value that the connection lacks",
                   param->string);
    }
    if (!cJSON_IsNumber(param) && !cJSON_IsBool(param))
        return err_set(err, 500, "server_error",
            "token parameter %.60s is neither text, number nor boolean", param->string);
    copy = cJSON_Duplicate(param, false);
    json_set(fields, param->string, copy);
    return true;
}

/* Lays the catalogue's parameters over `fields`, but for the one named `skip`. */
static bool params_add(cJSON *fields, const cJSON *params, const char *skip,
    const cJSON *config, struct err *err)
{
    cJSON *values = provider_values(config);
    const cJSON *param;
    bool ok = true;

    cJSON_ArrayForEach(param, params)
    {
        if (skip == NULL || strcmp(param->string, skip) != 0)
            ok = ok && param_add(fields, param, values, err);
    }
    cJSON_Delete(values);
    return ok;
}

void token_header_basic(
    struct http_headers *headers, const struct token_client *client, bool form_encoded)
{
    struct buf pair, value;
    const char *secret = client->secret != NULL ? client->secret : "";

    buf_init_secret(&pair, 0);
    buf_init_secret(&value, 0);
    if (form_encoded) {
        str_form_encode(client->id, strlen(client->id), &pair);
        buf_putc(&pair, ':');
        str_form_encode(secret, strlen(secret), &pair);
    } else {
        buf_puts(&pair, client->id);
        buf_putc(&pair, ':');
        buf_puts(&pair, secret);
    }
    buf_puts(&value, "Basic ");
    str_base64(pair.data, pair.len, &value);
    http_headers_set(headers, "Authorization", value.data);
    buf_finish(&pair);
    buf_finish(&value);
}

static void client_add(const struct provider *provider, const struct token_client *client,
    cJSON *fields, struct http_headers *headers)
{
    const char *method = json_str(provider->entry, "authorization_method");
    const char *also = json_str(provider->entry, "token_request_auth_method");

    if (str_eq(method, "header")) {
        token_header_basic(headers, client, true);
    } else {
        json_set_str(fields, "client_id", client->id);
        if (client->secret != NULL)
            json_set_str(fields, "client_secret", client->secret);
    }
    if (str_eq(also, "basic"))
        token_header_basic(headers, client, false);
}

void token_form_write(struct buf *out, const cJSON *fields)
{
    const cJSON *field;

    cJSON_ArrayForEach(field, fields)
    {
        struct buf number;
        const char *text = field->valuestring;

        buf_init(&number, 0);
        if (!cJSON_IsString(field)) {
            json_append(&number, field);
            text = number.data;
        }
        if (field != fields->child)
            buf_putc(out, '&');
        str_form_encode(field->string, strlen(field->string), out);
        buf_putc(out, '=');
        str_form_encode(text, strlen(text), out);
        buf_finish(&number);
    }
}

void token_query_add(struct token_request *request, const cJSON *fields)
{
    struct buf url;

    buf_init_secret(&url, 0);
    buf_puts(&url, request->url);
    buf_putc(&url, strchr(request->url, '?') != NULL ? '&' : '?');
    token_form_write(&url, fields);
    mem_free_text(request->url);
    request->url = buf_take(&url, NULL);
}

/* The parts that both requests share: URL, headers, client and body. Takes over `fields`.
 */
static bool request_finish(const struct provider *provider,
    const struct token_client *client, const cJSON *config, cJSON *fields,
    struct token_request *out, struct err *err)
{
    const char *url = provider_token_url(provider);
    bool json = str_eq(json_str(provider->entry, "body_format"), "json");
    bool ok = false;
    struct buf body;

    buf_init_secret(&body, 0);
    if (url == NULL) {
        err_set(err, 400, "missing_token_url", "provider %.60s has no token URL",
            provider->name);
        goto done;
    }
    out->url = template_url(url, config,
        provider_skips_encoding(provider, "token_url_skip_encode"), NULL, err);
    if (out->url == NULL)
        goto done;
    if (str_is_empty(client->id)) {
        err_set(err, 400, "provider_config_err", "the integration has no client id");
        goto done;
    }
    out->method = str_dup("POST");
    http_headers_add(&out->headers, "Accept", "application/json");
    http_headers_add(&out->headers, "User-Agent", "Nango");
    client_add(provider, client, fields, &out->headers);
    out->secrets[0] = str_dup(client->secret);
    if (json)
        json_append(&body, fields);
    else
        token_form_write(&body, fields);
    http_headers_add(&out->headers, "Content-Type",
        json ? "application/json" : "application/x-www-form-urlencoded");
    out->body = buf_take(&body, NULL);
    ok = true;

done:
    buf_finish(&body);
    cJSON_Delete(fields);
    if (!ok)
        token_request_finish(out);
    return ok;
}

bool token_request_exchange(const struct provider *provider,
    const struct token_client *client, const cJSON *config, const char *code,
    const char *redirect_uri, const char *verifier, struct token_request *out,
    struct err *err)
{
    cJSON *fields = cJSON_CreateObject();

    memset(out, 0, sizeof *out);
    json_set_str(fields, "grant_type", "authorization_code");
    json_set_str(fields, "code", code);
    json_set_str(fields, "redirect_uri", redirect_uri);
    if (!params_add(
            fields, json_get(provider->entry, "token_params"), NULL, config, err)) {
        cJSON_Delete(fields);
        return false;
    }
    if (verifier != NULL && !json_bool(provider->entry, "disable_pkce", false)) {
        json_set_str(fields, "code_verifier", verifier);
        out->secrets[2] = str_dup(verifier);
    }
    out->secrets[1] = str_dup(code);
    return request_finish(provider, client, config, fields, out, err);
}

bool token_request_refresh(const struct provider *provider,
    const struct token_client *client, const cJSON *config, const char *refresh_token,
    struct token_request *out, struct err *err)
{
    const cJSON *params = json_get(provider->entry, "refresh_params");
    cJSON *fields = cJSON_CreateObject();
    const char *skip = NULL;

    memset(out, 0, sizeof *out);
    if (params == NULL) {
        params = json_get(provider->entry, "token_params");
        skip = "grant_type";
    }
    json_set_str(fields, "grant_type", "refresh_token");
    if (!params_add(fields, params, skip, config, err)) {
        cJSON_Delete(fields);
        return false;
    }
    json_set_str(fields, "refresh_token", refresh_token);
    out->secrets[1] = str_dup(refresh_token);
    return request_finish(provider, client, config, fields, out, err);
}
