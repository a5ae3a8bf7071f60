/* SPDX-License-Identifier: Apache-2.0 */
#include "scripts/sync_context.h"

#include "base/json.h"

struct records_place sync_place(const struct sync_row *sync)
{
    return (struct records_place){
        .environment_id = sync->environment_id,
        .connection_id = sync->connection_row,
        .made_ms = sync->connection_made_ms,
        .variant = sync->variant,
    };
}

char *sync_props(
    const struct sync_row *sync, const struct script_row *script, int64_t number)
{
    char time[CLOCK_TEXT_SIZE];
    struct buf out;

    buf_init(&out, 0);
    buf_printf(&out, ",\"syncId\":\"%s\"", sync->uuid);
    if (number > 0)
        buf_printf(&out, ",\"syncJobId\":%lld", (long long)number);
    buf_printf(&out, ",\"models\":%s,\"track_deletes\":%s", sync->models_json,
        script->spec.track_deletes ? "true" : "false");
    if (sync->last_sync_ms > 0) {
        clock_text_z(sync->last_sync_ms, time);
        json_append_text(&out, "lastSyncDate", time);
    }
    return buf_take(&out, NULL);
}
