/* SPDX-License-Identifier: Apache-2.0 */
/* GET /logs/operations, /logs/operations/:id, /logs/operations/:id/messages: what was told
 * of operations (docs/logs.md). The official server has these for its dashboard only; the
 * names of members are its own.
 *
 * Reading takes as long as it takes, on threads of its own (log_readers): neither a
 * reactor nor a worker waits for it. What was told before the request is in its answer,
 * unless the disk is slower than FLUSH_MS. */
#include <stdlib.h>
#include <string.h>

#include "api/api_int.h"
#include "api/fields.h"
#include "api/log_json.h"
#include "base/json.h"
#include "base/pool.h"
#include "base/str.h"

#define FLUSH_MS 1000
#define LIMIT 50
#define LIMIT_MAX 500
#define MAX_TYPES 16

static const char *const types[] = {
    "action", "admin", "auth", "deploy", "events", "proxy", "sync", "webhook", NULL};

static void check_cursor(struct issues *issues, const cJSON *value)
{
    int64_t id;

    if (!cJSON_IsString(value))
        issue_type(issues, "string", value);
    else if (!oplog_id_parse(value->valuestring, &id))
        issue_add(issues, "invalid_format", "Invalid cursor");
}

/* As RULE_DATE, or milliseconds, which are text in a query. */
static bool read_time(const char *text, int64_t *ms)
{
    return (str_to_i64(text, ms) && *ms >= 0 && (double)*ms <= CLOCK_MAX_MS) ||
           clock_parse(text, ms);
}

static void check_time(struct issues *issues, const cJSON *value)
{
    int64_t ms;

    if (!cJSON_IsString(value))
        issue_type(issues, "string", value);
    else if (!read_time(value->valuestring, &ms))
        issue_add(issues, "invalid_format",
            "Invalid time: expected ISO 8601 or milliseconds since 1970");
}

#define LIMIT_RULE                                                                       \
    {                                                                                    \
        .name = "limit", .kind = RULE_COUNT, .optional = true, .min = 1,                 \
        .max = LIMIT_MAX                                                                 \
    }
#define CURSOR_RULE                                                                      \
    {                                                                                    \
        .name = "cursor", .kind = RULE_CUSTOM, .optional = true, .check = check_cursor   \
    }

static const struct rule operation_rules[] = {
    {.name = "type", .kind = RULE_OPTIONS, .optional = true, .options = types},
    RULE_TEXT_FIELD("action", true),
    {.name = "state",
        .kind = RULE_OPTIONS,
        .optional = true,
        .options = oplog_state_names},
    RULE_TEXT_FIELD("integration", true),
    RULE_TEXT_FIELD("connection", true),
    RULE_TEXT_FIELD("script", true),
    {.name = "from", .kind = RULE_CUSTOM, .optional = true, .check = check_time},
    {.name = "to", .kind = RULE_CUSTOM, .optional = true, .check = check_time},
    RULE_TEXT_FIELD("search", true),
    LIMIT_RULE,
    CURSOR_RULE,
};
static const struct shape operation_shape = SHAPE_STRICT(operation_rules);

static const struct rule message_rules[] = {
    {.name = "level",
        .kind = RULE_OPTIONS,
        .optional = true,
        .options = oplog_level_names},
    RULE_TEXT_FIELD("search", true),
    LIMIT_RULE,
    CURSOR_RULE,
};
static const struct shape message_shape = SHAPE_STRICT(message_rules);

/* ---- the query ---- */

/* The names of a comma list as bits of their places in `names`; 0 = none given. */
static unsigned query_bits(
    const struct call *call, const char *name, const char *const *names)
{
    const char *at = call_query_str(call, name);
    unsigned bits = 0;

    while (at != NULL && *at != '\0') {
        size_t len = strcspn(at, ",");

        for (unsigned i = 0; names[i] != NULL; i++)
            if (strlen(names[i]) == len && memcmp(names[i], at, len) == 0)
                bits |= 1u << i;
        at += len + (at[len] == ',');
    }
    return bits;
}

static int64_t query_time(const struct call *call, const char *name)
{
    const char *text = call_query_str(call, name);
    int64_t ms = 0;

    if (text != NULL)
        (void)read_time(text, &ms); /* as it was checked */
    return ms;
}

static int64_t query_cursor(const struct call *call)
{
    int64_t id = 0;

    (void)oplog_id_parse(call_query_str(call, "cursor"), &id);
    return id;
}

/* The id in the path; 0 after a reply. */
static int64_t param_id(struct call *call)
{
    const char *path[] = {"id", NULL}, *text = call_param(call, 0);
    int64_t id = 0;

    if (text != NULL && !oplog_id_parse(text, &id))
        reply_issues(call, "invalid_uri_params",
            issue_list("invalid_format", "Invalid operation id", path));
    return id;
}

/* ---- on a thread of the readers ---- */

static void read_by(struct call *call, void (*run)(void *arg))
{
    if (call->server->oplog == NULL) {
        reply_fault(call, 404, "disabled_resource",
            "This server keeps no logs of operations (logs.enabled)");
        return;
    }
    call_keep(call);
    if (pool_submit(call->server->log_readers, run, call))
        return;
    reply_fault(call, 503, "server_error", "The server is stopping");
    call_free(call);
}

static void put_pagination(struct buf *out, int64_t next)
{
    char id[OPLOG_ID_SIZE];

    if (next != 0)
        oplog_id_text(next, id);
    buf_puts(out, "],\"pagination\":{\"cursor\":");
    json_append_string(out, next != 0 ? id : NULL);
    buf_puts(out, "}}");
}

static void run_list(void *arg)
{
    struct call *call = arg;
    const char *names[MAX_TYPES];
    unsigned bits = query_bits(call, "type", types);
    struct oplog_filter filter = {
        .environment_id = call->environment_id,
        .types = bits != 0 ? names : NULL,
        .action = call_query_str(call, "action"),
        .states = query_bits(call, "state", oplog_state_names),
        .integration = call_query_str(call, "integration"),
        .connection = call_query_str(call, "connection"),
        .script = call_query_str(call, "script"),
        .from_ms = query_time(call, "from"),
        .to_ms = query_time(call, "to"),
        .search = call_query_str(call, "search"),
        .limit = call_query_count(call, "limit", LIMIT),
        .before = query_cursor(call),
    };
    struct oplog_row **rows;
    struct err err = {0};
    size_t count, named = 0;
    struct buf out;
    int64_t next;

    for (size_t i = 0; types[i] != NULL; i++)
        if ((bits >> i & 1u) != 0)
            names[named++] = types[i];
    names[named] = NULL;
    (void)oplog_flush(call->server->oplog, FLUSH_MS);
    if (!oplog_list(call->server->oplog, &filter, &rows, &count, &next, &err)) {
        reply_error(call, &err);
        call_free(call);
        return;
    }
    buf_init(&out, 0);
    buf_puts(&out, "{\"data\":[");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_putc(&out, ',');
        log_operation_json(&out, call->environment_id, rows[i]);
    }
    put_pagination(&out, next);
    oplog_rows_free(rows, count);
    reply_text(call, 200, &out);
    call_free(call);
}

void list_operations(struct call *call)
{
    if (call_check_query(call, &operation_shape))
        read_by(call, run_list);
}

/* The operation of the path, whose id was checked; NULL after a reply. */
static struct oplog_row *find(struct call *call, int64_t *id)
{
    struct oplog *log = call->server->oplog;
    struct oplog_row *row = NULL;
    struct err err = {0};

    (void)oplog_id_parse(call_param(call, 0), id);
    (void)oplog_flush(log, FLUSH_MS);
    if (!oplog_find(log, call->environment_id, *id, &row, &err))
        reply_error(call, &err);
    else if (row == NULL)
        reply_fault(call, 404, "not_found", "There is no such operation");
    return row;
}

static void run_get(void *arg)
{
    struct call *call = arg;
    int64_t id;
    struct oplog_row *row = find(call, &id);
    struct buf out;

    if (row != NULL) {
        buf_init(&out, 0);
        buf_puts(&out, "{\"data\":");
        log_operation_json(&out, call->environment_id, row);
        buf_putc(&out, '}');
        reply_text(call, 200, &out);
    }
    oplog_row_free(row);
    call_free(call);
}

void get_operation(struct call *call)
{
    if (call_check_query(call, &SHAPE_EMPTY) && param_id(call) != 0)
        read_by(call, run_get);
}

static bool put_messages(
    struct call *call, int64_t id, struct buf *out, int64_t *next, struct err *err)
{
    const struct oplog_message_filter filter = {
        .environment_id = call->environment_id,
        .operation = id,
        .levels = query_bits(call, "level", oplog_level_names),
        .search = call_query_str(call, "search"),
        .limit = call_query_count(call, "limit", LIMIT),
        .after = query_cursor(call),
    };
    struct oplog_message **list;
    size_t count;

    if (!oplog_list_messages(call->server->oplog, &filter, &list, &count, next, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_putc(out, ',');
        log_message_json(out, id, list[i]);
    }
    oplog_messages_free(list, count);
    return true;
}

static void run_messages(void *arg)
{
    struct call *call = arg;
    int64_t id, next = 0;
    struct oplog_row *row = find(call, &id);
    struct err err = {0};
    struct buf out;

    if (row != NULL) {
        buf_init(&out, 0);
        buf_puts(&out, "{\"data\":[");
        if (row->exchanges != NULL)
            log_call_messages_json(&out, row,
                query_bits(call, "level", oplog_level_names),
                call_query_str(call, "search"));
        if (row->exchanges != NULL || put_messages(call, id, &out, &next, &err)) {
            put_pagination(&out, next);
            reply_text(call, 200, &out);
        } else {
            buf_finish(&out);
            reply_error(call, &err);
        }
    }
    oplog_row_free(row);
    call_free(call);
}

void list_operation_messages(struct call *call)
{
    if (call_check_query(call, &message_shape) && param_id(call) != 0)
        read_by(call, run_messages);
}
