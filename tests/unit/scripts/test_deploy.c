/* SPDX-License-Identifier: Apache-2.0 */
/* Plans and deploys against a real store: what is new, what goes, what stays when
 * something is wrong, and going back. */

#include "base/json.h"
#include "scripts/deploy.h"
#include "store/world.h"

#define FLOW(type, key, name, more)                                                      \
    "{\"type\":\"" type "\",\"syncName\":\"" name "\",\"providerConfigKey\":\"" key      \
    "\",\"models\":[],\"runs\":\"every hour\",\"fileBody\":{\"js\":\"js of " name        \
    "\",\"ts\":\"\"}" more "}"
#define EVENT(key, name)                                                                 \
    "{\"providerConfigKey\":\"" key "\",\"scripts\":[{\"name\":\"" name                  \
    "\",\"event\":\"validate-connection\",\"fileBody\":{\"js\":\"x\"}}]}"

struct stage {
    struct world w;
    struct scripts scripts;
};

static void stage_begin(struct stage *s)
{
    world_begin(&s->w);
    scripts_init(&s->scripts, s->w.store);
}

static void stage_end(struct stage *s)
{
    scripts_finish(&s->scripts);
    world_end(&s->w);
}

static bool try_deploy(struct stage *s, const char *text, struct deploy_fault *fault)
{
    struct script_row **made;
    struct err err = {0};
    struct deploy deploy;
    cJSON *body = json_parse(text, strlen(text), &err);
    bool ok;

    assert_non_null(body);
    ok = deploy_parse(body, &deploy, fault);
    if (ok) {
        size_t count = deploy.count;

        ok = deploy_run(&s->scripts, s->w.env->id, &deploy, &made, fault);
        if (ok)
            store_scripts_free(made, count);
        deploy_finish(&deploy);
    }
    cJSON_Delete(body);
    return ok;
}

static void deploy(struct stage *s, const char *text)
{
    struct deploy_fault fault = {0};

    if (!try_deploy(s, text, &fault))
        fail_msg("%s: %s", text, fault.err.message);
}

static void expect_refused(
    struct stage *s, const char *text, const char *code, const char *says)
{
    struct deploy_fault fault = {0};

    if (try_deploy(s, text, &fault))
        fail_msg("accepted: %s", text);
    assert_string_equal(fault.err.code, code);
    if (strstr(fault.err.message, says) == NULL)
        fail_msg("%s", fault.err.message);
}

/* Each as `key/kind/name@version `. */
static void expect_running(struct stage *s, const char *wanted)
{
    struct script_filter filter = {.environment_id = s->w.env->id};
    struct script_row **rows;
    struct buf text;
    size_t count;

    MUST(store_list_scripts(s->w.store, &filter, &rows, &count, NULL, &err));
    buf_init(&text, 0);
    buf_puts(&text, "");
    for (size_t i = 0; i < count; i++)
        buf_printf(&text, "%s/%s/%s@%s ", rows[i]->provider_config_key,
            script_kind_name(rows[i]->kind), rows[i]->name, rows[i]->spec.version);
    assert_string_equal(text.data, wanted);
    buf_finish(&text);
    store_scripts_free(rows, count);
}

/* What a confirmation would tell: `+new =known -removed ~model`. */
static void expect_plan(struct stage *s, const char *body_text, const char *wanted)
{
    struct deploy_fault fault = {0};
    struct deploy_plan plan;
    struct err err = {0};
    struct deploy deploy;
    cJSON *body = json_parse(body_text, strlen(body_text), &err);
    const cJSON *model;
    struct buf text;

    assert_true(deploy_parse(body, &deploy, &fault));
    if (!deploy_make_plan(&s->scripts, s->w.env->id, &deploy, &plan, &fault))
        fail_msg("%s", fault.err.message);
    buf_init(&text, 0);
    for (size_t i = 0; i < deploy.count; i++)
        buf_printf(&text, "%c%s ", deploy.items[i].before == NULL ? '+' : '=',
            deploy.items[i].name);
    for (size_t i = 0; i < plan.removed_count; i++)
        buf_printf(&text, "-%s ", plan.removed[i]->name);
    cJSON_ArrayForEach(model, plan.deleted_models)
    {
        buf_printf(&text, "~%s ", model->valuestring);
    }
    assert_string_equal(text.data, wanted);
    buf_finish(&text);
    deploy_plan_finish(&plan);
    deploy_finish(&deploy);
    cJSON_Delete(body);
}

#define TWO                                                                              \
    FLOW("action", "github", "act", "")                                                  \
    "," FLOW("sync", "slack", "items", ",\"models\":[\"Item\"]")

TEST(a_plan_says_what_would_change_and_changes_nothing)
{
    struct stage s;

    stage_begin(&s);
    expect_plan(&s, "{\"flowConfigs\":[" TWO "]}", "+act +items ");
    expect_running(&s, "");
    deploy(&s, "{\"flowConfigs\":[" TWO "]}");
    expect_plan(&s, "{\"flowConfigs\":[" TWO "]}", "=act =items ");
    expect_plan(&s,
        "{\"flowConfigs\":[" FLOW("action", "github", "more", "") "],\"reconcile\":true}",
        "+more -act -items ~Item ");
    expect_plan(&s, "{\"flowConfigs\":[" FLOW("sync", "github", "act", "") "]}",
        "+act -act -items ~Item "); /* a sync is another script */
    expect_running(&s, "github/action/act@1 slack/sync/items@1 ");
    stage_end(&s);
}

TEST(only_reconciling_removes_and_only_in_its_scope)
{
    struct stage s;

    stage_begin(&s);
    deploy(&s, "{\"flowConfigs\":[" TWO "]}");
    deploy(&s, "{\"flowConfigs\":[" FLOW("action", "github", "b", "") "]}");
    expect_running(&s, "github/action/act@1 github/action/b@1 slack/sync/items@1 ");
    deploy(&s, "{\"flowConfigs\":[" FLOW("action", "github", "b",
                   "") "],"
                       "\"reconcile\":true,\"deployMode\":\"single\"}");
    expect_running(&s, "github/action/act@1 github/action/b@2 slack/sync/items@1 ");
    deploy(&s, "{\"flowConfigs\":[" FLOW("action", "github", "b",
                   "") "],"
                       "\"reconcile\":true,\"deployMode\":\"integration\"}");
    expect_running(&s, "github/action/b@3 slack/sync/items@1 ");
    deploy(&s,
        "{\"flowConfigs\":[" FLOW("action", "github", "b", "") "],"
                                                               "\"reconcile\":true}");
    expect_running(&s, "github/action/b@4 ");
    deploy(&s, "{\"flowConfigs\":[],\"reconcile\":true}");
    expect_running(&s, "");
    stage_end(&s);
}

TEST(event_scripts_go_only_when_others_are_listed)
{
    struct stage s;

    stage_begin(&s);
    deploy(&s, "{\"flowConfigs\":[],\"onEventScriptsByProvider\":[" EVENT(
                   "github", "setup") "]}");
    deploy(&s, "{\"flowConfigs\":[],\"reconcile\":true}");
    expect_running(&s, "github/on-event/setup@0.0.1 ");
    deploy(
        &s, "{\"flowConfigs\":[],\"reconcile\":true,\"onEventScriptsByProvider\":[" EVENT(
                "github", "setup") "]}");
    expect_running(&s, "github/on-event/setup@0.0.2 ");
    deploy(&s, "{\"flowConfigs\":[],\"reconcile\":true,\"onEventScriptsByProvider\":[]}");
    expect_running(&s, "");
    stage_end(&s);
}

TEST(scripts_of_another_source_are_left_alone)
{
    struct stage s;

    stage_begin(&s);
    deploy(&s, "{\"flowConfigs\":[" FLOW(
                   "action", "github", "mine", "") "],"
                                                   "\"source\":\"standalone\"}");
    deploy(&s,
        "{\"flowConfigs\":[" FLOW("action", "github", "act", "") "],"
                                                                 "\"reconcile\":true}");
    expect_running(&s, "github/action/act@1 github/action/mine@1 ");
    stage_end(&s);
}

#define AT(path) ",\"endpoints\":[{\"method\":\"POST\",\"path\":\"" path "\"}]"

TEST(an_endpoint_of_a_running_script_is_not_taken)
{
    struct stage s;

    stage_begin(&s);
    deploy(&s, "{\"flowConfigs\":[" FLOW("action", "github", "old", AT("/x")) "]}");
    expect_refused(&s,
        "{\"flowConfigs\":[" FLOW("action", "github", "new", AT("/x")) "]}",
        "invalid_body",
        "action \"new\" of \"github\": the endpoint POST /x belongs to \"old\", which is "
        "deployed already");
    expect_running(&s, "github/action/old@1 ");
    /* Of another integration, moved within the deploy, or left by what goes. */
    deploy(&s, "{\"flowConfigs\":[" FLOW("action", "slack", "new", AT("/x")) "]}");
    deploy(&s, "{\"flowConfigs\":[" FLOW("action", "github", "old", AT("/y")) "," FLOW(
                   "action", "github", "new", AT("/x")) "]}");
    deploy(&s, "{\"flowConfigs\":[" FLOW(
                   "action", "github", "third", AT("/x")) "],"
                                                          "\"reconcile\":true}");
    expect_running(&s, "github/action/third@1 ");
    stage_end(&s);
}

TEST(one_unknown_integration_refuses_all)
{
    struct stage s;

    stage_begin(&s);
    deploy(&s, "{\"flowConfigs\":[" TWO "]}");
    expect_refused(&s,
        "{\"flowConfigs\":[" TWO
        "," FLOW("action", "nope", "act", "") "],"
                                              "\"reconcile\":true}",
        "unknown_provider_config", "\"providerConfigKey\": \"nope\"");
    expect_running(&s, "github/action/act@1 slack/sync/items@1 ");
    stage_end(&s);
}

static bool loads(void *arg, const struct script_source *sources, size_t count,
    size_t *bad, struct deploy_fault *fault)
{
    size_t *asked = arg;

    *asked += count;
    for (*bad = 0; *bad < count; (*bad)++)
        if (strcmp(sources[*bad].js, "js of broken") == 0)
            break;
    if (*bad == count)
        return true;
    str_copy(fault->file, sizeof fault->file, "broken.ts");
    fault->line = 7;
    str_copy(fault->err.message, sizeof fault->err.message, "Unexpected token");
    return false;
}

TEST(code_that_does_not_load_refuses_all)
{
    struct deploy_fault fault = {0};
    struct stage s;
    size_t asked = 0;

    stage_begin(&s);
    deploy(&s, "{\"flowConfigs\":[" TWO "]}");
    s.scripts.check = (struct script_check){loads, &asked};
    assert_false(try_deploy(&s,
        "{\"flowConfigs\":[" TWO "," FLOW("action", "github", "broken", "") "]}",
        &fault));
    assert_int_equal(asked, 1); /* the others run already */
    assert_int_equal(fault.err.status, 400);
    assert_string_equal(fault.err.code, "script_does_not_load");
    assert_string_equal(fault.err.message,
        "action \"broken\" of \"github\": it does not load: Unexpected token");
    assert_string_equal(fault.script, "broken");
    assert_int_equal(fault.line, 7);
    expect_running(&s, "github/action/act@1 slack/sync/items@1 ");
    /* The same code in another form is another script. */
    asked = 0;
    deploy(&s, "{\"sdkVersion\":\"0.71.10-zero\",\"flowConfigs\":[" TWO "]}");
    assert_int_equal(asked, 2);
    asked = 0;
    deploy(&s, "{\"sdkVersion\":\"0.72.0-zero\",\"flowConfigs\":[" TWO "]}");
    assert_int_equal(asked, 0);
    stage_end(&s);
}

struct rival {
    struct stage *s;
    struct deploy_fault fault;
    bool accepted;
};

/* Inside of a deploy, another one comes. */
static bool loads_beside_a_rival(void *arg, const struct script_source *sources,
    size_t count, size_t *bad, struct deploy_fault *fault)
{
    struct rival *rival = arg;

    (void)sources, (void)count, (void)bad, (void)fault;
    rival->accepted = try_deploy(rival->s, "{\"flowConfigs\":[]}", &rival->fault);
    return true;
}

TEST(one_deploy_at_a_time)
{
    struct rival rival = {0};
    struct stage s;

    stage_begin(&s);
    rival.s = &s;
    s.scripts.check = (struct script_check){loads_beside_a_rival, &rival};
    deploy(&s, "{\"flowConfigs\":[" FLOW("action", "github", "act", "") "]}");
    assert_false(rival.accepted);
    expect_error(&rival.fault.err, 409, "concurrent_deployment");
    s.scripts.check = (struct script_check){0};
    deploy(&s, "{\"flowConfigs\":[" FLOW("action", "github", "act", "") "]}");
    stage_end(&s);
}

TEST(a_deploy_can_be_taken_back)
{
    struct script_filter filter = {0};
    struct script_row **rows, **versions;
    struct err refused = {0};
    size_t count;
    struct stage s;

    stage_begin(&s);
    filter.environment_id = s.w.env->id;
    deploy(&s, "{\"flowConfigs\":[" TWO "]}");
    deploy(&s, "{\"flowConfigs\":[" TWO "]}");
    MUST(store_list_scripts(s.w.store, &filter, &rows, &count, NULL, &err));
    MUST(store_list_script_versions(s.w.store, rows[0]->id, &versions, &count, &err));
    assert_int_equal(count, 2);
    MUST(script_roll_back(
        &s.scripts, s.w.env->id, rows[0], versions[1]->version_id, &err));
    expect_running(&s, "github/action/act@1 slack/sync/items@2 ");
    assert_false(script_roll_back(
        &s.scripts, s.w.env->id, rows[1], versions[1]->version_id, &refused));
    expect_error(&refused, 404, "not_found");
    store_scripts_free(versions, 2);
    store_scripts_free(rows, 2);
    stage_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_says_what_would_change_and_changes_nothing),
        cmocka_unit_test(only_reconciling_removes_and_only_in_its_scope),
        cmocka_unit_test(event_scripts_go_only_when_others_are_listed),
        cmocka_unit_test(scripts_of_another_source_are_left_alone),
        cmocka_unit_test(an_endpoint_of_a_running_script_is_not_taken),
        cmocka_unit_test(one_unknown_integration_refuses_all),
        cmocka_unit_test(code_that_does_not_load_refuses_all),
        cmocka_unit_test(one_deploy_at_a_time),
        cmocka_unit_test(a_deploy_can_be_taken_back),
    };

    return RUN_FOR_EACH_STORE(tests);
}
