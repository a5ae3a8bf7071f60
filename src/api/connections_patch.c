/* SPDX-License-Identifier: Apache-2.0 */
/* PATCH and DELETE of a connection (contract http-api.md sections 3.4 and 3.5). */
#include <stdlib.h>

#include "api/api_int.h"
#include "api/fields.h"
#include "base/json.h"
#include "base/str.h"

static const struct rule query_rules[] = {RULE_KEY_FIELD("provider_config_key")};
static const struct shape query_shape = SHAPE_STRICT(query_rules);

static const struct rule body_rules[] = {
    RULE_END_USER,
    RULE_TAGS(true),
    RULE_WEBHOOK_URL,
};
static const struct shape body_shape = SHAPE_STRICT(body_rules);

/* The row, or NULL after a reply. */
static struct connection_row *find(struct call *call, const char *key, const char *id)
{
    struct store *store = call_auth(call)->store;
    struct integration_row *integration = NULL;
    struct connection_row *row = NULL;
    struct err err = {0};

    if (!store_find_integration(store, call->environment_id, key, &integration, &err)) {
        reply_error(call, &err);
        goto done;
    }
    if (integration == NULL) {
        reply_fault(call, 400, "unknown_provider_config", "Provider does not exists");
        goto done;
    }
    if (!store_find_connection(store, call->environment_id, key, id, &row, &err))
        reply_error(call, &err);
    else if (row == NULL)
        reply_fault(call, 404, "not_found", "Failed to find connection");

done:
    integration_row_unref(integration);
    return row;
}

/* The whole tag map is replaced when either the tags or the end user are given. */
static bool patch_row(
    struct call *call, const struct connection_row *row, struct err *err)
{
    const cJSON *user = json_get(call->body, "end_user");
    const cJSON *tags = json_get(call->body, "tags");
    const char *webhook = json_str(call->body, "webhook_url_override");
    struct connection_patch patch = {0};
    struct end_user_row user_row;
    struct buf user_tags;
    char *tags_text = NULL;
    bool ok;

    buf_init(&user_tags, 0);
    if (user != NULL) {
        end_user_read(user, NULL, &user_row, &user_tags);
        patch.end_user = &user_row;
    }
    if (user != NULL || tags != NULL) {
        cJSON *all = tags_derive(user, NULL, tags);

        tags_text = json_print(all);
        cJSON_Delete(all);
        patch.tags_json = tags_text;
    }
    patch.set_webhook_url_override = webhook != NULL;
    patch.webhook_url_override = str_is_empty(webhook) ? NULL : webhook;
    ok = store_patch_connection(call_auth(call)->store, row->id, &patch, err);
    free(tags_text);
    buf_finish(&user_tags);
    return ok;
}

void patch_connection(struct call *call)
{
    struct connection_row *row;
    struct err err = {0};
    const char *id;

    if (!call_check_query(call, &query_shape))
        return;
    id = call_param_checked(call, 0, &PATTERN_CONNECTION_ID);
    if (id == NULL || !call_check_body(call, &body_shape))
        return;
    row = find(call, call_query_str(call, "provider_config_key"), id);
    if (row == NULL)
        return;
    if (patch_row(call, row, &err))
        reply_success(call);
    else
        reply_error(call, &err);
    connection_row_unref(row);
}

static void tell_deleted(struct call *call, const struct connection_row *row)
{
    const struct oplog_subject subject = {
        .environment_id = call->environment_id,
        .type = "admin",
        .action = "delete_connection",
        .integration_id = row->integration_id,
        .integration = row->provider_config_key,
        .provider = row->provider,
        .connection_id = row->id,
        .connection = row->connection_id,
        .message = "A connection was deleted",
    };
    struct oplog_op operation = oplog_begin(call->server->oplog, &subject, OPLOG_RUNNING);

    oplog_end(&operation, OPLOG_SUCCESS, NULL);
}

/* What runs first may take its time, and fail: the row goes in any case. */
static void delete_row(struct call *call, struct connection_row *row)
{
    struct script_events *events = call->server->events;
    struct err err = {0};
    bool scripts = false, found = false;

    if (!script_events_precede_deletion(events, row, &scripts, &err)) {
        reply_error(call, &err);
        return;
    }
    if (scripts && !call_on_events(call, call->environment_id))
        return;
    if (scripts)
        script_events_run_before_deletion(events, row);
    if (!store_delete_connection(call_auth(call)->store, row->id, &found, &err)) {
        reply_error(call, &err);
    } else if (!found) {
        reply_code(call, 400, "unknown_connection");
    } else {
        tell_deleted(call, row);
        reply_success(call);
    }
}

void delete_connection(struct call *call)
{
    struct store *store = call_auth(call)->store;
    struct connection_row *row = NULL;
    struct err err = {0};
    const char *id;

    if (!call_check_query(call, &query_shape))
        return;
    id = call_param_checked(call, 0, &PATTERN_CONNECTION_ID);
    if (id == NULL)
        return;
    if (!store_find_connection(store, call->environment_id,
            call_query_str(call, "provider_config_key"), id, &row, &err))
        reply_error(call, &err);
    else if (row == NULL)
        reply_code(call, 400, "unknown_connection");
    else
        delete_row(call, row);
    connection_row_unref(row);
}
