/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers, secret memory, digests, the log and the thread pool. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/log.h"
#include "base/piece.h"
#include "base/pool.h"
#include "base/secret.h"
#include "base/str.h"
#include "test.h"

TEST(a_buffer_keeps_its_bound_and_says_so)
{
    struct buf buf;
    char *text;

    buf_init(&buf, 8);
    assert_true(buf_puts(&buf, "12345"));
    assert_false(buf_puts(&buf, "6789"));
    assert_true(buf.overflow);
    assert_false(buf_puts(&buf, "6"));
    assert_string_equal(buf.data, "12345");
    buf_drop_front(&buf, 2);
    assert_string_equal(buf.data, "345");
    buf_finish(&buf);

    buf_init(&buf, 0);
    text = buf_take(&buf, NULL);
    assert_string_equal(text, "");
    free(text);
}

TEST(numbers_are_written_as_formats_write_them)
{
    static const int64_t numbers[] = {
        0, 7, 10, 99, 100, -1, -10, 4096, INT64_MAX, INT64_MIN, 1705322096789};

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        char expected[32];
        struct buf buf;

        snprintf(expected, sizeof expected, "%lld", (long long)numbers[i]);
        buf_init(&buf, 0);
        buf_number(&buf, numbers[i]);
        assert_string_equal(buf.data, expected);
        buf_finish(&buf);
    }
}

/* Takes pieces of all sizes, marks each, and gives them back in another order. */
static void *use_pieces(void *arg)
{
    enum {
        COUNT = 80
    };
    unsigned char *pieces[COUNT];

    (void)arg;
    for (int round = 0; round < 20; round++) {
        for (size_t i = 0; i < COUNT; i++) {
            size_t size = i * 523 + 1; /* beyond what is kept, too */

            pieces[i] = piece_take(size);
            memset(pieces[i], (int)i, size);
        }
        for (size_t i = 0; i < COUNT; i++) {
            size_t k = (i * 37 + (size_t)round) % COUNT, size = k * 523 + 1;

            assert_int_equal(pieces[k][0], k);
            assert_int_equal(pieces[k][size - 1], k);
            if (round % 2 == 0)
                piece_give(pieces[k]);
            else
                free(pieces[k]); /* the C library takes them, too */
        }
    }
    piece_give(NULL);
    return NULL;
}

TEST(pieces_do_not_overlap_and_go_with_their_thread)
{
    pthread_t threads[3];

    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use_pieces, NULL), 0);
    for (size_t i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    use_pieces(NULL);
}

TEST(long_texts_are_formatted_whole)
{
    struct buf buf;

    buf_init_secret(&buf, 0);
    buf_printf(&buf, "%0500d|", 7);
    assert_int_equal(buf.len, 501);
    buf_finish(&buf);
}

TEST(secret_memory_is_wiped_before_it_is_used_again)
{
    char *first = secret_strndup("hunter2hunter2hunter2", 21), *again;
    void *large;

    secret_free(first);
    again = secret_alloc(22); /* the same piece: the free list is a stack */
    assert_ptr_equal(first, again);
    /* A free piece keeps the list's link in its first bytes. */
    for (size_t i = sizeof(void *); i < 22; i++)
        assert_int_equal(again[i], 0);
    assert_memory_not_equal(again, "hunter2h", sizeof(void *));
    secret_free(again);
    large = secret_alloc(1 << 20);
    memset(large, 1, 1 << 20);
    secret_free(large);
    secret_free(NULL);
}

TEST(secret_memory_that_is_freed_twice_ends_the_process)
{
    char *secret = secret_strndup("twice", 5);
    int status = 0;
    pid_t child;

    secret_free(secret);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        secret_free(secret);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

TEST(digests_match_their_published_vectors)
{
    uint8_t out[SHA256_LEN];
    char hex[2 * SHA256_LEN + 1];

    crypto_sha256("abc", 3, out);
    str_hex(out, sizeof out, hex);
    assert_string_equal(
        hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    crypto_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, out);
    str_hex(out, sizeof out, hex);
    assert_string_equal(
        hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    assert_true(crypto_equal("abc", 3, "abc", 3));
    assert_false(crypto_equal("abc", 3, "abd", 3));
    assert_false(crypto_equal("abc", 3, "ab", 2));
}

TEST(a_fresh_uuid_is_a_version_4)
{
    char a[UUID_TEXT_SIZE], b[UUID_TEXT_SIZE];

    crypto_uuid_v4(a);
    crypto_uuid_v4(b);
    assert_true(str_is_uuid_v4(a));
    assert_string_not_equal(a, b);
}

TEST(a_log_line_is_one_json_object)
{
    struct clock clock = {.frozen_ms = 1705322096789};
    int ends[2];
    char line[400];
    ssize_t len;
    cJSON *value;

    assert_int_equal(pipe(ends), 0);
    struct log log = {.fd = ends[1], .level = LOG_INFO, .clock = &clock};
    log_event(&log, LOG_DEBUG, "dropped", LOG_END);
    log_event(&log, LOG_WARN, "a \"b\"", LOG_STR("s", "x\ny"), LOG_INT("n", -3),
        LOG_BOOL("t", true), LOG_STR("none", NULL), LOG_END);
    len = read(ends[0], line, sizeof line);
    assert_true(len > 0 && line[len - 1] == '\n');
    value = json_parse(line, (size_t)len, NULL);
    assert_string_equal(json_str(value, "time"), "2024-01-15T12:34:56.789Z");
    assert_string_equal(json_str(value, "level"), "warn");
    assert_string_equal(json_str(value, "s"), "x\ny");
    assert_int_equal(json_get(value, "n")->valueint, -3);
    assert_true(json_bool(value, "t", false));
    assert_true(cJSON_IsNull(json_get(value, "none")));
    cJSON_Delete(value);
    close(ends[0]);
    close(ends[1]);
}

/* Reads to the end; returns how many lines there were, and what the one about lost events
 * says. */
static int count_lines(int fd, int64_t *lost)
{
    FILE *from = fdopen(fd, "r");
    char *line = NULL;
    size_t size = 0;
    int count = 0;

    *lost = 0;
    while (getline(&line, &size, from) > 0) {
        cJSON *value = json_parse(line, strlen(line), NULL);
        int64_t more = 0;

        assert_non_null(value); /* no line is cut */
        if (str_eq(json_str(value, "event"), "log events lost")) {
            assert_true(json_i64(value, "count", &more));
            *lost += more;
        } else {
            count++;
        }
        cJSON_Delete(value);
    }
    free(line);
    fclose(from);
    return count;
}

struct reading {
    int fd, count;
    int64_t lost;
};

static void *read_log(void *arg)
{
    struct reading *reading = arg;

    reading->count = count_lines(reading->fd, &reading->lost);
    return NULL;
}

TEST(a_slow_reader_of_the_log_holds_up_nobody_and_learns_what_it_missed)
{
    enum {
        EVENTS = 20000
    };
    struct clock clock = {0};
    struct reading reading = {0};
    pthread_t reader;
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    struct log log = {.fd = ends[1], .level = LOG_INFO, .clock = &clock};
    log_start(&log);
    for (int i = 0; i < EVENTS; i++) /* nobody reads yet */
        log_event(&log, LOG_INFO, "one of many", LOG_INT("i", i), LOG_END);
    reading.fd = ends[0];
    assert_int_equal(pthread_create(&reader, NULL, read_log, &reading), 0);
    log_flush(&log);
    log_event(&log, LOG_INFO, "the last", LOG_END);
    log_stop(&log);
    close(ends[1]);
    pthread_join(reader, NULL);
    assert_true(reading.lost > 0);
    assert_int_equal(reading.count + reading.lost, EVENTS + 1);
}

TEST(a_log_that_nobody_reads_does_not_keep_the_program_from_ending)
{
    struct clock clock = {0};
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    struct log log = {.fd = ends[1], .level = LOG_INFO, .clock = &clock};
    log_start(&log);
    for (int i = 0; i < 10000; i++)
        log_event(&log, LOG_INFO, "one of many", LOG_INT("i", i), LOG_END);
    log_stop(&log);
    close(ends[0]);
    close(ends[1]);
}

TEST(what_was_logged_before_an_abort_is_written)
{
    struct clock clock = {0};
    int ends[2], status = 0;
    int64_t lost;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct log log = {.fd = ends[1], .level = LOG_INFO, .clock = &clock};

        log_start(&log);
        log_event(&log, LOG_INFO, "the last", LOG_END);
        abort();
    }
    close(ends[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(count_lines(ends[0], &lost), 1);
}

static atomic_int ran;

static void count(void *arg)
{
    (void)arg;
    atomic_fetch_add(&ran, 1);
}

TEST(a_pool_runs_all_that_was_submitted_before_it_stopped)
{
    struct pool *pool = pool_new("test", 4);

    atomic_store(&ran, 0);
    for (int i = 0; i < 1000; i++)
        assert_true(pool_submit(pool, count, NULL));
    pool_stop(pool);
    assert_int_equal(atomic_load(&ran), 1000);
    assert_false(pool_submit(pool, count, NULL));
    pool_free(pool);
}

static pthread_barrier_t together;

static void meet(void *arg)
{
    (void)arg;
    pthread_barrier_wait(&together);
}

TEST(a_pool_starts_a_thread_for_each_job_that_blocks)
{
    struct pool *pool = pool_new("test", 4);

    pthread_barrier_init(&together, NULL, 5);
    for (int i = 0; i < 4; i++)
        pool_submit(pool, meet, NULL);
    pthread_barrier_wait(&together); /* returns only when all four run at once */
    pool_stop(pool);
    pool_free(pool);
    pthread_barrier_destroy(&together);
}

static void see_the_end(void *pool)
{
    assert_true(pool_gives_up(pool));
    atomic_fetch_add(&ran, 1);
}

TEST(a_pool_that_gives_up_runs_what_waits_at_once)
{
    struct pool *pool = pool_new("test", 1);

    atomic_store(&ran, 0);
    pthread_barrier_init(&together, NULL, 2);
    pool_submit(pool, meet, NULL); /* holds the only thread */
    while (pool_queued(pool) > 0)
        continue;
    for (int i = 0; i < 10; i++)
        pool_submit(pool, see_the_end, pool);
    pool_give_up(pool);
    assert_int_equal(atomic_load(&ran), 10);
    pool_submit(pool, see_the_end, pool);
    pthread_barrier_wait(&together);
    pool_stop(pool);
    assert_int_equal(atomic_load(&ran), 11);
    pool_free(pool);
    pthread_barrier_destroy(&together);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_buffer_keeps_its_bound_and_says_so),
        cmocka_unit_test(numbers_are_written_as_formats_write_them),
        cmocka_unit_test(pieces_do_not_overlap_and_go_with_their_thread),
        cmocka_unit_test(long_texts_are_formatted_whole),
        cmocka_unit_test(secret_memory_is_wiped_before_it_is_used_again),
        cmocka_unit_test(secret_memory_that_is_freed_twice_ends_the_process),
        cmocka_unit_test(digests_match_their_published_vectors),
        cmocka_unit_test(a_fresh_uuid_is_a_version_4),
        cmocka_unit_test(a_log_line_is_one_json_object),
        cmocka_unit_test(
            a_slow_reader_of_the_log_holds_up_nobody_and_learns_what_it_missed),
        cmocka_unit_test(a_log_that_nobody_reads_does_not_keep_the_program_from_ending),
        cmocka_unit_test(what_was_logged_before_an_abort_is_written),
        cmocka_unit_test(a_pool_runs_all_that_was_submitted_before_it_stopped),
        cmocka_unit_test(a_pool_that_gives_up_runs_what_waits_at_once),
        cmocka_unit_test(a_pool_starts_a_thread_for_each_job_that_blocks),
    };

    return RUN(tests);
}
