/* SPDX-License-Identifier: Apache-2.0 */
/* The authorization URL (contract auth.md section 3.1). No I/O: the same request gives
 * the same URL. Fails with `grant_type_err` for a provider whose tokens are not asked for
 * by code, and with `url_param_err` when a placeholder has no value in the connection's
 * config. */
#include <stdlib.h>
#include <string.h>

#include "auth/oauth_flow.h"
#include "auth/provider_entry.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/str.h"

void pkce_challenge(const char *verifier, char out[PKCE_CHALLENGE_SIZE])
{
    uint8_t digest[SHA256_LEN];
    struct buf text;

    buf_init(&text, 0);
    crypto_sha256(verifier, strlen(verifier), digest);
    str_base64url(digest, sizeof digest, &text);
    str_copy(out, PKCE_CHALLENGE_SIZE, text.data);
    buf_finish(&text);
}

/* What the flow itself decides; entries of dynamically registered clients repeat some of
 * it. */
static bool is_reserved(const char *name)
{
    static const char *const reserved[] = {"response_type", "code_challenge",
        "code_challenge_method", "state", "redirect_uri", "scope", "client_id"};

    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
        if (str_eq(reserved[i], name))
            return true;
    }
    return false;
}

static bool is_mcp(const struct provider *provider)
{
    return provider->mode == AUTH_MCP_OAUTH2 || provider->mode == AUTH_MCP_OAUTH2_GENERIC;
}

/* The catalogue's own parameters, rendered. */
static bool template_params_add(
    cJSON *query, const struct authorize_request *request, struct err *err)
{
    cJSON *values = provider_values(request->config);
    const cJSON *param;
    bool ok = true;

    cJSON_ArrayForEach(param, json_get(request->provider->entry, "authorization_params"))
    {
        char *text;

        if (is_mcp(request->provider) && is_reserved(param->string))
            continue;
        if (!cJSON_IsString(param)) {
            text = json_print(param);
        } else {
            text =
                provider_param_render_stable(param->valuestring, values, request->stable);
            if (template_is_unresolved(text))
                ok = err_set(err, 400, "url_param_err",
                    "authorization parameter %.60s needs a value that the connection "
                    "lacks",
                    param->string);
        }
        json_set_str(query, param->string, text);
        free(text);
    }
    cJSON_Delete(values);
    return ok;
}

/* The request's own parameters win; the text `undefined` takes one of the template's
 * away. */
static void request_params_add(cJSON *query, const cJSON *params)
{
    const cJSON *param;

    cJSON_ArrayForEach(param, params)
    {
        if (!cJSON_IsString(param))
            continue;
        if (str_eq(param->valuestring, "undefined"))
            json_remove(query, param->string);
        else
            json_set_str(query, param->string, param->valuestring);
    }
}

static bool query_make(const struct authorize_request *request, const char *scope,
    cJSON *query, struct err *err)
{
    const struct provider *provider = request->provider;
    char challenge[PKCE_CHALLENGE_SIZE];

    json_set_str(query, "response_type", "code");
    json_set_str(query, "client_id", request->client_id);
    json_set_str(query, "redirect_uri", request->redirect_uri);
    if (!provider_list_has(provider, "authorization_url_skip_encode", "scopes"))
        json_set_str(query, "scope", scope);
    json_set_str(query, "state", request->state);
    if (!template_params_add(query, request, err))
        return false;
    if (is_mcp(provider) || !json_bool(provider->entry, "disable_pkce", false)) {
        pkce_challenge(request->verifier, challenge);
        json_set_str(query, "code_challenge", challenge);
        json_set_str(query, "code_challenge_method", "S256");
    }
    if (!str_is_empty(request->user_scope) && str_eq(provider->name, "slack"))
        json_set_str(query, "user_scope", request->user_scope);
    request_params_add(query, request->authorization_params);
    return true;
}

static void pair_append(struct buf *url, bool *first, const char *name, const char *value)
{
    if (!*first)
        buf_putc(url, '&');
    *first = false;
    str_form_encode(name, strlen(name), url);
    buf_putc(url, '=');
    str_form_encode(value, strlen(value), url);
}

/* Scopes that the provider wants unencoded: only what a query cannot hold is escaped. */
static void raw_scope_append(struct buf *url, const char *scope)
{
    for (; *scope != '\0'; scope++) {
        unsigned char c = (unsigned char)*scope;

        if (c > 0x20 && c < 0x7f && strchr("\"#&<>\\^`{|}", c) == NULL)
            buf_putc(url, (char)c);
        else
            buf_printf(url, "%%%02X", c);
    }
}

static void query_append(struct buf *url, const struct provider *provider,
    const cJSON *query, const char *scope)
{
    bool skip_empty = json_bool(provider->entry, "authorization_url_skip_empty", false);
    bool first = true;
    const cJSON *pair;

    cJSON_ArrayForEach(pair, query)
    {
        if (!skip_empty || pair->valuestring[0] != '\0')
            pair_append(url, &first, pair->string, pair->valuestring);
    }
    if (!provider_list_has(provider, "authorization_url_skip_encode", "scopes") ||
        (skip_empty && *scope == '\0'))
        return;
    if (is_mcp(provider)) {
        /* Recorded: the raw text is read as a query once more before it is sent. */
        struct buf decoded;

        buf_init(&decoded, 0);
        if (str_percent_decode(scope, strlen(scope), true, &decoded) && decoded.len > 0)
            pair_append(url, &first, "scope", decoded.data);
        else
            pair_append(url, &first, "scope", scope);
        buf_finish(&decoded);
        return;
    }
    buf_puts(url, first ? "scope=" : "&scope=");
    raw_scope_append(url, scope);
}

/* Origin and path: what follows is ours. */
static void base_append(struct buf *url, const char *base)
{
    const char *authority = strstr(base, "://");
    const char *path = authority != NULL ? authority + 3 : base;

    buf_append(url, base, strcspn(base, "?#"));
    if (path[strcspn(path, "/?#")] != '/')
        buf_putc(url, '/');
}

/* The first occurrence of each text in the whole URL. */
static char *replacements_apply(char *url, const struct provider *provider)
{
    const cJSON *pair;

    cJSON_ArrayForEach(pair, json_get(provider->entry, "authorization_url_replacements"))
    {
        char *at = cJSON_IsString(pair) ? strstr(url, pair->string) : NULL;
        char *next;

        if (at == NULL)
            continue;
        next = str_printf("%.*s%s%s", (int)(at - url), url, pair->valuestring,
            at + strlen(pair->string));
        free(url);
        url = next;
    }
    return url;
}

char *oauth_authorize_url(const struct authorize_request *request, struct err *err)
{
    const struct provider *provider = request->provider;
    const char *template = json_str(provider->entry, "authorization_url");
    const char *fragment = json_str(provider->entry, "authorization_url_fragment");
    cJSON *query = cJSON_CreateObject();
    char *scope = provider_scopes_join(provider, request->scopes);
    char *base = NULL, *out = NULL;
    struct buf url;

    buf_init(&url, 0);
    if (!provider_grants_by_code(provider)) {
        err_set(err, 400, "grant_type_err",
            "provider %.60s has no authorization code flow", provider->name);
        goto done;
    }
    if (template == NULL) {
        err_set(err, 400, "provider_config_err",
            "provider %.60s has no authorization URL", provider->name);
        goto done;
    }
    base = template_url(template, request->config,
        provider_skips_encoding(provider, "authorization_url_skip_encode"),
        request->stable, err);
    if (base == NULL) {
        str_copy(err->code, sizeof err->code, "url_param_err");
        err->status = 400;
        goto done;
    }
    if (!query_make(request, scope, query, err))
        goto done;
    base_append(&url, base);
    if (fragment != NULL)
        buf_printf(&url, "#%s", fragment);
    buf_putc(&url, '?');
    query_append(&url, provider, query, scope);
    out = replacements_apply(buf_take(&url, NULL), provider);

done:
    buf_finish(&url);
    free(base);
    free(scope);
    cJSON_Delete(query);
    return out;
}
