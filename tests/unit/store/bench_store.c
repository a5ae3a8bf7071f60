/* SPDX-License-Identifier: Apache-2.0 */
/* How fast the store is: point reads with and without the cache, durable writes by 1, 16
 * and 64 threads. Not a test: prints figures. TMPDIR says which disk. */
#include "world.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum {
    CONNECTIONS = 5000,
    RUN_MS = 2000
};

struct bench {
    struct world *w;
    atomic_bool stop;
    atomic_size_t done, next;
    void (*once)(struct bench *bench, size_t me, size_t i);
};

static void find_one(struct bench *bench, size_t me, size_t i)
{
    char id[32];

    (void)snprintf(id, sizeof id, "u-%zu", (i * 7919 + me) % CONNECTIONS);
    assert_true(is_there(bench->w, bench->w->github, id));
}

static void put_one(struct bench *bench, size_t me, size_t i)
{
    char id[32];

    (void)snprintf(id, sizeof id, "w-%zu-%zu", me, i % 50);
    connection_row_unref(given_connection(bench->w, bench->w->slack, id));
}

static void *repeat(void *arg)
{
    struct bench *bench = arg;
    size_t me = atomic_fetch_add(&bench->next, 1), i = 0;

    while (!atomic_load_explicit(&bench->stop, memory_order_relaxed))
        bench->once(bench, me, i++);
    atomic_fetch_add(&bench->done, i);
    return NULL;
}

static void measure(struct world *w, const char *what, size_t threads,
    void (*once)(struct bench *bench, size_t me, size_t i))
{
    struct bench bench = {.w = w, .once = once};
    struct timespec time = {RUN_MS / 1000, RUN_MS % 1000 * 1000000L};
    struct store_stats before, after;
    pthread_t ids[64];
    int64_t start = clock_mono_us();
    double seconds;

    store_stats(w->store, &before);
    for (size_t i = 0; i < threads; i++)
        assert_int_equal(pthread_create(&ids[i], NULL, repeat, &bench), 0);
    (void)nanosleep(&time, NULL);
    atomic_store(&bench.stop, true);
    for (size_t i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
    seconds = (double)(clock_mono_us() - start) / 1e6;
    store_stats(w->store, &after);
    printf("%-16s %2zu threads: %9.0f/s", what, threads, (double)bench.done / seconds);
    if (after.commits > before.commits)
        printf("   %.0f commits/s, %.1f writes each",
            (double)(after.commits - before.commits) / seconds,
            (double)(after.writes - before.writes) /
                (double)(after.commits - before.commits));
    printf("\n");
}

int main(void)
{
    struct world w;
    struct store_config config = {.cache_entries = 1};

    world_begin(&w);
    for (size_t i = 0; i < CONNECTIONS; i++) {
        char id[32];

        (void)snprintf(id, sizeof id, "u-%zu", i);
        connection_row_unref(given_connection(&w, w.github, id));
    }
    measure(&w, "find, cached", 1, find_one);
    measure(&w, "find, cached", 2, find_one);
    measure(&w, "find, cached", 16, find_one);
    measure(&w, "put, durable", 1, put_one);
    measure(&w, "put, durable", 16, put_one);
    measure(&w, "put, durable", 64, put_one);
    store_close(w.store);
    config.data_dir = w.dir;
    config.clock = &w.clock;
    MUST(open_store(&config, &w.store, &err));
    measure(&w, "find, uncached", 1, find_one);
    measure(&w, "find, uncached", 2, find_one);
    measure(&w, "find, uncached", 16, find_one);
    world_end(&w);
    return 0;
}
