/* SPDX-License-Identifier: Apache-2.0 */
/* A disk that fails under SQLite: no sync, or now and then no write. This program's own
 * fdatasync() and pwrite64() stand before those of the C library, and SQLite calls them.
 *
 * What must hold: a write says that it failed or is kept for good, nothing crashes, and
 * once the disk is well again so is the store. */
#include "world.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    WRITERS = 8
};

/* The C library's functions have no argument to carry this in. */
static struct {
    atomic_bool no_sync;
    atomic_int write_fails_every; /* 0 = never */
    atomic_int writes, refused;
} disk;

__attribute__((visibility("default"))) int fdatasync(int fd)
{
    if (atomic_load(&disk.no_sync)) {
        atomic_fetch_add(&disk.refused, 1);
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}

__attribute__((visibility("default"))) ssize_t pwrite64(
    int fd, const void *data, size_t len, off64_t at)
{
    int every = atomic_load(&disk.write_fails_every);

    if (every > 0 && atomic_fetch_add(&disk.writes, 1) % every == every - 1) {
        atomic_fetch_add(&disk.refused, 1);
        errno = atomic_load(&disk.refused) % 2 == 0 ? EIO : ENOSPC;
        return -1;
    }
    return syscall(SYS_pwrite64, fd, data, len, at);
}

struct writer {
    struct world *w;
    size_t me, count;
    bool kept[100];
    char reason[512]; /* of the last failure */
};

static void *write_some(void *arg)
{
    struct writer *writer = arg;

    for (size_t i = 0; i < writer->count; i++) {
        struct connection_row wanted, *made = NULL;
        struct err err = {0};
        char id[32];
        bool created;

        (void)snprintf(id, sizeof id, "u-%zu-%zu", writer->me, i);
        wanted = a_connection(writer->w->github, id);
        writer->kept[i] =
            store_put_connection(writer->w->store, &wanted, NULL, &created, &made, &err);
        if (!writer->kept[i])
            str_copy(writer->reason, sizeof writer->reason, err.message);
        connection_row_unref(made);
    }
    return NULL;
}

static size_t run_writers(struct world *w, size_t count, struct writer *writers)
{
    pthread_t threads[WRITERS];
    size_t kept = 0;

    for (size_t i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.w = w, .me = i, .count = count};
        assert_int_equal(pthread_create(&threads[i], NULL, write_some, &writers[i]), 0);
    }
    for (size_t i = 0; i < WRITERS; i++) {
        pthread_join(threads[i], NULL);
        for (size_t n = 0; n < count; n++)
            kept += writers[i].kept[n];
    }
    return kept;
}

static void expect_kept(struct world *w, const struct writer *writers)
{
    for (size_t i = 0; i < WRITERS; i++) {
        for (size_t n = 0; n < writers[i].count; n++) {
            char id[32];

            (void)snprintf(id, sizeof id, "u-%zu-%zu", i, n);
            if (writers[i].kept[n] && !is_there(w, w->github, id))
                fail_msg("%s was acknowledged and is lost", id);
        }
    }
}

TEST(without_a_sync_no_write_succeeds)
{
    static struct writer writers[WRITERS];
    struct world w;
    size_t count;

    world_begin(&w);
    atomic_store(&disk.refused, 0);
    atomic_store(&disk.no_sync, true);
    assert_int_equal(run_writers(&w, 5, writers), 0);
    atomic_store(&disk.no_sync, false);
    assert_true(atomic_load(&disk.refused) > 0); /* it was our fdatasync() */
    for (size_t i = 0; i < WRITERS; i++)
        assert_non_null(strstr(writers[i].reason, "disk I/O error"));
    MUST(store_count_connections(w.store, w.github->id, &count, &err));
    assert_int_equal(count, 0);

    assert_int_equal(run_writers(&w, 5, writers), 5 * WRITERS);
    world_reopen(&w);
    expect_kept(&w, writers);
    MUST(store_check(w.store, &err));
    world_end(&w);
}

TEST(writes_that_fail_now_and_then_lose_nothing_acknowledged)
{
    static const int every[] = {7, 50, 211};
    static struct writer writers[WRITERS];

    for (size_t i = 0; i < sizeof every / sizeof every[0]; i++) {
        struct world w;
        size_t kept;

        world_begin(&w);
        atomic_store(&disk.refused, 0);
        atomic_store(&disk.write_fails_every, every[i]);
        kept = run_writers(&w, 100, writers);
        atomic_store(&disk.write_fails_every, 0);
        print_message("every %d. write fails: %zu of %d puts acknowledged\n", every[i],
            kept, 100 * WRITERS);
        assert_true(atomic_load(&disk.refused) > 0);
        assert_true(kept < 100 * (size_t)WRITERS && (kept > 0 || every[i] < 50));
        expect_kept(&w, writers);
        connection_row_unref(given_connection(&w, w.github, "after"));
        world_reopen(&w);
        expect_kept(&w, writers);
        assert_true(is_there(&w, w.github, "after"));
        MUST(store_check(w.store, &err));
        world_end(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_sync_no_write_succeeds),
        cmocka_unit_test(writes_that_fail_now_and_then_lose_nothing_acknowledged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
