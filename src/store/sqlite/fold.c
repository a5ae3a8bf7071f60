/* SPDX-License-Identifier: Apache-2.0 */
/* Folding text for search, a character at a time; ASCII, which most text is, takes no
 * call. Bytes that are no UTF-8 stand for themselves. */
#include "store/sqlite/fold.h"

#include <stddef.h>
#include <string.h>
#include <wctype.h>

#include "base/buf.h"

locale_t fold_letters(void)
{
    return newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

static unsigned char ascii_lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20) : c;
}

static bool is_tail(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

/* The bytes of the sequence at `s`, which ends with NUL; 0 when it is none. */
static size_t decode(const unsigned char *s, wint_t *out)
{
    size_t len = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    wint_t code = (wint_t)(s[0] & (0xff >> (len + 1)));

    if (s[0] < 0xc0)
        return 0;
    for (size_t i = 1; i < len; i++) {
        if (!is_tail(s[i]))
            return 0;
        code = code << 6 | (wint_t)(s[i] & 0x3f);
    }
    *out = code;
    return len;
}

static size_t encode(wint_t code, unsigned char out[4])
{
    size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

    if (len == 1) {
        out[0] = (unsigned char)code;
        return len;
    }
    for (size_t i = len - 1; i > 0; i--) {
        out[i] = (unsigned char)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    out[0] = (unsigned char)((0xf00 >> len & 0xf0) | code);
    return len;
}

/* Folds one character into at most four bytes and moves *at past it. */
static size_t fold_char(locale_t letters, const unsigned char **at, unsigned char out[4])
{
    const unsigned char *from = *at;
    wint_t code;
    size_t len;

    if (*from < 0x80 || letters == (locale_t)0 || (len = decode(from, &code)) == 0) {
        out[0] = ascii_lower(*from);
        *at += 1;
        return 1;
    }
    *at += len;
    return encode(towlower_l(code, letters), out);
}

char *fold_text(locale_t letters, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    struct buf out;

    buf_init(&out, 0);
    while (*at != '\0') {
        unsigned char folded[4];
        size_t len = fold_char(letters, &at, folded);

        buf_append(&out, folded, len);
    }
    return buf_take(&out, NULL);
}

static bool begins(locale_t letters, const unsigned char *at, const char *folded)
{
    while (*folded != '\0') {
        unsigned char c[4];
        size_t len;

        if (*at == '\0')
            return false;
        len = fold_char(letters, &at, c);
        if (strncmp((const char *)c, folded, len) != 0)
            return false;
        folded += len;
    }
    return true;
}

bool fold_contains(locale_t letters, const char *text, const char *folded)
{
    const unsigned char *at = (const unsigned char *)text;
    unsigned char first = (unsigned char)folded[0];

    for (;; at++) {
        while (*at != '\0' && *at < 0x80 && ascii_lower(*at) != first)
            at++;
        if (begins(letters, at, folded))
            return true;
        if (*at == '\0')
            return false;
        while (is_tail(at[1]))
            at++;
    }
}

static void folded_contains(sqlite3_context *context, int count, sqlite3_value **values)
{
    const char *text = (const char *)sqlite3_value_text(values[0]);
    const char *folded = (const char *)sqlite3_value_text(values[1]);

    (void)count;
    sqlite3_result_int(
        context, text != NULL && folded != NULL &&
                     fold_contains((locale_t)sqlite3_user_data(context), text, folded));
}

int fold_define(sqlite3 *db, locale_t letters)
{
    return sqlite3_create_function_v2(db, "folded_contains", 2,
        SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, letters, folded_contains,
        NULL, NULL, NULL);
}
