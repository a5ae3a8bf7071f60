/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Web Tokens that we sign: assertions of a client, and the tokens of providers that
 * take them as such (RFC 7515, RFC 7518). */
#ifndef AUTH_JWT_H
#define AUTH_JWT_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "catalog/catalog.h"
#include "catalog/template.h"

/* `header` names `alg`: HS, RS, PS or ES with 256, 384 or 512, or EdDSA. `key` is the
 * secret's bytes for HS, else a PEM as people paste them, or a private RSA key as JWK
 * text. Appends the token to `out`. False: 400 `failed_to_generate`. */
bool jwt_sign(const cJSON *header, const cJSON *payload, const char *key, size_t key_len,
    struct buf *out, struct err *err);
/* `exp` of a token's payload in milliseconds; false when `token` is no JWT or has none.
 * The signature is not looked at. */
bool jwt_expiry(const char *token, int64_t *expires_at_ms);

/* What the catalogue's `token` and `signature` say (contract auth.md section 7.2), from
 * the submitted fields and the connection's config. False: 400 `missing_token_body`,
 * `missing_signature_type`, `failed_to_generate`. */
bool jwt_of_entry(const struct provider *provider, const cJSON *fields,
    const cJSON *config, const struct template_stable *stable, struct buf *token,
    int64_t *expires_at_ms, struct err *err);

/* The catalogue's `assertion` (section 5, step 2): a JWT, or a SAML 2.0 assertion in
 * base64. `options`: what was submitted for this once; NULL. */
bool assertion_of_entry(const struct provider *provider, const cJSON *fields,
    const cJSON *config, const cJSON *options, const struct template_stable *stable,
    struct buf *assertion, struct err *err);
/* When it ends, as it says itself; false when it says nothing that we can read. */
bool assertion_expiry(const char *assertion, int64_t *expires_at_ms);

#endif
