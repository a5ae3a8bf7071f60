/* SPDX-License-Identifier: Apache-2.0 */
/* Tidying PEM text. See pem.h. Nothing of the text goes into an error: it is a key. */
#include "catalog/pem.h"

#include <ctype.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"

#define LINE 64
#define MAX_LABEL 64

/* Finds `-----BEGIN label-----`; points past it, or returns NULL. */
static const char *read_begin(const char *text, char label[MAX_LABEL + 1])
{
    static const char mark[] = "-----BEGIN ";
    const char *begin = strstr(text, mark);
    const char *end;

    if (!begin)
        return NULL;
    begin += sizeof(mark) - 1;
    end = strstr(begin, "-----");
    if (!end || end == begin || end - begin > MAX_LABEL)
        return NULL;
    memcpy(label, begin, (size_t)(end - begin));
    label[end - begin] = '\0';
    return end + 5;
}

/* Keeps the base64 characters; false when there is anything but those and white space. */
static bool keep_base64(const char *s, const char *end, struct buf *out)
{
    while (s < end) {
        if (s + 1 < end && s[0] == '\\' && (s[1] == 'n' || s[1] == 'r')) {
            s += 2;
            continue;
        }
        if (isalnum((unsigned char)*s) || strchr("+/=", *s))
            buf_putc(out, *s);
        else if (!isspace((unsigned char)*s))
            return false;
        s++;
    }
    return true;
}

char *pem_format(const char *text, const char *label, struct err *err)
{
    char found[MAX_LABEL + 1];
    const char *body = read_begin(text, found);
    const char *end = body ? strstr(body, "-----END ") : NULL;
    struct buf base64;
    struct buf out;
    bool ok;

    if (body)
        label = found;
    else
        body = text;
    if (!end)
        end = body + strlen(body);
    buf_init_secret(&base64, 0);
    buf_init_secret(&out, 0);
    ok = keep_base64(body, end, &base64) && base64.len > 0;
    if (ok) {
        buf_printf(&out, "-----BEGIN %s-----\n", label);
        for (size_t i = 0; i < base64.len; i += LINE) {
            size_t n = base64.len - i < LINE ? base64.len - i : LINE;
            buf_append(&out, base64.data + i, n);
            buf_putc(&out, '\n');
        }
        buf_printf(&out, "-----END %s-----\n", label);
    } else {
        err_set(err, 400, "invalid_certificate_or_key_format",
            "PEM contains invalid characters (must be base64)");
    }
    buf_finish(&base64);
    if (ok)
        return buf_take(&out, NULL);
    buf_finish(&out);
    return NULL;
}

/* A key with a pass phrase is refused rather than asked for on the terminal. */
static int no_pass_phrase(char *out, int size, int writing, void *arg)
{
    (void)out;
    (void)size;
    (void)writing;
    (void)arg;
    return -1;
}

EVP_PKEY *pem_private_key(const char *text)
{
    char *tidy = pem_format(text, "PRIVATE KEY", NULL);
    EVP_PKEY *key = NULL;
    BIO *bio;

    if (!tidy)
        return NULL;
    bio = BIO_new_mem_buf(tidy, -1);
    if (bio)
        key = PEM_read_bio_PrivateKey(bio, NULL, no_pass_phrase, NULL);
    BIO_free(bio);
    mem_free_text(tidy);
    return key;
}

bool pem_sign(const char *pem, const char *kind, const EVP_MD *digest,
    const struct buf *message, struct buf *out)
{
    EVP_PKEY *key = pem_private_key(pem);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char signature[2048];
    size_t len = sizeof signature;
    bool ok = key != NULL && ctx != NULL && EVP_PKEY_is_a(key, kind) &&
              EVP_DigestSignInit(ctx, NULL, digest, NULL, key) == 1 &&
              EVP_DigestSign(ctx, signature, &len, (const unsigned char *)message->data,
                  message->len) == 1;

    if (ok)
        str_base64(signature, len, out);
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    return ok;
}
