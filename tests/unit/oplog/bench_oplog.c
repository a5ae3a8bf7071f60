/* SPDX-License-Identifier: Apache-2.0 */
/* What telling costs those who tell, what the writer makes of it, and how long it takes to
 * find something. Prints; fails on nothing but failure. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "test.h"
#include "world.h"

#define CALLS 500000
#define OPERATIONS 100000

static double cpu_s(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* `tell` so many times: microseconds of this thread, and of the writer, for each. */
static void measure(
    struct world *w, const char *what, int count, void (*tell)(struct world *w, int i))
{
    struct stat before, after;
    double own = cpu_s(CLOCK_THREAD_CPUTIME_ID), all = cpu_s(CLOCK_PROCESS_CPUTIME_ID);
    char *path = world_path(w, "logs.db");

    world_flush(w);
    assert_int_equal(stat(path, &before), 0);
    for (int i = 0; i < count; i++) {
        tell(w, i);
        if (i % 500 == 0) /* as in a moment of a busy server */
            world_flush(w);
    }
    world_flush(w);
    own = cpu_s(CLOCK_THREAD_CPUTIME_ID) - own;
    all = cpu_s(CLOCK_PROCESS_CPUTIME_ID) - all;
    world_sql(w, "PRAGMA wal_checkpoint(TRUNCATE)");
    assert_int_equal(stat(path, &after), 0);
    printf("%-40s %6.2f µs told, %6.2f µs written, %4.0f bytes\n", what,
        own * 1e6 / count, (all - own) * 1e6 / count,
        (double)(after.st_size - before.st_size) / count);
    free(path);
}

static void tell_call(struct world *w, int i)
{
    char url[80];

    (void)snprintf(
        url, sizeof url, "https://api.example.com/v1/items/%d?page=%d", i * 7919, i);
    world_pass(w, i % 50 == 0);
    world_call(w, 1, url, 200);
}

static void tell_operation(struct world *w, int i)
{
    struct oplog_op op = world_begin(w, "create-issue");

    world_pass(w, i % 5 == 0);
    oplog_move(&op, OPLOG_RUNNING);
    oplog_say(&op, OPLOG_INFO, NULL, "The script begins");
    oplog_say_for_script(
        &op, OPLOG_INFO, "an issue was made", (struct json_raw){"{\"id\":12345}", 12});
    oplog_say(&op, OPLOG_INFO, NULL, "The script ended after 12 ms");
    oplog_end(&op, OPLOG_SUCCESS, NULL);
}

static void search(struct world *w, const char *what, const struct oplog_filter *filter)
{
    int64_t began_us = clock_mono_us();
    size_t count, pages = 0;
    struct oplog_filter page = *filter;
    struct err err = {0};

    do {
        struct oplog_row **rows;
        int64_t next;

        assert_true(oplog_list(w->log, &page, &rows, &count, &next, &err));
        oplog_rows_free(rows, count);
        page.before = next;
        pages++;
    } while (page.before != 0 && count == 0);
    printf("%-40s %6.1f ms (%zu requests)\n", what,
        (double)(clock_mono_us() - began_us) / 1000, pages);
}

TEST(figures)
{
    static const char *const action[] = {"action", NULL};
    struct world w;

    world_make(&w);
    w.config.queue_bytes = (size_t)1 << 30;
    w.config.level = OPLOG_INFO;
    w.config.retention_ms = 3650 * DAY_MS;
    world_start(&w);
    measure(&w, "a proxied call", CALLS, tell_call);
    measure(&w, "an operation with three messages", OPERATIONS, tell_operation);
    search(&w, "the newest 50", &(struct oplog_filter){.environment_id = 1, .limit = 50});
    search(&w, "an action of a connection that is not there",
        &(struct oplog_filter){
            .environment_id = 1, .limit = 50, .types = action, .connection = "nobody"});
    search(&w, "a text that is not there",
        &(struct oplog_filter){.environment_id = 1, .limit = 50, .search = "no such"});
    world_finish(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(figures)};

    return RUN(tests);
}
