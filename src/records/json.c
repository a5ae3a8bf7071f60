/* SPDX-License-Identifier: Apache-2.0 */
/* A record as JSON, as clients and scripts get it (contract http-api.md section 7). */
#include <string.h>

#include "base/json.h"
#include "records/records_int.h"

static void put_us(struct buf *out, const char *name, int64_t us)
{
    char text[RECORDS_TIME_SIZE];

    json_append_name(out, name);
    if (us == 0) {
        buf_append(out, "null", 4);
        return;
    }
    records_time_text(us, text);
    buf_putc(out, '"'); /* nothing in it is to be escaped, nor below */
    buf_puts(out, text);
    buf_putc(out, '"');
}

/* In milliseconds, as only this time is. */
static void put_deleted(struct buf *out, int64_t us)
{
    char text[CLOCK_TEXT_SIZE];

    if (us > 0)
        clock_text_offset(us / 1000, text);
    json_append_text(out, "deleted_at", us > 0 ? text : NULL);
}

static const char *action_of(const struct record *record)
{
    return record->deleted_us > 0                        ? "DELETED"
           : record->created_us == record->at.updated_us ? "ADDED"
                                                         : "UPDATED";
}

static void put_times(struct buf *out, const struct record *record)
{
    put_us(out, "first_seen_at", record->created_us);
    put_us(out, "last_modified_at", record->at.updated_us);
    json_append_text(out, "last_action", action_of(record));
    put_deleted(out, record->deleted_us);
}

static void put_metadata(struct buf *out, const struct record *record)
{
    buf_puts(out, "\"_nango_metadata\":{");
    put_times(out, record);
    put_us(out, "pruned_at", record->pruned_us);
    buf_puts(out, ",\"cursor\":\"");
    records_append_cursor(&record->at, out);
    buf_puts(out, "\"}");
}

/* Is its id, which it has once, a text already? Then the payload is copied as it is. */
static bool has_text_id(const struct record *record)
{
    struct json_raw_iter iter;
    struct json_raw key, value;
    size_t ids = 0;
    bool text = false;

    json_raw_begin(record->payload, &iter);
    while (json_raw_next(&iter, &key, &value)) {
        if (!json_raw_is_string(key, "id"))
            continue;
        ids++;
        text = json_raw_is_string(value, record->external_id);
    }
    return ids == 1 && text;
}

/* The members of the payload; its id as the text that it is kept under. */
static void put_members(struct buf *out, const struct record *record, bool text_id)
{
    struct json_raw_iter iter;
    struct json_raw key, value;

    json_raw_begin(record->payload, &iter);
    while (json_raw_next(&iter, &key, &value)) {
        buf_append(out, key.text, key.len);
        buf_putc(out, ':');
        if (text_id && json_raw_is_string(key, "id"))
            json_append_string(out, record->external_id);
        else
            buf_append(out, value.text, value.len);
        buf_putc(out, ',');
    }
}

void records_append_json(struct buf *out, const struct record *record)
{
    if (has_text_id(record)) {
        buf_append(out, record->payload.text, record->payload.len - 1);
        buf_putc(out, ',');
    } else {
        buf_putc(out, '{');
        put_members(out, record, true);
    }
    put_metadata(out, record);
    buf_putc(out, '}');
}

void records_append_early(struct buf *out, const struct record *record, bool apart)
{
    buf_putc(out, '{');
    if (apart) {
        put_times(out, record);
        buf_puts(out, ",\"record\":");
        buf_append(out, record->payload.text, record->payload.len);
    } else {
        put_members(out, record, false);
        buf_puts(out, "\"_nango_metadata\":{");
        put_times(out, record);
        buf_putc(out, '}');
    }
    buf_putc(out, '}');
}
