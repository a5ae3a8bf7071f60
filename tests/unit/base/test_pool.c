/* SPDX-License-Identifier: Apache-2.0 */
/* The thread pool: order, shares that hang, the end. */
#include "base/pool.h"

#include <pthread.h>

#include "test.h"

/* What the jobs of a test wait for and say. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int running[8]; /* by share */
    int ended;
    bool open; /* jobs that wait may go */
} stage = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static int set_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < 8; i++)
        stage.running[i] = 0;
    stage.ended = 0;
    stage.open = false;
    return 0;
}

/* Runs until the gate opens. */
static void hang(void *arg)
{
    int *running = arg;

    pthread_mutex_lock(&stage.lock);
    (*running)++;
    pthread_cond_broadcast(&stage.changed);
    while (!stage.open)
        pthread_cond_wait(&stage.changed, &stage.lock);
    (*running)--;
    stage.ended++;
    pthread_cond_broadcast(&stage.changed);
    pthread_mutex_unlock(&stage.lock);
}

static void pass(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&stage.lock);
    stage.ended++;
    pthread_cond_broadcast(&stage.changed);
    pthread_mutex_unlock(&stage.lock);
}

static void wait_until(const int *value, int wanted)
{
    pthread_mutex_lock(&stage.lock);
    while (*value != wanted)
        pthread_cond_wait(&stage.changed, &stage.lock);
    pthread_mutex_unlock(&stage.lock);
}

static void open_gate(void)
{
    pthread_mutex_lock(&stage.lock);
    stage.open = true;
    pthread_cond_broadcast(&stage.changed);
    pthread_mutex_unlock(&stage.lock);
}

static void submit_hanging(struct pool *pool, uint64_t share, int count)
{
    for (int i = 0; i < count; i++)
        assert_true(pool_submit_share(pool, share, hang, &stage.running[share]));
}

TEST(a_share_that_hangs_takes_half_of_what_the_others_leave)
{
    struct pool *pool = pool_new("test", 8);

    submit_hanging(pool, 1, 20);
    wait_until(&stage.running[1], 4);
    submit_hanging(pool, 2, 20);
    wait_until(&stage.running[2], 2);
    submit_hanging(pool, 3, 20);
    wait_until(&stage.running[3], 1);
    assert_int_equal(pool_queued(pool), 60 - 7);
    /* One thread is left: for jobs of no share, and for further shares. */
    for (int i = 1; i <= 10; i++) {
        assert_true(pool_submit(pool, pass, NULL));
        wait_until(&stage.ended, 2 * i - 1);
        assert_true(pool_submit_share(pool, 100 + (uint64_t)i, pass, NULL));
        wait_until(&stage.ended, 2 * i);
    }
    assert_int_equal(stage.running[1], 4);
    assert_int_equal(stage.running[2], 2);
    assert_int_equal(stage.running[3], 1);
    open_gate();
    wait_until(&stage.ended, 20 + 60);
    assert_int_equal(pool_queued(pool), 0);
    pool_stop(pool);
    pool_free(pool);
}

TEST(what_waits_in_a_share_runs_before_the_pool_stops)
{
    for (size_t max = 1; max <= 3; max++) {
        struct pool *pool = pool_new("test", max);

        set_up(NULL);
        submit_hanging(pool, 1, 10);
        submit_hanging(pool, 2, 10);
        open_gate();
        pool_stop(pool);
        assert_int_equal(stage.ended, 20);
        assert_false(pool_submit_share(pool, 1, pass, NULL));
        assert_false(pool_submit(pool, pass, NULL));
        pool_free(pool);
    }
}

/* Each job writes its number where the last one ended. */
static int order[100];

static void note(void *arg)
{
    pthread_mutex_lock(&stage.lock);
    order[stage.ended++] = (int)(intptr_t)arg;
    pthread_cond_broadcast(&stage.changed);
    pthread_mutex_unlock(&stage.lock);
}

TEST(a_share_keeps_its_order_and_shares_take_turns)
{
    struct pool *pool = pool_new("test", 1);

    assert_true(pool_submit_share(pool, 1, hang, &stage.running[1]));
    wait_until(&stage.running[1], 1);
    for (int i = 0; i < 30; i++) /* 10 of each share: 0-9, 10-19, 20-29 */
        assert_true(
            pool_submit_share(pool, 2 + (uint64_t)i / 10, note, (void *)(intptr_t)i));
    open_gate();
    pool_stop(pool);
    assert_int_equal(stage.ended, 31); /* hang() counted itself, at place 0 */
    for (int i = 0; i < 30; i++)
        assert_int_equal(order[1 + i], i / 3 + i % 3 * 10);
    pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(
            a_share_that_hangs_takes_half_of_what_the_others_leave, set_up),
        cmocka_unit_test_setup(what_waits_in_a_share_runs_before_the_pool_stops, set_up),
        cmocka_unit_test_setup(a_share_keeps_its_order_and_shares_take_turns, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
