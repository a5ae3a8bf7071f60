/* SPDX-License-Identifier: Apache-2.0 */
/* Functions as TypeScript: compiling them, dry runs, and deployments of one (contract
 * http-api.md section 13). */
#include <stdlib.h>
#include <string.h>

#include "api/api_int.h"
#include "api/deploy_shape.h"
#include "api/fields.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "scripts/functions.h"

/* ---- what is asked ---- */

static const char *const kinds[] = {"action", "sync", NULL};

static void check_datetime(struct issues *issues, const cJSON *value)
{
    int64_t ms;

    if (!cJSON_IsString(value))
        issue_type(issues, "string", value);
    else if (strchr(value->valuestring, 'T') == NULL || !date_read(value, &ms))
        issue_add(issues, "invalid_format", "Invalid ISO datetime");
}

static void check_integration(struct issues *issues, const cJSON *value)
{
    if (strcmp(value->valuestring, ".") == 0 || strcmp(value->valuestring, "..") == 0)
        issue_add(issues, "custom", "Integration id cannot be \".\" or \"..\"");
}

#define RULE_INTEGRATION                                                                 \
    {                                                                                    \
        .name = "integration_id", .kind = RULE_STRING, .pattern = &PATTERN_KEY,          \
        .max = FIELD_MAX, .check = check_integration                                     \
    }
#define RULE_CODE                                                                        \
    {                                                                                    \
        .name = "code", .kind = RULE_STRING, .min = 1                                    \
    }
#define RULE_KIND(is_optional)                                                           \
    {                                                                                    \
        .name = "function_type", .kind = RULE_OPTION, .optional = (is_optional),         \
        .options = kinds                                                                 \
    }

static const struct rule compile_rules[] = {RULE_CODE};
static const struct shape compile_body = SHAPE_STRICT(compile_rules);

static const struct rule dryrun_rules[] = {
    RULE_INTEGRATION,
    RULE_KIND(false),
    RULE_CODE,
    {.name = "connection_id",
        .kind = RULE_STRING,
        .pattern = &PATTERN_CONNECTION_ID,
        .max = FIELD_MAX},
    {.name = "input", .kind = RULE_ANY, .optional = true},
    {.name = "metadata", .kind = RULE_RECORD, .optional = true},
    {.name = "checkpoint", .kind = RULE_RECORD, .optional = true},
    {.name = "last_sync_date",
        .kind = RULE_CUSTOM,
        .optional = true,
        .check = check_datetime},
};
static const struct shape dryrun_body = SHAPE_STRICT(dryrun_rules);

static const char *const a_function[] = {"function", NULL};
static const char *const a_template[] = {"template", NULL};
static const struct rule deployment_rules[] = {
    {.name = "type", .kind = RULE_LITERAL, .options = a_function},
    RULE_INTEGRATION,
    {.name = "function_name",
        .kind = RULE_STRING,
        .pattern = &PATTERN_SCRIPT,
        .max = FIELD_MAX},
    RULE_KIND(false),
    RULE_CODE,
    {.name = "version", .kind = RULE_STRING, .optional = true, .max = FIELD_MAX},
    {.name = "allow_destructive", .kind = RULE_BOOL, .optional = true},
};
static const struct shape deployment_body = SHAPE_STRICT(deployment_rules);
static const struct rule template_rules[] = {
    {.name = "type", .kind = RULE_LITERAL, .options = a_template},
    RULE_INTEGRATION,
    {.name = "template",
        .kind = RULE_STRING,
        .pattern = &PATTERN_SCRIPT,
        .max = FIELD_MAX},
    RULE_KIND(true),
};
static const struct shape template_body = SHAPE_STRICT(template_rules);

/* False after a reply. */
static bool check(struct call *call, const struct shape *shape)
{
    const char *code;

    if (!call_check_query(call, &SHAPE_EMPTY) || !call_check_body(call, shape))
        return false;
    code = json_str(call->body, "code");
    if (code == NULL || strlen(code) <= call->server->code_limit)
        return true;
    reply_fault(call, 413, "request_too_large",
        "The code is larger than %zu bytes (scripts.code_limit)",
        call->server->code_limit);
    return false;
}

static enum script_kind kind_of(const struct call *call)
{
    enum script_kind kind = SCRIPT_ANY;

    (void)script_kind_parse(json_str(call->body, "function_type"), &kind);
    return kind;
}

/* ---- POST /functions/compile ---- */

static void reply_compile_fault(struct call *call, const struct compile_fault *fault)
{
    cJSON *payload;

    if (err_is_internal(&fault->err) || fault->line == 0) {
        reply_error(call, &fault->err);
        return;
    }
    payload = cJSON_CreateObject();
    json_set_i64(payload, "line", fault->line);
    if (fault->column > 0)
        json_set_i64(payload, "column", fault->column);
    reply_detailed(
        call, fault->err.status, fault->err.code, payload, "%s", fault->err.message);
}

void compile_function(struct call *call)
{
    struct compile_fault fault = {0};
    char now[CLOCK_TEXT_SIZE];
    const char *code;
    struct buf js;
    cJSON *body;

    if (!check(call, &compile_body) || !call_on_outbound(call, call->environment_id))
        return;
    code = json_str(call->body, "code");
    buf_init(&js, 0);
    if (!functions_compile(call->server->functions, SCRIPT_ANY, "function.ts", code,
            strlen(code), &js, &fault)) {
        reply_compile_fault(call, &fault);
    } else {
        body = cJSON_CreateObject();
        json_set_i64(body, "bundle_size_bytes", (int64_t)js.len);
        json_set_str(body, "bundled_js", js.data);
        clock_text_z(clock_now_ms(call->server->clock), now);
        json_set_str(body, "compiled_at", now);
        reply_json(call, 200, body);
    }
    buf_finish(&js);
}

/* ---- what is done later ---- */

static const struct {
    enum function_job_state state;
    const char *name;
} states[] = {
    {FUNCTION_JOB_WAITING, "waiting"},
    {FUNCTION_JOB_RUNNING, "running"},
    {FUNCTION_JOB_LOST, "failed"},
};

static void put_time(struct buf *out, const char *name, int64_t ms)
{
    char text[CLOCK_TEXT_SIZE];

    if (ms == 0)
        return;
    clock_text_z(ms, text);
    json_append_text(out, name, text);
}

static void put_status(struct buf *out, const struct function_job_row *row)
{
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        if (states[i].state == row->state)
            json_append_text(out, "status", states[i].name);
}

static void start_job(struct call *call, const struct function_order *order)
{
    struct function_job_row *row = NULL;
    struct err err = {0};
    struct buf body;

    if (!functions_start(call->server->functions, order, &row, &err)) {
        reply_error(call, &err);
        return;
    }
    buf_init(&body, 0);
    buf_putc(&body, '{');
    json_append_text(&body, "id", row->uuid);
    put_status(&body, row);
    put_time(&body, "created_at", row->created_at_ms);
    buf_putc(&body, '}');
    function_job_row_free(row);
    reply_text(call, 202, &body);
}

static void reply_job(struct call *call, const struct function_job_row *row)
{
    struct err err = {0};
    struct buf body;

    buf_init_secret(&body, 0);
    buf_putc(&body, '{');
    json_append_text(&body, "id", row->uuid);
    put_status(&body, row);
    json_append_text(&body, "integration_id", row->integration_key);
    json_append_text(&body, "function_type", script_kind_name(row->function_kind));
    if (row->kind == FUNCTION_DEPLOYMENT)
        json_append_text(&body, "function_name", row->name);
    put_time(&body, "created_at", row->created_at_ms);
    put_time(&body, "updated_at", row->updated_at_ms);
    put_time(&body, "started_at", row->started_at_ms);
    put_time(&body, "completed_at", row->finished_at_ms);
    if (row->state == FUNCTION_JOB_LOST)
        buf_printf(&body,
            ",\"error\":{\"code\":\"%s\",\"message\":\"The server ended before this "
            "did\"}",
            row->kind == FUNCTION_DRYRUN ? "dryrun_error" : "deployment_error");
    if (!functions_outcome(call->server->functions, row, &body, &err)) {
        buf_finish(&body);
        reply_error(call, &err);
        return;
    }
    buf_putc(&body, '}');
    reply_text(call, 200, &body);
}

static void get_job(
    struct call *call, enum function_job_kind kind, const char *code, const char *what)
{
    struct function_job_row *row = NULL;
    struct err err = {0};
    const char *uuid;

    if (!call_check_query(call, &SHAPE_EMPTY))
        return;
    uuid = call_param_uuid(call, 0);
    if (uuid == NULL)
        return;
    if (!store_find_function_job(
            call_auth(call)->store, call->environment_id, kind, uuid, &row, &err))
        reply_error(call, &err);
    else if (row == NULL)
        reply_fault(call, 404, code, "%s '%s' was not found", what, uuid);
    else
        reply_job(call, row);
    function_job_row_free(row);
}

/* The integration's row id. False after a reply. */
static bool find_integration(struct call *call, const char *key, int64_t *id)
{
    struct integration_row *row = NULL;
    struct err err = {0};

    if (!store_find_integration(
            call_auth(call)->store, call->environment_id, key, &row, &err)) {
        reply_error(call, &err);
        return false;
    }
    if (row == NULL) {
        reply_fault(
            call, 404, "integration_not_found", "Integration '%s' was not found", key);
        return false;
    }
    *id = row->id;
    integration_row_unref(row);
    return true;
}

/* ---- dry runs ---- */

/* A member as JSON text, for free(); NULL when it is absent. */
static char *member_text(const struct call *call, const char *name)
{
    const cJSON *value = json_get(call->body, name);

    return value != NULL ? json_print(value) : NULL;
}

void start_dryrun(struct call *call)
{
    struct connection_row *connection = NULL;
    const char *key, *id;
    int64_t integration_id;
    struct err err = {0};

    if (!check(call, &dryrun_body))
        return;
    key = json_str(call->body, "integration_id");
    id = json_str(call->body, "connection_id");
    if (!find_integration(call, key, &integration_id))
        return;
    if (!store_find_connection(
            call_auth(call)->store, call->environment_id, key, id, &connection, &err)) {
        reply_error(call, &err);
        return;
    }
    if (connection == NULL) {
        reply_fault(call, 404, "connection_not_found",
            "Connection '%s' was not found for integration '%s'", id, key);
        return;
    }
    {
        char *input = member_text(call, "input");
        char *metadata = member_text(call, "metadata");
        char *checkpoint = member_text(call, "checkpoint");
        const struct function_order order = {
            .kind = FUNCTION_DRYRUN,
            .environment_id = call->environment_id,
            .function_kind = kind_of(call),
            .integration = key,
            .name = "",
            .code = json_str(call->body, "code"),
            .connection_id = connection->id,
            .input = input,
            .metadata = metadata,
            .checkpoint = checkpoint,
            .last_sync = json_str(call->body, "last_sync_date"),
        };

        start_job(call, &order);
        mem_free_text(input);
        free(metadata);
        free(checkpoint);
    }
    connection_row_unref(connection);
}

void get_dryrun(struct call *call)
{
    get_job(call, FUNCTION_DRYRUN, "dryrun_not_found", "Dryrun");
}

/* ---- deployments ---- */

/* What a repository deployed is not overwritten from here. False after a reply. */
static bool check_existing(struct call *call, int64_t integration_id, const char *name)
{
    const struct script_filter filter = {
        .environment_id = call->environment_id,
        .integration_id = integration_id,
        .kind = kind_of(call),
        .name = name,
        .limit = 1,
    };
    struct script_row **rows = NULL;
    struct err err = {0};
    size_t count = 0;
    bool ok;

    if (!store_list_scripts(call_auth(call)->store, &filter, &rows, &count, NULL, &err)) {
        reply_error(call, &err);
        return false;
    }
    ok = count == 0 || str_eq(rows[0]->spec.source, "standalone");
    store_scripts_free(rows, count);
    if (!ok)
        reply_fault(call, 400, "invalid_request",
            "Cannot overwrite existing function '%s'", name);
    return ok;
}

static void deploy_code(struct call *call)
{
    const char *key = json_str(call->body, "integration_id");
    const char *name = json_str(call->body, "function_name");
    const char *version = json_str(call->body, "version");
    const struct function_order order = {
        .kind = FUNCTION_DEPLOYMENT,
        .environment_id = call->environment_id,
        .function_kind = kind_of(call),
        .integration = key,
        .name = name,
        .code = json_str(call->body, "code"),
        .version = str_is_empty(version) ? NULL : version,
        .allow_destructive = json_bool(call->body, "allow_destructive", false),
    };
    int64_t integration_id;

    if (find_integration(call, key, &integration_id) &&
        check_existing(call, integration_id, name))
        start_job(call, &order);
}

static void deploy_template(struct call *call)
{
    int64_t ignored;

    if (find_integration(call, json_str(call->body, "integration_id"), &ignored))
        reply_fault(call, 404, "template_not_found",
            "No template named '%s' exists for this integration: this server has none",
            json_str(call->body, "template"));
}

void start_deployment(struct call *call)
{
    bool of_template = str_eq(json_str(call->body, "type"), "template");

    if (!check(call, of_template ? &template_body : &deployment_body))
        return;
    if (of_template)
        deploy_template(call);
    else
        deploy_code(call);
}

void get_deployment(struct call *call)
{
    get_job(call, FUNCTION_DEPLOYMENT, "deployment_not_found", "Deployment");
}
