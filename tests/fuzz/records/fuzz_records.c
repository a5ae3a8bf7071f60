/* SPDX-License-Identifier: Apache-2.0 */
/* Batches as runners send them, cursors as clients do, and what becomes of both: rows have
 * ids that can be kept, what is laid over another or shown is JSON again, and a cursor
 * that is read is written as one that is read the same. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "records/records_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect_json(const struct buf *text)
{
    struct json_raw value;
    struct err err = {0};

    assert(json_raw_parse(text->data, text->len, &value, &err));
    assert(json_raw_kind(value) == JSON_RAW_OBJECT);
}

static void show(const struct row *row)
{
    const struct record record = {.external_id = row->external_id,
        .payload = row->text,
        .at.updated_us = 1,
        .created_us = 1,
        .deleted_us = row->deleted_us};
    struct buf text;

    buf_init(&text, 0);
    records_append_json(&text, &record);
    expect_json(&text);
    buf_clear(&text);
    records_append_early(&text, &record, (row->hash[0] & 1) != 0);
    expect_json(&text);
    buf_finish(&text);
}

static void merge(const struct row *into, const struct row *part)
{
    struct buf text;

    buf_init(&text, 0);
    merge_json(into->text, part->text, &text);
    expect_json(&text);
    buf_finish(&text);
}

static void read_batch(const char *text, size_t size)
{
    const struct records records = {.hash_key = {1}};
    struct records_batch batch = {
        .place = {1, 2, 3, "Item", NULL}, .kind = RECORDS_DELETE, .max_record = 1 << 16};
    struct err err = {0};
    struct rows rows;

    if (!json_raw_parse(text, size, &batch.rows, &err))
        return;
    if (!rows_cut(&records, &batch, &rows, &err)) {
        assert(err.status >= 400 && err.status < 500 && rows.count == 0);
        return;
    }
    for (size_t i = 0; i < rows.count; i++) {
        const struct row *row = &rows.list[i];

        assert(!str_is_empty(row->external_id));
        assert(i == 0 || strcmp(rows.list[i - 1].external_id, row->external_id) < 0);
        show(row);
        if (i > 0)
            merge(&rows.list[i - 1], row);
    }
    rows_free(&rows);
}

static void read_cursor(const char *text)
{
    struct records_cursor cursor, again;
    char shown[RECORDS_CURSOR_SIZE];

    if (!records_cursor_parse(text, &cursor))
        return;
    records_cursor_text(&cursor, shown);
    assert(
        cursor.updated_us < 0 ||
        (records_cursor_parse(shown, &again) && again.updated_us == cursor.updated_us &&
            memcmp(again.uuid, cursor.uuid, sizeof again.uuid) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = str_ndup((const char *)data, size);

    read_batch(text, size);
    read_cursor(text);
    free(text);
    return 0;
}
