/* SPDX-License-Identifier: Apache-2.0 */
/* The cache by itself: what is found, what goes when it is full, and that a row read
 * before a drop is never found after it. */
#include "store/cache.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "test.h"

/* As every counted row: the count comes first. */
struct row {
    int refs;
    int64_t version;
};

enum {
    WRITES = 100000, /* by each of the writers, at least */
    FINDS = 100,
};

static atomic_int alive;

static struct row *row_new(int64_t version)
{
    struct row *row = MEM_NEW(struct row);

    row->refs = 1;
    row->version = version;
    atomic_fetch_add(&alive, 1);
    return row;
}

static void row_unref(void *p)
{
    struct row *row = p;

    if (__atomic_fetch_sub(&row->refs, 1, __ATOMIC_ACQ_REL) == 1) {
        free(row);
        atomic_fetch_sub(&alive, 1);
    }
}

static void add(struct cache *cache, const char *key, int64_t id, int64_t version)
{
    struct row *row = row_new(version);

    cache_add(cache, cache_generation(cache), key, strlen(key), id, row);
    row_unref(row);
}

/* 0 = not there. */
static int64_t version_of(struct cache *cache, const char *key)
{
    struct row *row = cache_find(cache, key, strlen(key));
    int64_t version = row != NULL ? row->version : 0;

    if (row != NULL)
        row_unref(row);
    return version;
}

static void expect_no_leak(struct cache *cache)
{
    cache_free(cache);
    assert_int_equal(alive, 0);
}

TEST(what_was_added_is_found_and_counted)
{
    struct cache *cache = cache_new(100, row_unref);
    uint64_t hits, misses;
    size_t entries;

    assert_int_equal(version_of(cache, "a"), 0);
    add(cache, "a", 1, 5);
    add(cache, "a", 1, 6); /* another reader's, newer */
    assert_int_equal(version_of(cache, "a"), 6);
    cache_counts(cache, &hits, &misses, &entries);
    assert_int_equal(hits, 1);
    assert_int_equal(misses, 1);
    assert_int_equal(entries, 1);
    expect_no_leak(cache);
}

TEST(a_drop_takes_the_row_under_all_its_keys_and_no_other)
{
    struct cache *cache = cache_new(100, row_unref);

    add(cache, "id 1", 1, 5);
    add(cache, "name 1", 1, 5);
    add(cache, "id 2", 2, 7);
    cache_drop(cache, 1);
    assert_int_equal(version_of(cache, "id 1"), 0);
    assert_int_equal(version_of(cache, "name 1"), 0);
    assert_int_equal(version_of(cache, "id 2"), 7);
    cache_clear(cache);
    assert_int_equal(version_of(cache, "id 2"), 0);
    expect_no_leak(cache);
}

TEST(a_row_read_before_a_drop_is_not_added_after_it)
{
    struct cache *cache = cache_new(100, row_unref);
    uint64_t generation = cache_generation(cache);
    struct row *old = row_new(1);

    cache_drop(cache, 1); /* a writer came in between */
    cache_add(cache, generation, "a", 1, 1, old);
    assert_int_equal(version_of(cache, "a"), 0);
    cache_add(cache, cache_generation(cache), "a", 1, 1, old);
    assert_int_equal(version_of(cache, "a"), 1);
    row_unref(old);
    expect_no_leak(cache);
}

static bool is_odd(const void *row, const void *arg)
{
    (void)arg;
    return ((const struct row *)row)->version % 2 == 1;
}

TEST(a_drop_by_a_condition_takes_what_matches)
{
    struct cache *cache = cache_new(100, row_unref);

    add(cache, "a", 1, 1);
    add(cache, "b", 2, 2);
    add(cache, "c", 3, 3);
    cache_drop_if(cache, is_odd, NULL);
    assert_int_equal(version_of(cache, "a"), 0);
    assert_int_equal(version_of(cache, "b"), 2);
    assert_int_equal(version_of(cache, "c"), 0);
    expect_no_leak(cache);
}

static void *next_version(const void *row, const void *arg)
{
    (void)arg;
    return row_new(((const struct row *)row)->version + 1);
}

static void *no_version(const void *row, const void *arg)
{
    (void)row;
    (void)arg;
    return NULL;
}

TEST(a_renewed_row_takes_the_place_of_the_old_one)
{
    struct cache *cache = cache_new(100, row_unref);
    struct row *held;

    add(cache, "a", 1, 5);
    held = cache_find(cache, "a", 1);
    cache_renew(cache, 1, next_version, NULL);
    cache_renew(cache, 2, next_version, NULL); /* not there */
    cache_renew(cache, 1, no_version, NULL);
    assert_int_equal(version_of(cache, "a"), 6);
    assert_int_equal(held->version, 5); /* who holds it keeps it */
    row_unref(held);
    cache_drop(cache, 1);
    assert_int_equal(version_of(cache, "a"), 0);
    expect_no_leak(cache);
}

TEST(a_full_cache_gives_up_what_was_not_used)
{
    struct cache *cache = cache_new(32 * 8, row_unref); /* 8 in each shard */
    uint64_t hits, misses;
    size_t entries;

    add(cache, "hot", 1, 1);
    for (int64_t i = 2; i < 5000; i++) {
        char key[16] = {0};

        memcpy(key, &i, sizeof i);
        key[15] = 'k';
        {
            struct row *row = row_new(i);

            cache_add(cache, cache_generation(cache), key, sizeof key, i, row);
            row_unref(row);
        }
        assert_int_equal(version_of(cache, "hot"), 1);
    }
    cache_counts(cache, &hits, &misses, &entries);
    assert_true(entries <= 32 * 8);
    assert_int_equal(alive, (int)entries); /* what was given up is freed */
    expect_no_leak(cache);
}

/* ---- an add and a drop at the same time ---- */

struct meeting {
    struct cache *cache;
    uint64_t before; /* the generation before the drop */
    atomic_bool held, adding;
};

static void wait_for(atomic_bool *flag)
{
    while (!atomic_load(flag))
        sched_yield();
}

/* Called with the key's shard locked: keeps it so until the two others stand before it.
 */
static void *hold(const void *row, const void *arg)
{
    struct meeting *meeting = *(struct meeting *const *)arg;

    (void)row;
    atomic_store(&meeting->held, true);
    wait_for(&meeting->adding);
    for (int i = 0; i < 50; i++)
        sched_yield();
    return NULL;
}

static void *run_hold(void *arg)
{
    struct meeting *meeting = arg;

    cache_renew(meeting->cache, 1, hold, &meeting);
    return NULL;
}

static void *run_drop(void *arg)
{
    struct meeting *meeting = arg;

    wait_for(&meeting->held);
    cache_drop(meeting->cache, 1);
    return NULL;
}

/* Reads after the drop has begun, so it may add; the drop has not ended. */
static void *run_add(void *arg)
{
    struct meeting *meeting = arg;
    uint64_t generation;
    struct row *row = row_new(2);

    while ((generation = cache_generation(meeting->cache)) == meeting->before)
        sched_yield();
    atomic_store(&meeting->adding, true);
    cache_add(meeting->cache, generation, "a", 1, 1, row);
    row_unref(row);
    return NULL;
}

TEST(a_row_added_while_a_drop_runs_is_in_reach_of_the_next_drop)
{
    void *(*const runs[])(void *) = {run_hold, run_drop, run_add};

    for (int round = 0; round < 300; round++) {
        struct meeting meeting = {.cache = cache_new(100, row_unref)};
        pthread_t threads[3];

        add(meeting.cache, "a", 1, 1);
        meeting.before = cache_generation(meeting.cache);
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, runs[i], &meeting), 0);
        for (size_t i = 0; i < 3; i++)
            pthread_join(threads[i], NULL);
        assert_int_not_equal(version_of(meeting.cache, "a"), 1);
        cache_drop(meeting.cache, 1);
        assert_int_equal(version_of(meeting.cache, "a"), 0);
        expect_no_leak(meeting.cache);
    }
}

/* ---- writers against readers ---- */

struct race {
    struct cache *cache;
    atomic_int_fast64_t database; /* the row's version on the disk */
    atomic_int_fast64_t finished; /* what finished writes have told their callers */
    atomic_bool stop;
    atomic_size_t wrong, found;
};

static void *read_rows(void *arg)
{
    struct race *race = arg;

    while (!atomic_load(&race->stop)) {
        int64_t known = atomic_load(&race->finished);
        int64_t seen = version_of(race->cache, "a");

        if (seen == 0) {
            uint64_t generation = cache_generation(race->cache);
            struct row *row = row_new(atomic_load(&race->database));

            sched_yield(); /* here a writer comes in */
            cache_add(race->cache, generation, "a", 1, 1, row);
            seen = row->version;
            row_unref(row);
        } else {
            atomic_fetch_add(&race->found, 1);
        }
        if (seen < known)
            atomic_fetch_add(&race->wrong, 1);
    }
    return NULL;
}

static void *write_rows(void *arg)
{
    struct race *race = arg;

    /* Until readers had a chance too, however the threads are scheduled. */
    for (int i = 0; i < WRITES || atomic_load(&race->found) < FINDS; i++) {
        int64_t version = atomic_fetch_add(&race->database, 1) + 1;
        int64_t told = atomic_load(&race->finished);

        cache_drop(race->cache, 1);
        while (told < version &&
               !atomic_compare_exchange_weak(&race->finished, &told, version)) {
        }
        if (i % 8 == 0)
            sched_yield();
    }
    return NULL;
}

/* Also finds rows that are stuck: found by key, and out of reach of every later drop. */
TEST(no_reader_finds_a_row_older_than_a_finished_write)
{
    struct race race = {.cache = cache_new(100, row_unref)};
    pthread_t readers[4], writers[2];

    atomic_store(&race.database, 1);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_rows, &race), 0);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&writers[i], NULL, write_rows, &race), 0);
    for (size_t i = 0; i < 2; i++)
        pthread_join(writers[i], NULL);
    atomic_store(&race.stop, true);
    for (size_t i = 0; i < 4; i++)
        pthread_join(readers[i], NULL);
    assert_int_equal(race.wrong, 0);
    assert_true(version_of(race.cache, "a") == 0 ||
                version_of(race.cache, "a") == atomic_load(&race.database));
    expect_no_leak(race.cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_added_is_found_and_counted),
        cmocka_unit_test(a_drop_takes_the_row_under_all_its_keys_and_no_other),
        cmocka_unit_test(a_row_read_before_a_drop_is_not_added_after_it),
        cmocka_unit_test(a_drop_by_a_condition_takes_what_matches),
        cmocka_unit_test(a_renewed_row_takes_the_place_of_the_old_one),
        cmocka_unit_test(a_full_cache_gives_up_what_was_not_used),
        cmocka_unit_test(a_row_added_while_a_drop_runs_is_in_reach_of_the_next_drop),
        cmocka_unit_test(no_reader_finds_a_row_older_than_a_finished_write),
    };

    return RUN(tests);
}
