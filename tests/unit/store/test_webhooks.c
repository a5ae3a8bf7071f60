/* SPDX-License-Identifier: Apache-2.0 */
/* Webhooks in the store: queues, leases, what ends and what is sent again. */
#include "store/webhooks.h"

#include "world.h"

static struct world w;
static int puts_made;

static void put_to(int64_t environment_id, const char *url, const char *second)
{
    char *uuid = str_printf("00000000-0000-4000-8000-%012d", ++puts_made);
    struct webhook_put put = {
        .environment_id = environment_id,
        .type = "sync",
        .integration = str_dup("github"),
        .connection_id = str_dup("u-1"),
        .body = text_blob("body"),
        .urls = {str_dup(url), str_dup(second)},
    };
    struct webhook_puts puts = {&put, 1};

    str_copy(put.uuid, sizeof put.uuid, uuid);
    MUST(store_put_webhooks(w.store, &puts, &err));
    free(uuid);
    free(put.integration);
    free(put.connection_id);
    free(put.urls[0]);
    free(put.urls[1]);
}

static void put_one(const char *url)
{
    put_to(w.env->id, url, NULL);
}

/* What a turn is given and what it gave. */
struct turned {
    struct webhook_job *jobs;
    size_t count;
    int64_t next_ms;
};

static struct turned turn_as(const char *holder, int64_t now_ms, size_t max,
    const struct webhook_result *results, size_t count)
{
    const struct webhook_turn turn = {
        .holder = holder,
        .now_ms = now_ms,
        .lease_until_ms = now_ms + 1000,
        .results = results,
        .result_count = count,
        .max = max,
        .per_url = 3,
    };
    struct turned out;

    MUST(store_turn_webhooks(w.store, &turn, &out.jobs, &out.count, &out.next_ms, &err));
    return out;
}

static struct turned claim(int64_t now_ms, size_t max)
{
    return turn_as("a", now_ms, max, NULL, 0);
}

static void drop(struct turned *turned)
{
    store_webhook_jobs_free(turned->jobs, turned->count);
}

static struct webhook_row *list(enum webhook_state state, size_t wanted)
{
    const struct webhook_filter filter = {
        .environment_id = w.env->id, .state = state, .limit = 100};
    struct webhook_row *rows;
    size_t count;

    MUST(store_list_webhooks(w.store, &filter, &rows, &count, &err));
    assert_int_equal(count, wanted);
    return rows;
}

static void expect_states(size_t waiting, size_t sending, size_t delivered, size_t dead)
{
    store_webhooks_free(list(WEBHOOK_WAITING, waiting), waiting);
    store_webhooks_free(list(WEBHOOK_SENDING, sending), sending);
    store_webhooks_free(list(WEBHOOK_DELIVERED, delivered), delivered);
    store_webhooks_free(list(WEBHOOK_DEAD, dead), dead);
}

TEST(a_message_goes_to_each_url_and_comes_back_as_it_was_put)
{
    struct turned turned;

    world_begin(&w);
    put_to(w.env->id, "http://a", "http://b");
    turned = claim(NOW_MS, 10);
    assert_int_equal(turned.count, 2);
    assert_string_equal(turned.jobs[0].uuid, turned.jobs[1].uuid);
    assert_string_equal(turned.jobs[0].url, "http://a");
    assert_string_equal(turned.jobs[1].url, "http://b");
    assert_string_equal(turned.jobs[0].type, "sync");
    assert_string_equal(turned.jobs[0].integration, "github");
    assert_string_equal(turned.jobs[0].connection_id, "u-1");
    assert_int_equal(turned.jobs[0].attempts, 1);
    assert_int_equal(turned.jobs[0].created_at_ms, NOW_MS);
    assert_int_equal(turned.next_ms, 0); /* whoever sends wakes us */
    expect_blob(turned.jobs[0].body, "body");
    assert_null(turned.jobs[0].headers.data);
    drop(&turned);
    world_end(&w);
}

TEST(of_one_url_so_many_are_sent_at_a_time_and_others_are_not_behind_them)
{
    struct turned turned;

    world_begin(&w);
    for (int i = 0; i < 10; i++)
        put_one("http://slow");
    put_one("http://z");
    turned = claim(NOW_MS, 10);
    assert_int_equal(turned.count, 4);
    assert_string_equal(turned.jobs[2].url, "http://slow");
    assert_string_equal(turned.jobs[3].url, "http://z");
    drop(&turned);
    put_one("http://y");
    turned = claim(NOW_MS, 10);
    assert_int_equal(turned.count, 1);
    assert_string_equal(turned.jobs[0].url, "http://y");
    drop(&turned);
    world_end(&w);
}

TEST(environments_do_not_share_a_queue)
{
    struct environment_row *other;
    struct turned turned;

    world_begin(&w);
    other = given_environment(&w, "other");
    for (int i = 0; i < 4; i++) {
        put_one("http://a");
        put_to(other->id, "http://a", NULL);
    }
    turned = claim(NOW_MS, 20);
    assert_int_equal(turned.count, 6);
    drop(&turned);
    environment_row_unref(other);
    world_end(&w);
}

TEST(what_a_result_says_is_kept)
{
    struct turned turned;
    struct webhook_row *rows;
    struct webhook_attempt_row *attempts;
    size_t count;
    struct webhook_result failed = {.state = WEBHOOK_WAITING,
        .due_at_ms = NOW_MS + 50,
        .began_ms = NOW_MS,
        .took_ms = 7,
        .status = 503,
        .error = "answered 503",
        .answer = "busy"};
    struct webhook_result done = {
        .state = WEBHOOK_DELIVERED, .began_ms = NOW_MS + 50, .status = 200};

    world_begin(&w);
    put_one("http://a");
    turned = claim(NOW_MS, 10);
    failed.id = done.id = turned.jobs[0].id;
    drop(&turned);
    turned = turn_as("a", NOW_MS, 10, &failed, 1);
    assert_int_equal(turned.count, 0);
    assert_int_equal(turned.next_ms, NOW_MS + 50);
    drop(&turned);
    rows = list(WEBHOOK_WAITING, 1);
    assert_int_equal(rows[0].status, 503);
    assert_string_equal(rows[0].error, "answered 503");
    assert_int_equal(rows[0].due_at_ms, NOW_MS + 50);
    store_webhooks_free(rows, 1);
    turned = claim(NOW_MS + 50, 10);
    assert_int_equal(turned.jobs[0].attempts, 2);
    drop(&turned);
    turned = turn_as("a", NOW_MS + 60, 10, &done, 1);
    drop(&turned);
    rows = list(WEBHOOK_DELIVERED, 1);
    assert_int_equal(rows[0].attempts, 2);
    assert_int_equal(rows[0].finished_at_ms, NOW_MS + 60);
    assert_int_equal(rows[0].due_at_ms, 0);
    assert_null(rows[0].error);
    MUST(store_list_webhook_attempts(w.store, rows[0].id, &attempts, &count, &err));
    assert_int_equal(count, 2);
    assert_int_equal(attempts[0].took_ms, 7);
    assert_string_equal(attempts[0].answer, "busy");
    assert_int_equal(attempts[1].status, 200);
    store_webhook_attempts_free(attempts, count);
    store_webhooks_free(rows, 1);
    world_end(&w);
}

TEST(an_attempt_that_was_not_made_does_not_count)
{
    struct webhook_result unsent = {
        .state = WEBHOOK_WAITING, .due_at_ms = NOW_MS, .unsent = true};
    struct webhook_row *rows;
    struct turned turned;

    world_begin(&w);
    put_one("http://a");
    turned = claim(NOW_MS, 1);
    unsent.id = turned.jobs[0].id;
    drop(&turned);
    turned = turn_as("a", NOW_MS, 0, &unsent, 1);
    drop(&turned);
    rows = list(WEBHOOK_WAITING, 1);
    assert_int_equal(rows[0].attempts, 0);
    store_webhooks_free(rows, 1);
    turned = claim(NOW_MS, 1);
    assert_int_equal(turned.jobs[0].attempts, 1);
    drop(&turned);
    world_end(&w);
}

TEST(a_receiver_that_asks_for_time_gets_it_for_all_that_wait)
{
    struct webhook_result later = {.state = WEBHOOK_WAITING,
        .due_at_ms = NOW_MS + 500,
        .url_until_ms = NOW_MS + 500,
        .status = 429};
    struct turned turned;

    world_begin(&w);
    for (int i = 0; i < 5; i++)
        put_one("http://a");
    put_one("http://b");
    turned = claim(NOW_MS, 1); /* one of the oldest queue */
    assert_string_equal(turned.jobs[0].url, "http://a");
    later.id = turned.jobs[0].id;
    drop(&turned);
    turned = turn_as("a", NOW_MS, 10, &later, 1);
    assert_int_equal(turned.count, 1);
    assert_string_equal(turned.jobs[0].url, "http://b");
    assert_int_equal(turned.next_ms, NOW_MS + 500);
    drop(&turned);
    world_end(&w);
}

TEST(a_lease_that_ends_is_anybodys_and_its_holder_is_not_believed)
{
    struct webhook_result late = {.state = WEBHOOK_DEAD, .status = 400};
    struct turned turned;

    world_begin(&w);
    put_one("http://a");
    turned = claim(NOW_MS, 10);
    late.id = turned.jobs[0].id;
    drop(&turned);
    turned = turn_as("b", NOW_MS + 1000, 10, NULL, 0);
    assert_int_equal(turned.count, 0); /* it has all of its time */
    assert_int_equal(turned.next_ms, NOW_MS + 1000);
    turned = turn_as("b", NOW_MS + 1001, 10, NULL, 0);
    assert_int_equal(turned.count, 1);
    assert_int_equal(turned.jobs[0].attempts, 2);
    drop(&turned);
    turned = turn_as("a", NOW_MS + 1002, 0, &late, 1);
    drop(&turned);
    expect_states(0, 1, 0, 0);
    MUST(store_free_webhooks(w.store, &err)); /* a server begins */
    expect_states(1, 0, 0, 0);
    world_end(&w);
}

TEST(what_is_dead_is_replayed_from_the_beginning)
{
    struct webhook_result dead = {.state = WEBHOOK_DEAD, .status = 400, .error = "no"};
    struct turned turned;
    size_t count;

    world_begin(&w);
    put_one("http://a");
    turned = claim(NOW_MS, 10);
    dead.id = turned.jobs[0].id;
    drop(&turned);
    MUST(store_replay_webhooks(w.store, w.env->id, dead.id, 0, NOW_MS, &count, &err));
    assert_int_equal(count, 0); /* it is being sent */
    turned = turn_as("a", NOW_MS, 0, &dead, 1);
    drop(&turned);
    expect_states(0, 0, 0, 1);
    MUST(store_replay_webhooks(w.store, w.env->id + 1, dead.id, 0, NOW_MS, &count, &err));
    assert_int_equal(count, 0);
    MUST(store_replay_webhooks(w.store, w.env->id, 0, NOW_MS + 1, NOW_MS, &count, &err));
    assert_int_equal(count, 0);
    MUST(store_replay_webhooks(w.store, w.env->id, 0, NOW_MS, NOW_MS, &count, &err));
    assert_int_equal(count, 1);
    turned = claim(NOW_MS, 10);
    assert_int_equal(turned.jobs[0].attempts, 1);
    drop(&turned);
    turned = turn_as("a", NOW_MS, 0, &dead, 1);
    drop(&turned);
    world_end(&w);
}

TEST(the_sweep_takes_what_was_over_long_ago_with_its_message)
{
    struct webhook_result done = {.state = WEBHOOK_DELIVERED, .status = 200};
    struct turned turned;
    struct blob body;
    char uuid[UUID_TEXT_SIZE];

    world_begin(&w);
    put_one("http://a");
    put_one("http://b");
    turned = claim(NOW_MS, 1);
    done.id = turned.jobs[0].id;
    drop(&turned);
    turned = turn_as("a", NOW_MS, 0, &done, 1);
    drop(&turned);
    MUST(store_sweep_webhooks(w.store, NOW_MS, NOW_MS, &err));
    expect_states(1, 0, 1, 0);
    MUST(store_sweep_webhooks(w.store, NOW_MS + 1, NOW_MS, &err));
    expect_states(1, 0, 0, 0);
    MUST(store_read_webhook_body(w.store, w.env->id, done.id, uuid, &body, &err));
    assert_null(body.data);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_goes_to_each_url_and_comes_back_as_it_was_put),
        cmocka_unit_test(
            of_one_url_so_many_are_sent_at_a_time_and_others_are_not_behind_them),
        cmocka_unit_test(environments_do_not_share_a_queue),
        cmocka_unit_test(what_a_result_says_is_kept),
        cmocka_unit_test(an_attempt_that_was_not_made_does_not_count),
        cmocka_unit_test(a_receiver_that_asks_for_time_gets_it_for_all_that_wait),
        cmocka_unit_test(a_lease_that_ends_is_anybodys_and_its_holder_is_not_believed),
        cmocka_unit_test(what_is_dead_is_replayed_from_the_beginning),
        cmocka_unit_test(the_sweep_takes_what_was_over_long_ago_with_its_message),
    };

    return RUN_FOR_EACH_STORE(tests);
}
