/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens by which Google's Pub/Sub says who it is: RS256, RFC 7519. */
#ifndef INBOUND_GOOGLE_TOKEN_H
#define INBOUND_GOOGLE_TOKEN_H

#include "inbound/inbound_int.h"

/* `header`: `Bearer <token>`. Signed by Google with one of its published keys, which are
 * fetched; for this webhook's address; not expired. False: refused. */
bool google_token_check(struct visit *visit, const char *header);

/* The same with the keys at hand: an object of PEM certificates by their id. */
bool google_token_verify(
    const char *token, const cJSON *certificates, const char *audience, int64_t now_ms);

#endif
