/* SPDX-License-Identifier: Apache-2.0 */
/* Canonical parameters (contract proxy.md section 4, RFC 5849 section 3.4.1.3.2). */
#include "proxy/params.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

void params_finish(struct params *params)
{
    for (size_t i = 0; i < params->count; i++) {
        free(params->items[i].name);
        mem_free_text(params->items[i].value);
    }
    free(params->items);
    *params = (struct params){0};
}

void params_add(struct params *params, const char *name, const char *value)
{
    if (params->count == params->capacity) {
        params->capacity = params->capacity > 0 ? params->capacity * 2 : 8;
        params->items =
            mem_resize_array(params->items, params->capacity, sizeof *params->items);
    }
    params->items[params->count] =
        (struct param){str_dup(name), str_dup(value), params->count};
    params->count++;
}

/* A bad escape stands for itself. */
static char *decode(const char *text, size_t len)
{
    struct buf out;

    buf_init(&out, 0);
    if (!str_percent_decode(text, len, true, &out)) {
        buf_clear(&out);
        buf_append(&out, text, len);
    }
    return buf_take(&out, NULL);
}

void params_add_form(struct params *params, const char *text, size_t len)
{
    const char *end = text + len;

    while (text < end) {
        const char *amp = memchr(text, '&', (size_t)(end - text));
        const char *stop = amp != NULL ? amp : end;
        const char *equals = memchr(text, '=', (size_t)(stop - text));
        const char *name_end = equals != NULL ? equals : stop;

        if (stop > text) {
            char *name = decode(text, (size_t)(name_end - text));
            char *value = equals != NULL ? decode(equals + 1, (size_t)(stop - equals - 1))
                                         : str_dup("");

            params_add(params, name, value);
            free(name);
            free(value);
        }
        text = stop + 1;
    }
}

void params_add_object(struct params *params, const cJSON *object)
{
    const cJSON *item;

    if (!cJSON_IsObject(object))
        return;
    cJSON_ArrayForEach(item, object)
    {
        if (cJSON_IsString(item)) {
            params_add(params, item->string, item->valuestring);
        } else {
            char *text = json_print(item);

            params_add(params, item->string, text);
            free(text);
        }
    }
}

static int by_name(const void *a, const void *b)
{
    const struct param *x = a, *y = b;
    int order = strcmp(x->name, y->name);

    return order != 0 ? order : (x->order > y->order) - (x->order < y->order);
}

static bool is_unreserved(char c)
{
    char one[2] = {c, '\0'};

    return (unsigned char)c < 0x80 && c != '\0' && str_all_alnum_or(one, "-._~");
}

/* The place of a byte among encoded ones: `%` comes before all that needs no escape. */
static int encoded_rank(char c)
{
    return is_unreserved(c) ? 0x100 + (unsigned char)c : (unsigned char)c;
}

/* As strcmp() of the encoded texts. */
static int compare_encoded(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return encoded_rank(*a) - encoded_rank(*b);
}

/* Signatures sort what is encoded (RFC 5849 section 3.4.1.3.2). */
static int by_name_and_value(const void *a, const void *b)
{
    const struct param *x = a, *y = b;
    int order = compare_encoded(x->name, y->name);

    return order != 0 ? order : compare_encoded(x->value, y->value);
}

void params_sort(struct params *params, bool by_value)
{
    if (params->count > 1)
        qsort(params->items, params->count, sizeof *params->items,
            by_value ? by_name_and_value : by_name);
}

void params_encode(const char *text, struct buf *out)
{
    static const char hex[] = "0123456789ABCDEF";

    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        if (is_unreserved(*text)) {
            buf_putc(out, *text);
        } else {
            char escaped[3] = {'%', hex[c >> 4], hex[c & 15]};

            buf_append(out, escaped, 3);
        }
    }
}

void params_write(const struct params *params, struct buf *out)
{
    buf_append(out, "", 0);
    for (size_t i = 0; i < params->count; i++) {
        if (i > 0)
            buf_putc(out, '&');
        params_encode(params->items[i].name, out);
        buf_putc(out, '=');
        params_encode(params->items[i].value, out);
    }
}
