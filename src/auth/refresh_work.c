/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of one refresh, in straight line on an outbound thread:
 *
 *   lease ► re-read ► still needed? ► obtain ► journal ► settle (parse, publish)
 *             ▲                                               │
 *             └──── others' credentials came in between ──────┘
 *
 * Waiting for the lease means that another process refreshes the same connection: its
 * result is adopted as soon as it shows. The lease lasts longer than the longest token
 * call, so a holder that lives keeps it; one that died is waited for until its lease
 * ends, or, with a store of one process, not at all: recovery at start voids what a dead
 * process left.
 *
 * Failing: whatever went wrong at the provider, it is counted only if the row still has
 * the credentials that failed, since the usual cause of `invalid_grant` is that somebody
 * else renewed the token meanwhile. Faults of the store or vault are not the connection's
 * failure and are not counted on it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/refresh_int.h"
#include "base/fault.h"
#include "base/mem.h"
#include "base/str.h"

struct work {
    struct refresher *refresher;
    const struct auth *auth;
    int64_t id; /* of the connection's row */
    bool forced;
    char holder[HOLDER_SIZE];
    bool leased;
    bool overtaken;            /* others' credentials came in between: to be looked at */
    credentials_mark seen;     /* the credentials that the callers had */
    struct oplog_op operation; /* of this round */
    struct refresh_result *result;
};

/* Ends the work well with `row`, which is taken over. */
static void work_adopt(struct work *work, struct connection_row *row)
{
    connection_row_unref(work->result->row);
    work->result->row = row;
    work->result->ok = true;
}

static bool is_still_seen(const struct work *work, const struct connection_row *row)
{
    credentials_mark mark;

    credentials_mark_make(row, mark);
    return crypto_equal(mark, sizeof mark, work->seen, sizeof work->seen);
}

static enum refresh_need row_need(
    const struct work *work, const struct connection_row *row, bool forced)
{
    struct catalog *catalog = catalog_acquire(work->auth->catalogs);
    const struct provider *provider = catalog_find(catalog, row->provider);
    enum refresh_need need = refresh_needed(work->refresher, row, provider, forced);

    catalog_unref(catalog);
    return need;
}

/* Reads the row past the cache; NULL, with the error set, when it is gone or unreadable.
 */
static struct connection_row *row_reload(struct work *work)
{
    struct connection_row *row = NULL;

    if (!store_reload_connection(work->auth->store, work->id, &row, &work->result->err))
        return NULL;
    if (row == NULL)
        err_set(&work->result->err, 404, "not_found", "Failed to find connection");
    return row;
}

/* While another process holds the lease: true when the work has ended, one way or the
 * other. */
static bool peer_has_finished(struct work *work)
{
    struct connection_row *row = row_reload(work);

    if (row == NULL)
        return true;
    if (!is_still_seen(work, row) && row_need(work, row, false) == REFRESH_FRESH) {
        work_adopt(work, row);
        return true;
    }
    connection_row_unref(row);
    return false;
}

/* True when the lease is ours. Else the result is set. */
static bool lease_take(struct work *work)
{
    /* Introspection, then the token call. */
    int64_t ttl_ms = 2 * work->auth->token_timeout_ms + REFRESH_LEASE_SLACK_MS;
    int64_t give_up_ms = clock_mono_ms() + REFRESH_WAIT_MS;

    for (;;) {
        bool taken;

        if (!store_take_refresh_lease(work->auth->store, work->id, work->holder, ttl_ms,
                &taken, &work->result->err))
            return false;
        if (taken) {
            work->leased = true;
            return true;
        }
        if (peer_has_finished(work))
            return false;
        if (clock_mono_ms() >= give_up_ms) {
            err_set(&work->result->err, 400, "refresh_token_external_error",
                "another refresh of this connection has not ended in time");
            return false;
        }
        refresher_pause(work->refresher, REFRESH_POLL_MS);
    }
}

/* The row has got credentials that are not of this refresh. They may be as stale as those
 * before, so nothing is adopted unseen: the next round reads the row again. */
static void work_overtaken(struct work *work)
{
    connection_row_unref(work->result->row);
    work->result->row = NULL;
    memset(&work->result->err, 0, sizeof work->result->err);
    work->overtaken = true;
}

/* A failure that is the provider's or the settings': either it is counted, or the row has
 * got other credentials meanwhile. work->result->err says why. */
static void work_failed(struct work *work)
{
    const struct refresh_failure failure = {
        .connection_id = work->id,
        .credentials = work->seen,
        .holder = work->holder,
    };
    struct err why = work->result->err;
    bool counted;

    if (!refresh_note_failure(work->auth, &failure, &work->operation, &why, &counted,
            &work->result->row, &work->result->err))
        return;
    work->leased = false;
    if (counted)
        atomic_fetch_add(&work->refresher->failures, 1);
    else
        work_overtaken(work);
}

static void entry_begin(const struct work *work, const struct connection_row *row,
    struct journal_entry *entry)
{
    memset(entry, 0, sizeof *entry);
    entry->connection_id = work->id;
    str_copy(entry->holder, sizeof entry->holder, work->holder);
    credentials_mark_make(row, entry->replaces);
    buf_init_secret(&entry->answer, 0);
}

/* Journals and settles. From the journal on the answer cannot be lost; should the journal
 * fail, publishing is still tried, being one durable step itself; when both fail, the
 * answer stays in memory. */
static enum settled answer_settle(struct work *work, struct journal_entry *entry)
{
    struct err fault = {0};
    enum settled settled;

    if (!journal_write(work->auth, entry, &fault))
        log_event(work->auth->log, LOG_ERROR, "refresh answer not journaled",
            LOG_INT("connection", work->id), LOG_STR("message", fault.message), LOG_END);
    fault_point("refresh:after_journal");
    settled = journal_settle(work->auth, entry, &work->result->row, &work->result->err);
    if (settled == SETTLED_PUBLISHED || settled == SETTLED_REFUSED)
        work->leased = false;
    if (settled == SETTLED_GONE)
        err_set(&work->result->err, 404, "not_found", "Failed to find connection");
    if (settled == SETTLED_FAULT && entry->id != 0)
        atomic_store(&work->refresher->unsettled, true);
    if ((settled == SETTLED_FAULT || settled == SETTLED_REFUSED) && entry->id == 0)
        held_put(work->refresher, entry);
    return settled;
}

static void answer_keep(struct work *work, struct journal_entry *entry)
{
    fault_point("refresh:after_answer");
    entry->received_at_ms = clock_now_ms(work->auth->clock);
    switch (answer_settle(work, entry)) {
    case SETTLED_PUBLISHED:
        work->result->ok = true;
        if (introspect_applies(work->result->row))
            introspections_note(work->refresher->introspections, work->result->row,
                clock_now_ms(work->auth->clock), work->result->row->expires_at_ms);
        break;
    case SETTLED_SUPERSEDED:
        work_overtaken(work);
        break;
    case SETTLED_REFUSED:
        atomic_fetch_add(&work->refresher->failures, 1);
        break;
    case SETTLED_GONE:
    case SETTLED_FAULT:
        break;
    }
}

/* A token whose life only the provider knows (introspect.h): true when it need not be
 * renewed, and the work has ended. */
static bool token_lives(struct work *work, const struct refresh_subject *subject)
{
    struct connection_row *row = subject->connection.row;
    int64_t now_ms = clock_now_ms(work->auth->clock), until_ms;

    if (work->forced || !introspect_applies(row))
        return false;
    switch (introspect_token(
        work->auth, &subject->integration, &subject->connection, &until_ms)) {
    case INTROSPECTED_LIVE:
        break;
    case INTROSPECTED_DEAD:
        return false;
    case INTROSPECTED_NOT:
        if (row->expires_at_ms != 0 &&
            row->expires_at_ms - now_ms < subject->integration.provider->expiry_margin_ms)
            return false;
        break;
    }
    introspections_note(work->refresher->introspections, row, now_ms, until_ms);
    connection_row_ref(row);
    work_adopt(work, row);
    return true;
}

/* How the round's operation ended. */
static void work_tell_end(struct work *work, const struct refresh_subject *subject)
{
    const cJSON *secrets[] = {
        subject->connection.credentials, subject->integration.settings};

    if (work->result->ok) {
        oplog_end(&work->operation, OPLOG_SUCCESS, NULL);
    } else if (work->overtaken) {
        oplog_say(&work->operation, OPLOG_INFO, NULL,
            "The connection got other credentials meanwhile");
        oplog_end(&work->operation, OPLOG_CANCELLED, NULL);
    } else {
        auth_log_failed(&work->operation, &work->result->err, secrets, 2);
    }
    work->operation = (struct oplog_op){0};
}

/* Asks the provider. Takes over `row`. */
static void work_renew(struct work *work, struct connection_row *row)
{
    struct refresh_subject subject;
    struct journal_entry entry;

    entry_begin(work, row, &entry);
    if (!refresh_subject_open(work->auth, row, &subject, &work->result->err)) {
        journal_entry_finish(&entry);
        return;
    }
    /* What failure is compared with: the credentials that are about to be spent. */
    memcpy(work->seen, entry.replaces, sizeof work->seen);
    if (token_lives(work, &subject))
        goto done;
    work->operation = auth_log_refresh(work->auth, 0, subject.connection.row);
    entry.operation = work->operation;
    fault_point("refresh:before_call");
    atomic_fetch_add(&work->refresher->requests, 1);
    if (subject.mode->obtain(work->auth, &subject.integration, &subject.connection,
            &entry.answer, &work->result->err))
        answer_keep(work, &entry);
    else if (work->result->err.status == 0 || work->result->err.status >= 500)
        atomic_fetch_add(&work->refresher->failures, 1);
    else
        work_failed(work);
    work_tell_end(work, &subject);

done:
    refresh_subject_finish(&subject);
    journal_entry_finish(&entry);
}

/* An answer that an earlier flight could not publish comes first; in a store that is not
 * ours alone, also what a dead peer left. False when there is nothing more to do in this
 * round. */
static bool leftover_settle(struct work *work)
{
    struct journal_entry entry;
    enum settled settled;
    bool kept;

    if (held_take(work->refresher, work->id, &entry)) {
        str_copy(entry.holder, sizeof entry.holder, work->holder);
        settled = answer_settle(work, &entry);
        journal_entry_finish(&entry);
        if (settled == SETTLED_PUBLISHED || settled == SETTLED_SUPERSEDED)
            work_overtaken(work);
        return false;
    }
    if (!atomic_load(&work->refresher->unsettled) &&
        store_reads_are_local(work->auth->store))
        return true;
    return journal_recover(work->auth, work->id, &kept, &work->result->err);
}

/* With the lease. What came from others since the caller asked serves a forced call as
 * well, if it need not be renewed. */
static void work_round(struct work *work)
{
    bool forced = work->forced && !work->overtaken;
    struct connection_row *row;
    enum refresh_need need;

    work->overtaken = false;
    if (!leftover_settle(work))
        return;
    row = row_reload(work);
    if (row == NULL)
        return;
    need = row_need(work, row, forced);
    if (need == REFRESH_WANTED) {
        work_renew(work, row);
        return;
    }
    if (need == REFRESH_FRESH) {
        work_adopt(work, row);
        return;
    }
    refresh_refusal(need, &work->result->err);
    work->result->row = row;
}

void refresh_work(struct refresher *refresher, struct connection_row *seen, bool forced,
    struct refresh_result *result)
{
    struct work work = {
        .refresher = refresher,
        .auth = refresher->auth,
        .id = seen->id,
        .forced = forced,
        .result = result,
    };
    struct err fault = {0};
    int round = 0;

    credentials_mark_make(seen, work.seen);
    snprintf(work.holder, sizeof work.holder, "%s-%llu", refresher->holder_prefix,
        (unsigned long long)atomic_fetch_add(&refresher->holders, 1));
    /* Taken again in each round, the lease is as long as in the first. */
    while (lease_take(&work)) {
        work_round(&work);
        if (!work.overtaken || ++round == REFRESH_ROUNDS)
            break;
    }
    if (round == REFRESH_ROUNDS)
        err_set(&result->err, 400, "refresh_token_external_error",
            "the credentials were replaced each time they were being refreshed");
    /* Publishing and counting a failure release it with their own write. */
    if (work.leased && !store_release_refresh_lease(
                           refresher->auth->store, work.id, work.holder, &fault))
        log_event(refresher->auth->log, LOG_ERROR, "refresh lease not released",
            LOG_INT("connection", work.id), LOG_STR("message", fault.message), LOG_END);
}
