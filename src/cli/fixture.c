/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli/fixture_int.h"
#include "cli/host.h"

#define MAX_LOGS ((size_t)1 << 20)

/* Rows of one model, as the inside of a JSON array. */
struct rows {
    char *model; /* quoted */
    struct buf text;
    struct rows *next;
};

struct fixture {
    struct json_raw root, nango, api;
    struct rows *saved, *deleted;
    struct buf calls, logs; /* insides of JSON arrays */
    char *checkpoint;       /* NULL = none */
    char *metadata;         /* what the script set; NULL = nothing */
};

struct fixture *fixture_new(const char *text, size_t len, struct err *err)
{
    struct fixture *fixture = MEM_NEW(struct fixture);

    if (!json_raw_parse(text, len, &fixture->root, err)) {
        free(fixture);
        return NULL;
    }
    fixture->nango = json_raw_get(fixture->root, "nango");
    fixture->api = json_raw_get(fixture->root, "api");
    buf_init(&fixture->calls, MAX_LOGS);
    buf_init(&fixture->logs, MAX_LOGS);
    return fixture;
}

static void free_rows(struct rows *rows)
{
    while (rows != NULL) {
        struct rows *next = rows->next;

        free(rows->model);
        buf_finish(&rows->text);
        free(rows);
        rows = next;
    }
}

void fixture_free(struct fixture *fixture)
{
    if (fixture == NULL)
        return;
    free_rows(fixture->saved);
    free_rows(fixture->deleted);
    buf_finish(&fixture->calls);
    buf_finish(&fixture->logs);
    free(fixture->checkpoint);
    free(fixture->metadata);
    free(fixture);
}

struct json_raw fixture_input(const struct fixture *fixture)
{
    return json_raw_get(fixture->root, "input");
}

struct json_raw fixture_last_sync_date(const struct fixture *fixture)
{
    struct json_raw date = json_raw_get(fixture->nango, "lastSyncDate");

    return date.text != NULL ? date : json_raw_get(fixture->root, "lastSyncDate");
}

/* Adds a text to the inside of an array, unless that is full. */
static void note(struct buf *list, const char *text, size_t len)
{
    if (list->len + 6 * len + 3 > list->max) /* an escape takes six bytes */
        return;
    if (list->len > 0)
        buf_putc(list, ',');
    json_raw_append_quoted(text, len, list);
}

/* An answer in the making: `value` or `error`. */
struct answer {
    struct buf value; /* JSON text; empty = undefined */
    struct buf error; /* JSON text; empty = none */
};

static void refuse(struct answer *answer, const char *code, const char *message)
{
    buf_clear(&answer->error);
    buf_puts(&answer->error, "{\"name\":\"Error\",\"code\":");
    json_raw_append_quoted(code, strlen(code), &answer->error);
    buf_puts(&answer->error, ",\"message\":");
    json_raw_append_quoted(message, strlen(message), &answer->error);
    buf_putc(&answer->error, '}');
}

static void give(struct answer *answer, struct json_raw value)
{
    if (value.text != NULL)
        buf_append(&answer->value, value.text, value.len);
}

/* The members of a recorded answer, as {data, status, headers}; what it lacks stays out. */
static void append_recorded(struct buf *out, struct json_raw recorded)
{
    static const char *const members[][2] = {
        {"response", "data"}, {"status", "status"}, {"headers", "headers"}};
    bool first = true;

    buf_putc(out, '{');
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        struct json_raw part = json_raw_get(recorded, members[i][0]);

        if (part.text == NULL)
            continue;
        buf_printf(out, "%s\"%s\":", first ? "" : ",", members[i][1]);
        buf_append(out, part.text, part.len);
        first = false;
    }
    buf_putc(out, '}');
}

static void give_recorded(struct answer *answer, struct json_raw recorded)
{
    append_recorded(&answer->value, recorded);
}

/* A call that failed when nangoctl recorded it: with the answer, if there was one. */
static void throw_recorded(struct answer *answer, struct json_raw recorded)
{
    struct json_raw_iter iter;
    struct json_raw name, value;

    buf_clear(&answer->error);
    buf_puts(&answer->error, "{\"name\":\"Error\"");
    json_raw_begin(json_raw_get(recorded, "thrown"), &iter);
    while (json_raw_next(&iter, &name, &value)) {
        buf_putc(&answer->error, ',');
        buf_append(&answer->error, name.text, name.len);
        buf_putc(&answer->error, ':');
        buf_append(&answer->error, value.text, value.len);
    }
    if (json_raw_kind(json_raw_get(recorded, "status")) == JSON_RAW_NUMBER) {
        buf_puts(&answer->error, ",\"response\":");
        append_recorded(&answer->error, recorded);
    }
    buf_putc(&answer->error, '}');
}

static void note_request(
    struct fixture *fixture, const struct request *request, struct buf *line)
{
    buf_printf(line, "%s /%s", request->method, request->path);
    note(&fixture->calls, line->data, line->len);
}

void fixture_note_call(struct fixture *fixture, struct json_raw call, bool fetched)
{
    struct request request;
    struct buf line, text;

    buf_init(&line, 0);
    buf_init(&text, 0);
    if (request_read(request_as_recorded(call, fetched, &text), &request)) {
        note_request(fixture, &request, &line);
        request_finish(&request);
    }
    buf_finish(&text);
    buf_finish(&line);
}

/* The recorded answer to a request, whatever its status. `loosely`: method and path suffice where
 * nothing fits better. */
static void answer_request(
    struct fixture *fixture, struct json_raw call, bool loosely, struct answer *answer)
{
    struct request request;
    struct json_raw recorded;
    struct buf line;

    if (!request_read(call, &request)) {
        refuse(answer, "invalid_endpoint", "The endpoint is no URL or path");
        return;
    }
    buf_init(&line, 0);
    note_request(fixture, &request, &line);
    recorded = request_find(&request, fixture->api);
    if (json_raw_kind(recorded) == JSON_RAW_ABSENT && loosely)
        recorded = request_find_any(&request, fixture->api);
    if (json_raw_kind(recorded) == JSON_RAW_ABSENT) {
        buf_puts(&line, ": no recorded answer fits; the request was ");
        for (size_t i = 0; i < request.params.count; i++)
            buf_printf(&line, "%s%s=%s", i > 0 ? "&" : "?", request.params.items[i].name,
                request.params.items[i].value);
        for (size_t i = 0; i < request.headers.count; i++)
            buf_printf(&line, " [%s: %s]", request.headers.items[i].name,
                request.headers.items[i].value);
        buf_printf(&line, " body %s", request.data != NULL ? request.data : "none");
        refuse(answer, "not_recorded", line.data);
    } else if (json_raw_kind(json_raw_get(recorded, "thrown")) == JSON_RAW_OBJECT) {
        throw_recorded(answer, recorded);
    } else {
        give_recorded(answer, recorded);
    }
    buf_finish(&line);
    request_finish(&request);
}

static void method_proxy(
    struct fixture *fixture, struct json_raw args, struct answer *answer)
{
    answer_request(fixture, json_raw_at(args, 0), false, answer);
}

static void method_fetch(
    struct fixture *fixture, struct json_raw args, struct answer *answer)
{
    struct buf text;

    buf_init(&text, 0);
    answer_request(
        fixture, request_as_recorded(json_raw_at(args, 0), true, &text), true, answer);
    buf_finish(&text);
}

static void collect(struct rows **list, struct json_raw args)
{
    struct json_raw rows = json_raw_at(args, 0), model = json_raw_at(args, 1), row;
    struct json_raw_iter iter;
    struct rows *of_model;

    if (json_raw_kind(model) != JSON_RAW_STRING)
        return;
    while (*list != NULL && (strlen((*list)->model) != model.len ||
                                memcmp((*list)->model, model.text, model.len) != 0))
        list = &(*list)->next;
    if (*list == NULL) {
        *list = MEM_NEW(struct rows);
        (*list)->model = str_ndup(model.text, model.len);
        buf_init(&(*list)->text, 0);
    }
    of_model = *list;
    json_raw_begin(rows, &iter);
    while (json_raw_next(&iter, NULL, &row)) {
        if (of_model->text.len > 0)
            buf_putc(&of_model->text, ',');
        buf_append(&of_model->text, row.text, row.len);
    }
}

static void method_save(
    struct fixture *fixture, struct json_raw args, struct answer *answer)
{
    (void)answer;
    collect(&fixture->saved, args);
}

static void method_delete(
    struct fixture *fixture, struct json_raw args, struct answer *answer)
{
    (void)answer;
    collect(&fixture->deleted, args);
}

static void method_get_checkpoint(
    struct fixture *fixture, struct json_raw args, struct answer *answer)
{
    struct json_raw recorded = json_raw_get(fixture->nango, "getCheckpoint");

    (void)args;
    if (fixture->checkpoint != NULL)
        buf_puts(&answer->value, fixture->checkpoint);
    else if (recorded.text != NULL)
        give(answer, recorded);
    else
        buf_puts(&answer->value, "null");
}

static void method_save_checkpoint(
    struct fixture *fixture, struct json_raw args, struct answer *answer)
{
    struct json_raw value = json_raw_at(args, 0);

    (void)answer;
    free(fixture->checkpoint);
    fixture->checkpoint = value.text == NULL ? NULL : str_ndup(value.text, value.len);
}

static void method_clear_checkpoint(
    struct fixture *fixture, struct json_raw args, struct answer *answer)
{
    (void)args, (void)answer;
    free(fixture->checkpoint);
    fixture->checkpoint = str_dup("null");
}

static void method_set_metadata(
    struct fixture *fixture, struct json_raw args, struct answer *answer)
{
    struct json_raw value = json_raw_at(args, 0);

    give(answer, json_raw_get(fixture->nango, "updateMetadata"));
    free(fixture->metadata);
    fixture->metadata = value.text == NULL ? NULL : str_ndup(value.text, value.len);
}

static void method_webhook_url(
    struct fixture *fixture, struct json_raw args, struct answer *answer)
{
    struct json_raw recorded = json_raw_get(fixture->nango, "getWebhookURL");

    (void)args;
    if (recorded.text != NULL)
        give(answer, recorded);
    else
        buf_puts(&answer->value, "\"https://example.com/webhook\"");
}

static void method_list_records(
    struct fixture *fixture, struct json_raw args, struct answer *answer)
{
    (void)fixture, (void)args;
    buf_puts(&answer->value, "{\"records\":[],\"next_cursor\":null}");
}

static void method_by_ids(
    struct fixture *fixture, struct json_raw args, struct answer *answer)
{
    (void)fixture, (void)args;
    buf_puts(&answer->value, "[]");
}

static void method_true(
    struct fixture *fixture, struct json_raw args, struct answer *answer)
{
    (void)fixture, (void)args;
    buf_puts(&answer->value, "true");
}

/* Methods with an answer of their own. The others answer with what `nango` in the
 * recording has under their name: some fail where it has nothing. */
static const struct {
    const char *name;
    void (*run)(struct fixture *fixture, struct json_raw args, struct answer *answer);
} methods[] = {
    {"proxy", method_proxy},
    {"uncontrolledFetch", method_fetch},
    {"batchSave", method_save},
    {"batchUpdate", method_save},
    {"batchDelete", method_delete},
    {"getCheckpoint", method_get_checkpoint},
    {"saveCheckpoint", method_save_checkpoint},
    {"clearCheckpoint", method_clear_checkpoint},
    {"setMetadata", method_set_metadata},
    {"updateMetadata", method_set_metadata},
    {"getWebhookURL", method_webhook_url},
    {"listRecords", method_list_records},
    {"getRecordsByIds", method_by_ids},
    {"tryAcquireLock", method_true},
    {"releaseLock", method_true},
};
static const char *const may_be_absent[] = {"trackDeletesStart", "trackDeletesEnd",
    "deleteRecordsFromPreviousExecutions", "setMergingStrategy", "setLastSyncDate",
    "getEnvironmentVariables", "releaseAllLocks", "triggerSync", "startSync"};

static void answer_method(struct fixture *fixture, const char *method,
    struct json_raw args, struct answer *answer)
{
    struct json_raw recorded;
    char message[128];

    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (strcmp(methods[i].name, method) == 0) {
            methods[i].run(fixture, args, answer);
            return;
        }
    }
    recorded = json_raw_get(fixture->nango, method);
    if (recorded.text != NULL) {
        give(answer, recorded);
        return;
    }
    for (size_t i = 0; i < sizeof may_be_absent / sizeof may_be_absent[0]; i++) {
        if (strcmp(may_be_absent[i], method) == 0)
            return;
    }
    /* Scripts compare these words: they are those of the public templates' recorder. */
    snprintf(message, sizeof message, "Missing mock data for %s", method);
    refuse(answer, "not_recorded", message);
}

void fixture_answer(struct fixture *fixture, struct json_raw call, struct buf *out)
{
    char *method = json_raw_dup_string(json_raw_get(call, "method"));
    struct answer answer;

    buf_init(&answer.value, 0);
    buf_init(&answer.error, 0);
    if (method == NULL)
        refuse(&answer, "invalid_call", "A call without a method");
    else
        answer_method(fixture, method, json_raw_get(call, "args"), &answer);
    host_append_result(out, call, &answer.value, &answer.error);
    buf_finish(&answer.value);
    buf_finish(&answer.error);
    free(method);
}

void fixture_log(struct fixture *fixture, struct json_raw log)
{
    char *level = json_raw_dup_string(json_raw_get(log, "level"));
    char *message = json_raw_dup_string(json_raw_get(log, "message"));
    struct buf line;

    buf_init(&line, 0);
    buf_printf(
        &line, "%s: %s", level == NULL ? "info" : level, message == NULL ? "" : message);
    note(&fixture->logs, line.data, line.len);
    buf_finish(&line);
    free(level);
    free(message);
}

static void append_rows(const char *name, const struct rows *rows, struct buf *out)
{
    bool first = true;

    buf_printf(out, ",\"%s\":{", name);
    for (; rows != NULL; rows = rows->next) {
        if (!first)
            buf_putc(out, ',');
        first = false;
        buf_puts(out, rows->model);
        buf_puts(out, ":[");
        buf_append(out, rows->text.data, rows->text.len);
        buf_putc(out, ']');
    }
    buf_putc(out, '}');
}

static void append_list(const char *name, const struct buf *list, struct buf *out)
{
    if (list->len == 0)
        return;
    buf_printf(out, ",\"%s\":[", name);
    buf_append(out, list->data, list->len);
    buf_putc(out, ']');
}

void fixture_append_result(const struct fixture *fixture, struct buf *out)
{
    append_rows("batchSave", fixture->saved, out);
    append_rows("batchDelete", fixture->deleted, out);
    append_list("calls", &fixture->calls, out);
    append_list("logs", &fixture->logs, out);
    if (fixture->checkpoint != NULL)
        buf_printf(out, ",\"checkpoint\":%s", fixture->checkpoint);
    if (fixture->metadata != NULL)
        buf_printf(out, ",\"metadata\":%s", fixture->metadata);
}
