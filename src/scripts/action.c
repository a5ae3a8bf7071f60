/* SPDX-License-Identifier: Apache-2.0 */
/* Running scripts: see action.h. An order is a job that two may end: the thread that runs it, and
 * the clerk, who fails what did not begin in time. Whoever takes it from WAITING calls
 * done(); the last to let go of it frees it. */
#include "scripts/action.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/cond.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/str.h"
#include "scripts/calls.h"
#include "scripts/checkpoints.h"
#include "scripts/deploy.h"
#include "scripts/models.h"
#include "scripts/say.h"
#include "store/syncs.h"

enum {
    CLERK_MS = 250,  /* how often it looks, while there is something to look at */
    CLERK_LOOKS = 4, /* at nothing, before it rests */
    CALL_THREADS_PER_RUNNER = 4,
    TURNS_PER_PROCESSOR = 1,
    MAX_LOCK_KEY = 255,
};

enum job_state {
    JOB_WAITING,
    JOB_TAKEN,
};

struct job {
    struct job *next, **back; /* in actions->waiting */
    struct actions *actions;
    atomic_int state;
    atomic_int refs;
    int64_t due_ms; /* monotonic */
    struct script_scope scope;
    enum script_kind kind;
    int64_t version_id;
    uint64_t share;
    uint8_t sha256[SHA256_LEN];
    char *file;
    char *props;
    char *input;
    char *connection_id, *provider_config_key;
    bool zero;
    struct script_models models;      /* that input and output are compared with */
    const struct action_trial *trial; /* NULL, as the next may be */
    const struct action_hooks *hooks;
    void (*done)(void *arg, const struct script_outcome *outcome);
    void *arg;
    /* while it runs */
    struct script_caller caller;
    struct script_checkpoint checkpoint;
    atomic_bool ended;
    char key[UUID_TEXT_SIZE];
    uint64_t owner; /* of its locks */
    struct script_say say;
    int attempt;
};

struct actions {
    struct actions_config config;
    struct runners *runners;
    struct turns *processors;
    struct pool *turns; /* a thread for each script that runs */
    struct pool *calls; /* for what they ask of the outside */
    pthread_mutex_t lock;
    pthread_cond_t wake; /* the clerk's, while it rests */
    bool clerk_rests;
    struct job *waiting;
    size_t waiting_count;
    bool stopping;
    atomic_bool cancelled; /* every run looks at it */
    atomic_uint_fast64_t owners;
    pthread_t clerk;
    bool has_clerk;
};

/* ---- jobs ---- */

static void job_unref(struct job *job)
{
    if (atomic_fetch_sub(&job->refs, 1) > 1)
        return;
    free(job->file);
    free(job->props);
    mem_free_text(job->input);
    free(job->connection_id);
    free(job->provider_config_key);
    script_models_finish(&job->models);
    script_checkpoint_finish(&job->checkpoint);
    script_say_finish(&job->say);
    free(job);
}

/* True for the one who is to end it. */
static bool job_take(struct job *job)
{
    struct actions *actions = job->actions;
    int waiting = JOB_WAITING;

    if (!atomic_compare_exchange_strong(&job->state, &waiting, JOB_TAKEN))
        return false;
    pthread_mutex_lock(&actions->lock);
    *job->back = job->next;
    if (job->next != NULL)
        job->next->back = job->back;
    actions->waiting_count--;
    pthread_mutex_unlock(&actions->lock);
    return true;
}

/* Finishes `outcome`. */
static void job_end(struct job *job, struct script_outcome *outcome)
{
    script_say_ended(&job->say, outcome);
    job->done(job->arg, outcome);
    script_outcome_finish(outcome);
}

static void job_fail(struct job *job, const char *type, const char *message)
{
    struct script_outcome outcome = {.type = str_dup(type), .message = str_dup(message)};

    job_end(job, &outcome);
}

/* ---- running ---- */

static void on_log(
    void *arg, const char *level, const char *message, struct json_raw meta)
{
    struct job *job = arg;

    if (job->hooks != NULL && job->hooks->log != NULL)
        job->hooks->log(job->hooks->arg, level, message, meta);
    else
        script_say_log(&job->say, level, message, meta);
}

static bool is_webhook(const struct action_hooks *hooks)
{
    return hooks != NULL && hooks->webhook;
}

static const char *kind_name(enum script_kind kind, const struct action_hooks *hooks)
{
    return is_webhook(hooks) ? "webhook" : script_kind_name(kind);
}

/* What only executions of a sync have (contract runner-sdk.md section 2). */
static bool is_of_syncs(const char *method)
{
    static const char *const names[] = {"batchSave", "batchSend", "batchDelete",
        "batchUpdate", "getRecordsByIds", "listRecords", "setMergingStrategy",
        "trackDeletesStart", "trackDeletesEnd", "deleteRecordsFromPreviousExecutions",
        "setLastSyncDate"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], method) == 0)
            return true;
    return false;
}

static bool is_of_locks(const char *method)
{
    return strcmp(method, "tryAcquireLock") == 0 || strcmp(method, "releaseLock") == 0 ||
           strcmp(method, "releaseAllLocks") == 0;
}

/* A runner may say anything: what it has to keep to is looked at here as well. */
static bool on_lock_call(
    struct job *job, const char *method, struct json_raw args, struct buf *out)
{
    struct script_locks *locks = job->actions->config.locks;
    struct json_raw first = json_raw_at(args, 0);
    double ttl_ms = 0;
    char *key;
    bool done;

    if (strcmp(method, "releaseAllLocks") == 0) {
        script_unlock_all(locks, job->owner);
        buf_puts(out, "true");
        return true;
    }
    key = json_raw_dup_string(json_raw_get(first, "key"));
    if (key == NULL || *key == '\0' || str_utf16_len(key) > MAX_LOCK_KEY) {
        script_call_refuse(
            out, "Error", "Invalid lock key (must be 1..%d characters)", MAX_LOCK_KEY);
        free(key);
        return false;
    }
    if (strcmp(method, "releaseLock") == 0) {
        done = script_unlock(locks, job->scope.environment_id, key, job->owner);
    } else if (json_raw_number(json_raw_get(first, "ttlMs"), &ttl_ms) && ttl_ms > 0) {
        done = script_lock(locks, job->scope.environment_id, key, job->owner,
            ttl_ms < 1e15 ? (int64_t)(ttl_ms + 0.5) : (int64_t)1e15);
    } else {
        script_call_refuse(out, "Error", "Invalid lock TTL (must be greater than 0)");
        free(key);
        return false;
    }
    buf_puts(out, done ? "true" : "false");
    free(key);
    return true;
}

static bool on_call(void *arg, const char *method, struct json_raw args, struct buf *out)
{
    struct job *job = arg;
    bool handled = false, ok = false;

    if (job->hooks != NULL)
        ok = job->hooks->call(job->hooks->arg, &job->caller, method, args, out, &handled);
    if (handled)
        return ok;
    if (script_call_known(method))
        return script_call(&job->caller, method, args, out);
    if (is_of_locks(method))
        return on_lock_call(job, method, args, out);
    if (script_checkpoint_known(method))
        return script_checkpoint_call(&job->checkpoint, method, args, out);
    if (is_of_syncs(method))
        script_call_refuse(
            out, "Error", "nango.%.60s() is for syncs: only they have records", method);
    else
        script_call_refuse(out, "Error", "nango.%.60s() is not possible here", method);
    return false;
}

/* Versions of trials, beside those of the store and of loads.c. */
#define TRIALS (RUNNERS_ASIDE | UINT64_C(1) << 62)

static bool load_code(void *arg, struct blob *out, struct err *err)
{
    struct job *job = arg;

    return store_load_code(job->actions->config.store, job->sha256, out, err);
}

static void run_script(struct job *job)
{
    static const struct script_ops ops = {
        .log = on_log, .call = on_call, .load_code = load_code};
    struct actions *actions = job->actions;
    const struct actions_config *config = &actions->config;
    struct script_outcome outcome;
    struct script_run run = {
        .version = (uint64_t)job->version_id,
        .kind = kind_name(job->kind, job->hooks),
        .form = job->zero ? "zero" : "yaml",
        .code = job->trial != NULL ? job->trial->code : NULL,
        .code_len = job->trial != NULL ? job->trial->code_len : 0,
        .file = job->file,
        .props = job->props,
        .input = job->input,
        .wall_ms =
            job->kind == SCRIPT_ON_EVENT ? config->event_wall_ms : config->action_wall_ms,
        .cpu_ms = config->cpu_ms,
        .memory_mb = config->memory_mb,
        .output_bytes = config->output_bytes,
        .log_bytes = config->log_bytes,
        .turns = actions->processors,
        .ops = &ops,
        .arg = job,
        .cancelled = &actions->cancelled,
        .ended = &job->ended,
    };

    job->owner = 1 + atomic_fetch_add(&actions->owners, 1);
    if (job->trial != NULL) {
        run.version = TRIALS | job->owner;
        run.single = true;
    }
    if (job->hooks != NULL && job->hooks->wall_ms > 0)
        run.wall_ms = job->hooks->wall_ms;
    if (job->hooks != NULL && job->hooks->cancelled != NULL)
        run.cancelled = job->hooks->cancelled;
    script_keys_make(config->keys, &job->scope, job->key);
    job->caller = (struct script_caller){
        .base_url = config->base_url,
        .key = job->key,
        .connection_id = job->connection_id,
        .provider_config_key = job->provider_config_key,
        .say = &job->say,
        .policy = config->policy,
        .ca_file = config->ca_file,
        .timeout_ms = config->call_timeout_ms,
        .max_body = config->call_max_body,
        .ended = &job->ended,
    };
    oplog_move(&job->say.operation, OPLOG_RUNNING);
    script_say_began(&job->say, job->attempt);
    memset(&outcome, 0, sizeof outcome);
    if (script_models_check(&job->models, MODEL_INPUT, job->input, &outcome))
        script_run(actions->runners, actions->calls, &run, &outcome);
    if (outcome.ok &&
        !script_models_check(&job->models, MODEL_OUTPUT, outcome.output, &outcome))
        outcome.ok = false;
    script_keys_end(config->keys, job->key);
    script_unlock_all(config->locks, job->owner); /* also of one that was killed */
    job_end(job, &outcome);
}

static void run_job(void *arg)
{
    struct job *job = arg;

    if (job_take(job)) {
        if (pool_gives_up(job->actions->turns))
            job_fail(job, "script_aborted", "The server is stopping");
        else
            run_script(job);
    }
    job_unref(job);
}

/* ---- the clerk ---- */

/* The first whose time is over, taken; NULL. */
static struct job *take_late(struct actions *actions, int64_t now_ms)
{
    struct job *found = NULL;

    pthread_mutex_lock(&actions->lock);
    for (struct job *job = actions->waiting; job != NULL && found == NULL;
         job = job->next)
        if (job->due_ms <= now_ms && atomic_load(&job->state) == JOB_WAITING) {
            found = job;
            atomic_fetch_add(&job->refs, 1);
        }
    pthread_mutex_unlock(&actions->lock);
    return found;
}

static void *look_after(void *arg)
{
    struct actions *actions = arg;
    int looks = 0;

    pthread_mutex_lock(&actions->lock);
    while (!actions->stopping) {
        struct job *job;

        looks = actions->waiting == NULL ? looks + 1 : 0;
        actions->clerk_rests = looks > CLERK_LOOKS;
        if (actions->clerk_rests)
            pthread_cond_wait(&actions->wake, &actions->lock);
        else
            (void)cond_wait_ms(&actions->wake, &actions->lock, CLERK_MS);
        pthread_mutex_unlock(&actions->lock);
        while ((job = take_late(actions, clock_mono_ms())) != NULL) {
            if (job_take(job))
                job_fail(job, "action_failure",
                    "The script could not begin in time: too many others run");
            job_unref(job);
        }
        pthread_mutex_lock(&actions->lock);
    }
    pthread_mutex_unlock(&actions->lock);
    return NULL;
}

/* ---- life ---- */

bool actions_start(
    const struct actions_config *config, struct actions **out, struct err *err)
{
    struct actions *actions = MEM_NEW(struct actions);
    struct runners_config runners = {
        .program = config->program,
        .max = config->max_runners,
        .spare = config->spare_runners,
        .runs = config->runs_per_runner,
        .log = config->log,
    };

    *out = NULL;
    actions->config = *config;
    pthread_mutex_init(&actions->lock, NULL);
    cond_init(&actions->wake);
    actions->processors = turns_new(TURNS_PER_PROCESSOR * (unsigned)get_nprocs());
    if (!runners_start(&runners, &actions->runners, err)) {
        actions_stop(actions);
        return false;
    }
    actions->turns = pool_new("action", config->max_runners);
    actions->calls =
        pool_new("call", config->max_runners * (size_t)CALL_THREADS_PER_RUNNER);
    actions->has_clerk = pthread_create(&actions->clerk, NULL, look_after, actions) == 0;
    if (!actions->has_clerk) {
        actions_stop(actions);
        return err_internal(err, "no thread for actions that wait");
    }
    *out = actions;
    return true;
}

void actions_cancel(struct actions *actions)
{
    if (actions == NULL)
        return;
    atomic_store(&actions->cancelled, true);
    if (actions->turns != NULL)
        pool_give_up(actions->turns);
}

void actions_stop(struct actions *actions)
{
    if (actions == NULL)
        return;
    pthread_mutex_lock(&actions->lock);
    actions->stopping = true;
    pthread_cond_broadcast(&actions->wake);
    pthread_mutex_unlock(&actions->lock);
    actions_cancel(actions);
    if (actions->has_clerk)
        pthread_join(actions->clerk, NULL);
    if (actions->turns != NULL) {
        pool_stop(actions->turns);
        pool_free(actions->turns);
    }
    if (actions->calls != NULL) {
        pool_stop(actions->calls);
        pool_free(actions->calls);
    }
    runners_stop(actions->runners);
    turns_free(actions->processors);
    pthread_cond_destroy(&actions->wake);
    pthread_mutex_destroy(&actions->lock);
    free(actions);
}

/* ---- orders ---- */

static void put_text(struct buf *out, const char *name, const char *value)
{
    if (value != NULL)
        json_append_text(out, name, value);
}

static void put_number(struct buf *out, const char *name, int64_t value)
{
    json_append_name(out, name);
    buf_number(out, value);
}

/* The provider's way of paging lists. */
static void put_paginate(
    struct buf *out, struct catalog_holder *catalogs, const char *provider_name)
{
    struct catalog *catalog = catalog_acquire(catalogs);
    const struct provider *provider = catalog_find(catalog, provider_name);
    const cJSON *settings =
        provider != NULL ? json_path(provider->entry, "proxy.paginate") : NULL;

    if (settings != NULL) {
        buf_puts(out, ",\"paginate\":");
        json_append(out, settings);
    }
    catalog_unref(catalog);
}

static const char *variant_of(const struct action_order *order)
{
    return order->hooks != NULL && order->hooks->variant != NULL ? order->hooks->variant
                                                                 : SYNC_BASE;
}

/* The properties of the script's `nango` (contract runner-sdk.md section 2). */
static char *make_props(const struct actions_config *config,
    const struct action_order *order, const char *environment_name, int64_t operation)
{
    const struct script_row *script = order->script;
    const struct connection_row *connection = order->connection;
    char id[OPLOG_ID_SIZE];
    struct buf out;

    oplog_id_text(operation, id);
    buf_init(&out, 0);
    buf_putc(&out, '{');
    put_text(&out, "connectionId", connection->connection_id);
    put_text(&out, "providerConfigKey", connection->provider_config_key);
    put_text(&out, "provider", connection->provider);
    put_number(&out, "environmentId", connection->environment_id);
    put_text(&out, "environmentName", environment_name);
    put_text(&out, "activityLogId", id);
    put_number(&out, "nangoConnectionId", connection->id);
    put_text(&out, "scriptType", kind_name(script->kind, order->hooks));
    put_text(&out, "name", script->name);
    put_text(&out, "variant", variant_of(order));
    if (script->spec.attributes_json != NULL)
        buf_printf(&out, ",\"attributes\":%s", script->spec.attributes_json);
    put_paginate(&out, config->catalogs, connection->provider);
    if (order->hooks != NULL)
        buf_puts(&out, order->hooks->props);
    buf_putc(&out, '}');
    return buf_take(&out, NULL);
}

/* Connections have row ids, far below this bit. */
#define SHARE_OF_ENVIRONMENT (UINT64_C(1) << 63)

static uint64_t share_of(const struct action_order *order)
{
    return order->background
               ? SHARE_OF_ENVIRONMENT | (uint64_t)order->connection->environment_id
               : (uint64_t)order->connection->id;
}

static void tell_operation(struct job *job, const struct action_order *order)
{
    const struct auth *auth = job->actions->config.auth;
    struct oplog_subject subject;
    struct oplog_op operation;

    job->attempt = order->attempt;
    if (order->operation != NULL) {
        operation = *order->operation;
    } else {
        script_subject(order->script, order->connection, &subject);
        operation = oplog_begin(
            order->trial == NULL ? auth->oplog : NULL, &subject, OPLOG_WAITING);
    }
    script_say_init(&job->say, &operation, auth, order->connection);
}

static struct job *job_new(struct actions *actions, const struct action_order *order,
    const char *environment_name)
{
    const struct script_row *script = order->script;
    struct connection_row *connection = order->connection;
    struct job *job = MEM_NEW(struct job);

    job->actions = actions;
    atomic_init(&job->state, JOB_WAITING);
    atomic_init(&job->refs, 2); /* the queue's, and the maker's until it is in it */
    job->due_ms = clock_mono_ms() +
                  (order->start_ms > 0 ? order->start_ms : actions->config.start_ms);
    job->scope.environment_id = connection->environment_id;
    job->scope.held_id = connection->held ? connection->id : 0;
    job->scope.background = order->background;
    job->kind = script->kind;
    job->trial = order->trial;
    job->hooks = order->hooks;
    job->version_id = script->version_id;
    job->share = share_of(order);
    memcpy(job->sha256, script->js, SHA256_LEN);
    job->file = str_printf("%s-%s.cjs", script->name, script->provider_config_key);
    tell_operation(job, order);
    job->props =
        make_props(&actions->config, order, environment_name, job->say.operation.id);
    job->input = str_dup(order->input);
    job->connection_id = str_dup(connection->connection_id);
    job->provider_config_key = str_dup(connection->provider_config_key);
    script_checkpoint_init(&job->checkpoint, actions->config.store, actions->config.log,
        connection->id,
        script_checkpoint_key(kind_name(script->kind, order->hooks), script->name,
            script->kind == SCRIPT_SYNC && !is_webhook(order->hooks) ? variant_of(order)
                                                                     : NULL));
    if (actions->config.validate && order->trial == NULL)
        script_models_init(&job->models, script);
    job->zero = script_is_zero(script->spec.sdk_version);
    job->done = order->done;
    job->arg = order->arg;
    return job;
}

static void enqueue(struct actions *actions, struct job *job)
{
    pthread_mutex_lock(&actions->lock);
    job->next = actions->waiting;
    job->back = &actions->waiting;
    if (job->next != NULL)
        job->next->back = &job->next;
    actions->waiting = job;
    actions->waiting_count++;
    if (actions->clerk_rests)
        pthread_cond_signal(&actions->wake);
    actions->clerk_rests = false;
    pthread_mutex_unlock(&actions->lock);
}

void actions_run(struct actions *actions, const struct action_order *order)
{
    struct environment_row *environment = NULL;
    struct job *job;
    struct err err = {0};

    if (!store_find_environment(actions->config.store, order->connection->environment_id,
            &environment, &err) ||
        environment == NULL) {
        struct script_outcome outcome = {.type = str_dup("action_script_failure"),
            .message = str_dup(
                err.message[0] != '\0' ? err.message : "the environment is gone")};

        if (order->operation != NULL)
            oplog_end(order->operation, OPLOG_FAILED,
                &(struct oplog_error){.type = outcome.type, .message = outcome.message});
        order->done(order->arg, &outcome);
        script_outcome_finish(&outcome);
        return;
    }
    job = job_new(actions, order, environment->name);
    environment_row_unref(environment);
    enqueue(actions, job);
    if (!pool_submit_share(actions->turns, job->share, run_job, job)) {
        if (job_take(job))
            job_fail(job, "script_aborted", "The server is stopping");
        job_unref(job);
    }
    job_unref(job);
}

void actions_lend(
    struct actions *actions, struct script_run *run, struct script_outcome *out)
{
    run->turns = actions->processors;
    if (run->cancelled == NULL)
        run->cancelled = &actions->cancelled;
    script_run(actions->runners, actions->calls, run, out);
}

void actions_drop(struct actions *actions, uint64_t version)
{
    runners_drop(actions->runners, version);
}

void actions_count(struct actions *actions, struct action_counts *out)
{
    runners_count(actions->runners, &out->runners);
    pthread_mutex_lock(&actions->lock);
    out->waiting = actions->waiting_count;
    pthread_mutex_unlock(&actions->lock);
}
