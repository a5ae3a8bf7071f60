/* SPDX-License-Identifier: Apache-2.0 */
/* Building the provider's request. The parts are in build_url.c, build_headers.c,
 * build_sign.c; the body's template is here. */
#include "proxy/build.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "proxy/build_int.h"

const char *build_setting(const struct build *b, const char *name)
{
    return json_str(json_get(b->in->settings, "custom"), name);
}

/* What stands after Bearer and for `${accessToken}`. */
static const char *token_of(const char *type, const cJSON *credentials)
{
    if (str_eq(type, "OAUTH2") || str_eq(type, "APP"))
        return json_str(credentials, "access_token");
    if (str_eq(type, "OAUTH2_CC") || str_eq(type, "SIGNATURE") || str_eq(type, "JWT") ||
        str_eq(type, "TWO_STEP"))
        return json_str(credentials, "token");
    return NULL;
}

/* Interpolates the texts of a template, dropping those that stay unresolved. */
static cJSON *render(const struct build *b, const cJSON *node)
{
    const struct template_layer layers[] = {
        {.prefix = "accessToken", .text = b->token != NULL ? b->token : ""},
        {.prefix = "connectionConfig", .object = b->in->config},
        {.prefix = "credentials", .object = b->in->credentials},
        {.object = b->in->credentials},
    };
    const cJSON *child;
    cJSON *out;

    if (cJSON_IsString(node)) {
        struct buf text;
        bool complete;

        buf_init_secret(&text, 0);
        complete = template_append(node->valuestring, layers,
            sizeof layers / sizeof layers[0], b->in->stable, 0, &text);
        out = complete ? cJSON_CreateString(text.data != NULL ? text.data : "") : NULL;
        buf_finish(&text);
        return out;
    }
    if (!cJSON_IsObject(node) && !cJSON_IsArray(node))
        return cJSON_Duplicate(node, true);
    out = cJSON_IsObject(node) ? cJSON_CreateObject() : cJSON_CreateArray();
    cJSON_ArrayForEach(child, node)
    {
        cJSON *value = render(b, child);

        if (value != NULL && cJSON_IsObject(node))
            cJSON_AddItemToObject(out, child->string, value);
        else if (value != NULL)
            cJSON_AddItemToArray(out, value);
    }
    return out;
}

/* `a[b]=v` for each leaf. */
static void write_form(const cJSON *node, const char *name, struct buf *out)
{
    const cJSON *child;
    int index = 0;

    if (!cJSON_IsObject(node) && !cJSON_IsArray(node)) {
        char *text = cJSON_IsString(node) ? str_dup(node->valuestring) : json_print(node);

        if (out->len > 0)
            buf_putc(out, '&');
        str_form_encode(name, strlen(name), out);
        buf_putc(out, '=');
        str_form_encode(text, strlen(text), out);
        free(text);
        return;
    }
    cJSON_ArrayForEach(child, node)
    {
        char *key = cJSON_IsArray(node) ? str_printf("%s[%d]", name, index++)
                    : *name == '\0'     ? str_dup(child->string)
                                        : str_printf("%s[%s]", name, child->string);

        write_form(child, key, out);
        free(key);
    }
}

/* `proxy.body`: merged over an object, appended to a form, ignored for bytes. */
static void build_body(struct build *b, struct proxy_request *out)
{
    const char *type = http_headers_find(&out->headers, "content-type");
    bool form = type != NULL && strstr(type, "application/x-www-form-urlencoded") != NULL;
    bool sends =
        str_eq_nocase(b->in->method, "POST") || str_eq_nocase(b->in->method, "PUT") ||
        str_eq_nocase(b->in->method, "PATCH") || str_eq_nocase(b->in->method, "DELETE");
    cJSON *extra;
    struct buf text;

    if (b->plan->body == NULL || !sends)
        return;
    if (!form && b->in->body_len > 0 && !cJSON_IsObject(b->in->body_json))
        return;
    extra = render(b, b->plan->body);
    buf_init_secret(&text, 0);
    if (form) {
        if (b->in->body != NULL)
            buf_append(&text, b->in->body, b->in->body_len);
        write_form(extra, "", &text);
    } else {
        cJSON *merged = cJSON_IsObject(b->in->body_json)
                            ? cJSON_Duplicate(b->in->body_json, true)
                            : cJSON_CreateObject();

        json_merge(merged, extra);
        json_append(&text, merged);
        cJSON_Delete(merged);
        if (type == NULL)
            http_headers_add(&out->headers, "content-type", "application/json");
    }
    cJSON_Delete(extra);
    out->body = buf_take(&text, &out->body_len);
}

bool proxy_build(
    const struct proxy_input *input, struct proxy_request *out, struct err *err)
{
    struct build b = {.in = input, .plan = input->provider->plan};
    const char *type = json_str(input->credentials, "type");
    bool ok;

    memset(out, 0, sizeof *out);
    b.type = type != NULL ? type : "";
    b.token = token_of(b.type, input->credentials);
    b.headers = &out->headers;
    ok = build_url(&b, err) && build_headers(&b, err);
    if (ok) {
        build_body(&b, out);
        out->url = b.url.text;
        b.url.text = NULL;
    }
    weburl_finish(&b.url);
    out->secret_headers = b.secret_names;
    if (!ok)
        proxy_request_finish(out);
    return ok;
}

void proxy_request_finish(struct proxy_request *request)
{
    mem_free_text(request->url);
    http_headers_finish(&request->headers);
    mem_wipe(request->body, request->body_len);
    free(request->body);
    for (char **name = request->secret_headers; name != NULL && *name != NULL; name++)
        free(*name);
    free(request->secret_headers);
    memset(request, 0, sizeof *request);
}

bool proxy_needs_body(const struct provider *provider, const char *auth_type)
{
    return str_eq(auth_type, "AWS_SIGV4") || provider->plan->body != NULL ||
           (provider->plan->header_uses & PLAN_BODY) != 0;
}

bool proxy_needs_settings(const struct provider *provider)
{
    const struct provider_plan *plan = provider->plan;

    if (plan->key_by_settings || provider->mode == AUTH_OAUTH1 ||
        provider->mode == AUTH_TBA)
        return true;
    for (size_t i = 0; i < plan->header_count; i++) {
        if (strstr(plan->headers[i].text, "${client") != NULL)
            return true;
    }
    return false;
}

bool proxy_needs_random(const struct provider *provider)
{
    const struct provider_plan *plan = provider->plan;
    unsigned uses = plan->header_uses | plan->base_uses;

    for (size_t i = 0; i < plan->query_count; i++)
        uses |= plan->query[i].uses;
    return (uses & PLAN_STABLE) != 0 || plan->body != NULL;
}

bool proxy_needs_whole_connection(const struct provider *provider, const char *auth_type,
    const char *base_override, const char *endpoint)
{
    static const char *const plain[] = {"OAUTH2", "API_KEY", "BASIC", "NONE"};
    const struct provider_plan *plan = provider->plan;
    unsigned uses = plan->base_uses | plan->header_uses;
    bool known = false;

    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        known = known || str_eq(auth_type, plain[i]);
    for (size_t i = 0; i < plan->query_count; i++)
        uses |= plan->query[i].uses;
    return !known || (uses & (PLAN_CONFIG | PLAN_RAW)) != 0 || plan->base_has_choice ||
           plan->body != NULL || plan->key_by_settings ||
           strstr(endpoint, "${") != NULL ||
           (base_override != NULL && strstr(base_override, "${") != NULL);
}

bool proxy_needs_metadata(const struct provider *provider, const char *base_override)
{
    const struct provider_plan *plan = provider->plan;
    bool needed =
        (base_override != NULL && strstr(base_override, "${metadata") != NULL) ||
        (plan->base_url != NULL && strstr(plan->base_url, "${metadata") != NULL);

    for (size_t i = 0; !needed && i < plan->query_count; i++)
        needed = strstr(plan->query[i].text, "${metadata") != NULL;
    return needed;
}
