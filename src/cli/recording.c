/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/recording.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/fixture_int.h"
#include "oplog/redact.h"

/* A member: its name, and JSON text. */
struct member {
    char *name;
    struct buf text;
};
struct members {
    struct member *items;
    size_t count;
};

struct exchange {
    char *method, *path, *hash;
    struct buf text; /* the entry */
    bool written;
};

struct recording {
    struct members whole, nango;
    struct exchange *exchanges;
    size_t count;
    struct redactor *redactor;
};

struct recording *recording_new(void)
{
    struct recording *recording = MEM_NEW(struct recording);

    recording->redactor = redactor_new();
    return recording;
}

static void members_finish(struct members *members)
{
    for (size_t i = 0; i < members->count; i++) {
        free(members->items[i].name);
        buf_finish(&members->items[i].text);
    }
    free(members->items);
}

void recording_free(struct recording *recording)
{
    if (recording == NULL)
        return;
    members_finish(&recording->whole);
    members_finish(&recording->nango);
    for (size_t i = 0; i < recording->count; i++) {
        struct exchange *exchange = &recording->exchanges[i];

        free(exchange->method);
        free(exchange->path);
        free(exchange->hash);
        buf_finish(&exchange->text);
    }
    free(recording->exchanges);
    redactor_free(recording->redactor);
    free(recording);
}

static void members_set(struct members *members, const char *name, struct json_raw value)
{
    struct member *member = NULL;

    if (value.text == NULL)
        return;
    for (size_t i = 0; i < members->count && member == NULL; i++)
        if (strcmp(members->items[i].name, name) == 0)
            member = &members->items[i];
    if (member == NULL) {
        members->items =
            mem_resize_array(members->items, members->count + 1, sizeof *members->items);
        member = &members->items[members->count++];
        member->name = str_dup(name);
        buf_init_secret(&member->text, 0);
    }
    buf_clear(&member->text);
    buf_append(&member->text, value.text, value.len);
}

void recording_set(struct recording *recording, const char *member, struct json_raw value)
{
    members_set(&recording->whole, member, value);
}

void recording_set_nango(
    struct recording *recording, const char *member, struct json_raw value)
{
    members_set(&recording->nango, member, value);
}

/* ---- requests ---- */

static void append_members(struct buf *out, const struct pairs *pairs)
{
    buf_putc(out, '{');
    for (size_t i = 0; i < pairs->count; i++) {
        if (i > 0)
            buf_putc(out, ',');
        json_raw_append_quoted(pairs->items[i].name, strlen(pairs->items[i].name), out);
        buf_putc(out, ':');
        json_raw_append_quoted(pairs->items[i].value, strlen(pairs->items[i].value), out);
    }
    buf_putc(out, '}');
}

static void append_request(struct buf *out, const struct request *request)
{
    bool first = true;

    buf_puts(out, ",\"request\":{");
    if (request->params.count > 0) {
        buf_puts(out, "\"params\":");
        append_members(out, &request->params);
        first = false;
    }
    if (request->headers.count > 0) {
        buf_puts(out, first ? "\"headers\":" : ",\"headers\":");
        append_members(out, &request->headers);
        first = false;
    }
    if (request->data != NULL) {
        buf_puts(out, first ? "\"data\":" : ",\"data\":");
        json_raw_append_quoted(request->data, strlen(request->data), out);
    }
    buf_putc(out, '}');
}

/* Cookies are as good as credentials. */
static void append_headers(struct buf *out, struct json_raw headers)
{
    struct json_raw_iter iter;
    struct json_raw name, value;
    bool first = true;

    buf_puts(out, ",\"headers\":{");
    json_raw_begin(headers, &iter);
    while (json_raw_next(&iter, &name, &value)) {
        if (name.text == NULL || json_raw_is_string(name, "set-cookie"))
            continue;
        buf_printf(out, "%s%.*s:", first ? "" : ",", (int)name.len, name.text);
        buf_append(out, value.text, value.len);
        first = false;
    }
    buf_putc(out, '}');
}

/* The body as a replay gives it: what the script would have made of a text is made of it here,
 * as a replay hands on what it reads. */
static void append_body(struct buf *out, struct json_raw answer, bool as_text)
{
    struct json_raw text = json_raw_get(answer, "text"),
                    data = json_raw_get(answer, "data");
    struct buf plain;

    buf_puts(out, "\"response\":");
    if (text.text == NULL) {
        buf_append(out, data.text != NULL ? data.text : "null",
            data.text != NULL ? data.len : 4);
        return;
    }
    buf_init(&plain, 0);
    json_raw_append_string(text, &plain);
    if (!as_text && plain.len > 0 && json_check_syntax(plain.data, plain.len, NULL))
        buf_append(out, plain.data, plain.len);
    else
        buf_append(out, text.text, text.len);
    buf_finish(&plain);
}

static void append_thrown(struct buf *out, struct json_raw error)
{
    static const char *const members[] = {"name", "message", "code", "type", "payload"};
    bool first = true;

    buf_puts(out, ",\"thrown\":{");
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        struct json_raw part = json_raw_get(error, members[i]);

        if (part.text == NULL)
            continue;
        buf_printf(out, "%s\"%s\":", first ? "" : ",", members[i]);
        buf_append(out, part.text, part.len);
        first = false;
    }
    buf_putc(out, '}');
}

static bool is_known(const struct recording *recording, const struct request *request)
{
    for (size_t i = 0; i < recording->count; i++)
        if (strcmp(recording->exchanges[i].hash, request->hashes[0]) == 0)
            return true;
    return false;
}

static void add_exchange(struct recording *recording, const struct request *request,
    bool ok, struct json_raw answer, bool as_text)
{
    struct json_raw response = ok ? answer : json_raw_get(answer, "response"),
                    status = json_raw_get(response, "status");
    struct exchange *exchange;
    struct buf *out;

    if (is_known(recording, request))
        return;
    recording->exchanges = mem_resize_array(
        recording->exchanges, recording->count + 1, sizeof *recording->exchanges);
    exchange = &recording->exchanges[recording->count++];
    *exchange = (struct exchange){.method = str_dup(request->method),
        .path = str_printf("/%s", request->path),
        .hash = str_dup(request->hashes[0])};
    out = &exchange->text;
    buf_init_secret(out, 0);
    buf_putc(out, '{');
    append_body(out, response, as_text);
    if (status.text != NULL)
        buf_printf(out, ",\"status\":%.*s", (int)status.len, status.text);
    append_headers(out, json_raw_get(response, "headers"));
    buf_printf(out, ",\"hash\":\"%s\"", exchange->hash);
    append_request(out, request);
    if (!ok)
        append_thrown(out, answer);
    buf_putc(out, '}');
}

static void add_request(struct recording *recording, struct json_raw call, bool fetched,
    bool ok, struct json_raw answer)
{
    struct json_raw type = json_raw_get(call, "responseType");
    struct request request;
    struct buf text;

    buf_init(&text, 0);
    if (request_read(request_as_recorded(call, fetched, &text), &request)) {
        add_exchange(
            recording, &request, ok, answer, fetched || json_raw_is_string(type, "text"));
        request_finish(&request);
    }
    buf_finish(&text);
}

/* ---- the rest of nango ---- */

static void hide_strings(cJSON *object)
{
    cJSON *one;

    cJSON_ArrayForEach(one, object)
    {
        if (cJSON_IsObject(one) || cJSON_IsArray(one))
            hide_strings(one);
        else if (cJSON_IsString(one) && !str_eq(one->string, "type"))
            cJSON_SetValuestring(one, REDACTED);
    }
}

static void add_parsed(
    struct recording *recording, const char *member, const cJSON *value)
{
    char *text = json_print(value);

    recording_set_nango(
        recording, member, (struct json_raw){.text = text, .len = strlen(text)});
    free(text);
}

/* A connection or an integration: all but the credentials. */
static void add_credentialed(
    struct recording *recording, const char *method, struct json_raw answer)
{
    cJSON *value = json_parse_lenient(answer.text, answer.len, NULL);
    const cJSON *credentials = json_get(value, "credentials");

    if (value == NULL)
        return;
    redactor_add_json(recording->redactor, json_raw_get(answer, "credentials"));
    if (cJSON_IsObject(credentials))
        hide_strings(json_get_mut(value, "credentials"));
    add_parsed(recording, method, value);
    if (str_eq(method, "getConnection")) {
        recording_set_nango(recording, "getMetadata", json_raw_get(answer, "metadata"));
        recording_set_nango(recording, "getToken",
            (struct json_raw){.text = "\"" REDACTED "\"", .len = sizeof REDACTED + 1});
    } else {
        recording_set_nango(
            recording, "getWebhookURL", json_raw_get(answer, "webhook_url"));
    }
    cJSON_Delete(value);
}

static void add_variables(struct recording *recording, struct json_raw answer)
{
    cJSON *value = json_parse_lenient(answer.text, answer.len, NULL), *one;

    cJSON_ArrayForEach(one, value)
    {
        if (cJSON_IsString(json_get(one, "value")))
            json_set_str(one, "value", REDACTED);
    }
    redactor_add_json(recording->redactor, answer);
    if (value != NULL)
        add_parsed(recording, "getEnvironmentVariables", value);
    cJSON_Delete(value);
}

void recording_add(struct recording *recording, const char *method, struct json_raw args,
    bool ok, struct json_raw answer)
{
    if (str_eq(method, "proxy"))
        add_request(recording, json_raw_at(args, 0), false, ok, answer);
    else if (str_eq(method, "uncontrolledFetch"))
        add_request(recording, json_raw_at(args, 0), true, ok, answer);
    else if (!ok)
        return;
    else if (str_eq(method, "getConnection") || str_eq(method, "getIntegration"))
        add_credentialed(recording, method, answer);
    else if (str_eq(method, "getEnvironmentVariables"))
        add_variables(recording, answer);
    else
        recording_set_nango(recording, method, answer);
}

/* ---- writing ---- */

static void write_members(const struct members *members, struct buf *out)
{
    for (size_t i = 0; i < members->count; i++) {
        if (i > 0)
            buf_putc(out, ',');
        json_raw_append_quoted(
            members->items[i].name, strlen(members->items[i].name), out);
        buf_putc(out, ':');
        buf_append(out, members->items[i].text.data, members->items[i].text.len);
    }
}

/* All of the path and method of the one at `first`: one entry, or a list of them. */
static void write_path(struct recording *recording, size_t first, struct buf *out)
{
    struct exchange *of = &recording->exchanges[first];
    size_t count = 0;

    for (size_t i = first; i < recording->count; i++)
        count += str_eq(recording->exchanges[i].method, of->method) &&
                 str_eq(recording->exchanges[i].path, of->path);
    json_raw_append_quoted(of->path, strlen(of->path), out);
    buf_puts(out, count > 1 ? ":[" : ":");
    for (size_t i = first; i < recording->count; i++) {
        struct exchange *one = &recording->exchanges[i];

        if (!str_eq(one->method, of->method) || !str_eq(one->path, of->path))
            continue;
        if (i > first)
            buf_putc(out, ',');
        buf_append(out, one->text.data, one->text.len);
        one->written = true;
    }
    if (count > 1)
        buf_putc(out, ']');
}

static void write_method(struct recording *recording, size_t first, struct buf *out)
{
    const char *method = recording->exchanges[first].method;
    bool more = false;

    buf_printf(out, "\"%s\":{", method);
    for (size_t i = first; i < recording->count; i++) {
        if (recording->exchanges[i].written ||
            !str_eq(recording->exchanges[i].method, method))
            continue;
        if (more)
            buf_putc(out, ',');
        write_path(recording, i, out);
        more = true;
    }
    buf_putc(out, '}');
}

void recording_write(struct recording *recording, struct buf *out)
{
    bool more = false;
    struct buf text;
    char *shown;

    buf_init_secret(&text, 0);
    buf_putc(&text, '{');
    write_members(&recording->whole, &text);
    buf_puts(&text, recording->whole.count > 0 ? ",\"nango\":{" : "\"nango\":{");
    write_members(&recording->nango, &text);
    buf_puts(&text, "},\"api\":{");
    for (size_t i = 0; i < recording->count; i++)
        recording->exchanges[i].written = false;
    for (size_t i = 0; i < recording->count; i++) {
        if (recording->exchanges[i].written)
            continue;
        if (more)
            buf_putc(&text, ',');
        write_method(recording, i, &text);
        more = true;
    }
    buf_puts(&text, "}}\n");
    shown = redactor_text(recording->redactor, text.data);
    buf_puts(out, shown);
    free(shown);
    buf_finish(&text);
}
