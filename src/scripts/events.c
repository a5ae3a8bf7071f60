/* SPDX-License-Identifier: Apache-2.0 */
#include "scripts/events.h"

#include <pthread.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"

/* A run that a thread waits for. */
struct wait {
    pthread_mutex_t lock;
    pthread_cond_t over_now;
    bool over;
    bool ok;
    /* of a failure */
    const char *event, *name;
    const struct log *log;
    char type[64];
    struct buf message;
};

void script_event_log_failure(const struct log *log, const char *event, const char *name,
    const struct script_outcome *outcome)
{
    log_event(log, LOG_WARN, "the script of an event failed", LOG_STR("event", event),
        LOG_STR("script", name), LOG_STR("type", outcome->type), LOG_END);
    log_event(log, LOG_DEBUG, "script", LOG_STR("script", name),
        LOG_STR("level", "error"), LOG_STR("message", outcome->message), LOG_END);
}

/* What the caller is told: the text of what was thrown, where it has one. */
static void put_message(struct buf *out, const struct script_outcome *outcome)
{
    cJSON *payload = outcome->payload != NULL
                         ? json_parse(outcome->payload, strlen(outcome->payload), NULL)
                         : NULL;
    const char *text = json_str(payload, "message");

    if (text == NULL)
        text = json_str(payload, "error");
    if (text == NULL && payload == NULL)
        text = outcome->message;
    buf_puts(out, str_is_empty(text) ? "Connection failed validation" : text);
    cJSON_Delete(payload);
}

static void on_done(void *arg, const struct script_outcome *outcome)
{
    struct wait *wait = arg;

    if (!outcome->ok) {
        script_event_log_failure(wait->log, wait->event, wait->name, outcome);
        str_copy(wait->type, sizeof wait->type, outcome->type);
        put_message(&wait->message, outcome);
    }
    pthread_mutex_lock(&wait->lock);
    wait->ok = outcome->ok;
    wait->over = true;
    pthread_cond_signal(&wait->over_now);
    pthread_mutex_unlock(&wait->lock);
}

/* False: *err says how the caller is to be refused. */
static bool run_one(struct script_events *events, const struct script_row *script,
    struct connection_row *connection, struct err *err)
{
    struct wait wait = {
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .over_now = PTHREAD_COND_INITIALIZER,
        .event = script->event,
        .name = script->name,
        .log = events->log,
    };

    buf_init(&wait.message, 0);
    actions_run(events->actions, &(struct action_order){
                                     .script = script,
                                     .connection = connection,
                                     .done = on_done,
                                     .arg = &wait,
                                 });
    pthread_mutex_lock(&wait.lock);
    while (!wait.over)
        pthread_cond_wait(&wait.over_now, &wait.lock);
    pthread_mutex_unlock(&wait.lock);
    pthread_cond_destroy(&wait.over_now);
    pthread_mutex_destroy(&wait.lock);
    if (!wait.ok && strcmp(wait.type, "script_aborted") == 0)
        err_set(err, 503, "server_error", "The server is stopping");
    else if (!wait.ok)
        err_set(err, 400, "connection_validation_failed", "%s", wait.message.data);
    buf_finish(&wait.message);
    return wait.ok;
}

static bool list(struct script_events *events, struct connection_row *connection,
    const char *event, struct script_row ***rows, size_t *count, struct err *err)
{
    const struct script_filter filter = {
        .environment_id = connection->environment_id,
        .integration_id = connection->integration_id,
        .kind = SCRIPT_ON_EVENT,
        .event = event,
        .enabled = true,
    };

    return store_list_scripts(events->store, &filter, rows, count, NULL, err);
}

/* ---- judging ---- */

static bool is_judged(
    void *arg, int64_t environment_id, int64_t integration_id, bool *yes, struct err *err)
{
    struct script_events *events = arg;

    return store_has_event_script(
        events->store, environment_id, integration_id, EVENT_VALIDATING, yes, err);
}

static bool judge(void *arg, struct connection_row *held, struct err *err)
{
    struct script_events *events = arg;
    struct script_row **rows = NULL;
    size_t count = 0;
    bool ok;

    if (events->actions == NULL)
        return err_set(err, 503, "connection_validation_failed",
            "This server runs no scripts, so the connection cannot be validated: "
            "nango-runner was not found (scripts.runner)");
    ok = list(events, held, EVENT_VALIDATING, &rows, &count, err);
    for (size_t i = 0; ok && i < count; i++)
        ok = run_one(events, rows[i], held, err);
    store_scripts_free(rows, count);
    return ok;
}

struct connection_gate script_events_gate(struct script_events *events)
{
    return (struct connection_gate){
        .is_judged = is_judged,
        .judge = judge,
        .event = events->actions != NULL ? EVENT_CREATED : NULL,
        .arg = events,
    };
}

/* ---- before a deletion ---- */

bool script_events_precede_deletion(struct script_events *events,
    struct connection_row *connection, bool *yes, struct err *err)
{
    *yes = false;
    return events->actions == NULL ||
           store_has_event_script(events->store, connection->environment_id,
               connection->integration_id, EVENT_DELETING, yes, err);
}

void script_events_run_before_deletion(
    struct script_events *events, struct connection_row *connection)
{
    struct script_row **rows = NULL;
    struct err err = {0};
    size_t count = 0;

    if (!list(events, connection, EVENT_DELETING, &rows, &count, &err))
        log_event(events->log, LOG_ERROR, "scripts before a deletion cannot be read",
            LOG_STR("reason", err.message), LOG_END);
    for (size_t i = 0; i < count; i++)
        (void)run_one(events, rows[i], connection, &err); /* it has logged a failure */
    store_scripts_free(rows, count);
}
