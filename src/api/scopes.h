/* SPDX-License-Identifier: Apache-2.0 */
/* The scopes that a secret key may have (contract http-api.md section 1.3). */
#ifndef API_SCOPES_H
#define API_SCOPES_H

#include <stdbool.h>
#include <stddef.h>

/* NULL ends the list. Some open routes that this server does not have: a key brought from
 * another one keeps its scopes. */
extern const char *const api_scopes[];

/* One of them, or what several begin with followed by `*`: "environment:*",
 * "environment:connections:*". */
bool scope_is_known(const char *scope, size_t len);

#endif
