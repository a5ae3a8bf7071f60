/* SPDX-License-Identifier: Apache-2.0 */
/* One function as a deploy of its own: what it says of itself becomes the flow that a
 * command line would post, and goes the way of all deploys. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "scripts/deploy_int.h"
#include "scripts/functions_int.h"

static bool fail(struct compile_fault *fault, const struct deploy_fault *why)
{
    fault->err = why->err;
    fault->line = why->line;
    fault->column = why->column;
    return false;
}

/* The deploy's body. NULL when the script did not say a flow. */
static cJSON *make_body(
    const struct function_job *job, const char *flow_text, const char *js)
{
    struct err ignored = {0};
    cJSON *flow = json_parse(flow_text, strlen(flow_text), &ignored);
    cJSON *body, *file, *flows;

    if (!cJSON_IsObject(flow)) {
        cJSON_Delete(flow);
        return NULL;
    }
    file = cJSON_CreateObject();
    json_set_str(file, "js", js);
    json_set_str(file, "ts", job->code);
    json_set(flow, "fileBody", file);
    /* Whatever it says: it is who it was asked to be. */
    json_set_str(flow, "type", script_kind_name(job->function_kind));
    json_set_str(flow, "syncName", job->name);
    json_set_str(flow, "providerConfigKey", job->integration);
    if (job->version != NULL)
        json_set_str(flow, "version", job->version);
    flows = cJSON_CreateArray();
    cJSON_AddItemToArray(flows, flow);
    body = cJSON_CreateObject();
    json_set(body, "flowConfigs", flows);
    json_set_bool(body, "reconcile", false);
    json_set_str(body, "deployMode", "single");
    json_set_str(body, "sdkVersion", SDK_VERSION_ZERO);
    json_set_str(body, "source", "standalone");
    return body;
}

/* What must not be lost without its being said. */
static bool check_plan(const struct function_job *job, const struct deploy *deploy,
    const struct deploy_plan *plan, struct err *err)
{
    const struct script_row *before = deploy->items[0].before;
    bool ok = true;

    if (before != NULL && !str_eq(before->spec.source, "standalone"))
        return err_set(err, 400, "invalid_request",
            "Cannot overwrite existing function '%.100s'", job->name);
    if (!job->allow_destructive && cJSON_GetArraySize(plan->deleted_models) > 0) {
        char *models = json_print(plan->deleted_models);

        ok = err_set(err, 400, "deployment_error",
            "the deployment removes models, and their records with them: %.*s. Say "
            "allow_destructive to go on",
            str_cut(models, 200), models);
        free(models);
    }
    return ok;
}

static bool run(const struct functions_config *config, const struct function_job *job,
    struct deploy *deploy, char **version, struct deploy_fault *fault)
{
    struct script_row **made = NULL;
    struct deploy_plan plan;
    bool ok;

    if (!deploy_make_plan(config->scripts, job->environment_id, deploy, &plan, fault))
        return false;
    ok = check_plan(job, deploy, &plan, &fault->err);
    deploy_plan_finish(&plan);
    deploy->items[0].before = NULL; /* was the plan's */
    if (!ok || !deploy_run(config->scripts, job->environment_id, deploy, &made, fault))
        return false;
    *version = str_dup(made[0]->spec.version);
    store_scripts_free(made, 1);
    return true;
}

bool function_deploy(const struct functions_config *config,
    const struct function_job *job, const char *js, size_t js_len, char **version,
    struct compile_fault *fault)
{
    const struct script_source source = {
        .kind = job->function_kind,
        .integration = job->integration,
        .name = job->name,
        .js = js,
        .js_len = js_len,
        .zero = true,
    };
    struct deploy_fault why = {0};
    struct deploy deploy;
    cJSON *body = NULL;
    char *flow = NULL;
    bool ok = false;

    *version = NULL;
    if (!loads_describe(config->loads, &source, &flow, &why)) {
        if (why.err.code[0] == '\0') {
            why.err.status = 400;
            str_copy(why.err.code, sizeof why.err.code, "compilation_error");
        }
        return fail(fault, &why);
    }
    body = make_body(job, flow, js);
    if (body == NULL)
        err_set(&why.err, 400, "deployment_error", "the script does not say what it is");
    else if (deploy_parse(body, &deploy, &why)) {
        ok = run(config, job, &deploy, version, &why);
        deploy_finish(&deploy);
    }
    cJSON_Delete(body);
    free(flow);
    return ok || fail(fault, &why);
}
