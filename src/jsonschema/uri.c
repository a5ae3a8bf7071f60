/* SPDX-License-Identifier: Apache-2.0 */
/* URIs by RFC 3986: their parts, references (section 5.2), and which characters may stand
 * where. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#include "base/buf.h"
#include "base/str.h"
#include "jsonschema/jsonschema_int.h"

static struct uri_part part(const char *from, const char *to)
{
    return (struct uri_part){from, (size_t)(to - from)};
}

/* Section 3.1; the length of what stands before the colon, else 0. */
static size_t scheme_len(const char *text)
{
    size_t len = 1;

    if (!isalpha((unsigned char)*text))
        return 0;
    while (isalnum((unsigned char)text[len]) ||
           (text[len] != '\0' && strchr("+-.", text[len]) != NULL))
        len++;
    return text[len] == ':' ? len : 0;
}

void uri_split(const char *text, struct uri *out)
{
    size_t scheme = scheme_len(text);
    const char *at = text;

    *out = (struct uri){0};
    if (scheme > 0) {
        out->scheme = part(text, text + scheme);
        at = text + scheme + 1;
    }
    if (at[0] == '/' && at[1] == '/') {
        const char *end = at + 2 + strcspn(at + 2, "/?#");

        out->authority = part(at + 2, end);
        at = end;
    }
    out->path = part(at, at + strcspn(at, "?#"));
    at += out->path.len;
    if (*at == '?') {
        out->query = part(at + 1, at + 1 + strcspn(at + 1, "#"));
        at = out->query.at + out->query.len;
    }
    if (*at == '#')
        out->fragment = part(at + 1, at + strlen(at));
}

static void put(
    struct buf *out, const char *before, struct uri_part part, const char *after)
{
    if (part.at == NULL)
        return;
    buf_puts(out, before);
    buf_append(out, part.at, part.len);
    buf_puts(out, after);
}

/* Cuts the last segment and the slash before it. */
static void drop_segment(struct buf *path)
{
    while (path->len > 0 && path->data[path->len - 1] != '/')
        path->len--;
    if (path->len > 0)
        path->len--;
}

/* Section 5.2.4. */
static void put_without_dots(struct buf *out, const char *path)
{
    bool rooted = *path == '/', last;
    struct buf done;

    buf_init(&done, 0);
    path += rooted;
    do {
        size_t len = strcspn(path, "/");
        bool here = len == 1 && path[0] == '.';
        bool up = len == 2 && path[0] == '.' && path[1] == '.';

        last = path[len] == '\0';
        if (up)
            drop_segment(&done);
        if (here || up)
            len = last && done.len > 0 ? 0 : SIZE_MAX; /* its slash stays at the end */
        if (len != SIZE_MAX) {
            if (done.len > 0 || rooted)
                buf_putc(&done, '/');
            buf_append(&done, path, len);
        }
        path += strcspn(path, "/") + !last;
    } while (!last);
    if (done.len == 0 && rooted)
        buf_putc(&done, '/');
    buf_append(out, done.data, done.len);
    buf_finish(&done);
}

char *uri_resolve(const char *base, const char *ref)
{
    struct uri from, to;
    struct buf out, path;

    uri_split(base, &from);
    uri_split(ref, &to);
    buf_init(&out, 0);
    buf_init(&path, 0);
    if (to.scheme.at != NULL) {
        put(&out, "", to.scheme, ":");
        put(&out, "//", to.authority, "");
        buf_append(&out, to.path.at, to.path.len);
    } else if (to.authority.at != NULL) {
        put(&out, "", from.scheme, ":");
        put(&out, "//", to.authority, "");
        buf_append(&out, to.path.at, to.path.len);
    } else if (to.path.len == 0) {
        put(&out, "", from.scheme, ":");
        put(&out, "//", from.authority, "");
        buf_append(&out, from.path.at, from.path.len);
        if (to.query.at == NULL)
            to.query = from.query;
    } else {
        if (to.path.at[0] != '/') { /* beside the base's last segment */
            size_t len = from.path.len;

            while (len > 0 && from.path.at[len - 1] != '/')
                len--;
            buf_append(&path, from.path.at, len);
            if (len == 0 && from.authority.at != NULL)
                buf_putc(&path, '/');
        }
        buf_append(&path, to.path.at, to.path.len);
        put(&out, "", from.scheme, ":");
        put(&out, "//", from.authority, "");
        put_without_dots(&out, path.data);
    }
    put(&out, "?", to.query, "");
    buf_finish(&path);
    return buf_take(&out, NULL);
}

/* ---- characters ---- */

#define UNRESERVED "-._~"
#define SUB_DELIMS "!$&'()*+,;="

/* Letters, digits, what is in `extra`, and escapes. */
static bool holds_only(struct uri_part part, const char *extra)
{
    for (size_t i = 0; i < part.len; i++) {
        char c = part.at[i];

        if (c == '%') {
            if (i + 2 >= part.len || str_hex_value(part.at[i + 1]) < 0 ||
                str_hex_value(part.at[i + 2]) < 0)
                return false;
            i += 2;
        } else if (!isascii(c) ||
                   (!isalnum((unsigned char)c) && strchr(extra, c) == NULL)) {
            return false;
        }
    }
    return true;
}

static bool is_ip_literal(struct uri_part inner)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;

    if (inner.len > 0 && (inner.at[0] == 'v' || inner.at[0] == 'V')) {
        const char *dot = memchr(inner.at, '.', inner.len);

        return dot != NULL && dot > inner.at + 1 && dot + 1 < inner.at + inner.len &&
               strspn(inner.at + 1, "0123456789abcdefABCDEF") ==
                   (size_t)(dot - inner.at - 1) &&
               holds_only(
                   part(dot + 1, inner.at + inner.len), UNRESERVED SUB_DELIMS ":") &&
               memchr(inner.at, '%', inner.len) == NULL;
    }
    if (inner.len >= sizeof text)
        return false;
    memcpy(text, inner.at, inner.len);
    text[inner.len] = '\0';
    return inet_pton(AF_INET6, text, &address) == 1;
}

/* Section 3.2. */
static bool is_authority(struct uri_part all)
{
    const char *end = all.at + all.len;
    const char *at = memchr(all.at, '@', all.len);
    const char *host = at != NULL ? at + 1 : all.at, *host_end;

    if (at != NULL && !holds_only(part(all.at, at), UNRESERVED SUB_DELIMS ":"))
        return false;
    if (host < end && *host == '[') {
        host_end = memchr(host, ']', (size_t)(end - host));
        if (host_end == NULL || !is_ip_literal(part(host + 1, host_end)))
            return false;
        host_end++;
    } else {
        host_end = memchr(host, ':', (size_t)(end - host));
        if (host_end == NULL)
            host_end = end;
        if (!holds_only(part(host, host_end), UNRESERVED SUB_DELIMS))
            return false;
    }
    if (host_end == end)
        return true;
    return *host_end == ':' &&
           strspn(host_end + 1, "0123456789") >= (size_t)(end - host_end - 1);
}

bool uri_is_valid(const char *text, size_t len, bool relative)
{
    struct uri uri;

    if (strlen(text) != len)
        return false;
    uri_split(text, &uri);
    if (uri.scheme.at == NULL && !relative)
        return false;
    /* Section 4.2: else a segment before the colon would be taken for a scheme. */
    if (uri.scheme.at == NULL && uri.authority.at == NULL) {
        const char *colon = memchr(uri.path.at, ':', uri.path.len);
        const char *slash = memchr(uri.path.at, '/', uri.path.len);

        if (colon != NULL && (slash == NULL || colon < slash))
            return false;
    }
    return (uri.authority.at == NULL || is_authority(uri.authority)) &&
           holds_only(uri.path, UNRESERVED SUB_DELIMS ":@/") &&
           holds_only(uri.query, UNRESERVED SUB_DELIMS ":@/?") &&
           holds_only(uri.fragment, UNRESERVED SUB_DELIMS ":@/?");
}
