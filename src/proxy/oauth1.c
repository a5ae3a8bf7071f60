/* SPDX-License-Identifier: Apache-2.0 */
/* Signing by OAuth 1.0a: base string, key, signature, header (RFC 5849 sections 3.4
 * and 3.5.1). */
#include "proxy/oauth1.h"

#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "base/str.h"
#include "proxy/params.h"

#define NONCE_LEN 32

static void make_nonce(const struct template_stable *stable, char out[NONCE_LEN + 1])
{
    static const char letters[] =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    uint8_t raw[NONCE_LEN];

    if (stable->nonce[0] != '\0') {
        str_copy(out, NONCE_LEN + 1, stable->nonce);
        return;
    }
    crypto_random(raw, sizeof raw);
    for (size_t i = 0; i < NONCE_LEN; i++)
        out[i] = letters[raw[i] % (sizeof letters - 1)];
    out[NONCE_LEN] = '\0';
}

static const char *method_name(enum oauth1_method method)
{
    static const char *const names[] = {"HMAC-SHA1", "HMAC-SHA256", "PLAINTEXT"};

    return names[method];
}

static void base_string(
    const struct oauth1 *in, const struct params *oauth, struct buf *out)
{
    struct params all = {0};
    struct buf list, url;
    const char *query = strchr(in->url, '?');

    buf_init(&list, 0);
    buf_init(&url, 0);
    for (size_t i = 0; i < oauth->count; i++)
        params_add(&all, oauth->items[i].name, oauth->items[i].value);
    if (query != NULL)
        params_add_form(&all, query + 1, strlen(query + 1));
    params_sort(&all, true);
    params_write(&all, &list);
    buf_append(
        &url, in->url, query != NULL ? (size_t)(query - in->url) : strlen(in->url));
    buf_printf(out, "%s&", in->http_method);
    params_encode(url.data, out);
    buf_putc(out, '&');
    params_encode(list.data, out);
    params_finish(&all);
    buf_finish(&list);
    buf_finish(&url);
}

static void sign(const struct oauth1 *in, const struct params *oauth, struct buf *out)
{
    struct buf key, base;
    uint8_t digest[SHA256_LEN];

    buf_init_secret(&key, 0);
    buf_init(&base, 0);
    params_encode(in->consumer_secret, &key);
    buf_putc(&key, '&');
    if (in->token_secret != NULL)
        params_encode(in->token_secret, &key);
    if (in->method == OAUTH1_PLAINTEXT) {
        buf_append(out, key.data, key.len);
    } else {
        base_string(in, oauth, &base);
        if (in->method == OAUTH1_HMAC_SHA1) {
            crypto_hmac_sha1(key.data, key.len, base.data, base.len, digest);
            str_base64(digest, 20, out);
        } else {
            crypto_hmac_sha256(key.data, key.len, base.data, base.len, digest);
            str_base64(digest, SHA256_LEN, out);
        }
    }
    buf_finish(&key);
    buf_finish(&base);
}

void oauth1_header(const struct oauth1 *in, struct buf *out)
{
    struct params oauth = {0};
    struct buf signature;
    char nonce[NONCE_LEN + 1], timestamp[24];

    buf_init_secret(&signature, 0);
    make_nonce(in->stable, nonce);
    snprintf(timestamp, sizeof timestamp, "%lld",
        (long long)(template_now_ms(in->stable) / 1000));
    params_add(&oauth, "oauth_consumer_key", in->consumer_key);
    params_add(&oauth, "oauth_nonce", nonce);
    params_add(&oauth, "oauth_signature_method", method_name(in->method));
    params_add(&oauth, "oauth_timestamp", timestamp);
    if (in->token != NULL)
        params_add(&oauth, "oauth_token", in->token);
    params_add(&oauth, "oauth_version", "1.0");
    sign(in, &oauth, &signature);
    params_add(&oauth, "oauth_signature", signature.data);
    params_sort(&oauth, true);
    buf_puts(out, "OAuth ");
    if (in->realm != NULL)
        buf_printf(out, "realm=\"%s\", ", in->realm);
    for (size_t i = 0; i < oauth.count; i++) {
        buf_printf(out, "%s%s=\"", i > 0 ? ", " : "", oauth.items[i].name);
        params_encode(oauth.items[i].value, out);
        buf_putc(out, '"');
    }
    params_finish(&oauth);
    buf_finish(&signature);
}
