/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "driver.h"

struct block {
    struct block *next;
    max_align_t data[];
};

void *run_alloc(struct run *run, size_t count, size_t size)
{
    struct block *block = must(calloc(1, sizeof *block + count * size));

    block->next = run->blocks;
    run->blocks = block;
    return block->data;
}

void run_free_args(struct run *run)
{
    while (run->blocks != NULL) {
        struct block *next = run->blocks->next;

        free(run->blocks);
        run->blocks = next;
    }
}

static const char *copy(struct run *run, const char *text, size_t len)
{
    char *kept = run_alloc(run, len + 1, 1);

    memcpy(kept, text, len);
    return kept;
}

/* Strings as they are, everything else as its JSON text. */
static const char *as_text(struct run *run, const nango_json *value)
{
    size_t len;
    const char *string = nango_json_string(value, &len);
    char *text;
    const char *kept;

    if (string != NULL)
        return copy(run, string, len);
    if (value == NULL || nango_json_type_of(value) == NANGO_JSON_NULL)
        return NULL;
    text = must(nango_json_text(value, &len));
    kept = copy(run, text, len);
    nango_text_free(text);
    return kept;
}

const nango_json *arg(struct run *run, const char *name)
{
    return nango_json_get(run->args, name);
}

const char *get_text(struct run *run, const nango_json *object, const char *name)
{
    return as_text(run, nango_json_get(object, name));
}

const char *arg_text(struct run *run, const char *name)
{
    return get_text(run, run->args, name);
}

int64_t arg_int(struct run *run, const char *name)
{
    int64_t number = 0;

    nango_json_int(arg(run, name), &number);
    return number;
}

bool arg_bool(struct run *run, const char *name)
{
    bool value = false;

    nango_json_bool(arg(run, name), &value);
    return value;
}

const char *get_json(struct run *run, const nango_json *object, const char *name)
{
    char raw[64];
    size_t len;
    const nango_json *value;
    char *text;
    const char *kept;

    snprintf(raw, sizeof raw, "%s$", name);
    if (nango_json_get(object, raw) != NULL)
        return get_text(run, object, raw);
    value = nango_json_get(object, name);
    if (value == NULL)
        return NULL;
    text = must(nango_json_text(value, &len));
    kept = copy(run, text, len);
    nango_text_free(text);
    return kept;
}

const char *arg_json(struct run *run, const char *name)
{
    return get_json(run, run->args, name);
}

const nango_pair *get_pairs(
    struct run *run, const nango_json *object, const char *name, size_t *count)
{
    const nango_json *all = nango_json_get(object, name);
    bool named = nango_json_type_of(all) == NANGO_JSON_OBJECT;
    nango_pair *pairs;
    size_t n = 0;

    *count = nango_json_count(all);
    if (*count == 0)
        return NULL;
    pairs = run_alloc(run, *count, sizeof *pairs);
    for (const nango_json *it = nango_json_first(all); it != NULL;
         it = nango_json_next(it), n++) {
        const char *key =
            named ? nango_json_name(it) : nango_json_string(nango_json_item(it, 0), NULL);

        if (key == NULL)
            misuse("%s: pairs are an object or [[name, value], …]", name);
        pairs[n].name = copy(run, key, strlen(key));
        pairs[n].value = as_text(run, named ? it : nango_json_item(it, 1));
    }
    if (n != *count)
        fault("%zu members were counted, %zu found", *count, n);
    return pairs;
}

const char *const *get_texts(
    struct run *run, const nango_json *object, const char *name, size_t *count)
{
    const nango_json *all = nango_json_get(object, name);
    bool many = nango_json_type_of(all) == NANGO_JSON_ARRAY;
    const char **texts;
    size_t n = 0;

    *count = many ? nango_json_count(all) : all != NULL;
    if (*count == 0)
        return NULL;
    texts = run_alloc(run, *count, sizeof *texts);
    if (!many) {
        texts[0] = as_text(run, all);
        return texts;
    }
    for (const nango_json *it = nango_json_first(all); it != NULL;
         it = nango_json_next(it))
        texts[n++] = as_text(run, it);
    return texts;
}

static unsigned nibble(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

const void *get_bytes(struct run *run, const nango_json *value, size_t *len)
{
    const char *hex = nango_json_string(nango_json_get(value, "hex"), len);
    const char *text;
    unsigned char *bytes;

    if (hex == NULL) {
        text = as_text(run, value);
        *len = text != NULL ? strlen(text) : 0;
        return text;
    }
    *len /= 2;
    bytes = run_alloc(run, *len + 1, 1);
    for (size_t i = 0; i < *len; i++)
        bytes[i] = (unsigned char)(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
    return bytes;
}

const nango_end_user *get_end_user(struct run *run, const nango_json *body)
{
    const nango_json *user = nango_json_get(body, "end_user");
    const nango_json *organization = nango_json_get(body, "organization");
    nango_end_user *filled;

    if (user == NULL)
        return NULL;
    filled = run_alloc(run, 1, sizeof *filled);
    filled->id = get_text(run, user, "id");
    filled->email = get_text(run, user, "email");
    filled->display_name = get_text(run, user, "display_name");
    filled->tags = get_pairs(run, user, "tags", &filled->tag_count);
    filled->organization_id = get_text(run, organization, "id");
    filled->organization_display_name = get_text(run, organization, "display_name");
    return filled;
}

const nango_sync *get_syncs(struct run *run, const char *name, size_t *count)
{
    const nango_json *all = arg(run, name);
    bool many = nango_json_type_of(all) == NANGO_JSON_ARRAY;
    const char *text = nango_json_string(all, NULL);
    nango_sync *syncs;
    size_t n = 0;

    *count = many ? nango_json_count(all) : all != NULL;
    if (*count == 0 || (text != NULL && strcmp(text, "*") == 0)) {
        *count = 0;
        return NULL;
    }
    syncs = run_alloc(run, *count, sizeof *syncs);
    for (const nango_json *it = many ? nango_json_first(all) : all; n < *count;
         it = nango_json_next(it), n++) {
        bool object = nango_json_type_of(it) == NANGO_JSON_OBJECT;

        syncs[n].name = object ? get_text(run, it, "name") : as_text(run, it);
        syncs[n].variant = object ? get_text(run, it, "variant") : NULL;
    }
    return syncs;
}
