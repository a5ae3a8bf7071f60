/* SPDX-License-Identifier: Apache-2.0 */
/* What syncs have saved: GET /records, GET /sync/records of the early clients, PATCH
 * /records/prune (contract http-api.md section 7). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api_int.h"
#include "api/fields.h"
#include "api/stream.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "records/records.h"

enum {
    USUAL_LIMIT = 100,
    MAX_LIMIT = 10000,
    MAX_CURSOR = 1000,
    MAX_EXTERNAL_ID = 256,
    USUAL_PRUNE = 1000,
    USUAL_PAGE = 100 * 1024, /* bytes */
    MAX_HERE = 1 << 20,      /* of a page that is made on a loop */
};
/* A page that has so many bytes ends, whatever its limit: the cursor leads to the rest. */
#define MAX_PAGE ((size_t)32 << 20)

/* ---- shapes ---- */

static bool is_model(const char *s)
{
    return *s >= 'A' && *s <= 'Z' && s[1] != '\0' && str_all_alnum_or(s, "_-");
}

static const struct pattern pattern_model = {"/^[A-Z][a-zA-Z0-9_-]+$/", is_model};

static void check_date(struct issues *issues, const cJSON *value)
{
    int64_t ms;

    if (!cJSON_IsString(value))
        issue_type(issues, "string", value);
    else if (!clock_parse(value->valuestring, &ms))
        issue_add(issues, "invalid_format", "Invalid ISO datetime");
}

static void check_id(struct issues *issues, const cJSON *id)
{
    size_t length = cJSON_IsString(id) ? str_utf16_len(id->valuestring) : 0;

    if (!cJSON_IsString(id))
        issue_type(issues, "string", id);
    else if (length == 0)
        issue_add(
            issues, "too_small", "Too small: expected string to have >=1 characters");
    else if (length > MAX_EXTERNAL_ID)
        issue_add(issues, "too_big", "Too big: expected string to have <=%d characters",
            MAX_EXTERNAL_ID);
}

/* One, or a list, which the query's bounds keep short. */
static void check_ids(struct issues *issues, const cJSON *value)
{
    const cJSON *id;

    if (!cJSON_IsArray(value)) {
        check_id(issues, value);
        return;
    }
    cJSON_ArrayForEach(id, value)
    {
        check_id(issues, id);
    }
}

/* 0: it is no name. */
static unsigned filter_bit(const char *name)
{
    static const struct {
        const char *name;
        unsigned bit;
    } names[] = {{"added", RECORDS_ADDED}, {"updated", RECORDS_UPDATED},
        {"deleted", RECORDS_DELETED}};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (str_eq_nocase(name, names[i].name))
            return names[i].bit;
    return 0;
}

/* Names between commas. */
static void check_filter(struct issues *issues, const cJSON *value)
{
    char *list = str_dup(cJSON_GetStringValue(value)), *rest = list, *one;
    char place[24];

    if (list == NULL)
        issue_type(issues, "string", value);
    for (int i = 0; (one = strsep(&rest, ",")) != NULL; i++) {
        if (filter_bit(one) != 0)
            continue;
        (void)snprintf(place, sizeof place, "%d", i);
        issue_enter(issues, place);
        issue_add(issues, "invalid_value",
            "Invalid option: expected one of \"added\"|\"updated\"|\"deleted\"|"
            "\"ADDED\"|\"UPDATED\"|\"DELETED\"");
        issue_leave(issues);
    }
    free(list);
}

#define RULE_MODEL                                                                       \
    {                                                                                    \
        .name = "model", .kind = RULE_STRING, .pattern = &pattern_model,                 \
        .max = FIELD_MAX                                                                 \
    }
static const struct rule list_rules[] = {
    RULE_MODEL,
    RULE_TEXT_FIELD("variant", true),
    {.name = "delta", .kind = RULE_CUSTOM, .optional = true, .check = check_date},
    {.name = "modified_after",
        .kind = RULE_CUSTOM,
        .optional = true,
        .check = check_date},
    {.name = "limit", .kind = RULE_COUNT, .optional = true, .min = 1, .max = MAX_LIMIT},
    {.name = "filter", .kind = RULE_CUSTOM, .optional = true, .check = check_filter},
    {.name = "cursor",
        .kind = RULE_STRING,
        .optional = true,
        .min = 1,
        .max = MAX_CURSOR},
    {.name = "ids", .kind = RULE_CUSTOM, .optional = true, .check = check_ids},
};
static const struct shape list_query = SHAPE_STRICT(list_rules);

static const struct rule prune_rules[] = {
    RULE_MODEL,
    RULE_TEXT_FIELD("variant", true),
    {.name = "until_cursor", .kind = RULE_STRING, .min = 1, .max = MAX_CURSOR},
    {.name = "limit", .kind = RULE_NUMBER, .optional = true, .min = 1, .max = MAX_LIMIT},
};
static const struct shape prune_body = SHAPE_STRICT(prune_rules);

static const struct rule header_rules[] = {
    {.name = "connection-id", .kind = RULE_STRING},
    {.name = "provider-config-key", .kind = RULE_STRING},
};
static const struct shape header_shape = SHAPE_LOOSE(header_rules);

/* ---- whose ---- */

/* NULL after a reply. */
static struct connection_row *find_connection(struct call *call)
{
    struct connection_row *row = NULL;
    struct err err = {0};

    if (!store_find_connection(call_auth(call)->store, call->environment_id,
            http_header(call->req, "provider-config-key"),
            http_header(call->req, "connection-id"), &row, &err))
        reply_error(call, &err);
    else if (row == NULL)
        reply_fault(call, 400, "unknown_connection",
            "Provided ConnectionId and ProviderConfigKey does not match a valid "
            "connection");
    return row;
}

static struct records_place place_of(
    const struct connection_row *connection, const char *model, const char *variant)
{
    return (struct records_place){
        .environment_id = connection->environment_id,
        .connection_id = connection->id,
        .made_ms = connection->created_at_ms,
        .model = model,
        .variant = variant,
    };
}

/* ---- lists ---- */

struct page {
    struct stream *stream;
    bool may_wait;  /* on this thread, for a slow client */
    bool too_large; /* for a thread that may not */
    bool gone;
    bool any;
    bool early, apart;
    size_t bytes;
    struct records_cursor last;
};

/* False: no more of them. */
static bool put_record(void *arg, const struct record *record)
{
    struct page *page = arg;
    struct buf *text = stream_text(page->stream);
    size_t before = text->len;

    if (page->any)
        buf_putc(text, ',');
    page->any = true;
    page->last = record->at;
    if (page->early)
        records_append_early(text, record, page->apart);
    else
        records_append_json(text, record);
    page->bytes += text->len - before;
    if (!page->may_wait) {
        page->too_large = text->len > MAX_HERE;
        return !page->too_large;
    }
    page->gone = !stream_flush(page->stream);
    return !page->gone && (page->early || page->bytes < MAX_PAGE);
}

/* Of "added,UPDATED"; names are left alone that are none. */
static unsigned filter_of(const char *text)
{
    char *list = str_dup(text != NULL ? text : ""), *rest = list, *one;
    unsigned out = 0;

    while ((one = strsep(&rest, ",")) != NULL)
        out |= filter_bit(str_trim(one));
    free(list);
    return out;
}

static int64_t time_of(const char *text)
{
    int64_t ms = 0;

    return text != NULL && clock_parse(text, &ms) && ms > 0 ? ms * 1000 : 0;
}

/* `ids` of the query, for free(); what they point to is the query's. */
static const char **ids_of(const struct call *call, size_t *count)
{
    const cJSON *ids = json_get(call->query, "ids"), *id;
    const char **list =
        mem_resize_array(NULL, (size_t)cJSON_GetArraySize(ids) + 1, sizeof *list);

    *count = 0;
    if (cJSON_IsString(ids))
        list[(*count)++] = ids->valuestring;
    else
        cJSON_ArrayForEach(id, ids)
        {
            list[(*count)++] = id->valuestring;
        }
    return list;
}

static void end_page(struct page *page, bool more)
{
    struct buf *text = stream_text(page->stream);
    char cursor[RECORDS_CURSOR_SIZE];

    if (more)
        records_cursor_text(&page->last, cursor);
    buf_puts(text, "],\"next_cursor\":");
    json_append_string(text, more ? cursor : NULL);
    buf_putc(text, '}');
    stream_end(page->stream);
}

/* The list did not come to its end. An answer that has begun is broken off. */
static void drop_page(struct call *call, struct page *page, const struct err *err)
{
    bool began = stream_began(page->stream);

    stream_drop(page->stream);
    if (!began)
        reply_error(call, err);
    else if (!page->gone)
        log_event(call->server->log, LOG_ERROR, "a list of records is broken off",
            LOG_STR("reason", err->message), LOG_END);
}

static void list_of(
    struct call *call, const struct connection_row *connection, const char *model)
{
    const char *delta = call_query_str(call, "delta");
    const char *cursor = call_query_str(call, "cursor");
    struct records_cursor after;
    struct records_query query = {
        .place = place_of(connection, model, call_query_str(call, "variant")),
        .modified_since_us =
            time_of(delta != NULL ? delta : call_query_str(call, "modified_after")),
        .filter = filter_of(call_query_str(call, "filter")),
        .limit = call_query_count(call, "limit", USUAL_LIMIT),
        .after = cursor != NULL ? &after : NULL,
    };
    struct page page = {.may_wait = call->elsewhere};
    const char **ids;
    struct err err = {0};
    bool more = false, ok;

    if (cursor != NULL && !records_cursor_parse(cursor, &after)) {
        reply_fault(call, 400, "invalid_cursor_value",
            "The cursor is none that this server gave: leave it out to begin anew");
        return;
    }
    ids = ids_of(call, &query.id_count);
    query.ids = ids;
    page.stream = stream_new(call);
    (void)buf_room(stream_text(page.stream), USUAL_PAGE); /* it grows by copying */
    buf_puts(stream_text(page.stream), "{\"records\":[");
    ok = records_list(call->server->records, &query, put_record, &page, &more, &err);
    if (page.too_large) {
        stream_drop(page.stream);
        (void)call_on_workers(call, call->environment_id); /* once more, there */
    } else if (ok && !page.gone) {
        end_page(&page, more);
    } else {
        drop_page(call, &page, &err);
    }
    free(ids);
}

void list_records(struct call *call)
{
    struct connection_row *connection;

    if (!call_check_headers(call, &header_shape) || !call_check_query(call, &list_query))
        return;
    /* A usual page takes less than handing it on; a large one would hold up the loop. */
    if (call_query_count(call, "limit", USUAL_LIMIT) > USUAL_LIMIT &&
        !call_on_workers(call, call->environment_id))
        return;
    connection = find_connection(call);
    if (connection != NULL)
        list_of(call, connection, call_query_str(call, "model"));
    connection_row_unref(connection);
}

void list_records_of(
    struct call *call, const struct connection_row *connection, const char *model)
{
    /* The model is said by the path. */
    static const struct shape query = {
        list_rules + 1, sizeof list_rules / sizeof list_rules[0] - 1, true};

    if (call_check_query(call, &query))
        list_of(call, connection, model);
}

/* ---- as the early clients ask ---- */

/* Empty is unset. */
static const char *early_str(const struct call *call, const char *name)
{
    const char *value = call_query_str(call, name);

    return str_is_empty(value) ? NULL : value;
}

/* False after a reply. *out stays as it was when the query does not say. */
static bool early_count(
    struct call *call, const char *name, const char *code, size_t *out)
{
    const char *text = early_str(call, name);
    char *end;
    unsigned long value;

    if (text == NULL)
        return true;
    value = strtoul(text, &end, 10);
    if (*end == '\0' && *text >= '0' && *text <= '9' && value <= 1000000000) {
        *out = value;
        return true;
    }
    reply_fault(call, 400, code, "%s must be a whole number", name);
    return false;
}

static bool read_early(struct call *call, struct records_query *query)
{
    const char *sort = early_str(call, "sort_by"), *order = early_str(call, "order");
    const char *delta = early_str(call, "delta");
    int64_t ms;

    if (delta != NULL && !clock_parse(delta, &ms)) {
        reply_fault(call, 400, "invalid_timestamp", "delta must be a date");
        return false;
    }
    query->modified_since_us = time_of(delta);
    query->filter = filter_of(early_str(call, "filter"));
    query->descending = order == NULL || !str_eq_nocase(order, "asc");
    query->order = sort != NULL && strcmp(sort, "created_at") == 0   ? RECORDS_BY_CREATED
                   : sort != NULL && strcmp(sort, "updated_at") == 0 ? RECORDS_BY_UPDATED
                                                                     : RECORDS_BY_ID;
    return early_count(call, "offset", "invalid_offset", &query->offset) &&
           early_count(call, "limit", "invalid_limit", &query->limit);
}

static void list_early(struct call *call, const struct connection_row *connection)
{
    struct records_query query = {
        .place = place_of(connection, call_query_str(call, "model"), NULL)};
    struct page page = {.early = true,
        .may_wait = true,
        .apart = str_eq(early_str(call, "include_nango_metadata"), "true")};
    struct err err = {0};

    if (!read_early(call, &query))
        return;
    page.stream = stream_new(call);
    buf_putc(stream_text(page.stream), '[');
    if (records_list(call->server->records, &query, put_record, &page, NULL, &err) &&
        !page.gone) {
        buf_putc(stream_text(page.stream), ']');
        stream_end(page.stream);
    } else {
        drop_page(call, &page, &err);
    }
}

void list_records_early(struct call *call)
{
    struct connection_row *connection;

    if (call_query(call) == NULL || !call_check_headers(call, &header_shape))
        return;
    if (early_str(call, "model") == NULL) {
        reply_fault(call, 400, "missing_model", "Missing model: say it in the query");
        return;
    }
    connection = find_connection(call);
    if (connection != NULL)
        list_early(call, connection);
    connection_row_unref(connection);
}

/* ---- pruning ---- */

static void prune_of(struct call *call, const struct connection_row *connection)
{
    const struct records_place place = place_of(
        connection, json_str(call->body, "model"), json_str(call->body, "variant"));
    int64_t limit = USUAL_PRUNE;
    struct records_cursor until;
    struct err err = {0};
    cJSON *body;
    size_t count;
    bool more;

    (void)json_i64(call->body, "limit", &limit);
    if (!records_cursor_parse(json_str(call->body, "until_cursor"), &until)) {
        reply_fault(
            call, 400, "invalid_cursor_value", "until_cursor is no cursor of a record");
        return;
    }
    if (!records_prune(
            call->server->records, &place, &until, (size_t)limit, &count, &more, &err)) {
        reply_error(call, &err);
        return;
    }
    body = cJSON_CreateObject();
    json_set_i64(body, "count", (int64_t)count);
    json_set_bool(body, "has_more", more);
    reply_json(call, 200, body);
}

void prune_records(struct call *call)
{
    struct connection_row *connection;

    if (!call_check_headers(call, &header_shape) ||
        !call_check_query(call, &SHAPE_EMPTY) || !call_check_body(call, &prune_body))
        return;
    connection = find_connection(call);
    if (connection != NULL)
        prune_of(call, connection);
    connection_row_unref(connection);
}
