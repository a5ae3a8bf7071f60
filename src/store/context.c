/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing contexts: the name of a row and column, which a sealed value is bound to
 * (vault.h).
 *
 *   <kind>/<ids and fixed words>/<free text>
 *
 * Free text comes last, so that no two places have one name. Text that does not fit, or
 * that looks like the replacement, is replaced by "sha256:<hex>". These spellings are
 * part of what is stored: a change makes every stored secret unreadable. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "store/store.h"

#define HASHED "sha256:"

/* Appends `text` to the context in `out`, which ends with a slash. */
static void append_free(char out[CONTEXT_SIZE], const char *text)
{
    size_t used = strlen(out);
    size_t len = strlen(text);
    uint8_t hash[SHA256_LEN];

    if (len < CONTEXT_SIZE - used && !str_starts(text, HASHED)) {
        memcpy(out + used, text, len + 1);
        return;
    }
    assert(CONTEXT_SIZE - used > strlen(HASHED) + 2 * SHA256_LEN);
    crypto_sha256(text, len, hash);
    memcpy(out + used, HASHED, strlen(HASHED));
    str_hex(hash, SHA256_LEN, out + used + strlen(HASHED));
}

/* Writes a number and a slash; returns where to go on. */
static char *append_number(char *at, int64_t number)
{
    assert(number >= 0);
    at += str_decimal((uint64_t)number, at);
    *at++ = '/';
    return at;
}

void connection_context(char out[CONTEXT_SIZE], int64_t environment_id,
    int64_t integration_id, const char *connection_id, const char *column)
{
    static const char kind[] = "connection/";
    char *at = out;

    /* Made for every use of a connection: a format would cost as much as the unsealing. */
    memcpy(at, kind, sizeof kind - 1);
    at = append_number(at + sizeof kind - 1, environment_id);
    at = append_number(at, integration_id);
    assert(strlen(column) < CONTEXT_SIZE / 4);
    memcpy(at, column, strlen(column));
    at += strlen(column);
    memcpy(at, "/", 2);
    append_free(out, connection_id);
}

void integration_context(char out[CONTEXT_SIZE], const char *uid)
{
    (void)snprintf(out, CONTEXT_SIZE, "integration/%s/settings", uid);
}

void async_input_context(char out[CONTEXT_SIZE], const char *uuid)
{
    (void)snprintf(out, CONTEXT_SIZE, "async_action/%s/input", uuid);
}

void environment_context(char out[CONTEXT_SIZE], const char *uuid, const char *column)
{
    (void)snprintf(out, CONTEXT_SIZE, "environment/%s/%s", uuid, column);
}

void variable_context(
    char out[CONTEXT_SIZE], const char *environment_uuid, const char *name)
{
    (void)snprintf(out, CONTEXT_SIZE, "variable/%s/", environment_uuid);
    append_free(out, name);
}

void token_context(
    char out[CONTEXT_SIZE], const char *kind, const uint8_t sha256[SHA256_LEN])
{
    char hex[2 * SHA256_LEN + 1];

    str_hex(sha256, SHA256_LEN, hex);
    (void)snprintf(out, CONTEXT_SIZE, "%s/%s", kind, hex);
}
