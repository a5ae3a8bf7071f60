/* SPDX-License-Identifier: Apache-2.0 */
/* The provider's URL (contract proxy.md section 3).
 *
 * The endpoint comes from the caller and is interpolated with the connection config
 * alone: with the credentials, `${apiKey}` in a path would put the key into a URL. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "proxy/build_int.h"

/* `A || B`: A when the first connectionConfig name in it is set, else B. */
static char *choose_base(const struct build *b, const char *base)
{
    static const char marker[] = "connectionConfig.";
    const char *bar = strstr(base, "||");
    const char *name = bar != NULL ? strstr(base, marker) : NULL;
    bool first = false;
    char *text, *out;

    if (bar == NULL)
        return str_dup(base);
    if (name != NULL && name < bar) {
        size_t len;
        char *key;

        name += sizeof marker - 1;
        len = strspn(
            name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
        key = str_ndup(name, len);
        first = json_get(b->in->config, key) != NULL &&
                !str_eq(json_str(b->in->config, key), "");
        free(key);
    }
    text = first ? str_ndup(base, (size_t)(bar - base)) : str_dup(bar + 2);
    out = str_dup(str_trim(text));
    free(text);
    return out;
}

/* Everything that a base URL or a query value may name. */
static size_t all_layers(const struct build *b, struct template_layer *layers)
{
    size_t n = 0;

    if (b->token != NULL)
        layers[n++] = (struct template_layer){.prefix = "accessToken", .text = b->token};
    layers[n++] =
        (struct template_layer){.prefix = "connectionConfig", .object = b->in->config};
    if (b->in->metadata != NULL)
        layers[n++] =
            (struct template_layer){.prefix = "metadata", .object = b->in->metadata};
    layers[n++] =
        (struct template_layer){.prefix = "credentials", .object = b->in->credentials};
    layers[n++] = (struct template_layer){.object = b->in->credentials};
    return n;
}

/* What follows a repeated base, at a real boundary; else the endpoint itself. */
static const char *strip_base(const char *endpoint, const char *base)
{
    size_t len = strlen(base);
    const char *at = endpoint;

    while (len > 0 && base[len - 1] == '/')
        len--;
    while (*at == '/')
        at++;
    if (len > 0 && strncmp(at, base, len) == 0 &&
        (at[len] == '\0' || strchr("/?#", at[len]) != NULL))
        return at + len;
    return endpoint;
}

/* base/endpoint with one slash between. */
static void join(const char *base, const char *endpoint, struct buf *out)
{
    size_t len = strlen(base);

    if (len > 0 && base[len - 1] == '/')
        len--;
    while (*endpoint == '/')
        endpoint++;
    buf_append(out, base, len);
    buf_putc(out, '/');
    buf_puts(out, endpoint);
}

static bool parse(struct build *b, const char *text, struct err *err)
{
    weburl_finish(&b->url);
    return weburl_parse(text, &b->url) ||
           err_set(err, 400, "ERR_INVALID_URL", "The provider's URL is not a valid URL");
}

/* Has the query entry this name, however it is escaped? */
static bool is_named(const char *entry, size_t len, const char *name)
{
    const char *equals = memchr(entry, '=', len);
    struct buf own;
    bool same;

    buf_init(&own, 0);
    same = str_percent_decode(
               entry, equals != NULL ? (size_t)(equals - entry) : len, true, &own) &&
           own.len == strlen(name) &&
           (own.len == 0 || memcmp(own.data, name, own.len) == 0);
    buf_finish(&own);
    return same;
}

/* Sets one query entry, replacing those of that name. */
static bool set_query(
    struct build *b, const char *name, const char *value, struct err *err)
{
    struct buf url, key;
    const char *at = b->url.text + b->url.query, *end = at + b->url.query_len;
    bool ok, first = true;

    buf_init_secret(&url, 0);
    buf_init(&key, 0);
    str_form_encode(name, strlen(name), &key);
    buf_append(&url, b->url.text, b->url.path + b->url.path_len);
    while (at < end) {
        const char *amp = memchr(at, '&', (size_t)(end - at));
        const char *stop = amp != NULL ? amp : end;

        if (!is_named(at, (size_t)(stop - at), name)) {
            buf_putc(&url, first ? '?' : '&');
            buf_append(&url, at, (size_t)(stop - at));
            first = false;
        }
        at = stop + 1;
    }
    buf_printf(&url, "%c%s=", first ? '?' : '&', key.data);
    str_form_encode(value, strlen(value), &url);
    ok = parse(b, url.data, err);
    buf_finish(&url);
    buf_finish(&key);
    return ok;
}

static bool add_query(struct build *b, struct err *err)
{
    struct template_layer layers[BUILD_MAX_LAYERS];
    size_t count = all_layers(b, layers);
    bool ok = true;

    for (size_t i = 0; ok && i < b->plan->query_count; i++) {
        const struct plan_field *field = &b->plan->query[i];
        struct buf value;

        buf_init_secret(&value, 0);
        if (template_append(field->text, layers, count, b->in->stable, 0, &value))
            ok = set_query(b, field->name, value.data != NULL ? value.data : "", err);
        buf_finish(&value);
    }
    return ok;
}

/* private-api-generic: the integration says where the key goes. */
static bool add_custom_query(struct build *b, struct err *err)
{
    const char *name = build_setting(b, "keyName");
    const char *text = build_setting(b, "valueTemplate");
    struct template_layer layers[BUILD_MAX_LAYERS];
    struct buf value;
    bool ok;

    if (!b->plan->key_by_settings || str_is_empty(name) ||
        !str_eq(build_setting(b, "keyPlacement"), "query"))
        return true;
    buf_init_secret(&value, 0);
    template_append(str_is_empty(text) ? "${apiKey}" : text, layers,
        all_layers(b, layers), b->in->stable, 0, &value);
    ok = set_query(b, name, value.data, err);
    buf_finish(&value);
    return ok;
}

/* Which base URL is in force; NULL with *err. `from_template` when it is the catalogue's.
 */
static char *pick_base(struct build *b, struct err *err)
{
    const char *custom = build_setting(b, "baseUrl");
    const char *config = json_str(b->in->config, "base_url");
    bool aws = str_eq(b->type, "AWS_SIGV4");

    if (!str_is_empty(b->in->base_override))
        return str_dup(b->in->base_override);
    if (aws && !str_is_empty(config))
        return str_dup(config);
    if (b->plan->key_by_settings && !str_is_empty(custom))
        return str_dup(custom);
    if (b->plan->base_url != NULL)
        return choose_base(b, b->plan->base_url);
    err_set(err, 400, "unsupported_provider", "unsupported_provider");
    return NULL;
}

bool build_url(struct build *b, struct err *err)
{
    struct template_layer layers[BUILD_MAX_LAYERS];
    const struct template_layer config = {
        .prefix = "connectionConfig", .object = b->in->config};
    bool overridden = !str_is_empty(b->in->base_override);
    const char *endpoint = b->in->endpoint;
    char *base = pick_base(b, err), *rest = NULL;
    struct buf text, base_text;
    bool ok = false;

    buf_init_secret(&text, 0);
    buf_init_secret(&base_text, 0);
    if (base == NULL)
        goto done;
    if (str_is_empty(endpoint) && !overridden) {
        err_set(
            err, 400, "missing_api_url", "Neither an endpoint nor a base URL is given");
        goto done;
    }
    if (!overridden && b->plan->base_url != NULL)
        endpoint = strip_base(endpoint, b->plan->base_url);
    if (!overridden)
        endpoint = strip_base(endpoint, base);
    if (strstr(base, "${") != NULL)
        template_append(
            base, layers, all_layers(b, layers), b->in->stable, 0, &base_text);
    else
        buf_puts(&base_text, base);
    if (strstr(endpoint, "${") != NULL) {
        struct buf out;

        buf_init_secret(&out, 0);
        template_append(
            endpoint, &config, 1, b->in->stable, TEMPLATE_NO_ALTERNATIVES, &out);
        rest = buf_take(&out, NULL);
        endpoint = rest;
    }
    join(base_text.data, endpoint, &text);
    ok = parse(b, text.data, err) && add_query(b, err) && add_custom_query(b, err);

done:
    free(base);
    free(rest);
    buf_finish(&text);
    buf_finish(&base_text);
    return ok;
}
