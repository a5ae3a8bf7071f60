/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of templates (contract auth.md section 2). Arguments are split before
 * they are interpolated, so that a comma inside a secret is not taken for a separator. A
 * function whose arguments cannot serve (bad key, wrong number) leaves its text as it is.
 */
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/crypto.h"
#include "base/str.h"
#include "catalog/pem.h"
#include "catalog/sigv4.h"
#include "catalog/template_int.h"

#define MAX_ARGUMENTS 8

struct template_function {
    const char *name;
    bool (*call)(
        struct template_render *r, const char *text, size_t len, struct buf *out);
};

/* Interpolates a piece of the arguments into `out`; false when something stayed
 * unresolved. */
static bool render_piece(
    struct template_render *r, const char *text, size_t len, struct buf *out)
{
    bool before = r->unresolved;
    bool resolved;

    r->unresolved = false;
    template_render_text(r, text, len, out);
    resolved = !r->unresolved;
    r->unresolved = r->unresolved || before;
    if (!out->data)
        buf_puts(out, "");
    return resolved;
}

struct piece {
    const char *text;
    size_t len;
};

static void trim_piece(struct piece *piece)
{
    while (piece->len > 0 && strchr(" \t\r\n", *piece->text)) {
        piece->text++;
        piece->len--;
    }
    while (piece->len > 0 && strchr(" \t\r\n", piece->text[piece->len - 1]))
        piece->len--;
}

/* Splits at the commas outside placeholders; returns how many pieces there are (at most
 * `max` are written). */
static size_t split(const char *text, size_t len, struct piece *out, size_t max)
{
    size_t nested = 0;
    size_t count = 0;
    size_t start = 0;

    for (size_t i = 0; i <= len; i++) {
        if (i < len && text[i] == '$' && i + 1 < len && text[i + 1] == '{') {
            nested++;
        } else if (i < len && text[i] == '}' && nested > 0) {
            nested--;
        } else if (i == len || (text[i] == ',' && nested == 0)) {
            if (count < max)
                out[count] = (struct piece){text + start, i - start};
            count++;
            start = i + 1;
        }
    }
    return count;
}

/* `message, key`: at the last comma outside placeholders; the key is trimmed. */
static bool split_last(
    const char *text, size_t len, struct piece *message, struct piece *key)
{
    size_t nested = 0;
    const char *comma = NULL;

    for (size_t i = 0; i < len; i++) {
        if (text[i] == '$' && i + 1 < len && text[i + 1] == '{')
            nested++;
        else if (text[i] == '}' && nested > 0)
            nested--;
        else if (text[i] == ',' && nested == 0)
            comma = text + i;
    }
    if (!comma)
        return false;
    *message = (struct piece){text, (size_t)(comma - text)};
    *key = (struct piece){comma + 1, (size_t)(text + len - comma - 1)};
    trim_piece(key);
    return true;
}

static bool call_base64(
    struct template_render *r, const char *text, size_t len, struct buf *out)
{
    struct buf inner;

    buf_init_secret(&inner, 0);
    render_piece(r, text, len, &inner);
    str_base64(inner.data, inner.len, out);
    buf_finish(&inner);
    return true;
}

static void digest_of(
    struct template_render *r, const char *text, size_t len, uint8_t out[SHA256_LEN])
{
    struct buf inner;

    buf_init_secret(&inner, 0);
    render_piece(r, text, len, &inner);
    crypto_sha256(inner.data, inner.len, out);
    buf_finish(&inner);
}

static bool call_sha256_hex(
    struct template_render *r, const char *text, size_t len, struct buf *out)
{
    uint8_t digest[SHA256_LEN];
    char hex[2 * SHA256_LEN + 1];

    digest_of(r, text, len, digest);
    str_hex(digest, sizeof(digest), hex);
    buf_puts(out, hex);
    return true;
}

static bool call_sha256_base64(
    struct template_render *r, const char *text, size_t len, struct buf *out)
{
    uint8_t digest[SHA256_LEN];

    digest_of(r, text, len, digest);
    str_base64(digest, sizeof(digest), out);
    return true;
}

static bool call_hmac_sha1_hex(
    struct template_render *r, const char *text, size_t len, struct buf *out)
{
    uint8_t digest[20];
    char hex[2 * sizeof(digest) + 1];
    struct piece message;
    struct piece key;
    struct buf message_text;
    struct buf key_text;

    if (!split_last(text, len, &message, &key))
        return false;
    buf_init_secret(&message_text, 0);
    buf_init_secret(&key_text, 0);
    render_piece(r, message.text, message.len, &message_text);
    render_piece(r, key.text, key.len, &key_text);
    crypto_hmac_sha1(
        key_text.data, key_text.len, message_text.data, message_text.len, digest);
    str_hex(digest, sizeof(digest), hex);
    buf_puts(out, hex);
    buf_finish(&message_text);
    buf_finish(&key_text);
    return true;
}

static bool call_ed25519_sign(
    struct template_render *r, const char *text, size_t len, struct buf *out)
{
    struct piece message;
    struct piece pem;
    struct buf message_text;
    struct buf pem_text;
    bool ok;

    if (!split_last(text, len, &message, &pem))
        return false;
    buf_init_secret(&message_text, 0);
    buf_init_secret(&pem_text, 0);
    ok = render_piece(r, message.text, message.len, &message_text);
    ok = render_piece(r, pem.text, pem.len, &pem_text) && ok;
    ok = ok && pem_sign(pem_text.data, "ED25519", NULL, &message_text, out);
    buf_finish(&message_text);
    buf_finish(&pem_text);
    return ok;
}

static bool call_fingerprint(
    struct template_render *r, const char *text, size_t len, struct buf *out)
{
    uint8_t digest[SHA256_LEN];
    unsigned char *der = NULL;
    struct buf pem;
    EVP_PKEY *key;
    int der_len = -1;

    buf_init_secret(&pem, 0);
    render_piece(r, text, len, &pem);
    key = pem_private_key(pem.data);
    if (key)
        der_len = i2d_PUBKEY(key, &der);
    if (der_len > 0) {
        crypto_sha256(der, (size_t)der_len, digest);
        buf_puts(out, "SHA256:");
        str_base64(digest, sizeof(digest), out);
    }
    OPENSSL_free(der);
    EVP_PKEY_free(key);
    buf_finish(&pem);
    return der_len > 0;
}

/* A value of the request from the layers; "" when there is none. */
static const char *request_value(const struct template_render *r, const char *name,
    const char *otherwise, struct buf *out)
{
    buf_init_secret(out, 0);
    if (!template_lookup(r, name, out))
        buf_puts(out, otherwise);
    return out->data ? out->data : "";
}

static void sign_aws(
    const struct template_render *r, struct buf arguments[5], struct buf *out)
{
    uint8_t digest[SHA256_LEN];
    char payload_hash[2 * SHA256_LEN + 1];
    char date[SIGV4_DATE_SIZE];
    struct sigv4_header headers[3];
    struct sigv4_input input = {0};
    struct buf method, path, query, body, type;
    size_t count = 0;

    sigv4_date(template_now_ms(r->stable), date);
    request_value(r, "bodyCanonicalParams", "", &body);
    crypto_sha256(body.data ? body.data : "", body.len, digest);
    str_hex(digest, sizeof(digest), payload_hash);
    if (*request_value(r, "contentType", "", &type))
        headers[count++] = (struct sigv4_header){"content-type", type.data};
    headers[count++] = (struct sigv4_header){"host", arguments[4].data};
    headers[count++] = (struct sigv4_header){"x-amz-date", date};
    input = (struct sigv4_input){
        .access_key = arguments[0].data,
        .secret_key = arguments[1].data,
        .region = arguments[2].data,
        .service = arguments[3].data,
        .date = date,
        .method = request_value(r, "method", "GET", &method),
        .path = request_value(r, "path", "/", &path),
        .path_as_is = true,
        .canonical_query = request_value(r, "urlCanonicalParams", "", &query),
        .headers = headers,
        .header_count = count,
        .payload_hash = payload_hash,
    };
    sigv4_authorization(&input, out);
    buf_finish(&method);
    buf_finish(&path);
    buf_finish(&query);
    buf_finish(&body);
    buf_finish(&type);
}

static bool call_aws_sigv4(
    struct template_render *r, const char *text, size_t len, struct buf *out)
{
    struct piece pieces[MAX_ARGUMENTS];
    size_t count = split(text, len, pieces, MAX_ARGUMENTS);
    struct buf arguments[5];
    bool ok = true;

    if (count != 4 && count != 5)
        return false;
    for (size_t i = 0; i < 5; i++)
        buf_init_secret(&arguments[i], 0);
    for (size_t i = 0; i < count; i++) {
        trim_piece(&pieces[i]);
        ok = render_piece(r, pieces[i].text, pieces[i].len, &arguments[i]) && ok;
    }
    if (count == 4)
        buf_printf(&arguments[4], "%s.amazonaws.com", arguments[3].data);
    if (ok)
        sign_aws(r, arguments, out);
    for (size_t i = 0; i < 5; i++)
        buf_finish(&arguments[i]);
    return ok;
}

static const struct template_function functions[] = {
    {"base64", call_base64},
    {"sha256Hex", call_sha256_hex},
    {"sha256Base64", call_sha256_base64},
    {"hmacSha1Hex", call_hmac_sha1_hex},
    {"ed25519Sign", call_ed25519_sign},
    {"fingerprint", call_fingerprint},
    {"awsSigV4", call_aws_sigv4},
};

const struct template_function *template_function_at(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        size_t n = strlen(functions[i].name);
        if (len > n && memcmp(name, functions[i].name, n) == 0 && name[n] == '(')
            return &functions[i];
    }
    return NULL;
}

size_t template_function_name_len(const struct template_function *function)
{
    return strlen(function->name);
}

bool template_call(const struct template_function *function, struct template_render *r,
    const char *arguments, size_t len, struct buf *out)
{
    return function->call(r, arguments, len, out);
}
