/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_raw.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *skip_space(const char *at, const char *end)
{
    while (at < end && is_space(*at))
        at++;
    return at;
}

/* Past the string that begins at `at`. */
static const char *skip_string(const char *at, const char *end)
{
    const char *from = ++at;

    while (at < end) {
        const char *quote = memchr(at, '"', (size_t)(end - at)), *before = quote;

        if (quote == NULL)
            return end;
        while (before > from && before[-1] == '\\')
            before--;
        if ((quote - before) % 2 == 0)
            return quote + 1;
        at = quote + 1;
    }
    return end;
}

/* Past the value that begins at `at`. */
static const char *skip_value(const char *at, const char *end)
{
    size_t depth = 0;

    if (at < end && *at == '"')
        return skip_string(at, end);
    if (at < end && *at != '{' && *at != '[') {
        while (at < end && !is_space(*at) && *at != ',' && *at != ']' && *at != '}')
            at++;
        return at;
    }
    while (at < end) {
        if (*at == '"') {
            at = skip_string(at, end);
            continue;
        }
        if (*at == '{' || *at == '[')
            depth++;
        else if ((*at == '}' || *at == ']') && --depth == 0)
            return at + 1;
        at++;
    }
    return end;
}

bool json_raw_parse(const char *text, size_t len, struct json_raw *out, struct err *err)
{
    const char *end = text + len, *at = skip_space(text, end);

    out->text = NULL;
    out->len = 0;
    if (!json_check_syntax(text, len, err))
        return false;
    while (end > at && is_space(end[-1]))
        end--;
    out->text = at;
    out->len = (size_t)(end - at);
    return true;
}

enum json_raw_kind json_raw_kind(struct json_raw value)
{
    if (value.text == NULL || value.len == 0)
        return JSON_RAW_ABSENT;
    switch (value.text[0]) {
    case 'n':
        return JSON_RAW_NULL;
    case 't':
    case 'f':
        return JSON_RAW_BOOL;
    case '"':
        return JSON_RAW_STRING;
    case '[':
        return JSON_RAW_ARRAY;
    case '{':
        return JSON_RAW_OBJECT;
    default:
        return JSON_RAW_NUMBER;
    }
}

void json_raw_begin(struct json_raw value, struct json_raw_iter *iter)
{
    enum json_raw_kind kind = json_raw_kind(value);

    iter->at = iter->end = value.text;
    iter->object = kind == JSON_RAW_OBJECT;
    if (value.len < 2 || (kind != JSON_RAW_ARRAY && kind != JSON_RAW_OBJECT))
        return;
    iter->at = value.text + 1;
    iter->end = value.text + value.len - 1;
}

bool json_raw_next(
    struct json_raw_iter *iter, struct json_raw *key, struct json_raw *value)
{
    const char *from;

    while (iter->at < iter->end && (is_space(*iter->at) || *iter->at == ','))
        iter->at++;
    if (iter->at >= iter->end)
        return false;
    if (iter->object) {
        from = iter->at;
        iter->at = skip_value(from, iter->end);
        if (key != NULL)
            *key = (struct json_raw){from, (size_t)(iter->at - from)};
        while (iter->at < iter->end && (is_space(*iter->at) || *iter->at == ':'))
            iter->at++;
        if (iter->at >= iter->end)
            return false;
    } else if (key != NULL) {
        *key = (struct json_raw){NULL, 0};
    }
    from = iter->at;
    iter->at = skip_value(from, iter->end);
    if (iter->at == from) /* a stray byte of unchecked text */
        iter->at++;
    *value = (struct json_raw){from, (size_t)(iter->at - from)};
    return true;
}

/* The four hex digits at `at`; -1 when they are none. */
static int hex4(const char *at, const char *end)
{
    int value = 0;

    if (end - at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = str_hex_value(at[i]);

        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static void append_utf8(uint32_t c, struct buf *out)
{
    char bytes[4];
    size_t len;

    if (c < 0x80) {
        bytes[0] = (char)c;
        len = 1;
    } else if (c < 0x800) {
        bytes[0] = (char)(0xC0 | (c >> 6));
        bytes[1] = (char)(0x80 | (c & 0x3F));
        len = 2;
    } else if (c < 0x10000) {
        bytes[0] = (char)(0xE0 | (c >> 12));
        bytes[1] = (char)(0x80 | ((c >> 6) & 0x3F));
        bytes[2] = (char)(0x80 | (c & 0x3F));
        len = 3;
    } else {
        bytes[0] = (char)(0xF0 | (c >> 18));
        bytes[1] = (char)(0x80 | ((c >> 12) & 0x3F));
        bytes[2] = (char)(0x80 | ((c >> 6) & 0x3F));
        bytes[3] = (char)(0x80 | (c & 0x3F));
        len = 4;
    }
    buf_append(out, bytes, len);
}

/* One step through a string's inside: plain bytes up to the next escape, or one escape.
 * `code`: its code point or half a pair; -1 for plain bytes, which are *at up to `next`. */
static const char *string_step(const char *at, const char *end, int32_t *code)
{
    const char *next = at;

    *code = -1;
    while (next < end && *next != '\\')
        next++;
    if (next > at)
        return next;
    if (end - at < 2)
        return end;
    switch (at[1]) {
    case 'b':
        *code = '\b';
        break;
    case 'f':
        *code = '\f';
        break;
    case 'n':
        *code = '\n';
        break;
    case 'r':
        *code = '\r';
        break;
    case 't':
        *code = '\t';
        break;
    case 'u': {
        int first = hex4(at + 2, end), second;

        if (first < 0) {
            *code = 0xFFFD;
            break;
        }
        *code = first;
        if (first >= 0xD800 && first < 0xDC00 && end - at >= 12 && at[6] == '\\' &&
            at[7] == 'u') {
            second = hex4(at + 8, end);
            if (second >= 0xDC00 && second < 0xE000) {
                *code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                return at + 12;
            }
        }
        return at + 6;
    }
    default:
        *code = (unsigned char)at[1];
        break;
    }
    return at + 2;
}

bool json_raw_append_string(struct json_raw value, struct buf *out)
{
    const char *at, *end, *next;
    int32_t code;

    if (json_raw_kind(value) != JSON_RAW_STRING || value.len < 2)
        return false;
    end = value.text + value.len - 1;
    for (at = value.text + 1; at < end; at = next) {
        next = string_step(at, end, &code);
        if (code < 0)
            buf_append(out, at, (size_t)(next - at));
        else
            append_utf8(code >= 0xD800 && code < 0xE000 ? 0xFFFDU : (uint32_t)code, out);
    }
    return true;
}

char *json_raw_dup_string(struct json_raw value)
{
    struct buf out;

    buf_init(&out, 0);
    if (!json_raw_append_string(value, &out)) {
        buf_finish(&out);
        return NULL;
    }
    return buf_take(&out, NULL);
}

bool json_raw_is_string(struct json_raw value, const char *text)
{
    size_t len = strlen(text);
    struct buf out;
    bool same;

    if (json_raw_kind(value) != JSON_RAW_STRING || value.len < 2)
        return false;
    if (memchr(value.text, '\\', value.len) == NULL)
        return value.len - 2 == len && memcmp(value.text + 1, text, len) == 0;
    buf_init(&out, 0);
    json_raw_append_string(value, &out);
    same = out.len == len && (len == 0 || memcmp(out.data, text, len) == 0);
    buf_finish(&out);
    return same;
}

struct json_raw json_raw_get(struct json_raw object, const char *key)
{
    struct json_raw found = {NULL, 0}, name, value;
    struct json_raw_iter iter;

    if (json_raw_kind(object) != JSON_RAW_OBJECT)
        return found;
    json_raw_begin(object, &iter);
    while (json_raw_next(&iter, &name, &value)) {
        if (json_raw_is_string(name, key))
            found = value;
    }
    return found;
}

struct json_raw json_raw_at(struct json_raw array, size_t index)
{
    struct json_raw none = {NULL, 0}, value;
    struct json_raw_iter iter;

    if (json_raw_kind(array) != JSON_RAW_ARRAY)
        return none;
    json_raw_begin(array, &iter);
    while (json_raw_next(&iter, NULL, &value)) {
        if (index-- == 0)
            return value;
    }
    return none;
}

bool json_raw_number(struct json_raw value, double *out)
{
    char text[64];

    if (json_raw_kind(value) != JSON_RAW_NUMBER)
        return false;
    if (value.len < sizeof text) {
        memcpy(text, value.text, value.len);
        text[value.len] = '\0';
        *out = strtod(text, NULL);
    } else {
        char *copy = str_ndup(value.text, value.len);

        *out = strtod(copy, NULL);
        free(copy);
    }
    return true;
}

bool json_raw_is_true(struct json_raw value)
{
    return value.len == 4 && memcmp(value.text, "true", 4) == 0;
}

/* ECMA-262 section 6.1.6.1.20: the shortest digits that read back as the same number. */
void json_raw_append_number(double number, struct buf *out)
{
    char text[40], digits[24];
    int precision, count = 0, exponent, point;

    if (!isfinite(number)) {
        buf_puts(out, "null");
        return;
    }
    if (number == 0) {
        buf_putc(out, '0');
        return;
    }
    if (fabs(number) < 9007199254740992.0 && number == floor(number)) {
        buf_number(out, (int64_t)number);
        return;
    }
    for (precision = 0; precision < 17; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, number);
        if (strtod(text, NULL) == number)
            break;
    }
    if (number < 0)
        buf_putc(out, '-');
    for (const char *at = text; *at != '\0' && *at != 'e'; at++) {
        if (*at >= '0' && *at <= '9')
            digits[count++] = *at;
    }
    exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
    point = exponent + 1; /* where the decimal point stands in `digits` */
    if (point > 21 || point <= -6) {
        buf_putc(out, digits[0]);
        if (count > 1) {
            buf_putc(out, '.');
            buf_append(out, digits + 1, (size_t)count - 1);
        }
        buf_printf(out, "e%c%d", exponent < 0 ? '-' : '+', abs(exponent));
    } else if (point <= 0) {
        buf_puts(out, "0.");
        for (int i = point; i < 0; i++)
            buf_putc(out, '0');
        buf_append(out, digits, (size_t)count);
    } else {
        for (int i = 0; i < count || i < point; i++) {
            if (i == point)
                buf_putc(out, '.');
            buf_putc(out, i < count ? digits[i] : '0');
        }
    }
}

static void append_escaped(uint32_t code, struct buf *out)
{
    static const char shorts[] = "btn\0fr"; /* from U+0008 on; none for U+000B */

    if (code == '"' || code == '\\') {
        buf_putc(out, '\\');
        buf_putc(out, (char)code);
    } else if (code >= 8 && code <= 13 && shorts[code - 8] != '\0') {
        buf_putc(out, '\\');
        buf_putc(out, shorts[code - 8]);
    } else if (code < 0x20 || (code >= 0xD800 && code < 0xE000)) {
        buf_printf(out, "\\u%04x", (unsigned)code);
    } else {
        append_utf8(code, out);
    }
}

void json_raw_append_quoted(const char *text, size_t len, struct buf *out)
{
    size_t from = 0;

    buf_putc(out, '"');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buf_append(out, text + from, i - from);
        append_escaped(c, out);
        from = i + 1;
    }
    if (len > from)
        buf_append(out, text + from, len - from);
    buf_putc(out, '"');
}

static void append_compact_string(const char *at, const char *end, struct buf *out)
{
    const char *next;
    int32_t code;

    buf_putc(out, '"');
    for (; at < end; at = next) {
        next = string_step(at, end, &code);
        if (code < 0)
            buf_append(out, at, (size_t)(next - at));
        else
            append_escaped((uint32_t)code, out);
    }
    buf_putc(out, '"');
}

void json_raw_append_compact(struct json_raw value, struct buf *out)
{
    const char *at = value.text, *end = value.text + value.len, *next;

    while (at < end) {
        double number;

        if (is_space(*at)) {
            at++;
        } else if (*at == '"') {
            next = skip_string(at, end);
            append_compact_string(at + 1, next > at + 1 ? next - 1 : next, out);
            at = next;
        } else if (*at == '-' || (*at >= '0' && *at <= '9')) {
            next = skip_value(at, end);
            json_raw_number((struct json_raw){at, (size_t)(next - at)}, &number);
            json_raw_append_number(number, out);
            at = next;
        } else {
            buf_putc(out, *at++);
        }
    }
}
