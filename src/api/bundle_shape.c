/* SPDX-License-Identifier: Apache-2.0 */
#include "api/bundle_shape.h"

#include <string.h>

#include "api/deploy_shape.h"
#include "api/fields.h"
#include "base/json.h"
#include "base/str.h"

#define REF "#/definitions/"
#define MAX_DESCRIPTION 2000

/* ---- shapes ---- */

static bool is_ref(const char *s)
{
    return str_starts(s, REF) && s[strlen(REF)] != '\0' &&
           str_all_alnum_or(s + strlen(REF), "_-");
}

static const struct pattern pattern_ref = {
    "/^#\\/definitions\\/[a-zA-Z0-9_-]+$/", is_ref};

static void check_ref(struct issues *issues, const cJSON *value)
{
    if (value == NULL || (!cJSON_IsNull(value) && !cJSON_IsString(value)))
        issue_type(issues, "string", value);
    else if (cJSON_IsString(value) && !is_ref(value->valuestring))
        issue_add(issues, "invalid_format", "Invalid string: must match pattern %s",
            pattern_ref.text);
}

static void check_per_connection(struct issues *issues, const cJSON *value)
{
    if (!(cJSON_IsNumber(value) && value->valuedouble == 1) &&
        !(cJSON_IsString(value) && strcmp(value->valuestring, "max") == 0))
        issue_add(issues, "invalid_union", "Invalid input");
}

static const struct rule any_string = {.kind = RULE_STRING};

/* What the server does with a trigger is told by bundle_parse(). */
static const char *const trigger_kinds[] = {"none", "schedule", "http", "event", NULL};
static const struct rule trigger_rules[] = {
    {.name = "kind", .kind = RULE_OPTION, .options = trigger_kinds},
    {.name = "frequency", .kind = RULE_STRING, .optional = true},
    {.name = "autoStart", .kind = RULE_BOOL, .optional = true},
    {.name = "subscriptions", .kind = RULE_ARRAY, .optional = true, .item = &any_string},
    {.name = "debounce", .kind = RULE_RECORD, .optional = true},
    {.name = "events", .kind = RULE_ARRAY, .optional = true, .item = &any_string},
};
static const struct shape trigger_shape = SHAPE_STRICT(trigger_rules);

static const struct rule requires_rules[] = {
    {.name = "connection", .kind = RULE_BOOL, .optional = true},
    {.name = "outbound", .kind = RULE_BOOL, .optional = true},
    {.name = "invoke", .kind = RULE_BOOL, .optional = true},
};
static const struct shape requires_shape = SHAPE_STRICT(requires_rules);

static const struct rule capability_rules[] = {
    {.name = "usesRecords", .kind = RULE_BOOL},
    {.name = "usesOutbound", .kind = RULE_BOOL},
    {.name = "usesCheckpoints", .kind = RULE_BOOL},
    {.name = "usesMetadata", .kind = RULE_BOOL},
    {.name = "usesInvoke", .kind = RULE_BOOL},
};
static const struct shape capability_shape = SHAPE_STRICT(capability_rules);

static const struct rule concurrency_rules[] = {
    {.name = "perConnection", .kind = RULE_CUSTOM, .check = check_per_connection},
};
static const struct shape concurrency_shape = SHAPE_STRICT(concurrency_rules);
static const struct rule limit_rules[] = {
    {.name = "concurrency",
        .kind = RULE_OBJECT,
        .optional = true,
        .shape = &concurrency_shape},
};
static const struct shape limit_shape = SHAPE_STRICT(limit_rules);

static const struct rule file_rules[] = {
    {.name = "js", .kind = RULE_STRING, .min = 1},
    {.name = "ts", .kind = RULE_STRING, .min = 1},
};
static const struct shape file_shape = SHAPE_STRICT(file_rules);

static const struct rule a_ref = {.kind = RULE_STRING, .pattern = &pattern_ref};

#define RULE_REF(field)                                                                  \
    {                                                                                    \
        .name = (field), .kind = RULE_CUSTOM, .check = check_ref                         \
    }

static const struct rule artifact_rules[] = {
    {.name = "name", .kind = RULE_STRING, .pattern = &PATTERN_SCRIPT, .max = FIELD_MAX},
    RULE_KEY_FIELD("integrationId"),
    {.name = "description", .kind = RULE_STRING, .max = MAX_DESCRIPTION},
    {.name = "trigger", .kind = RULE_OBJECT, .shape = &trigger_shape},
    {.name = "requires", .kind = RULE_OBJECT, .shape = &requires_shape},
    {.name = "capabilities", .kind = RULE_OBJECT, .shape = &capability_shape},
    {.name = "limits", .kind = RULE_OBJECT, .shape = &limit_shape},
    RULE_REF("input_schema_ref"),
    RULE_REF("output_schema_ref"),
    {.name = "model_schema_refs", .kind = RULE_ARRAY, .item = &a_ref},
    RULE_REF("metadata_schema_ref"),
    RULE_REF("checkpoint_schema_ref"),
    {.name = "json_schema", .kind = RULE_RECORD},
    {.name = "fileBody", .kind = RULE_OBJECT, .shape = &file_shape},
};
static const struct shape artifact_shape = SHAPE_STRICT(artifact_rules);

/* ---- what must agree ---- */

static void must_match(struct issues *issues, const cJSON *artifact, const char *member,
    bool wanted, const char *what)
{
    if (json_bool(json_get(artifact, "capabilities"), member, false) == wanted)
        return;
    issue_enter(issues, "capabilities");
    issue_enter(issues, member);
    issue_add(issues, "custom", "%s must match %s", member, what);
    issue_leave(issues);
    issue_leave(issues);
}

static bool is_defined(const cJSON *artifact, const cJSON *ref)
{
    const cJSON *definitions = json_get(json_get(artifact, "json_schema"), "definitions");

    return !cJSON_IsString(ref) ||
           json_get(definitions, ref->valuestring + strlen(REF)) != NULL;
}

static bool all_defined(const cJSON *artifact)
{
    static const char *const members[] = {"input_schema_ref", "output_schema_ref",
        "metadata_schema_ref", "checkpoint_schema_ref"};
    const cJSON *ref;

    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        if (!is_defined(artifact, json_get(artifact, members[i])))
            return false;
    cJSON_ArrayForEach(ref, json_get(artifact, "model_schema_refs"))
    {
        if (!is_defined(artifact, ref))
            return false;
    }
    return true;
}

static void check_artifact(struct issues *issues, const cJSON *artifact)
{
    const cJSON *requires = json_get(artifact, "requires");

    must_match(issues, artifact, "usesOutbound",
        json_bool(requires, "connection", true) && json_bool(requires, "outbound", true),
        "requires.outbound");
    must_match(issues, artifact, "usesRecords",
        cJSON_GetArraySize(json_get(artifact, "model_schema_refs")) > 0,
        "model_schema_refs");
    must_match(issues, artifact, "usesMetadata",
        cJSON_IsString(json_get(artifact, "metadata_schema_ref")), "metadata_schema_ref");
    must_match(issues, artifact, "usesCheckpoints",
        cJSON_IsString(json_get(artifact, "checkpoint_schema_ref")),
        "checkpoint_schema_ref");
    must_match(issues, artifact, "usesInvoke", json_bool(requires, "invoke", false),
        "requires.invoke");
    if (all_defined(artifact))
        return;
    issue_enter(issues, "json_schema");
    issue_enter(issues, "definitions");
    issue_add(
        issues, "custom", "Schema references must exist in json_schema.definitions");
    issue_leave(issues);
    issue_leave(issues);
}

static const struct rule artifact = {
    .kind = RULE_OBJECT, .shape = &artifact_shape, .check = check_artifact};

static const char *const whole[] = {"environment", NULL};
static const char *const part[] = {"integration", NULL};
static const struct rule whole_rules[] = {
    {.name = "kind", .kind = RULE_LITERAL, .options = whole},
};
static const struct rule part_rules[] = {
    {.name = "kind", .kind = RULE_LITERAL, .options = part},
    RULE_KEY_FIELD("integrationId"),
};
static const struct shape whole_shape = SHAPE_STRICT(whole_rules);
static const struct shape part_shape = SHAPE_STRICT(part_rules);

#define BODY_RULES(scope_shape)                                                          \
    {.name = "reconciliationScope", .kind = RULE_OBJECT, .shape = &(scope_shape)},       \
    {                                                                                    \
        .name = "functions", .kind = RULE_ARRAY, .item = &artifact                       \
    }
static const struct rule whole_body_rules[] = {BODY_RULES(whole_shape)};
static const struct rule part_body_rules[] = {BODY_RULES(part_shape)};
static const struct shape whole_body = SHAPE_STRICT(whole_body_rules);
static const struct shape part_body = SHAPE_STRICT(part_body_rules);

const struct shape *bundle_shape(const cJSON *body)
{
    const cJSON *scope = json_get(body, "reconciliationScope");

    return str_eq(json_str(scope, "kind"), "integration") ? &part_body : &whole_body;
}
