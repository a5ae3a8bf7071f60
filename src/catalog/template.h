/* SPDX-License-Identifier: Apache-2.0 */
/* `${…}` templates of the catalogue (contract auth.md section 2). */
#ifndef CATALOG_TEMPLATE_H
#define CATALOG_TEMPLATE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"

/* What may stand for `${now}` and `${random}`; the same all through one request. */
struct template_stable {
    const struct clock *clock;
    char random[37]; /* "" = a fresh UUID v4 each time */
    char nonce[33];  /* of OAuth 1 signatures; "" = a fresh one each time */
    int64_t now_ms;  /* 0 = ask the clock each time */
};
int64_t template_now_ms(const struct template_stable *stable);

enum template_flags {
    TEMPLATE_STRIP_CREDENTIALS =
        1, /* delete the prefix `credentials.` first (TWO_STEP, JWT, URLs) */
    TEMPLATE_STRIP_CONFIG = 2,    /* delete the prefix `connectionConfig.` first (URLs) */
    TEMPLATE_NO_ALTERNATIVES = 4, /* `A || B` is not known */
};

/* Interpolates `text` with the members of `values` (an object; nested by dotted path;
 * NULL = none). What cannot be resolved stays as it is. The caller frees; secrets may be
 * inside: wipe. */
char *template_render(const char *text, const cJSON *values,
    const struct template_stable *stable, int flags);
bool template_is_unresolved(const char *text); /* a `${` remains */

/* One place where names are looked up; of several, the first that knows the name wins. */
struct template_layer {
    const char
        *prefix; /* NULL: names are members; "credentials": `credentials.x` is `x` */
    const cJSON *object; /* NULL: */
    const char *text;    /*       the value of the name `prefix` itself */
};
/* As template_render(), appending to `out` and looking names up in `layers`. False when
 * something stayed unresolved. */
bool template_append(const char *text, const struct template_layer *layers, size_t count,
    const struct template_stable *stable, int flags, struct buf *out);

/* Makes a URL from a template (auth.md section 2, "URL building"): values of `config` are
 * URI-component-encoded unless `skip_encode`; decode-and-retry only when the template
 * begins with the placeholder; a value inside the authority must be a host. NULL with
 * *err on failure. */
char *template_url(const char *text, const cJSON *config, bool skip_encode,
    const struct template_stable *stable, struct err *err);

#endif
