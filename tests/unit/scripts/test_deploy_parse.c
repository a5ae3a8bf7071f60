/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of deploys, of all eras and wrong in all ways. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "scripts/deploy.h"
#include "scripts/schema.h"
#include "test.h"

#define FILES "\"fileBody\":{\"js\":\"js\",\"ts\":\"ts\"}"
#define ACTION(name, more)                                                               \
    "{\"type\":\"action\",\"syncName\":\"" name "\",\"providerConfigKey\":\"k\","        \
    "\"models\":[],\"runs\":null," FILES more "}"
#define SYNC(name, more)                                                                 \
    "{\"type\":\"sync\",\"syncName\":\"" name "\",\"providerConfigKey\":\"k\","          \
    "\"models\":[],\"runs\":\"every hour\"," FILES more "}"
#define FLOWS(flows) "{\"flowConfigs\":[" flows "]}"

static cJSON *parse_json(const char *text)
{
    struct err err = {0};
    cJSON *value = json_parse(text, strlen(text), &err);

    if (value == NULL)
        fail_msg("%s: %s", text, err.message);
    return value;
}

static cJSON *given(const char *text, struct deploy *deploy)
{
    struct deploy_fault fault = {0};
    cJSON *body = parse_json(text);

    if (!deploy_parse(body, deploy, &fault))
        fail_msg("%s: %s", text, fault.err.message);
    return body;
}

static void done(cJSON *body, struct deploy *deploy)
{
    deploy_finish(deploy);
    cJSON_Delete(body);
}

TEST(a_current_body_is_read)
{
    struct deploy deploy;
    cJSON *body = given(
        "{\"flowConfigs\":["
        "{\"type\":\"sync\",\"syncName\":\"items\",\"providerConfigKey\":\"k\","
        "\"models\":[\"Item\"],\"runs\":\"every 2h\",\"auto_start\":true,"
        "\"track_deletes\":true,\"sync_type\":\"full\",\"version\":\"1.2.3\","
        "\"endpoints\":[{\"method\":\"get\",\"path\":\"/items\",\"group\":\"g\"}],"
        "\"metadata\":{\"description\":\"d\",\"scopes\":[\"a\",\"b\"]},"
        "\"input\":\"In\",\"webhookSubscriptions\":[\"*\"],\"attributes\":{\"x\":1},"
        "\"features\":[\"checkpoints\"],\"fileBody\":{\"js\":\"j\",\"ts\":\"t\"},"
        "\"models_json_schema\":{\"definitions\":{\"Item\":{\"a\":{\"$ref\":"
        "\"#/definitions/Part\"}},\"Part\":{\"$ref\":\"#/definitions/Item\"},\"In\":{},"
        "\"Unused\":{}}}}],"
        "\"reconcile\":true,\"deployMode\":\"integration\",\"sdkVersion\":\"1.2.3-zero\","
        "\"source\":\"standalone\",\"nangoYamlBody\":\"\",\"debug\":false}",
        &deploy);
    const struct deploy_item *item = &deploy.items[0];

    assert_int_equal(deploy.count, 1);
    assert_int_equal(deploy.mode, DEPLOY_INTEGRATION);
    assert_true(deploy.reconcile && !deploy.early && !deploy.with_events);
    assert_int_equal(item->kind, SCRIPT_SYNC);
    assert_string_equal(item->name, "items");
    assert_string_equal(item->js, "j");
    assert_string_equal(item->ts, "t");
    assert_string_equal(item->spec.version, "1.2.3");
    assert_string_equal(item->spec.description, "d");
    assert_string_equal(item->spec.models_json, "[\"Item\"]");
    assert_string_equal(item->spec.input, "In");
    assert_string_equal(item->spec.endpoints_json,
        "[{\"method\":\"GET\",\"path\":\"/items\",\"group\":\"g\"}]");
    assert_string_equal(item->spec.scopes_json, "[\"a\",\"b\"]");
    assert_string_equal(item->spec.json_schema,
        "{\"definitions\":{\"Item\":{\"a\":{\"$ref\":\"#/definitions/Part\"}},\"In\":{},"
        "\"Part\":{\"$ref\":\"#/definitions/Item\"}}}");
    assert_string_equal(item->spec.runs, "every 2h");
    assert_string_equal(item->spec.sync_type, "full");
    assert_true(item->spec.auto_start && item->spec.track_deletes);
    assert_string_equal(item->spec.webhook_subscriptions_json, "[\"*\"]");
    assert_string_equal(item->spec.attributes_json, "{\"x\":1}");
    assert_string_equal(item->spec.features_json, "[\"checkpoints\"]");
    assert_string_equal(item->spec.sdk_version, "1.2.3-zero");
    assert_string_equal(item->spec.source, "standalone");
    done(body, &deploy);
}

TEST(an_early_body_is_read)
{
    struct deploy deploy;
    cJSON *body = given(
        "{\"syncs\":["
        "{\"syncName\":\"items\",\"providerConfigKey\":\"k\",\"models\":\"item\","
        "\"runs\":\"every half hour\",\"version\":\"\",\"sync_type\":\"INCREMENTAL\","
        "\"input\":\"\",\"model_schema\":\"[{\\\"name\\\":\\\"item\\\"}]\","
        "\"endpoints\":[{\"GET\":\"/items\"}],\"metadata\":{\"scopes\":\"a, b,\"}," FILES
        "},"
        "{\"type\":\"action\",\"syncName\":\"act\",\"providerConfigKey\":\"k\","
        "\"models\":[null],\"version\":4,\"model_schema\":\"nonsense\"," FILES
        "}],\"reconcile\":true,\"debug\":false,\"singleDeployMode\":true}",
        &deploy);

    assert_true(deploy.early);
    assert_int_equal(deploy.mode, DEPLOY_SINGLE);
    assert_int_equal(deploy.count, 2);
    assert_int_equal(deploy.items[0].kind, SCRIPT_SYNC); /* the usual type */
    assert_null(deploy.items[0].spec.version);
    assert_null(deploy.items[0].spec.input);
    assert_null(deploy.items[0].spec.json_schema);
    assert_string_equal(deploy.items[0].spec.models_json, "[\"item\"]");
    assert_string_equal(deploy.items[0].spec.model_schema_json, "[{\"name\":\"item\"}]");
    assert_string_equal(deploy.items[0].spec.sync_type, "incremental");
    assert_string_equal(deploy.items[0].spec.scopes_json, "[\"a\",\"b\"]");
    assert_string_equal(deploy.items[0].spec.endpoints_json,
        "[{\"method\":\"GET\",\"path\":\"/items\",\"group\":null}]");
    assert_string_equal(deploy.items[0].spec.source, "repo");
    assert_string_equal(deploy.items[1].spec.version, "4");
    assert_string_equal(deploy.items[1].spec.models_json, "[]");
    assert_null(deploy.items[1].spec.model_schema_json);
    assert_null(deploy.items[1].spec.runs);
    assert_null(deploy.items[1].spec.sync_type);
    done(body, &deploy);
}

TEST(event_scripts_of_both_forms_are_read)
{
    struct deploy deploy;
    cJSON *body = given(
        "{\"flowConfigs\":[],\"onEventScriptsByProvider\":["
        "{\"providerConfigKey\":\"k\",\"scripts\":["
        "{\"name\":\"a\",\"event\":\"validate-connection\"," FILES "},"
        "{\"name\":\"a\",\"event\":\"pre-connection-deletion\"," FILES "}]}],"
        "\"postConnectionScriptsByProvider\":[{\"providerConfigKey\":\"l\",\"scripts\":["
        "{\"name\":\"a\"," FILES "}]}]}",
        &deploy);

    assert_true(deploy.with_events);
    assert_int_equal(deploy.count, 3);
    assert_int_equal(deploy.items[0].kind, SCRIPT_ON_EVENT);
    assert_string_equal(deploy.items[1].event, "pre-connection-deletion");
    assert_string_equal(deploy.items[2].event, "post-connection-creation");
    assert_string_equal(deploy.items[2].integration, "l");
    done(body, &deploy);

    body = given("{\"flowConfigs\":[],\"onEventScriptsByProvider\":[]}", &deploy);
    assert_true(deploy.with_events); /* there are none any more */
    done(body, &deploy);
}

TEST(schemas_beside_scripts_go_before_the_shared_one)
{
    struct deploy deploy;
    cJSON *body =
        given("{\"flowConfigs\":[" ACTION("a", ",\"input\":\"A\"") "," ACTION("b",
                  ",\"input\":\"A\",\"models_json_schema\":{\"definitions\":{\"A\":"
                  "2}}") "],\"jsonSchema\":{\"definitions\":{\"A\":1}}}",
            &deploy);

    assert_string_equal(deploy.items[0].spec.json_schema, "{\"definitions\":{\"A\":1}}");
    assert_string_equal(deploy.items[1].spec.json_schema, "{\"definitions\":{\"A\":2}}");
    done(body, &deploy);
}

TEST(what_is_wrong_is_said_with_the_script)
{
    static const struct {
        const char *body;
        const char *code;
        const char *script; /* "" = of none in particular */
        const char *says;
    } rows[] = {
        {"null", "invalid_body", "", "a list is expected"},
        {"[]", "invalid_body", "", "a list is expected"},
        {"{\"flowConfigs\":{}}", "invalid_body", "", "a list is expected"},
        {FLOWS("5"), "missing_required_fields_on_deploy", "", "providerConfigKey"},
        {FLOWS("{\"providerConfigKey\":\"k\"}"), "missing_required_fields_on_deploy", "",
            "a name has"},
        {FLOWS("{\"providerConfigKey\":\"k\",\"syncName\":\"a b\"}"),
            "missing_required_fields_on_deploy", "", "a name has"},
        {FLOWS("{\"providerConfigKey\":\"k\",\"syncName\":\"a\"}"),
            "missing_required_fields_on_deploy", "a", "no code"},
        {FLOWS("{\"providerConfigKey\":\"k\",\"syncName\":\"a\",\"fileBody\":\"x\"}"),
            "missing_required_fields_on_deploy", "a", "no code"},
        {FLOWS(SYNC("a", ",\"runs\":\"\"")), "missing_required_fields_on_deploy", "a",
            "sync \"a\" of \"k\": a sync says how often it runs"},
        {FLOWS(SYNC("a", ",\"runs\":\"sometimes\"")), "sync_interval_invalid", "a",
            "sync \"a\" of \"k\": the frequency \"sometimes\""},
        {FLOWS(SYNC("a", ",\"runs\":\"every 1s\"")), "sync_interval_too_short", "a",
            "less than 30 seconds"},
        {FLOWS(SYNC("a", ",\"type\":\"webhook\"")), "invalid_body", "a", "neither sync"},
        {FLOWS(SYNC("a", ",\"sync_type\":\"incremental\",\"track_deletes\":true")),
            "invalid_body", "a", "track_deletes"},
        {FLOWS(SYNC("a", ",\"models\":[\"item\"]")), "invalid_body", "a",
            "\"item\" is no name of a model"},
        {FLOWS(SYNC("a", ",\"models\":[\"I\"]")), "invalid_body", "a", "no name"},
        {FLOWS(ACTION("a", ",\"models\":[\"\"]")), "invalid_body", "a", "no name"},
        {FLOWS(ACTION("a", ",\"endpoints\":[{\"POST\":5}]")), "invalid_body", "a",
            "an endpoint"},
        {FLOWS(ACTION("a", ",\"endpoints\":[{\"method\":\"BREW\",\"path\":\"/\"}]")),
            "invalid_body", "a", "an endpoint"},
        {FLOWS(ACTION("a", "") "," ACTION("a", "")), "invalid_body", "a",
            "the name \"a\" (action) belongs to \"a\" as well"},
        {FLOWS(ACTION("a", ",\"endpoints\":[{\"POST\":\"/x\"}]") "," SYNC(
             "b", ",\"endpoints\":[{\"method\":\"post\",\"path\":\"/x\"}]")),
            "invalid_body", "b", "the endpoint POST /x belongs to \"a\" as well"},
        {FLOWS(ACTION("a", ",\"endpoints\":[{\"POST\":\"/x\"},{\"POST\":\"/x\"}]")),
            "invalid_body", "a", "the endpoint POST /x"},
        {FLOWS(
             SYNC("a", ",\"models\":[\"Item\"]") "," SYNC("b", ",\"models\":[\"Item\"]")),
            "invalid_body", "b", "the model Item belongs to \"a\" as well"},
        {"{\"flowConfigs\":[" ACTION(
             "a", ",\"models\":[\"Nope\"]") "],\"jsonSchema\":{}}",
            "deploy_missing_json_schema_model", "a", "model \"Nope\""},
        {"{\"flowConfigs\":[" ACTION(
             "a", ",\"input\":\"A\"") "],\"jsonSchema\":"
                                      "{\"definitions\":{\"A\":[{\"$ref\":\"#/"
                                      "definitions/B\"}]}}}",
            "deploy_missing_json_schema_model", "a", "model \"B\""},
        {"{\"flowConfigs\":[],\"onEventScriptsByProvider\":[{}]}", "invalid_body", "",
            "without a list of scripts"},
        {"{\"flowConfigs\":[],\"onEventScriptsByProvider\":[{\"providerConfigKey\":\"k\","
         "\"scripts\":[{\"name\":\"a\",\"event\":\"birthday\"," FILES "}]}]}",
            "invalid_body", "a", "on-event \"a\" of \"k\": its event is none of"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct deploy_fault fault = {0};
        struct deploy deploy;
        cJSON *body = parse_json(rows[i].body);

        if (deploy_parse(body, &deploy, &fault))
            fail_msg("accepted: %s", rows[i].body);
        if (!str_eq(fault.err.code, rows[i].code) || fault.err.status != 400 ||
            !str_eq(fault.script, rows[i].script) ||
            strstr(fault.err.message, rows[i].says) == NULL)
            fail_msg("%s: %s, script \"%s\": %s", rows[i].body, fault.err.code,
                fault.script, fault.err.message);
        assert_int_equal(deploy.count, 0);
        cJSON_Delete(body);
    }
}

TEST(what_looks_alike_is_no_conflict)
{
    struct deploy deploy;
    cJSON *body = given(FLOWS(SYNC("a", ",\"endpoints\":[{\"GET\":\"/"
                                        "x\"}],\"models\":[\"Item\"]") "," ACTION("a",
                            ",\"endpoints\":[{\"POST\":\"/"
                            "x\"}],\"models\":[\"Item\"]") ","
                                                           "{\"type\":\"sync\","
                                                           "\"syncName\":\"a\","
                                                           "\"providerConfigKey\":"
                                                           "\"other\","
                                                           "\"models\":[\"Item\"],"
                                                           "\"runs\":\"every "
                                                           "hour\",\"endpoints\":[{"
                                                           "\"GET\":\"/x\"}]," FILES "}"),
        &deploy);

    assert_int_equal(deploy.count, 3);
    done(body, &deploy);
    /* The first releases let two syncs save one model. */
    body = given("{\"syncs\":[" SYNC("a", ",\"models\":[\"i\"]") "," SYNC(
                     "b", ",\"models\":[\"i\"]") "]}",
        &deploy);
    done(body, &deploy);
}

TEST(schemas_are_bounded_together)
{
    cJSON *schema = parse_json("{\"definitions\":{\"A\":\"0123456789\"}}");
    struct schema_index *index = schema_index_new(schema);
    const char *const names[] = {"A", "A"};
    struct err err = {0};
    size_t budget = 70;
    char *text = schema_pick(index, names, 2, &budget, &err);

    assert_string_equal(text, "{\"definitions\":{\"A\":\"0123456789\"}}");
    assert_int_equal(budget, 70 - strlen(text));
    free(text);
    text = schema_pick(index, names, 1, &budget, &err);
    assert_non_null(text);
    free(text);
    assert_null(schema_pick(index, names, 1, &budget, &err));
    assert_int_equal(err.status, 413);
    schema_index_free(index);
    cJSON_Delete(schema);
}

TEST(definitions_in_a_circle_are_met_once)
{
    cJSON *schema = parse_json(
        "{\"definitions\":{\"A\":{\"$ref\":\"#/definitions/B\"},\"B\":[{\"x\":{\"$ref\":"
        "\"#/definitions/A\"}}],\"C\":{\"$ref\":\"#/elsewhere\"}}}");
    struct schema_index *index = schema_index_new(schema);
    const char *const names[] = {"A", "C"};
    struct err err = {0};
    size_t budget = 1000;
    char *text = schema_pick(index, names, 2, &budget, &err);

    assert_string_equal(text, "{\"definitions\":{\"A\":{\"$ref\":\"#/definitions/B\"},"
                              "\"C\":{\"$ref\":\"#/elsewhere\"},"
                              "\"B\":[{\"x\":{\"$ref\":\"#/definitions/A\"}}]}}");
    free(text);
    text = schema_pick(index, NULL, 0, &budget, &err);
    assert_string_equal(text, "{\"definitions\":{}}");
    free(text);
    schema_index_free(index);
    cJSON_Delete(schema);
}

TEST(versions_count_up)
{
    static const struct {
        const char *last;
        enum script_kind kind;
        const char *next;
    } rows[] = {
        {NULL, SCRIPT_SYNC, "1"},
        {NULL, SCRIPT_ON_EVENT, "0.0.1"},
        {"1", SCRIPT_SYNC, "2"},
        {"9", SCRIPT_ACTION, "10"},
        {"99", SCRIPT_ACTION, "100"},
        {"109", SCRIPT_ACTION, "110"},
        {"1.0.9", SCRIPT_ACTION, "1.0.10"},
        {"0.0.1", SCRIPT_ON_EVENT, "0.0.2"},
        {"1.2.199", SCRIPT_ACTION, "1.2.200"},
        {"v3", SCRIPT_ACTION, "v4"},
        {"beta", SCRIPT_ACTION, "1"},
        {"", SCRIPT_ACTION, "1"},
        {"99999999999999999999999999", SCRIPT_ACTION, "100000000000000000000000000"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *next = script_next_version(rows[i].last, rows[i].kind);

        assert_string_equal(next, rows[i].next);
        free(next);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_current_body_is_read),
        cmocka_unit_test(an_early_body_is_read),
        cmocka_unit_test(event_scripts_of_both_forms_are_read),
        cmocka_unit_test(schemas_beside_scripts_go_before_the_shared_one),
        cmocka_unit_test(what_is_wrong_is_said_with_the_script),
        cmocka_unit_test(what_looks_alike_is_no_conflict),
        cmocka_unit_test(schemas_are_bounded_together),
        cmocka_unit_test(definitions_in_a_circle_are_met_once),
        cmocka_unit_test(versions_count_up),
    };

    return RUN(tests);
}
