/* SPDX-License-Identifier: Apache-2.0 */
#include "api/script_json.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"

/* What the store has as JSON text goes out as it is. */
static cJSON *raw(const char *text)
{
    return text != NULL ? cJSON_CreateRaw(text) : cJSON_CreateNull();
}

static cJSON *parsed(const char *text)
{
    struct err ignored = {0};

    return text != NULL ? json_parse(text, strlen(text), &ignored) : NULL;
}

static void set_time(cJSON *out, const char *name, int64_t ms)
{
    char text[CLOCK_TEXT_SIZE];

    clock_text_z(ms, text);
    json_set_str(out, name, text);
}

static void add_model(cJSON *list, const char *name)
{
    cJSON *model = cJSON_CreateObject();

    json_set_str(model, "name", name);
    json_set(model, "fields", cJSON_CreateArray());
    cJSON_AddItemToArray(list, model);
}

/* Fields are in the JSON schema, where there is one; early scripts have them here. */
static cJSON *models_json(const struct script_row *row)
{
    bool input_is_listed = false;
    cJSON *list, *names;
    const cJSON *name;

    if (row->spec.json_schema == NULL && row->spec.model_schema_json != NULL)
        return raw(row->spec.model_schema_json);
    list = cJSON_CreateArray();
    names = parsed(row->spec.models_json);
    cJSON_ArrayForEach(name, names)
    {
        add_model(list, name->valuestring);
        input_is_listed = input_is_listed || str_eq(name->valuestring, row->spec.input);
    }
    if (row->spec.input != NULL && !input_is_listed)
        add_model(list, row->spec.input);
    cJSON_Delete(names);
    return list;
}

cJSON *script_config_json(const struct script_row *row)
{
    const struct script_spec *spec = &row->spec;
    cJSON *out = cJSON_CreateObject();

    json_set_i64(out, "id", row->id);
    json_set_str(out, "name", row->name);
    json_set_str(out, "type", script_kind_name(row->kind));
    json_set_str(out, "description", spec->description);
    json_set(out, "returns", raw(spec->models_json));
    if (spec->input != NULL)
        json_set_str(out, "input", spec->input);
    json_set(out, "endpoints", raw(spec->endpoints_json));
    json_set(out, "scopes", raw(spec->scopes_json));
    json_set(out, "models", models_json(row));
    json_set(out, "json_schema", raw(spec->json_schema));
    json_set(out, "attributes", raw(spec->attributes_json));
    json_set(out, "features", raw(spec->features_json));
    json_set(out, "webhookSubscriptions", raw(spec->webhook_subscriptions_json));
    json_set_str(out, "sdk_version", spec->sdk_version);
    json_set_str(out, "version", spec->version);
    json_set_str(out, "source", spec->source);
    json_set_bool(out, "enabled", row->enabled);
    set_time(out, "last_deployed", row->deployed_at_ms);
    if (row->kind == SCRIPT_SYNC) {
        json_set_str(out, "runs", spec->runs);
        json_set_str(out, "sync_type", spec->sync_type);
        json_set_bool(out, "auto_start", spec->auto_start);
        json_set_bool(out, "track_deletes", spec->track_deletes);
    }
    if (row->kind == SCRIPT_ON_EVENT)
        json_set_str(out, "event", row->event);
    return out;
}

/* Of the input's definition; without one, nothing. */
static cJSON *parameters_json(const struct script_row *row)
{
    cJSON *schema = parsed(row->spec.json_schema);
    const cJSON *input = row->spec.input != NULL
                             ? json_get(json_get(schema, "definitions"), row->spec.input)
                             : NULL;
    const cJSON *properties = json_get(input, "properties");
    const cJSON *required = json_get(input, "required");
    cJSON *out = cJSON_CreateObject();

    json_set_str(out, "type", "object");
    json_set(out, "properties",
        cJSON_IsObject(properties) ? cJSON_Duplicate(properties, true)
                                   : cJSON_CreateObject());
    json_set(out, "required",
        cJSON_IsArray(required) ? cJSON_Duplicate(required, true) : cJSON_CreateArray());
    cJSON_Delete(schema);
    return out;
}

cJSON *script_tool_json(const struct script_row *row)
{
    cJSON *out = cJSON_CreateObject();
    char *usual = str_printf("Execute the %s %s for %s", row->name,
        script_kind_name(row->kind), row->provider);

    json_set_str(out, "name", row->name);
    json_set_str(out, "description",
        row->spec.description[0] != '\0' ? row->spec.description : usual);
    json_set(out, "parameters", parameters_json(row));
    free(usual);
    return out;
}

cJSON *script_function_json(const struct script_row *row)
{
    const struct script_spec *spec = &row->spec;
    cJSON *out = cJSON_CreateObject();

    json_set_str(out, "name", row->name);
    if (spec->description[0] != '\0')
        json_set_str(out, "description", spec->description);
    if (strcmp(spec->scopes_json, "[]") != 0)
        json_set(out, "scopes", raw(spec->scopes_json));
    json_set_str(out, "type", script_kind_name(row->kind));
    if (row->kind == SCRIPT_ON_EVENT) {
        json_set_str(out, "event", row->event);
    } else {
        if (spec->input != NULL)
            json_set_str(out, "input", spec->input);
        json_set(out, "returns", raw(spec->models_json));
        json_set(out, "json_schema", raw(spec->json_schema));
    }
    if (row->kind == SCRIPT_SYNC) {
        json_set_str(out, "runs", spec->runs);
        json_set_bool(out, "auto_start", spec->auto_start);
        json_set_bool(out, "track_deletes", spec->track_deletes);
    }
    json_set_i64(out, "id", row->id);
    json_set_bool(out, "enabled", row->enabled);
    set_time(out, "last_deployed", row->deployed_at_ms);
    json_set_str(out, "source", spec->source);
    return out;
}
