/* SPDX-License-Identifier: Apache-2.0 */
/* Reading JSON that somebody else wrote carelessly, and that nobody will write again: a
 * byte order mark before it, bytes that are no UTF-8, escapes that are no characters. The
 * text is mended first, then read as strictly as any other; a fault of grammar stays one.
 */
#include <string.h>

#include "base/json.h"
#include "base/str.h"

#define BYTE_ORDER_MARK "\xEF\xBB\xBF"
#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

/* The code unit of the \uXXXX at the start of `text`; -1 when there is none. */
static int escaped_unit(const char *text, size_t len)
{
    unsigned char raw[2];
    char digits[5];

    if (len < 6 || text[0] != '\\' || text[1] != 'u')
        return -1;
    memcpy(digits, text + 2, 4);
    digits[4] = '\0';
    return str_unhex(digits, raw, 2) ? raw[0] << 8 | raw[1] : -1;
}

/* At a backslash, which stands in strings only. Returns the bytes it took. */
static size_t mend_escape(const char *text, size_t len, struct buf *out)
{
    int unit = escaped_unit(text, len);
    int low = unit >= 0xd800 && unit <= 0xdbff ? escaped_unit(text + 6, len - 6) : -1;
    size_t taken = len > 1 && text[1] == '\\' ? 2 : 1;

    if (low >= 0xdc00 && low <= 0xdfff) {
        taken = 12;
    } else if (unit == 0 || (unit >= 0xd800 && unit <= 0xdfff)) {
        buf_puts(out, REPLACEMENT);
        return 6;
    }
    buf_append(out, text, taken);
    return taken;
}

/* A character, or a byte that is part of none. Returns the bytes it took. */
static size_t mend_character(const char *text, size_t len, struct buf *out)
{
    size_t taken = 1;

    while (taken < 4 && taken < len && !str_is_utf8(text, taken))
        taken++;
    if (str_is_utf8(text, taken)) {
        buf_append(out, text, taken);
        return taken;
    }
    buf_puts(out, REPLACEMENT);
    return 1;
}

cJSON *json_parse_lenient(const char *text, size_t len, struct err *err)
{
    size_t at = 0;
    struct buf mended;
    cJSON *value;

    buf_init_secret(&mended, 0);
    if (len >= 3 && memcmp(text, BYTE_ORDER_MARK, 3) == 0)
        at = 3;
    while (at < len) {
        if (text[at] == '\\')
            at += mend_escape(text + at, len - at, &mended);
        else
            at += mend_character(text + at, len - at, &mended);
    }
    value = json_parse(mended.data != NULL ? mended.data : "", mended.len, err);
    buf_finish(&mended);
    return value;
}
