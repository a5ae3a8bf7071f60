/* SPDX-License-Identifier: Apache-2.0 */
/* A thread takes what is due from the store and gives it to actions.c; what came of it is
 * written by whoever ran it. Between two looks it sleeps until something is ordered or
 * ends, or the next retry is due. */
#include "scripts/async.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cond.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/str.h"
#include "scripts/active.h"
#include "scripts/events.h"
#include "scripts/say.h"
#include "scripts/webhook_run.h"
#include "webhooks/webhooks.h"

#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)
#define WEBHOOK_START_MS ((int64_t)15 * 60 * 1000)

enum {
    LOOK_MS = 500, /* at least so often while something waits: clocks may be set */
};

struct async_runs {
    struct async_config config;
    struct webhook_run_config webhook_config;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool changed; /* something was ordered, or ended */
    bool stopping;
    pthread_t thread;
    bool has_thread;
};

/* One that runs. */
struct running {
    struct async_runs *async;
    struct async_run_row *row;
    char *event, *name;          /* of an event's script, once they are known */
    struct oplog_op operation;   /* of an action; another's is begun by whoever runs it */
    struct webhook_run *webhook; /* of a handler of what a provider sent */
};

static bool is_of_event(const struct async_run_row *row)
{
    return row->uuid[0] == '\0';
}

static bool is_of_webhook(const struct async_run_row *row)
{
    return row->sync_id != 0;
}

/* Somebody asks what came of it. */
static bool is_action(const struct async_run_row *row)
{
    return !is_of_event(row) && !is_of_webhook(row);
}

static void outcome_context(const char *uuid, char out[CONTEXT_SIZE])
{
    (void)snprintf(out, CONTEXT_SIZE, "async_action/%s/outcome", uuid);
}

void async_runs_wake(struct async_runs *async)
{
    pthread_mutex_lock(&async->lock);
    async->changed = true;
    pthread_cond_signal(&async->wake);
    pthread_mutex_unlock(&async->lock);
}

static bool is_stopping(struct async_runs *async)
{
    bool stopping;

    pthread_mutex_lock(&async->lock);
    stopping = async->stopping;
    pthread_mutex_unlock(&async->lock);
    return stopping;
}

/* ---- its operation ---- */

/* It is named by what the row keeps, so that whoever goes on with it after a restart knows
 * it. */
static int64_t operation_id(const struct async_run_row *row)
{
    char digits[9];

    str_copy(digits, sizeof digits, row->uuid);
    return oplog_id_of(row->created_at_ms, (uint32_t)strtoul(digits, NULL, 16));
}

static struct oplog_op operation_of(
    const struct async_runs *async, const struct async_run_row *row)
{
    return oplog_op_of(async->config.oplog, row->environment_id, operation_id(row));
}

static struct oplog_op begin_operation(const struct async_runs *async,
    const struct async_order *order, const struct async_run_row *row)
{
    struct oplog_subject subject;
    struct oplog_op operation;
    char *meta = str_printf("{\"asyncId\":\"%s\"}", row->uuid);

    script_subject(order->script, order->connection, &subject);
    subject.durable = true;
    subject.meta = meta;
    operation =
        oplog_begin_as(async->config.oplog, operation_id(row), &subject, OPLOG_WAITING);
    free(meta);
    return operation;
}

/* ---- ends ---- */

static bool seal_outcome(struct async_runs *async, const char *uuid,
    const struct script_outcome *outcome, struct buf *sealed, struct err *err)
{
    char context[CONTEXT_SIZE];
    struct buf text;
    bool ok;

    buf_init_secret(&text, 0);
    script_outcome_write(outcome, &text);
    outcome_context(uuid, context);
    ok = vault_seal(async->config.vault, context, text.data, text.len, sealed, err);
    buf_finish(&text);
    return ok;
}

static bool tell_end(struct async_runs *async, const struct async_run_row *row,
    struct webhook_outbox *outbox, struct err *err)
{
    struct connection_row *connection = NULL;
    bool ok;

    if (async->config.webhooks == NULL)
        return true;
    if (!store_reload_connection(
            async->config.store, row->connection_id, &connection, err))
        return false;
    ok = connection == NULL || /* deleted: nobody's any more */
         webhooks_tell_async_action(async->config.webhooks,
             &(struct webhook_subject){
                 .environment_id = row->environment_id,
                 .integration = connection->provider_config_key,
                 .provider = connection->provider,
                 .connection_id = connection->connection_id,
                 .url_override = connection->webhook_url_override,
             },
             row->uuid, outbox, err);
    connection_row_unref(connection);
    return ok;
}

/* It is over, and nobody will ask. */
static bool forget(
    struct running *running, const struct script_outcome *outcome, struct err *err)
{
    struct async_runs *async = running->async;
    struct webhook_outbox outbox = {0};
    bool ok = running->webhook == NULL ||
              webhook_run_tell_end(running->webhook, outcome, &outbox, err);

    ok = ok &&
         store_drop_async_run(async->config.store, running->row->id, &outbox.puts, err);
    webhook_outbox_finish(&outbox);
    webhooks_wake(async->config.webhooks);
    return ok;
}

static bool write_end(
    struct running *running, const struct script_outcome *outcome, struct err *err)
{
    struct async_runs *async = running->async;
    const struct async_run_row *row = running->row;
    int64_t now = clock_now_ms(async->config.clock);
    struct webhook_outbox outbox = {0};
    struct buf sealed;
    bool ok;

    /* Ended by our own stop: the next server begins it again. */
    if (!outcome->ok && is_stopping(async))
        return store_end_async_run(async->config.store, row->id, NULL, now, NULL, err);
    if (!outcome->ok && row->attempts <= row->max_retries)
        return store_end_async_run(async->config.store, row->id, NULL,
            now + (async->config.retry_ms << (row->attempts - 1)), NULL, err);
    if (!is_action(row))
        return forget(running, outcome, err);
    buf_init(&sealed, 0);
    ok = tell_end(async, row, &outbox, err) &&
         seal_outcome(async, row->uuid, outcome, &sealed, err) &&
         store_end_async_run(async->config.store, row->id,
             &(struct blob){(uint8_t *)sealed.data, sealed.len}, 0, &outbox.puts, err);
    buf_finish(&sealed);
    webhook_outbox_finish(&outbox);
    webhooks_wake(async->config.webhooks);
    return ok;
}

/* Whoever ran it has told how the attempt ended. It may not have been the last. */
static void tell_whether_it_goes_on(
    struct running *running, const struct script_outcome *outcome)
{
    const struct async_run_row *row = running->row;

    if (!outcome->ok && is_stopping(running->async)) {
        oplog_say(&running->operation, OPLOG_INFO, NULL,
            "The server is stopping: the next one begins it again");
        oplog_move(&running->operation, OPLOG_WAITING);
    } else if (!outcome->ok && row->attempts <= row->max_retries) {
        oplog_say(&running->operation, OPLOG_WARN, NULL,
            "Attempt %d of %d failed: it is tried again", row->attempts,
            row->max_retries + 1);
        oplog_move(&running->operation, OPLOG_WAITING);
    }
}

static void on_done(void *arg, const struct script_outcome *outcome)
{
    struct running *running = arg;
    struct async_runs *async = running->async;
    struct err err = {0};

    if (is_action(running->row))
        tell_whether_it_goes_on(running, outcome);
    else if (is_of_event(running->row) && !outcome->ok && !is_stopping(async))
        script_event_log_failure(
            async->config.log, running->event, running->name, outcome);
    if (!write_end(running, outcome, &err))
        log_event(async->config.log, LOG_ERROR,
            "the end of an asynchronous script is not written",
            LOG_STR("id", running->row->uuid), LOG_STR("reason", err.message), LOG_END);
    webhook_run_free(running->webhook);
    async_run_row_free(running->row);
    free(running->event);
    free(running->name);
    free(running);
    async_runs_wake(async);
}

/* One that cannot be run at all. */
static void fail(struct running *running, const char *type, const char *message)
{
    struct script_outcome outcome = {.type = str_dup(type), .message = str_dup(message)};
    const struct oplog_error error = {.type = type, .message = message};

    running->row->max_retries = 0; /* the next time it would be no better */
    oplog_say_error(&running->operation, &error, message);
    oplog_end(&running->operation, OPLOG_FAILED, &error);
    on_done(running, &outcome);
    script_outcome_finish(&outcome);
}

/* ---- begins ---- */

static bool open_input(struct async_runs *async, const struct async_run_row *row,
    char **input, struct err *err)
{
    char context[CONTEXT_SIZE];
    size_t len;

    *input = NULL;
    if (row->input.data == NULL)
        return true;
    async_input_context(context, row->uuid);
    return vault_unseal(
        async->config.vault, context, row->input.data, row->input.len, input, &len, err);
}

static bool begin_webhook(struct running *running, const struct script_row *script,
    const struct connection_row *connection, struct action_order *order, struct err *err)
{
    running->webhook =
        webhook_run_new(&running->async->webhook_config, script, connection, err);
    if (running->webhook == NULL)
        return false;
    order->hooks = webhook_run_hooks(running->webhook);
    return true;
}

static void begin(struct async_runs *async, struct async_run_row *row)
{
    struct running *running = MEM_NEW(struct running);
    struct action_order order = {
        .start_ms = is_of_webhook(row) ? WEBHOOK_START_MS : DAY_MS,
        .background = !is_action(row),
        .operation = is_action(row) ? &running->operation : NULL,
        .attempt = row->attempts,
        .done = on_done,
        .arg = running,
    };
    struct connection_row *connection = NULL;
    struct script_row *script;
    struct err err = {0};
    char *input = NULL;

    running->async = async;
    running->row = row;
    if (is_action(row))
        running->operation = operation_of(async, row);
    if (clock_now_ms(async->config.clock) - row->created_at_ms > DAY_MS) {
        fail(running, "action_failure", "The script could not begin within a day");
        return;
    }
    script = script_find_active(async->config.store, row->script_id, &err);
    if (script != NULL && is_of_event(row)) {
        running->event = str_dup(script->event);
        running->name = str_dup(script->name);
    }
    if (script == NULL || !open_input(async, row, &input, &err) ||
        !store_reload_connection(
            async->config.store, row->connection_id, &connection, &err))
        fail(running, "action_failure", err.message);
    else if (connection == NULL)
        fail(running, "action_failure", "The connection was deleted");
    else if (!script->enabled)
        fail(running, "action_failure", "The script is disabled");
    else if (is_of_webhook(row) &&
             !begin_webhook(running, script, connection, &order, &err))
        fail(running, "action_failure", err.message);
    else {
        order.script = script;
        order.connection = connection;
        order.input = input;
        actions_run(async->config.actions, &order);
    }
    secret_free(input);
    script_row_free(script);
    connection_row_unref(connection);
}

/* Begins all that is due. How long to sleep, or -1 = until something changes. */
static int64_t begin_due(struct async_runs *async)
{
    struct async_run_row *row = NULL;
    struct err err = {0};
    int64_t now, next = 0;

    do {
        now = clock_now_ms(async->config.clock);
        if (!store_take_async_run(async->config.store, now, &row, &next, &err)) {
            log_event(async->config.log, LOG_ERROR, "asynchronous scripts cannot be read",
                LOG_STR("reason", err.message), LOG_END);
            return LOOK_MS;
        }
        if (row != NULL)
            begin(async, row);
    } while (row != NULL && !is_stopping(async));
    if (next == 0)
        return -1;
    return next - now < LOOK_MS ? (next > now ? next - now : 1) : LOOK_MS;
}

static void *run_all(void *arg)
{
    struct async_runs *async = arg;
    int64_t wait_ms = 0;

    pthread_mutex_lock(&async->lock);
    while (!async->stopping) {
        async->changed = false;
        pthread_mutex_unlock(&async->lock);
        wait_ms = begin_due(async);
        pthread_mutex_lock(&async->lock);
        if (async->changed || async->stopping)
            continue;
        if (wait_ms < 0)
            pthread_cond_wait(&async->wake, &async->lock);
        else
            (void)cond_wait_ms(&async->wake, &async->lock, wait_ms);
    }
    pthread_mutex_unlock(&async->lock);
    return NULL;
}

/* ---- the interface ---- */

bool async_runs_start(
    const struct async_config *config, struct async_runs **out, struct err *err)
{
    struct async_runs *async;

    *out = NULL;
    if (!store_resume_async_runs(config->store, err))
        return false;
    async = MEM_NEW(struct async_runs);
    async->config = *config;
    async->webhook_config = (struct webhook_run_config){
        .store = config->store,
        .records = config->records,
        .webhooks = config->webhooks,
        .clock = config->clock,
        .log = config->log,
        .max_record = config->max_record,
        .wall_ms = config->webhook_wall_ms,
    };
    pthread_mutex_init(&async->lock, NULL);
    cond_init(&async->wake);
    async->has_thread = pthread_create(&async->thread, NULL, run_all, async) == 0;
    if (!async->has_thread) {
        async_runs_free(async);
        return err_internal(err, "no thread for asynchronous scripts");
    }
    *out = async;
    return true;
}

void async_runs_stop(struct async_runs *async)
{
    if (async == NULL || !async->has_thread)
        return;
    pthread_mutex_lock(&async->lock);
    async->stopping = true;
    pthread_cond_signal(&async->wake);
    pthread_mutex_unlock(&async->lock);
    pthread_join(async->thread, NULL);
    async->has_thread = false;
}

void async_runs_free(struct async_runs *async)
{
    if (async == NULL)
        return;
    async_runs_stop(async);
    pthread_cond_destroy(&async->wake);
    pthread_mutex_destroy(&async->lock);
    free(async);
}

bool async_action_order(struct async_runs *async, const struct async_order *order,
    char uuid[UUID_TEXT_SIZE], struct err *err)
{
    struct async_run_row row = {
        .environment_id = order->connection->environment_id,
        .connection_id = order->connection->id,
        .script_id = order->script->id,
        .max_retries = order->max_retries,
        .created_at_ms = clock_now_ms(async->config.clock),
    };
    const struct oplog_error error = {"action_failure", "It could not be stored", NULL};
    struct oplog_op operation;
    char context[CONTEXT_SIZE];
    struct buf sealed;
    bool ok = true;

    row.due_at_ms = row.created_at_ms;
    crypto_uuid_v4(uuid);
    str_copy(row.uuid, sizeof row.uuid, uuid);
    buf_init(&sealed, 0);
    if (order->input != NULL) {
        async_input_context(context, uuid);
        ok = vault_seal(async->config.vault, context, order->input, strlen(order->input),
            &sealed, err);
        row.input = (struct blob){(uint8_t *)sealed.data, sealed.len};
    }
    operation = begin_operation(async, order, &row); /* before it may be begun */
    ok = ok && store_put_async_run(async->config.store, &row, err);
    buf_finish(&sealed);
    if (ok)
        async_runs_wake(async);
    else
        oplog_end(&operation, OPLOG_FAILED, &error);
    return ok;
}

bool async_action_outcome(struct async_runs *async, int64_t environment_id,
    const char *uuid, struct script_outcome *out, bool *over, struct err *err)
{
    struct async_run_row *row = NULL;
    char context[CONTEXT_SIZE];
    char *text = NULL;
    size_t len;
    bool ok = true;

    *over = false;
    memset(out, 0, sizeof *out);
    if (!store_find_async_run(async->config.store, environment_id, uuid, &row, err))
        return false;
    if (row != NULL && row->finished_at_ms != 0) {
        outcome_context(row->uuid, context);
        ok = vault_unseal(async->config.vault, context, row->outcome.data,
                 row->outcome.len, &text, &len, err) &&
             script_outcome_read(text, len, out, err);
        *over = ok;
        secret_free(text);
    }
    async_run_row_free(row);
    return ok;
}
