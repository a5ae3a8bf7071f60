/* SPDX-License-Identifier: Apache-2.0 */
#include "scripts/bundle.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "scripts/deploy_int.h"

/* ---- what changes ---- */

static void compare(struct bundle *bundle, struct bundle_plan *plan)
{
    const struct deploy_plan running = {
        .running = plan->running, .running_count = plan->running_count};
    struct script_row **others = mem_zalloc((plan->running_count + 1) * sizeof *others);
    size_t count = 0;

    deploy_match(&bundle->deploy, &running, others, &count);
    plan->entries =
        mem_zalloc((bundle->deploy.count + count + 1) * sizeof *plan->entries);
    for (size_t i = 0; i < bundle->deploy.count; i++) {
        const struct deploy_item *item = &bundle->deploy.items[i];
        enum bundle_change change = BUNDLE_CREATED;

        if (item->before != NULL)
            change = strcmp(item->before->spec.version, item->spec.version) == 0
                         ? BUNDLE_UNCHANGED
                         : BUNDLE_UPDATED;
        plan->entries[plan->count++] =
            (struct bundle_entry){change, item->integration, item->name, 0};
    }
    for (size_t i = 0; i < count; i++)
        if (bundle->scope == NULL ||
            strcmp(bundle->scope, others[i]->provider_config_key) == 0)
            plan->entries[plan->count++] = (struct bundle_entry){BUNDLE_DELETED,
                others[i]->provider_config_key, others[i]->name, others[i]->id};
    free(others);
}

/* ---- doing it ---- */

static bool check_code(const struct scripts *scripts, const struct bundle *bundle,
    const struct bundle_plan *plan, struct deploy_fault *fault)
{
    struct deploy changed = {
        .items = mem_zalloc((bundle->deploy.count + 1) * sizeof *changed.items)};
    bool ok;

    for (size_t i = 0; i < bundle->deploy.count; i++)
        if (plan->entries[i].change != BUNDLE_UNCHANGED)
            changed.items[changed.count++] = bundle->deploy.items[i]; /* borrowed */
    ok = deploy_check_code(scripts, &changed, fault);
    free(changed.items);
    return ok;
}

static bool write_all(struct scripts *scripts, int64_t environment_id,
    const struct bundle *bundle, const struct bundle_plan *plan, struct err *err)
{
    struct script_put *puts = mem_zalloc((bundle->deploy.count + 1) * sizeof *puts);
    int64_t *removals = mem_zalloc((plan->running_count + 1) * sizeof *removals);
    struct script_deploy write = {
        .environment_id = environment_id, .puts = puts, .removals = removals};
    bool ok;

    for (size_t i = 0; i < bundle->deploy.count; i++) {
        const struct deploy_item *item = &bundle->deploy.items[i];

        if (plan->entries[i].change != BUNDLE_UNCHANGED)
            puts[write.put_count++] = (struct script_put){item->integration_id,
                item->kind, item->name, NULL, item->spec, item->js, item->ts};
    }
    for (size_t i = bundle->deploy.count; i < plan->count; i++)
        removals[write.removal_count++] = plan->entries[i].id;
    ok = (write.put_count == 0 && write.removal_count == 0) ||
         store_deploy_scripts(scripts->store, &write, NULL, err);
    free(puts);
    free(removals);
    return ok;
}

static bool check_scope(struct scripts *scripts, int64_t environment_id,
    const char *integration, struct deploy_fault *fault)
{
    struct integration_row *row = NULL;

    if (integration == NULL)
        return true;
    if (!store_find_integration(
            scripts->store, environment_id, integration, &row, &fault->err))
        return false;
    if (row == NULL) {
        str_copy(fault->integration, sizeof fault->integration, integration);
        return err_set(&fault->err, 400, "unknown_provider_config", "unknown");
    }
    integration_row_unref(row);
    return true;
}

/* In the words of this route. */
static bool say_not_found(struct deploy_fault *fault)
{
    if (strcmp(fault->err.code, "unknown_provider_config") == 0)
        err_set(&fault->err, 400, "integration_not_found", "Integration(s) not found: %s",
            fault->integration);
    return false;
}

static bool plan_and_do(struct scripts *scripts, int64_t environment_id,
    struct bundle *bundle, bool apply, struct bundle_plan *out,
    struct deploy_fault *fault)
{
    const struct script_filter filter = {
        .environment_id = environment_id, .kind = SCRIPT_FUNCTION};

    if (!check_scope(scripts, environment_id, bundle->scope, fault) ||
        !deploy_resolve(scripts, environment_id, &bundle->deploy, fault))
        return say_not_found(fault);
    if (!store_list_scripts(scripts->store, &filter, &out->running, &out->running_count,
            NULL, &fault->err))
        return false;
    compare(bundle, out);
    return check_code(scripts, bundle, out, fault) &&
           (!apply || write_all(scripts, environment_id, bundle, out, &fault->err));
}

bool bundle_deploy(struct scripts *scripts, int64_t environment_id, struct bundle *bundle,
    bool apply, struct bundle_plan *out, struct deploy_fault *fault)
{
    bool ok;

    *out = (struct bundle_plan){0};
    if (apply && !deploy_begin(scripts, environment_id, &fault->err))
        return false;
    ok = plan_and_do(scripts, environment_id, bundle, apply, out, fault);
    if (apply)
        deploy_end(scripts, environment_id);
    if (!ok)
        bundle_plan_finish(out);
    return ok;
}

void bundle_plan_finish(struct bundle_plan *plan)
{
    store_scripts_free(plan->running, plan->running_count);
    free(plan->entries);
    *plan = (struct bundle_plan){0};
}
