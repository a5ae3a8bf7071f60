/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of the template engine that its files share. */
#ifndef CATALOG_TEMPLATE_INT_H
#define CATALOG_TEMPLATE_INT_H

#include "catalog/template.h"

struct template_render {
    const struct template_layer *layers;
    size_t layer_count;
    const struct template_stable *stable;
    int flags;
    bool unresolved; /* something stayed as it was */
    /* Writes the value of a plain name in place of the usual way; `at` is where the
     * placeholder stands in the template. False = refused, the placeholder stays. */
    bool (*insert)(
        void *arg, const char *at, const char *value, size_t len, struct buf *out);
    void *insert_arg;
};

/* Renders `len` bytes without looking for alternatives. */
void template_render_text(
    struct template_render *r, const char *text, size_t len, struct buf *out);
/* `A || B`: the place of the `||` outside placeholders, or NULL. */
const char *template_alternative(const char *text);

/* template_now.c: `now` with what follows it (`:FORMAT`, `+7:days:FORMAT`). False = not
 * such. */
bool template_now(const char *expression, size_t len, int64_t now_ms, struct buf *out);

/* template_call.c: `${name(arguments)}`. */
struct template_function;
/* The function whose call begins at `name` (after `${`); NULL when it is none. */
const struct template_function *template_function_at(const char *name, size_t len);
size_t template_function_name_len(const struct template_function *function);
/* False: leave the text as it is. `arguments` are not interpolated yet. */
bool template_call(const struct template_function *function, struct template_render *r,
    const char *arguments, size_t len, struct buf *out);
/* The value of a name from the layers as text; false when there is none. */
bool template_lookup(const struct template_render *r, const char *name, struct buf *out);

#endif
