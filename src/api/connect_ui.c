/* SPDX-License-Identifier: Apache-2.0 */
/* Serves the Connect UI (web/connect, contract connect-flow.md section 9).
 *
 * The page runs in frames of any site, takes its script and style from here only and
 * speaks to this server only: a link with an `apiURL` of somebody else's would otherwise
 * send there what a person types into a page that is ours. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api_int.h"
#include "api/web_files.h"
#include "base/crypto.h"
#include "base/mem.h"
#include "base/str.h"

#define PAGE "index.html"

static const struct web_file *find_file(const char *name)
{
    for (size_t i = 0; i < web_file_count; i++) {
        if (strcmp(web_files[i].name, name) == 0)
            return &web_files[i];
    }
    return NULL;
}

/* Is `coding` among those of Accept-Encoding, and not with q=0? */
static bool accepts(const char *header, const char *coding)
{
    size_t len = strlen(coding);

    while (header != NULL && *header != '\0') {
        size_t item_len;

        header += strspn(header, " \t,");
        item_len = strcspn(header, ",");
        if (strncmp(header, coding, len) == 0 && strchr(" \t;,", header[len]) != NULL) {
            const char *q = header + len;

            q += strspn(q, " \t;");
            return strncmp(q, "q=", 2) != 0 || strtod(q + 2, NULL) > 0;
        }
        header += item_len;
    }
    return false;
}

static void reply_file(
    struct call *call, const struct web_file *file, struct http_headers *headers)
{
    const char *accepted = http_header(call->req, "accept-encoding");
    const struct web_bytes *bytes = &file->plain;

    http_headers_add(headers, "Content-Type", file->type);
    http_headers_add(headers, "X-Content-Type-Options", "nosniff");
    http_headers_add(headers, "Vary", "Accept-Encoding");
    if (accepts(accepted, "br")) {
        bytes = &file->brotli;
        http_headers_add(headers, "Content-Encoding", "br");
    } else if (accepts(accepted, "gzip")) {
        bytes = &file->gzip;
        http_headers_add(headers, "Content-Encoding", "gzip");
    }
    reply_headers(call, 200, headers, (const char *)bytes->data, bytes->len);
}

/* The files are asked for relative to the page, so it must stand in a folder. */
static void reply_with_slash(struct call *call)
{
    const char *path = http_path(call->req), *query = http_query(call->req);
    struct http_headers headers = {0};
    char *location =
        str_printf("%s/%s%s", strrchr(path, '/') + 1, *query != '\0' ? "?" : "", query);

    http_headers_add(&headers, "Location", location);
    http_headers_add(&headers, "Cache-Control", "no-store");
    http_headers_add(&headers, "Referrer-Policy", "no-referrer");
    reply_headers(call, 308, &headers, "", 0);
    http_headers_finish(&headers);
    mem_free_text(location); /* a session token may be in it */
}

static void add_policy(struct call *call, struct http_headers *headers)
{
    const char *url = call->server->public_url, *host = strstr(url, "://");
    char *origin, *policy;

    host = host != NULL ? host + 3 : url;
    origin = str_ndup(host, strcspn(host, "/"));
    policy = str_printf(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: "
        "data:; "
        "connect-src 'self' %s://%s %s://%s; base-uri 'none'; form-action 'none'; "
        "frame-ancestors *",
        strncmp(url, "https", 5) == 0 ? "https" : "http", origin,
        strncmp(url, "https", 5) == 0 ? "wss" : "ws", origin);
    http_headers_add(headers, "Content-Security-Policy", policy);
    free(policy);
    free(origin);
}

void get_connect_ui(struct call *call)
{
    const char *path = http_path(call->req);
    const struct web_file *page = find_file(PAGE);
    const char *held = http_header(call->req, "if-none-match");
    struct http_headers headers = {0};
    uint8_t hash[SHA256_LEN];
    char hex[2 * SHA256_LEN + 1], etag[sizeof hex + 2];

    if (path[strlen(path) - 1] != '/') {
        reply_with_slash(call);
        return;
    }
    crypto_sha256(page->plain.data, page->plain.len, hash);
    str_hex(hash, sizeof hash, hex);
    snprintf(etag, sizeof etag, "\"%s\"", hex);
    http_headers_add(&headers, "Cache-Control", "no-cache");
    http_headers_add(&headers, "ETag", etag);
    http_headers_add(&headers, "Referrer-Policy", "no-referrer");
    add_policy(call, &headers);
    if (held != NULL && strstr(held, etag) != NULL)
        reply_headers(call, 304, &headers, "", 0);
    else
        reply_file(call, page, &headers);
    http_headers_finish(&headers);
}

void get_connect_ui_file(struct call *call)
{
    const char *name = call_param(call, 0);
    const struct web_file *file;
    struct http_headers headers = {0};

    if (name == NULL)
        return;
    file = find_file(name);
    if (file == NULL || strcmp(name, PAGE) == 0) {
        reply_fault(call, 404, "not_found", "The Connect UI has no such file");
        return;
    }
    http_headers_add(&headers, "Cache-Control", "public, max-age=31536000, immutable");
    reply_file(call, file, &headers);
    http_headers_finish(&headers);
}
