/* SPDX-License-Identifier: Apache-2.0 */
/* Doing what was planned, one deploy at a time for each environment: of two at once the
 * later would undo what the earlier made, without having seen it. */
#include "scripts/deploy.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "scripts/deploy_int.h"

void scripts_init(struct scripts *scripts, struct store *store)
{
    *scripts = (struct scripts){.store = store};
    pthread_mutex_init(&scripts->lock, NULL);
}

void scripts_finish(struct scripts *scripts)
{
    free(scripts->deploying);
    pthread_mutex_destroy(&scripts->lock);
}

bool deploy_begin(struct scripts *scripts, int64_t environment_id, struct err *err)
{
    bool busy = false;

    pthread_mutex_lock(&scripts->lock);
    for (size_t i = 0; i < scripts->deploying_count; i++)
        busy = busy || scripts->deploying[i] == environment_id;
    if (!busy) {
        scripts->deploying = mem_resize_array(
            scripts->deploying, scripts->deploying_count + 1, sizeof *scripts->deploying);
        scripts->deploying[scripts->deploying_count++] = environment_id;
    }
    pthread_mutex_unlock(&scripts->lock);
    return !busy || err_set(err, 409, "concurrent_deployment",
                        "another deploy to this environment is going on: try again "
                        "when it has ended");
}

void deploy_end(struct scripts *scripts, int64_t environment_id)
{
    pthread_mutex_lock(&scripts->lock);
    for (size_t i = 0; i < scripts->deploying_count; i++)
        if (scripts->deploying[i] == environment_id) {
            scripts->deploying[i] = scripts->deploying[--scripts->deploying_count];
            break;
        }
    pthread_mutex_unlock(&scripts->lock);
}

bool script_is_zero(const char *sdk_version)
{
    return sdk_version != NULL && strstr(sdk_version, "-zero") != NULL;
}

/* Asked when it was deployed, in the same form and with the same to be called by. */
static bool runs_already(
    const struct script_source *source, const struct script_row *running)
{
    uint8_t sha256[SHA256_LEN];

    if (running == NULL || source->zero != script_is_zero(running->spec.sdk_version) ||
        (source->webhooks && str_eq(running->spec.webhook_subscriptions_json, "[]")))
        return false;
    crypto_sha256(source->js, source->js_len, sha256);
    return memcmp(sha256, running->js, SHA256_LEN) == 0;
}

bool deploy_check_code(const struct scripts *scripts, const struct deploy *deploy,
    struct deploy_fault *fault)
{
    struct script_source *sources;
    const struct deploy_item **items;
    size_t count = 0, bad = 0;
    bool ok;

    if (scripts->check.load == NULL)
        return true;
    sources = mem_zalloc((deploy->count + 1) * sizeof *sources);
    items = mem_zalloc((deploy->count + 1) * sizeof *items);
    for (size_t i = 0; i < deploy->count; i++) {
        const struct deploy_item *item = &deploy->items[i];
        const char *subscriptions = item->spec.webhook_subscriptions_json;

        items[count] = item;
        sources[count] = (struct script_source){
            .kind = item->kind,
            .integration = item->integration,
            .name = item->name,
            .js = item->js,
            .js_len = strlen(item->js),
            .zero = script_is_zero(item->spec.sdk_version),
            .webhooks = item->kind == SCRIPT_SYNC && !str_eq(subscriptions, "[]"),
        };
        count += !runs_already(&sources[count], item->before);
    }
    ok = count == 0 ||
         scripts->check.load(scripts->check.arg, sources, count, &bad, fault);
    if (!ok && fault->err.code[0] == '\0') {
        fault->err.status = 400;
        str_copy(fault->err.code, sizeof fault->err.code, "script_does_not_load");
        err_context(&fault->err, "it does not load");
        deploy_blame(fault, items[bad]);
    }
    free(sources);
    free(items);
    return ok;
}

/* A run of digits at the end grows by one, however long it is. NULL when there is none.
 */
static char *counted_up(const char *text)
{
    size_t len = strlen(text), nines = 0;
    char *out;

    while (nines < len && text[len - nines - 1] == '9')
        nines++;
    if (nines < len && text[len - nines - 1] >= '0' && text[len - nines - 1] <= '8') {
        out = str_dup(text);
        out[len - nines - 1]++;
    } else if (nines > 0) {
        /* All digits are nines: a one goes before them. */
        out = str_printf("%.*s1%s", (int)(len - nines), text, text + len - nines);
    } else {
        return NULL;
    }
    if (nines > 0)
        memset(out + strlen(out) - nines, '0', nines);
    return out;
}

char *script_next_version(const char *last, enum script_kind kind)
{
    char *next = last != NULL ? counted_up(last) : NULL;

    if (next != NULL)
        return next;
    return str_dup(kind == SCRIPT_ON_EVENT ? "0.0.1" : "1");
}

static bool write_all(struct scripts *scripts, int64_t environment_id,
    struct deploy *deploy, const struct deploy_plan *plan, struct script_row ***made,
    struct err *err)
{
    struct script_put *puts = mem_zalloc((deploy->count + 1) * sizeof *puts);
    int64_t *removals = mem_zalloc((plan->removed_count + 1) * sizeof *removals);
    struct script_deploy write = {
        .environment_id = environment_id,
        .puts = puts,
        .put_count = deploy->count,
        .removals = removals,
        .removal_count = deploy->reconcile ? plan->removed_count : 0,
    };
    bool ok;

    for (size_t i = 0; i < deploy->count; i++) {
        struct deploy_item *item = &deploy->items[i];

        if (item->spec.version == NULL)
            item->spec.version = script_next_version(
                item->before != NULL ? item->before->spec.version : NULL, item->kind);
        puts[i] = (struct script_put){item->integration_id, item->kind, item->name,
            item->event, item->spec, item->js, item->ts};
    }
    for (size_t i = 0; i < write.removal_count; i++)
        removals[i] = plan->removed[i]->id;
    ok = store_deploy_scripts(scripts->store, &write, made, err);
    free(puts);
    free(removals);
    return ok;
}

bool deploy_run(struct scripts *scripts, int64_t environment_id, struct deploy *deploy,
    struct script_row ***made, struct deploy_fault *fault)
{
    struct deploy_plan plan;
    bool ok;

    *made = NULL;
    if (!deploy_begin(scripts, environment_id, &fault->err))
        return false;
    ok = deploy_make_plan(scripts, environment_id, deploy, &plan, fault);
    if (ok) {
        ok = deploy_check_code(scripts, deploy, fault) &&
             write_all(scripts, environment_id, deploy, &plan, made, &fault->err);
        deploy_plan_finish(&plan);
        for (size_t i = 0; i < deploy->count; i++)
            deploy->items[i].before = NULL; /* was the plan's */
    }
    deploy_end(scripts, environment_id);
    return ok;
}

bool script_roll_back(struct scripts *scripts, int64_t environment_id,
    const struct script_row *script, int64_t version_id, struct err *err)
{
    bool found = false;
    bool ok;

    if (!deploy_begin(scripts, environment_id, err))
        return false;
    ok = store_activate_script_version(
             scripts->store, script->id, version_id, &found, err) &&
         (found || err_set(err, 404, "not_found", "the script has no such version"));
    deploy_end(scripts, environment_id);
    return ok;
}
