/* SPDX-License-Identifier: Apache-2.0 */
/* SIGNATURE: a WSSE user name token, made anew for each life (contract auth.md section 7;
 * the digest is the base64 of the hexadecimal SHA-1, as its provider wants it, where the
 * profile takes the bytes). */
#include "auth/mode.h"

#include "auth/token_int.h"
#include "auth/wsse.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/str.h"

#define LIFE_MS (INT64_C(5) * 60 * 1000)

void wsse_token(const char *username, const char *password, const char *nonce,
    int64_t now_ms, struct buf *out)
{
    char created[CLOCK_TEXT_SIZE], hex[41];
    uint8_t digest[20];
    struct buf text;

    clock_text_z(now_ms, created);
    buf_init_secret(&text, 0);
    buf_printf(&text, "%s%s%s", nonce, created, password);
    crypto_sha1(text.data, text.len, digest);
    buf_finish(&text);
    str_hex(digest, sizeof digest, hex);
    buf_printf(out, "UsernameToken Username=\"%s\", PasswordDigest=\"", username);
    str_base64(hex, 40, out);
    buf_printf(out, "\", Nonce=\"%s\", Created=\"%s\"", nonce, created);
}

static bool parse(const struct integration *integration,
    const struct connection *connection, const char *answer, size_t len,
    int64_t received_at_ms, cJSON **credentials, struct err *err)
{
    const cJSON *entry = integration->provider->entry;
    const char *protocol = json_str(json_get(entry, "signature"), "protocol");
    const char *username = json_str(connection->credentials, "username");
    const char *password = json_str(connection->credentials, "password");
    char nonce[33];
    int64_t life_ms = LIFE_MS;
    struct buf token;

    (void)answer;
    (void)len;
    *credentials = NULL;
    if (!str_eq(protocol, "WSSE"))
        return err_set(err, 400, "missing_signature_type",
            "provider %.60s asks for no signature that is known here",
            integration->provider->name);
    if (username == NULL || password == NULL)
        return err_set(err, 400, "failed_to_generate",
            "The connection has no user name and password to sign with");
    json_i64(json_get(entry, "token"), "expires_in_ms", &life_ms);
    crypto_random_hex(nonce, 16);
    buf_init_secret(&token, 0);
    wsse_token(username, password, nonce, received_at_ms, &token);
    *credentials = cJSON_CreateObject();
    json_set_str(*credentials, "type", "SIGNATURE");
    json_set_str(*credentials, "username", username);
    json_set_str(*credentials, "password", password);
    json_set_str(*credentials, "token", token.data);
    token_expiry_set(*credentials, received_at_ms + life_ms);
    buf_finish(&token);
    return true;
}

const struct mode mode_signature = {
    .credentials_type = "SIGNATURE",
    .can_renew = mode_renews_always,
    .obtain = mode_asks_nobody,
    .parse = parse,
};
