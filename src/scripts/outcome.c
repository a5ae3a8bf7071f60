/* SPDX-License-Identifier: Apache-2.0 */
/* Outcomes as text, for those that are fetched later. */
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "scripts/run.h"

static void put_text(struct buf *out, const char *name, const char *text)
{
    if (text != NULL)
        json_append_text(out, name, text);
}

static void put_json(struct buf *out, const char *name, const char *json)
{
    if (json != NULL)
        buf_printf(out, ",\"%s\":%s", name, json);
}

void script_outcome_write(const struct script_outcome *outcome, struct buf *out)
{
    buf_puts(out, outcome->ok ? "{\"ok\":true" : "{\"ok\":false");
    put_json(out, "output", outcome->output);
    put_text(out, "type", outcome->type);
    put_text(out, "message", outcome->message);
    put_json(out, "payload", outcome->payload);
    put_text(out, "stack", outcome->stack);
    put_json(out, "upstream", outcome->upstream);
    buf_putc(out, '}');
}

static char *take_json(struct json_raw object, const char *name)
{
    struct json_raw value = json_raw_get(object, name);

    return value.text != NULL ? str_ndup(value.text, value.len) : NULL;
}

bool script_outcome_read(
    const char *text, size_t len, struct script_outcome *out, struct err *err)
{
    struct json_raw whole;

    memset(out, 0, sizeof *out);
    if (!json_raw_parse(text, len, &whole, err))
        return err_internal(err, "an action's outcome is damaged");
    out->ok = json_raw_is_true(json_raw_get(whole, "ok"));
    out->output = take_json(whole, "output");
    out->type = json_raw_dup_string(json_raw_get(whole, "type"));
    out->message = json_raw_dup_string(json_raw_get(whole, "message"));
    out->payload = take_json(whole, "payload");
    out->stack = json_raw_dup_string(json_raw_get(whole, "stack"));
    out->upstream = take_json(whole, "upstream");
    if (out->ok || (out->type != NULL && out->message != NULL))
        return true;
    script_outcome_finish(out);
    return err_internal(err, "an action's outcome is damaged");
}
