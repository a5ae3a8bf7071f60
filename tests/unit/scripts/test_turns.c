/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "scripts/turns.h"
#include "test.h"

enum {
    WAITERS = 5,
    ROUNDS = 2000,
    TURNS = 2,
};

struct line {
    struct turns *turns;
    pthread_mutex_t lock;
    int order[WAITERS];
    int served;
};

struct waiter {
    struct line *line;
    int number;
};

static void *wait_and_sign(void *arg)
{
    struct waiter *self = arg;
    struct line *line = self->line;

    turns_take(line->turns);
    pthread_mutex_lock(&line->lock);
    line->order[line->served++] = self->number;
    pthread_mutex_unlock(&line->lock);
    turns_give(line->turns);
    return NULL;
}

static void who_came_first_is_served_first(void **state)
{
    struct line line = {.turns = turns_new(1)};
    struct waiter waiters[WAITERS];
    pthread_t threads[WAITERS];

    (void)state;
    pthread_mutex_init(&line.lock, NULL);
    turns_take(line.turns);
    for (int i = 0; i < WAITERS; i++) {
        waiters[i] = (struct waiter){&line, i};
        assert_int_equal(
            pthread_create(&threads[i], NULL, wait_and_sign, &waiters[i]), 0);
        while (turns_waiting(line.turns) <= (size_t)i)
            sched_yield();
    }
    assert_int_equal(line.served, 0);
    turns_give(line.turns);
    for (int i = 0; i < WAITERS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < WAITERS; i++)
        assert_int_equal(line.order[i], i);
    turns_take(line.turns); /* the turn came back */
    turns_give(line.turns);
    assert_int_equal(turns_waiting(line.turns), 0);
    pthread_mutex_destroy(&line.lock);
    turns_free(line.turns);
}

struct crowd {
    struct turns *turns;
    atomic_int inside, most;
};

static void *come_and_go(void *arg)
{
    struct crowd *crowd = arg;

    for (int i = 0; i < ROUNDS; i++) {
        int now, most;

        turns_take(crowd->turns);
        now = 1 + atomic_fetch_add(&crowd->inside, 1);
        most = atomic_load(&crowd->most);
        while (now > most && !atomic_compare_exchange_weak(&crowd->most, &most, now))
            continue;
        if (i % 16 == 0)
            sched_yield();
        atomic_fetch_sub(&crowd->inside, 1);
        turns_give(crowd->turns);
    }
    return NULL;
}

static void no_more_than_there_are_turns_are_inside(void **state)
{
    struct crowd crowd = {.turns = turns_new(TURNS)};
    pthread_t threads[WAITERS];

    (void)state;
    for (int i = 0; i < WAITERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, &crowd), 0);
    for (int i = 0; i < WAITERS; i++)
        pthread_join(threads[i], NULL);
    assert_in_range(atomic_load(&crowd.most), 1, TURNS);
    assert_int_equal(turns_waiting(crowd.turns), 0);
    turns_free(crowd.turns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_came_first_is_served_first),
        cmocka_unit_test(no_more_than_there_are_turns_are_inside),
    };

    return RUN(tests);
}
