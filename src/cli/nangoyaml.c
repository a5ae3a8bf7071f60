/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/nangoyaml.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"

struct reading {
    struct nango_yaml *yaml;
    const char *file;
    struct faults *faults;
    const char *integration;
    cJSON *endpoints; /* of this integration, by "METHOD PATH" */
    cJSON *outputs;   /* models of its syncs, by name */
};

/* ---- values ---- */

/* A scalar as it was written; NULL for what is none. */
static const char *scalar(const struct tree_node *node)
{
    return node == NULL || node->kind == TREE_NULL || node->kind == TREE_LIST ||
                   node->kind == TREE_MAP
               ? NULL
               : node->text;
}

static void set_text(
    cJSON *out, const char *name, const struct tree_node *script, const char *member)
{
    const char *text = scalar(tree_get(script, member));
    char *copy = str_dup(text != NULL ? text : "");

    json_set_str(out, name, str_trim(copy));
    free(copy);
}

static bool flag(const struct tree_node *script, const char *member, bool otherwise)
{
    const struct tree_node *node = tree_get(script, member);

    return node != NULL && node->kind == TREE_BOOL ? node->truth : otherwise;
}

/* One word or a list of them. `commas`: a word may be many. */
static cJSON *words(struct reading *r, const struct tree_node *node, bool commas)
{
    cJSON *list = cJSON_CreateArray();
    char *copy, *from;

    if (node == NULL || node->kind == TREE_NULL)
        return list;
    if (node->kind == TREE_LIST) {
        for (const struct tree_node *one = node->first; one != NULL; one = one->next)
            if (scalar(one) != NULL)
                cJSON_AddItemToArray(list, cJSON_CreateString(scalar(one)));
            else
                faults_add(r->faults, r->file, one->line, "a word is expected, not %s",
                    tree_kind_name(one->kind));
        return list;
    }
    if (scalar(node) == NULL) {
        faults_add(r->faults, r->file, node->line, "a word or a list of words, not %s",
            tree_kind_name(node->kind));
        return list;
    }
    if (!commas) {
        cJSON_AddItemToArray(list, cJSON_CreateString(node->text));
        return list;
    }
    copy = from = str_dup(node->text);
    while (from != NULL) {
        char *comma = strchr(from, ',');

        if (comma != NULL)
            *comma = '\0';
        from = str_trim(from);
        if (*from != '\0')
            cJSON_AddItemToArray(list, cJSON_CreateString(from));
        from = comma != NULL ? comma + 1 : NULL;
    }
    free(copy);
    return list;
}

/* ---- models of a script ---- */

static const struct model *model_for(struct reading *r, const struct tree_node *node,
    const char *type, const char *script, const char *what)
{
    static const char *const extra = "_";
    char *key = str_dup(r->integration), *name = str_dup(script);
    char *const parts[] = {key, name};
    const struct model *model;
    char *anonymous;

    for (size_t i = 0; i < 2; i++) {
        char *to = parts[i];

        for (const char *from = parts[i]; *from != '\0'; from++) {
            const char one[2] = {*from, '\0'};

            if (str_all_alnum_or(one, extra))
                *to++ = *from;
        }
        *to = '\0';
    }
    anonymous = str_printf("Anonymous_%s_%s_%s_%s", key, type, name, what);
    model = models_for(&r->yaml->models, node, anonymous);
    free(anonymous);
    free(key);
    free(name);
    return model;
}

static cJSON *outputs_of(
    struct reading *r, const struct tree_node *node, const char *type, const char *script)
{
    cJSON *list = cJSON_CreateArray();
    const struct tree_node *one = node;
    bool many = node != NULL && node->kind == TREE_LIST;

    if (node == NULL || node->kind == TREE_NULL)
        return list;
    if (many)
        one = node->first;
    for (; one != NULL; one = many ? one->next : NULL) {
        const struct model *model = model_for(r, one, type, script, "output");

        if (model != NULL)
            cJSON_AddItemToArray(list, cJSON_CreateString(model->name));
    }
    return list;
}

static void set_input(
    struct reading *r, cJSON *out, const struct tree_node *script, const char *type)
{
    const struct tree_node *node = tree_get(script, "input");
    const struct model *model = NULL;

    if (node != NULL && node->kind != TREE_NULL)
        model = model_for(r, node, type, script->key, "input");
    json_set_str(out, "input", model != NULL ? model->name : NULL);
}

static void set_used(struct reading *r, cJSON *out)
{
    cJSON *used = cJSON_CreateArray();
    const char *input = json_str(out, "input");
    const cJSON *one;

    cJSON_ArrayForEach(one, json_get(out, "output"))
    {
        models_used(&r->yaml->models, one->valuestring, used);
    }
    if (input != NULL)
        models_used(&r->yaml->models, input, used);
    json_set(out, "usedModels", used);
}

/* A sync saves records of its models: they need an id, and no other sync may save them. */
static void check_outputs(
    struct reading *r, const struct tree_node *script, const cJSON *outputs)
{
    const cJSON *one;

    if (cJSON_GetArraySize(outputs) == 0)
        faults_add(r->faults, r->file, script->line,
            "the sync %s has no output: the name of a model is needed", script->key);
    cJSON_ArrayForEach(one, outputs)
    {
        const char *name = one->valuestring;
        const struct model *model = models_find(&r->yaml->models, name);

        if (json_get(r->outputs, name) != NULL)
            faults_add(r->faults, r->file, script->line,
                "the model %s is given twice among the syncs of %s", name,
                r->integration);
        else if (model->type != NULL)
            faults_add(r->faults, r->file, script->line,
                "the output of the sync %s is no model of this file", script->key);
        else if (model_field(model, "id") == NULL)
            faults_add(r->faults, r->file, script->line,
                "the model %s has no field `id`, which records of a sync need", name);
        json_set_bool(r->outputs, name, true);
    }
}

/* ---- endpoints ---- */

static void add_endpoint(struct reading *r, const struct tree_node *node,
    const char *default_method, cJSON *list)
{
    const char *text = scalar(node), *method = default_method, *path = text,
               *group = NULL;
    cJSON *endpoint;
    char *copy = NULL, *space, *line;

    if (node->kind == TREE_MAP) {
        const char *given = scalar(tree_get(node, "method"));

        method = given != NULL ? given : default_method;
        path = scalar(tree_get(node, "path"));
        group = scalar(tree_get(node, "group"));
    } else if (text != NULL) {
        copy = str_dup(text);
        path = str_trim(copy);
        space = strchr(path, ' ');
        if (space != NULL) {
            method = path;
            *space = '\0';
            path = str_trim(space + 1);
        }
    }
    if (str_is_empty(path)) {
        faults_add(r->faults, r->file, node->line,
            "an endpoint is `METHOD /path`, or a map with method and path");
        free(copy);
        return;
    }
    endpoint = cJSON_CreateObject();
    json_set_str(endpoint, "method", method);
    json_set_str(endpoint, "path", path);
    if (group != NULL)
        json_set_str(endpoint, "group", group);
    cJSON_AddItemToArray(list, endpoint);
    line = str_printf("%s %s", method, path);
    if (json_get(r->endpoints, line) != NULL)
        faults_add(r->faults, r->file, node->line, "the endpoint %s is given twice in %s",
            line, r->integration);
    json_set_bool(r->endpoints, line, true);
    free(line);
    free(copy);
}

static cJSON *endpoints_of(
    struct reading *r, const struct tree_node *node, const char *default_method)
{
    cJSON *list = cJSON_CreateArray();

    if (node == NULL || node->kind == TREE_NULL)
        return list;
    if (node->kind != TREE_LIST) {
        add_endpoint(r, node, default_method, list);
        return list;
    }
    for (const struct tree_node *one = node->first; one != NULL; one = one->next)
        add_endpoint(r, one, default_method, list);
    return list;
}

/* ---- scripts ---- */

static bool is_map(struct reading *r, const struct tree_node *node)
{
    if (node->kind == TREE_MAP)
        return true;
    if (node->kind != TREE_NULL)
        faults_add(r->faults, r->file, node->line, "%s is %s, not a map", node->key,
            tree_kind_name(node->kind));
    return false;
}

static cJSON *new_script(const struct tree_node *script, const char *type)
{
    cJSON *out = cJSON_CreateObject();

    json_set_str(out, "name", script->key);
    json_set_str(out, "type", type);
    set_text(out, "description", script, "description");
    set_text(out, "version", script, "version");
    return out;
}

/* What the forms have in common; `output`: the member with the models. */
static cJSON *read_sync(
    struct reading *r, const struct tree_node *script, const char *output)
{
    cJSON *out = new_script(script, "sync");

    set_text(out, "runs", script, "runs");
    if (str_is_empty(json_str(out, "runs")))
        faults_add(r->faults, r->file, script->line,
            "the sync %s does not say how often it `runs`", script->key);
    json_set_bool(out, "track_deletes", flag(script, "track_deletes", false));
    json_set_bool(out, "auto_start", flag(script, "auto_start", true));
    json_set(out, "output", outputs_of(r, tree_get(script, output), "sync", script->key));
    check_outputs(r, script, json_get(out, "output"));
    return out;
}

static cJSON *read_sync_v2(struct reading *r, const struct tree_node *script)
{
    cJSON *out = read_sync(r, script, "output");
    const char *type = scalar(tree_get(script, "sync_type"));
    const struct tree_node *endpoint = tree_get(script, "endpoint");

    json_set_str(out, "sync_type",
        type != NULL && str_eq_nocase(type, "incremental") ? "incremental" : "full");
    set_input(r, out, script, "sync");
    json_set(out, "scopes", words(r, tree_get(script, "scopes"), true));
    json_set(out, "endpoints", endpoints_of(r, endpoint, "GET"));
    json_set(out, "webhookSubscriptions",
        words(r, tree_get(script, "webhook-subscriptions"), false));
    json_set(out, "features", cJSON_CreateArray());
    if (endpoint != NULL && endpoint->kind != TREE_NULL &&
        cJSON_GetArraySize(json_get(out, "endpoints")) !=
            cJSON_GetArraySize(json_get(out, "output")))
        faults_add(r->faults, r->file, script->line,
            "the sync %s has %d endpoints and %d models: each model has one", script->key,
            cJSON_GetArraySize(json_get(out, "endpoints")),
            cJSON_GetArraySize(json_get(out, "output")));
    set_used(r, out);
    return out;
}

static void set_output_or_null(cJSON *out, cJSON *outputs)
{
    if (cJSON_GetArraySize(outputs) > 0) {
        json_set(out, "output", outputs);
        return;
    }
    cJSON_Delete(outputs);
    json_set(out, "output", cJSON_CreateNull());
}

static cJSON *read_action_v2(struct reading *r, const struct tree_node *script)
{
    cJSON *out = new_script(script, "action"), *endpoints;

    json_set(out, "scopes", words(r, tree_get(script, "scopes"), true));
    set_output_or_null(
        out, outputs_of(r, tree_get(script, "output"), "action", script->key));
    set_input(r, out, script, "action");
    endpoints = endpoints_of(r, tree_get(script, "endpoint"), "POST");
    if (cJSON_GetArraySize(endpoints) > 1)
        faults_add(r->faults, r->file, script->line, "an action has one endpoint");
    json_set(out, "endpoint",
        endpoints->child != NULL ? cJSON_DetachItemFromArray(endpoints, 0)
                                 : cJSON_CreateNull());
    cJSON_Delete(endpoints);
    json_set(out, "features", cJSON_CreateArray());
    set_used(r, out);
    return out;
}

static cJSON *read_sync_v1(struct reading *r, const struct tree_node *script)
{
    cJSON *out = read_sync(r, script, "returns");

    /* To find what is gone all records are needed: with track_deletes it is a full one. */
    json_set_str(out, "sync_type",
        json_bool(out, "track_deletes", false) ? "full" : "incremental");
    json_set(out, "input", cJSON_CreateNull());
    json_set(out, "scopes", cJSON_CreateArray());
    json_set(out, "endpoints", cJSON_CreateArray());
    json_set(out, "webhookSubscriptions", cJSON_CreateArray());
    set_used(r, out);
    return out;
}

static cJSON *read_action_v1(struct reading *r, const struct tree_node *script)
{
    cJSON *out = new_script(script, "action");

    json_set(out, "endpoint", cJSON_CreateNull());
    json_set(out, "input", cJSON_CreateNull());
    json_set(out, "scopes", cJSON_CreateArray());
    /* The official name for its anonymous models says `sync` of actions, too. */
    set_output_or_null(
        out, outputs_of(r, tree_get(script, "returns"), "sync", script->key));
    set_used(r, out);
    return out;
}

/* ---- integrations ---- */

static void read_list(struct reading *r, const struct tree_node *list, cJSON *into,
    cJSON *(*read)(struct reading *r, const struct tree_node *script))
{
    if (list == NULL || !is_map(r, list))
        return;
    for (const struct tree_node *one = list->first; one != NULL; one = one->next)
        if (is_map(r, one))
            cJSON_AddItemToArray(into, read(r, one));
}

static void read_events(
    struct reading *r, const struct tree_node *integration, cJSON *out)
{
    static const char *const names[] = {
        "post-connection-creation", "pre-connection-deletion", "validate-connection"};
    const struct tree_node *events = tree_get(integration, "on-events"),
                           *early = tree_get(integration, "post-connection-scripts");
    cJSON *all = cJSON_CreateObject();

    json_set(out, "onEventScripts", all);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        json_set(all, names[i], words(r, tree_get(events, names[i]), false));
    for (const struct tree_node *one = events != NULL ? events->first : NULL; one != NULL;
         one = one->next)
        if (one->key == NULL || json_get(all, one->key) == NULL)
            faults_add(r->faults, r->file, one->line,
                "`%s` is no event: there are post-connection-creation, "
                "pre-connection-deletion and validate-connection",
                one->key != NULL ? one->key : "");
    if (early == NULL || early->kind == TREE_NULL)
        return;
    if (events != NULL && events->first != NULL)
        faults_add(r->faults, r->file, early->line,
            "post-connection-scripts is the old name of on-events > "
            "post-connection-creation: one of both");
    json_set(out, "postConnectionScripts", words(r, early, false));
}

static void read_v2(struct reading *r, const struct tree_node *node, cJSON *out)
{
    read_list(r, tree_get(node, "syncs"), json_get_mut(out, "syncs"), read_sync_v2);
    read_list(r, tree_get(node, "actions"), json_get_mut(out, "actions"), read_action_v2);
    read_events(r, node, out);
}

static void read_v1(struct reading *r, const struct tree_node *node, cJSON *out)
{
    for (const struct tree_node *one = node->first; one != NULL; one = one->next) {
        const char *type = scalar(tree_get(one, "type"));
        bool action = str_eq(type, "action");

        if (strcmp(one->key, "provider") == 0 || !is_map(r, one))
            continue;
        if (type != NULL && !action && !str_eq(type, "sync"))
            faults_add(r->faults, r->file, one->line,
                "the type of %s is `%s`, neither sync nor action", one->key, type);
        cJSON_AddItemToArray(json_get_mut(out, action ? "actions" : "syncs"),
            (action ? read_action_v1 : read_sync_v1)(r, one));
    }
    read_events(r, NULL, out);
}

static bool is_v2(const struct tree_node *integrations)
{
    const struct tree_node *first = integrations->first;

    return first != NULL &&
           (tree_get(first, "syncs") != NULL || tree_get(first, "actions") != NULL ||
               tree_get(first, "on-events") != NULL ||
               tree_get(first, "post-connection-scripts") != NULL);
}

static void read_integrations(struct reading *r, const struct tree_node *list)
{
    bool v2 = is_v2(list);

    for (const struct tree_node *one = list->first; one != NULL; one = one->next) {
        cJSON *out;

        if (!is_map(r, one))
            continue;
        out = cJSON_CreateObject();
        r->integration = one->key;
        r->endpoints = cJSON_CreateObject();
        r->outputs = cJSON_CreateObject();
        json_set_str(out, "providerConfigKey", one->key);
        json_set(out, "syncs", cJSON_CreateArray());
        json_set(out, "actions", cJSON_CreateArray());
        cJSON_AddItemToArray(r->yaml->integrations, out);
        (v2 ? read_v2 : read_v1)(r, one, out);
        cJSON_Delete(r->endpoints);
        cJSON_Delete(r->outputs);
    }
}

bool nango_yaml_read(const char *file, const char *text, size_t len,
    struct nango_yaml *out, struct faults *faults, struct faults *warnings)
{
    struct reading r = {.yaml = out, .file = file, .faults = faults};
    size_t before = faults->count;
    const struct tree_node *list;

    *out = (struct nango_yaml){.integrations = cJSON_CreateArray()};
    out->models = (struct models){.file = file, .faults = faults, .warnings = warnings};
    if (len > NANGO_YAML_MAX) {
        faults_add(faults, file, 0, "larger than %zu bytes", NANGO_YAML_MAX);
        return false;
    }
    if (!tree_parse(file, text, len, &out->tree, faults))
        return false;
    list = tree_get(out->tree.root, "integrations");
    models_read(&out->models, tree_get(out->tree.root, "models"));
    if (list == NULL || list->kind != TREE_MAP)
        faults_add(faults, file, list != NULL ? list->line : 0,
            "there is no map `integrations` in it");
    else if (faults->count == before)
        read_integrations(&r, list);
    return faults->count == before;
}

void nango_yaml_finish(struct nango_yaml *yaml)
{
    cJSON_Delete(yaml->integrations);
    models_finish(&yaml->models);
    tree_finish(&yaml->tree);
    *yaml = (struct nango_yaml){0};
}
