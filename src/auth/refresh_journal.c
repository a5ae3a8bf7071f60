/* SPDX-License-Identifier: Apache-2.0 */
/* The journal: what a token endpoint answered, made durable before anything else is done
 * with it, since the refresh token that was spent for it is often good once only.
 *
 * An entry is a JSON object, sealed in the context "refresh_journal/<row id>":
 *   replaces        hex SHA-256 of the sealed credentials that it renews
 *   holder          the lease under which it was obtained
 *   received_at_ms  lifetimes count from here, not from the recovery
 *   answer          base64 of the raw bytes, which need not be JSON
 *
 * Settling an entry, in the flight that wrote it or at the next start, is one function,
 * so that recovery does what the flight would have done. It drops the answer when the
 * connection is gone or has got other credentials. When the answer cannot be read, it
 * counts a failure, and the entry stays, marked as refused: a later start, of a later
 * version perhaps, tries again, until the connection gets other credentials. When the
 * store or the vault fails, the entry stays for the next start. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/auth_tell.h"
#include "auth/refresh_int.h"
#include "auth/sealed_json.h"
#include "base/fault.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

/* A client that writes metadata without pause can win against the publication many times
 * in a row; this many in a row are a fault. */
#define PUBLISH_TRIES 2000

void credentials_mark_make(const struct connection_row *row, credentials_mark out)
{
    crypto_sha256(row->credentials.data, row->credentials.len, out);
}

void journal_entry_finish(struct journal_entry *entry)
{
    buf_finish(&entry->answer);
}

static void journal_context(char out[CONTEXT_SIZE], int64_t connection_id)
{
    snprintf(out, CONTEXT_SIZE, "refresh_journal/%lld", (long long)connection_id);
}

bool journal_write(const struct auth *auth, struct journal_entry *entry, struct err *err)
{
    cJSON *value = cJSON_CreateObject();
    char context[CONTEXT_SIZE], replaces[2 * SHA256_LEN + 1];
    struct blob sealed = {0};
    struct buf text;
    bool ok = false;

    buf_init_secret(&text, 0);
    str_hex(entry->replaces, SHA256_LEN, replaces);
    str_base64(entry->answer.data, entry->answer.len, &text);
    json_set_str(value, "replaces", replaces);
    json_set_str(value, "holder", entry->holder);
    json_set_i64(value, "received_at_ms", entry->received_at_ms);
    json_set_str(value, "answer", text.data != NULL ? text.data : "");
    journal_context(context, entry->connection_id);
    ok = sealed_json_write(auth, context, value, &sealed, err) &&
         store_put_refresh_journal(auth->store, entry->connection_id, entry->holder,
             sealed.data, sealed.len, &entry->id, err);
    free(sealed.data);
    buf_finish(&text);
    cJSON_Delete(value);
    return ok;
}

/* False when the row is not what journal_write() makes: damaged, or of another key ring.
 */
static bool entry_read(const struct auth *auth, const struct refresh_journal_row *row,
    struct journal_entry *out, struct err *err)
{
    char context[CONTEXT_SIZE];
    cJSON *value = NULL;
    const char *replaces, *answer;
    bool ok;

    memset(out, 0, sizeof *out);
    out->id = row->id;
    out->refused = row->refused;
    out->connection_id = row->connection_id;
    buf_init_secret(&out->answer, 0);
    journal_context(context, row->connection_id);
    if (!sealed_json_open(auth, context, &row->answer, &value, err))
        return false;
    replaces = json_str(value, "replaces");
    answer = json_str(value, "answer");
    str_copy(out->holder, sizeof out->holder,
        json_str(value, "holder") != NULL ? json_str(value, "holder") : "");
    ok = replaces != NULL && str_unhex(replaces, out->replaces, SHA256_LEN) &&
         json_i64(value, "received_at_ms", &out->received_at_ms) && answer != NULL &&
         str_unbase64(answer, strlen(answer), &out->answer);
    if (!ok)
        err_internal(err, "refresh journal entry is damaged");
    cJSON_Delete(value);
    return ok;
}

/* ---- in memory ---- */

struct held_answer {
    struct journal_entry entry;
    struct held_answer *next;
};

void held_put(struct refresher *refresher, struct journal_entry *entry)
{
    struct held_answer *held = MEM_NEW(struct held_answer);

    held->entry = *entry;
    memset(entry, 0, sizeof *entry);
    pthread_mutex_lock(&refresher->lock);
    held->next = refresher->held;
    refresher->held = held;
    pthread_mutex_unlock(&refresher->lock);
}

bool held_take(
    struct refresher *refresher, int64_t connection_id, struct journal_entry *out)
{
    struct held_answer **at = &refresher->held, *held;

    pthread_mutex_lock(&refresher->lock);
    while (*at != NULL && (*at)->entry.connection_id != connection_id)
        at = &(*at)->next;
    held = *at;
    if (held != NULL)
        *at = held->next;
    pthread_mutex_unlock(&refresher->lock);
    if (held != NULL)
        *out = held->entry;
    free(held);
    return held != NULL;
}

void held_free(struct refresher *refresher)
{
    while (refresher->held != NULL) {
        struct held_answer *next = refresher->held->next;

        journal_entry_finish(&refresher->held->entry);
        free(refresher->held);
        refresher->held = next;
    }
}

/* ---- settling ---- */

bool refresh_subject_open(const struct auth *auth, struct connection_row *row,
    struct refresh_subject *out, struct err *err)
{
    memset(out, 0, sizeof *out);
    if (!connection_open(auth, row, &out->connection, err))
        return false;
    out->mode = mode_find(out->connection.row->auth_type);
    if (!integration_load(auth, row->environment_id, row->provider_config_key,
            &out->integration, err)) {
        refresh_subject_finish(out);
        return false;
    }
    if (out->integration.provider != NULL && out->mode != NULL)
        return true;
    err_set(err, 400, "unknown_provider_template",
        "provider \"%.60s\" of the connection is not in the catalogue", row->provider);
    refresh_subject_finish(out);
    return false;
}

void refresh_subject_finish(struct refresh_subject *subject)
{
    integration_finish(&subject->integration);
    connection_finish(&subject->connection);
}

bool refresh_note_failure(const struct auth *auth, const struct refresh_failure *failure,
    const struct oplog_op *operation, const struct err *why, bool *counted,
    struct connection_row **row, struct err *err)
{
    struct refresh_failure noted = *failure;
    struct webhook_outbox outbox = {0};
    int64_t id = operation->id;
    char log_id[OPLOG_ID_SIZE];
    struct oplog_op own;
    uint32_t number;
    bool ok;

    noted.now_ms = clock_now_ms(auth->clock);
    if (id == 0) {
        crypto_random(&number, sizeof number);
        id = oplog_id_of(noted.now_ms, number);
    }
    oplog_id_text(id, log_id);
    noted.log_id = log_id;
    noted.webhooks = &outbox.puts;
    ok = auth_tell_refresh(auth, noted.connection_id, why, &outbox, err) &&
         store_note_refresh_failure(auth->store, &noted, counted, row, err);
    webhook_outbox_finish(&outbox);
    webhooks_wake(auth->webhooks);
    log_event(auth->log, LOG_WARN, "refresh failed",
        LOG_INT("connection", noted.connection_id), LOG_STR("code", why->code),
        LOG_STR("counted", *counted ? "yes" : "no"), LOG_STR("log_id", log_id),
        LOG_END); /* not the message: it quotes the provider */
    if (operation->id == 0 && *row != NULL) {
        own = auth_log_refresh(auth, id, *row);
        auth_log_failed(&own, why, NULL, 0);
    }
    return ok;
}

static bool credentials_publish(const struct auth *auth,
    const struct journal_entry *entry, const struct connection_row *row,
    const cJSON *credentials, struct connection_row **published, struct err *err)
{
    struct credentials_update update = {
        .connection_id = row->id,
        .journal_id = entry->id,
        .version = row->version,
        .holder = entry->holder,
        .has_refresh_token = !str_is_empty(json_str(credentials, "refresh_token")),
        .now_ms = clock_now_ms(auth->clock),
    };
    char context[CONTEXT_SIZE];
    bool ok;

    connection_context(context, row->environment_id, row->integration_id,
        row->connection_id, "credentials");
    ok = credentials_expiry(credentials, update.now_ms, &update.expires_at_ms) ||
         err_internal(err, "renewed credentials have no readable expiry");
    ok = ok && sealed_json_write(auth, context, credentials, &update.credentials, err) &&
         store_publish_credentials(auth->store, &update, published, err);
    free(update.credentials.data);
    return ok;
}

/* No credentials can be made of the answer, *err says why. `now`: the row it was for. */
static enum settled entry_refuse(const struct auth *auth,
    const struct journal_entry *entry, struct connection_row *now,
    struct connection_row **row, struct err *err)
{
    const struct refresh_failure failure = {
        .connection_id = entry->connection_id,
        .journal_id = entry->id,
        .credentials = entry->replaces,
        .holder = entry->holder,
    };
    struct err why = *err;
    bool counted;

    if (entry->refused) {
        connection_row_ref(now);
        *row = now;
        return SETTLED_REFUSED;
    }
    if (!refresh_note_failure(
            auth, &failure, &entry->operation, &why, &counted, row, err))
        return SETTLED_FAULT;
    return counted ? SETTLED_REFUSED : SETTLED_SUPERSEDED;
}

/* One try against the row as it is now. *again: it was written meanwhile. */
static enum settled settle_once(const struct auth *auth,
    const struct journal_entry *entry, struct connection_row **row, bool *again,
    struct err *err)
{
    struct connection_row *now = NULL;
    struct refresh_subject subject;
    credentials_mark mark;
    cJSON *credentials = NULL;
    enum settled settled = SETTLED_FAULT;

    if (!store_reload_connection(auth->store, entry->connection_id, &now, err))
        return SETTLED_FAULT;
    if (now == NULL)
        return SETTLED_GONE;
    credentials_mark_make(now, mark);
    if (!crypto_equal(mark, sizeof mark, entry->replaces, sizeof entry->replaces)) {
        *row = now;
        return SETTLED_SUPERSEDED;
    }
    connection_row_ref(now);
    if (!refresh_subject_open(auth, now, &subject, err)) {
        connection_row_unref(now);
        return SETTLED_FAULT;
    }
    if (!subject.mode->parse(&subject.integration, &subject.connection,
            entry->answer.data, entry->answer.len, entry->received_at_ms, &credentials,
            err)) {
        settled = entry_refuse(auth, entry, now, row, err);
        goto done;
    }
    if (credentials_publish(auth, entry, now, credentials, row, err))
        settled = SETTLED_PUBLISHED;
    else
        *again = str_eq(err->code, "stale_connection");

done:
    cJSON_Delete(credentials);
    refresh_subject_finish(&subject);
    connection_row_unref(now);
    return settled;
}

enum settled journal_settle(const struct auth *auth, const struct journal_entry *entry,
    struct connection_row **row, struct err *err)
{
    enum settled settled = SETTLED_FAULT;
    bool again = true;

    *row = NULL;
    for (int i = 0; i < PUBLISH_TRIES && again; i++) {
        again = false;
        settled = settle_once(auth, entry, row, &again, err);
    }
    if (settled == SETTLED_PUBLISHED)
        fault_point("refresh:after_publish");
    if ((settled == SETTLED_GONE || settled == SETTLED_SUPERSEDED) &&
        !store_delete_refresh_journal(auth->store, entry->id, err)) {
        connection_row_unref(*row);
        *row = NULL;
        return SETTLED_FAULT;
    }
    return settled;
}

static const char *const settled_names[] = {
    [SETTLED_PUBLISHED] = "published",
    [SETTLED_REFUSED] = "refused",
    [SETTLED_SUPERSEDED] = "superseded",
    [SETTLED_GONE] = "connection deleted",
    [SETTLED_FAULT] = "failed",
};

/* False when the entry stays, *err says why. */
static bool row_recover(
    const struct auth *auth, const struct refresh_journal_row *journaled, struct err *err)
{
    struct journal_entry entry;
    struct connection_row *row = NULL;
    enum settled settled;
    struct err why = {0};
    bool ok, counted;

    if (entry_read(auth, journaled, &entry, &why)) {
        settled = journal_settle(auth, &entry, &row, &why);
        ok = settled != SETTLED_FAULT;
        log_event(auth->log, ok ? LOG_INFO : LOG_ERROR, "refresh answer recovered",
            LOG_INT("connection", journaled->connection_id),
            LOG_STR("outcome", settled_names[settled]), LOG_STR("code", why.code),
            LOG_END);
        if (!ok)
            *err = why;
    } else {
        const struct refresh_failure failure = {.connection_id = journaled->connection_id,
            .journal_id = journaled->id,
            .holder = ""};

        ok = journaled->refused ||
             refresh_note_failure(
                 auth, &failure, &entry.operation, &why, &counted, &row, err) ||
             (str_eq(err->code, "not_found") &&
                 store_delete_refresh_journal(auth->store, journaled->id, err));
    }
    journal_entry_finish(&entry);
    connection_row_unref(row);
    return ok;
}

bool journal_recover(
    const struct auth *auth, int64_t connection_id, bool *kept, struct err *err)
{
    struct refresh_journal_row *rows = NULL;
    size_t count = 0;
    bool ok = true;

    *kept = false;
    if (!store_list_refresh_journal(auth->store, connection_id, &rows, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (connection_id != 0 && rows[i].refused)
            continue;
        if (row_recover(auth, &rows[i], err))
            continue;
        *kept = true;
        ok = connection_id == 0;
    }
    store_refresh_journal_free(rows, count);
    return ok;
}
