/* SPDX-License-Identifier: Apache-2.0 */
/* AWS Signature Version 4. See sigv4.h. Cannot fail; keys derived on the way are wiped.
 */
#include "catalog/sigv4.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "base/str.h"

void sigv4_date(int64_t now_ms, char out[SIGV4_DATE_SIZE])
{
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm tm;

    if (!gmtime_r(&seconds, &tm) ||
        strftime(out, SIGV4_DATE_SIZE, "%Y%m%dT%H%M%SZ", &tm) == 0)
        str_copy(out, SIGV4_DATE_SIZE, "19700101T000000Z");
}

/* Each segment percent-encoded, RFC 3986's unreserved characters kept. */
static void encode_path(const char *path, struct buf *out)
{
    static const char hex[] = "0123456789ABCDEF";

    for (; *path; path++) {
        unsigned char c = (unsigned char)*path;
        char one[2] = {*path, '\0'};
        if (c == '/' || str_all_alnum_or(one, "-._~")) {
            buf_putc(out, *path);
        } else {
            char escaped[3] = {'%', hex[c >> 4], hex[c & 15]};
            buf_append(out, escaped, 3);
        }
    }
}

/* Trimmed, runs of spaces made one. */
static void append_value(const char *value, struct buf *out)
{
    bool pending = false;
    bool any = false;

    for (; *value; value++) {
        if (*value == ' ' || *value == '\t') {
            pending = any;
            continue;
        }
        if (pending)
            buf_putc(out, ' ');
        pending = false;
        any = true;
        buf_putc(out, *value);
    }
}

static void append_signed_names(const struct sigv4_input *in, struct buf *out)
{
    for (size_t i = 0; i < in->header_count; i++) {
        if (i > 0)
            buf_putc(out, ';');
        buf_puts(out, in->headers[i].name);
    }
}

static void canonical_request(const struct sigv4_input *in, struct buf *out)
{
    buf_printf(out, "%s\n", in->method);
    if (*in->path == '\0')
        buf_putc(out, '/');
    else if (in->path_as_is || strcmp(in->service, "s3") == 0)
        buf_puts(out, in->path);
    else
        encode_path(in->path, out);
    buf_printf(out, "\n%s\n", in->canonical_query);
    for (size_t i = 0; i < in->header_count; i++) {
        buf_printf(out, "%s:", in->headers[i].name);
        append_value(in->headers[i].value, out);
        buf_putc(out, '\n');
    }
    buf_putc(out, '\n');
    append_signed_names(in, out);
    buf_printf(out, "\n%s", in->payload_hash);
}

static void hmac(const uint8_t key[SHA256_LEN], const char *text, uint8_t out[SHA256_LEN])
{
    crypto_hmac_sha256(key, SHA256_LEN, text, strlen(text), out);
}

static void signing_key(const struct sigv4_input *in, uint8_t key[SHA256_LEN])
{
    struct buf first;
    char day[9];

    str_copy(day, sizeof(day), in->date);
    buf_init_secret(&first, 0);
    buf_printf(&first, "AWS4%s", in->secret_key);
    crypto_hmac_sha256(first.data, first.len, day, strlen(day), key);
    buf_finish(&first);
    hmac(key, in->region, key);
    hmac(key, in->service, key);
    hmac(key, "aws4_request", key);
}

void sigv4_authorization(const struct sigv4_input *in, struct buf *out)
{
    uint8_t digest[SHA256_LEN];
    uint8_t key[SHA256_LEN];
    char hex[2 * SHA256_LEN + 1];
    struct buf text;
    struct buf to_sign;

    buf_init_secret(&text, 0);
    buf_init(&to_sign, 0);
    canonical_request(in, &text);
    crypto_sha256(text.data, text.len, digest);
    str_hex(digest, sizeof(digest), hex);
    buf_printf(&to_sign, "AWS4-HMAC-SHA256\n%s\n%.8s/%s/%s/aws4_request\n%s", in->date,
        in->date, in->region, in->service, hex);
    signing_key(in, key);
    crypto_hmac_sha256(key, sizeof(key), to_sign.data, to_sign.len, digest);
    str_hex(digest, sizeof(digest), hex);
    buf_printf(out,
        "AWS4-HMAC-SHA256 Credential=%s/%.8s/%s/%s/aws4_request, SignedHeaders=",
        in->access_key, in->date, in->region, in->service);
    append_signed_names(in, out);
    buf_printf(out, ", Signature=%s", hex);
    mem_wipe(key, sizeof(key));
    buf_finish(&text);
    buf_finish(&to_sign);
}
