/* SPDX-License-Identifier: Apache-2.0 */
/* Asking the provider whether an access token still lives (RFC 7662), for providers whose
 * tokens come without an expiry: Salesforce (contract auth.md section 8.1). What was
 * found is kept in memory for some minutes, so that not every read of a connection costs
 * a call. */
#ifndef AUTH_INTROSPECT_H
#define AUTH_INTROSPECT_H

#include "auth/connection.h"
#include "auth/integration.h"

struct introspections;

struct introspections *introspections_new(void);
void introspections_free(struct introspections *known);

/* Do tokens of this connection have to be asked about? */
bool introspect_applies(const struct connection_row *row);
/* Is this row's token known to live? Cheap, any thread. */
bool introspections_know(
    struct introspections *known, const struct connection_row *row, int64_t now_ms);
/* Notes that it lives at `now_ms`, and, when `until_ms` is set, no longer than that. */
void introspections_note(struct introspections *known, const struct connection_row *row,
    int64_t now_ms, int64_t until_ms);

enum introspected {
    INTROSPECTED_LIVE,
    INTROSPECTED_DEAD, /* or about to be, or the provider would not say */
    INTROSPECTED_NOT,  /* nobody to ask: the stored expiry decides */
};
/* Blocking. LIVE: *until_ms is when it must be renewed. */
enum introspected introspect_token(const struct auth *auth,
    const struct integration *integration, const struct connection *connection,
    int64_t *until_ms);

#endif
