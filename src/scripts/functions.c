/* SPDX-License-Identifier: Apache-2.0 */
#include "scripts/functions_int.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/secret.h"
#include "base/str.h"
#include "scripts/dryrun.h"

enum {
    MAX_JOBS = 200, /* that wait or run; each holds its code */
    MAX_SHARE = 20, /* of them, of one environment */
    CONTEXT_LEN = 80,
};

struct functions {
    struct functions_config config;
    struct pool *pool;
    atomic_bool stopping;
    pthread_mutex_t lock;   /* of what follows */
    int64_t open[MAX_JOBS]; /* the environments of jobs that wait or run */
    size_t open_count;
};

char *function_file(const char *integration, enum script_kind kind, const char *name)
{
    return str_printf(
        "%s/%s/%s.ts", integration, kind == SCRIPT_SYNC ? "syncs" : "actions", name);
}

/* ---- compiling ---- */

static void read_load_fault(const struct deploy_fault *why, struct compile_fault *fault)
{
    fault->line = why->line;
    fault->column = why->column;
    if (why->err.code[0] == '\0')
        err_set(&fault->err, 400, "compilation_error", "%s", why->err.message);
    else if (why->err.status == 503)
        err_set(&fault->err, 503, "execution_environment_unavailable", "%s",
            why->err.message);
    else
        fault->err = why->err;
}

static bool is_there(const struct functions *functions, struct err *err)
{
    return functions->config.actions != NULL ||
           err_set(err, 503, "execution_environment_unavailable",
               "this server runs no scripts: nango-runner was not found "
               "(scripts.runner)");
}

bool functions_compile(struct functions *functions, enum script_kind kind,
    const char *file, const char *code, size_t len, struct buf *out,
    struct compile_fault *fault)
{
    struct script_source source = {.kind = kind, .integration = "-", .zero = true};
    struct deploy_fault why = {0};
    size_t bad;

    if (!is_there(functions, &fault->err) ||
        !compiler_run(&functions->config.compiler, code, len, file, out, fault))
        return false;
    source.name = file;
    source.js = out->data != NULL ? out->data : "";
    source.js_len = out->len;
    if (loads_check(functions->config.loads, &source, 1, &bad, &why))
        return true;
    read_load_fault(&why, fault);
    return false;
}

/* ---- jobs ---- */

static char *dup_or_null(const char *text)
{
    return text != NULL ? str_dup(text) : NULL;
}

static struct function_job *job_new(
    struct functions *functions, const struct function_order *order)
{
    struct function_job *job = MEM_NEW(struct function_job);

    job->functions = functions;
    job->began_ms = clock_mono_ms();
    job->kind = order->kind;
    job->environment_id = order->environment_id;
    job->function_kind = order->function_kind;
    job->integration = str_dup(order->integration);
    job->name = str_dup(order->name);
    job->file = function_file(order->integration, order->function_kind,
        *order->name != '\0' ? order->name : "function");
    job->code = str_dup(order->code);
    job->connection_id = order->connection_id;
    job->input = dup_or_null(order->input);
    job->metadata = dup_or_null(order->metadata);
    job->checkpoint = dup_or_null(order->checkpoint);
    job->last_sync = dup_or_null(order->last_sync);
    job->version = dup_or_null(order->version);
    job->allow_destructive = order->allow_destructive;
    return job;
}

static void job_free(struct function_job *job)
{
    char *const texts[] = {job->integration, job->name, job->file, job->code,
        job->metadata, job->checkpoint, job->last_sync, job->version};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        free(texts[i]);
    mem_free_text(job->input);
    free(job);
}

/* One more of the environment, if there is room. */
static bool open_job(struct functions *functions, int64_t environment_id, struct err *err)
{
    size_t own = 0;
    bool ok;

    pthread_mutex_lock(&functions->lock);
    for (size_t i = 0; i < functions->open_count; i++)
        own += functions->open[i] == environment_id;
    ok = functions->open_count < MAX_JOBS && own < MAX_SHARE;
    if (ok)
        functions->open[functions->open_count++] = environment_id;
    pthread_mutex_unlock(&functions->lock);
    return ok || err_set(err, 503, "execution_environment_unavailable",
                     "too many dry runs and deployments go on: try again when some have "
                     "ended");
}

static void close_job(struct functions *functions, int64_t environment_id)
{
    pthread_mutex_lock(&functions->lock);
    for (size_t i = 0; i < functions->open_count; i++)
        if (functions->open[i] == environment_id) {
            functions->open[i] = functions->open[--functions->open_count];
            break;
        }
    pthread_mutex_unlock(&functions->lock);
}

/* ---- ends ---- */

static void context_of(const char *uuid, char out[CONTEXT_LEN])
{
    (void)snprintf(out, CONTEXT_LEN, "function_job/%s/outcome", uuid);
}

/* Writes what came of it: `members` of the outcome, each with a comma before it. */
static void write_end(struct function_job *job, const struct buf *members)
{
    struct functions *functions = job->functions;
    char context[CONTEXT_LEN];
    struct err err = {0};
    struct buf sealed;

    context_of(job->uuid, context);
    buf_init(&sealed, 0);
    if (!vault_seal(functions->config.vault, context, members->data, members->len,
            &sealed, &err) ||
        !store_end_function_job(functions->config.store, job->id,
            &(struct blob){(uint8_t *)sealed.data, sealed.len}, &err))
        log_event(functions->config.log, LOG_ERROR,
            "the outcome of a dry run or a deployment is not written",
            LOG_STR("id", job->uuid), LOG_STR("reason", err.message), LOG_END);
    buf_finish(&sealed);
}

static void job_end(struct function_job *job, struct buf *members)
{
    struct functions *functions = job->functions;

    /* Cut short by our own stop: its row says at the next start that it is lost. */
    if (!atomic_load(&functions->stopping))
        write_end(job, members);
    buf_finish(members);
    close_job(functions, job->environment_id);
    job_free(job);
}

static void begin_members(
    const struct function_job *job, const char *status, struct buf *out)
{
    buf_init_secret(out, 0);
    buf_printf(out, ",\"status\":\"%s\",\"duration_ms\":%lld", status,
        (long long)(clock_mono_ms() - job->began_ms));
}

/* `payload`: JSON; NULL = none. */
static void put_error(
    struct buf *out, const char *code, const char *message, const char *payload)
{
    buf_puts(out, ",\"error\":{\"code\":");
    json_append_string(out, code);
    json_append_text(out, "message", message);
    if (payload != NULL)
        buf_printf(out, ",\"payload\":%s", payload);
    buf_putc(out, '}');
}

/* What failed before anything ran. */
static void job_refuse(struct function_job *job, const struct compile_fault *fault)
{
    const struct err *err = &fault->err;
    bool stopping = atomic_load(&job->functions->stopping);
    bool own = !stopping && (err->code[0] == '\0' || err->status == 500);
    char *payload = NULL;
    struct buf members;

    if (own)
        log_event(job->functions->config.log, LOG_ERROR,
            "a dry run or a deployment failed", LOG_STR("id", job->uuid),
            LOG_STR("reason", err->message), LOG_END);
    if (fault->line > 0)
        payload = str_printf("{\"file\":\"%s\",\"line\":%d,\"column\":%d}", job->file,
            fault->line, fault->column);
    begin_members(job, "failed", &members);
    put_error(&members, own ? "server_error" : err->code,
        own ? "The server could not do it" : err->message, payload);
    free(payload);
    job_end(job, &members);
}

/* ---- dry runs ---- */

static const char *dryrun_code(const char *type)
{
    static const char *const timeouts[] = {
        "execution_timeout", "function_runtime_timed_out", "action_failure"};

    for (size_t i = 0; i < sizeof timeouts / sizeof timeouts[0]; i++)
        if (strcmp(type, timeouts[i]) == 0)
            return "timeout";
    return "dryrun_error";
}

static void put_failure(struct buf *out, const struct script_outcome *outcome)
{
    struct buf payload;

    buf_init_secret(&payload, 0);
    buf_puts(&payload, "{\"type\":");
    json_append_string(&payload, outcome->type);
    if (outcome->payload != NULL)
        buf_printf(&payload, ",\"payload\":%s", outcome->payload);
    if (outcome->upstream != NULL)
        buf_printf(&payload, ",\"upstream\":%s", outcome->upstream);
    buf_putc(&payload, '}');
    put_error(out, dryrun_code(outcome->type),
        *outcome->message != '\0' ? outcome->message : outcome->type, payload.data);
    buf_finish(&payload);
}

static void on_dryrun(
    void *arg, const struct dryrun *run, const struct script_outcome *outcome)
{
    struct function_job *job = arg;
    struct buf members, text;

    begin_members(job, outcome->ok ? "success" : "failed", &members);
    buf_init(&text, 0);
    dryrun_text(run, &text);
    json_append_text(&members, "output", text.data != NULL ? text.data : "");
    buf_finish(&text);
    if (!outcome->ok) {
        put_failure(&members, outcome);
    } else if (job->function_kind == SCRIPT_SYNC) {
        buf_puts(&members, ",\"result\":");
        dryrun_records(run, &members);
    } else if (outcome->output != NULL) {
        buf_puts(&members, ",\"result\":");
        buf_puts(&members, outcome->output);
    }
    job_end(job, &members);
}

static char *take(char **text)
{
    char *taken = *text;

    *text = NULL;
    return taken;
}

static void run_dry(struct function_job *job, struct buf *js)
{
    const struct functions_config *config = &job->functions->config;
    struct dryrun_order order = {
        .kind = job->function_kind,
        .wall_ms = config->dryrun_ms,
        .max_rows = config->max_result,
        .max_text = config->max_result,
    };
    struct connection_row *connection = NULL;
    struct compile_fault fault = {0};

    if (!store_reload_connection(
            config->store, job->connection_id, &connection, &fault.err)) {
        job_refuse(job, &fault);
        return;
    }
    if (connection == NULL) {
        err_set(&fault.err, 404, "connection_not_found", "The connection was deleted");
        job_refuse(job, &fault);
        return;
    }
    order.code_len = js->len;
    order.code = buf_take(js, NULL);
    order.input = take(&job->input);
    order.metadata = take(&job->metadata);
    order.checkpoint = take(&job->checkpoint);
    order.last_sync = take(&job->last_sync);
    dryrun_start(config->actions, connection, &order, on_dryrun, job);
    connection_row_unref(connection);
}

/* ---- deployments ---- */

static void run_deployment(struct function_job *job, const struct buf *js)
{
    struct compile_fault fault = {0};
    struct buf members, text;
    char *version;

    if (!function_deploy(
            &job->functions->config, job, js->data, js->len, &version, &fault)) {
        job_refuse(job, &fault);
        return;
    }
    begin_members(job, "success", &members);
    buf_init(&text, 0);
    buf_printf(
        &text, "Successfully deployed the functions:\n- %s@%s", job->name, version);
    json_append_text(&members, "output", text.data);
    buf_finish(&text);
    buf_puts(&members, ",\"deployed\":true,\"deployed_functions\":[{\"name\":");
    json_append_string(&members, job->name);
    json_append_text(&members, "version", version);
    buf_puts(&members, "}]");
    free(version);
    job_end(job, &members);
}

/* ---- the way of a job ---- */

static void run_job(void *arg)
{
    struct function_job *job = arg;
    struct functions *functions = job->functions;
    struct compile_fault fault = {0};
    struct buf js;
    bool ok;

    buf_init(&js, 0);
    ok = !atomic_load(&functions->stopping) &&
         store_begin_function_job(functions->config.store, job->id, &fault.err) &&
         compiler_run(&functions->config.compiler, job->code, strlen(job->code),
             job->file, &js, &fault);
    if (ok && job->kind == FUNCTION_DRYRUN) {
        struct script_source source = {.kind = job->function_kind,
            .integration = job->integration,
            .name = "function",
            .js = js.data,
            .js_len = js.len,
            .zero = true};
        struct deploy_fault why = {0};
        size_t bad;

        ok = loads_check(functions->config.loads, &source, 1, &bad, &why);
        if (!ok)
            read_load_fault(&why, &fault);
    }
    if (!ok)
        job_refuse(job, &fault);
    else if (job->kind == FUNCTION_DRYRUN)
        run_dry(job, &js);
    else
        run_deployment(job, &js);
    buf_finish(&js);
}

bool functions_start(struct functions *functions, const struct function_order *order,
    struct function_job_row **row, struct err *err)
{
    struct function_job *job;
    struct function_job_row *made;

    *row = NULL;
    if (!is_there(functions, err) || !open_job(functions, order->environment_id, err))
        return false;
    job = job_new(functions, order);
    made = MEM_NEW(struct function_job_row);
    made->environment_id = order->environment_id;
    made->kind = order->kind;
    made->integration_key = str_dup(order->integration);
    made->function_kind = order->function_kind;
    made->name = str_dup(order->name);
    crypto_uuid_v4(made->uuid);
    if (!store_put_function_job(functions->config.store, made, err)) {
        function_job_row_free(made);
        close_job(functions, order->environment_id);
        job_free(job);
        return false;
    }
    job->id = made->id;
    str_copy(job->uuid, sizeof job->uuid, made->uuid);
    *row = made;
    if (!pool_submit_share(
            functions->pool, (uint64_t)order->environment_id, run_job, job)) {
        /* The server is stopping: lost, as its row will say. */
        close_job(functions, order->environment_id);
        job_free(job);
    }
    return true;
}

bool functions_outcome(struct functions *functions, const struct function_job_row *row,
    struct buf *out, struct err *err)
{
    char context[CONTEXT_LEN];
    char *text = NULL;
    size_t len;

    if (row->outcome.data == NULL)
        return true;
    context_of(row->uuid, context);
    if (!vault_unseal(functions->config.vault, context, row->outcome.data,
            row->outcome.len, &text, &len, err))
        return false;
    buf_append(out, text, len);
    secret_free(text);
    return true;
}

/* ---- life ---- */

bool functions_new(
    const struct functions_config *config, struct functions **out, struct err *err)
{
    struct functions *functions;

    *out = NULL;
    if (!store_lose_function_jobs(config->store, err))
        return false;
    functions = MEM_NEW(struct functions);
    functions->config = *config;
    functions->config.compiler.cancelled = &functions->stopping;
    functions->pool = pool_new("function", config->threads);
    pthread_mutex_init(&functions->lock, NULL);
    *out = functions;
    return true;
}

void functions_stop(struct functions *functions)
{
    if (functions == NULL)
        return;
    atomic_store(&functions->stopping, true);
    pool_stop(functions->pool);
}

void functions_free(struct functions *functions)
{
    if (functions == NULL)
        return;
    pool_free(functions->pool);
    pthread_mutex_destroy(&functions->lock);
    free(functions);
}
