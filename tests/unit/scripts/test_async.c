/* SPDX-License-Identifier: Apache-2.0 */
/* Scripts that nobody waits for, on a real store and vault. What runs them is the test
 * itself, in the place of scripts/action.c: it sees what was begun, and says what came of
 * it. */
#include <pthread.h>
#include <time.h>

#include "base/mem.h"
#include "scripts/async.h"
#include "store/world.h"
#include "vault/vault.h"

enum {
    MAX_BEGUN = 16,
    WAIT_S = 20,
    RETRY_MS = 1000,
};

struct begun {
    int64_t script_id, connection_id, start_ms;
    bool background;
    char *input;
    void (*done)(void *arg, const struct script_outcome *outcome);
    void *arg;
};

/* The stand-in, which this file knows whole. */
struct actions {
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct begun all[MAX_BEGUN];
    size_t count;
};

static struct actions actions = {
    PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, {{0}}, 0};

void actions_run(struct actions *to, const struct action_order *order)
{
    pthread_mutex_lock(&to->lock);
    if (to->count == MAX_BEGUN)
        abort(); /* cmocka's own way out is for the test's thread only */
    to->all[to->count++] = (struct begun){
        .script_id = order->script->id,
        .connection_id = order->connection->id,
        .start_ms = order->start_ms,
        .background = order->background,
        .input = str_dup(order->input),
        .done = order->done,
        .arg = order->arg,
    };
    pthread_cond_signal(&to->more);
    pthread_mutex_unlock(&to->lock);
}

/* ---- the stage ---- */

static struct world w;
static struct vault *vault;
static struct async_runs *async;
static struct connection_row *one;
static struct script_row *action;

static void open_vault(void)
{
    static const uint8_t kek[VAULT_KEY_LEN] = {7};
    struct vault_ring_entry entry = {.number = 1};
    struct buf wrapped;

    buf_init(&wrapped, 0);
    MUST(vault_new_key(kek, 1, &wrapped, &err));
    entry.wrapped = wrapped.data;
    entry.wrapped_len = wrapped.len;
    MUST(vault_open(kek, &entry, 1, &vault, &err));
    buf_finish(&wrapped);
}

static void start(void)
{
    struct async_config config = {
        .actions = &actions,
        .store = w.store,
        .vault = vault,
        .clock = &w.clock,
        .retry_ms = RETRY_MS,
    };

    MUST(async_runs_start(&config, &async, &err));
}

static void begin(void)
{
    struct script_put put;

    world_begin(&w);
    open_vault();
    one = given_connection(&w, w.github, "u-1");
    put = a_script(w.github, SCRIPT_ACTION, "act");
    action = deploy_one(&w, &put);
    start();
}

static void end(void)
{
    async_runs_free(async);
    for (size_t i = 0; i < actions.count; i++)
        free(actions.all[i].input);
    actions.count = 0;
    script_row_free(action);
    connection_row_unref(one);
    vault_free(vault);
    world_end(&w);
}

static void stop(void)
{
    async_runs_free(async);
    async = NULL;
}

/* The thread reads the clock: it is moved while there is none. */
static void start_again(int64_t later_ms)
{
    stop();
    w.clock.frozen_ms += later_ms;
    start();
}

static struct begun *wait_for(size_t number)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_S;
    pthread_mutex_lock(&actions.lock);
    while (actions.count < number)
        if (pthread_cond_timedwait(&actions.more, &actions.lock, &until) != 0)
            fail_msg("number %zu has not begun", number);
    pthread_mutex_unlock(&actions.lock);
    return &actions.all[number - 1];
}

static size_t begun_so_far(void)
{
    size_t count;

    pthread_mutex_lock(&actions.lock);
    count = actions.count;
    pthread_mutex_unlock(&actions.lock);
    return count;
}

static void succeeds(const struct begun *begun, const char *output)
{
    struct script_outcome outcome = {.ok = true, .output = str_dup(output)};

    begun->done(begun->arg, &outcome);
    script_outcome_finish(&outcome);
}

static void fails(const struct begun *begun, const char *type)
{
    struct script_outcome outcome = {.type = str_dup(type),
        .message = str_dup("why"),
        .payload = str_dup("{\"a\":1}")};

    begun->done(begun->arg, &outcome);
    script_outcome_finish(&outcome);
}

static void order(const char *input, int retries, char uuid[UUID_TEXT_SIZE])
{
    const struct async_order wanted = {
        .script = action, .connection = one, .input = input, .max_retries = retries};

    MUST(async_action_order(async, &wanted, uuid, &err));
}

static bool is_over(const char *uuid, struct script_outcome *out)
{
    bool over;

    MUST(async_action_outcome(async, w.env->id, uuid, out, &over, &err));
    return over;
}

static void expect_over(const char *uuid, const char *type)
{
    struct script_outcome outcome;

    /* ended by the thread itself: it is waited for */
    while (!is_over(uuid, &outcome)) {
        const struct timespec moment = {.tv_nsec = 1000000};

        nanosleep(&moment, NULL);
    }
    assert_false(outcome.ok);
    assert_string_equal(outcome.type, type);
    script_outcome_finish(&outcome);
}

static void expect_waiting(const char *uuid, int attempts, int64_t due_at_ms)
{
    struct async_run_row *row;

    MUST(store_find_async_run(w.store, w.env->id, uuid, &row, &err));
    assert_int_equal(row->attempts, attempts);
    assert_int_equal(row->due_at_ms, due_at_ms);
    assert_int_equal(row->finished_at_ms, 0);
    async_run_row_free(row);
}

static bool nothing_waits(void)
{
    struct async_run_row *row;
    int64_t next_ms;

    MUST(store_take_async_run(w.store, INT64_MAX, &row, &next_ms, &err));
    async_run_row_free(row);
    return row == NULL && next_ms == 0;
}

/* ---- actions ---- */

TEST(an_action_runs_with_its_input_and_its_output_is_kept)
{
    struct script_outcome outcome;
    char uuid[UUID_TEXT_SIZE];
    struct begun *begun;
    bool over;

    begin();
    order("{\"n\":1}", 0, uuid);
    begun = wait_for(1);
    assert_int_equal(begun->script_id, action->id);
    assert_int_equal(begun->connection_id, one->id);
    assert_string_equal(begun->input, "{\"n\":1}");
    assert_int_equal(begun->start_ms, DAY_MS);
    assert_false(begun->background);
    assert_false(is_over(uuid, &outcome));
    succeeds(begun, "[2]");
    assert_true(is_over(uuid, &outcome));
    assert_true(outcome.ok);
    assert_string_equal(outcome.output, "[2]");
    script_outcome_finish(&outcome);
    MUST(async_action_outcome(async, w.env->id + 1, uuid, &outcome, &over, &err));
    assert_false(over); /* another environment's */
    end();
}

TEST(without_input_or_output_there_is_none)
{
    struct script_outcome outcome;
    char uuid[UUID_TEXT_SIZE];

    begin();
    order(NULL, 0, uuid);
    assert_null(wait_for(1)->input);
    succeeds(wait_for(1), NULL);
    assert_true(is_over(uuid, &outcome));
    assert_true(outcome.ok);
    assert_null(outcome.output);
    end();
}

TEST(neither_input_nor_outcome_is_stored_in_plain)
{
    struct async_run_row *row;
    char uuid[UUID_TEXT_SIZE];

    begin();
    order("\"a secret input\"", 0, uuid);
    MUST(store_find_async_run(w.store, w.env->id, uuid, &row, &err));
    assert_null(memmem(row->input.data, row->input.len, "secret", 6));
    async_run_row_free(row);
    succeeds(wait_for(1), "\"a secret output\"");
    MUST(store_find_async_run(w.store, w.env->id, uuid, &row, &err));
    assert_null(row->input.data);
    assert_null(memmem(row->outcome.data, row->outcome.len, "secret", 6));
    async_run_row_free(row);
    end();
}

TEST(one_of_an_environment_runs_at_a_time)
{
    char first[UUID_TEXT_SIZE], second[UUID_TEXT_SIZE];
    struct script_outcome outcome;

    begin();
    order("1", 0, first);
    order("2", 0, second);
    assert_string_equal(wait_for(1)->input, "1");
    expect_waiting(second, 0, NOW_MS);
    assert_int_equal(begun_so_far(), 1);
    succeeds(wait_for(1), "1");
    assert_string_equal(wait_for(2)->input, "2");
    succeeds(wait_for(2), "2");
    assert_true(is_over(second, &outcome));
    script_outcome_finish(&outcome);
    end();
}

TEST(one_that_fails_is_tried_again_as_often_as_asked_and_later_each_time)
{
    char uuid[UUID_TEXT_SIZE];
    struct script_outcome outcome;

    begin();
    order("1", 2, uuid);
    fails(wait_for(1), "script_internal_error");
    expect_waiting(uuid, 1, NOW_MS + RETRY_MS);
    assert_false(is_over(uuid, &outcome));
    start_again(RETRY_MS);
    fails(wait_for(2), "script_internal_error");
    assert_string_equal(wait_for(2)->input, "1");
    expect_waiting(uuid, 2, NOW_MS + 3 * RETRY_MS);
    start_again(2 * RETRY_MS);
    fails(wait_for(3), "action_script_runtime_error");
    assert_true(is_over(uuid, &outcome));
    assert_false(outcome.ok);
    assert_string_equal(outcome.type, "action_script_runtime_error");
    assert_string_equal(outcome.message, "why");
    assert_string_equal(outcome.payload, "{\"a\":1}");
    script_outcome_finish(&outcome);
    assert_true(nothing_waits());
    end();
}

TEST(one_that_the_servers_end_broke_off_begins_anew)
{
    char uuid[UUID_TEXT_SIZE];
    struct script_outcome outcome;

    begin();
    order("1", 0, uuid);
    (void)wait_for(1);
    async_runs_stop(async);
    fails(wait_for(1), "script_aborted"); /* as actions_stop() makes it */
    assert_false(is_over(uuid, &outcome));
    start_again(0);
    succeeds(wait_for(2), "1");
    assert_true(is_over(uuid, &outcome));
    script_outcome_finish(&outcome);
    end();
}

TEST(one_that_ran_when_the_server_died_begins_anew)
{
    char uuid[UUID_TEXT_SIZE];
    struct script_outcome outcome;
    struct async_runs *dead;

    begin();
    order("1", 0, uuid);
    (void)wait_for(1);
    dead = async;
    async_runs_stop(dead);
    start(); /* nobody said what came of it */
    succeeds(wait_for(2), "1");
    assert_true(is_over(uuid, &outcome));
    script_outcome_finish(&outcome);
    succeeds(wait_for(1), "1"); /* only to free what it holds */
    async_runs_free(dead);
    end();
}

TEST(what_cannot_run_is_over_at_once_and_is_not_tried_again)
{
    char uuid[UUID_TEXT_SIZE];
    struct script_deploy removal = {.removal_count = 1};
    struct async_run_row damaged = {.uuid = "damaged", .input = text_blob("no seal")};
    bool found;

    begin();
    removal.environment_id = damaged.environment_id = w.env->id;
    removal.removals = &action->id;
    damaged.connection_id = one->id;
    damaged.script_id = action->id;
    damaged.max_retries = 5;
    MUST(store_put_async_run(w.store, &damaged, &err));
    async_runs_wake(async);
    expect_over("damaged", "action_failure");

    MUST(store_enable_script(w.store, action->id, false, &found, &err));
    order("1", 5, uuid);
    expect_over(uuid, "action_failure");
    MUST(store_enable_script(w.store, action->id, true, &found, &err));

    MUST(store_delete_connection(w.store, one->id, &found, &err));
    order("1", 5, uuid);
    expect_over(uuid, "action_failure");

    MUST(store_deploy_scripts(w.store, &removal, NULL, &err));
    order("1", 5, uuid);
    expect_over(uuid, "action_failure");
    assert_int_equal(begun_so_far(), 0);
    end();
}

TEST(what_could_not_begin_for_a_day_does_not_begin)
{
    char first[UUID_TEXT_SIZE], second[UUID_TEXT_SIZE];

    begin();
    order("1", 0, first);
    order("2", 0, second);
    (void)wait_for(1);
    async_runs_stop(async);
    fails(wait_for(1), "script_aborted");
    start_again(DAY_MS + 1);
    expect_over(first, "action_failure");
    expect_over(second, "action_failure");
    assert_int_equal(begun_so_far(), 1);
    end();
}

/* ---- scripts of events ---- */

static struct connection_row *created(const char *id)
{
    static const struct put_terms terms = {.event = EVENT_CREATED};
    struct connection_row wanted = a_connection(w.github, id), *row;
    bool is_new;

    MUST(store_put_connection(w.store, &wanted, &terms, &is_new, &row, &err));
    return row;
}

TEST(scripts_of_a_creation_run_in_turn_once_and_are_forgotten)
{
    struct script_row *a, *b;
    struct connection_row *row;

    begin();
    b = given_event_script(&w, w.github, "b", EVENT_CREATED);
    a = given_event_script(&w, w.github, "a", EVENT_CREATED);
    row = created("u-2");
    async_runs_wake(async);
    assert_int_equal(wait_for(1)->script_id, a->id);
    assert_int_equal(wait_for(1)->connection_id, row->id);
    assert_null(wait_for(1)->input);
    assert_true(wait_for(1)->background);
    assert_int_equal(begun_so_far(), 1);
    fails(wait_for(1), "script_internal_error");
    assert_int_equal(wait_for(2)->script_id, b->id);
    succeeds(wait_for(2), NULL);
    assert_true(nothing_waits());
    assert_int_equal(begun_so_far(), 2);
    script_row_free(a);
    script_row_free(b);
    connection_row_unref(row);
    end();
}

TEST(a_script_of_a_creation_that_was_broken_off_begins_anew)
{
    struct script_row *script;
    struct connection_row *row;

    begin();
    script = given_event_script(&w, w.github, "a", EVENT_CREATED);
    stop(); /* its thread's first look may be as late as this */
    row = created("u-2");
    start(); /* as after a death before anybody was told */
    (void)wait_for(1);
    async_runs_stop(async);
    fails(wait_for(1), "script_aborted");
    start_again(0);
    assert_int_equal(wait_for(2)->connection_id, row->id);
    succeeds(wait_for(2), NULL);
    assert_true(nothing_waits());
    script_row_free(script);
    connection_row_unref(row);
    end();
}

TEST(connections_do_not_wait_for_each_other)
{
    struct script_row *script;

    begin();
    script = given_event_script(&w, w.github, "a", EVENT_CREATED);
    connection_row_unref(created("u-2"));
    connection_row_unref(created("u-3"));
    async_runs_wake(async);
    (void)wait_for(2);
    succeeds(wait_for(1), NULL);
    succeeds(wait_for(2), NULL);
    assert_true(nothing_waits());
    script_row_free(script);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_action_runs_with_its_input_and_its_output_is_kept),
        cmocka_unit_test(without_input_or_output_there_is_none),
        cmocka_unit_test(neither_input_nor_outcome_is_stored_in_plain),
        cmocka_unit_test(one_of_an_environment_runs_at_a_time),
        cmocka_unit_test(
            one_that_fails_is_tried_again_as_often_as_asked_and_later_each_time),
        cmocka_unit_test(one_that_the_servers_end_broke_off_begins_anew),
        cmocka_unit_test(one_that_ran_when_the_server_died_begins_anew),
        cmocka_unit_test(what_cannot_run_is_over_at_once_and_is_not_tried_again),
        cmocka_unit_test(what_could_not_begin_for_a_day_does_not_begin),
        cmocka_unit_test(scripts_of_a_creation_run_in_turn_once_and_are_forgotten),
        cmocka_unit_test(a_script_of_a_creation_that_was_broken_off_begins_anew),
        cmocka_unit_test(connections_do_not_wait_for_each_other),
    };

    return RUN_FOR_EACH_STORE(tests);
}
