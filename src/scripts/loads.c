/* SPDX-License-Identifier: Apache-2.0 */
/* One call of loads_check() is a batch, worked off by the thread that asks and by helpers
 * of a pool, each script after the one before it. Those who work on a batch share it until
 * the last lets go of it: a helper may begin when all is done. */
#include "scripts/loads.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/str.h"
#include "catalog/hash.h"

#define MAX_FLOW (INT64_C(4) << 20) /* what a script says of itself */

enum {
    KNOWN_MAX = 50000, /* then all are forgotten */
    ALL_MS = 300000,   /* for the scripts of one deploy together */
    HELPERS = 64,      /* threads that help, whatever they help with */
};

/* What was tried: code as a kind of script, written in one of the two forms. */
struct known {
    uint8_t key[SHA256_LEN];
    UT_hash_handle hh;
};

struct loads {
    struct loads_config config;
    struct turns *turns; /* FIFO, so that a small deploy is not behind a large one */
    struct pool *helpers;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t quiet;
    struct known *known;
    size_t batches_open;
    bool stopping;
    atomic_bool cancelled;
    atomic_uint_fast64_t versions;
};

struct batch {
    struct loads *loads;
    uint64_t version;                    /* that its runners are bound to */
    const struct script_source *sources; /* of the thread that asks, until `left` is 0 */
    size_t count;
    int64_t until_ms;     /* monotonic */
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t done;
    size_t next;
    size_t running;
    size_t bad; /* the first that does not load; `count` = none yet */
    struct deploy_fault fault;
    size_t refs;
};

/* ---- what is known ---- */

static void key_of(const struct script_source *source, uint8_t key[SHA256_LEN])
{
    crypto_sha256(source->js, source->js_len, key);
    key[0] ^= (uint8_t)((unsigned)source->kind << 2 | (unsigned)source->zero << 1 |
                        (unsigned)source->webhooks);
}

static bool is_known(struct loads *loads, const uint8_t key[SHA256_LEN])
{
    struct known *found;

    pthread_mutex_lock(&loads->lock);
    HASH_FIND(hh, loads->known, key, SHA256_LEN, found);
    pthread_mutex_unlock(&loads->lock);
    return found != NULL;
}

static void forget_all(struct loads *loads)
{
    struct known *one, *next;

    HASH_ITER(hh, loads->known, one, next)
    {
        HASH_DEL(loads->known, one);
        free(one);
    }
}

static void remember(struct loads *loads, const uint8_t key[SHA256_LEN])
{
    struct known *found;

    pthread_mutex_lock(&loads->lock);
    HASH_FIND(hh, loads->known, key, SHA256_LEN, found);
    if (found == NULL) {
        if (HASH_COUNT(loads->known) >= KNOWN_MAX)
            forget_all(loads);
        found = MEM_NEW(struct known);
        memcpy(found->key, key, SHA256_LEN);
        HASH_ADD(hh, loads->known, key, SHA256_LEN, found);
    }
    pthread_mutex_unlock(&loads->lock);
}

/* ---- one script ---- */

/* A script that only loads has nobody to ask. */
static bool refuse_call(
    void *arg, const char *method, struct json_raw args, struct buf *out)
{
    (void)arg, (void)method, (void)args;
    buf_puts(out, "{\"message\":\"nango is not there while a script is loaded\"}");
    return false;
}

static void drop_log(
    void *arg, const char *level, const char *message, struct json_raw meta)
{
    (void)arg, (void)level, (void)message, (void)meta;
}

static void read_outcome(const struct script_outcome *outcome, struct deploy_fault *fault)
{
    struct err *err = &fault->err;

    if (str_eq(outcome->type, "action_script_failure")) {
        err_internal(err, "%s", outcome->message);
        return;
    }
    if (str_eq(outcome->type, "script_aborted")) {
        err_set(err, 503, "script_aborted", "the server is stopping: try again later");
        return;
    }
    if (outcome->file != NULL)
        str_copy(fault->file, sizeof fault->file, outcome->file);
    fault->line = outcome->line;
    fault->column = outcome->column;
    if (!str_eq(outcome->type, "script_does_not_load"))
        str_copy(err->message, sizeof err->message, outcome->message);
    else if (outcome->file != NULL && outcome->line > 0)
        err_set(err, 0, "", "%.*s (%.*s:%d)", str_cut(outcome->message, 300),
            outcome->message, str_cut(outcome->file, 120), outcome->file, outcome->line);
    else
        err_set(err, 0, "", "%.*s", str_cut(outcome->message, 400), outcome->message);
}

/* The runners are used from here on. False when the server stops. */
static bool begin(struct loads *loads, struct err *err)
{
    bool ok;

    pthread_mutex_lock(&loads->lock);
    ok = !loads->stopping;
    loads->batches_open += ok;
    pthread_mutex_unlock(&loads->lock);
    return ok ||
           err_set(err, 503, "script_aborted", "the server is stopping: try again later");
}

static void end(struct loads *loads)
{
    pthread_mutex_lock(&loads->lock);
    loads->batches_open--;
    pthread_cond_broadcast(&loads->quiet);
    pthread_mutex_unlock(&loads->lock);
}

/* Names what a runner is bound to; never twice. */
static uint64_t new_version(struct loads *loads)
{
    return RUNNERS_ASIDE | (1 + atomic_fetch_add(&loads->versions, 1));
}

/* By a runner of the version; 0 = by one that runs nothing else. */
static void try_by(struct loads *loads, const struct script_source *source,
    uint64_t version, bool describe, struct script_outcome *outcome)
{
    static const struct script_ops ops = {.log = drop_log, .call = refuse_call};
    struct script_run run = {
        .version = version != 0 ? version : new_version(loads),
        .kind = source->kind == SCRIPT_ANY ? "any" : script_kind_name(source->kind),
        .form = source->zero ? "zero" : "yaml",
        .code = source->js,
        .code_len = source->js_len,
        .props = "{}",
        .load = true,
        .webhooks = source->webhooks,
        .describe_integration = source->integration,
        .describe_name = describe ? source->name : NULL,
        .output_bytes = MAX_FLOW,
        .single = version == 0,
        .wall_ms = 2 * loads->config.cpu_ms,
        .cpu_ms = loads->config.cpu_ms,
        .memory_mb = loads->config.memory_mb,
        .ops = &ops,
        .cancelled = &loads->cancelled,
    };
    char *file = str_printf("%s-%s.cjs", source->name, source->integration);

    run.file = file;
    actions_lend(loads->config.actions, &run, outcome);
    free(file);
}

static bool try_one(const struct batch *batch, const struct script_source *source,
    const uint8_t key[SHA256_LEN], struct deploy_fault *fault)
{
    struct script_outcome outcome;
    bool ok;

    try_by(batch->loads, source, batch->version, false, &outcome);
    if (!outcome.ok && !outcome.fresh) {
        script_outcome_finish(&outcome);
        try_by(batch->loads, source, 0, false, &outcome);
    }
    ok = outcome.ok;
    if (ok)
        remember(batch->loads, key);
    else
        read_outcome(&outcome, fault);
    script_outcome_finish(&outcome);
    return ok;
}

static bool check_one(const struct batch *batch, const struct script_source *source,
    struct deploy_fault *fault)
{
    struct loads *loads = batch->loads;
    uint8_t key[SHA256_LEN];
    bool ok;

    key_of(source, key);
    if (is_known(loads, key))
        return true;
    if (clock_mono_ms() > batch->until_ms) {
        str_copy(fault->err.message, sizeof fault->err.message,
            "all scripts together took longer than five minutes to load");
        return false;
    }
    turns_take(loads->turns);
    /* Known meanwhile, perhaps: the same code of another script. */
    ok = is_known(loads, key) || try_one(batch, source, key, fault);
    turns_give(loads->turns);
    return ok;
}

/* ---- all of them ---- */

static void batch_unref(struct batch *batch) /* under its lock, which it gives up */
{
    bool last = --batch->refs == 0;

    pthread_mutex_unlock(&batch->lock);
    if (!last)
        return;
    pthread_cond_destroy(&batch->done);
    pthread_mutex_destroy(&batch->lock);
    free(batch);
}

/* Takes scripts until there are none left, or one before them does not load. Called, and
 * left, with the lock. */
static void work(struct batch *batch)
{
    while (batch->next < batch->count && batch->next < batch->bad) {
        struct deploy_fault fault = {0};
        size_t at = batch->next++;
        bool ok;

        batch->running++;
        pthread_mutex_unlock(&batch->lock);
        ok = check_one(batch, &batch->sources[at], &fault);
        pthread_mutex_lock(&batch->lock);
        batch->running--;
        if (!ok && at < batch->bad) {
            batch->bad = at;
            batch->fault = fault;
        }
    }
    if (batch->running == 0)
        pthread_cond_broadcast(&batch->done);
}

static void help(void *arg)
{
    struct batch *batch = arg;

    pthread_mutex_lock(&batch->lock);
    work(batch);
    batch_unref(batch);
}

bool loads_check(void *arg, const struct script_source *sources, size_t count,
    size_t *bad, struct deploy_fault *fault)
{
    struct loads *loads = arg;
    struct batch *batch;
    bool ok;

    if (!begin(loads, &fault->err))
        return false;
    batch = MEM_NEW(struct batch);
    batch->loads = loads;
    batch->version = new_version(loads);
    batch->sources = sources;
    batch->count = batch->bad = count;
    batch->until_ms = clock_mono_ms() + ALL_MS;
    batch->refs = 1;
    pthread_mutex_init(&batch->lock, NULL);
    pthread_cond_init(&batch->done, NULL);
    pthread_mutex_lock(&batch->lock);
    for (size_t i = 1; i < loads->config.threads && i < count; i++)
        if (pool_submit(loads->helpers, help, batch))
            batch->refs++;
    work(batch);
    while (batch->running > 0)
        pthread_cond_wait(&batch->done, &batch->lock);
    actions_drop(loads->config.actions, batch->version);
    ok = batch->bad == count;
    if (!ok) {
        *bad = batch->bad;
        *fault = batch->fault;
    }
    batch_unref(batch);
    end(loads);
    return ok;
}

bool loads_describe(struct loads *loads, const struct script_source *source, char **flow,
    struct deploy_fault *fault)
{
    struct script_outcome outcome;
    bool ok;

    *flow = NULL;
    if (!begin(loads, &fault->err))
        return false;
    turns_take(loads->turns);
    try_by(loads, source, 0, true, &outcome);
    turns_give(loads->turns);
    end(loads);
    ok = outcome.ok && outcome.output != NULL;
    if (ok) {
        *flow = outcome.output;
        outcome.output = NULL;
    } else if (outcome.ok) {
        str_copy(fault->err.message, sizeof fault->err.message,
            "the script does not say what it is");
    } else {
        read_outcome(&outcome, fault);
    }
    script_outcome_finish(&outcome);
    return ok;
}

/* ---- life ---- */

struct loads *loads_new(const struct loads_config *config)
{
    struct loads *loads = MEM_NEW(struct loads);

    loads->config = *config;
    loads->turns = turns_new((unsigned)config->threads);
    loads->helpers = pool_new("load", HELPERS);
    pthread_mutex_init(&loads->lock, NULL);
    pthread_cond_init(&loads->quiet, NULL);
    return loads;
}

void loads_stop(struct loads *loads)
{
    if (loads == NULL)
        return;
    pthread_mutex_lock(&loads->lock);
    loads->stopping = true;
    atomic_store(&loads->cancelled, true);
    while (loads->batches_open > 0)
        pthread_cond_wait(&loads->quiet, &loads->lock);
    pthread_mutex_unlock(&loads->lock);
}

void loads_free(struct loads *loads)
{
    if (loads == NULL)
        return;
    pool_stop(loads->helpers);
    pool_free(loads->helpers);
    forget_all(loads);
    turns_free(loads->turns);
    pthread_cond_destroy(&loads->quiet);
    pthread_mutex_destroy(&loads->lock);
    free(loads);
}
