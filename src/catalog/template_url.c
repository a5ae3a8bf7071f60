/* SPDX-License-Identifier: Apache-2.0 */
/* URLs from templates (contract auth.md section 2, "URL building").
 *
 * Where a placeholder stands decides what its value may be:
 *   at the very beginning  the value brings scheme and host: taken as it is
 *   inside the authority   letters, digits, `.`, `-`, and a `:port` at the end: a
 *                          submitted value must not choose another host than the
 *                          template means
 *   the whole authority    likewise, and a path after it: the host is the user's choice
 *                          anyhow (`https://${connectionConfig.tokenUrl}`)
 *   anywhere else          percent-encoded as one component (unless skip_encode) */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "catalog/template_int.h"
#include "catalog/weburl.h"

#define CODE "url_param_err"

struct url_template {
    const char *text; /* one alternative */
    bool skip_encode;
    bool bad_host;
};

static bool is_in_authority(const char *text, const char *at)
{
    const char *start = strstr(text, "://");

    if (!start || at < start + 3)
        return false;
    for (start += 3; start < at; start++)
        if (strchr("/?#\\", *start))
            return false;
    return true;
}

static bool is_host(const char *value, size_t len)
{
    size_t i = 0;

    while (i < len && (isalnum((unsigned char)value[i]) || strchr(".-_", value[i])))
        i++;
    if (i == 0)
        return false;
    if (i < len && value[i] == ':') {
        size_t digits = 0;
        for (i++; i < len && isdigit((unsigned char)value[i]); i++)
            digits++;
        return i == len && digits > 0;
    }
    return i == len;
}

/* Nothing but the placeholder stands between `://` and the path. */
static bool is_authority(const char *text, const char *at)
{
    const char *start = strstr(text, "://"), *end = strchr(at, '}');

    return start != NULL && at == start + 3 && end != NULL &&
           (end[1] == '\0' || strchr("/?#", end[1]) != NULL);
}

/* A host, and segments of unreserved characters, none of which leads upwards. */
static bool is_host_and_path(const char *value, size_t len)
{
    const char *slash = memchr(value, '/', len);

    if (slash == NULL || !is_host(value, (size_t)(slash - value)))
        return false;
    for (const char *c = slash; c < value + len; c++) {
        if (!isalnum((unsigned char)*c) && strchr("/._~-", *c) == NULL)
            return false;
        if (c[0] == '.' && c[1] == '.')
            return false;
    }
    return true;
}

static bool insert(
    void *arg, const char *at, const char *value, size_t len, struct buf *out)
{
    struct url_template *t = arg;

    if (len == 0)
        return false;
    if (at == t->text) {
        buf_append(out, value, len);
        return true;
    }
    if (is_in_authority(t->text, at)) {
        if (!is_host(value, len) &&
            !(is_authority(t->text, at) && is_host_and_path(value, len))) {
            t->bad_host = true;
            return false;
        }
        buf_append(out, value, len);
        return true;
    }
    if (t->skip_encode)
        buf_append(out, value, len);
    else
        str_uri_component(value, len, out);
    return true;
}

/* Renders one alternative; *changed says whether there was a value for anything in it. */
static bool render_one(const char *text, const cJSON *config, bool skip_encode,
    const struct template_stable *stable, struct buf *out, bool *changed, bool *bad_host)
{
    struct template_layer layer = {.object = config};
    struct url_template t = {.text = text, .skip_encode = skip_encode};
    struct template_render r = {
        .layers = &layer,
        .layer_count = 1,
        .stable = stable,
        .flags = TEMPLATE_STRIP_CREDENTIALS | TEMPLATE_STRIP_CONFIG,
        .insert = insert,
        .insert_arg = &t,
    };

    template_render_text(&r, text, strlen(text), out);
    *changed = strcmp(out->data ? out->data : "", text) != 0;
    *bad_host = t.bad_host;
    return !r.unresolved;
}

/* The alternative that counts: the first with a value in it, else the last. */
static bool render(const char *text, const cJSON *config, bool skip_encode,
    const struct template_stable *stable, struct buf *out, bool *bad_host)
{
    for (;;) {
        const char *other = template_alternative(text);
        char *one = other ? str_ndup(text, (size_t)(other - text)) : str_dup(text);
        bool changed = false;
        bool ok;
        buf_clear(out);
        ok = render_one(
            str_trim(one), config, skip_encode, stable, out, &changed, bad_host);
        free(one);
        if (!other || changed || *bad_host)
            return ok;
        text = other + 2;
    }
}

char *template_url(const char *text, const cJSON *config, bool skip_encode,
    const struct template_stable *stable, struct err *err)
{
    struct weburl url = {0};
    bool bad_host = false;
    char *made = NULL;
    struct buf out;

    buf_init_secret(&out, 0);
    if (!render(text, config, skip_encode, stable, &out, &bad_host)) {
        if (bad_host)
            err_set(err, 400, CODE, "A value in the host part of %s is not a host name",
                text);
        else
            err_set(err, 400, CODE,
                "Failed to interpolate URL template: %s. Missing config parameters.",
                text);
        goto done;
    }
    if (!weburl_parse(out.data ? out.data : "", &url)) {
        err_set(err, 400, CODE, "URL template %s does not give a URL", text);
        goto done;
    }
    made = str_ndup(url.text, url.len);

done:
    weburl_finish(&url);
    buf_finish(&out);
    return made;
}
