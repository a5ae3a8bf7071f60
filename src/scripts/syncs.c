/* SPDX-License-Identifier: Apache-2.0 */
#include "scripts/syncs.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/cond.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "scripts/active.h"
#include "scripts/calls.h"
#include "scripts/checkpoints.h"
#include "scripts/saves.h"
#include "scripts/say.h"
#include "scripts/sync_context.h"
#include "scripts/sync_tell.h"

#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)

enum {
    LEASE_MS = 60000,
    LOOK_MS =
        500, /* at least so often while something is due or runs: clocks may be set */
    CLAIM_MAX = 64,
    RENEW_MS = 2000, /* what was cancelled elsewhere is seen so late at most */
    GATHER_MS =
        5, /* so long ends are waited for, so that one claim takes the place of many */
    GATHER_ROOM = 8,
};

/* One that runs. */
struct going {
    struct going *next, **back;
    struct sync_runs *syncs;
    struct sync_run run; /* its `sync` is owned */
    struct script_row *script;
    struct saves saves;
    struct oplog_op operation;
    char *props;
    char *checkpoint_key;
    char *checkpoint_from; /* as it was when the run began; NULL = none */
    char *url_override;    /* of the connection; NULL = none */
    struct action_hooks hooks;
    atomic_bool cancelled;
};

struct sync_runs {
    struct sync_runs_config config;
    char holder[UUID_TEXT_SIZE];
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct going *going;
    size_t going_count;
    bool changed;
    bool commanded;     /* something was changed that may cancel what runs */
    int64_t renewed_ms; /* monotonic; the thread's own */
    bool stopping;
    pthread_t thread;
    bool has_thread;
};

static void wake(struct sync_runs *syncs, bool commanded)
{
    pthread_mutex_lock(&syncs->lock);
    syncs->changed = true;
    syncs->commanded = syncs->commanded || commanded;
    pthread_cond_signal(&syncs->wake);
    pthread_mutex_unlock(&syncs->lock);
}

void sync_runs_wake(struct sync_runs *syncs)
{
    if (syncs != NULL)
        wake(syncs, true);
}

static bool is_stopping(struct sync_runs *syncs)
{
    bool stopping;

    pthread_mutex_lock(&syncs->lock);
    stopping = syncs->stopping;
    pthread_mutex_unlock(&syncs->lock);
    return stopping;
}

static void report(struct sync_runs *syncs, const char *what, const struct err *err)
{
    log_event(
        syncs->config.log, LOG_ERROR, what, LOG_STR("reason", err->message), LOG_END);
}

/* ---- the one that runs ---- */

static void link_going(struct going *going)
{
    struct sync_runs *syncs = going->syncs;

    pthread_mutex_lock(&syncs->lock);
    going->next = syncs->going;
    going->back = &syncs->going;
    if (going->next != NULL)
        going->next->back = &going->next;
    syncs->going = going;
    syncs->going_count++;
    if (syncs->stopping)
        atomic_store(&going->cancelled, true);
    pthread_mutex_unlock(&syncs->lock);
}

static void going_free(struct going *going)
{
    struct sync_runs *syncs = going->syncs;

    pthread_mutex_lock(&syncs->lock);
    *going->back = going->next;
    if (going->next != NULL)
        going->next->back = going->back;
    syncs->going_count--;
    pthread_mutex_unlock(&syncs->lock);
    saves_finish(&going->saves);
    script_row_free(going->script);
    sync_row_free(going->run.sync);
    free(going->props);
    free(going->checkpoint_key);
    free(going->checkpoint_from);
    free(going->url_override);
    free(going);
}

/* The name of its checkpoint. */
static char *checkpoint_of(const struct sync_row *sync)
{
    return script_checkpoint_key("sync", sync->name, sync->variant);
}

/* ---- its end ---- */

static int64_t retry_at(const struct going *going, const struct script_outcome *outcome)
{
    const struct sync_runs *syncs = going->syncs;
    int64_t now = clock_now_ms(syncs->config.clock);

    if (outcome->ok)
        return 0;
    if (is_stopping(going->syncs)) /* the next server begins it again */
        return now;
    if (atomic_load(&going->cancelled) || going->run.attempts > syncs->config.max_retries)
        return 0;
    return now + (syncs->config.retry_ms << (going->run.attempts - 1));
}

/* One that is tried again, or that somebody ended, is not over for the customer. */
static bool tell_end(struct going *going, const struct script_outcome *outcome,
    const struct sync_end *end, struct webhook_outbox *outbox, struct err *err)
{
    const struct sync_runs *syncs = going->syncs;

    if (end->retry_at_ms > 0 || going->script == NULL || atomic_load(&going->cancelled))
        return true;
    return sync_tell_end(
        &(struct sync_end_told){
            .store = syncs->config.store,
            .webhooks = syncs->config.webhooks,
            .run = &going->run,
            .url_override = going->url_override,
            .script = going->script,
            .saves = &going->saves,
            .checkpoint_key = going->checkpoint_key,
            .checkpoint_from = going->checkpoint_from,
            .outcome = end->succeeded ? NULL : outcome,
            .now_ms = end->now_ms,
        },
        outbox, err);
}

static void write_end(
    struct going *going, const struct script_outcome *outcome, bool succeeded)
{
    struct sync_runs *syncs = going->syncs;
    struct webhook_outbox outbox = {0};
    struct sync_end end = {
        .run_id = going->run.id,
        .holder = syncs->holder,
        .succeeded = succeeded,
        .now_ms = clock_now_ms(syncs->config.clock),
        .retry_at_ms = succeeded ? 0 : retry_at(going, outcome),
    };
    struct err err = {0};
    struct buf result;
    bool kept = false;

    buf_init(&result, 0);
    if (succeeded)
        saves_append_result(&going->saves, &result);
    end.result_json = succeeded ? result.data : NULL;
    if (!tell_end(going, outcome, &end, &outbox, &err))
        report(syncs, "the webhook of a sync is not written", &err);
    end.webhooks = &outbox.puts;
    if (!store_end_sync_run(syncs->config.store, &end, &kept, &err))
        report(syncs, "the end of a sync is not written", &err);
    else if (!kept)
        log_event(syncs->config.log, LOG_WARN, "a sync was taken over or removed",
            LOG_STR("sync", going->run.sync->uuid), LOG_END);
    else if (succeeded && going->saves.last_sync_ms > 0 &&
             !store_set_last_sync(syncs->config.store, going->run.sync->id,
                 going->saves.last_sync_ms, &err))
        report(syncs, "the date of a sync is not written", &err);
    webhooks_wake(syncs->config.webhooks);
    webhook_outbox_finish(&outbox);
    buf_finish(&result);
}

static void on_done(void *arg, const struct script_outcome *outcome)
{
    struct going *going = arg;
    struct sync_runs *syncs = going->syncs;
    bool succeeded = outcome->ok && !atomic_load(&going->cancelled);
    struct err err = {0};

    if (succeeded && going->script->spec.track_deletes &&
        !saves_delete_unseen(&going->saves, &err)) {
        report(syncs, "deletes of a sync are not written", &err);
        succeeded = false;
    }
    write_end(going, outcome, succeeded);
    going_free(going);
    wake(syncs, false);
}

/* One that cannot be run at all. */
static void fail(struct going *going, const char *message)
{
    const struct oplog_error error = {.type = "sync_script_failure", .message = message};
    struct script_outcome outcome = {
        .type = str_dup(error.type), .message = str_dup(message)};

    oplog_say_error(&going->operation, &error, message);
    oplog_end(&going->operation, OPLOG_FAILED, &error);
    on_done(going, &outcome);
    script_outcome_finish(&outcome);
}

/* ---- its beginning ---- */

static bool on_call(void *arg, const struct script_caller *caller, const char *method,
    struct json_raw args, struct buf *out, bool *handled)
{
    struct going *going = arg;

    (void)caller;
    if (!saves_known(method))
        return false;
    *handled = true;
    if (!atomic_load(&going->cancelled))
        return saves_call(&going->saves, method, args, out);
    script_call_refuse(out, "Error", "The execution was cancelled");
    return false;
}

static bool forget_checkpoint(
    struct sync_runs *syncs, const struct sync_row *sync, struct err *err)
{
    struct checkpoint checkpoint = {0};
    char *key = checkpoint_of(sync);
    bool ok = store_find_checkpoint(
        syncs->config.store, sync->connection_row, key, &checkpoint, err);

    if (ok && checkpoint.value_json != NULL)
        ok = store_put_checkpoint(syncs->config.store, sync->connection_row, key, NULL,
            &checkpoint.version, err);
    free(checkpoint.value_json);
    free(key);
    return ok;
}

/* What a reset takes away; and what there is then. */
static bool prepare(struct going *going, struct err *err)
{
    struct checkpoint checkpoint = {0};

    if ((going->run.reset && !forget_checkpoint(going->syncs, going->run.sync, err)) ||
        (going->run.clear && !saves_clear(&going->saves, err)))
        return false;
    if (!webhooks_wanted(going->syncs->config.webhooks, going->run.sync->environment_id,
            going->url_override))
        return true;
    if (!store_find_checkpoint(going->syncs->config.store,
            going->run.sync->connection_row, going->checkpoint_key, &checkpoint, err))
        return false;
    going->checkpoint_from = checkpoint.value_json;
    return true;
}

static void begin_operation(struct going *going, const struct connection_row *connection)
{
    struct oplog_subject subject;
    char *meta = str_printf("{\"syncId\":\"%s\",\"variant\":\"%s\",\"run\":%lld}",
        going->run.sync->uuid, going->run.sync->variant, (long long)going->run.number);

    script_subject(going->script, connection, &subject);
    subject.meta = meta;
    going->operation = oplog_begin(going->syncs->config.oplog, &subject, OPLOG_WAITING);
    free(meta);
}

static void begin(struct sync_runs *syncs, const struct sync_run *run)
{
    struct going *going = MEM_NEW(struct going);
    struct connection_row *connection = NULL;
    struct err err = {0};
    const struct records_place place = sync_place(run->sync);

    going->syncs = syncs;
    going->run = *run;
    going->checkpoint_key = checkpoint_of(run->sync);
    atomic_init(&going->cancelled, false);
    saves_init(&going->saves, syncs->config.records, &place, run->sync->models_json,
        syncs->config.max_record, syncs->config.log);
    link_going(going);
    going->script = script_find_active(syncs->config.store, run->sync->script_id, &err);
    if (going->script != NULL && !store_reload_connection(syncs->config.store,
                                     run->sync->connection_row, &connection, &err)) {
        fail(going, err.message);
    } else if (going->script == NULL || connection == NULL) {
        fail(going, going->script == NULL ? err.message : "The connection was deleted");
    } else {
        begin_operation(going, connection);
        going->url_override = str_dup(connection->webhook_url_override);
        going->props = sync_props(run->sync, going->script, run->number);
        going->hooks = (struct action_hooks){
            .props = going->props,
            .variant = run->sync->variant,
            .wall_ms = syncs->config.wall_ms,
            .cancelled = &going->cancelled,
            .call = on_call,
            .arg = going,
        };
        if (prepare(going, &err))
            actions_run(syncs->config.actions, &(struct action_order){
                                                   .script = going->script,
                                                   .connection = connection,
                                                   .start_ms = DAY_MS,
                                                   .background = true,
                                                   .hooks = &going->hooks,
                                                   .operation = &going->operation,
                                                   .attempt = run->attempts,
                                                   .done = on_done,
                                                   .arg = going,
                                               });
        else
            fail(going, err.message);
    }
    connection_row_unref(connection);
}

/* ---- the thread ---- */

static size_t room(struct sync_runs *syncs)
{
    size_t free_places;

    pthread_mutex_lock(&syncs->lock);
    free_places = syncs->config.at_once > syncs->going_count
                      ? syncs->config.at_once - syncs->going_count
                      : 0;
    pthread_mutex_unlock(&syncs->lock);
    return free_places < CLAIM_MAX ? free_places : CLAIM_MAX;
}

static bool is_among(int64_t id, const int64_t *ids, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (ids[i] == id)
            return true;
    return false;
}

/* Those that were cancelled, taken over, or lost their sync. */
static void cancel_others(struct sync_runs *syncs, const int64_t *kept, size_t count)
{
    pthread_mutex_lock(&syncs->lock);
    for (struct going *going = syncs->going; going != NULL; going = going->next)
        if (!is_among(going->run.id, kept, count))
            atomic_store(&going->cancelled, true);
    pthread_mutex_unlock(&syncs->lock);
}

static bool renew(struct sync_runs *syncs, struct err *err)
{
    int64_t *kept = NULL, now = clock_mono_ms();
    size_t count = 0;
    bool ok, any;

    pthread_mutex_lock(&syncs->lock);
    any =
        syncs->going != NULL && (syncs->commanded || now - syncs->renewed_ms >= RENEW_MS);
    syncs->commanded = false;
    pthread_mutex_unlock(&syncs->lock);
    if (!any)
        return true;
    syncs->renewed_ms = now;
    ok = store_renew_sync_runs(syncs->config.store, syncs->holder,
        clock_now_ms(syncs->config.clock) + LEASE_MS, &kept, &count, err);
    if (ok)
        cancel_others(syncs, kept, count);
    free(kept);
    return ok;
}

/* Begins what is due. How long to sleep, or -1 = until something changes. */
static int64_t begin_due(struct sync_runs *syncs)
{
    struct sync_run *runs = NULL;
    size_t count = 0, max;
    int64_t next = 0, now;
    struct err err = {0};

    do {
        now = clock_now_ms(syncs->config.clock);
        max = room(syncs);
        if (!renew(syncs, &err) ||
            (max > 0 && !store_claim_sync_runs(syncs->config.store,
                            &(struct sync_claim){.holder = syncs->holder,
                                .now_ms = now,
                                .lease_until_ms = now + LEASE_MS,
                                .max = max},
                            &runs, &count, &next, &err))) {
            report(syncs, "syncs cannot be read", &err);
            return LOOK_MS;
        }
        for (size_t i = 0; max > 0 && i < count; i++)
            begin(syncs, &runs[i]);
        if (max > 0)
            free(runs);
    } while (max > 0 && count == max && !is_stopping(syncs));
    return max == 0 || next > 0 ? LOOK_MS : -1;
}

/* While nearly all places are taken, each end would claim one place by a write of its own. */
static void gather(struct sync_runs *syncs)
{
    int64_t until_us = clock_mono_us() + (int64_t)GATHER_MS * 1000;

    while (syncs->changed && !syncs->commanded && !syncs->stopping &&
           syncs->going_count > 0 &&
           syncs->config.at_once < syncs->going_count + GATHER_ROOM &&
           clock_mono_us() < until_us)
        (void)cond_wait_until(&syncs->wake, &syncs->lock, until_us);
}

static void *run_all(void *arg)
{
    struct sync_runs *syncs = arg;

    pthread_mutex_lock(&syncs->lock);
    while (!syncs->stopping) {
        int64_t wait_ms;

        gather(syncs);
        syncs->changed = false;
        pthread_mutex_unlock(&syncs->lock);
        wait_ms = begin_due(syncs);
        pthread_mutex_lock(&syncs->lock);
        if (syncs->changed || syncs->stopping)
            continue;
        if (wait_ms < 0)
            pthread_cond_wait(&syncs->wake, &syncs->lock);
        else
            (void)cond_wait_ms(&syncs->wake, &syncs->lock, wait_ms);
    }
    pthread_mutex_unlock(&syncs->lock);
    return NULL;
}

/* ---- life ---- */

bool sync_runs_start(
    const struct sync_runs_config *config, struct sync_runs **out, struct err *err)
{
    struct sync_runs *syncs;

    *out = NULL;
    if (!store_free_sync_runs(config->store, err))
        return false;
    syncs = MEM_NEW(struct sync_runs);
    syncs->config = *config;
    crypto_uuid_v4(syncs->holder);
    pthread_mutex_init(&syncs->lock, NULL);
    cond_init(&syncs->wake);
    if (config->actions != NULL)
        syncs->has_thread = pthread_create(&syncs->thread, NULL, run_all, syncs) == 0;
    if (config->actions != NULL && !syncs->has_thread) {
        sync_runs_free(syncs);
        return err_internal(err, "no thread for syncs");
    }
    *out = syncs;
    return true;
}

void sync_runs_stop(struct sync_runs *syncs)
{
    if (syncs == NULL)
        return;
    pthread_mutex_lock(&syncs->lock);
    syncs->stopping = true;
    for (struct going *going = syncs->going; going != NULL; going = going->next)
        atomic_store(&going->cancelled, true);
    pthread_cond_signal(&syncs->wake);
    pthread_mutex_unlock(&syncs->lock);
    if (syncs->has_thread)
        pthread_join(syncs->thread, NULL);
    syncs->has_thread = false;
}

void sync_runs_free(struct sync_runs *syncs)
{
    if (syncs == NULL)
        return;
    sync_runs_stop(syncs);
    pthread_cond_destroy(&syncs->wake);
    pthread_mutex_destroy(&syncs->lock);
    free(syncs);
}

/* ---- records that are of no sync ---- */

/* The syncs of the connection that was asked for last. */
struct sweeping {
    struct sync_runs *syncs;
    int64_t connection_id;
    struct sync_row **rows;
    size_t count;
    struct err err;
    bool failed;
};

static bool list_syncs_of(struct sweeping *work, const struct records_place *place)
{
    const struct sync_filter filter = {
        .environment_id = place->environment_id, .connection_row = place->connection_id};

    if (work->connection_id == place->connection_id)
        return true;
    store_syncs_free(work->rows, work->count);
    work->rows = NULL;
    work->count = 0;
    work->connection_id = 0;
    if (!store_list_syncs(
            work->syncs->config.store, &filter, &work->rows, &work->count, &work->err))
        return false;
    work->connection_id = place->connection_id;
    return true;
}

static bool has_model(const struct sync_row *sync, const char *model)
{
    cJSON *names = json_parse(sync->models_json, strlen(sync->models_json), NULL);
    const cJSON *name;
    bool found = false;

    cJSON_ArrayForEach(name, names)
    {
        found = found || str_eq(cJSON_GetStringValue(name), model);
    }
    cJSON_Delete(names);
    return found;
}

static bool is_of_a_sync(void *arg, const struct records_place *place)
{
    struct sweeping *work = arg;
    const char *variant = place->variant != NULL ? place->variant : SYNC_BASE;

    /* What cannot be told stays. */
    work->failed = work->failed || !list_syncs_of(work, place);
    for (size_t i = 0; !work->failed && i < work->count; i++)
        if (work->rows[i]->connection_made_ms == place->made_ms &&
            strcmp(work->rows[i]->variant, variant) == 0 &&
            has_model(work->rows[i], place->model))
            return true;
    return work->failed;
}

bool sync_runs_sweep(struct sync_runs *syncs, struct err *err)
{
    struct sweeping work = {.syncs = syncs};
    bool ok = records_sweep(syncs->config.records, is_of_a_sync, &work, err);

    store_syncs_free(work.rows, work.count);
    if (ok && work.failed)
        *err = work.err;
    return ok && !work.failed;
}

/* ---- commands ---- */

bool sync_runs_trigger(struct sync_runs *syncs, const int64_t *ids, size_t count,
    enum sync_trigger how, struct err *err)
{
    bool ok = store_trigger_syncs(
        syncs->config.store, ids, count, how, clock_now_ms(syncs->config.clock), err);

    sync_runs_wake(syncs);
    return ok;
}

bool sync_runs_pause(struct sync_runs *syncs, const int64_t *ids, size_t count,
    bool paused, struct err *err)
{
    bool ok = store_pause_syncs(
        syncs->config.store, ids, count, paused, clock_now_ms(syncs->config.clock), err);

    sync_runs_wake(syncs);
    return ok;
}

bool sync_runs_set_frequency(struct sync_runs *syncs, int64_t id, const char *frequency,
    char **shown, struct err *err)
{
    bool ok = store_set_sync_frequency(syncs->config.store, id, frequency,
        clock_now_ms(syncs->config.clock), shown, err);

    sync_runs_wake(syncs);
    return ok;
}

bool sync_runs_create_variant(struct sync_runs *syncs, const struct sync_variant *variant,
    char uuid[UUID_TEXT_SIZE], struct err *err)
{
    bool ok = store_create_sync_variant(
        syncs->config.store, variant, clock_now_ms(syncs->config.clock), uuid, err);

    sync_runs_wake(syncs);
    return ok;
}

bool sync_runs_delete(
    struct sync_runs *syncs, const struct sync_row *sync, bool *found, struct err *err)
{
    const struct records_place place = sync_place(sync);
    struct saves saves;
    bool ok;

    if (!store_delete_sync(syncs->config.store, sync->id, found, err))
        return false;
    saves_init(
        &saves, syncs->config.records, &place, sync->models_json, 0, syncs->config.log);
    ok = saves_clear(&saves, err) && forget_checkpoint(syncs, sync, err);
    saves_finish(&saves);
    return ok;
}
