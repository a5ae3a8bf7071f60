/* SPDX-License-Identifier: Apache-2.0 */
#include "scripts/saves.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "scripts/calls.h"

enum {
    PAGE = 100, /* records that listRecords() gets at once */
};

void saves_init(struct saves *saves, struct records *records,
    const struct records_place *place, const char *models_json, size_t max_record,
    const struct log *log)
{
    cJSON *names = json_parse(models_json, strlen(models_json), NULL);
    const cJSON *name;

    *saves = (struct saves){
        .records = records, .place = *place, .max_record = max_record, .log = log};
    pthread_mutex_init(&saves->lock, NULL);
    saves->models =
        mem_zalloc(((size_t)cJSON_GetArraySize(names) + 1) * sizeof *saves->models);
    cJSON_ArrayForEach(name, names)
    {
        if (!cJSON_IsString(name))
            continue;
        saves->models[saves->count++] = (struct saves_model){
            .model = str_dup(name->valuestring), .seen = records_seen_new()};
    }
    cJSON_Delete(names);
}

void saves_finish(struct saves *saves)
{
    for (size_t i = 0; i < saves->count; i++) {
        free(saves->models[i].model);
        records_seen_free(saves->models[i].seen);
    }
    free(saves->models);
    pthread_mutex_destroy(&saves->lock);
}

static struct records_place place_of(
    const struct saves *saves, const struct saves_model *model)
{
    struct records_place place = saves->place;

    place.model = model->model;
    return place;
}

/* ---- answers ---- */

/* What the records say; a fault of ours is told without its reason. */
static bool refuse(struct saves *saves, struct err *err, struct buf *out)
{
    if (!err_is_internal(err)) {
        script_call_refuse(out, "Error", "%s", err->message);
        return false;
    }
    log_event(saves->log, LOG_ERROR, "records failed", LOG_STR("reason", err->message),
        LOG_END);
    script_call_refuse(out, "Error", "The records cannot be reached");
    return false;
}

/* NULL: it is refused. */
static struct saves_model *model_of(
    struct saves *saves, struct json_raw name, struct buf *out)
{
    char *text = json_raw_dup_string(name);
    struct saves_model *found = NULL;
    struct buf names;

    buf_init(&names, 0);
    for (size_t i = 0; text != NULL && i < saves->count; i++) {
        if (strcmp(saves->models[i].model, text) == 0)
            found = &saves->models[i];
        buf_printf(&names, "%s%s", i > 0 ? ", " : "", saves->models[i].model);
    }
    if (found == NULL)
        script_call_refuse(out, "Error",
            "The model '%.255s' is not included in the declared sync models: %s.",
            text != NULL ? text : "", names.len > 0 ? names.data : "none");
    buf_finish(&names);
    free(text);
    return found;
}

static void put_deleted(const struct records_ids *ids, struct buf *out)
{
    buf_puts(out, "{\"deletedKeys\":[");
    for (size_t i = 0; i < ids->count; i++) {
        if (i > 0)
            buf_putc(out, ',');
        json_append_string(out, ids->list[i]);
    }
    buf_puts(out, "]}");
}

/* ---- methods ---- */

static bool write_batch(
    struct saves *saves, enum records_kind kind, struct json_raw args, struct buf *out)
{
    struct saves_model *model = model_of(saves, json_raw_at(args, 1), out);
    struct records_counts counts = {0};
    struct err err = {0};
    bool ok;

    if (model == NULL)
        return false;
    pthread_mutex_lock(&saves->lock); /* one batch at a time: the cursor moves on */
    ok = records_write(saves->records,
        &(struct records_batch){
            .place = place_of(saves, model),
            .kind = kind,
            .rows = json_raw_at(args, 0),
            .unless_after = model->merging ? &model->cursor : NULL,
            .seen = model->seen,
            .max_record = saves->max_record,
        },
        &counts, &err);
    model->counts.added += counts.added;
    model->counts.updated += counts.updated;
    model->counts.deleted += counts.deleted;
    pthread_mutex_unlock(&saves->lock);
    if (!ok)
        return refuse(saves, &err, out);
    buf_puts(out, "true");
    return true;
}

static bool batch_save(struct saves *saves, struct json_raw args, struct buf *out)
{
    return write_batch(saves, RECORDS_SAVE, args, out);
}

static bool batch_update(struct saves *saves, struct json_raw args, struct buf *out)
{
    return write_batch(saves, RECORDS_UPDATE, args, out);
}

static bool batch_delete(struct saves *saves, struct json_raw args, struct buf *out)
{
    return write_batch(saves, RECORDS_DELETE, args, out);
}

static bool set_merging(struct saves *saves, struct json_raw args, struct buf *out)
{
    struct saves_model *model = model_of(saves, json_raw_at(args, 1), out);
    struct records_cursor cursor = {0};
    struct records_place place;
    struct err err = {0};
    bool found;

    if (model == NULL)
        return false;
    buf_puts(out, "true");
    if (!json_raw_is_string(
            json_raw_get(json_raw_at(args, 0), "strategy"), "ignore_if_modified_after"))
        return true;
    place = place_of(saves, model);
    if (!records_last_cursor(saves->records, &place, &cursor, &found, &err)) {
        buf_clear(out);
        return refuse(saves, &err, out);
    }
    pthread_mutex_lock(&saves->lock);
    model->merging = true;
    model->cursor = cursor;
    pthread_mutex_unlock(&saves->lock);
    return true;
}

static bool track_start(struct saves *saves, struct json_raw args, struct buf *out)
{
    struct saves_model *model = model_of(saves, json_raw_at(args, 0), out);
    struct records_place place;
    struct err err = {0};

    if (model == NULL)
        return false;
    place = place_of(saves, model);
    if (!records_track_start(saves->records, &place, &err))
        return refuse(saves, &err, out);
    buf_puts(out, "true");
    return true;
}

static bool note_deleted(struct saves *saves, struct saves_model *model,
    struct records_ids *deleted, struct buf *out)
{
    pthread_mutex_lock(&saves->lock);
    model->counts.deleted += (int64_t)deleted->count;
    pthread_mutex_unlock(&saves->lock);
    put_deleted(deleted, out);
    records_ids_free(deleted);
    return true;
}

static bool track_end(struct saves *saves, struct json_raw args, struct buf *out)
{
    struct saves_model *model = model_of(saves, json_raw_at(args, 0), out);
    struct records_place place;
    struct records_ids deleted;
    struct err err = {0};
    bool tracked;

    if (model == NULL)
        return false;
    place = place_of(saves, model);
    if (!records_track_end(saves->records, &place, &tracked, &deleted, &err))
        return refuse(saves, &err, out);
    if (tracked)
        return note_deleted(saves, model, &deleted, out);
    script_call_refuse(out, "Error",
        "No track deletes starting point found for model '%s'.", model->model);
    return false;
}

static bool delete_unseen(struct saves *saves, struct saves_model *model,
    struct records_ids *deleted, struct err *err)
{
    struct records_place place = place_of(saves, model);

    return records_delete_unseen(saves->records, &place, model->seen, deleted, err);
}

static bool delete_previous(struct saves *saves, struct json_raw args, struct buf *out)
{
    struct saves_model *model = model_of(saves, json_raw_at(args, 0), out);
    struct records_ids deleted;
    struct err err = {0};

    if (model == NULL)
        return false;
    if (!delete_unseen(saves, model, &deleted, &err))
        return refuse(saves, &err, out);
    return note_deleted(saves, model, &deleted, out);
}

struct listing {
    struct buf *out;
    bool with_ids;
    bool any;
    struct records_cursor last;
};

static bool put_record(void *arg, const struct record *record)
{
    struct listing *listing = arg;

    if (listing->any)
        buf_putc(listing->out, ',');
    listing->any = true;
    listing->last = record->at;
    if (listing->with_ids) {
        buf_putc(listing->out, '[');
        json_append_string(listing->out, record->external_id);
        buf_putc(listing->out, ',');
    }
    records_append_json(listing->out, record);
    if (listing->with_ids)
        buf_putc(listing->out, ']');
    return true;
}

static bool get_by_ids(struct saves *saves, struct json_raw args, struct buf *out)
{
    struct saves_model *model = model_of(saves, json_raw_at(args, 1), out);
    struct listing listing = {.out = out, .with_ids = true};
    struct records_ids ids = {0};
    struct records_query query;
    struct json_raw_iter iter;
    struct json_raw id;
    struct err err = {0};
    bool ok = true;

    if (model == NULL)
        return false;
    json_raw_begin(json_raw_at(args, 0), &iter);
    while (json_raw_next(&iter, NULL, &id)) {
        char *text = json_raw_dup_string(id);

        if (text == NULL)
            continue;
        ids.list = mem_resize_array(ids.list, ids.count + 1, sizeof *ids.list);
        ids.list[ids.count++] = text;
    }
    query = (struct records_query){.place = place_of(saves, model),
        .ids = (const char *const *)ids.list,
        .id_count = ids.count};
    buf_putc(out, '[');
    if (ids.count > 0)
        ok = records_list(saves->records, &query, put_record, &listing, NULL, &err);
    records_ids_free(&ids);
    buf_putc(out, ']');
    if (ok)
        return true;
    buf_clear(out);
    return refuse(saves, &err, out);
}

static bool list_records(struct saves *saves, struct json_raw args, struct buf *out)
{
    struct saves_model *model = model_of(saves, json_raw_at(args, 0), out);
    char *text = json_raw_dup_string(json_raw_at(args, 1));
    struct listing listing = {.out = out};
    struct records_query query = {.limit = PAGE};
    char cursor[RECORDS_CURSOR_SIZE];
    struct records_cursor after;
    struct err err = {0};
    bool more, ok = true;

    if (model != NULL && text != NULL && !records_cursor_parse(text, &after)) {
        script_call_refuse(out, "Error", "The cursor is none of a record");
        model = NULL;
    }
    if (model == NULL) {
        free(text);
        return false;
    }
    query.place = place_of(saves, model);
    query.after = text != NULL ? &after : NULL;
    buf_puts(out, "{\"records\":[");
    ok = records_list(saves->records, &query, put_record, &listing, &more, &err);
    free(text);
    if (!ok) {
        buf_clear(out);
        return refuse(saves, &err, out);
    }
    buf_puts(out, "],\"next_cursor\":");
    if (more)
        records_cursor_text(&listing.last, cursor);
    json_append_string(out, more ? cursor : NULL);
    buf_putc(out, '}');
    return true;
}

static bool set_last_sync(struct saves *saves, struct json_raw args, struct buf *out)
{
    char *date = json_raw_dup_string(json_raw_at(args, 0));
    int64_t ms = 0;
    bool ok = date != NULL && clock_parse(date, &ms);

    free(date);
    if (!ok) {
        script_call_refuse(out, "Error", "Invalid Date");
        return false;
    }
    pthread_mutex_lock(&saves->lock);
    saves->last_sync_ms = ms;
    pthread_mutex_unlock(&saves->lock);
    buf_puts(out, "true");
    return true;
}

static const struct method {
    const char *name;
    bool (*call)(struct saves *saves, struct json_raw args, struct buf *out);
} methods[] = {
    {"batchSave", batch_save},
    {"batchSend", batch_save},
    {"batchUpdate", batch_update},
    {"batchDelete", batch_delete},
    {"setMergingStrategy", set_merging},
    {"trackDeletesStart", track_start},
    {"trackDeletesEnd", track_end},
    {"deleteRecordsFromPreviousExecutions", delete_previous},
    {"getRecordsByIds", get_by_ids},
    {"listRecords", list_records},
    {"setLastSyncDate", set_last_sync},
};

static const struct method *method_of(const char *name)
{
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (strcmp(methods[i].name, name) == 0)
            return &methods[i];
    return NULL;
}

bool saves_known(const char *method)
{
    return method_of(method) != NULL;
}

bool saves_call(
    struct saves *saves, const char *method, struct json_raw args, struct buf *out)
{
    return method_of(method)->call(saves, args, out);
}

/* ---- the whole ---- */

bool saves_clear(struct saves *saves, struct err *err)
{
    for (size_t i = 0; i < saves->count; i++) {
        struct records_place place = place_of(saves, &saves->models[i]);

        if (!records_drop(saves->records, &place, err))
            return false;
    }
    return true;
}

bool saves_delete_unseen(struct saves *saves, struct err *err)
{
    for (size_t i = 0; i < saves->count; i++) {
        struct saves_model *model = &saves->models[i];
        struct records_ids deleted;

        if (!delete_unseen(saves, model, &deleted, err))
            return false;
        model->counts.deleted += (int64_t)deleted.count;
        records_ids_free(&deleted);
    }
    return true;
}

void saves_append_result(struct saves *saves, struct buf *out)
{
    buf_putc(out, '{');
    for (size_t i = 0; i < saves->count; i++) {
        const struct records_counts *counts = &saves->models[i].counts;

        if (i > 0)
            buf_putc(out, ',');
        json_append_string(out, saves->models[i].model);
        buf_printf(out, ":{\"added\":%lld,\"updated\":%lld,\"deleted\":%lld}",
            (long long)counts->added, (long long)counts->updated,
            (long long)counts->deleted);
    }
    buf_putc(out, '}');
}
