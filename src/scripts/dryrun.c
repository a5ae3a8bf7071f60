/* SPDX-License-Identifier: Apache-2.0 */
#include "scripts/dryrun.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "scripts/calls.h"

/* What happens to rows. */
enum batch_kind {
    BATCH_SAVE,
    BATCH_UPDATE,
    BATCH_DELETE,
    BATCH_KINDS,
};

/* As told: in the counts, as members of the result, and in words. */
static const struct {
    const char *method;
    const char *counted;
    const char *member;
    const char *words;
} batches[BATCH_KINDS] = {
    [BATCH_SAVE] = {"batchSave", "added", "saved", "A batch save call would save"},
    [BATCH_UPDATE] = {"batchUpdate", "updated", "updated",
        "A batch update call would save"},
    [BATCH_DELETE] = {"batchDelete", "deleted", "deleted",
        "A batch delete call would delete"},
};

/* The rows of one model. */
struct rows {
    struct rows *next;
    enum batch_kind kind;
    char *model;
    struct buf list; /* elements, with commas between */
};

struct dryrun {
    struct dryrun_order order; /* metadata and checkpoint as they are now: lock */
    struct action_trial trial;
    struct action_hooks hooks;
    char *props;
    dryrun_done *done;
    void *arg;
    pthread_mutex_t lock; /* of what follows: calls come from several threads */
    struct buf text;
    struct buf batches; /* in words */
    bool text_full;
    size_t counts[BATCH_KINDS];
    struct rows *rows;
    size_t rows_room;
    bool truncated;
};

/* ---- text ---- */

/* A line; under the lock. */
static void put_line(
    struct dryrun *run, struct buf *text, const char *line, struct json_raw json)
{
    if (run->text_full || run->text.len + run->batches.len + strlen(line) + json.len >
                              run->order.max_text) {
        run->text_full = true;
        return;
    }
    buf_puts(text, line);
    if (json.text != NULL) {
        if (*line != '\0')
            buf_putc(text, ' ');
        json_raw_append_compact(json, text);
    }
    buf_putc(text, '\n');
}

static void on_log(
    void *arg, const char *level, const char *message, struct json_raw meta)
{
    struct dryrun *run = arg;
    char *line =
        str_eq(level, "info") ? str_dup(message) : str_printf("[%s] %s", level, message);

    pthread_mutex_lock(&run->lock);
    put_line(run, &run->text, line, meta);
    pthread_mutex_unlock(&run->lock);
    free(line);
}

/* ---- records ---- */

static struct rows *rows_of(struct dryrun *run, enum batch_kind kind, const char *model)
{
    struct rows **at = &run->rows;

    while (*at != NULL && ((*at)->kind != kind || strcmp((*at)->model, model) != 0))
        at = &(*at)->next;
    if (*at == NULL) {
        *at = MEM_NEW(struct rows);
        (*at)->kind = kind;
        (*at)->model = str_dup(model);
        buf_init(&(*at)->list, 0);
    }
    return *at;
}

static void keep_row(struct dryrun *run, struct rows *rows, struct json_raw row)
{
    if (row.len > run->rows_room) {
        run->rows_room = 0;
        run->truncated = true;
        return;
    }
    run->rows_room -= row.len;
    if (rows->list.len > 0)
        buf_putc(&rows->list, ',');
    json_raw_append_compact(row, &rows->list);
    put_line(run, &run->batches, "", row);
}

static bool keep_batch(struct dryrun *run, enum batch_kind kind, struct json_raw args)
{
    struct json_raw list = json_raw_at(args, 0), row;
    char *model = json_raw_dup_string(json_raw_at(args, 1));
    struct json_raw_iter iter;
    struct rows *rows;
    char *line;

    if (model == NULL || json_raw_kind(list) != JSON_RAW_ARRAY) {
        free(model);
        return false;
    }
    line = str_printf("%s the following data %s the %s model:", batches[kind].words,
        kind == BATCH_DELETE ? "from" : "to", model);
    rows = rows_of(run, kind, model);
    put_line(run, &run->batches, line, (struct json_raw){0});
    json_raw_begin(list, &iter);
    while (json_raw_next(&iter, NULL, &row)) {
        run->counts[kind]++;
        keep_row(run, rows, row);
    }
    free(line);
    free(model);
    return true;
}

/* ---- calls ---- */

static char *dup_json(struct json_raw value)
{
    return str_ndup(value.text, value.len);
}

static bool is_object(struct json_raw value)
{
    return json_raw_kind(value) == JSON_RAW_OBJECT;
}

/* `object` with other metadata. */
static void put_with_metadata(
    struct json_raw object, const char *metadata, struct buf *out)
{
    struct json_raw_iter iter;
    struct json_raw key, value;

    buf_putc(out, '{');
    json_raw_begin(object, &iter);
    while (json_raw_next(&iter, &key, &value)) {
        if (json_raw_is_string(key, "metadata"))
            continue;
        buf_append(out, key.text, key.len);
        buf_putc(out, ':');
        buf_append(out, value.text, value.len);
        buf_putc(out, ',');
    }
    buf_printf(out, "\"metadata\":%s}", metadata);
}

/* The run's own connection is shown with the metadata of this run. */
static bool get_connection(struct dryrun *run, const struct script_caller *caller,
    struct json_raw args, struct buf *out)
{
    struct json_raw key = json_raw_at(args, 0), id = json_raw_at(args, 1), whole;
    bool own = json_raw_is_string(key, caller->provider_config_key) &&
               json_raw_is_string(id, caller->connection_id);
    struct err ignored = {0};
    struct buf answer;
    bool ok;

    buf_init_secret(&answer, 0);
    ok = script_call(caller, "getConnection", args, &answer);
    pthread_mutex_lock(&run->lock);
    if (ok && own && run->order.metadata != NULL &&
        json_raw_parse(answer.data, answer.len, &whole, &ignored) && is_object(whole))
        put_with_metadata(whole, run->order.metadata, out);
    else
        buf_append(out, answer.data != NULL ? answer.data : "", answer.len);
    pthread_mutex_unlock(&run->lock);
    buf_finish(&answer);
    return ok;
}

/* The metadata of the run, read once where it is not given. */
static bool load_metadata(
    struct dryrun *run, const struct script_caller *caller, struct buf *out)
{
    struct err ignored = {0};
    struct json_raw whole, metadata;
    struct buf args, answer;
    bool ok;

    buf_init(&args, 0);
    buf_init_secret(&answer, 0);
    buf_putc(&args, '[');
    json_append_string(&args, caller->provider_config_key);
    buf_putc(&args, ',');
    json_append_string(&args, caller->connection_id);
    buf_putc(&args, ']');
    ok = script_call(
        caller, "getConnection", (struct json_raw){args.data, args.len}, &answer);
    if (!ok) {
        buf_append(out, answer.data, answer.len);
    } else {
        metadata = json_raw_parse(answer.data, answer.len, &whole, &ignored)
                       ? json_raw_get(whole, "metadata")
                       : (struct json_raw){0};
        pthread_mutex_lock(&run->lock);
        if (run->order.metadata == NULL)
            run->order.metadata =
                is_object(metadata) ? dup_json(metadata) : str_dup("{}");
        pthread_mutex_unlock(&run->lock);
    }
    buf_finish(&args);
    buf_finish(&answer);
    return ok;
}

/* The members of `more` over those of `base`. */
static char *merged(const char *base, struct json_raw more)
{
    struct err ignored = {0};
    cJSON *into = json_parse(base, strlen(base), &ignored);
    cJSON *from = json_parse(more.text, more.len, &ignored);
    char *text;

    json_merge(into, from);
    text = json_print(into);
    cJSON_Delete(into);
    cJSON_Delete(from);
    return text;
}

static bool change_metadata(struct dryrun *run, const struct script_caller *caller,
    struct json_raw args, struct buf *out, bool merge)
{
    struct json_raw given = json_raw_at(args, 0);
    bool missing;
    char *next;

    if (!is_object(given)) {
        script_call_refuse(out, "Error", "The metadata must be an object");
        return false;
    }
    pthread_mutex_lock(&run->lock);
    missing = run->order.metadata == NULL;
    pthread_mutex_unlock(&run->lock);
    if (merge && missing && !load_metadata(run, caller, out))
        return false;
    pthread_mutex_lock(&run->lock);
    next = merge ? merged(run->order.metadata, given) : dup_json(given);
    free(run->order.metadata);
    run->order.metadata = next;
    put_line(run, &run->text,
        merge ? "The metadata would be updated with:" : "The metadata would become:",
        given);
    pthread_mutex_unlock(&run->lock);
    return true;
}

/* Done as for any script, and told. */
static bool call_provider(struct dryrun *run, const struct script_caller *caller,
    struct json_raw args, struct buf *out)
{
    struct json_raw request = json_raw_at(args, 0), whole;
    char *method = json_raw_dup_string(json_raw_get(request, "method"));
    char *endpoint = json_raw_dup_string(json_raw_get(request, "endpoint"));
    bool ok = script_call(caller, "proxy", args, out);
    struct err ignored = {0};
    double status = 0;
    char *line;

    if (out->len > 0 && json_raw_parse(out->data, out->len, &whole, &ignored))
        (void)json_raw_number(
            json_raw_get(ok ? whole : json_raw_get(whole, "response"), "status"),
            &status);
    line = str_printf("http [%.0f] %.10s %.500s", status, method != NULL ? method : "GET",
        endpoint != NULL ? endpoint : "");
    pthread_mutex_lock(&run->lock);
    put_line(run, &run->text, line, (struct json_raw){0});
    pthread_mutex_unlock(&run->lock);
    free(line);
    free(method);
    free(endpoint);
    return ok;
}

static bool on_checkpoint(
    struct dryrun *run, const char *method, struct json_raw args, struct buf *out)
{
    struct json_raw given = json_raw_at(args, 0);

    if (strcmp(method, "getCheckpoint") == 0) {
        buf_puts(out, run->order.checkpoint != NULL ? run->order.checkpoint : "null");
        return true;
    }
    if (strcmp(method, "saveCheckpoint") == 0 && !is_object(given)) {
        script_call_refuse(out, "Error", "Invalid checkpoint: it must be an object");
        return false;
    }
    free(run->order.checkpoint);
    run->order.checkpoint =
        strcmp(method, "saveCheckpoint") == 0 ? dup_json(given) : NULL;
    return true;
}

/* What is answered without being done. */
static const struct {
    const char *method;
    const char *answer; /* "" = undefined */
    const char *line;   /* NULL = it goes without saying */
} stand_ins[] = {
    {"tryAcquireLock", "true", NULL},
    {"releaseLock", "true", NULL},
    {"releaseAllLocks", "true", NULL},
    {"getRecordsByIds", "[]", NULL},
    {"listRecords", "{\"records\":[],\"next_cursor\":null}", NULL},
    {"setMergingStrategy", "", NULL},
    {"setLastSyncDate", "true", NULL},
    {"trackDeletesStart", "", "trackDeletesStart has no effect in a dry run"},
    {"trackDeletesEnd", "{\"deletedKeys\":[]}",
        "trackDeletesEnd has no effect in a dry run"},
    {"deleteRecordsFromPreviousExecutions", "{\"deletedKeys\":[]}",
        "deleteRecordsFromPreviousExecutions has no effect in a dry run"},
    {"triggerSync", "", "triggerSync has no effect in a dry run"},
    {"startSync", "", "startSync has no effect in a dry run"},
};

static bool stand_in(struct dryrun *run, const char *method, struct buf *out)
{
    for (size_t i = 0; i < sizeof stand_ins / sizeof stand_ins[0]; i++)
        if (strcmp(stand_ins[i].method, method) == 0) {
            if (stand_ins[i].line != NULL)
                put_line(run, &run->text, stand_ins[i].line, (struct json_raw){0});
            buf_puts(out, stand_ins[i].answer);
            return true;
        }
    return false;
}

static enum batch_kind batch_of(const char *method)
{
    enum batch_kind kind = BATCH_SAVE;

    while (kind < BATCH_KINDS && strcmp(batches[kind].method, method) != 0)
        kind++;
    return kind;
}

static bool on_call(void *arg, const struct script_caller *caller, const char *method,
    struct json_raw args, struct buf *out, bool *handled)
{
    struct dryrun *run = arg;
    enum batch_kind batch = batch_of(method);
    bool ok = true;

    *handled = true;
    if (strcmp(method, "getConnection") == 0)
        return get_connection(run, caller, args, out);
    if (strcmp(method, "proxy") == 0)
        return call_provider(run, caller, args, out);
    if (strcmp(method, "setMetadata") == 0 || strcmp(method, "updateMetadata") == 0)
        return change_metadata(run, caller, args, out, method[0] == 'u');
    pthread_mutex_lock(&run->lock);
    if (batch < BATCH_KINDS)
        ok = keep_batch(run, batch, args);
    else if (str_ends(method, "Checkpoint"))
        ok = on_checkpoint(run, method, args, out);
    else
        *handled = stand_in(run, method, out);
    pthread_mutex_unlock(&run->lock);
    return ok;
}

/* ---- the run ---- */

static void dryrun_free(struct dryrun *run)
{
    struct rows *rows;

    free(run->order.code);
    mem_free_text(run->order.input);
    free(run->order.metadata);
    free(run->order.checkpoint);
    free(run->order.last_sync);
    free(run->props);
    buf_finish(&run->text);
    buf_finish(&run->batches);
    while ((rows = run->rows) != NULL) {
        run->rows = rows->next;
        free(rows->model);
        buf_finish(&rows->list);
        free(rows);
    }
    pthread_mutex_destroy(&run->lock);
    free(run);
}

static void on_done(void *arg, const struct script_outcome *outcome)
{
    struct dryrun *run = arg;

    pthread_mutex_lock(&run->lock);
    put_line(run, &run->text, "Done", (struct json_raw){0});
    pthread_mutex_unlock(&run->lock);
    run->done(run->arg, run, outcome);
    dryrun_free(run);
}

static char *make_props(const struct dryrun_order *order)
{
    struct buf out;

    buf_init(&out, 0);
    buf_puts(&out, ",\"isCLI\":true");
    if (order->kind == SCRIPT_SYNC)
        buf_puts(&out, ",\"syncId\":\"dryrun-sync\"");
    if (order->last_sync != NULL) {
        buf_puts(&out, ",\"lastSyncDate\":");
        json_append_string(&out, order->last_sync);
    }
    return buf_take(&out, NULL);
}

void dryrun_start(struct actions *actions, struct connection_row *connection,
    const struct dryrun_order *order, dryrun_done *done, void *arg)
{
    static char name[] = "function", version[] = "0.0.1-zero", empty[] = "{}";
    struct script_row script = {
        .kind = order->kind,
        .name = name,
        .provider_config_key = connection->provider_config_key,
        .spec = {.sdk_version = version, .attributes_json = empty},
    };
    struct dryrun *run = MEM_NEW(struct dryrun);
    struct action_order action = {
        .script = &script,
        .connection = connection,
        .input = order->input,
        .trial = &run->trial,
        .hooks = &run->hooks,
        .done = on_done,
        .arg = run,
    };
    char *line;

    run->order = *order;
    run->done = done;
    run->arg = arg;
    run->rows_room = order->max_rows;
    pthread_mutex_init(&run->lock, NULL);
    buf_init(&run->text, 0);
    buf_init(&run->batches, 0);
    run->props = make_props(order);
    run->trial = (struct action_trial){
        .code = run->order.code,
        .code_len = run->order.code_len,
    };
    run->hooks = (struct action_hooks){
        .props = run->props,
        .wall_ms = run->order.wall_ms,
        .log = on_log,
        .call = on_call,
        .arg = run,
    };
    line = str_printf(
        "Executing -> integration:\"%s\" script:\"function\"", connection->provider);
    put_line(run, &run->text, line, (struct json_raw){0});
    free(line);
    actions_run(actions, &action);
}

/* ---- what came of it ---- */

static void put_counts(const struct dryrun *run, struct buf *out)
{
    for (int i = 0; i < BATCH_KINDS; i++)
        buf_printf(
            out, "%s\"%s\":%zu", i == 0 ? "{" : ",", batches[i].counted, run->counts[i]);
    buf_putc(out, '}');
}

void dryrun_text(const struct dryrun *run, struct buf *out)
{
    size_t len = run->text.len;

    while (len > 0 && run->text.data[len - 1] == '\n')
        len--;
    buf_append(out, run->text.data, len);
    if (run->text_full)
        buf_puts(out, "\n… (what follows is left out)");
    if (run->order.kind != SCRIPT_SYNC)
        return;
    buf_puts(out, "\nThe dry run would produce the following results: ");
    put_counts(run, out);
    if (run->batches.len == 0)
        return;
    buf_puts(out, "\nThe following log messages were generated:\n");
    buf_append(out, run->batches.data, run->batches.len - 1);
}

void dryrun_records(const struct dryrun *run, struct buf *out)
{
    buf_puts(out, "{\"counts\":");
    put_counts(run, out);
    for (int kind = 0; kind < BATCH_KINDS; kind++) {
        bool first = true;

        buf_printf(out, ",\"%s\":{", batches[kind].member);
        for (const struct rows *rows = run->rows; rows != NULL; rows = rows->next) {
            if ((int)rows->kind != kind)
                continue;
            if (!first)
                buf_putc(out, ',');
            first = false;
            json_append_string(out, rows->model);
            buf_puts(out, ":[");
            buf_append(
                out, rows->list.data != NULL ? rows->list.data : "", rows->list.len);
            buf_putc(out, ']');
        }
        buf_putc(out, '}');
    }
    buf_printf(out, ",\"truncated\":%s}", run->truncated ? "true" : "false");
}
