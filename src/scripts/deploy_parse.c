/* SPDX-License-Identifier: Apache-2.0 */
/* The body of a deploy. Members of no use here (debug, nangoYamlBody, whatever a release
 * adds) are left alone; what is used is checked, as fuzzers and other callers than the
 * API give any JSON. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "scripts/deploy_int.h"
#include "scripts/schema.h"
#include "store/frequency.h"

/* All schemas of a deploy together, as they are kept: beside each script. */
#define SCHEMA_BUDGET ((size_t)64 * 1024 * 1024)
#define MAX_NAME 255

static const char *const events[] = {EVENT_CREATED, EVENT_DELETING, EVENT_VALIDATING};
static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};

struct parsing {
    const cJSON *body;
    struct deploy *deploy;
    struct schema_index *shared; /* the body's jsonSchema; NULL = it has none */
    size_t room;                 /* of deploy->items */
    size_t budget;
    struct deploy_fault *fault;
};

bool deploy_blame(struct deploy_fault *fault, const struct deploy_item *item)
{
    str_copy(fault->integration, sizeof fault->integration, item->integration);
    str_copy(fault->script, sizeof fault->script, item->name);
    return err_context(&fault->err, "%s \"%.100s\" of \"%.*s\"",
        script_kind_name(item->kind), item->name, str_cut(item->integration, 100),
        item->integration);
}

static bool refuse(struct parsing *p, const struct deploy_item *item, const char *code,
    const char *message)
{
    err_set(&p->fault->err, 400, code, "%s", message);
    return deploy_blame(p->fault, item);
}

/* ---- small readers ---- */

static bool is_name(const char *s)
{
    return !str_is_empty(s) && strlen(s) <= MAX_NAME && str_all_alnum_or(s, "_-");
}

/* As records are asked for by it. */
static bool is_model(const char *s)
{
    return is_name(s) && s[1] != '\0' && *s >= 'A' && *s <= 'Z';
}

/* Texts of a list; in early bodies also one text, and gaps. */
static cJSON *texts_of(const cJSON *value)
{
    cJSON *out = cJSON_CreateArray();
    const cJSON *child;

    if (cJSON_IsString(value) && value->valuestring[0] != '\0')
        cJSON_AddItemToArray(out, cJSON_CreateString(value->valuestring));
    if (!cJSON_IsArray(value))
        return out;
    cJSON_ArrayForEach(child, value)
    {
        if (cJSON_IsString(child))
            cJSON_AddItemToArray(out, cJSON_CreateString(child->valuestring));
    }
    return out;
}

static char *texts_json(const cJSON *value)
{
    cJSON *list = texts_of(value);
    char *text = json_print(list);

    cJSON_Delete(list);
    return text;
}

/* `repo,user` as well as a list. */
static char *scopes_json(const cJSON *value)
{
    cJSON *list;
    char *text, *rest, *part;

    if (!cJSON_IsString(value))
        return texts_json(value);
    list = cJSON_CreateArray();
    text = str_dup(value->valuestring);
    rest = text;
    while ((part = strsep(&rest, ",")) != NULL) {
        part = str_trim(part);
        if (*part != '\0')
            cJSON_AddItemToArray(list, cJSON_CreateString(part));
    }
    free(text);
    text = json_print(list);
    cJSON_Delete(list);
    return text;
}

static char *text_or_null(const cJSON *object, const char *name)
{
    const char *text = json_str(object, name);

    return str_is_empty(text) ? NULL : str_dup(text);
}

/* A list, or its text. What is neither says nothing, and was never needed to run. */
static char *model_schema_json(const cJSON *value)
{
    struct err ignored = {0};
    cJSON *parsed;
    char *text = NULL;

    if (cJSON_IsArray(value))
        return json_print(value);
    if (!cJSON_IsString(value))
        return NULL;
    parsed = json_parse(value->valuestring, strlen(value->valuestring), &ignored);
    if (cJSON_IsArray(parsed))
        text = json_print(parsed);
    cJSON_Delete(parsed);
    return text;
}

/* ---- endpoints ---- */

static const char *method_of(const char *text)
{
    for (size_t i = 0; text != NULL && i < sizeof methods / sizeof methods[0]; i++)
        if (str_eq_nocase(methods[i], text))
            return methods[i];
    return NULL;
}

/* {method, path, group} or the early {GET: "/path"}. NULL when it is neither. */
static cJSON *read_endpoint(const cJSON *value, enum script_kind kind)
{
    const char *path = json_str(value, "path");
    const char *method = json_str(value, "method");
    const cJSON *child;
    cJSON *out;

    if (path != NULL && method == NULL)
        method = kind == SCRIPT_ACTION ? "POST" : "GET";
    if (path == NULL && cJSON_IsObject(value))
        cJSON_ArrayForEach(child, value)
        {
            if (method_of(child->string) == NULL || !cJSON_IsString(child))
                continue;
            method = child->string;
            path = child->valuestring;
            break;
        }
    method = method_of(method);
    if (method == NULL || str_is_empty(path))
        return NULL;
    out = cJSON_CreateObject();
    json_set_str(out, "method", method);
    json_set_str(out, "path", path);
    json_set_str(out, "group", json_str(value, "group"));
    return out;
}

static bool read_endpoints(
    struct parsing *p, struct deploy_item *item, const cJSON *value)
{
    const cJSON *child;

    item->endpoints = cJSON_CreateArray();
    if (!cJSON_IsArray(value))
        return true;
    cJSON_ArrayForEach(child, value)
    {
        cJSON *endpoint = read_endpoint(child, item->kind);

        if (endpoint == NULL)
            return refuse(p, item, "invalid_body",
                "an endpoint is neither {method, path} nor {GET: path}");
        cJSON_AddItemToArray(item->endpoints, endpoint);
    }
    return true;
}

/* ---- models and their schema ---- */

static bool read_models(struct parsing *p, struct deploy_item *item, const cJSON *value)
{
    const cJSON *child;

    item->models = texts_of(value);
    cJSON_ArrayForEach(child, item->models)
    {
        const char *name = child->valuestring;
        bool ok = p->deploy->early || item->kind != SCRIPT_SYNC
                      ? name[0] != '\0' && strlen(name) <= MAX_NAME
                      : is_model(name);

        if (ok)
            continue;
        err_set(&p->fault->err, 400, "invalid_body",
            "\"%.*s\" is no name of a model: letters, digits, _ and -, at least two, "
            "the first one a capital",
            str_cut(name, 100), name);
        return deploy_blame(p->fault, item);
    }
    item->spec.models_json = json_print(item->models);
    return true;
}

/* The definitions of the models and of the input. Early bodies have no schema at all. */
static bool pick_schema(struct parsing *p, struct deploy_item *item, const cJSON *own)
{
    size_t models = (size_t)cJSON_GetArraySize(item->models), count = 0;
    struct schema_index *index = p->shared;
    const char **names;
    const cJSON *child;
    char *text;

    if (cJSON_IsObject(own))
        index = schema_index_new(own);
    if (index == NULL)
        return true;
    names = mem_zalloc((models + 1) * sizeof *names);
    cJSON_ArrayForEach(child, item->models)
    {
        names[count++] = child->valuestring;
    }
    if (item->spec.input != NULL)
        names[count++] = item->spec.input;
    text = schema_pick(index, names, count, &p->budget, &p->fault->err);
    free(names);
    if (index != p->shared)
        schema_index_free(index);
    item->spec.json_schema = text;
    return text != NULL || deploy_blame(p->fault, item);
}

/* ---- one script ---- */

/* The item joins the deploy, which frees it, at once. */
static struct deploy_item *add_item(struct parsing *p)
{
    struct deploy *deploy = p->deploy;

    if (deploy->count == p->room) {
        p->room = p->room > 0 ? 2 * p->room : 16;
        deploy->items = mem_resize_array(deploy->items, p->room, sizeof *deploy->items);
    }
    deploy->items[deploy->count] = (struct deploy_item){0};
    return &deploy->items[deploy->count++];
}

/* Who it is, and its code. */
static bool read_identity(
    struct parsing *p, struct deploy_item *item, const cJSON *script, const char *name)
{
    const cJSON *file = json_get(script, "fileBody");

    item->name = name;
    item->js = json_str(file, "js");
    item->ts = json_str(file, "ts");
    if (p->deploy->count > DEPLOY_MAX_SCRIPTS)
        return err_set(&p->fault->err, 413, "request_too_large",
            "a deploy has at most %d scripts", DEPLOY_MAX_SCRIPTS);
    if (str_is_empty(item->integration) || strlen(item->integration) > MAX_NAME)
        return err_set(&p->fault->err, 400, "missing_required_fields_on_deploy",
            "a script does not say its providerConfigKey");
    if (!is_name(item->name)) {
        item->name = "";
        return refuse(p, item, "missing_required_fields_on_deploy",
            "a name has letters, digits, _ and -, at most 255 of them");
    }
    if (str_is_empty(item->js))
        return refuse(
            p, item, "missing_required_fields_on_deploy", "it has no code (fileBody.js)");
    item->spec.source = str_dup(p->deploy->source);
    item->spec.sdk_version = text_or_null(p->body, "sdkVersion");
    return true;
}

static bool read_schedule(struct parsing *p, struct deploy_item *item, const cJSON *flow)
{
    const char *type = json_str(flow, "sync_type");
    bool incremental = type != NULL && str_eq_nocase(type, "incremental");
    int64_t interval_ms;

    if (item->kind != SCRIPT_SYNC)
        return true;
    item->spec.runs = text_or_null(flow, "runs");
    if (item->spec.runs == NULL)
        return refuse(p, item, "missing_required_fields_on_deploy",
            "a sync says how often it runs");
    if (!frequency_parse(item->spec.runs, &interval_ms, &p->fault->err))
        return deploy_blame(p->fault, item);
    item->spec.sync_type = str_dup(incremental ? "incremental" : "full");
    item->spec.auto_start = json_bool(flow, "auto_start", false);
    item->spec.track_deletes = json_bool(flow, "track_deletes", false);
    if (incremental && item->spec.track_deletes)
        return refuse(p, item, "invalid_body",
            "track_deletes needs all records of each run: it does not go with "
            "sync_type incremental");
    return true;
}

/* "" and, in early bodies, a number. */
static char *version_of(const cJSON *value)
{
    if (cJSON_IsNumber(value))
        return json_print(value);
    return cJSON_IsString(value) && value->valuestring[0] != '\0' &&
                   strlen(value->valuestring) <= MAX_NAME
               ? str_dup(value->valuestring)
               : NULL;
}

static bool read_flow(struct parsing *p, const cJSON *flow)
{
    struct deploy_item *item = add_item(p);
    const cJSON *metadata = json_get(flow, "metadata");
    const cJSON *attributes = json_get(flow, "attributes");
    const char *description = json_str(metadata, "description");
    const char *type = json_str(flow, "type");
    const char *name = json_str(flow, "syncName");

    item->kind = str_eq(type, "action") ? SCRIPT_ACTION : SCRIPT_SYNC;
    item->integration = json_str(flow, "providerConfigKey");
    if (!read_identity(p, item, flow, name != NULL ? name : json_str(flow, "name")))
        return false;
    if (type != NULL && !str_eq(type, "action") && !str_eq(type, "sync"))
        return refuse(p, item, "invalid_body", "its type is neither sync nor action");
    item->spec.version = version_of(json_get(flow, "version"));
    item->spec.description = str_dup(description != NULL ? description : "");
    item->spec.scopes_json = scopes_json(json_get(metadata, "scopes"));
    item->spec.attributes_json =
        cJSON_IsObject(attributes) ? json_print(attributes) : str_dup("{}");
    item->spec.features_json = texts_json(json_get(flow, "features"));
    item->spec.webhook_subscriptions_json =
        texts_json(json_get(flow, "webhookSubscriptions"));
    item->spec.input = text_or_null(flow, "input");
    item->spec.model_schema_json = model_schema_json(json_get(flow, "model_schema"));
    if (!read_endpoints(p, item, json_get(flow, "endpoints")) ||
        !read_models(p, item, json_get(flow, "models")) ||
        !read_schedule(p, item, flow) ||
        !pick_schema(p, item, json_get(flow, "models_json_schema")))
        return false;
    item->spec.endpoints_json = json_print(item->endpoints);
    return true;
}

/* ---- event scripts ---- */

static const char *event_of(const char *text)
{
    for (size_t i = 0; text != NULL && i < sizeof events / sizeof events[0]; i++)
        if (strcmp(events[i], text) == 0)
            return events[i];
    return NULL;
}

static bool read_event_script(
    struct parsing *p, const char *integration, const cJSON *script, const char *event)
{
    struct deploy_item *item = add_item(p);

    item->kind = SCRIPT_ON_EVENT;
    item->integration = integration;
    if (!read_identity(p, item, script, json_str(script, "name")))
        return false;
    item->event = event_of(event);
    if (item->event == NULL)
        return refuse(p, item, "invalid_body",
            "its event is none of post-connection-creation, pre-connection-deletion, "
            "validate-connection");
    item->models = cJSON_CreateArray();
    item->endpoints = cJSON_CreateArray();
    item->spec.description = str_dup("");
    item->spec.models_json = str_dup("[]");
    item->spec.endpoints_json = str_dup("[]");
    item->spec.scopes_json = str_dup("[]");
    item->spec.attributes_json = str_dup("{}");
    item->spec.features_json = str_dup("[]");
    item->spec.webhook_subscriptions_json = str_dup("[]");
    return true;
}

/* `fixed`: the event of the form that knew only one; NULL = each script says its own. */
static bool read_events(struct parsing *p, const char *member, const char *fixed)
{
    const cJSON *list = json_get(p->body, member);
    const cJSON *provider, *script;

    if (!cJSON_IsArray(list))
        return true;
    p->deploy->with_events = true;
    cJSON_ArrayForEach(provider, list)
    {
        const char *integration = json_str(provider, "providerConfigKey");
        const cJSON *scripts = json_get(provider, "scripts");

        if (!cJSON_IsArray(scripts))
            return err_set(&p->fault->err, 400, "invalid_body",
                "%s has an element without a list of scripts", member);
        cJSON_ArrayForEach(script, scripts)
        {
            if (!read_event_script(p, integration, script,
                    fixed != NULL ? fixed : json_str(script, "event")))
                return false;
        }
    }
    return true;
}

/* ---- the body ---- */

static enum deploy_mode mode_of(const cJSON *body)
{
    const char *mode = json_str(body, "deployMode");

    if (mode == NULL)
        return json_bool(body, "singleDeployMode", false) ? DEPLOY_SINGLE : DEPLOY_ALL;
    return strcmp(mode, "single") == 0        ? DEPLOY_SINGLE
           : strcmp(mode, "integration") == 0 ? DEPLOY_INTEGRATION
                                              : DEPLOY_ALL;
}

static bool read_body(struct parsing *p)
{
    const cJSON *flows = json_get(p->body, "flowConfigs");
    const cJSON *flow;
    const char *source = json_str(p->body, "source");

    p->deploy->early = flows == NULL;
    if (flows == NULL)
        flows = json_get(p->body, "syncs");
    if (!cJSON_IsArray(flows))
        return err_set(
            &p->fault->err, 400, "invalid_body", "flowConfigs: a list is expected");
    p->deploy->mode = mode_of(p->body);
    p->deploy->reconcile = json_bool(p->body, "reconcile", false);
    p->deploy->source = str_is_empty(source) ? "repo" : source;
    cJSON_ArrayForEach(flow, flows)
    {
        if (!read_flow(p, flow))
            return false;
    }
    return read_events(p, "onEventScriptsByProvider", NULL) &&
           read_events(p, "postConnectionScriptsByProvider", EVENT_CREATED) &&
           deploy_check_unique(p->deploy, p->fault);
}

bool deploy_parse(const cJSON *body, struct deploy *out, struct deploy_fault *fault)
{
    const cJSON *shared = json_get(body, "jsonSchema");
    struct parsing p = {
        .body = body, .deploy = out, .budget = SCHEMA_BUDGET, .fault = fault};
    bool ok;

    *out = (struct deploy){0};
    if (cJSON_IsObject(shared))
        p.shared = schema_index_new(shared);
    ok = read_body(&p);
    schema_index_free(p.shared);
    if (!ok)
        deploy_finish(out);
    return ok;
}

static void item_finish(struct deploy_item *item)
{
    struct script_spec *spec = &item->spec;
    char *const texts[] = {spec->version, spec->description, spec->models_json,
        spec->input, spec->endpoints_json, spec->scopes_json, spec->json_schema,
        spec->model_schema_json, spec->runs, spec->sync_type,
        spec->webhook_subscriptions_json, spec->attributes_json, spec->features_json,
        spec->sdk_version, spec->source};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        free(texts[i]);
    cJSON_Delete(item->models);
    cJSON_Delete(item->endpoints);
}

void deploy_finish(struct deploy *deploy)
{
    for (size_t i = 0; i < deploy->count; i++)
        item_finish(&deploy->items[i]);
    free(deploy->items);
    *deploy = (struct deploy){0};
}
