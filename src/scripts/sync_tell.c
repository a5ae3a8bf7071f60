/* SPDX-License-Identifier: Apache-2.0 */
#include "scripts/sync_tell.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"

static bool tell_models(const struct sync_end_told *told, struct sync_told *one,
    struct webhook_outbox *outbox, struct err *err)
{
    struct saves *saves = told->saves;
    bool ok = true;

    for (size_t i = 0; ok && i < saves->count; i++) {
        const struct saves_model *model = &saves->models[i];

        one->model = model->model;
        one->added = model->counts.added;
        one->updated = model->counts.updated;
        one->deleted = model->counts.deleted;
        ok = webhooks_tell_sync(told->webhooks, one, outbox, err);
    }
    return ok;
}

static bool tell_success(const struct sync_end_told *told, struct sync_told *one,
    struct webhook_outbox *outbox, struct err *err)
{
    struct checkpoint checkpoint = {0};
    bool ok;

    if (!store_find_checkpoint(told->store, told->run->sync->connection_row,
            told->checkpoint_key, &checkpoint, err))
        return false;
    one->success = true;
    one->checkpoint_from = told->checkpoint_from;
    one->checkpoint_to = checkpoint.value_json;
    ok = tell_models(told, one, outbox, err);
    free(checkpoint.value_json);
    return ok;
}

/* All names in one, as upstream does. */
static char *models_of(const struct sync_row *sync)
{
    cJSON *names = json_parse(sync->models_json, strlen(sync->models_json), NULL);
    const cJSON *name;
    struct buf out;

    buf_init(&out, 0);
    cJSON_ArrayForEach(name, names)
    {
        if (out.len > 0)
            buf_putc(&out, ',');
        buf_puts(&out, cJSON_IsString(name) ? name->valuestring : "");
    }
    cJSON_Delete(names);
    return buf_take(&out, NULL);
}

static bool tell_failure(const struct sync_end_told *told, struct sync_told *one,
    struct webhook_outbox *outbox, struct err *err)
{
    const struct script_outcome *outcome = told->outcome;
    /* A script that succeeded can fail yet, when its deletes cannot be written. */
    struct webhook_error error = {
        .type = outcome->ok ? "sync_script_failure" : outcome->type,
        .description = outcome->ok ? "Deletes could not be written" : outcome->message};
    char *models = models_of(told->run->sync);
    bool ok;

    if (outcome->payload != NULL)
        (void)json_raw_parse(
            outcome->payload, strlen(outcome->payload), &error.payload, NULL);
    one->model = models;
    one->error = &error;
    one->failed_ms = told->now_ms;
    ok = webhooks_tell_sync(told->webhooks, one, outbox, err);
    free(models);
    return ok;
}

static const char *kind_of(const struct sync_end_told *told)
{
    if (told->kind != NULL)
        return told->kind;
    return told->run->initial || str_eq(told->script->spec.sync_type, "full")
               ? "INITIAL"
               : "INCREMENTAL";
}

bool sync_tell_end(
    const struct sync_end_told *told, struct webhook_outbox *outbox, struct err *err)
{
    const struct sync_run *run = told->run;
    struct sync_told one = {
        .subject =
            {
                .environment_id = run->sync->environment_id,
                .integration = run->sync->provider_config_key,
                .connection_id = run->sync->connection_id,
                .url_override = told->url_override,
            },
        .sync = run->sync->name,
        .variant = run->sync->variant,
        .kind = kind_of(told),
        .began_ms = run->started_at_ms,
    };

    if (!webhooks_wanted(told->webhooks, run->sync->environment_id, told->url_override))
        return true;
    return told->outcome == NULL ? tell_success(told, &one, outbox, err)
                                 : tell_failure(told, &one, outbox, err);
}
