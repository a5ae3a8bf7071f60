/* SPDX-License-Identifier: Apache-2.0 */
/* GET /images/template-logos/NAME.svg, which `logo_url` of a provider leads to. Logos are
 * other people's marks, so a monogram stands for each: its initials on a colour that is
 * its own. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api_int.h"
#include "base/crypto.h"
#include "base/str.h"

#define ENDING ".svg"
#define INITIALS 2

/* White text on each has a contrast of 4.5 or more (WCAG 2.1, 1.4.3). */
static const char *const colours[] = {"#1d4ed8", "#6d28d9", "#a21caf", "#be123c",
    "#b91c1c", "#9a3412", "#92400e", "#3f6212", "#166534", "#115e59", "#155e75",
    "#334155"};

/* The first letters of the first words, or of the one word there is. */
static void initials_of(const char *display_name, char out[INITIALS + 1])
{
    size_t used = 0;
    bool within = false;

    for (const char *c = display_name; *c != '\0' && used < INITIALS; c++) {
        bool letter = isalnum((unsigned char)*c) != 0;

        if (letter && !within)
            out[used++] = (char)toupper((unsigned char)*c);
        within = letter;
    }
    out[used] = '\0';
}

static void append_escaped(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (strchr("<>&\"'", *text) != NULL)
            buf_printf(out, "&#%d;", *text);
        else
            buf_putc(out, *text);
    }
}

static void draw(const struct provider *provider, struct buf *out)
{
    const char *shown =
        provider->display_name != NULL ? provider->display_name : provider->name;
    uint8_t hash[SHA256_LEN];
    char initials[INITIALS + 1];

    initials_of(shown, initials);
    crypto_sha256(provider->name, strlen(provider->name), hash);
    buf_puts(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 64 64\" "
                  "role=\"img\"><title>");
    append_escaped(out, shown);
    buf_printf(out,
        "</title><rect width=\"64\" height=\"64\" rx=\"14\" fill=\"%s\"/><text x=\"32\" "
        "y=\"33\" fill=\"#fff\" font-family=\"system-ui,sans-serif\" font-weight=\"600\" "
        "font-size=\"%d\" text-anchor=\"middle\" dominant-baseline=\"central\">%s</text>"
        "</svg>\n",
        colours[hash[0] % (sizeof colours / sizeof colours[0])],
        strlen(initials) > 1 ? 26 : 32, initials);
}

static const struct provider *find(const struct catalog *catalog, const char *file)
{
    size_t len = strlen(file), ending = strlen(ENDING);
    const struct provider *provider;
    char *name;

    if (len <= ending || strcmp(file + len - ending, ENDING) != 0)
        return NULL;
    name = str_ndup(file, len - ending);
    provider = catalog_find(catalog, name);
    free(name);
    return provider;
}

void get_logo(struct call *call)
{
    const char *file = call_param(call, 0);
    struct http_headers headers = {0};
    const struct provider *provider;
    struct catalog *catalog;
    struct buf text;

    if (file == NULL)
        return;
    catalog = catalog_acquire(call_auth(call)->catalogs);
    provider = find(catalog, file);
    if (provider == NULL) {
        reply_fault(call, 404, "not_found", "There is no such provider");
    } else {
        buf_init(&text, 0);
        draw(provider, &text);
        http_headers_add(&headers, "Content-Type", "image/svg+xml");
        http_headers_add(&headers, "Cache-Control", "public, max-age=86400");
        http_headers_add(&headers, "Access-Control-Allow-Origin", "*");
        http_headers_add(&headers, "X-Content-Type-Options", "nosniff");
        /* Opened by itself, it is a document of this server's. */
        http_headers_add(&headers, "Content-Security-Policy", "default-src 'none'");
        reply_headers(call, 200, &headers, text.data, text.len);
        http_headers_finish(&headers);
        buf_finish(&text);
    }
    catalog_unref(catalog);
}
