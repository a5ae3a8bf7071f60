/* SPDX-License-Identifier: Apache-2.0 */
/* The text encodings of the wire: hex, base64, percent and form encoding. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static const char hex_digits[] = "0123456789abcdef";

void str_hex(const void *data, size_t len, char *out)
{
    const unsigned char *bytes = data;

    for (size_t i = 0; i < len; i++) {
        out[2 * i] = hex_digits[bytes[i] >> 4];
        out[2 * i + 1] = hex_digits[bytes[i] & 15];
    }
    out[2 * len] = '\0';
}

int str_hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool str_unhex(const char *hex, void *out, size_t out_len)
{
    unsigned char *bytes = out;

    for (size_t i = 0; i < out_len; i++) {
        int high = str_hex_value(hex[2 * i]);
        int low = high < 0 ? -1 : str_hex_value(hex[2 * i + 1]);

        if (low < 0)
            return false;
        bytes[i] = (unsigned char)(high << 4 | low);
    }
    return hex[2 * out_len] == '\0';
}

static void base64_with(
    const void *data, size_t len, const char *alphabet, bool pad, struct buf *out)
{
    const unsigned char *in = data;

    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i;
        unsigned int v = (unsigned int)in[i] << 16;
        char four[4];

        if (left > 1)
            v |= (unsigned int)in[i + 1] << 8;
        if (left > 2)
            v |= in[i + 2];
        four[0] = alphabet[v >> 18];
        four[1] = alphabet[v >> 12 & 63];
        four[2] = left > 1 ? alphabet[v >> 6 & 63] : '=';
        four[3] = left > 2 ? alphabet[v & 63] : '=';
        buf_append(out, four, pad || left > 2 ? 4 : left + 1);
    }
    buf_append(out, "", 0); /* "" for no input, not NULL */
}

void str_base64(const void *data, size_t len, struct buf *out)
{
    base64_with(data, len,
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", true, out);
}

void str_base64url(const void *data, size_t len, struct buf *out)
{
    base64_with(data, len,
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", false, out);
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    if (c == '/' || c == '_')
        return 63;
    return -1;
}

bool str_unbase64(const char *s, size_t len, struct buf *out)
{
    unsigned int v = 0;
    int bits = 0;

    while (len > 0 && s[len - 1] == '=')
        len--;
    if (len % 4 == 1)
        return false;
    buf_append(out, "", 0);
    for (size_t i = 0; i < len; i++) {
        int digit = base64_value(s[i]);

        if (digit < 0)
            return false;
        v = v << 6 | (unsigned int)digit;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            buf_putc(out, (char)(v >> bits & 0xff));
        }
    }
    return true;
}

static bool is_alnum(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static void percent(struct buf *out, unsigned char c)
{
    static const char upper[] = "0123456789ABCDEF";
    char escape[3] = {'%', upper[c >> 4], upper[c & 15]};

    buf_append(out, escape, 3);
}

static void encode_with(
    const char *s, size_t len, const char *also, bool plus, struct buf *out)
{
    buf_append(out, "", 0);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];

        if (is_alnum(c) || (c != 0 && strchr(also, c) != NULL))
            buf_putc(out, s[i]);
        else if (plus && c == ' ')
            buf_putc(out, '+');
        else
            percent(out, c);
    }
}

void str_uri_component(const char *s, size_t len, struct buf *out)
{
    encode_with(s, len, "-_.!~*'()", false, out);
}

void str_form_encode(const char *s, size_t len, struct buf *out)
{
    encode_with(s, len, "*-._", true, out);
}

bool str_percent_decode(const char *s, size_t len, bool plus, struct buf *out)
{
    buf_append(out, "", 0);
    for (size_t i = 0; i < len; i++) {
        if (s[i] == '%') {
            int high = i + 2 < len ? str_hex_value(s[i + 1]) : -1;
            int low = high < 0 ? -1 : str_hex_value(s[i + 2]);

            if (low < 0)
                return false;
            buf_putc(out, (char)(high << 4 | low));
            i += 2;
        } else {
            buf_putc(out, plus && s[i] == '+' ? ' ' : s[i]);
        }
    }
    return true;
}
