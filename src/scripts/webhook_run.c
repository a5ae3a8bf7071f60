/* SPDX-License-Identifier: Apache-2.0 */
#include "scripts/webhook_run.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "scripts/checkpoints.h"
#include "scripts/saves.h"
#include "scripts/sync_context.h"
#include "scripts/sync_tell.h"

struct webhook_run {
    const struct webhook_run_config *config;
    struct sync_run run; /* its `sync` is owned */
    struct saves saves;
    char *props;
    char *checkpoint_key;
    char *checkpoint_from;
    char *url_override;
    struct action_hooks hooks;
};

static bool on_call(void *arg, const struct script_caller *caller, const char *method,
    struct json_raw args, struct buf *out, bool *handled)
{
    struct webhook_run *run = arg;

    (void)caller;
    *handled = saves_known(method);
    return *handled && saves_call(&run->saves, method, args, out);
}

static struct sync_row *find_sync(const struct webhook_run_config *config,
    const struct script_row *script, int64_t connection_row, struct err *err)
{
    const struct sync_filter filter = {
        .environment_id = script->environment_id,
        .connection_row = connection_row,
        .name = script->name,
        .variant = SYNC_BASE,
    };
    struct sync_row **rows = NULL, *found = NULL;
    size_t count = 0;

    if (!store_list_syncs(config->store, &filter, &rows, &count, err))
        return NULL;
    for (size_t i = 0; i < count; i++) {
        if (found == NULL && rows[i]->script_id == script->id) {
            found = rows[i];
            rows[i] = NULL;
        }
    }
    store_syncs_free(rows, count);
    if (found == NULL)
        err_set(err, 404, "unknown_sync", "The connection no longer has this sync");
    return found;
}

struct webhook_run *webhook_run_new(const struct webhook_run_config *config,
    const struct script_row *script, const struct connection_row *connection,
    struct err *err)
{
    struct sync_row *sync = find_sync(config, script, connection->id, err);
    struct checkpoint checkpoint = {0};
    struct records_place place;
    struct webhook_run *run;

    if (sync == NULL)
        return NULL;
    run = MEM_NEW(struct webhook_run);
    run->config = config;
    run->run =
        (struct sync_run){.sync = sync, .started_at_ms = clock_now_ms(config->clock)};
    place = sync_place(sync);
    saves_init(&run->saves, config->records, &place, sync->models_json,
        config->max_record, config->log);
    run->url_override = str_dup(connection->webhook_url_override);
    run->props = sync_props(sync, script, 0);
    run->checkpoint_key = script_checkpoint_key("webhook", sync->name, NULL);
    run->hooks = (struct action_hooks){
        .props = run->props,
        .variant = sync->variant,
        .wall_ms = config->wall_ms,
        .webhook = true,
        .call = on_call,
        .arg = run,
    };
    if (!store_find_checkpoint(
            config->store, connection->id, run->checkpoint_key, &checkpoint, err)) {
        webhook_run_free(run);
        return NULL;
    }
    run->checkpoint_from = checkpoint.value_json;
    return run;
}

void webhook_run_free(struct webhook_run *run)
{
    if (run == NULL)
        return;
    saves_finish(&run->saves);
    sync_row_free(run->run.sync);
    free(run->props);
    free(run->checkpoint_key);
    free(run->checkpoint_from);
    free(run->url_override);
    free(run);
}

const struct action_hooks *webhook_run_hooks(struct webhook_run *run)
{
    return &run->hooks;
}

bool webhook_run_tell_end(struct webhook_run *run, const struct script_outcome *outcome,
    struct webhook_outbox *outbox, struct err *err)
{
    return sync_tell_end(
        &(struct sync_end_told){
            .store = run->config->store,
            .webhooks = run->config->webhooks,
            .run = &run->run,
            .url_override = run->url_override,
            .saves = &run->saves,
            .kind = "WEBHOOK",
            .checkpoint_key = run->checkpoint_key,
            .checkpoint_from = run->checkpoint_from,
            .outcome = outcome->ok ? NULL : outcome,
            .now_ms = clock_now_ms(run->config->clock),
        },
        outbox, err);
}
