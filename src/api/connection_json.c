/* SPDX-License-Identifier: Apache-2.0 */
/* A connection as the API shows it (contract http-api.md sections 3.1 and 3.2). Written
 * straight into a buffer: what the store keeps as JSON text is copied, not parsed. */
#include <string.h>

#include "api/api_int.h"
#include "base/json.h"
#include "base/str.h"

static void put_text(struct buf *out, const char *name, const char *value)
{
    buf_puts(out, name);
    json_append_string(out, value);
}

static void put_raw(
    struct buf *out, const char *name, const char *text, const char *otherwise)
{
    buf_puts(out, name);
    buf_puts(out, text != NULL ? text : otherwise);
}

static void put_time(
    struct buf *out, const char *name, int64_t ms, enum connection_times times)
{
    char text[CLOCK_TEXT_SIZE];

    buf_puts(out, name);
    if (ms == 0) {
        buf_puts(out, "null");
        return;
    }
    if (times == TIMES_Z)
        clock_text_z(ms, text);
    else
        clock_text_offset(ms, text);
    buf_putc(out, '"');
    buf_puts(out, text);
    buf_putc(out, '"');
}

static void put_end_user(struct buf *out, const struct end_user_row *user)
{
    if (user == NULL) {
        buf_puts(out, ",\"end_user\":null");
        return;
    }
    put_text(out, ",\"end_user\":{\"id\":", user->id);
    put_text(out, ",\"display_name\":", user->display_name);
    put_text(out, ",\"email\":", user->email);
    put_raw(out, ",\"tags\":", user->tags_json, "null");
    if (user->organization_id == NULL) {
        buf_puts(out, ",\"organization\":null}");
        return;
    }
    put_text(out, ",\"organization\":{\"id\":", user->organization_id);
    put_text(out, ",\"display_name\":", user->organization_display_name);
    buf_puts(out, "}}");
}

/* From `id` to `metadata`: what the single connection and the list have in common. */
static void put_common(
    struct buf *out, const struct connection_row *row, const char *provider)
{
    buf_printf(out, "{\"id\":%lld", (long long)row->id);
    put_text(out, ",\"connection_id\":", row->connection_id);
    put_text(out, ",\"provider_config_key\":", row->provider_config_key);
    put_text(out, ",\"provider\":", provider);
    put_raw(out, ",\"errors\":", row->errors_json, "[]");
    put_end_user(out, row->end_user);
    put_raw(out, ",\"tags\":", row->tags_json, "{}");
    put_raw(out, ",\"metadata\":", row->metadata_json, "null");
}

void connection_json(struct buf *out, const struct connection_view *view)
{
    const struct connection_row *row = view->row;

    put_common(out, row, row->provider);
    put_raw(out, ",\"connection_config\":", view->config, "{}");
    put_text(out, ",\"webhook_url_override\":", row->webhook_url_override);
    put_time(out, ",\"created_at\":", row->created_at_ms, view->times);
    put_time(out, ",\"updated_at\":", row->updated_at_ms, view->times);
    put_time(out, ",\"last_fetched_at\":", view->last_fetched_ms, view->times);
    if (view->legacy)
        buf_printf(out, ",\"account_id\":0,\"environment_id\":%lld",
            (long long)row->environment_id);
    if (view->credentials != NULL)
        put_raw(out, ",\"credentials\":", view->credentials, "{}");
    buf_putc(out, '}');
}

void connection_list_item(struct buf *out, const struct connection_row *row, bool legacy)
{
    put_common(out, row, legacy ? row->provider_config_key : row->provider);
    put_time(out, ",\"created\":", row->created_at_ms, TIMES_OFFSET);
    buf_putc(out, '}');
}

bool call_is_legacy_client(const struct call *call)
{
    const char *agent;

    if (strncmp(call->route->pattern, "/connections", strlen("/connections")) == 0)
        return false;
    agent = http_header(call->req, "user-agent");
    return agent == NULL || strstr(agent, "nango-node-client") == NULL;
}
