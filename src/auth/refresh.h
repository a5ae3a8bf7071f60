/* SPDX-License-Identifier: Apache-2.0 */
/* Keeping access tokens fresh without ever losing a connection (architecture section 5,
 * contract auth.md section 8).
 *
 *   needed? ──no──► answer as stored
 *     │yes
 *   one in flight for this connection? ──yes──► wait for its result
 *     │no
 *   lease ► re-read ► token call ► journal (durable) ► parse ► publish (durable)
 *   ► answer all
 *
 * The process may die between any two steps: before the journal the old credentials
 * stand; from the journal on the new ones are recovered at the next start. */
#ifndef AUTH_REFRESH_H
#define AUTH_REFRESH_H

#include "auth/auth.h"

struct refresher;

struct refresher *refresher_new(const struct auth *auth);
/* Waits for refreshes in flight. Those begun later are refused once the pool for token
 * requests is stopped. */
void refresher_settle(struct refresher *refresher);
/* Settles. No other thread may use the refresher any more. */
void refresher_free(struct refresher *refresher);
/* At start: publishes the answers that a dead process left in the journal. One that
 * cannot be published now (say, its provider has left the catalogue) is logged and stays;
 * false only when the journal cannot be read. */
bool refresher_recover(struct refresher *refresher, struct err *err);

enum refresh_need {
    REFRESH_FRESH,     /* use the row as it is */
    REFRESH_WANTED,    /* refresher_run() first */
    REFRESH_BACKOFF,   /* failed within the last 30 s: 424 `connection_refresh_backoff` */
    REFRESH_EXHAUSTED, /* 424 `connection_refresh_exhausted` */
};
/* Cheap, no I/O. `provider` may be NULL. Forced calls are never held back. */
enum refresh_need refresh_needed(const struct refresher *refresher,
    const struct connection_row *row, const struct provider *provider, bool forced);
/* Fills *err for BACKOFF and EXHAUSTED. */
void refresh_refusal(enum refresh_need need, struct err *err);

struct refresh_result {
    bool ok;
    struct connection_row
        *row;       /* the row now in force; borrowed for the callback; may be NULL */
    struct err err; /* when not ok: status and inner code (auth.md section 8.5) */
};
/* Any thread. Starts the refresh of that row's connection on the outbound pool, or joins
 * the one in flight of the same kind (forced or not). `done` is called once, on an
 * outbound thread, after the new credentials are durable; it must not block for long. The
 * row is borrowed for the call. */
void refresher_run(struct refresher *refresher, struct connection_row *row, bool forced,
    void (*done)(void *arg, const struct refresh_result *result), void *arg);

/* Figures for /metrics. */
struct refresh_stats {
    uint64_t requests; /* token calls made */
    uint64_t failures;
    uint64_t joined; /* callers who waited for another's refresh */
};
void refresher_stats(const struct refresher *refresher, struct refresh_stats *out);

#endif
