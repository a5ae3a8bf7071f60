/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a webhook is the server's (contract webhooks.md, 2 and 5). Whatever goes wrong, a
 * missing key or header, a text that is no JSON, memory, OpenSSL, the answer is no. */
#include "sdk/sdk_int.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#define DIGEST_SIZE 32 /* of SHA-256 */

static bool is_header(const char *name, const char *lower)
{
    for (; *name != '\0' && *lower != '\0'; name++, lower++) {
        const char c = *name >= 'A' && *name <= 'Z' ? (char)(*name + 'a' - 'A') : *name;

        if (c != *lower)
            return false;
    }
    return *name == *lower;
}

/* The value of the one header of that name. A second one is not the server's doing, and
 * which of them counts would be a guess. */
static const char *find_header(const nango_pair *headers, size_t count, const char *lower)
{
    const char *value = NULL;

    for (size_t i = 0; headers != NULL && i < count; i++) {
        if (headers[i].name == NULL || !is_header(headers[i].name, lower))
            continue;
        if (value != NULL)
            return NULL;
        value = headers[i].value;
    }
    return value;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Whether `hex` is the hexadecimal of `expected`. How long this takes tells nothing of
 * `expected`. */
static bool fits(const char *hex, const unsigned char expected[DIGEST_SIZE])
{
    unsigned char given[DIGEST_SIZE];

    if (strlen(hex) != 2 * (size_t)DIGEST_SIZE)
        return false;
    for (size_t i = 0; i < DIGEST_SIZE; i++) {
        const int high = hex_digit(hex[2 * i]);
        const int low = hex_digit(hex[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        given[i] = (unsigned char)(high * 16 + low);
    }
    return CRYPTO_memcmp(given, expected, DIGEST_SIZE) == 0;
}

static bool has_key(const nango_client *client)
{
    const char *key = client == NULL ? NULL : ngo_signing_key(client);

    return key != NULL && *key != '\0';
}

bool nango_verify_incoming_webhook_request(const nango_client *client, const void *body,
    size_t len, const nango_pair *headers, size_t header_count)
{
    const char *hex = find_header(headers, header_count, "x-nango-hmac-sha256");
    unsigned char expected[DIGEST_SIZE];
    size_t size = 0;
    bool good;

    if (!has_key(client) || hex == NULL || (body == NULL && len > 0))
        return false;
    good = EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, ngo_signing_key(client),
               strlen(ngo_signing_key(client)), body == NULL ? (const void *)"" : body,
               len, expected, sizeof expected, &size) != NULL &&
           size == DIGEST_SIZE && fits(hex, expected);
    OPENSSL_cleanse(expected, sizeof expected);
    return good;
}

/* Adds JSON text without its white space; false when it is none, or memory is out. */
static bool add_compact(struct ngo_text *out, const char *json, size_t len)
{
    struct ngo_json_doc doc = {NULL};
    struct ngo_text copy;
    size_t at;
    bool good;

    ngo_text_init(&copy, out->mem);
    ngo_text_add(&copy, json, len); /* parsing spoils it */
    good = !copy.failed &&
           ngo_json_parse(copy.mem, copy.data, copy.len, &doc, &at) == NGO_PARSED;
    if (good)
        ngo_json_print(out, doc.values);
    ngo_json_finish(copy.mem, &doc);
    ngo_text_finish(&copy);
    return good && !out->failed && !out->invalid;
}

bool nango_verify_webhook_signature(
    const nango_client *client, const char *signature, const char *json, size_t len)
{
    unsigned char expected[DIGEST_SIZE];
    struct ngo_text text;
    unsigned size = 0;
    bool good;

    if (!has_key(client) || signature == NULL || json == NULL || len == 0)
        return false;
    /* This signature is compared as text by the official client: in small letters. */
    if (strpbrk(signature, "ABCDEF") != NULL)
        return false;
    ngo_text_init(&text, ngo_client_mem(client));
    ngo_text_puts(&text, ngo_signing_key(client));
    good = add_compact(&text, json, len) &&
           EVP_Digest(text.data, text.len, expected, &size, EVP_sha256(), NULL) == 1 &&
           size == DIGEST_SIZE && fits(signature, expected);
    ngo_text_finish(&text);
    OPENSSL_cleanse(expected, sizeof expected);
    return good;
}
