/* SPDX-License-Identifier: Apache-2.0 */
/* Checking the HMAC of browser calls. The connection id is signed as it was received, on
 * every endpoint: the reference signs a generated one on some, which no caller can know.
 */
#include "auth/hmac_check.h"

#include <string.h>

#include "base/buf.h"
#include "base/secret.h"
#include "base/str.h"

void hmac_make(const char *key, const char *provider_config_key,
    const char *connection_id, char out[2 * SHA256_LEN + 1])
{
    uint8_t digest[SHA256_LEN];
    struct buf text;

    buf_init(&text, 0);
    buf_puts(&text, provider_config_key != NULL ? provider_config_key : "");
    if (!str_is_empty(provider_config_key) && !str_is_empty(connection_id))
        buf_putc(&text, ':');
    buf_puts(&text, connection_id != NULL ? connection_id : "");
    crypto_hmac_sha256(key, strlen(key), text.data, text.len, digest);
    str_hex(digest, sizeof digest, out);
    buf_finish(&text);
}

bool hmac_check(const struct auth *auth, const struct environment_row *environment,
    const char *provider_config_key, const char *connection_id, const char *hmac,
    struct err *err)
{
    char context[CONTEXT_SIZE], wanted[2 * SHA256_LEN + 1];
    char *key = NULL;
    size_t key_len = 0;
    bool ok;

    if (!environment->hmac_enabled)
        return true;
    if (str_is_empty(hmac))
        return err_set(err, 400, "missing_hmac", "Missing HMAC in query params");
    if (environment->hmac_key.data == NULL)
        return err_internal(
            err, "environment %s demands an HMAC but has no key", environment->name);
    environment_context(context, environment->uuid, "hmac_key");
    if (!vault_unseal(auth->vault, context, environment->hmac_key.data,
            environment->hmac_key.len, &key, &key_len, err))
        return false;
    hmac_make(key, provider_config_key, connection_id, wanted);
    secret_free(key);
    ok = crypto_equal(wanted, strlen(wanted), hmac, strlen(hmac));
    return ok || err_set(err, 400, "invalid_hmac", "Invalid HMAC");
}
