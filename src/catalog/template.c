/* SPDX-License-Identifier: Apache-2.0 */
/* Interpolation of `${…}` (contract auth.md section 2).
 *
 *   text        = { characters | placeholder }
 *   placeholder = "${" function "(" text ")}" | "${" name "}"
 *
 * One pass, from the inside out: a function's text is interpolated, then handed to it.
 * Values are inserted and never read again, so that a value with `${` in it stays what it
 * is. What is not known, or is neither text nor number, stays as written. */
#include "catalog/template.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "catalog/template_int.h"

#define MAX_NESTING 16

int64_t template_now_ms(const struct template_stable *stable)
{
    if (stable && stable->now_ms != 0)
        return stable->now_ms;
    return clock_now_ms(stable ? stable->clock : NULL);
}

bool template_is_unresolved(const char *text)
{
    return strstr(text, "${") != NULL;
}

/* ---- names ---- */

static bool append_scalar(const cJSON *value, struct buf *out)
{
    if (cJSON_IsString(value)) {
        buf_puts(out, value->valuestring);
        return true;
    }
    if (cJSON_IsNumber(value)) {
        json_append(out, value);
        return true;
    }
    return false;
}

bool template_lookup(const struct template_render *r, const char *name, struct buf *out)
{
    for (size_t i = 0; i < r->layer_count; i++) {
        const struct template_layer *layer = &r->layers[i];
        const char *inner = name;
        if (layer->text) {
            if (strcmp(layer->prefix, name) == 0) {
                buf_puts(out, layer->text);
                return true;
            }
            continue;
        }
        if (!layer->object)
            continue;
        if (layer->prefix) {
            size_t n = strlen(layer->prefix);
            if (strncmp(name, layer->prefix, n) != 0 || name[n] != '.')
                continue;
            inner += n + 1;
        }
        if (*inner && append_scalar(json_path(layer->object, inner), out))
            return true;
    }
    return false;
}

static void append_random(const struct template_stable *stable, struct buf *out)
{
    char uuid[UUID_TEXT_SIZE];

    if (stable && stable->random[0]) {
        buf_puts(out, stable->random);
        return;
    }
    crypto_uuid_v4(uuid);
    buf_puts(out, uuid);
}

static const char *strip_prefixes(const char *name, int flags)
{
    if ((flags & TEMPLATE_STRIP_CREDENTIALS) && str_starts(name, "credentials."))
        name += strlen("credentials.");
    if ((flags & TEMPLATE_STRIP_CONFIG) && str_starts(name, "connectionConfig."))
        name += strlen("connectionConfig.");
    return name;
}

/* Writes the value of `${name}`; false when it stays. */
static bool render_name(struct template_render *r, const char *at, const char *name,
    size_t len, struct buf *out)
{
    struct buf value;
    char *copy;
    bool ok;

    if (len == 6 && memcmp(name, "random", 6) == 0) {
        append_random(r->stable, out);
        return true;
    }
    if (len >= 3 && memcmp(name, "now", 3) == 0 &&
        template_now(name + 3, len - 3, template_now_ms(r->stable), out))
        return true;
    copy = str_ndup(name, len);
    if (r->insert) {
        buf_init_secret(&value, 0);
        ok = template_lookup(r, strip_prefixes(copy, r->flags), &value) &&
             r->insert(r->insert_arg, at, value.data ? value.data : "", value.len, out);
        buf_finish(&value);
    } else {
        ok = template_lookup(r, strip_prefixes(copy, r->flags), out);
    }
    free(copy);
    return ok;
}

/* ---- structure ---- */

/* Points at the `}` that ends the placeholder whose inside begins at `s`; for a function,
 * that is the one after the first `)` outside nested placeholders. */
static const char *placeholder_end(const char *s, const char *end, bool function)
{
    size_t nested = 0;

    for (; s < end; s++) {
        if (*s == '$' && s + 1 < end && s[1] == '{') {
            if (++nested > MAX_NESTING)
                return NULL;
            s++;
        } else if (*s == '}') {
            if (nested > 0)
                nested--;
            else if (!function || s[-1] == ')')
                return s;
        }
    }
    return NULL;
}

/* Handles the placeholder at `s`; returns where to go on. */
static const char *render_placeholder(
    struct template_render *r, const char *s, const char *end, struct buf *out)
{
    const char *inside = s + 2;
    const struct template_function *function =
        template_function_at(inside, (size_t)(end - inside));
    const char *close;

    if (function) {
        const char *arguments = inside + template_function_name_len(function) + 1;
        close = placeholder_end(arguments, end, true);
        if (close && close > arguments &&
            template_call(function, r, arguments, (size_t)(close - 1 - arguments), out))
            return close + 1;
    } else {
        close = placeholder_end(inside, end, false);
        if (close && !memchr(inside, '{', (size_t)(close - inside)) &&
            render_name(r, s, inside, (size_t)(close - inside), out))
            return close + 1;
    }
    r->unresolved = true;
    if (function && close) { /* whole, so that nothing of it leaks in part */
        buf_append(out, s, (size_t)(close + 1 - s));
        return close + 1;
    }
    buf_append(out, s, 2);
    return inside;
}

void template_render_text(
    struct template_render *r, const char *text, size_t len, struct buf *out)
{
    const char *end = text + len;

    while (text < end) {
        const char *open = memmem(text, (size_t)(end - text), "${", 2);
        if (!open) {
            buf_append(out, text, (size_t)(end - text));
            return;
        }
        buf_append(out, text, (size_t)(open - text));
        text = render_placeholder(r, open, end, out);
    }
}

const char *template_alternative(const char *text)
{
    size_t nested = 0;

    for (const char *s = text; *s; s++) {
        if (s[0] == '$' && s[1] == '{')
            nested++;
        else if (*s == '}' && nested > 0)
            nested--;
        else if (nested == 0 && s[0] == '|' && s[1] == '|')
            return s;
    }
    return NULL;
}

static void trim(const char **text, size_t *len)
{
    static const char space[] = " \t\r\n";

    while (*len > 0 && strchr(space, **text)) {
        (*text)++;
        (*len)--;
    }
    while (*len > 0 && strchr(space, (*text)[*len - 1]))
        (*len)--;
}

bool template_append(const char *text, const struct template_layer *layers, size_t count,
    const struct template_stable *stable, int flags, struct buf *out)
{
    struct template_render r = {
        .layers = layers, .layer_count = count, .stable = stable, .flags = flags};
    const char *other =
        flags & TEMPLATE_NO_ALTERNATIVES ? NULL : template_alternative(text);

    while (other) {
        const char *first = text;
        size_t len = (size_t)(other - text);
        size_t start = out->len;
        trim(&first, &len);
        r.unresolved = false;
        template_render_text(&r, first, len, out);
        if (out->len - start != len ||
            (len > 0 && memcmp(out->data + start, first, len) != 0))
            return !r.unresolved;
        /* Unchanged, so there was no value in it. */
        if (out->data) {
            out->len = start;
            out->data[start] = '\0';
        }
        text = other + 2;
        other = template_alternative(text);
        if (!other) {
            len = strlen(text);
            trim(&text, &len);
            r.unresolved = false;
            template_render_text(&r, text, len, out);
            return !r.unresolved;
        }
    }
    template_render_text(&r, text, strlen(text), out);
    return !r.unresolved;
}

char *template_render(const char *text, const cJSON *values,
    const struct template_stable *stable, int flags)
{
    struct template_layer layer = {.object = values};
    struct buf out;

    buf_init_secret(&out, 0);
    template_append(text, &layer, 1, stable, flags, &out);
    return buf_take(&out, NULL);
}
