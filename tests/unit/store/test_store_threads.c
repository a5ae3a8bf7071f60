/* SPDX-License-Identifier: Apache-2.0 */
/* Many threads on one store: the cache never shows an older row than one that a finished
 * write replaced, commits are shared, and what may happen once happens once. Run under
 * the thread sanitizer as well. */
#include "world.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/mem.h"

enum {
    THREADS = 8
};

static void run_threads(size_t count, void *(*run)(void *arg), void *arg)
{
    pthread_t *threads = mem_zalloc(count * sizeof *threads);

    for (size_t i = 0; i < count; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run, arg), 0);
    for (size_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    free(threads);
}

/* ---- coherence ---- */

struct race {
    struct world *w;
    size_t rounds;
    int64_t ids[4];
    atomic_int_fast64_t finished[4]; /* the highest version a finished write made */
    atomic_size_t next;
    atomic_size_t wrong;
};

static const char *const names[4] = {"u-0", "u-1", "u-2", "u-3"};

/* Odd threads write, even ones read; all of them compare what they see with what they
 * know. */
static void *race(void *arg)
{
    struct race *race = arg;
    size_t me = atomic_fetch_add(&race->next, 1);
    struct store *store = race->w->store;

    for (size_t i = 0; i < race->rounds * (me % 2 == 0 ? 20 : 1); i++) {
        size_t at = (i + me) % 4;
        struct connection_row *row = NULL;
        int64_t known = atomic_load(&race->finished[at]);
        struct err err = {0};

        if (me % 2 == 1) {
            struct connection_row wanted = a_connection(race->w->github, names[at]);
            bool created;

            if (!store_put_connection(store, &wanted, NULL, &created, &row, &err)) {
                atomic_fetch_add(&race->wrong, 1);
                continue;
            }
            while (
                known < row->version && !atomic_compare_exchange_weak(
                                            &race->finished[at], &known, row->version)) {
            }
            known = row->version;
            connection_row_unref(row);
        }
        if (!store_find_connection(
                store, race->w->env->id, "github", names[at], &row, &err) ||
            row == NULL || row->version < known)
            atomic_fetch_add(&race->wrong, 1);
        if (i % 7 == 0)
            store_touch_connection(store, race->ids[at], NOW_MS + (int64_t)i * 1000);
        connection_row_unref(row);
    }
    return NULL;
}

TEST(no_thread_sees_a_row_older_than_a_finished_write)
{
    struct world w;
    struct race shared = {.w = &w, .rounds = env_number("SOAK", 1) * 200};
    struct store_stats stats;

    world_begin(&w);
    for (size_t i = 0; i < 4; i++) {
        struct connection_row *row = given_connection(&w, w.github, names[i]);

        shared.ids[i] = row->id;
        connection_row_unref(row);
    }
    run_threads(THREADS, race, &shared);
    assert_int_equal(shared.wrong, 0);
    store_stats(w.store, &stats);
    assert_true(stats.cache_hits > 0 && stats.cache_misses > 0);
    MUST(store_check(w.store, &err));
    world_end(&w);
}

/* Rows come and go while the cache is far too small for them. */
static void *churn(void *arg)
{
    struct race *race = arg;
    size_t me = atomic_fetch_add(&race->next, 1);

    for (size_t i = 0; i < race->rounds; i++) {
        struct connection_row *row = NULL;
        struct err err = {0};
        char id[32];

        (void)snprintf(id, sizeof id, "u-%zu", (i * 7 + me) % 200);
        if (!store_find_connection(
                race->w->store, race->w->env->id, "github", id, &row, &err) ||
            row == NULL || strcmp(row->connection_id, id) != 0)
            atomic_fetch_add(&race->wrong, 1);
        connection_row_unref(row);
    }
    return NULL;
}

TEST(a_cache_smaller_than_the_work_still_answers_right)
{
    struct world w;
    struct race shared = {.w = &w, .rounds = env_number("SOAK", 1) * 2000};
    struct store_config config = {.cache_entries = 32};

    world_begin(&w);
    for (size_t i = 0; i < 200; i++) {
        char id[32];

        (void)snprintf(id, sizeof id, "u-%zu", i);
        connection_row_unref(given_connection(&w, w.github, id));
    }
    store_close(w.store);
    config.data_dir = w.dir;
    config.clock = &w.clock;
    MUST(open_store(&config, &w.store, &err));
    run_threads(THREADS, churn, &shared);
    assert_int_equal(shared.wrong, 0);
    world_end(&w);
}

/* ---- group commit ---- */

struct writers {
    struct world *w;
    size_t each;
    atomic_size_t next;
    atomic_size_t ok, conflicts, other;
};

/* Every fourth write is one that fails. */
static void *write_many(void *arg)
{
    struct writers *all = arg;
    size_t me = atomic_fetch_add(&all->next, 1);

    for (size_t i = 0; i < all->each; i++) {
        struct environment_row row = {0}, *made = NULL;
        struct err err = {0};

        row.name = i % 4 == 3 ? str_dup("dev") : str_printf("e-%zu-%zu", me, i);
        crypto_uuid_v4(row.uuid);
        crypto_uuid_v4(row.public_key);
        if (store_insert_environment(all->w->store, &row, &made, &err))
            atomic_fetch_add(&all->ok, 1);
        else if (strcmp(err.code, "conflict") == 0)
            atomic_fetch_add(&all->conflicts, 1);
        else
            atomic_fetch_add(&all->other, 1);
        environment_row_unref(made);
        free(row.name);
    }
    return NULL;
}

TEST(concurrent_writes_share_commits_and_a_failing_one_spoils_no_other)
{
    struct world w;
    struct writers all = {.w = &w, .each = 40};
    struct store_stats before, after;
    struct environment_row **rows;
    size_t count;

    world_begin(&w);
    store_stats(w.store, &before);
    run_threads(32, write_many, &all);
    store_stats(w.store, &after);
    assert_int_equal(all.ok, 32 * 30);
    assert_int_equal(all.conflicts, 32 * 10);
    assert_int_equal(all.other, 0);
    assert_int_equal(after.writes - before.writes, 32 * 40);
    assert_true(after.commits - before.commits < (after.writes - before.writes) / 2);
    world_reopen(&w);
    MUST(store_list_environments(w.store, &rows, &count, &err));
    assert_int_equal(count, 1 + 32 * 30);
    store_environments_free(rows, count);
    world_end(&w);
}

/* ---- once ---- */

struct once {
    struct world *w;
    uint8_t states[50][SHA256_LEN];
    int64_t connection;
    atomic_size_t next;
    atomic_size_t taken, leased, failed;
};

static void *take_all(void *arg)
{
    struct once *once = arg;
    char holder[32];
    bool leased;
    struct err err = {0};

    (void)snprintf(holder, sizeof holder, "h-%zu", atomic_fetch_add(&once->next, 1));
    for (size_t i = 0; i < 50; i++) {
        struct oauth_state_row *row = NULL;

        if (!store_take_oauth_state(once->w->store, once->states[i], NOW_MS, &row, &err))
            atomic_fetch_add(&once->failed, 1);
        if (row != NULL)
            atomic_fetch_add(&once->taken, 1);
        oauth_state_row_free(row);
    }
    if (!store_take_refresh_lease(
            once->w->store, once->connection, holder, 1000, &leased, &err))
        atomic_fetch_add(&once->failed, 1);
    if (leased)
        atomic_fetch_add(&once->leased, 1);
    return NULL;
}

TEST(of_many_takers_one_gets_the_state_and_one_the_lease)
{
    struct world w;
    struct once once = {.w = &w};
    struct connection_row *row;

    world_begin(&w);
    row = given_connection(&w, w.github, "u-1");
    once.connection = row->id;
    connection_row_unref(row);
    for (size_t i = 0; i < 50; i++) {
        struct oauth_state_row fresh = {.environment_id = w.env->id,
            .payload = text_blob("p"),
            .expires_at_ms = NOW_MS + 1};

        crypto_random(once.states[i], SHA256_LEN);
        MUST(store_insert_oauth_state(w.store, once.states[i], &fresh, &err));
    }
    run_threads(THREADS, take_all, &once);
    assert_int_equal(once.failed, 0);
    assert_int_equal(once.taken, 50);
    assert_int_equal(once.leased, 1);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_thread_sees_a_row_older_than_a_finished_write),
        cmocka_unit_test(a_cache_smaller_than_the_work_still_answers_right),
        cmocka_unit_test(
            concurrent_writes_share_commits_and_a_failing_one_spoils_no_other),
        cmocka_unit_test(of_many_takers_one_gets_the_state_and_one_the_lease),
    };

    return RUN_FOR_EACH_STORE(tests);
}
