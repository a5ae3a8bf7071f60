/* SPDX-License-Identifier: Apache-2.0 */
/* What must be there once. Each check collects claims, sorts them and looks at
 * neighbours. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "scripts/deploy_int.h"

/* Within an integration, `what` belongs to one script. */
struct claim {
    const char *integration;
    char *what;
    const struct deploy_item *item; /* NULL = a running script, which `row` is */
    const struct script_row *row;
};

struct claims {
    struct claim *list;
    size_t count;
    size_t room;
};

static void claim(struct claims *claims, struct claim one)
{
    if (claims->count == claims->room) {
        claims->room = claims->room > 0 ? 2 * claims->room : 64;
        claims->list = mem_resize_array(claims->list, claims->room, sizeof *claims->list);
    }
    claims->list[claims->count++] = one;
}

static int compare(const void *a, const void *b)
{
    const struct claim *left = a, *right = b;
    int order = strcmp(left->integration, right->integration);

    return order != 0 ? order : strcmp(left->what, right->what);
}

static const char *claimant(const struct claim *claim)
{
    return claim->item != NULL ? claim->item->name : claim->row->name;
}

/* Frees the claims. Two running scripts are not judged: they were there before. */
static bool settle(
    struct claims *claims, const char *sort, const char *code, struct deploy_fault *fault)
{
    bool ok = true;

    if (claims->count > 1)
        qsort(claims->list, claims->count, sizeof *claims->list, compare);
    for (size_t i = 1; ok && i < claims->count; i++) {
        const struct claim *one = &claims->list[i - 1], *two = &claims->list[i];

        if (compare(one, two) != 0 || (one->item == NULL && two->item == NULL))
            continue;
        if (two->item == NULL) {
            const struct claim *swap = one;

            one = two;
            two = swap;
        }
        err_set(&fault->err, 400, code, "%s %.*s belongs to \"%.100s\"%s as well", sort,
            str_cut(two->what, 150), two->what, claimant(one),
            one->item == NULL ? ", which is deployed already," : "");
        ok = deploy_blame(fault, two->item);
    }
    for (size_t i = 0; i < claims->count; i++)
        free(claims->list[i].what);
    free(claims->list);
    return ok;
}

static void claim_endpoints(struct claims *claims, const char *integration,
    const cJSON *endpoints, const struct deploy_item *item, const struct script_row *row)
{
    const cJSON *endpoint;

    cJSON_ArrayForEach(endpoint, endpoints)
    {
        const char *method = json_str(endpoint, "method");
        const char *path = json_str(endpoint, "path");

        if (method != NULL && path != NULL)
            claim(claims, (struct claim){
                              integration, str_printf("%s %s", method, path), item, row});
    }
}

static bool check_names(const struct deploy *deploy, struct deploy_fault *fault)
{
    struct claims claims = {0};

    for (size_t i = 0; i < deploy->count; i++) {
        const struct deploy_item *item = &deploy->items[i];

        claim(&claims,
            (struct claim){item->integration,
                str_printf("\"%s\" (%s%s%s)", item->name, script_kind_name(item->kind),
                    item->event != NULL ? ", " : "",
                    item->event != NULL ? item->event : ""),
                item, NULL});
    }
    return settle(&claims, "the name", "invalid_body", fault);
}

static bool check_endpoints(const struct deploy *deploy, struct deploy_fault *fault)
{
    struct claims claims = {0};

    for (size_t i = 0; i < deploy->count; i++)
        claim_endpoints(&claims, deploy->items[i].integration, deploy->items[i].endpoints,
            &deploy->items[i], NULL);
    return settle(&claims, "the endpoint", "invalid_body", fault);
}

/* Records are kept by model: two syncs that save one would delete each other's. The first
 * releases did not look at that. */
static bool check_models(const struct deploy *deploy, struct deploy_fault *fault)
{
    struct claims claims = {0};
    const cJSON *model;

    for (size_t i = 0; i < deploy->count; i++) {
        const struct deploy_item *item = &deploy->items[i];

        if (item->kind != SCRIPT_SYNC || deploy->early)
            continue;
        cJSON_ArrayForEach(model, item->models)
        {
            claim(&claims, (struct claim){item->integration, str_dup(model->valuestring),
                               item, NULL});
        }
    }
    return settle(&claims, "the model", "invalid_body", fault);
}

bool deploy_check_unique(const struct deploy *deploy, struct deploy_fault *fault)
{
    return check_names(deploy, fault) && check_endpoints(deploy, fault) &&
           check_models(deploy, fault);
}

bool deploy_check_running(const struct deploy *deploy, struct script_row *const *kept,
    size_t count, struct deploy_fault *fault)
{
    cJSON **parsed = mem_zalloc((count + 1) * sizeof *parsed);
    struct claims claims = {0};
    struct err ignored = {0};
    bool ok;

    for (size_t i = 0; i < deploy->count; i++)
        claim_endpoints(&claims, deploy->items[i].integration, deploy->items[i].endpoints,
            &deploy->items[i], NULL);
    for (size_t i = 0; i < count; i++) {
        const char *text = kept[i]->spec.endpoints_json;

        parsed[i] = json_parse(text, strlen(text), &ignored);
        claim_endpoints(&claims, kept[i]->provider_config_key, parsed[i], NULL, kept[i]);
    }
    ok = settle(&claims, "the endpoint", "invalid_body", fault);
    for (size_t i = 0; i < count; i++)
        cJSON_Delete(parsed[i]);
    free(parsed);
    return ok;
}
