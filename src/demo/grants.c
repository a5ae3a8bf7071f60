/* SPDX-License-Identifier: Apache-2.0 */
/* A ring of grants. A grant begins as a code, becomes a pair of tokens, and its tokens
 * are replaced at each refresh. */
#include "demo/grants.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/mem.h"
#include "base/str.h"

#define GRANTS 256

struct grant {
    char code[GRANT_TOKEN_SIZE]; /* "" once used */
    int64_t code_expires_ms;
    char *redirect_uri;
    char *challenge;
    struct grant_tokens tokens; /* "" before the code was redeemed */
    int64_t access_expires_ms;
};

struct grants {
    const struct clock *clock;
    struct grant ring[GRANTS];
    size_t next;
};

struct grants *grants_new(const struct clock *clock)
{
    struct grants *grants = MEM_NEW(struct grants);

    grants->clock = clock;
    return grants;
}

static void grant_clear(struct grant *grant)
{
    free(grant->redirect_uri);
    free(grant->challenge);
    mem_wipe(grant, sizeof *grant);
}

void grants_free(struct grants *grants)
{
    if (grants == NULL)
        return;
    for (size_t i = 0; i < GRANTS; i++)
        grant_clear(&grants->ring[i]);
    free(grants);
}

static void fresh_token(const char *prefix, char out[GRANT_TOKEN_SIZE])
{
    str_copy(out, GRANT_TOKEN_SIZE, prefix);
    crypto_random_hex(out + strlen(out), 20);
}

void grants_add(struct grants *grants, const char *redirect_uri, const char *challenge,
    char code[GRANT_TOKEN_SIZE])
{
    struct grant *grant = &grants->ring[grants->next++ % GRANTS];

    grant_clear(grant);
    fresh_token("dc_", grant->code);
    grant->code_expires_ms = clock_now_ms(grants->clock) + GRANT_CODE_LIFE_MS;
    grant->redirect_uri = str_dup(redirect_uri);
    grant->challenge = str_dup(challenge);
    memcpy(code, grant->code, GRANT_TOKEN_SIZE);
}

static void renew(struct grants *grants, struct grant *grant, struct grant_tokens *out)
{
    fresh_token("da_", grant->tokens.access);
    fresh_token("dr_", grant->tokens.refresh);
    grant->access_expires_ms = clock_now_ms(grants->clock) + GRANT_ACCESS_LIFE_MS;
    *out = grant->tokens;
}

static bool challenge_fits(const char *challenge, const char *verifier)
{
    uint8_t hash[SHA256_LEN];
    struct buf text;
    bool ok;

    crypto_sha256(verifier, strlen(verifier), hash);
    buf_init(&text, 0);
    str_base64url(hash, sizeof hash, &text);
    ok = str_eq(text.data, challenge);
    buf_finish(&text);
    return ok;
}

static bool same(const char *kept, const char *given)
{
    return kept[0] != '\0' && crypto_equal(kept, strlen(kept), given, strlen(given));
}

bool grants_redeem(struct grants *grants, const char *code, const char *redirect_uri,
    const char *verifier, struct grant_tokens *out)
{
    if (code == NULL || redirect_uri == NULL || verifier == NULL)
        return false;
    for (size_t i = 0; i < GRANTS; i++) {
        struct grant *grant = &grants->ring[i];

        if (!same(grant->code, code))
            continue;
        grant->code[0] = '\0';
        if (grant->code_expires_ms < clock_now_ms(grants->clock) ||
            !str_eq(grant->redirect_uri, redirect_uri) ||
            !challenge_fits(grant->challenge, verifier))
            return false;
        renew(grants, grant, out);
        return true;
    }
    return false;
}

bool grants_rotate(struct grants *grants, const char *refresh, struct grant_tokens *out)
{
    for (size_t i = 0; refresh != NULL && i < GRANTS; i++) {
        if (same(grants->ring[i].tokens.refresh, refresh)) {
            renew(grants, &grants->ring[i], out);
            return true;
        }
    }
    return false;
}

bool grants_know(const struct grants *grants, const char *access)
{
    for (size_t i = 0; i < GRANTS; i++) {
        if (same(grants->ring[i].tokens.access, access))
            return grants->ring[i].access_expires_ms > clock_now_ms(grants->clock);
    }
    return false;
}
