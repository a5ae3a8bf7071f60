/* SPDX-License-Identifier: Apache-2.0 */
/* POST and DELETE /sync/:name/variant/:variant (contract http-api.md section 8.5). */
#include <stdlib.h>

#include "api/deploy_shape.h"
#include "api/fields.h"
#include "api/sync_names.h"
#include "base/json.h"
#include "base/str.h"
#include "scripts/syncs.h"

static const struct rule body_rules[] = {
    RULE_KEY_FIELD("provider_config_key"),
    {.name = "connection_id",
        .kind = RULE_STRING,
        .pattern = &PATTERN_CONNECTION_ID,
        .max = FIELD_MAX},
};
static const struct shape body_shape = SHAPE_STRICT(body_rules);

static bool is_base(const char *variant)
{
    return str_eq_nocase(variant, SYNC_BASE);
}

struct asked {
    const char *name;
    const char *variant;
    struct integration_row *integration;
    struct connection_row *connection;
};

static void asked_finish(struct asked *asked)
{
    integration_row_unref(asked->integration);
    connection_row_unref(asked->connection);
}

/* False after a reply. */
static bool read_asked(struct call *call, struct asked *out)
{
    struct store *store = call_auth(call)->store;
    const char *key;
    struct err err = {0};

    *out = (struct asked){.name = call_param_checked(call, 0, &PATTERN_SCRIPT)};
    if (out->name == NULL ||
        (out->variant = call_param_checked(call, 1, &PATTERN_SCRIPT)) == NULL ||
        !call_check_query(call, &SHAPE_EMPTY) || !call_check_body(call, &body_shape))
        return false;
    key = json_str(call->body, "provider_config_key");
    if (!store_find_integration(
            store, call->environment_id, key, &out->integration, &err) ||
        !store_find_connection(store, call->environment_id, key,
            json_str(call->body, "connection_id"), &out->connection, &err))
        reply_error(call, &err);
    else if (out->integration == NULL)
        reply_code(call, 400, "unknown_provider_config");
    else if (out->connection == NULL)
        reply_code(call, 400, "unknown_connection");
    else
        return true;
    asked_finish(out);
    return false;
}

static void create(struct call *call, const struct asked *asked)
{
    const struct sync_variant variant = {
        .environment_id = call->environment_id,
        .connection_row = asked->connection->id,
        .name = asked->name,
        .variant = asked->variant,
    };
    char uuid[UUID_TEXT_SIZE];
    struct err err = {0};
    cJSON *body;

    if (!sync_runs_create_variant(call->server->sync_runs, &variant, uuid, &err)) {
        if (err_is_internal(&err))
            reply_error(call, &err);
        else
            reply_code(call, 400, err.code);
        return;
    }
    body = cJSON_CreateObject();
    json_set_str(body, "id", uuid);
    json_set_str(body, "name", asked->name);
    json_set_str(body, "variant", asked->variant);
    reply_json(call, 200, body);
}

void create_sync_variant(struct call *call)
{
    struct asked asked;

    if (!read_asked(call, &asked))
        return;
    if (is_base(asked.variant))
        reply_fault(call, 400, "invalid_variant", "Variant name \"%s\" is protected.",
            asked.variant);
    else
        create(call, &asked);
    asked_finish(&asked);
}

static void remove_variant(struct call *call, const struct asked *asked)
{
    struct sync_row *sync = NULL;
    struct err err = {0};
    bool found;

    if (!sync_find(call, asked->connection, asked->name, asked->variant, &sync))
        return;
    if (sync == NULL)
        reply_code(call, 404, "not_found");
    else if (sync_runs_delete(call->server->sync_runs, sync, &found, &err))
        reply_success(call);
    else
        reply_error(call, &err);
    sync_row_free(sync);
}

void delete_sync_variant(struct call *call)
{
    struct asked asked;

    if (!read_asked(call, &asked))
        return;
    if (is_base(asked.variant))
        reply_fault(call, 400, "invalid_variant",
            "Cannot delete protected variant \"%s\".", asked.variant);
    else
        remove_variant(call, &asked);
    asked_finish(&asked);
}
