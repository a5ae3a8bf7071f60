/* SPDX-License-Identifier: Apache-2.0 */
/* What the demo provider has granted: codes and tokens, in memory, bounded, oldest
 * dropped. One thread only. */
#ifndef DEMO_GRANTS_H
#define DEMO_GRANTS_H

#include <stdbool.h>

#include "base/clock.h"

#define GRANT_TOKEN_SIZE 45
#define GRANT_ACCESS_LIFE_MS 3600000
#define GRANT_CODE_LIFE_MS 60000

struct grants;
struct grant_tokens {
    char access[GRANT_TOKEN_SIZE];
    char refresh[GRANT_TOKEN_SIZE];
};

struct grants *grants_new(const struct clock *clock);
void grants_free(struct grants *grants); /* accepts NULL */
/* A new code for that redirect URI and PKCE challenge (S256). */
void grants_add(struct grants *grants, const char *redirect_uri, const char *challenge,
    char code[GRANT_TOKEN_SIZE]);
/* Uses the code up, whatever comes of it. NULL texts are refused. */
bool grants_redeem(struct grants *grants, const char *code, const char *redirect_uri,
    const char *verifier, struct grant_tokens *out);
/* New tokens for a refresh token, which is void from then on. */
bool grants_rotate(struct grants *grants, const char *refresh, struct grant_tokens *out);
/* An access token that is in force. */
bool grants_know(const struct grants *grants, const char *access);

#endif
