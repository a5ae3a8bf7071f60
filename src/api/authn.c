/* SPDX-License-Identifier: Apache-2.0 */
/* Who calls? Secret keys, connect session tokens, public keys (contract http-api.md
 * sections 1.1 and 1.3, connect-flow.md section 1). Keys are looked up by their SHA-256,
 * so that neither the lookup's time nor the store tells anything about a key. */
#include <string.h>

#include "api/api_int.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define FAILED "Authentication failed. "

const char *bearer_of(const char *header)
{
    static const char scheme[] = "Bearer ";
    const char *found;

    while ((found = strstr(header, scheme)) != NULL)
        header = found + sizeof scheme - 1;
    return header;
}

bool scopes_allow(const char *scopes, const char *scope)
{
    while (*scopes != '\0') {
        size_t len = strcspn(scopes, " ");

        if (len == strlen(scope) && memcmp(scopes, scope, len) == 0)
            return true;
        if (len >= 2 && memcmp(scopes + len - 2, ":*", 2) == 0 &&
            strncmp(scopes, scope, len - 1) == 0)
            return true;
        scopes += len;
        while (*scopes == ' ')
            scopes++;
    }
    return false;
}

bool call_needs_scope(struct call *call, const char *scope, const char *or_scope)
{
    const char *have = call->key != NULL ? call->key->scopes : "";

    if (scopes_allow(have, scope) || (or_scope != NULL && scopes_allow(have, or_scope)))
        return true;
    if (or_scope != NULL)
        reply_fault(call, 403, "forbidden",
            "Insufficient scope. Required one of: %s or %s", scope, or_scope);
    else
        reply_fault(call, 403, "forbidden", "Insufficient scope. Required: %s", scope);
    return false;
}

/* A script that runs, through its host: it may do what its environment's own key may. */
static bool by_script_key(struct call *call, const char *secret)
{
    struct script_keys *keys = call->server->script_keys;
    struct script_scope scope;

    if (keys == NULL || !script_keys_find(keys, secret, &scope))
        return false;
    call->key = MEM_NEW(struct api_key_row);
    call->key->refs = 1;
    call->key->environment_id = scope.environment_id;
    call->key->display_name = str_dup("script");
    call->key->scopes = str_dup("environment:*");
    call->environment_id = scope.environment_id;
    call->held_id = scope.held_id;
    call->background = scope.background;
    return true;
}

/* False after a reply. */
static bool by_secret_key(struct call *call, const char *secret)
{
    struct err err = {0};
    uint8_t sha256[SHA256_LEN];

    if (!str_is_uuid_v4(secret)) {
        reply_detailed(call, 401, "invalid_secret_key_format", NULL,
            FAILED "The provided secret key is not a UUID v4.");
        return false;
    }
    if (by_script_key(call, secret))
        return true;
    crypto_sha256(secret, strlen(secret), sha256);
    if (!store_find_api_key(call_auth(call)->store, sha256, &call->key, &err)) {
        reply_error(call, &err);
        return false;
    }
    if (call->key == NULL) {
        reply_detailed(call, 401, "unknown_account", NULL,
            FAILED "The provided authorization header does not match any account.");
        return false;
    }
    call->environment_id = call->key->environment_id;
    return call->route->scope == NULL ||
           call_needs_scope(call, call->route->scope, call->route->or_scope);
}

static bool by_session(struct call *call, const char *token)
{
    struct err err = {0};

    if (session_load(call_auth(call), token, &call->session, &err)) {
        call->environment_id = call->session.row->environment_id;
        return true;
    }
    if (err_is_internal(&err))
        reply_error(call, &err);
    else if (strcmp(err.code, "invalid_connect_session_token_format") == 0)
        reply_detailed(call, 401, err.code, NULL,
            FAILED "The provided connect session token is not following correct "
                   "format: " SESSION_TOKEN_PREFIX "RANDOM)");
    else
        reply_detailed(call, 401, err.code, NULL,
            FAILED "The provided connect session token does not match any account.");
    return false;
}

static bool by_public_key(struct call *call, const char *key)
{
    struct err err = {0};

    if (key == NULL || key[0] == '\0') {
        reply_detailed(call, 401, "missing_public_key", NULL,
            FAILED "The request is missing a valid public key parameter.");
        return false;
    }
    if (!str_is_uuid_v4(key)) {
        reply_detailed(call, 401, "invalid_public_key", NULL,
            FAILED "The provided public key is not a UUID v4.");
        return false;
    }
    if (!store_find_environment_by_public_key(
            call_auth(call)->store, key, &call->environment, &err)) {
        reply_error(call, &err);
        return false;
    }
    if (call->environment == NULL) {
        reply_detailed(call, 401, "unknown_account", NULL,
            FAILED "The provided authorization header does not match any account.");
        return false;
    }
    call->environment_id = call->environment->id;
    return true;
}

static bool by_browser(struct call *call)
{
    const char *token;

    if (call_query(call) == NULL)
        return false;
    token = call_query_str(call, "connect_session_token");
    return token != NULL ? by_session(call, token)
                         : by_public_key(call, call_query_str(call, "public_key"));
}

bool authenticate(struct call *call)
{
    const char *header, *token;

    if (call->route->who == WHO_ANYONE)
        return true;
    if (call->route->who == WHO_BROWSER)
        return by_browser(call);
    header = http_header(call->req, "authorization");
    if (header == NULL || header[0] == '\0') {
        reply_detailed(call, 401, "missing_auth_header", NULL,
            FAILED "The request is missing the Authorization header.");
        return false;
    }
    token = bearer_of(header);
    if (call->route->who == WHO_SESSION || (call->route->who == WHO_KEY_OR_SESSION &&
                                               str_starts(token, SESSION_TOKEN_PREFIX)))
        return by_session(call, token);
    return by_secret_key(call, token);
}
