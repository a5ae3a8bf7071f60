/* SPDX-License-Identifier: Apache-2.0 */
/* Tables only. Flows are not strict: command lines of other releases add members, and
 * none of those may keep their users from deploying. */
#include "api/deploy_shape.h"

#include <string.h>

#include "api/fields.h"
#include "base/json.h"
#include "base/str.h"
#include "store/frequency.h"

#define MAX_DESCRIPTION 2000

static bool is_script(const char *s)
{
    return s[0] != '\0' && str_all_alnum_or(s, "_-");
}

static bool is_sdk_version(const char *s)
{
    for (int part = 0; part < 3; part++) {
        size_t digits = strspn(s, "0123456789");

        if (digits == 0 || s[digits] != (part < 2 ? '.' : '-'))
            return false;
        s += digits + 1;
    }
    return strcmp(s, "zero") == 0 || strcmp(s, "yaml") == 0;
}

const struct pattern PATTERN_SCRIPT = {"/^[a-zA-Z0-9_-]+$/", is_script};
static const struct pattern pattern_sdk_version = {
    "/^[0-9]+\\.[0-9]+\\.[0-9]+-(zero|yaml)$/", is_sdk_version};

/* A frequency, "", or null. */
static void check_runs(struct issues *issues, const cJSON *value)
{
    if (cJSON_IsNull(value) ||
        (cJSON_IsString(value) &&
            (value->valuestring[0] == '\0' || frequency_is_shaped(value->valuestring))))
        return;
    issue_add(issues, "invalid_union", "Invalid input");
}

static void check_model_schema(struct issues *issues, const cJSON *value)
{
    if (!cJSON_IsString(value) && !cJSON_IsArray(value))
        issue_add(issues, "invalid_union", "Invalid input");
}

static const char *const types[] = {"action", "sync", NULL};
static const char *const sync_types[] = {"full", "incremental", NULL};
static const char *const modes[] = {"all", "single", "integration", NULL};
static const char *const sources[] = {"catalog", "standalone", "repo", NULL};
static const char *const features[] = {"checkpoints", NULL};
static const char *const events[] = {
    EVENT_CREATED, EVENT_DELETING, EVENT_VALIDATING, NULL};

static const struct rule any_string = {.kind = RULE_STRING};
static const struct rule some_string = {.kind = RULE_STRING, .min = 1, .max = FIELD_MAX};
static const struct rule any_record = {.kind = RULE_RECORD};
static const struct rule feature = {.kind = RULE_OPTION, .options = features};

static const struct rule file_rules[] = {
    {.name = "js", .kind = RULE_STRING},
    {.name = "ts", .kind = RULE_STRING},
};
static const struct shape file_shape = SHAPE_LOOSE(file_rules);

static const struct rule metadata_rules[] = {
    {.name = "scopes", .kind = RULE_ARRAY, .optional = true, .item = &any_string},
    {.name = "description",
        .kind = RULE_STRING,
        .optional = true,
        .max = MAX_DESCRIPTION},
};
static const struct shape metadata_shape = SHAPE_LOOSE(metadata_rules);

/* clang-format off */
static const struct rule flow_rules[] = {
    {.name = "type", .kind = RULE_OPTION, .options = types},
    {.name = "models", .kind = RULE_ARRAY, .item = &some_string},
    {.name = "runs", .kind = RULE_CUSTOM, .optional = true, .check = check_runs},
    {.name = "auto_start", .kind = RULE_BOOL, .optional = true},
    {.name = "attributes", .kind = RULE_RECORD, .optional = true},
    {.name = "metadata", .kind = RULE_OBJECT, .optional = true, .shape = &metadata_shape},
    {.name = "model_schema", .kind = RULE_CUSTOM, .optional = true, .check = check_model_schema},
    {.name = "input", .kind = RULE_STRING, .optional = true, .max = FIELD_MAX},
    {.name = "endpoints", .kind = RULE_ARRAY, .optional = true, .item = &any_record},
    {.name = "syncName", .kind = RULE_STRING, .pattern = &PATTERN_SCRIPT, .max = FIELD_MAX},
    {.name = "providerConfigKey", .kind = RULE_STRING, .pattern = &PATTERN_KEY, .max = FIELD_MAX},
    {.name = "fileBody", .kind = RULE_OBJECT, .shape = &file_shape},
    {.name = "version", .kind = RULE_STRING, .optional = true, .max = FIELD_MAX},
    {.name = "track_deletes", .kind = RULE_BOOL, .optional = true},
    {.name = "sync_type", .kind = RULE_OPTION, .optional = true, .options = sync_types},
    {.name = "webhookSubscriptions", .kind = RULE_ARRAY, .optional = true, .item = &any_string},
    {.name = "models_json_schema", .kind = RULE_RECORD, .optional = true},
    {.name = "features", .kind = RULE_ARRAY, .optional = true, .item = &feature},
};
static const struct shape flow_shape = SHAPE_LOOSE(flow_rules);
static const struct rule flow = {.kind = RULE_OBJECT, .shape = &flow_shape};

static const struct rule event_script_rules[] = {
    {.name = "name", .kind = RULE_STRING, .pattern = &PATTERN_SCRIPT, .max = FIELD_MAX},
    {.name = "fileBody", .kind = RULE_OBJECT, .shape = &file_shape},
    {.name = "event", .kind = RULE_OPTION, .options = events},
};
static const struct shape event_script_shape = SHAPE_LOOSE(event_script_rules);
static const struct rule event_script = {.kind = RULE_OBJECT, .shape = &event_script_shape};
static const struct rule events_rules[] = {
    {.name = "providerConfigKey", .kind = RULE_STRING, .pattern = &PATTERN_KEY, .max = FIELD_MAX},
    {.name = "scripts", .kind = RULE_ARRAY, .item = &event_script},
};
static const struct shape events_shape = SHAPE_LOOSE(events_rules);
static const struct rule events_of = {.kind = RULE_OBJECT, .shape = &events_shape};

static const struct shape creation_script_shape = {event_script_rules, 2, false};
static const struct rule creation_script = {.kind = RULE_OBJECT, .shape = &creation_script_shape};
static const struct rule creation_rules[] = {
    {.name = "providerConfigKey", .kind = RULE_STRING, .pattern = &PATTERN_KEY, .max = FIELD_MAX},
    {.name = "scripts", .kind = RULE_ARRAY, .item = &creation_script},
};
static const struct shape creation_shape = SHAPE_LOOSE(creation_rules);
static const struct rule creation_of = {.kind = RULE_OBJECT, .shape = &creation_shape};

#define BODY_RULES(yaml_is_optional)                                                              \
    {.name = "flowConfigs", .kind = RULE_ARRAY, .item = &flow},                                   \
    {.name = "onEventScriptsByProvider", .kind = RULE_ARRAY, .optional = true, .item = &events_of}, \
    {.name = "postConnectionScriptsByProvider", .kind = RULE_ARRAY, .optional = true,             \
        .item = &creation_of},                                                                    \
    {.name = "jsonSchema", .kind = RULE_RECORD, .optional = true},                                \
    {.name = "reconcile", .kind = RULE_BOOL},                                                     \
    {.name = "debug", .kind = RULE_BOOL},                                                         \
    {.name = "deployMode", .kind = RULE_OPTION, .optional = true, .options = modes},              \
    {.name = "singleDeployMode", .kind = RULE_BOOL, .optional = true},                            \
    {.name = "sdkVersion", .kind = RULE_STRING, .optional = true, .pattern = &pattern_sdk_version}, \
    {.name = "source", .kind = RULE_OPTION, .optional = true, .options = sources},                \
    {.name = "nangoYamlBody", .kind = RULE_STRING, .optional = (yaml_is_optional)}

static const struct rule deploy_rules[] = {BODY_RULES(false)};
static const struct rule confirmation_rules[] = {BODY_RULES(true)};
static const struct shape deploy_body = SHAPE_STRICT(deploy_rules);
static const struct shape confirmation_body = SHAPE_STRICT(confirmation_rules);

/* The first releases: the server checked little, and what they sent varies. */
static const struct rule early_flow_rules[] = {
    {.name = "syncName", .kind = RULE_STRING, .pattern = &PATTERN_SCRIPT, .max = FIELD_MAX},
    {.name = "providerConfigKey", .kind = RULE_STRING, .pattern = &PATTERN_KEY, .max = FIELD_MAX},
    {.name = "runs", .kind = RULE_CUSTOM, .optional = true, .check = check_runs},
};
static const struct shape early_flow_shape = SHAPE_LOOSE(early_flow_rules);
static const struct rule early_flow = {.kind = RULE_OBJECT, .shape = &early_flow_shape};
static const struct rule early_rules[] = {
    {.name = "syncs", .kind = RULE_ARRAY, .item = &early_flow},
    {.name = "reconcile", .kind = RULE_BOOL},
    {.name = "debug", .kind = RULE_BOOL, .optional = true},
    {.name = "singleDeployMode", .kind = RULE_BOOL, .optional = true},
    {.name = "nangoYamlBody", .kind = RULE_STRING, .optional = true},
};
/* clang-format on */
static const struct shape early_body = SHAPE_LOOSE(early_rules);

const struct shape *deploy_shape(const cJSON *body, bool confirmation)
{
    if (json_get(body, "flowConfigs") == NULL && json_get(body, "syncs") != NULL)
        return &early_body;
    return confirmation ? &confirmation_body : &deploy_body;
}
