/* SPDX-License-Identifier: Apache-2.0 */
/* Locks of scripts: whose they are, and until when. */
#include "scripts/locks.h"
#include "test.h"

static struct clock now;
static struct script_locks *locks;

static int set_up(void **state)
{
    (void)state;
    now.frozen_ms = 1000;
    locks = script_locks_new(&now);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    script_locks_free(locks);
    return 0;
}

TEST(a_lock_is_one_executions)
{
    assert_true(script_lock(locks, 1, "a", 7, 100));
    assert_true(script_lock(locks, 1, "a", 7, 100)); /* again */
    assert_false(script_lock(locks, 1, "a", 8, 100));
    assert_true(script_lock(locks, 1, "b", 8, 100));
    assert_true(script_lock(locks, 2, "a", 8, 100)); /* another environment's */
}

TEST(it_is_free_when_its_time_is_over)
{
    assert_true(script_lock(locks, 1, "a", 7, 100));
    now.frozen_ms += 99;
    assert_false(script_lock(locks, 1, "a", 8, 100));
    assert_true(script_lock(locks, 1, "a", 7, 100)); /* and its time begins anew */
    now.frozen_ms += 99;
    assert_false(script_lock(locks, 1, "a", 8, 100));
    now.frozen_ms += 1;
    assert_true(script_lock(locks, 1, "a", 8, INT64_MAX));
    now.frozen_ms += 1000000;
    assert_false(script_lock(locks, 1, "a", 7, 100));
}

TEST(only_who_holds_it_lets_go)
{
    assert_true(script_lock(locks, 1, "a", 7, 100));
    assert_false(script_unlock(locks, 1, "a", 8));
    assert_false(script_unlock(locks, 1, "b", 7));
    assert_true(script_unlock(locks, 1, "a", 7));
    assert_false(script_unlock(locks, 1, "a", 7));
    assert_true(script_lock(locks, 1, "a", 8, 100));
}

TEST(an_execution_that_ends_leaves_none)
{
    assert_true(script_lock(locks, 1, "a", 7, 100));
    assert_true(script_lock(locks, 1, "b", 8, 100));
    assert_true(script_lock(locks, 1, "c", 7, 100));
    script_unlock_all(locks, 7);
    assert_true(script_lock(locks, 1, "a", 9, 100));
    assert_true(script_lock(locks, 1, "c", 9, 100));
    assert_false(script_lock(locks, 1, "b", 9, 100));
}

#define ONE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ONE(a_lock_is_one_executions),
        ONE(it_is_free_when_its_time_is_over),
        ONE(only_who_holds_it_lets_go),
        ONE(an_execution_that_ends_leaves_none),
    };

    return RUN(tests);
}
