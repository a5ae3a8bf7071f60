/* SPDX-License-Identifier: Apache-2.0 */
/* Schedules: where they come from and go to, when they are due, and that a sync never has
 * two runs. */
#include <stdio.h>

#include "store/syncs.h"
#include "world.h"

#define HOUR_MS INT64_C(3600000)
#define LEASE_MS INT64_C(30000)

static struct world w;
static struct connection_row *one;
static struct script_row *script;

static struct script_put a_sync(const char *name)
{
    return a_script(w.github, SCRIPT_SYNC, name);
}

static void deploy(const struct script_put *put)
{
    script_row_free(script);
    script = deploy_one(&w, put);
}

/* A connection, a sync script, and so a sync. */
static void begin(void)
{
    struct script_put put;

    world_begin(&w);
    one = given_connection(&w, w.github, "u-1");
    script = NULL;
    put = a_sync("issues");
    deploy(&put);
}

static void end(void)
{
    script_row_free(script);
    connection_row_unref(one);
    world_end(&w);
}

static size_t list(struct sync_row ***rows)
{
    const struct sync_filter all = {.environment_id = w.env->id};
    size_t count;

    MUST(store_list_syncs(w.store, &all, rows, &count, &err));
    return count;
}

/* The only one; for sync_row_free(). */
static struct sync_row *only(void)
{
    struct sync_row **rows, *row;

    assert_int_equal(list(&rows), 1);
    row = rows[0];
    free(rows);
    return row;
}

static void expect_count(size_t wanted)
{
    struct sync_row **rows;
    size_t count = list(&rows);

    assert_int_equal(count, wanted);
    store_syncs_free(rows, count);
}

static int64_t only_id(void)
{
    struct sync_row *row = only();
    int64_t id = row->id;

    sync_row_free(row);
    return id;
}

static size_t claim_by(
    const char *holder, int64_t now_ms, size_t max, struct sync_run **runs, int64_t *next)
{
    const struct sync_claim claim = {
        .holder = holder,
        .now_ms = now_ms,
        .lease_until_ms = now_ms + LEASE_MS,
        .max = max,
    };
    size_t count;

    MUST(store_claim_sync_runs(w.store, &claim, runs, &count, next, &err));
    return count;
}

/* The only run that is due, for store_sync_runs_free(.., 1). */
static struct sync_run *claim_one(int64_t now_ms)
{
    struct sync_run *runs;
    int64_t next;

    assert_int_equal(claim_by("a", now_ms, 10, &runs, &next), 1);
    return runs;
}

static int64_t claim_id(int64_t now_ms)
{
    struct sync_run *run = claim_one(now_ms);
    int64_t id = run->id;

    store_sync_runs_free(run, 1);
    return id;
}

/* The only one that goes on; 0 = there is none. */
static void expect_renewed(int64_t until_ms, int64_t wanted)
{
    int64_t *kept;
    size_t count;

    MUST(store_renew_sync_runs(w.store, "a", until_ms, &kept, &count, &err));
    assert_int_equal(count, wanted != 0);
    if (count > 0)
        assert_int_equal(kept[0], wanted);
    free(kept);
}

static void expect_none(int64_t now_ms, int64_t wanted_next)
{
    struct sync_run *runs;
    int64_t next;

    assert_int_equal(claim_by("a", now_ms, 10, &runs, &next), 0);
    assert_int_equal(next, wanted_next);
}

static bool end_run(int64_t id, const char *holder, bool succeeded, int64_t now_ms)
{
    const struct sync_end how = {
        .run_id = id,
        .holder = holder,
        .succeeded = succeeded,
        .now_ms = now_ms,
        .result_json = "{\"Item\":{\"added\":1,\"updated\":0,\"deleted\":0}}",
    };
    bool kept;

    MUST(store_end_sync_run(w.store, &how, &kept, &err));
    return kept;
}

static void trigger(enum sync_trigger how, int64_t now_ms)
{
    int64_t id = only_id();

    MUST(store_trigger_syncs(w.store, &id, 1, how, now_ms, &err));
}

static void pause(bool paused, int64_t now_ms)
{
    int64_t id = only_id();

    MUST(store_pause_syncs(w.store, &id, 1, paused, now_ms, &err));
}

static void delete_connection(void)
{
    bool found;

    MUST(store_delete_connection(w.store, one->id, &found, &err));
    assert_true(found);
}

/* ---- where they come from ---- */

TEST(a_deploy_makes_a_sync_for_each_connection_and_a_connection_one_for_each_script)
{
    struct connection_row *two, *other;
    struct script_put put;
    struct sync_row *row;

    begin();
    row = only();
    assert_int_equal(row->environment_id, w.env->id);
    assert_int_equal(row->integration_id, w.github->id);
    assert_int_equal(row->connection_row, one->id);
    assert_string_equal(row->connection_id, "u-1");
    assert_string_equal(row->provider_config_key, "github");
    assert_int_equal(row->script_id, script->id);
    assert_string_equal(row->name, "issues");
    assert_string_equal(row->variant, "base");
    assert_string_equal(row->models_json, "[\"Item\"]");
    assert_string_equal(row->frequency, "every hour");
    assert_int_equal(row->interval_ms, HOUR_MS);
    assert_false(row->paused);
    assert_int_equal(row->due_at_ms, NOW_MS);
    assert_int_equal(row->created_at_ms, NOW_MS);
    assert_true(row->initial);
    assert_false(row->running);
    assert_int_equal(row->finished_at_ms, 0);
    assert_null(row->result_json);
    sync_row_free(row);

    two = given_connection(&w, w.github, "u-2");
    other = given_connection(&w, w.slack, "u-1");
    expect_count(2);
    put = a_sync("users");
    deploy(&put);
    expect_count(4);
    put = a_script(w.github, SCRIPT_ACTION, "act");
    deploy(&put);
    expect_count(4);
    world_reopen(&w);
    expect_count(4);
    connection_row_unref(two);
    connection_row_unref(other);
    end();
}

TEST(a_sync_that_does_not_start_by_itself_waits_paused)
{
    struct connection_row *two;
    struct script_put put;
    struct sync_row *row;

    begin();
    trigger(TRIGGER_NEXT, NOW_MS);
    put = a_sync("issues");
    put.spec.auto_start = false;
    deploy(&put); /* what runs is not stopped by that */
    row = only();
    assert_false(row->paused);
    sync_row_free(row);
    delete_connection();
    two = given_connection(&w, w.github, "u-2");
    row = only();
    assert_true(row->paused);
    assert_int_equal(row->due_at_ms, 0);
    sync_row_free(row);
    expect_none(NOW_MS + 100 * HOUR_MS, 0);
    connection_row_unref(two);
    end();
}

TEST(they_go_with_their_script_or_connection_and_what_runs_of_them_too)
{
    struct script_deploy removal = {.environment_id = 0};
    struct script_row **made;
    int64_t run;

    begin();
    run = claim_id(NOW_MS);
    delete_connection();
    expect_count(0);
    assert_false(end_run(run, "a", true, NOW_MS));
    expect_none(NOW_MS + HOUR_MS, 0);
    connection_row_unref(one);
    one = given_connection(&w, w.github, "u-1");
    expect_count(1);
    removal.environment_id = w.env->id;
    removal.removals = &script->id;
    removal.removal_count = 1;
    MUST(store_deploy_scripts(w.store, &removal, &made, &err));
    store_scripts_free(made, 0);
    expect_count(0);
    end();
}

/* ---- when they are due ---- */

TEST(a_new_sync_runs_at_once_then_in_the_rhythm_of_its_creation)
{
    struct sync_run *run;
    struct sync_row *row;

    begin();
    run = claim_one(NOW_MS + 500); /* later than it was due */
    assert_int_equal(run->number, 1);
    assert_int_equal(run->attempts, 1);
    assert_true(run->initial);
    assert_int_equal(run->started_at_ms, NOW_MS + 500);
    assert_true(run->sync->running);
    assert_true(end_run(run->id, "a", true, NOW_MS + 700));
    store_sync_runs_free(run, 1);
    row = only();
    assert_false(row->running);
    assert_true(row->succeeded);
    assert_int_equal(row->started_at_ms, NOW_MS + 500);
    assert_int_equal(row->finished_at_ms, NOW_MS + 700);
    assert_int_equal(row->last_sync_ms, NOW_MS + 500);
    assert_int_equal(row->due_at_ms, NOW_MS + HOUR_MS);
    assert_non_null(row->result_json);
    sync_row_free(row);
    expect_none(NOW_MS + HOUR_MS - 1, NOW_MS + HOUR_MS);
    run = claim_one(NOW_MS + HOUR_MS);
    assert_int_equal(run->number, 2);
    assert_false(run->initial);
    store_sync_runs_free(run, 1);
    end();
}

TEST(a_run_that_takes_longer_than_its_rhythm_is_followed_by_one_not_by_many)
{
    int64_t run;

    begin();
    run = claim_id(NOW_MS);
    for (int i = 1; i < 10; i++) {
        expect_renewed(NOW_MS + (i + 1) * HOUR_MS, run);
        expect_none(NOW_MS + i * HOUR_MS, NOW_MS + (i + 1) * HOUR_MS);
    }
    assert_true(end_run(run, "a", true, NOW_MS + 10 * HOUR_MS));
    run = claim_id(NOW_MS + 10 * HOUR_MS + 5);
    assert_true(end_run(run, "a", true, NOW_MS + 10 * HOUR_MS + 6));
    expect_none(NOW_MS + 10 * HOUR_MS + 7, NOW_MS + 11 * HOUR_MS);
    end();
}

TEST(a_paused_sync_is_not_due_and_runs_when_it_is_triggered)
{
    int64_t run;

    begin();
    pause(true, NOW_MS);
    expect_none(NOW_MS + 5 * HOUR_MS, 0);
    trigger(TRIGGER_NEXT, NOW_MS + 5 * HOUR_MS);
    run = claim_id(NOW_MS + 5 * HOUR_MS);
    assert_true(end_run(run, "a", true, NOW_MS + 5 * HOUR_MS));
    expect_none(NOW_MS + 9 * HOUR_MS, 0);
    pause(false, NOW_MS + 9 * HOUR_MS + 1);
    expect_none(NOW_MS + 9 * HOUR_MS + 1, NOW_MS + 10 * HOUR_MS);
    end();
}

TEST(a_frequency_of_its_own_outlives_deploys_until_it_is_taken_back)
{
    struct script_put put;
    int64_t id, run;
    char *shown;

    begin();
    run = claim_id(NOW_MS);
    assert_true(end_run(run, "a", true, NOW_MS));
    id = only_id();
    MUST(
        store_set_sync_frequency(w.store, id, "every 2 hours", NOW_MS + 5, &shown, &err));
    assert_string_equal(shown, "every 2 hours");
    free(shown);
    expect_none(NOW_MS + 6, NOW_MS + 2 * HOUR_MS);
    put = a_sync("issues");
    put.spec.runs = lend("every 3 hours");
    deploy(&put);
    expect_none(NOW_MS + 6, NOW_MS + 2 * HOUR_MS);
    MUST(store_set_sync_frequency(w.store, id, NULL, NOW_MS + 7, &shown, &err));
    assert_string_equal(shown, "every 3 hours");
    free(shown);
    expect_none(NOW_MS + 8, NOW_MS + 3 * HOUR_MS);
    put.spec.runs = lend("every 4 hours");
    deploy(&put);
    expect_none(NOW_MS + 8, NOW_MS + 4 * HOUR_MS);
    assert_false(store_set_sync_frequency(
        w.store, id + 1, NULL, NOW_MS, &shown, &(struct err){0}));
    end();
}

TEST(a_disabled_script_is_left_out_until_the_next_time)
{
    bool found;

    begin();
    MUST(store_enable_script(w.store, script->id, false, &found, &err));
    expect_none(NOW_MS, NOW_MS + HOUR_MS);
    MUST(store_enable_script(w.store, script->id, true, &found, &err));
    (void)claim_id(NOW_MS + HOUR_MS);
    end();
}

/* ---- triggers ---- */

TEST(a_trigger_is_for_what_waits_and_what_runs_is_followed_by_another)
{
    struct sync_run *run;
    int64_t id;

    begin();
    trigger(TRIGGER_NEXT, NOW_MS);
    trigger(TRIGGER_NEXT, NOW_MS);
    id = claim_id(NOW_MS);
    trigger(TRIGGER_NEXT, NOW_MS + 1);
    expect_renewed(NOW_MS + LEASE_MS, id); /* it may end as it likes */
    assert_true(end_run(id, "a", true, NOW_MS + 2));
    run = claim_one(NOW_MS + 2);
    assert_int_equal(run->number, 2);
    assert_false(run->reset || run->clear || run->initial);
    trigger(TRIGGER_CLEAR, NOW_MS + 3);
    expect_renewed(NOW_MS + LEASE_MS, 0);
    assert_true(end_run(run->id, "a", false, NOW_MS + 4));
    store_sync_runs_free(run, 1);
    run = claim_one(NOW_MS + 4);
    assert_int_equal(run->number, 3);
    assert_true(run->reset && run->clear && run->initial);
    assert_int_equal(run->sync->last_sync_ms, 0);
    store_sync_runs_free(run, 1);
    end();
}

TEST(a_reset_forgets_the_last_syncs_date_once)
{
    struct sync_run *run;
    struct sync_row *row;
    int64_t id;

    begin();
    id = claim_id(NOW_MS);
    assert_true(end_run(id, "a", true, NOW_MS));
    trigger(TRIGGER_RESET, NOW_MS + 1);
    run = claim_one(NOW_MS + 1);
    assert_true(run->reset && !run->clear && run->initial);
    assert_true(end_run(run->id, "a", false, NOW_MS + 2));
    store_sync_runs_free(run, 1);
    row = only();
    assert_int_equal(row->last_sync_ms, 0);
    assert_false(row->succeeded);
    sync_row_free(row);
    end();
}

/* ---- leases ---- */

TEST(a_run_whose_lease_ends_is_anybodys_and_no_longer_its_holders)
{
    struct sync_run *runs;
    int64_t id, next;

    begin();
    id = claim_id(NOW_MS);
    assert_int_equal(claim_by("b", NOW_MS + LEASE_MS, 10, &runs, &next), 0);
    assert_int_equal(next, NOW_MS + LEASE_MS);
    assert_int_equal(claim_by("b", NOW_MS + LEASE_MS + 1, 10, &runs, &next), 1);
    assert_int_equal(runs[0].id, id);
    assert_int_equal(runs[0].attempts, 2);
    assert_int_equal(runs[0].number, 1);
    assert_int_equal(runs[0].started_at_ms, NOW_MS);
    store_sync_runs_free(runs, 1);
    assert_false(end_run(id, "a", true, NOW_MS + LEASE_MS + 2));
    assert_true(end_run(id, "b", true, NOW_MS + LEASE_MS + 2));
    end();
}

TEST(a_server_that_begins_alone_takes_over_at_once)
{
    struct sync_run *runs;
    int64_t id, next;

    begin();
    id = claim_id(NOW_MS);
    world_reopen(&w);
    MUST(store_free_sync_runs(w.store, &err));
    assert_int_equal(claim_by("b", NOW_MS + 1, 10, &runs, &next), 1);
    assert_int_equal(runs[0].id, id);
    store_sync_runs_free(runs, 1);
    end();
}

TEST(a_run_that_is_to_be_tried_again_waits_for_its_time)
{
    struct sync_run *run;
    struct sync_end how;
    bool kept;
    int64_t id;

    begin();
    id = claim_id(NOW_MS);
    how = (struct sync_end){
        .run_id = id, .holder = "a", .now_ms = NOW_MS, .retry_at_ms = NOW_MS + 1000};
    MUST(store_end_sync_run(w.store, &how, &kept, &err));
    assert_true(kept);
    expect_none(NOW_MS + 999, NOW_MS + 1000);
    run = claim_one(NOW_MS + 1000);
    assert_int_equal(run->id, id);
    assert_int_equal(run->attempts, 2);
    store_sync_runs_free(run, 1);
    trigger(TRIGGER_RESET, NOW_MS + 1001); /* comes before another try */
    how.retry_at_ms = NOW_MS + 5000;
    MUST(store_end_sync_run(w.store, &how, &kept, &err));
    run = claim_one(NOW_MS + 1002);
    assert_int_equal(run->attempts, 1);
    assert_true(run->reset);
    store_sync_runs_free(run, 1);
    end();
}

TEST(no_more_are_claimed_than_there_is_room_for_longest_due_first)
{
    struct connection_row *two, *three;
    struct sync_run *runs;
    int64_t next;

    begin();
    w.clock.frozen_ms = NOW_MS + 10;
    two = given_connection(&w, w.github, "u-2");
    w.clock.frozen_ms = NOW_MS + 20;
    three = given_connection(&w, w.github, "u-3");
    assert_int_equal(claim_by("a", NOW_MS + 100, 2, &runs, &next), 2);
    assert_string_equal(runs[0].sync->connection_id, "u-1");
    assert_string_equal(runs[1].sync->connection_id, "u-2");
    assert_int_equal(next, NOW_MS + 20);
    store_sync_runs_free(runs, 2);
    assert_int_equal(claim_by("b", NOW_MS + 100, 2, &runs, &next), 1);
    assert_string_equal(runs[0].sync->connection_id, "u-3");
    store_sync_runs_free(runs, 1);
    connection_row_unref(two);
    connection_row_unref(three);
    end();
}

/* ---- variants ---- */

static bool make_variant(const char *name, const char *variant, struct err *err)
{
    const struct sync_variant made = {
        .environment_id = w.env->id,
        .connection_row = one->id,
        .name = name,
        .variant = variant,
    };
    char uuid[UUID_TEXT_SIZE];

    return store_create_sync_variant(w.store, &made, NOW_MS, uuid, err);
}

TEST(variants_are_syncs_of_their_own)
{
    struct sync_row **rows;
    struct err why = {0};
    size_t count;
    bool found;

    begin();
    assert_true(make_variant("issues", "eu", &why));
    assert_false(make_variant("issues", "eu", &why));
    expect_error(&why, 409, "sync_variant_already_exists");
    assert_false(make_variant("nope", "eu", &why));
    expect_error(&why, 404, "unknown_sync");
    count = list(&rows);
    assert_int_equal(count, 2);
    assert_string_equal(rows[0]->variant, "base");
    assert_string_equal(rows[1]->variant, "eu");
    MUST(store_delete_sync(w.store, rows[1]->id, &found, &err));
    assert_true(found);
    MUST(store_delete_sync(w.store, rows[1]->id, &found, &err));
    assert_false(found);
    store_syncs_free(rows, count);
    expect_count(1);
    end();
}

TEST(a_sync_has_so_many_variants_and_no_more)
{
    struct err err = {0};
    char name[16];

    begin();
    for (int i = 0; i < SYNC_MAX_VARIANTS; i++) {
        (void)snprintf(name, sizeof name, "v%d", i);
        assert_true(make_variant("issues", name, &err));
    }
    assert_false(make_variant("issues", "more", &err));
    expect_error(&err, 400, "resource_capped");
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_deploy_makes_a_sync_for_each_connection_and_a_connection_one_for_each_script),
        cmocka_unit_test(a_sync_that_does_not_start_by_itself_waits_paused),
        cmocka_unit_test(
            they_go_with_their_script_or_connection_and_what_runs_of_them_too),
        cmocka_unit_test(a_new_sync_runs_at_once_then_in_the_rhythm_of_its_creation),
        cmocka_unit_test(
            a_run_that_takes_longer_than_its_rhythm_is_followed_by_one_not_by_many),
        cmocka_unit_test(a_paused_sync_is_not_due_and_runs_when_it_is_triggered),
        cmocka_unit_test(a_frequency_of_its_own_outlives_deploys_until_it_is_taken_back),
        cmocka_unit_test(a_disabled_script_is_left_out_until_the_next_time),
        cmocka_unit_test(
            a_trigger_is_for_what_waits_and_what_runs_is_followed_by_another),
        cmocka_unit_test(a_reset_forgets_the_last_syncs_date_once),
        cmocka_unit_test(a_run_whose_lease_ends_is_anybodys_and_no_longer_its_holders),
        cmocka_unit_test(a_server_that_begins_alone_takes_over_at_once),
        cmocka_unit_test(a_run_that_is_to_be_tried_again_waits_for_its_time),
        cmocka_unit_test(no_more_are_claimed_than_there_is_room_for_longest_due_first),
        cmocka_unit_test(variants_are_syncs_of_their_own),
        cmocka_unit_test(a_sync_has_so_many_variants_and_no_more),
    };

    return RUN_FOR_EACH_STORE(tests);
}
