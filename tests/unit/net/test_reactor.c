/* SPDX-License-Identifier: Apache-2.0 */
/* The loop: mail from other threads, timers, descriptors, and hooks run until none has
 * work. */
#include "test.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/reactor.h"
#include "net/reactor_int.h"

static struct reactor *given_reactor(void)
{
    struct reactor *reactor = NULL;
    struct err err = {0};

    assert_true(reactor_new(&reactor, &err));
    reactor_adopt(reactor);
    return reactor;
}

struct trace {
    int seen[16];
    size_t count;
};

struct mark {
    struct trace *trace;
    int value;
};

static void note(void *arg)
{
    struct mark *mark = arg;

    mark->trace->seen[mark->trace->count++] = mark->value;
}

static void expect_trace(const struct trace *trace, const int *values, size_t count)
{
    assert_int_equal(trace->count, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(trace->seen[i], values[i]);
}

TEST(timers_fire_by_time_and_equal_ones_in_their_order)
{
    struct reactor *reactor = NULL;
    struct trace trace = {0};
    struct mark marks[] = {{&trace, 1}, {&trace, 2}, {&trace, 3}, {&trace, 4}};
    const int expected[] = {2, 3, 1, 4};
    int64_t began_ms;

    do { /* all within one millisecond, else their times are not what they seem */
        reactor_free(reactor);
        reactor = given_reactor();
        began_ms = clock_mono_ms();
        (void)reactor_timer_start(reactor, 20, note, &marks[0]);
        (void)reactor_timer_start(reactor, 0, note, &marks[1]);
        (void)reactor_timer_start(reactor, 0, note, &marks[2]);
        (void)reactor_timer_start(reactor, 30, note, &marks[3]);
    } while (clock_mono_ms() != began_ms);
    while (trace.count < 4)
        reactor_round(reactor, 1);
    expect_trace(&trace, expected, 4);
    reactor_free(reactor);
}

TEST(a_cancelled_timer_does_not_fire_wherever_it_stood)
{
    enum {
        TIMERS = 10
    };
    for (int skip = 0; skip < TIMERS; skip++) {
        struct reactor *reactor = given_reactor();
        struct reactor_timer *timers[TIMERS];
        struct trace trace = {0};
        struct mark marks[TIMERS];
        int expected[TIMERS];
        size_t count = 0;
        int64_t began_ms = clock_mono_ms();

        for (int i = 0; i < TIMERS; i++) {
            marks[i] = (struct mark){&trace, (i * 7) % TIMERS};
            timers[i] = reactor_timer_start(reactor, (i * 7) % TIMERS, note, &marks[i]);
        }
        if (clock_mono_ms() != began_ms) { /* their times are not what they seem: again */
            reactor_free(reactor);
            skip--;
            continue;
        }
        reactor_timer_cancel(timers[skip]);
        reactor_timer_cancel(NULL);
        for (int i = 0; i < TIMERS; i++)
            if (i != (skip * 7) % TIMERS)
                expected[count++] = i;
        while (trace.count < count)
            reactor_round(reactor, 1);
        expect_trace(&trace, expected, count);
        reactor_free(reactor);
    }
}

struct restarting {
    struct reactor *reactor;
    int left;
};

static void restart(void *arg)
{
    struct restarting *r = arg;

    if (--r->left > 0)
        (void)reactor_timer_start(r->reactor, 0, restart, r);
}

TEST(a_timer_that_starts_itself_does_not_shut_out_the_rest)
{
    struct reactor *reactor = given_reactor();
    struct restarting timer = {reactor, 1000};
    struct trace trace = {0};
    struct mark mark = {&trace, 1};

    (void)reactor_timer_start(reactor, 0, restart, &timer);
    reactor_post(reactor, note, &mark);
    reactor_round(reactor, 0);
    assert_int_equal(trace.count, 1);
    assert_true(timer.left > 0);
    while (timer.left > 0)
        reactor_round(reactor, 0);
    reactor_free(reactor);
}

/* ---- mail ---- */

enum {
    THREADS = 4,
    LETTERS = 5000
};

struct sender {
    struct post_office *office;
    int next; /* the reactor's view */
    pthread_t thread;
};

struct post_office {
    struct reactor *reactor;
    struct sender senders[THREADS];
    int delivered, misplaced;
};

struct letter {
    struct sender *sender;
    int number;
};

static void deliver(void *arg)
{
    struct letter *letter = arg;
    struct post_office *office = letter->sender->office;

    if (letter->number != letter->sender->next++ || !reactor_is_current(office->reactor))
        office->misplaced++;
    free(letter);
    if (++office->delivered == THREADS * LETTERS)
        reactor_stop(office->reactor);
}

static void *send_letters(void *arg)
{
    struct sender *sender = arg;

    for (int i = 0; i < LETTERS; i++) {
        struct letter *letter = malloc(sizeof *letter);

        *letter = (struct letter){sender, i};
        reactor_post(sender->office->reactor, deliver, letter);
    }
    return NULL;
}

TEST(mail_of_many_threads_arrives_once_and_in_each_sender_s_order)
{
    struct post_office office = {0};
    struct err err = {0};

    assert_true(reactor_new(&office.reactor, &err));
    for (int i = 0; i < THREADS; i++) {
        office.senders[i].office = &office;
        assert_int_equal(pthread_create(&office.senders[i].thread, NULL, send_letters,
                             &office.senders[i]),
            0);
    }
    reactor_run(office.reactor);
    for (int i = 0; i < THREADS; i++)
        pthread_join(office.senders[i].thread, NULL);
    assert_int_equal(office.delivered, THREADS * LETTERS);
    assert_int_equal(office.misplaced, 0);
    reactor_free(office.reactor);
}

static void *stop_it(void *arg)
{
    reactor_stop(arg);
    return NULL;
}

TEST(a_sleeping_loop_is_woken_by_a_stop_and_delivers_what_came_before)
{
    struct reactor *reactor = NULL;
    struct trace trace = {0};
    struct mark mark = {&trace, 1};
    struct err err = {0};
    pthread_t thread;

    assert_true(reactor_new(&reactor, &err));
    reactor_post(reactor, note, &mark);
    assert_false(reactor_is_current(reactor));
    pthread_create(&thread, NULL, stop_it, reactor);
    reactor_run(reactor);
    pthread_join(thread, NULL);
    assert_int_equal(trace.count, 1);
    reactor_free(reactor);
}

/* ---- hooks ---- */

struct pair {
    int first, second; /* work left */
    int order[64];
    size_t count;
};

static bool first_hook(void *arg)
{
    struct pair *pair = arg;

    if (pair->first == 0)
        return false;
    pair->first--;
    pair->second++; /* makes work for the other */
    pair->order[pair->count++] = 1;
    return true;
}

static bool second_hook(void *arg)
{
    struct pair *pair = arg;

    if (pair->second == 0)
        return false;
    pair->second--;
    pair->order[pair->count++] = 2;
    return true;
}

TEST(hooks_run_until_none_has_work_before_the_loop_sleeps)
{
    struct reactor *reactor = given_reactor();
    struct pair pair = {.first = 5};

    reactor_hook_add(reactor, second_hook, &pair); /* runs before the one that feeds it */
    reactor_hook_add(reactor, first_hook, &pair);
    reactor_round(reactor, 0);
    assert_int_equal(pair.first, 0);
    assert_int_equal(pair.second, 0);
    assert_int_equal(pair.count, 10);
    reactor_hook_remove(reactor, first_hook, &pair);
    pair.first = 1;
    reactor_round(reactor, 0);
    assert_int_equal(pair.first, 1);
    reactor_free(reactor);
}

static bool endless(void *arg)
{
    ++*(int *)arg;
    return true;
}

TEST(a_hook_that_never_runs_dry_does_not_starve_descriptors)
{
    struct reactor *reactor = given_reactor();
    struct trace trace = {0};
    struct mark mark = {&trace, 1};
    int turns = 0;

    reactor_hook_add(reactor, endless, &turns);
    (void)reactor_timer_start(reactor, 1, note, &mark);
    while (trace.count == 0)
        reactor_round(reactor, -1);
    assert_true(turns > 0);
    reactor_free(reactor);
}

/* ---- descriptors ---- */

struct twin {
    struct reactor_watch *watch;
    struct twin *other;
    int calls;
};

static void remove_the_other(void *arg, uint32_t events)
{
    struct twin *twin = arg;

    assert_true((events & EPOLLIN) != 0);
    twin->calls++;
    if (twin->other->watch != NULL) {
        reactor_watch_remove(twin->other->watch);
        twin->other->watch = NULL;
    }
}

TEST(a_watch_removed_by_another_s_callback_is_not_called)
{
    struct reactor *reactor = given_reactor();
    struct twin twins[2] = {{.other = &twins[1]}, {.other = &twins[0]}};
    int ends[2][2];

    for (int i = 0; i < 2; i++) {
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends[i]), 0);
        twins[i].watch =
            reactor_watch_add(reactor, ends[i][0], EPOLLIN, remove_the_other, &twins[i]);
        assert_int_equal(write(ends[i][1], "x", 1), 1);
    }
    reactor_round(reactor, -1);
    assert_int_equal(twins[0].calls + twins[1].calls, 1);
    for (int i = 0; i < 2; i++) {
        reactor_watch_remove(twins[i].watch);
        close(ends[i][0]);
        close(ends[i][1]);
    }
    reactor_free(reactor);
}

static void count_call(void *arg, uint32_t events)
{
    (void)events;
    ++*(int *)arg;
}

TEST(a_watch_is_level_triggered_and_can_be_changed)
{
    struct reactor *reactor = given_reactor();
    struct reactor_watch *watch;
    int ends[2], calls = 0;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    watch = reactor_watch_add(reactor, ends[0], EPOLLIN, count_call, &calls);
    reactor_round(reactor, 0);
    assert_int_equal(calls, 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    reactor_round(reactor, -1);
    reactor_round(reactor, -1);
    assert_int_equal(calls, 2);
    reactor_watch_change(watch, 0);
    reactor_round(reactor, 0);
    assert_int_equal(calls, 2);
    reactor_watch_change(watch, EPOLLOUT);
    reactor_round(reactor, -1);
    assert_int_equal(calls, 3);
    reactor_watch_remove(watch);
    reactor_watch_remove(NULL);
    close(ends[0]);
    close(ends[1]);
    reactor_free(reactor);
    reactor_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_fire_by_time_and_equal_ones_in_their_order),
        cmocka_unit_test(a_cancelled_timer_does_not_fire_wherever_it_stood),
        cmocka_unit_test(a_timer_that_starts_itself_does_not_shut_out_the_rest),
        cmocka_unit_test(mail_of_many_threads_arrives_once_and_in_each_sender_s_order),
        cmocka_unit_test(
            a_sleeping_loop_is_woken_by_a_stop_and_delivers_what_came_before),
        cmocka_unit_test(hooks_run_until_none_has_work_before_the_loop_sleeps),
        cmocka_unit_test(a_hook_that_never_runs_dry_does_not_starve_descriptors),
        cmocka_unit_test(a_watch_removed_by_another_s_callback_is_not_called),
        cmocka_unit_test(a_watch_is_level_triggered_and_can_be_changed),
    };

    return RUN(tests);
}
