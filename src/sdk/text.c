/* SPDX-License-Identifier: Apache-2.0 */
/* Text that grows, and percent-encoding. */
#include <stdio.h>
#include <string.h>

#include "sdk/sdk_int.h"

void ngo_text_init(struct ngo_text *text, const struct ngo_mem *mem)
{
    memset(text, 0, sizeof *text);
    text->mem = mem;
}

void ngo_text_finish(struct ngo_text *text)
{
    ngo_free(text->mem, text->data);
    ngo_text_init(text, text->mem);
}

/* Room for `len` more bytes and the terminating NUL. */
static bool reserve(struct ngo_text *text, size_t len)
{
    size_t capacity = text->capacity > 0 ? text->capacity : 64;
    char *data;

    if (text->failed)
        return false;
    if (len >= SIZE_MAX / 2 - text->len) {
        text->failed = true;
        return false;
    }
    if (text->len + len < text->capacity)
        return true;
    while (capacity <= text->len + len)
        capacity *= 2;
    data = ngo_resize(text->mem, text->data, capacity);
    if (data == NULL) {
        text->failed = true;
        return false;
    }
    text->data = data;
    text->capacity = capacity;
    return true;
}

void ngo_text_add(struct ngo_text *text, const void *data, size_t len)
{
    if (!reserve(text, len))
        return;
    if (len > 0)
        memcpy(text->data + text->len, data, len);
    text->len += len;
    text->data[text->len] = '\0';
}

void ngo_text_puts(struct ngo_text *text, const char *s)
{
    ngo_text_add(text, s, strlen(s));
}

void ngo_text_putc(struct ngo_text *text, char c)
{
    ngo_text_add(text, &c, 1);
}

void ngo_text_int(struct ngo_text *text, int64_t number)
{
    char digits[24];

    snprintf(digits, sizeof digits, "%lld", (long long)number);
    ngo_text_puts(text, digits);
}

char *ngo_text_take(struct ngo_text *text, size_t *len)
{
    char *data;

    ngo_text_add(text, "", 0);
    if (text->failed) {
        ngo_text_finish(text);
        return NULL;
    }
    data = text->data;
    if (len != NULL)
        *len = text->len;
    text->data = NULL;
    ngo_text_init(text, text->mem);
    return data;
}

static bool stays(char c, enum ngo_encoding encoding)
{
    static const char *const extra[] = {
        [NGO_PATH] = "-._~!$&'()*+,;=:@",
        [NGO_FORM] = "*-._",
        [NGO_AXIOS] = "-_.!~*'():$,",
    };

    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
        return true;
    return strchr(extra[encoding], c) != NULL;
}

void ngo_text_encode(struct ngo_text *text, const char *s, enum ngo_encoding encoding)
{
    static const char digits[] = "0123456789ABCDEF";

    for (; *s != '\0'; s++) {
        if (stays(*s, encoding)) {
            ngo_text_putc(text, *s);
        } else if (*s == ' ' && encoding != NGO_PATH) {
            ngo_text_putc(text, '+');
        } else {
            unsigned char byte = (unsigned char)*s;
            char escape[3] = {'%', digits[byte >> 4], digits[byte & 15]};

            ngo_text_add(text, escape, sizeof escape);
        }
    }
}

bool ngo_is_utf8(const char *s, size_t len)
{
    const unsigned char *p = (const unsigned char *)s, *end = p + len;

    while (p < end) {
        unsigned lead = *p++, more, low = 0x80, high = 0xbf;

        if (lead < 0x80)
            continue;
        if (lead >= 0xc2 && lead <= 0xdf)
            more = 1;
        else if (lead >= 0xe0 && lead <= 0xef)
            more = 2;
        else if (lead >= 0xf0 && lead <= 0xf4)
            more = 3;
        else
            return false;
        /* The second byte's range excludes long forms, surrogates and what lies beyond
         * U+10FFFF (RFC 3629, section 4). */
        if (lead == 0xe0)
            low = 0xa0;
        else if (lead == 0xed)
            high = 0x9f;
        else if (lead == 0xf0)
            low = 0x90;
        else if (lead == 0xf4)
            high = 0x8f;
        if ((size_t)(end - p) < more || *p < low || *p > high)
            return false;
        for (unsigned i = 1; i < more; i++)
            if ((p[i] & 0xc0) != 0x80)
                return false;
        p += more;
    }
    return true;
}
