/* SPDX-License-Identifier: Apache-2.0 */
/* How much a provider allows: learnt from its answers, or declared in the catalogue; known
 * to all calls of a connection, whoever makes them. No I/O.
 *
 *   answer ─► throttle_learn(): RateLimit-*, X-RateLimit-*, Retry-After
 *                  │
 *   call ─► throttle_ask() ─► goes, or waits
 *
 * Calls of syncs and of other scripts that nobody waits for are held back as soon as little
 * is left, so that what is left goes to those that somebody waits for. The latter are never
 * held back for what was learnt: whoever makes them sees the provider's own answer. A
 * declared rate holds for both. Any thread. */
#ifndef PROXY_THROTTLE_H
#define PROXY_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "catalog/catalog.h"
#include "net/http.h"

struct throttle;

struct throttle *throttle_new(void);
void throttle_free(struct throttle *throttle); /* accepts NULL */

struct throttle_call {
    int64_t integration_id, connection_id;
    const struct provider
        *provider;   /* its entry's proxy.rate_limit and proxy.retry count */
    bool background; /* nobody waits for it */
    int64_t now_ms;
};
/* In how many ms it is to ask again; 0 = it goes now, and is counted. */
int64_t throttle_ask(struct throttle *throttle, const struct throttle_call *call);
void throttle_learn(struct throttle *throttle, const struct throttle_call *call,
    int status, const struct http_headers *headers);

#endif
