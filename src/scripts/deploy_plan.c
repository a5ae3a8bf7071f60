/* SPDX-License-Identifier: Apache-2.0 */
/* What a deploy would change: its scripts beside those that run, both sorted by who they
 * are.
 *
 * In the scope of a deploy is the whole environment, or the integrations that it names
 * (mode integration), or nothing (mode single). Only scripts of the same source are: what
 * somebody made without a repository is not in the repository's list. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "scripts/deploy_int.h"

/* ---- integrations ---- */

static int compare_keys(const void *a, const void *b)
{
    const struct integration_row *left = *(struct integration_row *const *)a;
    const struct integration_row *right = *(struct integration_row *const *)b;

    return strcmp(left->unique_key, right->unique_key);
}

static bool resolve_one(struct integration_row **rows, size_t count,
    struct deploy_item *item, struct deploy_fault *fault)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(rows[middle]->unique_key, item->integration);

        if (order == 0) {
            item->integration_id = rows[middle]->id;
            return true;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    str_copy(fault->integration, sizeof fault->integration, item->integration);
    str_copy(fault->script, sizeof fault->script, item->name);
    return err_set(&fault->err, 400, "unknown_provider_config",
        "There is no Provider Configuration matching this key. Please make sure this "
        "value exists in the Nango dashboard {\n  \"providerConfigKey\": \"%s\"\n}",
        item->integration);
}

bool deploy_resolve(struct scripts *scripts, int64_t environment_id,
    struct deploy *deploy, struct deploy_fault *fault)
{
    struct integration_row **rows = NULL;
    size_t count = 0;
    bool ok = true;

    if (!store_list_integrations(
            scripts->store, environment_id, &rows, &count, &fault->err))
        return false;
    if (count > 1)
        qsort(rows, count, sizeof *rows, compare_keys);
    for (size_t i = 0; ok && i < deploy->count; i++)
        ok = resolve_one(rows, count, &deploy->items[i], fault);
    store_integrations_free(rows, count);
    return ok;
}

/* ---- who is who ---- */

struct identity {
    int64_t integration_id;
    enum script_kind kind;
    const char *name;
    const char *event;        /* NULL = "" */
    struct deploy_item *item; /* NULL = it is what runs, */
    struct script_row *row;   /* this */
};

static int compare_identities(const void *a, const void *b)
{
    const struct identity *left = a, *right = b;
    int order;

    if (left->integration_id != right->integration_id)
        return left->integration_id < right->integration_id ? -1 : 1;
    if (left->kind != right->kind)
        return left->kind < right->kind ? -1 : 1;
    order = strcmp(left->name, right->name);
    if (order != 0)
        return order;
    return strcmp(
        left->event != NULL ? left->event : "", right->event != NULL ? right->event : "");
}

/* Fills item->before, and sets the rows that stay as they are apart. */
void deploy_match(struct deploy *deploy, const struct deploy_plan *plan,
    struct script_row **others, size_t *count)
{
    size_t total = deploy->count + plan->running_count, used = 0;
    struct identity *all = mem_zalloc((total + 1) * sizeof *all);

    for (size_t i = 0; i < plan->running_count; i++) {
        struct script_row *row = plan->running[i];

        all[used++] = (struct identity){
            row->integration_id, row->kind, row->name, row->event, NULL, row};
    }
    for (size_t i = 0; i < deploy->count; i++) {
        struct deploy_item *item = &deploy->items[i];

        all[used++] = (struct identity){
            item->integration_id, item->kind, item->name, item->event, item, NULL};
    }
    if (total > 1)
        qsort(all, total, sizeof *all, compare_identities);
    *count = 0;
    for (size_t i = 0; i < total; i++) {
        /* One of each at most: deploy_check_unique(), and the store's index. */
        bool pair = i + 1 < total && compare_identities(&all[i], &all[i + 1]) == 0;

        if (pair) {
            const struct identity *item = all[i].item != NULL ? &all[i] : &all[i + 1];

            item->item->before = (item == &all[i] ? &all[i + 1] : &all[i])->row;
            i++;
        } else if (all[i].row != NULL) {
            others[(*count)++] = all[i].row;
        }
    }
    free(all);
}

/* ---- what goes ---- */

static int compare_ids(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

    return left < right ? -1 : left > right;
}

static bool in_scope(const struct deploy *deploy, const struct script_row *row,
    const int64_t *named, size_t named_count)
{
    if (deploy->mode == DEPLOY_SINGLE || row->kind == SCRIPT_FUNCTION ||
        !str_eq(row->spec.source, deploy->source) ||
        (row->kind == SCRIPT_ON_EVENT && !deploy->with_events))
        return false;
    return deploy->mode == DEPLOY_ALL ||
           (named_count > 0 && bsearch(&row->integration_id, named, named_count,
                                   sizeof *named, compare_ids) != NULL);
}

/* Splits `others` into those that go and those that stay, which move to its front. */
static size_t split(struct deploy *deploy, struct deploy_plan *plan,
    struct script_row **others, size_t count)
{
    int64_t *named = mem_zalloc((deploy->count + 1) * sizeof *named);
    size_t kept = 0;

    for (size_t i = 0; i < deploy->count; i++)
        named[i] = deploy->items[i].integration_id;
    if (deploy->count > 1)
        qsort(named, deploy->count, sizeof *named, compare_ids);
    plan->removed = mem_zalloc((count + 1) * sizeof *plan->removed);
    for (size_t i = 0; i < count; i++) {
        if (in_scope(deploy, others[i], named, deploy->count))
            plan->removed[plan->removed_count++] = others[i];
        else
            others[kept++] = others[i];
    }
    free(named);
    return kept;
}

/* ---- models ---- */

struct name_list {
    const char **names;
    size_t count;
    size_t room;
};

static void add_names(struct name_list *list, const cJSON *models)
{
    const cJSON *model;

    cJSON_ArrayForEach(model, models)
    {
        if (list->count == list->room) {
            list->room = list->room > 0 ? 2 * list->room : 64;
            list->names = mem_resize_array(list->names, list->room, sizeof *list->names);
        }
        if (cJSON_IsString(model))
            list->names[list->count++] = model->valuestring;
    }
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void sort_names(struct name_list *list)
{
    if (list->count > 1)
        qsort(list->names, list->count, sizeof *list->names, compare_names);
}

static bool has_name(const struct name_list *list, const char *name)
{
    return list->count > 0 && bsearch(&name, list->names, list->count,
                                  sizeof *list->names, compare_names) != NULL;
}

/* What the removed scripts, and the earlier versions of the others, had, and no script of
 * the deploy has. */
static void find_deleted_models(const struct deploy *deploy, struct deploy_plan *plan)
{
    size_t total = plan->removed_count + deploy->count, parsed = 0;
    cJSON **lists = mem_zalloc((total + 1) * sizeof *lists);
    struct name_list had = {0}, has = {0};
    struct err ignored = {0};

    for (size_t i = 0; i < total; i++) {
        const struct script_row *row =
            i < plan->removed_count ? plan->removed[i]
                                    : deploy->items[i - plan->removed_count].before;

        if (row == NULL)
            continue;
        lists[parsed] =
            json_parse(row->spec.models_json, strlen(row->spec.models_json), &ignored);
        add_names(&had, lists[parsed++]);
    }
    for (size_t i = 0; i < deploy->count; i++)
        add_names(&has, deploy->items[i].models);
    sort_names(&had);
    sort_names(&has);
    plan->deleted_models = cJSON_CreateArray();
    for (size_t i = 0; i < had.count; i++) {
        if ((i == 0 || strcmp(had.names[i - 1], had.names[i]) != 0) &&
            !has_name(&has, had.names[i]))
            cJSON_AddItemToArray(plan->deleted_models, cJSON_CreateString(had.names[i]));
    }
    free(had.names);
    free(has.names);
    for (size_t i = 0; i < parsed; i++)
        cJSON_Delete(lists[i]);
    free(lists);
}

bool deploy_make_plan(struct scripts *scripts, int64_t environment_id,
    struct deploy *deploy, struct deploy_plan *out, struct deploy_fault *fault)
{
    const struct script_filter filter = {.environment_id = environment_id};
    struct script_row **others;
    size_t count = 0, kept;
    bool ok;

    *out = (struct deploy_plan){0};
    if (!deploy_resolve(scripts, environment_id, deploy, fault) ||
        !store_list_scripts(scripts->store, &filter, &out->running, &out->running_count,
            NULL, &fault->err))
        return false;
    others = mem_zalloc((out->running_count + 1) * sizeof *others);
    deploy_match(deploy, out, others, &count);
    kept = split(deploy, out, others, count);
    find_deleted_models(deploy, out);
    if (!deploy->reconcile) /* none of them goes */
        for (size_t i = 0; i < out->removed_count; i++) {
            union {
                const struct script_row *in;
                struct script_row *out;
            } row = {out->removed[i]};

            others[kept++] = row.out;
        }
    ok = deploy_check_running(deploy, others, kept, fault);
    free(others);
    if (!ok)
        deploy_plan_finish(out);
    return ok;
}

void deploy_plan_finish(struct deploy_plan *plan)
{
    store_scripts_free(plan->running, plan->running_count);
    free(plan->removed);
    cJSON_Delete(plan->deleted_models);
    *plan = (struct deploy_plan){0};
}
