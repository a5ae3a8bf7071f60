/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures: two of Nango's (contract webhooks.md section 2), for its clients, and that of
 * Standard Webhooks 1.0.0, which also covers the message's id and the time it is sent. */
#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "base/str.h"
#include "webhooks/webhooks_int.h"

#define HEX_SIZE (2 * SHA256_LEN + 1)

static void add_nango(const struct signing *signing, struct http_headers *headers)
{
    uint8_t hash[SHA256_LEN];
    char hex[HEX_SIZE];
    struct buf text;

    buf_init_secret(&text, 0);
    buf_append(&text, signing->key, signing->key_len);
    buf_append(&text, signing->body, signing->body_len);
    crypto_sha256(text.data, text.len, hash);
    buf_finish(&text);
    str_hex(hash, sizeof hash, hex);
    http_headers_add(headers, "X-Nango-Signature", hex);
    crypto_hmac_sha256(
        signing->key, signing->key_len, signing->body, signing->body_len, hash);
    str_hex(hash, sizeof hash, hex);
    http_headers_add(headers, "X-Nango-Hmac-Sha256", hex);
}

static void add_standard(const struct signing *signing, struct http_headers *headers)
{
    uint8_t hash[SHA256_LEN];
    struct buf text;
    char id[UUID_TEXT_SIZE + 4], time[24];

    (void)snprintf(id, sizeof id, "msg_%s", signing->uuid);
    (void)snprintf(time, sizeof time, "%lld", (long long)(signing->now_ms / 1000));
    buf_init(&text, 0);
    buf_printf(&text, "%s.%s.", id, time);
    buf_append(&text, signing->body, signing->body_len);
    crypto_hmac_sha256(signing->key, signing->key_len, text.data, text.len, hash);
    buf_clear(&text);
    buf_puts(&text, "v1,");
    str_base64(hash, sizeof hash, &text);
    http_headers_add(headers, "webhook-id", id);
    http_headers_add(headers, "webhook-timestamp", time);
    http_headers_add(headers, "webhook-signature", text.data);
    buf_finish(&text);
}

void webhook_sign(const struct signing *signing, struct http_headers *headers)
{
    add_nango(signing, headers);
    add_standard(signing, headers);
}

static bool oldest_api_key(struct store *store, struct vault *vault,
    int64_t environment_id, char **key, size_t *len, struct err *err)
{
    struct api_key_row **rows = NULL, *oldest = NULL;
    char context[CONTEXT_SIZE], hex[HEX_SIZE];
    size_t count = 0;
    bool ok = true;

    if (!store_list_api_keys(store, environment_id, &rows, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (oldest == NULL || rows[i]->id < oldest->id)
            oldest = rows[i];
    if (oldest != NULL) {
        str_hex(oldest->sha256, SHA256_LEN, hex);
        (void)snprintf(context, sizeof context, "api_key/%s", hex);
        ok = vault_unseal(
            vault, context, oldest->secret.data, oldest->secret.len, key, len, err);
    }
    store_api_keys_free(rows, count);
    return ok;
}

bool webhook_signing_key(struct store *store, struct vault *vault, int64_t environment_id,
    char **key, size_t *len, struct err *err)
{
    struct environment_row *row = NULL;
    char context[CONTEXT_SIZE];
    bool ok;

    *key = NULL;
    *len = 0;
    if (!store_find_environment(store, environment_id, &row, err))
        return false;
    if (row == NULL || row->signing_key.data == NULL) {
        environment_row_unref(row);
        return oldest_api_key(store, vault, environment_id, key, len, err);
    }
    environment_context(context, row->uuid, "signing_key");
    ok = vault_unseal(
        vault, context, row->signing_key.data, row->signing_key.len, key, len, err);
    environment_row_unref(row);
    return ok;
}
