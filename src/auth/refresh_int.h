/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the refresh: shared by refresh.c (the promise), refresh_flight.c (one in
 * flight), refresh_work.c (the steps of one refresh) and refresh_journal.c (answers made
 * durable). */
#ifndef AUTH_REFRESH_INT_H
#define AUTH_REFRESH_INT_H

#include <pthread.h>
#include <stdatomic.h>

#include "auth/auth_log.h"
#include "auth/connection.h"
#include "auth/integration.h"
#include "auth/introspect.h"
#include "auth/mode.h"
#include "auth/refresh.h"
#include "base/crypto.h"

#define REFRESH_BACKOFF_MS 30000
/* How long to wait for another process that refreshes the same connection, and how often
 * to look (contract auth.md section 8.2). */
#define REFRESH_WAIT_MS 12000
#define REFRESH_POLL_MS 50
/* A lease outlives the longest calls that it covers by this: time to journal and publish.
 */
#define REFRESH_LEASE_SLACK_MS 30000
/* How many times one refresh begins anew because somebody else's credentials came in its
 * way and have to be renewed as well. */
#define REFRESH_ROUNDS 3
#define HOLDER_SIZE 64
#define FLIGHT_BUCKETS 256

struct flight;
struct held_answer;

struct refresher {
    const struct auth *auth;
    char holder_prefix[33]; /* random: names this process among those of one store */
    pthread_mutex_t lock;   /* guards the next four */
    pthread_cond_t changed; /* a flight ended, or a poll interval is to be cut short */
    struct flight *buckets[FLIGHT_BUCKETS];
    size_t flights;
    struct held_answer
        *held; /* answers that nothing would take, at most one a connection */
    atomic_uint_fast64_t holders; /* counts leases asked for */
    atomic_uint_fast64_t requests;
    atomic_uint_fast64_t failures;
    atomic_uint_fast64_t joined;
    /* An answer is journaled but could not be published: looked at before the next
     * refresh, which would else spend a refresh token that is used up. */
    atomic_bool unsettled;
    struct introspections *introspections;
};

/* ---- refresh_work.c ---- */
/* One whole refresh, on an outbound thread. `seen`: the row that the callers had.
 * result->row is the caller's to unref. */
void refresh_work(struct refresher *refresher, struct connection_row *seen, bool forced,
    struct refresh_result *result);
/* Waits `ms` or until a flight of this process ends. */
void refresher_pause(struct refresher *refresher, int64_t ms);

/* ---- refresh_journal.c ---- */
typedef uint8_t credentials_mark[SHA256_LEN];
/* Names the credentials that an answer replaces. A row's version also grows when, say,
 * metadata is set, which must not cost anyone a token; the sealed bytes change only with
 * the credentials, as each sealing takes a fresh nonce. */
void credentials_mark_make(const struct connection_row *row, credentials_mark out);

/* An answer on its way: what the journal holds. */
struct journal_entry {
    int64_t id;            /* of its row in the journal; 0 = not there */
    bool refused;          /* could not be read before, which is counted already */
    int64_t connection_id; /* the row's */
    credentials_mark replaces;
    char holder[HOLDER_SIZE]; /* of the lease */
    int64_t received_at_ms;
    struct oplog_op operation; /* zeroed: of one that ended with another server */
    struct buf answer;         /* secret */
};
void journal_entry_finish(struct journal_entry *entry);
bool journal_write(
    const struct auth *auth, struct journal_entry *entry, struct err *err); /* sets id */

/* An answer that could neither be journaled nor published waits in memory for the next
 * refresh of its connection, which begins with it: asking the provider again would spend
 * a refresh token that is used up. Takes the answer out of `entry`. */
void held_put(struct refresher *refresher, struct journal_entry *entry);
bool held_take(
    struct refresher *refresher, int64_t connection_id, struct journal_entry *out);
void held_free(struct refresher *refresher);

enum settled {
    SETTLED_PUBLISHED,
    /* No credentials can be made of the answer: *err says why; counted on the row. It
     * stays, in case that a later version can. */
    SETTLED_REFUSED,
    SETTLED_SUPERSEDED, /* the connection got other credentials meanwhile */
    SETTLED_GONE,       /* the connection was deleted meanwhile */
    SETTLED_FAULT,      /* the store, the vault: *err; the journal row stays */
};
/* Parses the entry's answer and publishes, or drops it. *row: the row now in force, or
 * NULL. */
enum settled journal_settle(const struct auth *auth, const struct journal_entry *entry,
    struct connection_row **row, struct err *err);
/* store_note_refresh_failure(), logged; fills in the time and the log id: that of
 * `operation`, which the caller ends; when it is zeroed, one of its own is told. */
bool refresh_note_failure(const struct auth *auth, const struct refresh_failure *failure,
    const struct oplog_op *operation, const struct err *why, bool *counted,
    struct connection_row **row, struct err *err);
/* Settles all entries, those included that were refused before; or, of one connection
 * (id > 0), those that nobody has looked at, for which a fault is then an error. With
 * all, an entry that cannot be settled now is logged and stays: *kept. */
bool journal_recover(
    const struct auth *auth, int64_t connection_id, bool *kept, struct err *err);

/* The integration and the connection of a row, opened. Takes over the row. */
struct refresh_subject {
    struct connection connection;
    struct integration integration;
    const struct mode *mode;
};
bool refresh_subject_open(const struct auth *auth, struct connection_row *row,
    struct refresh_subject *out, struct err *err);
void refresh_subject_finish(struct refresh_subject *subject);

#endif
