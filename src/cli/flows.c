/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/flows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "cli/cmd.h"
#include "cli/host.h"

#define MAX_CODE ((size_t)16 << 20)
#define LOAD_MS 10000 /* as the server's */

/* ---- what a script says of itself ---- */

struct description {
    const struct project_script *script;
    struct buf code;
};

static bool read_text(
    const struct project *project, const char *name, struct buf *out, struct err *err)
{
    char *path = project_path(project, name);
    bool ok = cmd_read_file(path, MAX_CODE, out, err);

    if (ok && out->len > 0 &&
        (!str_is_utf8(out->data, out->len) ||
            memchr(out->data, '\0', out->len) != NULL)) {
        buf_finish(out);
        ok = err_set(err, 400, "not_text", "%s is no UTF-8 text", path);
    }
    free(path);
    return ok;
}

static bool append_description(void *arg, struct buf *out, struct err *err)
{
    const struct description *description = arg;
    const struct project_script *script = description->script;

    (void)err;
    host_append_text(out, "kind", script->kind);
    host_append_text(out, "form", "zero");
    host_append_text(out, "file", script->built);
    buf_puts(out, ",\"code\":");
    json_raw_append_quoted(description->code.data != NULL ? description->code.data : "",
        description->code.len, out);
    buf_puts(out, ",\"props\":{},\"load\":true,\"describe\":{\"integration\":");
    json_raw_append_quoted(script->integration, strlen(script->integration), out);
    host_append_text(out, "name", script->name);
    buf_putc(out, '}');
    return true;
}

/* Prints what failed, with its place where that is known. */
static void read_failure(
    const struct project_script *script, const cJSON *error, struct err *err)
{
    const char *message = json_str(error, "message");
    const cJSON *at = json_get(error, "at");
    const char *file = json_str(at, "file");
    int64_t line;

    if (message == NULL)
        message = "it does not load";
    if (file != NULL && json_i64(at, "line", &line))
        fprintf(stderr, "%s:%lld: error: %s\n", file, (long long)line, message);
    else
        fprintf(stderr, "%s: error: %s\n", script->source, message);
    err_set(err, 400, "script_does_not_load", "%.200s does not load", script->source);
}

static cJSON *describe(struct host *host, const struct project *project,
    const struct project_script *script, struct err *err)
{
    struct description description = {.script = script};
    const struct host_run run = {
        .arg = &description, .append = append_description, .wall_ms = LOAD_MS};
    cJSON *result = NULL, *output = NULL;
    struct buf text;

    if (!read_text(project, script->built, &description.code, err))
        return NULL;
    buf_init(&text, 0);
    if (host_run(host, &run, &text, err)) {
        buf_putc(&text, '}');
        result = json_parse(text.data, text.len, err);
    }
    if (result != NULL && str_eq(json_str(result, "status"), "ok"))
        output = cJSON_DetachItemFromObjectCaseSensitive(result, "output");
    else if (result != NULL)
        read_failure(script, json_get(result, "error"), err);
    cJSON_Delete(result);
    buf_finish(&text);
    buf_finish(&description.code);
    return output;
}

/* ---- what nango.yaml says of it ---- */

static void copy(cJSON *flow, const char *name, const cJSON *entry, const char *member)
{
    const cJSON *value = json_get(entry, member);

    if (value != NULL && !cJSON_IsNull(value))
        json_set(flow, name, cJSON_Duplicate(value, true));
}

static cJSON *flow_of_entry(const cJSON *entry)
{
    static const char *const same[] = {"type", "version", "input", "sync_type",
        "endpoints", "webhookSubscriptions", "features", "auto_start", "track_deletes"};
    cJSON *flow = cJSON_CreateObject(), *metadata = cJSON_CreateObject(), *one;

    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        copy(flow, same[i], entry, same[i]);
    json_set(flow, "models", cJSON_CreateArray());
    copy(flow, "models", entry, "output");
    json_set_str(
        flow, "runs", json_str(entry, "runs") != NULL ? json_str(entry, "runs") : "");
    if (cJSON_IsObject(json_get(entry, "endpoint"))) {
        one = cJSON_CreateArray();
        cJSON_AddItemToArray(one, cJSON_Duplicate(json_get(entry, "endpoint"), true));
        json_set(flow, "endpoints", one);
    }
    copy(metadata, "description", entry, "description");
    copy(metadata, "scopes", entry, "scopes");
    json_set(flow, "metadata", metadata);
    return flow;
}

cJSON *flow_of(struct host *host, const struct project *project,
    const struct project_script *script, struct err *err)
{
    cJSON *event;

    if (project->zero)
        return describe(host, project, script, err);
    if (script->entry != NULL)
        return flow_of_entry(script->entry);
    event = cJSON_CreateObject();
    json_set_str(event, "type", script->kind);
    json_set_str(event, "event", script->event);
    return event;
}

/* ---- the body ---- */

static cJSON *file_body(
    const struct project *project, const struct project_script *script, struct err *err)
{
    struct buf js, ts;
    cJSON *file;

    if (!read_text(project, script->built, &js, err))
        return NULL;
    if (!read_text(project, script->source, &ts, err)) {
        buf_finish(&js);
        return NULL;
    }
    file = cJSON_CreateObject();
    json_set_str(file, "js", js.data != NULL ? js.data : "");
    json_set_str(file, "ts", ts.data != NULL ? ts.data : "");
    buf_finish(&js);
    buf_finish(&ts);
    return file;
}

/* The list of an integration's scripts of events; made when there is none. */
static cJSON *events_of(cJSON *events, const char *integration)
{
    cJSON *one, *list;

    cJSON_ArrayForEach(one, events)
    {
        if (str_eq(json_str(one, "providerConfigKey"), integration))
            return json_get_mut(one, "scripts");
    }
    one = cJSON_CreateObject();
    list = cJSON_CreateArray();
    json_set_str(one, "providerConfigKey", integration);
    json_set(one, "scripts", list);
    cJSON_AddItemToArray(events, one);
    return list;
}

/* `flow` goes into the body. */
static void add_flow(
    cJSON *body, const struct project_script *script, cJSON *flow, cJSON *file)
{
    cJSON *events = json_get_mut(body, "onEventScriptsByProvider"), *one;

    if (str_eq(script->kind, "on-event")) {
        one = cJSON_CreateObject();
        json_set_str(one, "name", script->name);
        json_set_str(one, "event", json_str(flow, "event"));
        json_set(one, "fileBody", file);
        cJSON_AddItemToArray(events_of(events, script->integration), one);
        cJSON_Delete(flow);
        return;
    }
    json_set_str(flow, "syncName", script->name);
    json_set_str(flow, "providerConfigKey", script->integration);
    if (str_eq(script->kind, "sync")) {
        json_set(flow, "attributes", cJSON_CreateObject());
    } else { /* as the official command line says it */
        json_set(flow, "runs", cJSON_CreateNull());
        json_set_bool(flow, "track_deletes", false);
    }
    json_set(flow, "fileBody", file);
    cJSON_AddItemToArray(json_get_mut(body, "flowConfigs"), flow);
}

static bool add_script(struct host *host, const struct project *project,
    const struct project_script *script, cJSON *body, struct err *err)
{
    cJSON *flow = flow_of(host, project, script, err);
    cJSON *file = flow != NULL ? file_body(project, script, err) : NULL;

    if (file == NULL) {
        cJSON_Delete(flow);
        return false;
    }
    add_flow(body, script, flow, file);
    return true;
}

static bool is_chosen(
    const struct flows_choice *choice, const struct project_script *script)
{
    if (choice->integration != NULL && !str_eq(choice->integration, script->integration))
        return false;
    if (choice->sync == NULL && choice->action == NULL)
        return true;
    return (str_eq(script->kind, "sync") && str_eq(choice->sync, script->name)) ||
           (str_eq(script->kind, "action") && str_eq(choice->action, script->name));
}

/* What was asked for must be there, and once. */
static bool check_choice(
    const struct project *project, const struct flows_choice *choice, struct err *err)
{
    bool found = choice->integration == NULL;

    for (size_t i = 0; i < project->count && !found; i++)
        found = str_eq(choice->integration, project->scripts[i].integration);
    if (!found)
        return err_set(err, 400, "usage", "the project has no scripts of `%.100s`",
            choice->integration);
    return (choice->sync == NULL || project_find(project, choice->sync,
                                        choice->integration, "sync", err) != NULL) &&
           (choice->action == NULL || project_find(project, choice->action,
                                          choice->integration, "action", err) != NULL);
}

cJSON *flows_body(
    const struct project *project, const struct flows_choice *choice, struct err *err)
{
    bool single = choice->sync != NULL || choice->action != NULL;
    struct host host = {0};
    cJSON *body;
    bool ok;

    if (!check_choice(project, choice, err))
        return NULL;
    body = cJSON_CreateObject();
    json_set(body, "flowConfigs", cJSON_CreateArray());
    json_set_bool(body, "reconcile", false);
    json_set_bool(body, "debug", false);
    json_set_str(body, "deployMode",
        single                        ? "single"
        : choice->integration != NULL ? "integration"
                                      : "all");
    json_set_str(body, "sdkVersion",
        project->zero ? NANGO_VERSION "-zero" : NANGO_VERSION "-yaml");
    if (!single)
        json_set(body, "onEventScriptsByProvider", cJSON_CreateArray());
    if (!project->zero)
        json_set(body, "jsonSchema", models_schema(&project->yaml.models));
    ok = true;
    for (size_t i = 0; ok && i < project->count; i++)
        if (is_chosen(choice, &project->scripts[i]))
            ok = add_script(&host, project, &project->scripts[i], body, err);
    host_finish(&host);
    if (ok)
        return body;
    cJSON_Delete(body);
    return NULL;
}
