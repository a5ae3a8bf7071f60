/* SPDX-License-Identifier: Apache-2.0 */
/* URL reading and writing. See weburl.h. The states of the standard's parser that http(s)
 * URLs can reach, each as a function: scheme, authority, host, path, query, fragment. */
#include "catalog/weburl.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"

/* What the standard percent-encodes besides controls, space and non-ASCII. */
#define ENCODE_PATH "\"#<>?^`{}"
#define ENCODE_QUERY "\"#<>'"
#define ENCODE_FRAGMENT "\"<>`"
#define ENCODE_USER "\"#<>?^`{}/:;=@[\\]|"

static void encode(struct buf *out, const char *s, size_t len, const char *also)
{
    static const char hex[] = "0123456789ABCDEF";

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c <= 0x20 || c >= 0x7f ||
            strchr(also, c)) { /* never a NUL: len is strlen's */
            char escaped[3] = {'%', hex[c >> 4], hex[c & 15]};
            buf_append(out, escaped, 3);
        } else {
            buf_putc(out, (char)c);
        }
    }
}

/* Trims controls and spaces, drops tabs and line breaks. */
static char *clean(const char *text)
{
    size_t len = strlen(text);
    struct buf out;

    while (len > 0 && (unsigned char)text[len - 1] <= 0x20)
        len--;
    while (len > 0 && (unsigned char)*text <= 0x20) {
        text++;
        len--;
    }
    buf_init_secret(&out, 0);
    buf_room(&out, len + 1);
    for (size_t i = 0; i < len; i++)
        if (text[i] != '\t' && text[i] != '\n' && text[i] != '\r')
            buf_putc(&out, text[i]);
    return buf_take(&out, NULL);
}

/* The last label is a number, so the whole must be an IPv4 address. */
static bool ends_in_number(const char *host)
{
    size_t len = strlen(host);
    const char *label;
    char *end;

    if (len > 0 && host[len - 1] == '.')
        len--;
    label = host + len;
    while (label > host && label[-1] != '.')
        label--;
    len -= (size_t)(label - host);
    if (len == 0)
        return false;
    if (strspn(label, "0123456789") >= len)
        return true;
    if (label[0] != '0' || (label[1] != 'x' && label[1] != 'X'))
        return false;
    if (len == 2)
        return true;
    if (!isxdigit((unsigned char)label[2]))
        return false;
    strtoull(label, &end, 16);
    return (size_t)(end - label) == len;
}

static bool write_ipv4(const char *host, struct buf *out)
{
    char text[INET_ADDRSTRLEN];
    char trimmed[64];
    size_t len = strlen(host);
    struct in_addr address;

    if (len >= sizeof(trimmed))
        return false;
    str_copy(trimmed, sizeof(trimmed), host);
    if (len > 0 && trimmed[len - 1] == '.')
        trimmed[len - 1] = '\0';
    if (!inet_aton(trimmed, &address))
        return false;
    buf_puts(out, inet_ntop(AF_INET, &address, text, sizeof(text)));
    return true;
}

static bool write_ipv6(const char *s, size_t len, struct buf *out)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    char *copy = str_ndup(s, len);
    bool ok = inet_pton(AF_INET6, copy, &address) == 1;

    free(copy);
    if (ok)
        buf_printf(out, "[%s]", inet_ntop(AF_INET6, &address, text, sizeof(text)));
    return ok;
}

static bool write_host(const char *s, size_t len, struct buf *out)
{
    struct buf plain;
    bool ok = false;

    if (len == 0)
        return false;
    if (*s == '[')
        return s[len - 1] == ']' && write_ipv6(s + 1, len - 2, out);
    buf_init(&plain, 0);
    if (!str_percent_decode(s, len, false, &plain) || plain.len == 0)
        goto done;
    for (size_t i = 0; i < plain.len; i++) {
        unsigned char c = (unsigned char)plain.data[i];
        if (c <= 0x20 || c >= 0x7f || strchr("#/:<>?@[\\]^|%", c))
            goto done;
        plain.data[i] = (char)tolower(c);
    }
    if (ends_in_number(plain.data)) {
        ok = write_ipv4(plain.data, out);
        goto done;
    }
    buf_puts(out, plain.data);
    ok = true;

done:
    buf_finish(&plain);
    return ok;
}

/* `:port` at `s`; nothing is written for the scheme's own. */
static bool write_port(const char *s, size_t len, bool https, struct buf *out)
{
    unsigned long port = 0;

    if (len == 0)
        return true;
    for (size_t i = 1; i < len; i++) {
        if (!isdigit((unsigned char)s[i]))
            return false;
        port = port * 10 + (unsigned long)(s[i] - '0');
        if (port > 65535)
            return false;
    }
    if (len > 1 && port != (https ? 443u : 80u)) {
        buf_putc(out, ':');
        buf_number(out, (int64_t)port);
    }
    return true;
}

/* `.`, `..` and their escaped spellings; 0 = neither. */
static int dots(const char *s, size_t len)
{
    int count = 0;

    while (len > 0) {
        if (*s == '.') {
            s++;
            len--;
        } else if (len >= 3 && s[0] == '%' && s[1] == '2' &&
                   (s[2] == 'e' || s[2] == 'E')) {
            s += 3;
            len -= 3;
        } else {
            return 0;
        }
        if (++count > 2)
            return 0;
    }
    return count;
}

static void write_path(const char *s, size_t len, struct buf *out)
{
    size_t start = out->len;
    const char *end = s + len;

    if (len > 0 && (*s == '/' || *s == '\\'))
        s++;
    for (;;) {
        size_t n = strcspn(s, "/\\");
        bool last;
        int kind;
        if (n > (size_t)(end - s))
            n = (size_t)(end - s);
        last = s + n == end;
        kind = dots(s, n);
        if (kind == 2) { /* take the segment before away */
            while (out->len > start && out->data[out->len - 1] != '/')
                out->len--;
            if (out->len > start)
                out->len--;
        } else if (kind == 0) {
            buf_putc(out, '/');
            encode(out, s, n, ENCODE_PATH);
        }
        if (kind > 0 && last)
            buf_putc(out, '/');
        if (last)
            return;
        s += n + 1;
    }
}

static bool write_authority(
    const char *s, size_t len, bool https, struct buf *out, struct weburl *url)
{
    const char *at = memrchr(s, '@', len);
    const char *end = s + len;
    const char *host_end;
    size_t host_at;

    if (at) {
        const char *colon = memchr(s, ':', (size_t)(at - s));
        const char *user_end = colon ? colon : at;
        encode(out, s, (size_t)(user_end - s), ENCODE_USER);
        if (colon && colon + 1 < at) {
            buf_putc(out, ':');
            encode(out, colon + 1, (size_t)(at - colon - 1), ENCODE_USER);
        }
        if (user_end > s || (colon && colon + 1 < at))
            buf_putc(out, '@');
        s = at + 1;
    }
    host_end = s < end && *s == '[' ? memchr(s, ']', (size_t)(end - s)) : NULL;
    host_end =
        memchr(host_end ? host_end : s, ':', (size_t)(end - (host_end ? host_end : s)));
    if (!host_end)
        host_end = end;
    host_at = out->len;
    if (!write_host(s, (size_t)(host_end - s), out) ||
        !write_port(host_end, (size_t)(end - host_end), https, out))
        return false;
    url->host = str_ndup(out->data + host_at, out->len - host_at);
    return true;
}

bool weburl_parse(const char *text, struct weburl *out)
{
    char *cleaned = clean(text);
    const char *s = cleaned;
    bool https = str_starts_nocase(s, "https:");
    bool ok = false;
    struct buf normal;
    size_t len;

    *out = (struct weburl){0};
    buf_init_secret(&normal, 0);
    if (!https && !str_starts_nocase(s, "http:"))
        goto done;
    s += https ? 6 : 5;
    if (s[0] != '/' || s[1] != '/')
        goto done;
    s += strspn(s, "/\\");
    buf_puts(&normal, https ? "https://" : "http://");
    len = strcspn(s, "/\\?#");
    if (!write_authority(s, len, https, &normal, out))
        goto done;
    s += len;
    out->origin_len = normal.len;
    out->path = normal.len;
    len = strcspn(s, "?#");
    write_path(s, len, &normal);
    s += len;
    out->path_len = normal.len - out->path;
    out->query = normal.len;
    if (*s == '?') {
        len = strcspn(s, "#") - 1;
        buf_putc(&normal, '?');
        out->has_query = true;
        out->query = normal.len;
        encode(&normal, s + 1, len, ENCODE_QUERY);
        out->query_len = normal.len - out->query;
        s += len + 1;
    }
    if (*s == '#') {
        buf_putc(&normal, '#');
        encode(&normal, s + 1, strlen(s + 1), ENCODE_FRAGMENT);
    }
    out->text = buf_take(&normal, &out->len);
    ok = true;

done:
    if (!ok) {
        free(out->host);
        *out = (struct weburl){0};
    }
    buf_finish(&normal);
    mem_free_text(cleaned);
    return ok;
}

void weburl_finish(struct weburl *url)
{
    if (url->text)
        mem_wipe(url->text, url->len);
    free(url->text);
    free(url->host);
    *url = (struct weburl){0};
}
