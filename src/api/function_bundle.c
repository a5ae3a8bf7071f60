/* SPDX-License-Identifier: Apache-2.0 */
/* POST /functions/deployments/bundle and its preview: what the newest command line posts
 * of functions made by createFunction() (contract http-api.md section 13). */
#include <string.h>

#include "api/bundle_shape.h"
#include "api/deploy_tell.h"
#include "base/json.h"
#include "base/str.h"
#include "scripts/bundle.h"

static const char *const changes[BUNDLE_CHANGES] = {
    [BUNDLE_CREATED] = "created",
    [BUNDLE_UPDATED] = "updated",
    [BUNDLE_UNCHANGED] = "unchanged",
    [BUNDLE_DELETED] = "deleted",
};

static void reply_changes(struct call *call, const struct bundle_plan *plan)
{
    cJSON *body = cJSON_CreateObject();

    for (int i = 0; i < BUNDLE_CHANGES; i++)
        json_set(body, changes[i], cJSON_CreateArray());
    for (size_t i = 0; i < plan->count; i++) {
        const struct bundle_entry *entry = &plan->entries[i];
        cJSON *one = cJSON_CreateObject();

        json_set_str(one, "integrationId", entry->integration);
        json_set_str(one, "name", entry->name);
        cJSON_AddItemToArray(json_get_mut(body, changes[entry->change]), one);
    }
    reply_json(call, 200, body);
}

/* False after a reply, or when the handler is called again, where it may wait for the code
 * to be tried. */
static bool read_bundle(struct call *call, struct bundle *bundle)
{
    struct deploy_fault fault = {0};

    if (!call_check_query(call, &SHAPE_EMPTY) ||
        !call_check_body(call, bundle_shape(call->body)) ||
        (call->server->scripts->check.load != NULL &&
            !call_on_outbound(call, call->environment_id)))
        return false;
    if (bundle_parse(call->body, bundle, &fault))
        return true;
    reply_deploy_fault(call, &fault);
    return false;
}

static void tell_changes(const struct oplog_op *operation, const struct bundle_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct bundle_entry *entry = &plan->entries[i];

        if (entry->change != BUNDLE_UNCHANGED)
            oplog_say(operation, OPLOG_INFO, NULL, "function %s of %s: %s", entry->name,
                entry->integration, changes[entry->change]);
    }
    oplog_end(operation, OPLOG_SUCCESS, NULL);
}

void deploy_function_bundle(struct call *call)
{
    struct deploy_fault fault = {0};
    struct oplog_op operation;
    struct bundle_plan plan;
    struct bundle bundle;

    if (!read_bundle(call, &bundle))
        return;
    operation = begin_deploy_operation(call);
    if (bundle_deploy(
            call->server->scripts, call->environment_id, &bundle, true, &plan, &fault)) {
        tell_changes(&operation, &plan);
        reply_changes(call, &plan);
        bundle_plan_finish(&plan);
    } else {
        tell_deploy_refusal(&operation, &fault);
        reply_deploy_fault(call, &fault);
    }
    bundle_finish(&bundle);
}

void preview_function_bundle(struct call *call)
{
    struct deploy_fault fault = {0};
    struct bundle_plan plan;
    struct bundle bundle;

    if (!read_bundle(call, &bundle))
        return;
    if (bundle_deploy(
            call->server->scripts, call->environment_id, &bundle, false, &plan, &fault)) {
        reply_changes(call, &plan);
        bundle_plan_finish(&plan);
    } else {
        reply_deploy_fault(call, &fault);
    }
    bundle_finish(&bundle);
}
