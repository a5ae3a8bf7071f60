/* SPDX-License-Identifier: Apache-2.0 */
/* Connect sessions: a random token that a browser may hold for half an hour. The store
 * knows the token's SHA-256 only, and the payload is sealed under it. */
#include "auth/session.h"

#include <stdlib.h>
#include <string.h>

#include "auth/end_user.h"
#include "auth/sealed_json.h"
#include "base/json.h"
#include "base/str.h"

#define SESSION_RANDOM_BYTES 32

static void payload_context(char out[CONTEXT_SIZE], const uint8_t digest[SHA256_LEN])
{
    token_context(out, "connect_session", digest);
}

bool session_create(const struct auth *auth, int64_t environment_id, const cJSON *payload,
    int64_t reconnect_connection_id, char token[SESSION_TOKEN_SIZE],
    int64_t *expires_at_ms, struct err *err)
{
    struct connect_session_row row = {0};
    uint8_t digest[SHA256_LEN];
    char context[CONTEXT_SIZE];
    int64_t id;
    bool ok;

    memcpy(token, SESSION_TOKEN_PREFIX, strlen(SESSION_TOKEN_PREFIX));
    crypto_random_hex(token + strlen(SESSION_TOKEN_PREFIX), SESSION_RANDOM_BYTES);
    crypto_sha256(token, strlen(token), digest);
    payload_context(context, digest);
    row.environment_id = environment_id;
    row.connection_id = reconnect_connection_id;
    row.created_at_ms = clock_now_ms(auth->clock);
    row.expires_at_ms = row.created_at_ms + SESSION_LIFE_MS;
    *expires_at_ms = row.expires_at_ms;
    ok = sealed_json_write(auth, context, payload, &row.payload, err) &&
         store_insert_connect_session(auth->store, digest, &row, &id, err);
    free(row.payload.data);
    return ok;
}

/* The prefix and 64 digits of lower-case hex. */
static bool token_digest(const char *token, uint8_t digest[SHA256_LEN], struct err *err)
{
    const char *hex = token + strlen(SESSION_TOKEN_PREFIX);

    if (strlen(token) != SESSION_TOKEN_SIZE - 1 ||
        !str_starts(token, SESSION_TOKEN_PREFIX) ||
        strspn(hex, "0123456789abcdef") != (size_t)2 * SESSION_RANDOM_BYTES)
        return err_set(err, 401, "invalid_connect_session_token_format",
            "Authentication failed. The provided connect session token is not following "
            "correct format: nango_connect_session_RANDOM)");
    crypto_sha256(token, strlen(token), digest);
    return true;
}

bool session_load(
    const struct auth *auth, const char *token, struct session *out, struct err *err)
{
    uint8_t digest[SHA256_LEN];
    char context[CONTEXT_SIZE];
    const cJSON *tags;

    memset(out, 0, sizeof *out);
    if (!token_digest(token, digest, err) ||
        !store_find_connect_session(
            auth->store, digest, clock_now_ms(auth->clock), &out->row, err))
        return false;
    if (out->row == NULL)
        return err_set(err, 401, "unknown_connect_session_token",
            "Authentication failed. The provided connect session token does not match "
            "any "
            "account.");
    payload_context(context, digest);
    if (!sealed_json_open(auth, context, &out->row->payload, &out->payload, err)) {
        session_finish(out);
        return err_context(err, "connect session");
    }
    tags = json_get(json_get(out->payload, "end_user"), "tags");
    if (cJSON_IsObject(tags))
        out->end_user_tags = json_print(tags);
    return true;
}

void session_finish(struct session *session)
{
    connect_session_row_free(session->row);
    cJSON_Delete(session->payload);
    free(session->end_user_tags);
    memset(session, 0, sizeof *session);
}

bool session_delete(
    const struct auth *auth, const char *token, bool *found, struct err *err)
{
    uint8_t digest[SHA256_LEN];

    *found = false;
    return token_digest(token, digest, err) &&
           store_delete_connect_session(auth->store, digest, found, err);
}

bool session_end_user(const struct session *session, struct end_user_row *out)
{
    if (!end_user_view(json_get(session->payload, "end_user"),
            json_get(session->payload, "organization"), out))
        return false;
    out->tags_json = session->end_user_tags;
    return true;
}

bool session_allows(const struct session *session, const char *integration_key)
{
    const cJSON *allowed = json_get(session->payload, "allowed_integrations");
    const cJSON *key;

    if (cJSON_GetArraySize(allowed) == 0)
        return true;
    cJSON_ArrayForEach(key, allowed)
    {
        if (cJSON_IsString(key) && str_eq(key->valuestring, integration_key))
            return true;
    }
    return false;
}
