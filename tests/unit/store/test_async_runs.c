/* SPDX-License-Identifier: Apache-2.0 */
/* Scripts that nobody waits for: the lanes, retries, what an end of the server leaves, and
 * the orders that a created connection brings. */
#include "world.h"

static struct world w;
static struct connection_row *one;
static struct script_row *action;

static void begin(void)
{
    struct script_put put;

    world_begin(&w);
    one = given_connection(&w, w.github, "u-1");
    put = a_script(w.github, SCRIPT_ACTION, "act");
    action = deploy_one(&w, &put);
}

static void end(void)
{
    script_row_free(action);
    connection_row_unref(one);
    world_end(&w);
}

static void order(const char *uuid, const struct connection_row *for_, int64_t due_at_ms)
{
    struct async_run_row row = {
        .environment_id = for_->environment_id,
        .connection_id = for_->id,
        .script_id = action->id,
        .input = text_blob("in"),
        .max_retries = 2,
        .due_at_ms = due_at_ms,
        .created_at_ms = NOW_MS,
    };

    str_copy(row.uuid, sizeof row.uuid, uuid);
    MUST(store_put_async_run(w.store, &row, &err));
}

/* NULL: none is due; then *next_ms says when one will be. */
static struct async_run_row *take(int64_t now_ms, int64_t *next_ms)
{
    struct async_run_row *row;

    MUST(store_take_async_run(w.store, now_ms, &row, next_ms, &err));
    return row;
}

/* Takes, and says which, or when. */
static int64_t expect_taken(int64_t now_ms, const char *uuid)
{
    int64_t next_ms, id;
    struct async_run_row *row = take(now_ms, &next_ms);

    assert_non_null(row);
    assert_string_equal(row->uuid, uuid);
    id = row->id;
    async_run_row_free(row);
    return id;
}

static void expect_none(int64_t now_ms, int64_t wanted_next_ms)
{
    int64_t next_ms;

    assert_null(take(now_ms, &next_ms));
    assert_int_equal(next_ms, wanted_next_ms);
}

static void finish(int64_t id, const char *outcome)
{
    struct blob blob = text_blob(outcome);

    MUST(store_end_async_run(w.store, id, &blob, 0, NULL, &err));
}

TEST(an_action_comes_back_as_it_was_ordered)
{
    struct async_run_row *row;

    begin();
    order("a", one, 5);
    world_reopen(&w);
    MUST(store_find_async_run(w.store, w.env->id, "a", &row, &err));
    assert_int_equal(row->environment_id, w.env->id);
    assert_int_equal(row->connection_id, one->id);
    assert_int_equal(row->script_id, action->id);
    expect_blob(row->input, "in");
    assert_int_equal(row->attempts, 0);
    assert_int_equal(row->max_retries, 2);
    assert_int_equal(row->due_at_ms, 5);
    assert_null(row->outcome.data);
    assert_int_equal(row->created_at_ms, NOW_MS);
    assert_int_equal(row->finished_at_ms, 0);
    async_run_row_free(row);
    MUST(store_find_async_run(w.store, w.env->id + 1, "a", &row, &err));
    assert_null(row); /* another environment's */
    MUST(store_find_async_run(w.store, w.env->id, "b", &row, &err));
    assert_null(row);
    end();
}

TEST(an_environments_actions_run_one_at_a_time_longest_due_first)
{
    int64_t id;

    begin();
    order("late", one, 30);
    order("first", one, 10);
    order("second", one, 10);
    expect_none(9, 10);
    id = expect_taken(20, "first");
    expect_none(100, 0); /* the others wait for it, not for a time */
    finish(id, "out");
    id = expect_taken(20, "second");
    finish(id, "out");
    expect_none(20, 30);
    (void)expect_taken(30, "late");
    end();
}

TEST(environments_do_not_wait_for_each_other)
{
    struct environment_row *prod;
    struct integration_row *there;
    struct connection_row *two;

    begin();
    prod = given_environment(&w, "other");
    there = given_integration(&w, prod, "github");
    two = given_connection(&w, there, "u-1");
    order("a", one, 1);
    order("b", one, 2);
    order("c", two, 3);
    (void)expect_taken(10, "a");
    (void)expect_taken(10, "c");
    expect_none(10, 0);
    connection_row_unref(two);
    integration_row_unref(there);
    environment_row_unref(prod);
    end();
}

TEST(one_that_failed_waits_for_its_time_and_others_go_before_it)
{
    struct async_run_row *row;
    int64_t id, next_ms;

    begin();
    order("a", one, 1);
    order("b", one, 2);
    id = expect_taken(10, "a");
    MUST(store_end_async_run(w.store, id, NULL, 50, NULL, &err));
    id = expect_taken(10, "b");
    finish(id, "out");
    expect_none(49, 50);
    row = take(50, &next_ms);
    assert_int_equal(row->attempts, 2);
    expect_blob(row->input, "in");
    async_run_row_free(row);
    end();
}

TEST(what_is_over_keeps_its_outcome_and_not_its_input_until_it_is_swept)
{
    struct async_run_row *row;
    int64_t id;

    begin();
    order("a", one, 1);
    order("b", one, 2);
    id = expect_taken(10, "a");
    w.clock.frozen_ms += 7;
    finish(id, "out");
    MUST(store_find_async_run(w.store, w.env->id, "a", &row, &err));
    expect_blob(row->outcome, "out");
    assert_null(row->input.data);
    assert_int_equal(row->finished_at_ms, NOW_MS + 7);
    async_run_row_free(row);

    MUST(store_sweep_async_runs(w.store, NOW_MS + 7, &err));
    MUST(store_find_async_run(w.store, w.env->id, "a", &row, &err));
    assert_non_null(row);
    async_run_row_free(row);
    MUST(store_sweep_async_runs(w.store, NOW_MS + 8, &err));
    MUST(store_find_async_run(w.store, w.env->id, "a", &row, &err));
    assert_null(row);
    (void)expect_taken(10, "b"); /* what waits is not swept */
    end();
}

TEST(what_ran_when_the_server_ended_waits_again)
{
    struct async_run_row *row;
    int64_t next_ms;

    begin();
    order("a", one, 1);
    order("b", one, 2);
    (void)expect_taken(10, "a");
    world_reopen(&w);
    expect_none(10, 0);
    MUST(store_resume_async_runs(w.store, &err));
    row = take(10, &next_ms);
    assert_string_equal(row->uuid, "a");
    assert_int_equal(row->attempts, 2);
    async_run_row_free(row);
    end();
}

TEST(what_belongs_to_a_connection_goes_with_its_row)
{
    struct async_run_row *row;
    bool found;

    begin();
    order("a", one, 1);
    MUST(store_delete_connection(w.store, one->id, &found, &err));
    MUST(store_find_async_run(w.store, w.env->id, "a", &row, &err));
    assert_non_null(row); /* whoever takes it finds the connection gone */
    async_run_row_free(row);
    MUST(store_sweep(w.store, NOW_MS, NOW_MS + 1, &err));
    MUST(store_find_async_run(w.store, w.env->id, "a", &row, &err));
    assert_null(row);
    end();
}

/* ---- scripts of events ---- */

static struct connection_row *created(const char *id, const struct put_terms *terms)
{
    struct connection_row wanted = a_connection(w.github, id), *row;
    bool is_new;

    MUST(store_put_connection(w.store, &wanted, terms, &is_new, &row, &err));
    return row;
}

static const struct put_terms with_event = {.event = EVENT_CREATED};

/* Which script of which connection is taken. */
static int64_t expect_event(
    const struct connection_row *connection, const struct script_row *script)
{
    int64_t next_ms, id;
    struct async_run_row *row = take(NOW_MS, &next_ms);

    assert_non_null(row);
    assert_string_equal(row->uuid, "");
    assert_int_equal(row->connection_id, connection->id);
    assert_int_equal(row->script_id, script->id);
    assert_int_equal(row->environment_id, w.env->id);
    assert_int_equal(row->max_retries, 0);
    assert_null(row->input.data);
    id = row->id;
    async_run_row_free(row);
    return id;
}

TEST(a_creation_orders_the_enabled_scripts_of_its_event)
{
    struct script_row *b, *a, *off, *other_event, *elsewhere, *gone;
    struct script_deploy removal = {.removal_count = 1};
    struct connection_row *row;
    int64_t id;
    bool found;

    begin();
    b = given_event_script(&w, w.github, "b", EVENT_CREATED);
    a = given_event_script(&w, w.github, "a", EVENT_CREATED);
    off = given_event_script(&w, w.github, "off", EVENT_CREATED);
    gone = given_event_script(&w, w.github, "gone", EVENT_CREATED);
    other_event = given_event_script(&w, w.github, "a", EVENT_DELETING);
    elsewhere = given_event_script(&w, w.slack, "a", EVENT_CREATED);
    MUST(store_enable_script(w.store, off->id, false, &found, &err));
    removal.environment_id = w.env->id;
    removal.removals = &gone->id;
    MUST(store_deploy_scripts(w.store, &removal, NULL, &err));

    row = created("u-2", &with_event);
    id = expect_event(row, a);
    expect_none(NOW_MS, 0); /* one of a connection's at a time */
    MUST(store_drop_async_run(w.store, id, NULL, &err));
    id = expect_event(row, b);
    MUST(store_drop_async_run(w.store, id, NULL, &err));
    expect_none(NOW_MS, 0);
    connection_row_unref(row);
    row = created("u-2", &with_event); /* over it: again */
    id = expect_event(row, a);
    MUST(store_drop_async_run(w.store, id, NULL, &err));
    (void)expect_event(row, b);
    connection_row_unref(row);
    script_row_free(a);
    script_row_free(b);
    script_row_free(off);
    script_row_free(gone);
    script_row_free(other_event);
    script_row_free(elsewhere);
    end();
}

TEST(connections_do_not_wait_for_each_others_scripts_nor_for_actions)
{
    struct script_row *script;
    struct connection_row *two, *three;

    begin();
    script = given_event_script(&w, w.github, "s", EVENT_CREATED);
    order("a", one, 1);
    (void)expect_taken(10, "a");
    two = created("u-2", &with_event);
    three = created("u-3", &with_event);
    (void)expect_event(two, script);
    (void)expect_event(three, script);
    expect_none(NOW_MS, 0);
    connection_row_unref(two);
    connection_row_unref(three);
    script_row_free(script);
    end();
}

TEST(nothing_is_ordered_unasked_nor_for_what_is_held_back_nor_by_a_put_that_fails)
{
    struct put_terms hold = {.event = EVENT_CREATED, .hold = true};
    struct put_terms accept = {.event = EVENT_CREATED};
    struct put_terms refused = {.event = EVENT_CREATED, .row_id = 99};
    struct connection_row wanted, *row, *held;
    struct script_row *script;
    struct err why = {0};
    bool is_new;

    begin();
    script = given_event_script(&w, w.github, "s", EVENT_CREATED);
    connection_row_unref(created("u-2", NULL));
    held = created("u-3", &hold);
    wanted = a_connection(w.github, "u-4");
    assert_false(store_put_connection(w.store, &wanted, &refused, &is_new, &row, &why));
    expect_none(NOW_MS, 0);
    accept.held = held;
    row = created("u-3", &accept);
    (void)expect_event(row, script);
    connection_row_unref(row);
    connection_row_unref(held);
    script_row_free(script);
    end();
}

TEST(it_is_known_whether_an_event_has_scripts)
{
    struct script_row *script;
    bool has, found;

    begin();
    script = given_event_script(&w, w.github, "s", EVENT_VALIDATING);
    MUST(store_has_event_script(
        w.store, w.env->id, w.github->id, EVENT_VALIDATING, &has, &err));
    assert_true(has);
    MUST(store_has_event_script(w.store, w.env->id, 0, EVENT_VALIDATING, &has, &err));
    assert_true(has);
    MUST(store_has_event_script(
        w.store, w.env->id, w.slack->id, EVENT_VALIDATING, &has, &err));
    assert_false(has);
    MUST(store_has_event_script(w.store, w.env->id, 0, EVENT_CREATED, &has, &err));
    assert_false(has);
    MUST(store_enable_script(w.store, script->id, false, &found, &err));
    MUST(store_has_event_script(w.store, w.env->id, 0, EVENT_VALIDATING, &has, &err));
    assert_false(has);
    script_row_free(script);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_action_comes_back_as_it_was_ordered),
        cmocka_unit_test(an_environments_actions_run_one_at_a_time_longest_due_first),
        cmocka_unit_test(environments_do_not_wait_for_each_other),
        cmocka_unit_test(one_that_failed_waits_for_its_time_and_others_go_before_it),
        cmocka_unit_test(
            what_is_over_keeps_its_outcome_and_not_its_input_until_it_is_swept),
        cmocka_unit_test(what_ran_when_the_server_ended_waits_again),
        cmocka_unit_test(what_belongs_to_a_connection_goes_with_its_row),
        cmocka_unit_test(a_creation_orders_the_enabled_scripts_of_its_event),
        cmocka_unit_test(connections_do_not_wait_for_each_others_scripts_nor_for_actions),
        cmocka_unit_test(
            nothing_is_ordered_unasked_nor_for_what_is_held_back_nor_by_a_put_that_fails),
        cmocka_unit_test(it_is_known_whether_an_event_has_scripts),
    };

    return RUN_FOR_EACH_STORE(tests);
}
