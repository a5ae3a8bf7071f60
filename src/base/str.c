/* SPDX-License-Identifier: Apache-2.0 */
/* Strings: copying, comparing, recognising. Encodings are in encode.c. */
#include "base/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

char *str_ndup(const char *s, size_t len)
{
    char *copy = mem_alloc(len + 1);

    if (len > 0)
        memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

char *str_dup(const char *s)
{
    return s != NULL ? str_ndup(s, strlen(s)) : NULL;
}

char *str_printf(const char *fmt, ...)
{
    struct buf out;
    va_list args;

    buf_init(&out, 0);
    va_start(args, fmt);
    buf_vprintf(&out, fmt, args);
    va_end(args);
    return buf_take(&out, NULL);
}

void str_copy(char *out, size_t out_size, const char *s)
{
    size_t len = strlen(s);

    if (len >= out_size)
        len = out_size - 1;
    memcpy(out, s, len);
    out[len] = '\0';
}

bool str_eq(const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return strcmp(a, b) == 0;
}

bool str_eq_nocase(const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return strcasecmp(a, b) == 0;
}

bool str_starts(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_starts_nocase(const char *s, const char *prefix)
{
    return strncasecmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *s, const char *suffix)
{
    size_t len = strlen(s);
    size_t tail = strlen(suffix);

    return len >= tail && memcmp(s + len - tail, suffix, tail) == 0;
}

bool str_contains_nocase(const char *haystack, const char *needle)
{
    return strcasestr(haystack, needle) != NULL;
}

bool str_is_empty(const char *s)
{
    return s == NULL || *s == '\0';
}

void str_lower(char *s)
{
    for (; *s != '\0'; s++) {
        if (*s >= 'A' && *s <= 'Z')
            *s = (char)(*s + ('a' - 'A'));
    }
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

char *str_trim(char *s)
{
    size_t len;

    while (is_space(*s))
        s++;
    len = strlen(s);
    while (len > 0 && is_space(s[len - 1]))
        len--;
    s[len] = '\0';
    return s;
}

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool str_all_alnum_or(const char *s, const char *extra)
{
    for (; *s != '\0'; s++) {
        if (!is_alnum(*s) && strchr(extra, *s) == NULL)
            return false;
    }
    return true;
}

/* RFC 3629: the length of the well-formed sequence at `s`, 0 when ill-formed. */
static size_t utf8_sequence(const unsigned char *s, size_t len)
{
    unsigned char lead = s[0];
    unsigned char low = 0x80, high = 0xbf; /* bounds of the second byte */
    size_t need;

    if (lead < 0x80)
        return 1;
    if (lead >= 0xc2 && lead <= 0xdf) {
        need = 2;
    } else if (lead >= 0xe0 && lead <= 0xef) {
        need = 3;
        if (lead == 0xe0)
            low = 0xa0;
        if (lead == 0xed)
            high = 0x9f; /* surrogates */
    } else if (lead >= 0xf0 && lead <= 0xf4) {
        need = 4;
        if (lead == 0xf0)
            low = 0x90;
        if (lead == 0xf4)
            high = 0x8f;
    } else {
        return 0;
    }
    if (len < need || s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < need; i++) {
        if (s[i] < 0x80 || s[i] > 0xbf)
            return 0;
    }
    return need;
}

bool str_is_utf8(const char *s, size_t len)
{
    const unsigned char *at = (const unsigned char *)s;

    while (len > 0) {
        size_t step = utf8_sequence(at, len);

        if (step == 0)
            return false;
        at += step;
        len -= step;
    }
    return true;
}

size_t str_utf16_len(const char *s)
{
    size_t units = 0;

    for (; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;

        if (c < 0x80 || c >= 0xc0) /* a lead byte */
            units += c >= 0xf0 ? 2 : 1;
    }
    return units;
}

bool str_to_i64(const char *s, int64_t *out)
{
    char *end;
    long long value;

    if (s == NULL || *s == '\0' || is_space(*s))
        return false;
    errno = 0;
    value = strtoll(s, &end, 10);
    if (errno != 0 || *end != '\0')
        return false;
    *out = value;
    return true;
}

bool str_to_bool(const char *s, bool *out)
{
    static const char *const yes[] = {"true", "1", "yes", "on", "y", "enabled"};
    static const char *const no[] = {"false", "0", "no", "off", "n", "disabled"};

    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        if (str_eq_nocase(s, yes[i])) {
            *out = true;
            return true;
        }
        if (str_eq_nocase(s, no[i])) {
            *out = false;
            return true;
        }
    }
    return false;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool str_is_uuid(const char *s)
{
    for (int i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? s[i] != '-' : !is_hex(s[i]))
            return false; /* also at the end of a short text */
    }
    return s[36] == '\0';
}

bool str_is_uuid_v4(const char *s)
{
    return str_is_uuid(s) && s[14] == '4' && strchr("89abAB", s[19]) != NULL;
}

size_t str_decimal(uint64_t number, char out[STR_DECIMAL_MAX])
{
    char digits[STR_DECIMAL_MAX];
    size_t at = sizeof digits;

    do
        digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    memcpy(out, digits + at, sizeof digits - at);
    return sizeof digits - at;
}

bool str_in_list(const char *list, const char *word)
{
    size_t len = strlen(word);

    while (list != NULL && *list != '\0') {
        list += strspn(list, ", \t");
        if (strcspn(list, ", \t") == len && strncasecmp(list, word, len) == 0)
            return len > 0;
        list += strcspn(list, ",");
    }
    return false;
}

int str_cut(const char *s, size_t max)
{
    size_t len = strnlen(s, max + 1);

    if (len <= max)
        return (int)len;
    for (len = max; len > 0 && ((unsigned char)s[len] & 0xc0) == 0x80;)
        len--;
    return (int)len;
}
