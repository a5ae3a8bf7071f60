/* SPDX-License-Identifier: Apache-2.0 */
/* Scripts in the store: versions, the active one, shared code, and what a deploy that
 * fails leaves behind. */
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "store/world.h"

static void remove_script(struct world *w, int64_t id)
{
    struct script_deploy deploy = {
        .environment_id = w->env->id, .removals = &id, .removal_count = 1};

    MUST(store_deploy_scripts(w->store, &deploy, NULL, &err));
}

/* Names of the active ones that the filter lets through, each as `key/kind/name `. */
static void expect_listed(
    struct world *w, struct script_filter filter, size_t total, const char *wanted)
{
    struct script_row **rows;
    struct buf text;
    size_t count, all = 0;

    filter.environment_id = w->env->id;
    MUST(store_list_scripts(w->store, &filter, &rows, &count, &all, &err));
    buf_init(&text, 0);
    buf_puts(&text, "");
    for (size_t i = 0; i < count; i++)
        buf_printf(&text, "%s/%s/%s ", rows[i]->provider_config_key,
            script_kind_name(rows[i]->kind), rows[i]->name);
    assert_string_equal(text.data, wanted);
    assert_int_equal(all, total);
    buf_finish(&text);
    store_scripts_free(rows, count);
}

static void expect_code(struct world *w, const uint8_t sha[SHA256_LEN], const char *text)
{
    struct blob code;

    MUST(store_load_code(w->store, sha, &code, &err));
    assert_int_equal(code.len, strlen(text));
    assert_string_equal((char *)code.data, text);
    free(code.data);
}

static bool has_code(struct world *w, const uint8_t sha[SHA256_LEN])
{
    struct err err = {0};
    struct blob code;
    bool ok = store_load_code(w->store, sha, &code, &err);

    if (!ok)
        expect_error(&err, 404, "not_found");
    free(code.data);
    return ok;
}

TEST(a_script_comes_back_as_it_was_deployed)
{
    struct script_row *row, **rows;
    struct script_filter filter = {0};
    struct script_put put;
    struct world w;
    size_t count;

    world_begin(&w);
    put = a_script(w.github, SCRIPT_SYNC, "items");
    put.spec.input = lend("In");
    put.spec.json_schema = lend("{\"definitions\":{}}");
    put.spec.model_schema_json = lend("[{}]");
    put.spec.track_deletes = true;
    put.spec.sdk_version = lend("1.2.3-zero");
    row = deploy_one(&w, &put);
    filter.environment_id = w.env->id;
    script_row_free(row);
    world_reopen(&w);
    MUST(store_list_scripts(w.store, &filter, &rows, &count, NULL, &err));
    assert_int_equal(count, 1);
    row = rows[0];
    assert_int_equal(row->integration_id, w.github->id);
    assert_string_equal(row->provider_config_key, "github");
    assert_int_equal(row->kind, SCRIPT_SYNC);
    assert_true(row->enabled && row->active && row->has_ts);
    assert_string_equal(row->spec.version, "1");
    assert_string_equal(row->spec.description, "words");
    assert_string_equal(row->spec.models_json, "[\"Item\"]");
    assert_string_equal(row->spec.input, "In");
    assert_string_equal(row->spec.json_schema, "{\"definitions\":{}}");
    assert_string_equal(row->spec.model_schema_json, "[{}]");
    assert_string_equal(row->spec.runs, "every hour");
    assert_string_equal(row->spec.sync_type, "full");
    assert_true(row->spec.auto_start && row->spec.track_deletes);
    assert_null(row->event);
    assert_string_equal(row->spec.sdk_version, "1.2.3-zero");
    assert_string_equal(row->spec.source, "repo");
    assert_int_equal(row->deployed_at_ms, NOW_MS);
    expect_code(&w, row->js, "js of it");
    expect_code(&w, row->ts, "ts of it");
    store_scripts_free(rows, count);
    MUST(store_check(w.store, &err));
    world_end(&w);
}

TEST(a_deploy_makes_a_new_version_and_keeps_the_old_one)
{
    struct script_row *first, *second, **rows;
    struct script_put put;
    struct world w;
    size_t count;
    bool found;

    world_begin(&w);
    put = a_script(w.github, SCRIPT_ACTION, "act");
    first = deploy_one(&w, &put);
    put.spec.version = lend("2");
    put.js = "other";
    second = deploy_one(&w, &put);
    assert_int_equal(first->id, second->id);
    assert_true(second->version_id > first->version_id);
    expect_listed(&w, (struct script_filter){0}, 1, "github/action/act ");
    MUST(store_list_script_versions(w.store, first->id, &rows, &count, &err));
    assert_int_equal(count, 2);
    assert_true(rows[0]->active && !rows[1]->active);
    assert_string_equal(rows[0]->spec.version, "2");
    store_scripts_free(rows, count);

    MUST(store_activate_script_version(
        w.store, first->id, first->version_id, &found, &err));
    assert_true(found);
    MUST(store_list_script_versions(w.store, first->id, &rows, &count, &err));
    assert_true(!rows[0]->active && rows[1]->active);
    expect_code(&w, rows[1]->js, "js of it");
    store_scripts_free(rows, count);
    MUST(store_activate_script_version(
        w.store, first->id + 1, first->version_id, &found, &err));
    assert_false(found); /* of another script */
    script_row_free(first);
    script_row_free(second);
    world_end(&w);
}

TEST(old_versions_go_but_not_the_active_one)
{
    struct script_row *row, **rows;
    struct script_put put;
    struct world w;
    int64_t first;
    size_t count;
    bool found;

    world_begin(&w);
    put = a_script(w.github, SCRIPT_ACTION, "act");
    row = deploy_one(&w, &put);
    first = row->version_id;
    for (int i = 0; i < SCRIPT_VERSIONS_KEPT + 5; i++) {
        script_row_free(row);
        row = deploy_one(&w, &put);
        if (i == SCRIPT_VERSIONS_KEPT - 1) {
            MUST(store_list_script_versions(w.store, row->id, &rows, &count, &err));
            assert_int_equal(count, SCRIPT_VERSIONS_KEPT + 1);
            assert_int_equal(rows[count - 1]->version_id, first);
            store_scripts_free(rows, count);
        }
    }
    MUST(store_list_script_versions(w.store, row->id, &rows, &count, &err));
    assert_int_equal(count, SCRIPT_VERSIONS_KEPT + 1);
    assert_true(rows[0]->active);
    store_scripts_free(rows, count);
    MUST(store_activate_script_version(w.store, row->id, first, &found, &err));
    assert_false(found);
    script_row_free(row);
    world_end(&w);
}

TEST(listing_filters_and_pages)
{
    struct world w;
    struct script_put puts[5];
    struct script_deploy deploy = {.puts = puts, .put_count = 5};

    world_begin(&w);
    puts[0] = a_script(w.slack, SCRIPT_SYNC, "messages");
    puts[1] = a_script(w.github, SCRIPT_SYNC, "issues");
    puts[2] = a_script(w.github, SCRIPT_ACTION, "make-issue");
    puts[3] = a_script(w.github, SCRIPT_ON_EVENT, "setup");
    puts[4] = a_script(w.github, SCRIPT_ACTION, "issues");
    deploy.environment_id = w.env->id;
    MUST(store_deploy_scripts(w.store, &deploy, NULL, &err));
    expect_listed(&w, (struct script_filter){0}, 5,
        "github/action/issues github/action/make-issue github/on-event/setup "
        "github/sync/issues slack/sync/messages ");
    expect_listed(&w, (struct script_filter){.kind = SCRIPT_SYNC}, 2,
        "github/sync/issues slack/sync/messages ");
    expect_listed(&w, (struct script_filter){.integration_id = w.slack->id}, 1,
        "slack/sync/messages ");
    expect_listed(&w, (struct script_filter){.name = "issues"}, 2,
        "github/action/issues github/sync/issues ");
    expect_listed(&w, (struct script_filter){.search = "ISSUE"}, 3,
        "github/action/issues github/action/make-issue github/sync/issues ");
    expect_listed(&w, (struct script_filter){.search = "%"}, 0, "");
    expect_listed(&w, (struct script_filter){.limit = 2, .offset = 2}, 5,
        "github/on-event/setup github/sync/issues ");
    expect_listed(&w, (struct script_filter){.limit = 2, .offset = 100}, 5, "");
    world_end(&w);
}

TEST(a_deploy_that_fails_changes_nothing)
{
    struct err refused = {0};
    struct script_row *row, **made;
    struct script_put puts[2];
    struct script_deploy deploy = {.puts = puts, .put_count = 2};
    struct world w;
    bool found;

    world_begin(&w);
    puts[0] = a_script(w.github, SCRIPT_ACTION, "act");
    row = deploy_one(&w, &puts[0]);
    puts[0].js = "never seen";
    puts[1] = a_script(w.slack, SCRIPT_ACTION, "other");
    deploy.environment_id = w.env->id;
    deploy.removals = &row->id;
    deploy.removal_count = 1;
    MUST(store_delete_integration(w.store, w.slack->id, &found, &err));
    assert_false(store_deploy_scripts(w.store, &deploy, &made, &refused));
    expect_error(&refused, 400, "unknown_provider_config");
    assert_null(made);
    expect_listed(&w, (struct script_filter){0}, 1, "github/action/act ");
    MUST(store_check(w.store, &err));
    script_row_free(row);
    world_end(&w);
}

TEST(another_environments_scripts_are_out_of_reach)
{
    struct environment_row *other;
    struct integration_row *theirs;
    struct err refused = {0};
    struct script_row *row, **rows, **made;
    struct script_put put;
    struct script_deploy deploy = {.puts = &put, .put_count = 1};
    struct script_filter filter = {0};
    struct world w;
    size_t count;

    world_begin(&w);
    other = given_environment(&w, "prod");
    theirs = given_integration(&w, other, "github");
    put = a_script(w.github, SCRIPT_ACTION, "act");
    row = deploy_one(&w, &put);
    deploy.environment_id = other->id; /* with our integration's id */
    assert_false(store_deploy_scripts(w.store, &deploy, &made, &refused));
    expect_error(&refused, 400, "unknown_provider_config");
    deploy = (struct script_deploy){
        .environment_id = other->id, .removals = &row->id, .removal_count = 1};
    MUST(store_deploy_scripts(w.store, &deploy, NULL, &err));
    expect_listed(&w, (struct script_filter){0}, 1, "github/action/act ");
    filter.environment_id = other->id;
    MUST(store_list_scripts(w.store, &filter, &rows, &count, NULL, &err));
    assert_int_equal(count, 0);
    script_row_free(row);
    integration_row_unref(theirs);
    environment_row_unref(other);
    world_end(&w);
}

TEST(a_removed_script_is_gone_and_its_name_free)
{
    struct script_row *row, *again, **rows;
    struct script_put put;
    struct world w;
    size_t count;
    bool found;

    world_begin(&w);
    put = a_script(w.github, SCRIPT_ACTION, "act");
    row = deploy_one(&w, &put);
    remove_script(&w, row->id);
    remove_script(&w, row->id);
    expect_listed(&w, (struct script_filter){0}, 0, "");
    MUST(store_list_script_versions(w.store, row->id, &rows, &count, &err));
    assert_int_equal(count, 0);
    MUST(store_activate_script_version(w.store, row->id, row->version_id, &found, &err));
    assert_false(found);
    MUST(store_enable_script(w.store, row->id, false, &found, &err));
    assert_false(found);
    again = deploy_one(&w, &put);
    assert_true(again->id > row->id);
    script_row_free(row);
    script_row_free(again);
    world_end(&w);
}

TEST(code_is_shared_and_swept_when_nobody_uses_it)
{
    struct script_row *a, *b;
    struct script_put put;
    struct world w;

    world_begin(&w);
    put = a_script(w.github, SCRIPT_ACTION, "a");
    a = deploy_one(&w, &put);
    put = a_script(w.slack, SCRIPT_SYNC, "b");
    put.ts = NULL;
    b = deploy_one(&w, &put);
    assert_memory_equal(a->js, b->js, SHA256_LEN);
    assert_false(b->has_ts);
    remove_script(&w, a->id);
    MUST(store_sweep(w.store, NOW_MS, NOW_MS, &err));
    assert_true(has_code(&w, a->ts)); /* marked only, so far */
    MUST(store_sweep(w.store, NOW_MS, NOW_MS + 1, &err));
    assert_false(has_code(&w, a->ts));
    assert_true(has_code(&w, a->js)); /* b runs it, too */
    remove_script(&w, b->id);
    MUST(store_sweep(w.store, NOW_MS, NOW_MS + 1, &err));
    assert_false(has_code(&w, a->js));
    MUST(store_check(w.store, &err));
    script_row_free(a);
    script_row_free(b);
    world_end(&w);
}

TEST(scripts_go_with_their_integration_and_environment)
{
    struct script_row *a, *b;
    struct script_put put;
    struct world w;
    bool found;

    world_begin(&w);
    put = a_script(w.github, SCRIPT_ACTION, "a");
    a = deploy_one(&w, &put);
    put = a_script(w.slack, SCRIPT_ACTION, "b");
    put.js = "js of b";
    b = deploy_one(&w, &put);
    MUST(store_delete_integration(w.store, w.github->id, &found, &err));
    expect_listed(&w, (struct script_filter){0}, 1, "slack/action/b ");
    MUST(store_delete_environment(w.store, w.env->id, &found, &err));
    expect_listed(&w, (struct script_filter){0}, 0, "");
    MUST(store_sweep(w.store, NOW_MS, NOW_MS + 1, &err));
    assert_false(has_code(&w, a->js));
    assert_false(has_code(&w, b->js));
    MUST(store_check(w.store, &err));
    script_row_free(a);
    script_row_free(b);
    world_end(&w);
}

TEST(an_event_script_is_one_for_each_event)
{
    struct script_row *a, *b;
    struct script_put put;
    struct world w;

    world_begin(&w);
    put = a_script(w.github, SCRIPT_ON_EVENT, "setup");
    put.event = "post-connection-creation";
    a = deploy_one(&w, &put);
    put.event = "validate-connection";
    b = deploy_one(&w, &put);
    assert_true(a->id != b->id);
    assert_string_equal(a->event, "post-connection-creation");
    expect_listed(
        &w, (struct script_filter){0}, 2, "github/on-event/setup github/on-event/setup ");
    script_row_free(a);
    script_row_free(b);
    world_end(&w);
}

TEST(a_script_can_be_switched_off)
{
    struct script_row *row, **rows;
    struct script_filter filter = {0};
    struct script_put put;
    struct world w;
    size_t count;
    bool found;

    world_begin(&w);
    put = a_script(w.github, SCRIPT_ACTION, "act");
    row = deploy_one(&w, &put);
    MUST(store_enable_script(w.store, row->id, false, &found, &err));
    assert_true(found);
    script_row_free(row);
    row = deploy_one(&w, &put); /* a deploy does not switch it on */
    assert_false(row->enabled);
    MUST(store_enable_script(w.store, row->id, true, &found, &err));
    filter.environment_id = w.env->id;
    MUST(store_list_scripts(w.store, &filter, &rows, &count, NULL, &err));
    assert_true(rows[0]->enabled);
    store_scripts_free(rows, count);
    script_row_free(row);
    world_end(&w);
}

TEST(empty_and_large_code_come_back_whole)
{
    struct script_row *row;
    struct script_put put;
    struct world w;
    const size_t len = 3000000;
    char *large = mem_alloc(len + 1);

    world_begin(&w);
    for (size_t i = 0; i < len; i++)
        large[i] = (char)('a' + (i * i / 7 + i / 4096) % 26);
    large[len] = '\0';
    put = a_script(w.github, SCRIPT_ACTION, "act");
    put.js = large;
    put.ts = "";
    row = deploy_one(&w, &put);
    expect_code(&w, row->js, large);
    expect_code(&w, row->ts, "");
    script_row_free(row);
    free(large);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_script_comes_back_as_it_was_deployed),
        cmocka_unit_test(a_deploy_makes_a_new_version_and_keeps_the_old_one),
        cmocka_unit_test(old_versions_go_but_not_the_active_one),
        cmocka_unit_test(listing_filters_and_pages),
        cmocka_unit_test(a_deploy_that_fails_changes_nothing),
        cmocka_unit_test(another_environments_scripts_are_out_of_reach),
        cmocka_unit_test(a_removed_script_is_gone_and_its_name_free),
        cmocka_unit_test(code_is_shared_and_swept_when_nobody_uses_it),
        cmocka_unit_test(scripts_go_with_their_integration_and_environment),
        cmocka_unit_test(an_event_script_is_one_for_each_event),
        cmocka_unit_test(a_script_can_be_switched_off),
        cmocka_unit_test(empty_and_large_code_come_back_whole),
    };

    return RUN_FOR_EACH_STORE(tests);
}
