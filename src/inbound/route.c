/* SPDX-License-Identifier: Apache-2.0 */
/* Events are taken in batches of one integration, so that its connections are looked
 * through once for all of them; what follows from a batch is written at once. */
#include "inbound/route.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/cond.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/str.h"
#include "inbound/inbound_int.h"
#include "inbound/match.h"

enum {
    BATCH = 200,
    AGAIN_MS = 1000, /* after a fault */
};

struct inbound {
    struct inbound_config config;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool changed;
    bool stopping;
    pthread_t thread;
    bool has_thread;
};

const struct auth *inbound_auth(const struct inbound *inbound)
{
    return inbound->config.auth;
}

void inbound_wake(struct inbound *inbound)
{
    pthread_mutex_lock(&inbound->lock);
    inbound->changed = true;
    pthread_cond_signal(&inbound->wake);
    pthread_mutex_unlock(&inbound->lock);
}

int64_t inbound_operation_id(const struct inbound_event *event)
{
    char digits[9];

    str_copy(digits, sizeof digits, event->uuid);
    return oplog_id_of(event->received_at_ms, (uint32_t)strtoul(digits, NULL, 16));
}

/* ---- a batch ---- */

/* A stored event, opened. What it holds is a list of events of the provider's. */
struct opened {
    const struct inbound_event *event;
    char *text; /* the content; NULL = it cannot be read */
    cJSON *events;
    struct json_raw body, forward;
    struct http_headers headers;
    size_t first, count; /* of the searches */
    struct webhook_outbox outbox;
    struct inbound_run *runs;
    size_t run_count;
};

struct batch {
    struct inbound *inbound;
    struct inbound_event *events;
    size_t count;
    struct opened *opened;
    struct integration_row *integration; /* NULL = it is gone */
    struct script_row **scripts;
    size_t script_count;
    struct search *searches;
    size_t search_count;
};

static void read_headers(struct json_raw list, struct http_headers *out)
{
    struct json_raw_iter iter;
    struct json_raw pair;

    json_raw_begin(list, &iter);
    while (json_raw_next(&iter, NULL, &pair)) {
        char *name = json_raw_dup_string(json_raw_at(pair, 0)),
             *value = json_raw_dup_string(json_raw_at(pair, 1));

        if (name != NULL && value != NULL)
            http_headers_add(out, name, value);
        free(name);
        free(value);
    }
}

static bool open_event(
    struct batch *batch, size_t i, struct opened *opened, struct err *err)
{
    struct inbound_event *event = &batch->events[i];
    char context[CONTEXT_SIZE];
    struct json_raw content, events;
    size_t len;

    opened->event = event;
    inbound_context(context, event->uuid);
    if (!vault_unseal(batch->inbound->config.auth->vault, context, event->content.data,
            event->content.len, &opened->text, &len, err) ||
        !json_raw_parse(opened->text, len, &content, err))
        return false;
    events = json_raw_get(content, "events");
    opened->events = json_parse(events.text, events.len, err);
    opened->body = json_raw_get(content, "body");
    opened->forward = json_raw_get(content, "forward");
    if (json_raw_kind(opened->forward) == JSON_RAW_ABSENT)
        opened->forward = opened->body;
    read_headers(json_raw_get(content, "headers"), &opened->headers);
    return opened->events != NULL;
}

static void add_searches(struct batch *batch, struct opened *opened)
{
    const cJSON *event;

    opened->first = batch->search_count;
    cJSON_ArrayForEach(event, opened->events)
    {
        batch->searches = mem_resize_array(
            batch->searches, batch->search_count + 1, sizeof *batch->searches);
        batch->searches[batch->search_count++] =
            (struct search){.find = json_get(event, "find")};
        opened->count++;
    }
}

/* A damaged one is told of and settled: nothing can follow from it. */
static void open_all(struct batch *batch)
{
    batch->opened = mem_zalloc(batch->count * sizeof *batch->opened);
    for (size_t i = 0; i < batch->count; i++) {
        struct err err = {0};

        if (open_event(batch, i, &batch->opened[i], &err))
            add_searches(batch, &batch->opened[i]);
        else
            log_event(batch->inbound->config.auth->log, LOG_ERROR,
                "a provider's webhook cannot be read",
                LOG_INT("event", batch->events[i].id), LOG_STR("reason", err.message),
                LOG_END);
    }
}

static bool load(struct batch *batch, struct err *err)
{
    struct store *store = batch->inbound->config.auth->store;
    const struct script_filter filter = {
        .environment_id = batch->events[0].environment_id,
        .integration_id = batch->events[0].integration_id,
        .kind = SCRIPT_SYNC,
        .enabled = true,
    };
    struct integration_row **rows = NULL;
    size_t count = 0;

    if (!store_list_integrations(store, filter.environment_id, &rows, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (rows[i]->id == filter.integration_id) {
            batch->integration = rows[i];
            rows[i] = NULL;
        }
    store_integrations_free(rows, count);
    return store_list_scripts(
        store, &filter, &batch->scripts, &batch->script_count, NULL, err);
}

/* ---- what follows ---- */

static bool is_subscribed(const struct script_row *script, const cJSON *event)
{
    const char *text = script->spec.webhook_subscriptions_json;
    cJSON *list = text != NULL ? json_parse(text, strlen(text), NULL) : NULL;
    const cJSON *item;
    bool yes = false;

    cJSON_ArrayForEach(item, list)
    {
        const char *to = cJSON_GetStringValue(item);

        yes = yes || str_eq(to, "*") ||
              (to != NULL && str_eq(to, json_str(event, "type"))) ||
              (to != NULL && str_eq(to, json_str(event, "other")));
    }
    cJSON_Delete(list);
    return yes;
}

static bool add_run(struct batch *batch, struct opened *opened, int64_t script_id,
    int64_t connection_id, const struct buf *payload, struct err *err)
{
    struct inbound_run *run;
    char context[CONTEXT_SIZE];
    struct buf sealed;
    bool ok;

    opened->runs =
        mem_resize_array(opened->runs, opened->run_count + 1, sizeof *opened->runs);
    run = &opened->runs[opened->run_count++];
    *run = (struct inbound_run){.connection_id = connection_id, .script_id = script_id};
    crypto_uuid_v4(run->uuid);
    async_input_context(context, run->uuid);
    buf_init(&sealed, 0);
    ok = vault_seal(batch->inbound->config.auth->vault, context, payload->data,
        payload->len, &sealed, err);
    if (ok)
        run->input.data = (uint8_t *)buf_take(&sealed, &run->input.len);
    buf_finish(&sealed);
    return ok;
}

static bool order_scripts(struct batch *batch, struct opened *opened, const cJSON *event,
    const struct search *search, struct err *err)
{
    const cJSON *payload = json_get(event, "payload");
    struct buf text;
    bool ok = true;

    if (search->count == 0)
        return true;
    buf_init(&text, 0);
    if (payload != NULL)
        json_append(&text, payload);
    else
        buf_append(&text, opened->body.text, opened->body.len);
    for (size_t s = 0; ok && s < batch->script_count; s++) {
        if (!is_subscribed(batch->scripts[s], event))
            continue;
        for (size_t i = 0; ok && i < search->count; i++)
            ok = add_run(
                batch, opened, batch->scripts[s]->id, search->matched[i].id, &text, err);
    }
    buf_finish(&text);
    return ok;
}

static bool was_told(const struct webhook_outbox *outbox, const char *connection_id)
{
    for (size_t i = 0; i < outbox->puts.count; i++)
        if (str_eq(outbox->list[i].connection_id, connection_id))
            return true;
    return false;
}

static bool pass_on_to(struct batch *batch, struct opened *opened,
    const struct matched *matched, struct err *err)
{
    const struct webhook_subject subject = {
        .environment_id = opened->event->environment_id,
        .integration = batch->integration->unique_key,
        .provider = batch->integration->provider,
        .connection_id = matched != NULL ? matched->connection_id : NULL,
        .url_override = matched != NULL ? matched->url_override : NULL,
    };

    return (matched != NULL && was_told(&opened->outbox, matched->connection_id)) ||
           webhooks_tell_forward(batch->inbound->config.webhooks, &subject,
               opened->forward, &opened->headers, &opened->outbox, err);
}

/* Once to each connection, or bare when there is none. */
static bool pass_on(struct batch *batch, struct opened *opened, struct err *err)
{
    bool any = false, ok = true;

    if (!batch->integration->forward_webhooks)
        return true;
    for (size_t s = 0; s < opened->count; s++) {
        const struct search *search = &batch->searches[opened->first + s];

        for (size_t i = 0; ok && i < search->count; i++)
            ok = pass_on_to(batch, opened, &search->matched[i], err);
        any = any || search->count > 0;
    }
    return ok && (any || pass_on_to(batch, opened, NULL, err));
}

static bool follow(struct batch *batch, struct opened *opened, struct err *err)
{
    const cJSON *event;
    size_t s = opened->first;
    bool ok = true;

    if (opened->events == NULL || batch->integration == NULL)
        return true;
    cJSON_ArrayForEach(event, opened->events)
    {
        ok = ok && order_scripts(batch, opened, event, &batch->searches[s++], err);
    }
    return ok && pass_on(batch, opened, err);
}

static bool settle(struct batch *batch, struct err *err)
{
    struct inbound_settlement *all = mem_zalloc(batch->count * sizeof *all);
    bool ok;

    for (size_t i = 0; i < batch->count; i++)
        all[i] = (struct inbound_settlement){
            .event_id = batch->events[i].id,
            .webhooks = &batch->opened[i].outbox.puts,
            .runs = batch->opened[i].runs,
            .run_count = batch->opened[i].run_count,
        };
    ok = store_settle_inbound(batch->inbound->config.auth->store, all, batch->count, err);
    free(all);
    return ok;
}

static size_t count_matched(const struct batch *batch, const struct opened *opened)
{
    size_t count = 0;

    for (size_t s = 0; s < opened->count; s++)
        count += batch->searches[opened->first + s].count;
    return count;
}

static void tell(const struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct opened *opened = &batch->opened[i];
        struct oplog_op operation = oplog_op_of(batch->inbound->config.auth->oplog,
            batch->events[i].environment_id, inbound_operation_id(&batch->events[i]));

        if (opened->events == NULL) {
            oplog_end(&operation, OPLOG_FAILED,
                &(struct oplog_error){
                    "webhook_invalid_payload", "It cannot be read", NULL});
            continue;
        }
        oplog_say(&operation, OPLOG_INFO, NULL,
            "It concerns %zu connection%s; scripts ordered: %zu; passed on: %zu",
            count_matched(batch, opened), count_matched(batch, opened) == 1 ? "" : "s",
            opened->run_count, opened->outbox.puts.count);
        oplog_end(&operation, OPLOG_SUCCESS, NULL);
    }
}

static void batch_finish(struct batch *batch)
{
    for (size_t i = 0; batch->opened != NULL && i < batch->count; i++) {
        struct opened *opened = &batch->opened[i];

        for (size_t r = 0; r < opened->run_count; r++)
            free(opened->runs[r].input.data);
        free(opened->runs);
        webhook_outbox_finish(&opened->outbox);
        http_headers_finish(&opened->headers);
        cJSON_Delete(opened->events);
        secret_free(opened->text);
    }
    searches_finish(batch->searches, batch->search_count);
    for (size_t i = 0; i < batch->script_count; i++)
        script_row_free(batch->scripts[i]);
    free(batch->scripts);
    integration_row_unref(batch->integration);
    free(batch->opened);
    store_inbound_free(batch->events, batch->count);
}

/* *more: there may be. */
static bool route_batch(struct inbound *inbound, bool *more, struct err *err)
{
    const struct auth *auth = inbound->config.auth;
    struct batch batch = {.inbound = inbound};
    bool ok;

    *more = false;
    if (!store_list_inbound(auth->store, BATCH, &batch.events, &batch.count, err))
        return false;
    if (batch.count == 0) {
        free(batch.events);
        return true;
    }
    open_all(&batch);
    ok = load(&batch, err) &&
         search_connections(auth, batch.events[0].environment_id,
             batch.events[0].integration_id, batch.searches, batch.search_count, err);
    for (size_t i = 0; ok && i < batch.count; i++)
        ok = follow(&batch, &batch.opened[i], err);
    ok = ok && settle(&batch, err);
    if (ok) {
        *more = true;
        tell(&batch);
        inbound->config.ordered(inbound->config.arg);
        webhooks_wake(inbound->config.webhooks);
    }
    batch_finish(&batch);
    return ok;
}

/* ---- the thread ---- */

static bool is_stopping(struct inbound *inbound)
{
    bool stopping;

    pthread_mutex_lock(&inbound->lock);
    stopping = inbound->stopping;
    pthread_mutex_unlock(&inbound->lock);
    return stopping;
}

/* False: a fault; it is tried again. */
static bool route_all(struct inbound *inbound)
{
    struct err err = {0};
    bool more, ok;

    do {
        ok = route_batch(inbound, &more, &err);
    } while (ok && more && !is_stopping(inbound));
    if (!ok)
        log_event(inbound->config.auth->log, LOG_ERROR,
            "webhooks of providers are not routed", LOG_STR("reason", err.message),
            LOG_END);
    return ok;
}

static void *run_all(void *arg)
{
    struct inbound *inbound = arg;

    pthread_mutex_lock(&inbound->lock);
    while (!inbound->stopping) {
        bool ok;

        inbound->changed = false;
        pthread_mutex_unlock(&inbound->lock);
        ok = route_all(inbound);
        pthread_mutex_lock(&inbound->lock);
        if (inbound->changed || inbound->stopping)
            continue;
        if (ok)
            pthread_cond_wait(&inbound->wake, &inbound->lock);
        else
            (void)cond_wait_ms(&inbound->wake, &inbound->lock, AGAIN_MS);
    }
    pthread_mutex_unlock(&inbound->lock);
    return NULL;
}

/* ---- life ---- */

bool inbound_start(
    const struct inbound_config *config, struct inbound **out, struct err *err)
{
    struct inbound *inbound = MEM_NEW(struct inbound);

    *out = NULL;
    inbound->config = *config;
    pthread_mutex_init(&inbound->lock, NULL);
    cond_init(&inbound->wake);
    inbound->has_thread = pthread_create(&inbound->thread, NULL, run_all, inbound) == 0;
    if (!inbound->has_thread) {
        inbound_free(inbound);
        return err_internal(err, "no thread for webhooks of providers");
    }
    *out = inbound;
    return true;
}

void inbound_stop(struct inbound *inbound)
{
    if (inbound == NULL || !inbound->has_thread)
        return;
    pthread_mutex_lock(&inbound->lock);
    inbound->stopping = true;
    pthread_cond_signal(&inbound->wake);
    pthread_mutex_unlock(&inbound->lock);
    pthread_join(inbound->thread, NULL);
    inbound->has_thread = false;
}

void inbound_free(struct inbound *inbound)
{
    if (inbound == NULL)
        return;
    inbound_stop(inbound);
    pthread_cond_destroy(&inbound->wake);
    pthread_mutex_destroy(&inbound->lock);
    free(inbound);
}
