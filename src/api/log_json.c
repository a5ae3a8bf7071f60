/* SPDX-License-Identifier: Apache-2.0 */
#include "api/log_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"

static void put_number(struct buf *out, const char *name, int64_t value)
{
    json_append_name(out, name);
    buf_number(out, value);
}

static void put_row_id(struct buf *out, const char *name, int64_t value)
{
    json_append_name(out, name);
    if (value != 0)
        buf_number(out, value);
    else
        buf_puts(out, "null");
}

static void put_time(struct buf *out, const char *name, int64_t ms)
{
    char text[CLOCK_TEXT_SIZE];

    if (ms != 0)
        clock_text_z(ms, text);
    json_append_text(out, name, ms != 0 ? text : NULL);
}

static void put_json(struct buf *out, const char *name, struct json_raw value)
{
    json_append_name(out, name);
    if (value.text != NULL)
        buf_append(out, value.text, value.len);
    else
        buf_puts(out, "null");
}

static struct json_raw raw_of(const char *text)
{
    return (struct json_raw){text, text != NULL ? strlen(text) : 0};
}

static void put_id(struct buf *out, const char *name, int64_t id)
{
    char text[OPLOG_ID_SIZE];

    oplog_id_text(id, text);
    json_append_text(out, name, text);
}

/* ---- operations ---- */

static enum oplog_level level_of(enum oplog_state state)
{
    return state == OPLOG_FAILED || state == OPLOG_TIMEOUT ? OPLOG_ERROR
           : state == OPLOG_CANCELLED                      ? OPLOG_WARN
                                                           : OPLOG_INFO;
}

/* The last exchange of a call is the one that counts. */
static void put_exchange(struct buf *out, const struct oplog_row *row)
{
    struct json_raw_iter iter;
    struct json_raw none, exchange, last = {0};

    if (row->exchanges == NULL)
        return;
    json_raw_begin(raw_of(row->exchanges), &iter);
    while (json_raw_next(&iter, &none, &exchange))
        last = exchange;
    put_json(out, "request", json_raw_get(last, "request"));
    put_json(out, "response", json_raw_get(last, "response"));
}

void log_operation_json(
    struct buf *out, int64_t environment_id, const struct oplog_row *row)
{
    int64_t began = row->started_at_ms != 0 ? row->started_at_ms : row->created_at_ms;

    buf_putc(out, '{');
    put_id(out, "id", row->id);
    json_append_name(out, "operation");
    buf_putc(out, '{');
    json_append_text(out, "type", row->type);
    json_append_text(out, "action", row->action);
    buf_putc(out, '}');
    json_append_text(out, "state", oplog_state_names[row->state]);
    json_append_text(out, "level", oplog_level_names[level_of(row->state)]);
    json_append_text(out, "message", row->message);
    put_time(out, "createdAt", row->created_at_ms);
    put_time(out, "startedAt", row->started_at_ms);
    put_time(out, "endedAt", row->ended_at_ms);
    json_append_name(out, "durationMs");
    if (row->ended_at_ms != 0)
        buf_number(out, row->ended_at_ms - began);
    else
        buf_puts(out, "null");
    put_number(out, "environmentId", environment_id);
    put_row_id(out, "integrationId", row->integration_id);
    json_append_text(out, "integrationName", row->integration);
    json_append_text(out, "providerName", row->provider);
    put_row_id(out, "connectionId", row->connection_id);
    json_append_text(out, "connectionName", row->connection);
    put_row_id(out, "syncConfigId", row->script_id);
    json_append_text(out, "syncConfigName", row->script);
    put_json(out, "error", raw_of(row->error));
    put_json(out, "meta", raw_of(row->meta));
    put_exchange(out, row);
    buf_putc(out, '}');
}

/* ---- messages ---- */

/* The members of an object, after others. */
static void put_members(struct buf *out, struct json_raw object)
{
    struct json_raw_iter iter;
    struct json_raw key, value;

    if (json_raw_kind(object) != JSON_RAW_OBJECT)
        return;
    json_raw_begin(object, &iter);
    while (json_raw_next(&iter, &key, &value)) {
        buf_putc(out, ',');
        buf_append(out, key.text, key.len);
        buf_putc(out, ':');
        buf_append(out, value.text, value.len);
    }
}

void log_message_json(
    struct buf *out, int64_t operation, const struct oplog_message *message)
{
    buf_putc(out, '{');
    put_id(out, "id", message->id);
    put_id(out, "parentId", operation);
    json_append_text(out, "type", message->http ? "http" : "log");
    json_append_text(out, "source", message->by_script ? "user" : "internal");
    json_append_text(out, "level", oplog_level_names[message->level]);
    json_append_text(out, "message", message->text);
    put_time(out, "createdAt", message->at_ms);
    put_members(out, raw_of(message->detail));
    buf_putc(out, '}');
}

static enum oplog_level exchange_level(struct json_raw exchange)
{
    double code = 0;

    return json_raw_number(
               json_raw_get(json_raw_get(exchange, "response"), "code"), &code) &&
                   code < 400
               ? OPLOG_INFO
               : OPLOG_ERROR;
}

static bool shows(struct json_raw exchange, const char *search)
{
    char *text;
    bool found;

    if (search == NULL)
        return true;
    text = str_ndup(exchange.text, exchange.len);
    found = str_contains_nocase(text, search);
    free(text);
    return found;
}

static void put_exchange_message(
    struct buf *out, const struct oplog_row *row, size_t number, struct json_raw exchange)
{
    char id[OPLOG_ID_SIZE], numbered[OPLOG_ID_SIZE + 24];
    struct json_raw request = json_raw_get(exchange, "request");
    char *method = json_raw_dup_string(json_raw_get(request, "method"));
    char *url = json_raw_dup_string(json_raw_get(request, "url"));
    char *message =
        str_printf("%s %s", method != NULL ? method : "", url != NULL ? url : "");
    double at = 0;

    oplog_id_text(row->id, id);
    (void)snprintf(numbered, sizeof numbered, "%s:%zu", id, number);
    (void)json_raw_number(json_raw_get(exchange, "at"), &at);
    buf_putc(out, '{');
    json_append_text(out, "id", numbered);
    json_append_text(out, "parentId", id);
    json_append_text(out, "type", "http");
    json_append_text(out, "source", "internal");
    json_append_text(out, "level", oplog_level_names[exchange_level(exchange)]);
    json_append_text(out, "message", message);
    put_time(out, "createdAt", (int64_t)at);
    put_members(out, exchange);
    buf_putc(out, '}');
    free(method);
    free(url);
    free(message);
}

void log_call_messages_json(
    struct buf *out, const struct oplog_row *row, unsigned levels, const char *search)
{
    struct json_raw_iter iter;
    struct json_raw none, exchange;
    bool first = true;
    size_t number = 0;

    if (row->exchanges == NULL)
        return;
    json_raw_begin(raw_of(row->exchanges), &iter);
    while (json_raw_next(&iter, &none, &exchange)) {
        number++;
        if ((levels != 0 && (levels >> exchange_level(exchange) & 1u) == 0) ||
            !shows(exchange, search))
            continue;
        if (!first)
            buf_putc(out, ',');
        first = false;
        put_exchange_message(out, row, number, exchange);
    }
}
