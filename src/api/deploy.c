/* SPDX-License-Identifier: Apache-2.0 */
/* POST /sync/deploy and its confirmation (contract http-api.md section 12). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api_int.h"
#include "api/deploy_shape.h"
#include "api/deploy_tell.h"
#include "base/json.h"
#include "base/str.h"

#define CLI "nango-cli/"
/* Command lines that name themselves are of this release or newer, or are refused: in
 * between, what they posted changed from one release to the next. */
#define CLI_MAJOR 0
#define CLI_MINOR 39
#define CLI_PATCH 25

static bool cli_is_new_enough(const char *version)
{
    static const unsigned long least[] = {CLI_MAJOR, CLI_MINOR, CLI_PATCH};

    for (size_t i = 0; i < 3; i++) {
        char *end;
        unsigned long part = strtoul(version, &end, 10);

        if (part != least[i])
            return part > least[i];
        version = *end == '.' ? end + 1 : end;
    }
    return true;
}

/* False after a reply. */
static bool check_cli(struct call *call)
{
    const char *agent = http_header(call->req, "user-agent");
    const char *cli = agent != NULL ? strstr(agent, CLI) : NULL;

    if (cli == NULL || cli_is_new_enough(cli + strlen(CLI)))
        return true;
    reply_fault(call, 400, "invalid_cli_version",
        "This endpoint requires a CLI version >= %d.%d.%d (current: %.*s)", CLI_MAJOR,
        CLI_MINOR, CLI_PATCH, (int)strcspn(cli, " ("), cli);
    return false;
}

/* False after a reply, or when the handler is called again, where it may wait for the code
 * to be tried. */
static bool read_body(struct call *call, bool confirmation, struct deploy *deploy)
{
    struct deploy_fault fault = {0};

    if (!call_check_query(call, &SHAPE_EMPTY) || !check_cli(call) ||
        !call_check_body(call, deploy_shape(call->body, confirmation)) ||
        (call->server->scripts->check.load != NULL &&
            !call_on_outbound(call, call->environment_id)))
        return false;
    if (deploy_parse(call->body, deploy, &fault))
        return true;
    reply_deploy_fault(call, &fault);
    return false;
}

/* ---- deploy ---- */

static void tell_made(
    const struct oplog_op *operation, struct script_row *const *made, size_t count)
{
    for (size_t i = 0; i < count; i++)
        oplog_say(operation, OPLOG_INFO, NULL, "%s %s of %s, version %s",
            script_kind_name(made[i]->kind), made[i]->name, made[i]->provider_config_key,
            made[i]->spec.version);
    oplog_end(operation, OPLOG_SUCCESS, NULL);
}

void deploy_scripts(struct call *call)
{
    struct deploy_fault fault = {0};
    struct script_row **made = NULL;
    struct oplog_op operation;
    struct deploy deploy;
    cJSON *list;

    if (!read_body(call, false, &deploy))
        return;
    operation = begin_deploy_operation(call);
    if (!deploy_run(
            call->server->scripts, call->environment_id, &deploy, &made, &fault)) {
        tell_deploy_refusal(&operation, &fault);
        reply_deploy_fault(call, &fault);
        deploy_finish(&deploy);
        return;
    }
    list = cJSON_CreateArray();
    for (size_t i = 0; i < deploy.count; i++) {
        cJSON *one;

        if (made[i]->kind == SCRIPT_ON_EVENT)
            continue; /* the official answer leaves them out */
        one = cJSON_CreateObject();
        json_set_str(one, "name", made[i]->name);
        json_set(one, "models", cJSON_CreateRaw(made[i]->spec.models_json));
        json_set_str(one, "version", made[i]->spec.version);
        json_set_str(one, "providerConfigKey", made[i]->provider_config_key);
        json_set_str(one, "type", script_kind_name(made[i]->kind));
        cJSON_AddItemToArray(list, one);
    }
    sync_runs_wake(call->server->sync_runs);
    tell_made(&operation, made, deploy.count);
    store_scripts_free(made, deploy.count);
    deploy_finish(&deploy);
    reply_json(call, 200, list);
}

/* ---- confirmation ---- */

/* How a kind of script is told: its three lists, and whether it counts connections. */
static const struct told {
    enum script_kind kind;
    const char *made;
    const char *changed;
    const char *removed;
} told[] = {
    {SCRIPT_SYNC, "newSyncs", "updatedSyncs", "deletedSyncs"},
    {SCRIPT_ACTION, "newActions", "updatedActions", "deletedActions"},
    {SCRIPT_ON_EVENT, "newOnEventScripts", "updatedOnEventScripts",
        "deletedOnEventScripts"},
};

struct telling {
    struct call *call;
    cJSON *body;
    struct err err;
    int64_t counted_for; /* an integration, whose connections there are `counted` of */
    size_t counted;
};

static bool tell(struct telling *t, const char *list, enum script_kind kind,
    int64_t integration_id, const char *integration, const char *name, const char *event,
    bool auto_start)
{
    cJSON *one;

    if (kind == SCRIPT_SYNC && t->counted_for != integration_id) {
        if (!store_count_connections(
                call_auth(t->call)->store, integration_id, &t->counted, &t->err))
            return false;
        t->counted_for = integration_id;
    }
    one = cJSON_CreateObject();
    json_set_str(one, "name", name);
    json_set_str(one, "providerConfigKey", integration);
    if (kind == SCRIPT_SYNC) {
        json_set_i64(one, "connections", (int64_t)t->counted);
        json_set_bool(one, "auto_start", auto_start);
    }
    if (kind == SCRIPT_ON_EVENT)
        json_set_str(one, "event", event);
    cJSON_AddItemToArray(json_get_mut(t->body, list), one);
    return true;
}

static bool tell_kind(struct telling *t, const struct told *row,
    const struct deploy *deploy, const struct deploy_plan *plan)
{
    bool ok = true;

    json_set(t->body, row->made, cJSON_CreateArray());
    json_set(t->body, row->changed, cJSON_CreateArray());
    json_set(t->body, row->removed, cJSON_CreateArray());
    for (size_t i = 0; ok && i < deploy->count; i++) {
        const struct deploy_item *item = &deploy->items[i];

        if (item->kind == row->kind)
            ok = tell(t, item->before == NULL ? row->made : row->changed, item->kind,
                item->integration_id, item->integration, item->name, item->event,
                item->spec.auto_start);
    }
    for (size_t i = 0; ok && i < plan->removed_count; i++) {
        const struct script_row *gone = plan->removed[i];

        if (gone->kind == row->kind)
            ok = tell(t, row->removed, gone->kind, gone->integration_id,
                gone->provider_config_key, gone->name, gone->event, false);
    }
    return ok;
}

void confirm_deploy(struct call *call)
{
    struct telling t = {.call = call};
    struct deploy_fault fault = {0};
    struct deploy_plan plan;
    struct deploy deploy;
    bool ok = true;

    if (!read_body(call, true, &deploy))
        return;
    if (!deploy_make_plan(
            call->server->scripts, call->environment_id, &deploy, &plan, &fault)) {
        reply_deploy_fault(call, &fault);
        deploy_finish(&deploy);
        return;
    }
    if (!deploy_check_code(call->server->scripts, &deploy, &fault)) {
        reply_deploy_fault(call, &fault);
        deploy_plan_finish(&plan);
        deploy_finish(&deploy);
        return;
    }
    t.body = cJSON_CreateObject();
    for (size_t i = 0; ok && i < sizeof told / sizeof told[0]; i++)
        ok = tell_kind(&t, &told[i], &deploy, &plan);
    json_set(t.body, "deletedModels", plan.deleted_models);
    plan.deleted_models = NULL;
    if (ok) {
        reply_json(call, 200, t.body);
    } else {
        cJSON_Delete(t.body);
        reply_error(call, &t.err);
    }
    deploy_plan_finish(&plan);
    deploy_finish(&deploy);
}
