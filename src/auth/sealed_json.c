/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing and opening of JSON objects. The plain text lives in wiped buffers only; the
 * parsed nodes are wiped by the allocator that secret_harden_process() gives to cJSON. */
#include "auth/sealed_json.h"

#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/secret.h"

bool sealed_json_write(const struct auth *auth, const char *context, const cJSON *value,
    struct blob *out, struct err *err)
{
    struct buf plain, sealed;
    bool ok;

    out->data = NULL;
    out->len = 0;
    buf_init_secret(&plain, 0);
    buf_init(&sealed, 0);
    json_append(&plain, value);
    ok = vault_seal(auth->vault, context, plain.data, plain.len, &sealed, err);
    if (ok)
        out->data = (uint8_t *)buf_take(&sealed, &out->len);
    buf_finish(&plain);
    buf_finish(&sealed);
    return ok;
}

/* Points behind a string that begins at `p`. The text is our own writing. */
static const char *string_end(const char *p, const char *end)
{
    const char *start = p + 1, *quote = start;

    while ((quote = memchr(quote, '"', (size_t)(end - quote))) != NULL) {
        size_t escapes = 0;

        while (quote - escapes > start && quote[-1 - (ptrdiff_t)escapes] == '\\')
            escapes++;
        quote++;
        if (escapes % 2 == 0)
            return quote;
    }
    return end;
}

/* Points behind a value. */
static const char *value_end(const char *p, const char *end)
{
    int depth = 0;

    while (p < end) {
        if (*p == '"') {
            p = string_end(p, end);
        } else {
            depth += (*p == '{' || *p == '[') - (*p == '}' || *p == ']');
            if (depth < 0)
                return p; /* a plain value at the end of its object */
            if (depth == 0 && *p == ',')
                return p;
            p++;
        }
        if (depth == 0 && p < end && (p[-1] == '"' || p[-1] == '}' || p[-1] == ']'))
            return p;
    }
    return end;
}

/* Takes the member `raw` out of the text of an object, as json_append() writes it. */
static size_t drop_raw(char *text, size_t len)
{
    static const char name[] = "\"raw\":";
    const char *p = text + 1, *end = text + len;

    while (len > 2 && p < end && *p == '"') {
        const char *value = string_end(p, end) + 1, *next = value_end(value, end);
        bool last = next >= end || *next != ',';

        if ((size_t)(value - p) == sizeof name - 1 &&
            memcmp(p, name, sizeof name - 1) == 0) {
            const char *from = last && p > text + 1 ? p - 1 : p; /* with a comma */
            const char *to = last ? next : next + 1;

            memmove(text + (from - text), to, (size_t)(end - to));
            return len - (size_t)(to - from);
        }
        p = last ? end : next + 1;
    }
    return len;
}

static bool open_sealed(const struct auth *auth, const char *context,
    const struct blob *sealed, bool with_raw, cJSON **out, struct err *err)
{
    char *plain = NULL;
    size_t len = 0;
    bool ok = false;

    *out = NULL;
    if (sealed->data == NULL) {
        *out = cJSON_CreateObject();
        return true;
    }
    if (!vault_unseal(auth->vault, context, sealed->data, sealed->len, &plain, &len, err))
        return false;
    if (!with_raw)
        len = drop_raw(plain, len);
    /* What was sealed is our own writing: it needs no check of its syntax. */
    *out = cJSON_ParseWithLength(plain, len);
    ok = cJSON_IsObject(*out);
    if (!ok) {
        cJSON_Delete(*out);
        *out = NULL;
        err_internal(err, "sealed value is not a JSON object");
    }
    secret_free(plain);
    return ok;
}

bool sealed_json_open(const struct auth *auth, const char *context,
    const struct blob *sealed, cJSON **out, struct err *err)
{
    return open_sealed(auth, context, sealed, true, out, err);
}

bool sealed_json_open_without_raw(const struct auth *auth, const char *context,
    const struct blob *sealed, cJSON **out, struct err *err)
{
    return open_sealed(auth, context, sealed, false, out, err);
}
