/* SPDX-License-Identifier: Apache-2.0 */
/* A batch's text cut into its records. Nothing is rebuilt: what is kept is what came. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "records/records_int.h"

#define MAX_ID 255        /* characters as JavaScript counts them */
#define USUAL_RECORD 4096 /* bytes; room for longer ones is fetched */

void record_hash(
    const uint8_t key[HASH_KEY_LEN], const char *text, size_t len, uint8_t out[HASH_LEN])
{
    uint8_t sha256[SHA256_LEN], small[USUAL_RECORD + HASH_KEY_LEN];
    uint8_t *whole = len <= USUAL_RECORD ? small : mem_alloc(len + HASH_KEY_LEN);

    memcpy(whole, key, HASH_KEY_LEN);
    memcpy(whole + HASH_KEY_LEN, text, len);
    crypto_sha256(whole, HASH_KEY_LEN + len, sha256);
    memcpy(out, sha256, HASH_LEN);
    if (whole != small)
        free(whole);
}

/* A record of one place and external id is always the same one, also after all was removed.
 * Version 8, as for any made in a way of one's own (RFC 9562 section 5.8). */
static void name_uuid(
    const char *prefix, const char *external_id, uint8_t out[RECORDS_UUID_LEN])
{
    char *name = str_printf("%s%s", prefix, external_id);
    uint8_t sha256[SHA256_LEN];

    crypto_sha256(name, strlen(name), sha256);
    memcpy(out, sha256, RECORDS_UUID_LEN);
    out[6] = (uint8_t)((out[6] & 0x0f) | 0x80);
    out[8] = (uint8_t)((out[8] & 0x3f) | 0x80);
    free(name);
}

static void name_all(const struct records_place *place, struct rows *rows)
{
    char *model = records_model_name(place);
    char *prefix = str_printf("%lld/%lld/%s/", (long long)place->connection_id,
        (long long)place->made_ms, model);

    for (size_t i = 0; i < rows->count; i++)
        name_uuid(prefix, rows->list[i].external_id, rows->list[i].uuid);
    free(prefix);
    free(model);
}

static bool refuse(struct err *err, size_t index, const char *why)
{
    return err_set(
        err, 400, "invalid_record", "Record %zu of the batch %s", index + 1, why);
}

/* As text, without U+0000, which no text in a database may have. NULL when it is none. */
static char *read_id(struct json_raw id)
{
    struct buf text;
    double number;
    size_t kept = 0;

    buf_init(&text, 0);
    if (json_raw_kind(id) == JSON_RAW_NUMBER && json_raw_number(id, &number) &&
        isfinite(number))
        json_raw_append_number(number, &text);
    else
        (void)json_raw_append_string(id, &text); /* what is none stays empty */
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] != '\0')
            text.data[kept++] = text.data[i];
    if (kept > 0) {
        text.data[kept] = '\0';
        return buf_take(&text, NULL);
    }
    buf_finish(&text);
    return NULL;
}

/* When a row that is to be deleted says that it was. */
static int64_t read_deleted(struct json_raw text)
{
    char *date = json_raw_dup_string(json_raw_get(text, "deletedAt"));
    int64_t ms = 0;

    if (date == NULL || !clock_parse(date, &ms) || ms < 0)
        ms = 0;
    free(date);
    return ms * 1000;
}

static bool cut_one(const struct records *records, const struct records_batch *batch,
    struct json_raw text, size_t index, struct row *out, struct err *err)
{
    if (json_raw_kind(text) != JSON_RAW_OBJECT)
        return refuse(err, index, "is no object");
    if (batch->max_record > 0 && text.len > batch->max_record)
        return err_set(err, 413, "record_too_large",
            "Record %zu of the batch has %zu bytes: a record has at most %zu", index + 1,
            text.len, batch->max_record);
    *out = (struct row){.text = text, .external_id = read_id(json_raw_get(text, "id"))};
    if (out->external_id == NULL)
        return refuse(err, index, "has no id: each needs one, a text or a number");
    if (str_utf16_len(out->external_id) > MAX_ID) {
        free(out->external_id);
        return refuse(err, index, "has an id of more than 255 characters");
    }
    record_hash(records->hash_key, text.text, text.len, out->hash);
    if (batch->kind == RECORDS_DELETE)
        out->deleted_us = read_deleted(text);
    return true;
}

struct place {
    size_t index;
    const char *id;
};

static int compare_places(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    int order = strcmp(x->id, y->id);

    return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

/* In the order of their ids, which is that of the table that they are looked up in; of
 * those with one id the first stays. */
static void sort(struct rows *rows)
{
    struct place *places = mem_zalloc((rows->count + 1) * sizeof *places);
    struct row *sorted = mem_zalloc((rows->count + 1) * sizeof *sorted);
    size_t kept = 0;

    for (size_t i = 0; i < rows->count; i++)
        places[i] = (struct place){i, rows->list[i].external_id};
    qsort(places, rows->count, sizeof *places, compare_places);
    for (size_t i = 0; i < rows->count; i++) {
        struct row *row = &rows->list[places[i].index];

        if (kept > 0 && strcmp(sorted[kept - 1].external_id, row->external_id) == 0) {
            free(row->external_id);
            rows->repeated++;
        } else {
            sorted[kept++] = *row;
        }
    }
    free(places);
    free(rows->list);
    rows->list = sorted;
    rows->count = kept;
}

bool rows_cut(const struct records *records, const struct records_batch *batch,
    struct rows *out, struct err *err)
{
    struct json_raw_iter iter;
    struct json_raw text;

    *out = (struct rows){0};
    if (json_raw_kind(batch->rows) != JSON_RAW_ARRAY)
        return err_set(err, 400, "invalid_record", "A batch is a list of records");
    json_raw_begin(batch->rows, &iter);
    while (json_raw_next(&iter, NULL, &text)) {
        out->list = sql_room(out->list, out->count, sizeof *out->list);
        if (!cut_one(records, batch, text, out->count, &out->list[out->count], err)) {
            rows_free(out);
            return false;
        }
        out->count++;
    }
    sort(out);
    name_all(&batch->place, out);
    return true;
}

void rows_free(struct rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        free(rows->list[i].external_id);
        buf_finish(&rows->list[i].packed);
    }
    free(rows->list);
    *rows = (struct rows){0};
}
