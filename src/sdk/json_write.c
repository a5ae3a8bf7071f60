/* SPDX-License-Identifier: Apache-2.0 */
/* Writing JSON: the bodies of requests, a value printed back, and text from a format. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/sdk_int.h"

static void separate(struct ngo_text *text)
{
    if (text->comma)
        ngo_text_putc(text, ',');
    text->comma = true;
}

void ngo_json_open(struct ngo_text *text, char bracket)
{
    separate(text);
    ngo_text_putc(text, bracket);
    text->comma = false;
}

void ngo_json_close(struct ngo_text *text, char bracket)
{
    ngo_text_putc(text, bracket);
    text->comma = true;
}

/* Quotes and escapes what must be (RFC 8259, section 7) and no more. */
static void quote(struct ngo_text *text, const char *s, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    size_t from = 0;

    if (!ngo_is_utf8(s, len)) {
        text->invalid = true;
        return;
    }
    ngo_text_putc(text, '"');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        char escape[6] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
        size_t size = 2;

        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        ngo_text_add(text, s + from, i - from);
        from = i + 1;
        switch (c) {
        case '"':
        case '\\':
            escape[1] = (char)c;
            break;
        case '\b':
            escape[1] = 'b';
            break;
        case '\f':
            escape[1] = 'f';
            break;
        case '\n':
            escape[1] = 'n';
            break;
        case '\r':
            escape[1] = 'r';
            break;
        case '\t':
            escape[1] = 't';
            break;
        default:
            size = 6;
        }
        ngo_text_add(text, escape, size);
    }
    ngo_text_add(text, s + from, len - from);
    ngo_text_putc(text, '"');
}

void ngo_json_name(struct ngo_text *text, const char *name)
{
    separate(text);
    quote(text, name, strlen(name));
    ngo_text_putc(text, ':');
    text->comma = false;
}

void ngo_json_put_string(struct ngo_text *text, const char *s)
{
    separate(text);
    if (s == NULL)
        ngo_text_puts(text, "null");
    else
        quote(text, s, strlen(s));
}

void ngo_json_put_int(struct ngo_text *text, int64_t number)
{
    separate(text);
    ngo_text_int(text, number);
}

void ngo_json_put_bool(struct ngo_text *text, bool value)
{
    separate(text);
    ngo_text_puts(text, value ? "true" : "false");
}

void ngo_json_put_raw(struct ngo_text *text, const char *json)
{
    size_t len = strlen(json);

    separate(text);
    switch (ngo_json_check(text->mem, json, len)) {
    case NGO_PARSED:
        ngo_text_add(text, json, len);
        break;
    case NGO_NOT_JSON:
        text->invalid = true;
        break;
    case NGO_NO_MEMORY:
        text->failed = true;
        break;
    }
}

void ngo_json_member(struct ngo_text *text, const char *name, const char *value)
{
    if (value == NULL)
        return;
    ngo_json_name(text, name);
    ngo_json_put_string(text, value);
}

void ngo_json_member_raw(struct ngo_text *text, const char *name, const char *json)
{
    if (json == NULL)
        return;
    ngo_json_name(text, name);
    ngo_json_put_raw(text, json);
}

void ngo_json_member_pairs(
    struct ngo_text *text, const char *name, const nango_pair *pairs, size_t count)
{
    if (count == 0)
        return;
    ngo_json_name(text, name);
    ngo_json_open(text, '{');
    for (size_t i = 0; i < count; i++) {
        if (pairs[i].name == NULL || pairs[i].value == NULL)
            text->invalid = true;
        else
            ngo_json_member(text, pairs[i].name, pairs[i].value);
    }
    ngo_json_close(text, '}');
}

void ngo_json_member_strings(
    struct ngo_text *text, const char *name, const char *const *values, size_t count)
{
    if (count == 0)
        return;
    ngo_json_name(text, name);
    ngo_json_open(text, '[');
    for (size_t i = 0; i < count; i++) {
        if (values[i] == NULL)
            text->invalid = true;
        else
            ngo_json_put_string(text, values[i]);
    }
    ngo_json_close(text, ']');
}

static void print_one(struct ngo_text *out, const struct nango_json *value)
{
    switch ((nango_json_type)value->type) {
    case NANGO_JSON_NONE:
    case NANGO_JSON_NULL:
        ngo_text_puts(out, "null");
        break;
    case NANGO_JSON_BOOL:
        ngo_text_puts(out, value->truth ? "true" : "false");
        break;
    case NANGO_JSON_NUMBER:
        ngo_text_add(out, value->text, value->len);
        break;
    case NANGO_JSON_STRING:
        quote(out, value->text, value->len);
        break;
    case NANGO_JSON_ARRAY:
    case NANGO_JSON_OBJECT: {
        const struct nango_json *child = nango_json_first(value);
        bool object = value->type == NANGO_JSON_OBJECT;

        ngo_text_putc(out, object ? '{' : '[');
        while (child != NULL) {
            if (object) {
                quote(out, child->name, child->name_len);
                ngo_text_putc(out, ':');
            }
            print_one(out, child); /* as deep as the parser lets documents be */
            child = nango_json_next(child);
            if (child != NULL)
                ngo_text_putc(out, ',');
        }
        ngo_text_putc(out, object ? '}' : ']');
        break;
    }
    }
}

void ngo_json_print(struct ngo_text *out, const struct nango_json *value)
{
    print_one(out, value);
}

char *nango_json_text(const nango_json *value, size_t *len)
{
    struct ngo_text text;

    if (len != NULL)
        *len = 0;
    if (value == NULL)
        return NULL;
    ngo_text_init(&text, &ngo_mem_default);
    ngo_json_print(&text, value);
    return ngo_text_take(&text, len);
}

/* The shortest decimal text that reads back as the same double, with a point whatever the
 * process's locale writes. */
static void put_double(struct ngo_text *text, double number)
{
    char digits[40], *out = digits;

    if (!isfinite(number)) {
        text->invalid = true;
        return;
    }
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, number);
        if (strtod(digits, NULL) == number)
            break;
    }
    for (const char *in = digits; *in != '\0'; in++) {
        if (strchr("0123456789+-e", *in) != NULL)
            *out++ = *in;
        else if (out == digits || out[-1] != '.')
            *out++ = '.'; /* the locale's point may be of several bytes */
    }
    ngo_text_add(text, digits, (size_t)(out - digits));
}

static void put_format(struct ngo_text *text, const char *format, va_list args)
{
    const char *s;

    for (const char *p = format; *p != '\0'; p++) {
        if (*p != '%') {
            ngo_text_putc(text, *p);
            continue;
        }
        text->comma = false;
        switch (*++p) {
        case 'Q':
            ngo_json_put_string(text, va_arg(args, const char *));
            break;
        case 'J':
            s = va_arg(args, const char *);
            ngo_json_put_raw(text, s != NULL ? s : "null");
            break;
        case 'd':
            ngo_text_int(text, va_arg(args, int));
            break;
        case 'D':
            ngo_text_int(text, va_arg(args, int64_t));
            break;
        case 'f':
            put_double(text, va_arg(args, double));
            break;
        case 'b':
            ngo_text_puts(text, va_arg(args, int) != 0 ? "true" : "false");
            break;
        case '%':
            ngo_text_putc(text, '%');
            break;
        default: /* the rest of the arguments cannot be told any more */
            text->invalid = true;
            return;
        }
    }
}

char *nango_json_format(const char *format, ...)
{
    struct ngo_text text;
    va_list args;
    bool good;

    ngo_text_init(&text, &ngo_mem_default);
    va_start(args, format);
    put_format(&text, format, args);
    va_end(args);
    ngo_text_add(&text, "", 0);
    good = !text.failed && !text.invalid &&
           ngo_json_check(text.mem, text.data, text.len) == NGO_PARSED;
    if (!good) {
        ngo_text_finish(&text);
        return NULL;
    }
    return ngo_text_take(&text, NULL);
}

void nango_text_free(char *text)
{
    ngo_free(&ngo_mem_default, text);
}
