/* SPDX-License-Identifier: Apache-2.0 */
/* The headers that go to the provider (contract proxy.md section 4): what the
 * credentials' type says, then the catalogue's templates, then the caller's own, then
 * what is customary. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "proxy/build_int.h"
#include "proxy/params.h"

/* Values of the request that templates may name; made only when one does. */
struct request_values {
    char *endpoint, *host, *path, *params, *url_params, *body_params, *content_type;
};

static char *sorted_params(const struct params *params)
{
    struct buf out;

    buf_init(&out, 0);
    params_write(params, &out);
    return buf_take(&out, NULL);
}

static bool has_body_method(const char *method)
{
    return str_eq_nocase(method, "POST") || str_eq_nocase(method, "PUT") ||
           str_eq_nocase(method, "PATCH");
}

static void make_params(const struct build *b, struct request_values *v)
{
    const struct proxy_input *in = b->in;
    struct params query = {0}, body = {0};

    params_add_form(&query, b->url.text + b->url.query, b->url.query_len);
    params_sort(&query, false);
    v->url_params = sorted_params(&query);
    if (has_body_method(in->method)) {
        if (in->body_json != NULL)
            params_add_object(&body, in->body_json);
        else if (in->body != NULL)
            params_add_form(&body, in->body, in->body_len);
        params_sort(&body, false);
        v->params = sorted_params(&body);
    } else {
        v->params = str_dup(v->url_params);
    }
    params_finish(&query);
    params_finish(&body);
}

static void make_values(const struct build *b, struct request_values *v)
{
    const struct proxy_input *in = b->in;
    const char *type =
        in->headers != NULL ? http_headers_find(in->headers, "content-type") : NULL;

    v->endpoint = str_dup(in->endpoint);
    v->host = str_dup(b->url.host);
    v->path = str_ndup(b->url.text + b->url.path, b->url.path_len);
    v->content_type = str_dup(type != NULL ? type : "");
    if (in->body != NULL)
        v->body_params = str_ndup(in->body, in->body_len);
    else
        v->body_params = in->body_json != NULL ? json_print(in->body_json) : str_dup("");
    make_params(b, v);
}

static void values_finish(struct request_values *v)
{
    free(v->endpoint);
    free(v->host);
    free(v->path);
    free(v->params);
    free(v->url_params);
    free(v->body_params);
    free(v->content_type);
}

static void text_layer(
    struct template_layer *layers, size_t *count, const char *name, const char *text)
{
    if (text != NULL)
        layers[(*count)++] = (struct template_layer){.prefix = name, .text = text};
}

/* What a template header may name, by the credentials' type. */
static size_t header_layers(const struct build *b, const struct plan_field *field,
    const struct request_values *v, struct template_layer *layers)
{
    bool everything = (field->uses & PLAN_CONFIG) != 0;
    size_t n = 0;

    text_layer(layers, &n, "accessToken", b->token);
    if (everything)
        layers[n++] = (struct template_layer){
            .prefix = "connectionConfig", .object = b->in->config};
    if (str_eq(b->type, "OAUTH2") || everything) {
        text_layer(layers, &n, "clientId", json_str(b->in->settings, "oauth_client_id"));
        text_layer(
            layers, &n, "clientSecret", json_str(b->in->settings, "oauth_client_secret"));
    }
    if (!everything && (str_eq(b->type, "OAUTH2") || str_eq(b->type, "JWT") ||
                           str_eq(b->type, "OAUTH2_CC") || str_eq(b->type, "SIGNATURE")))
        return n;
    layers[n++] =
        (struct template_layer){.prefix = "credentials", .object = b->in->credentials};
    text_layer(layers, &n, "endpoint", v->endpoint);
    text_layer(layers, &n, "host", v->host);
    text_layer(layers, &n, "path", v->path);
    text_layer(layers, &n, "params", v->params);
    text_layer(layers, &n, "urlCanonicalParams", v->url_params);
    text_layer(layers, &n, "bodyCanonicalParams", v->body_params);
    text_layer(layers, &n, "contentType", v->content_type);
    text_layer(layers, &n, "method", b->in->method);
    if (!str_eq(b->type, "TWO_STEP") || everything)
        layers[n++] = (struct template_layer){.object = b->in->credentials};
    return n;
}

void build_secret_header(struct build *b, const char *name, const char *value)
{
    http_headers_set(b->headers, name, value);
    b->secret_names =
        mem_resize_array(b->secret_names, b->secret_count + 2, sizeof *b->secret_names);
    b->secret_names[b->secret_count++] = str_dup(name);
    b->secret_names[b->secret_count] = NULL;
}

static void set_bearer(struct build *b)
{
    struct buf value;

    buf_init_secret(&value, 0);
    buf_puts(&value, "Bearer ");
    buf_puts(&value, b->token);
    build_secret_header(b, "authorization", value.data);
    buf_finish(&value);
}

static void set_basic(struct build *b)
{
    const char *user = json_str(b->in->credentials, "username");
    const char *password = json_str(b->in->credentials, "password");
    struct buf pair, value;

    buf_init_secret(&pair, 0);
    buf_init_secret(&value, 0);
    buf_printf(
        &pair, "%s:%s", user != NULL ? user : "", password != NULL ? password : "");
    buf_puts(&value, "Basic ");
    str_base64(pair.data, pair.len, &value);
    build_secret_header(b, "authorization", value.data);
    buf_finish(&pair);
    buf_finish(&value);
}

/* A TWO_STEP template that places the token itself. */
static bool places_token(const struct build *b)
{
    for (size_t i = 0; i < b->plan->header_count; i++) {
        const struct plan_field *field = &b->plan->headers[i];

        if (strstr(field->text, "${accessToken}") != NULL ||
            (str_eq(field->name, "cookie") &&
                strstr(field->text, "${credentials._cookies}") != NULL))
            return true;
    }
    return false;
}

static bool set_base_header(struct build *b, struct err *err)
{
    if (str_eq(b->type, "BASIC"))
        set_basic(b);
    else if (str_eq(b->type, "TBA") || str_eq(b->type, "OAUTH1"))
        return build_sign_oauth1(b, err);
    else if (str_eq(b->type, "TWO_STEP") && places_token(b))
        return true;
    else if (b->token != NULL)
        set_bearer(b);
    return true;
}

static void set_templates(struct build *b, const struct request_values *v)
{
    struct template_layer layers[BUILD_MAX_LAYERS];

    for (size_t i = 0; i < b->plan->header_count; i++) {
        const struct plan_field *field = &b->plan->headers[i];
        struct buf value;
        bool complete;

        if ((field->uses & PLAN_TEMPLATE) == 0) {
            http_headers_set(b->headers, field->name, field->text);
            continue;
        }
        buf_init_secret(&value, 0);
        complete = template_append(field->text, layers,
            header_layers(b, field, v, layers), b->in->stable, 0, &value);
        if (complete || (field->uses & PLAN_CONFIG) == 0)
            build_secret_header(b, field->name, value.data != NULL ? value.data : "");
        buf_finish(&value);
    }
}

/* private-api-generic: a header of the integration's own choice. */
static void set_custom_key(struct build *b)
{
    const char *name = build_setting(b, "keyName");
    const char *text = build_setting(b, "valueTemplate");
    const char *placement = build_setting(b, "keyPlacement");
    const struct template_layer layer = {.object = b->in->credentials};
    struct buf value;
    char *lower;

    if (!b->plan->key_by_settings || str_is_empty(name) || str_eq(placement, "query"))
        return;
    buf_init_secret(&value, 0);
    template_append(
        str_is_empty(text) ? "${apiKey}" : text, &layer, 1, b->in->stable, 0, &value);
    lower = str_dup(name);
    str_lower(lower);
    build_secret_header(b, lower, value.data);
    free(lower);
    buf_finish(&value);
}

/* The caller's override all, but for a user agent that the catalogue asks for. */
static void set_callers(struct build *b)
{
    for (size_t i = 0; b->in->headers != NULL && i < b->in->headers->count; i++) {
        const struct http_header *field = &b->in->headers->items[i];
        char *name = str_dup(field->name);

        str_lower(name);
        if (!str_eq(name, "user-agent") || http_headers_find(b->headers, name) == NULL)
            http_headers_set(b->headers, name, field->value);
        free(name);
    }
}

static void set_default(struct build *b, const char *name, const char *value)
{
    if (http_headers_find(b->headers, name) == NULL)
        http_headers_add(b->headers, name, value);
}

bool build_headers(struct build *b, struct err *err)
{
    struct request_values values = {0};
    bool wants_values = (b->plan->header_uses & (PLAN_REQUEST | PLAN_BODY)) != 0;
    bool ok;

    if (wants_values)
        make_values(b, &values);
    ok = set_base_header(b, err);
    if (ok) {
        set_templates(b, &values);
        set_custom_key(b);
        set_callers(b);
        if (b->in->library_defaults) {
            set_default(b, "accept", "application/json, text/plain, */*");
            set_default(b, "user-agent", "nango/" NANGO_VERSION);
        }
        ok = !str_eq(b->type, "AWS_SIGV4") || build_sign_aws(b, err);
    }
    values_finish(&values);
    return ok;
}
