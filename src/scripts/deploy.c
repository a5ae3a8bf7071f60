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

static bool begin(struct scripts *scripts, int64_t environment_id, struct err *err)
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

static void end(struct scripts *scripts, int64_t environment_id)
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

/* What decides whether code loads. */
struct loaded {
    uint8_t sha256[SHA256_LEN];
    enum script_kind kind;
    bool zero;
};

static struct loaded loaded_of(const struct deploy_item *item)
{
    struct loaded loaded = {
        .kind = item->kind, .zero = script_is_zero(item->spec.sdk_version)};

    crypto_sha256(item->js, strlen(item->js), loaded.sha256);
    return loaded;
}

static bool runs_already(const struct loaded *one, const struct script_row *row)
{
    return row != NULL && one->zero == script_is_zero(row->spec.sdk_version) &&
           memcmp(one->sha256, row->js, SHA256_LEN) == 0;
}

/* Was it asked for earlier in the same deploy? */
static bool was_asked(const struct loaded *one, const struct loaded *asked, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (one->kind == asked[i].kind && one->zero == asked[i].zero &&
            memcmp(one->sha256, asked[i].sha256, SHA256_LEN) == 0)
            return true;
    return false;
}

static bool check_loads(const struct scripts *scripts, const struct deploy *deploy,
    struct deploy_fault *fault)
{
    static atomic_uint_fast64_t numbers;
    uint64_t number = 1 + atomic_fetch_add(&numbers, 1);
    struct loaded *asked = NULL;
    size_t count = 0;
    bool ok = true;

    if (scripts->check.loads == NULL)
        return true;
    for (size_t i = 0; ok && i < deploy->count; i++) {
        const struct deploy_item *item = &deploy->items[i];
        const struct script_source source = {item->kind, item->integration, item->name,
            item->js, item->spec.sdk_version, number};
        struct loaded one = loaded_of(item);

        if (runs_already(&one, item->before) || was_asked(&one, asked, count))
            continue;
        ok = scripts->check.loads(scripts->check.arg, &source, fault);
        if (!ok && fault->err.code[0] == '\0') {
            fault->err.status = 400;
            str_copy(fault->err.code, sizeof fault->err.code, "script_does_not_load");
        }
        if (!ok)
            deploy_blame(fault, item);
        asked = mem_resize_array(asked, count + 1, sizeof *asked);
        asked[count++] = one;
    }
    free(asked);
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
    if (!begin(scripts, environment_id, &fault->err))
        return false;
    ok = deploy_make_plan(scripts, environment_id, deploy, &plan, fault);
    if (ok) {
        ok = check_loads(scripts, deploy, fault) &&
             write_all(scripts, environment_id, deploy, &plan, made, &fault->err);
        deploy_plan_finish(&plan);
        for (size_t i = 0; i < deploy->count; i++)
            deploy->items[i].before = NULL; /* was the plan's */
    }
    end(scripts, environment_id);
    return ok;
}

bool script_roll_back(struct scripts *scripts, int64_t environment_id,
    const struct script_row *script, int64_t version_id, struct err *err)
{
    bool found = false;
    bool ok;

    if (!begin(scripts, environment_id, err))
        return false;
    ok = store_activate_script_version(
             scripts->store, script->id, version_id, &found, err) &&
         (found || err_set(err, 404, "not_found", "the script has no such version"));
    end(scripts, environment_id);
    return ok;
}
