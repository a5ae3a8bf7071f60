/* SPDX-License-Identifier: Apache-2.0 */
/* Telling, the queue, the writer, sweeping, and the file's life. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "oplog/oplog_int.h"
#include "test.h"
#include "world.h"

#define OTHER 7 /* an environment */

static enum oplog_state state_of(struct world *w, int64_t id)
{
    struct oplog_row *row = world_find(w, id);
    enum oplog_state state = row->state;

    oplog_row_free(row);
    return state;
}

static bool is_there(struct world *w, int64_t environment_id, int64_t id)
{
    struct oplog_row *row = NULL;
    struct err err = {0};
    bool there;

    world_flush(w);
    assert_true(oplog_find(w->log, environment_id, id, &row, &err));
    there = row != NULL;
    oplog_row_free(row);
    return there;
}

/* ---- operations ---- */

TEST(an_operation_is_kept_with_all_that_was_told_of_it)
{
    struct oplog_error error = {"action_failure", "It broke", "at line 1"};
    struct oplog_message **list;
    struct oplog_row *row;
    struct oplog_op op;
    struct world w;
    size_t count;

    world_make(&w);
    world_start(&w);
    op = world_begin(&w, "create-issue");
    oplog_say(&op, OPLOG_INFO, "{\"n\":1}", "began %d", 1);
    oplog_say_for_script(&op, OPLOG_WARN, "careful", (struct json_raw){"[2]", 3});
    oplog_say_error(&op, &error, "It broke");
    world_pass(&w, 250);
    oplog_end(&op, OPLOG_FAILED, &error);

    row = world_find(&w, op.id);
    assert_int_equal(row->state, OPLOG_FAILED);
    assert_string_equal(row->type, "action");
    assert_string_equal(row->action, "run");
    assert_string_equal(row->integration, "github");
    assert_string_equal(row->connection, "user-1");
    assert_int_equal(row->connection_id, 5);
    assert_string_equal(row->script, "create-issue");
    assert_string_equal(row->meta, "{\"version\":\"1.2\"}");
    assert_int_equal(row->ended_at_ms - row->created_at_ms, 250);
    assert_int_equal(row->started_at_ms, row->created_at_ms);
    assert_string_equal(row->error,
        "{\"type\":\"action_failure\",\"message\":\"It broke\",\"stack\":\"at line 1\"}");
    oplog_row_free(row);

    list = world_messages(&w, &op, &count);
    assert_int_equal(count, 3);
    assert_string_equal(list[0]->text, "began 1");
    assert_string_equal(list[0]->detail, "{\"meta\":{\"n\":1}}");
    assert_false(list[0]->by_script);
    assert_string_equal(list[1]->text, "careful");
    assert_string_equal(list[1]->detail, "{\"meta\":[2]}");
    assert_int_equal(list[1]->level, OPLOG_WARN);
    assert_true(list[1]->by_script);
    assert_int_equal(list[2]->level, OPLOG_ERROR);
    oplog_messages_free(list, count);
    world_finish(&w);
}

TEST(an_operation_moves_on_from_batch_to_batch)
{
    struct oplog_subject subject = {
        .environment_id = 1, .type = "action", .action = "run"};
    struct oplog_row *row;
    struct oplog_op op;
    struct world w;

    world_make(&w);
    world_start(&w);
    op = oplog_begin(w.log, &subject, OPLOG_WAITING);
    assert_int_equal(state_of(&w, op.id), OPLOG_WAITING);
    world_pass(&w, 5);
    oplog_move(&op, OPLOG_RUNNING);
    assert_int_equal(state_of(&w, op.id), OPLOG_RUNNING);
    world_pass(&w, 5);
    oplog_move(&op, OPLOG_WAITING);
    assert_int_equal(state_of(&w, op.id), OPLOG_WAITING);
    world_pass(&w, 5);
    oplog_end(&op, OPLOG_SUCCESS, NULL);
    row = world_find(&w, op.id);
    assert_int_equal(row->state, OPLOG_SUCCESS);
    assert_int_equal(row->started_at_ms, row->created_at_ms + 5);
    assert_int_equal(row->ended_at_ms, row->created_at_ms + 15);
    assert_null(row->error);
    oplog_row_free(row);
    world_finish(&w);
}

TEST(one_that_is_begun_again_keeps_its_beginning)
{
    struct oplog_subject first = {.environment_id = 1,
        .type = "auth",
        .action = "create_connection",
        .message = "Authorization"};
    struct oplog_subject again = {.environment_id = 1,
        .type = "auth",
        .action = "create_connection",
        .integration = "github",
        .integration_id = 3};
    struct oplog_error error = {"token_err", "no", NULL};
    struct oplog_row *row;
    struct oplog_op op;
    struct world w;
    int64_t id;

    world_make(&w);
    world_start(&w);
    id = oplog_id_of(w.clock.frozen_ms, 77);
    op = oplog_begin_as(w.log, id, &first, OPLOG_RUNNING);
    oplog_end(&op, OPLOG_FAILED, &error);
    world_flush(&w);
    world_pass(&w, MINUTE_MS);
    op = oplog_begin_as(w.log, id, &again, OPLOG_RUNNING);
    row = world_find(&w, id);
    assert_int_equal(row->state, OPLOG_RUNNING);
    assert_int_equal(row->created_at_ms, w.clock.frozen_ms - MINUTE_MS);
    assert_string_equal(row->message, "Authorization");
    assert_string_equal(row->integration, "github");
    assert_null(row->error);
    oplog_row_free(row);
    oplog_end(&op, OPLOG_SUCCESS, NULL);
    assert_int_equal(state_of(&w, id), OPLOG_SUCCESS);
    assert_int_equal(world_count(&w, 1), 1);
    world_finish(&w);
}

TEST(ids_have_one_spelling)
{
    static const char *const bad[] = {"", "x", "20231114_18bcfe568000000", NULL,
        "20231115_18bcfe5680000001", "20231114_18BCFE5680000001",
        "20231114-18bcfe5680000001", "20231114_18bcfe568000000g",
        "00000000_0000000000000000", "20231114_f8bcfe5680000001"};
    char text[OPLOG_ID_SIZE];
    int64_t id, again;

    id = oplog_id_of(INT64_C(1700000000000), 1);
    oplog_id_text(id, text);
    assert_string_equal(text, "20231114_18bcfe5680000001");
    assert_true(oplog_id_parse(text, &again));
    assert_int_equal(again, id);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(oplog_id_parse(bad[i], &again));
    assert_int_equal(again, id); /* as it was */
}

TEST(without_logs_there_are_ids_and_nothing_else)
{
    struct oplog_subject subject = {
        .environment_id = 1, .type = "action", .action = "run"};
    struct oplog_op op = oplog_begin(NULL, &subject, OPLOG_RUNNING);
    struct oplog_stats stats;

    assert_true(op.id != 0);
    assert_null(op.log);
    oplog_say(&op, OPLOG_ERROR, NULL, "nobody hears");
    oplog_move(&op, OPLOG_WAITING);
    oplog_end(&op, OPLOG_FAILED, NULL);
    oplog_stats(NULL, &stats);
    assert_int_equal(stats.operations, 0);
    assert_true(oplog_flush(NULL, 0));
    oplog_stop(NULL);
}

TEST(what_is_below_the_level_is_not_kept)
{
    struct oplog_message **list;
    struct oplog_op op;
    struct world w;
    size_t count;

    world_make(&w);
    w.config.level = OPLOG_WARN;
    world_start(&w);
    op = world_begin(&w, "quiet");
    oplog_say(&op, OPLOG_INFO, NULL, "not this");
    oplog_say(&op, OPLOG_WARN, NULL, "this");
    world_call(&w, 1, "https://api.example.com/good", 200);
    world_call(&w, 1, "https://api.example.com/bad", 500);
    oplog_end(&op, OPLOG_SUCCESS, NULL);
    list = world_messages(&w, &op, &count);
    assert_int_equal(count, 1);
    assert_string_equal(list[0]->text, "this");
    oplog_messages_free(list, count);
    assert_int_equal(world_count(&w, 1), 2); /* the operation, and the call that failed */
    oplog_set_level(w.log, OPLOG_INFO);
    world_call(&w, 1, "https://api.example.com/good", 200);
    assert_int_equal(world_count(&w, 1), 3);
    world_finish(&w);
}

TEST(a_message_is_cut_at_its_bound_between_characters)
{
    size_t len = OPLOG_MESSAGE_MAX + 10;
    struct oplog_message **list;
    struct oplog_op op;
    struct world w;
    size_t count;
    char *text = malloc(len + 1), *meta = malloc(len + 3);

    memset(text, 'x', len);
    memcpy(text + OPLOG_MESSAGE_MAX - 1, "\xc3\xa9", 2); /* é, across the bound */
    text[len] = '\0';
    memset(meta, 'y', len + 2);
    meta[0] = meta[len + 1] = '"';
    world_make(&w);
    world_start(&w);
    op = world_begin(&w, "wordy");
    oplog_say_for_script(&op, OPLOG_INFO, text, (struct json_raw){NULL, 0});
    oplog_say_for_script(&op, OPLOG_INFO, "short", (struct json_raw){meta, len + 2});
    list = world_messages(&w, &op, &count);
    assert_int_equal(count, 2);
    assert_true(strlen(list[0]->text) < OPLOG_MESSAGE_MAX + 30);
    assert_true(str_ends(list[0]->text, "x... (truncated)"));
    assert_true(strlen(list[1]->detail) < OPLOG_MESSAGE_MAX + 100);
    assert_true(str_ends(list[1]->detail, "yyy... (truncated)\"}"));
    oplog_messages_free(list, count);
    free(text);
    free(meta);
    world_finish(&w);
}

/* ---- the queue ---- */

TEST(a_file_that_is_held_makes_nobody_wait_and_drops_what_matters_least_first)
{
    struct oplog_message **list;
    struct oplog_stats stats;
    struct oplog_op op;
    struct world w;
    size_t count, calls = 0, messages = 0, begun = 0;
    char expected[80];
    uint64_t dropped;

    world_make(&w);
    w.config.queue_bytes = 64 * 1024;
    world_start(&w);
    op = world_begin(&w, "long");
    world_flush(&w);
    world_hold(&w);
    /* Nothing is written from here on, and all of this returns. */
    do {
        world_call(&w, 1, "https://api.example.com/items", 200);
        calls++;
        oplog_stats(w.log, &stats);
    } while (stats.dropped == 0);
    do {
        oplog_say(&op, OPLOG_INFO, NULL, "message %zu", ++messages);
        oplog_stats(w.log, &stats);
    } while (stats.dropped == 1);
    oplog_say(&op, OPLOG_INFO, NULL, "another that is dropped");
    do {
        begun++;
        oplog_stats(w.log, &stats);
    } while (world_begin(&w, "new").log != NULL);
    assert_true(messages > 10 && begun > 10);
    oplog_end(&op, OPLOG_SUCCESS, NULL); /* there is always room for an end */
    assert_false(oplog_flush(w.log, 0));
    oplog_stats(w.log, &stats);
    dropped = stats.dropped;
    assert_int_equal(dropped, 1 + 2 + 1);
    world_let_go(&w);

    list = world_messages(&w, &op, &count);
    assert_int_equal(count, messages - 1 + 1);
    (void)snprintf(expected, sizeof expected,
        "2 messages were dropped: more was told than could be written");
    assert_string_equal(list[count - 1]->text, expected);
    assert_int_equal(list[count - 1]->level, OPLOG_WARN);
    oplog_messages_free(list, count);
    assert_int_equal(state_of(&w, op.id), OPLOG_SUCCESS);
    assert_int_equal(world_count(&w, 1), 1 + (calls - 1) + (begun - 1));
    oplog_stats(w.log, &stats);
    assert_int_equal(stats.dropped, dropped);
    assert_int_equal(stats.queued_bytes, 0);
    world_finish(&w);
}

#define TELLERS 4
#define TOLD 5000

static void *tell_much(void *arg)
{
    struct world *w = arg;

    for (int i = 0; i < TOLD; i++) {
        struct oplog_op op = world_begin(w, "busy");

        oplog_say(&op, OPLOG_INFO, NULL, "one");
        oplog_end(&op, OPLOG_SUCCESS, NULL);
        world_call(w, OTHER, "https://api.example.com/items", 200);
    }
    return NULL;
}

TEST(many_threads_tell_at_once_and_nothing_is_lost)
{
    pthread_t threads[TELLERS];
    struct oplog_stats stats;
    struct world w;

    world_make(&w);
    w.config.queue_bytes = (size_t)256 << 20;
    world_start(&w);
    for (size_t i = 0; i < TELLERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, tell_much, &w), 0);
    for (size_t i = 0; i < TELLERS; i++)
        pthread_join(threads[i], NULL);
    world_flush(&w);
    oplog_stats(w.log, &stats);
    assert_int_equal(stats.dropped, 0);
    assert_int_equal(stats.operations, 2 * TELLERS * TOLD);
    assert_int_equal(stats.messages, TELLERS * TOLD);
    assert_int_equal(world_number(&w, "SELECT count(*) FROM operation WHERE state = 2"),
        TELLERS * TOLD);
    assert_int_equal(world_count(&w, OTHER), TELLERS * TOLD);
    world_finish(&w);
}

TEST(a_stop_writes_what_was_told_before)
{
    struct oplog_op op;
    struct world w;

    world_make(&w);
    world_start(&w);
    op = world_begin(&w, "last");
    oplog_end(&op, OPLOG_SUCCESS, NULL);
    world_restart(&w);
    assert_int_equal(state_of(&w, op.id), OPLOG_SUCCESS);
    world_finish(&w);
}

TEST(a_stop_gives_up_a_file_that_is_held)
{
    struct world w;

    world_make(&w);
    world_start(&w);
    world_hold(&w);
    (void)world_begin(&w, "lost");
    oplog_stop(w.log);
    w.log = NULL;
    world_let_go(&w);
    world_start(&w);
    assert_int_equal(world_count(&w, 1), 0);
    world_finish(&w);
}

/* ---- sweeping ---- */

TEST(what_is_too_old_goes_with_all_that_belongs_to_it)
{
    struct oplog_op old, young;
    struct world w;

    world_make(&w);
    w.config.queue_bytes = (size_t)64 << 20;
    world_start(&w);
    old = world_begin(&w, "old");
    for (int i = 0; i < 5000; i++) /* more than one step */
        oplog_say(&old, OPLOG_INFO, NULL, "message %d", i);
    oplog_end(&old, OPLOG_SUCCESS, NULL);
    world_call(&w, 1, "https://api.example.com/old", 200);
    world_call(&w, OTHER, "https://api.example.com/old", 200);
    world_flush(&w);
    world_pass(&w, 14 * DAY_MS);
    world_sweep(&w);
    assert_int_equal(world_count(&w, 1), 2);
    young = world_begin(&w, "young");
    oplog_say(&young, OPLOG_INFO, NULL, "a message");
    oplog_end(&young, OPLOG_SUCCESS, NULL);
    world_flush(&w);
    world_pass(&w, DAY_MS + 1);
    world_sweep(&w);
    assert_false(is_there(&w, 1, old.id));
    assert_true(is_there(&w, 1, young.id));
    assert_int_equal(world_count(&w, 1), 1);
    assert_int_equal(world_count(&w, OTHER), 0);
    assert_int_equal(world_number(&w, "SELECT count(*) FROM message"), 1);
    world_pass(&w, 15 * DAY_MS);
    world_sweep(&w);
    assert_int_equal(world_number(&w, "SELECT count(*) FROM message"), 0);
    assert_int_equal(world_number(&w, "SELECT count(*) FROM operation"), 0);
    assert_int_equal(world_number(&w, "SELECT count(*) FROM call_block"), 0);
    world_finish(&w);
}

TEST(a_file_that_grows_too_large_loses_its_oldest_and_gives_back_the_room)
{
    struct oplog_op op, first = {0};
    struct stat status;
    struct world w;
    char *path, text[2000];

    memset(text, 'z', sizeof text);
    text[sizeof text - 1] = '\0';
    world_make(&w);
    w.config.max_bytes = (size_t)2 << 20;
    w.config.queue_bytes = (size_t)64 << 20;
    world_start(&w);
    for (int i = 0; i < 4000; i++) { /* 8 MB */
        op = world_begin(&w, "wordy");
        if (i == 0)
            first = op;
        oplog_say(&op, OPLOG_INFO, NULL, "%s", text);
        oplog_end(&op, OPLOG_SUCCESS, NULL);
        world_pass(&w, 1000);
        if (i % 100 == 0)
            world_flush(&w);
    }
    world_sweep(&w);
    assert_false(is_there(&w, 1, first.id));
    assert_true(is_there(&w, 1, op.id));
    assert_true(world_count(&w, 1) > 500);
    oplog_stop(w.log);
    w.log = NULL;
    path = world_path(&w, "logs.db");
    assert_int_equal(stat(path, &status), 0);
    assert_true(status.st_size < 5 << 20);
    assert_int_equal(status.st_mode & 0777, 0600);
    free(path);
    world_finish(&w);
}

TEST(an_end_that_was_never_told_is_a_timeout)
{
    struct oplog_subject soon = {.environment_id = 1,
        .type = "auth",
        .action = "create_connection",
        .durable = true};
    struct oplog_op op, other;
    struct world w;

    world_make(&w);
    world_start(&w);
    soon.expires_ms = w.clock.frozen_ms + MINUTE_MS;
    op = oplog_begin(w.log, &soon, OPLOG_RUNNING);
    other = world_begin(&w, "slow");
    world_flush(&w);
    world_pass(&w, 2 * MINUTE_MS);
    world_sweep(&w);
    assert_int_equal(state_of(&w, op.id), OPLOG_TIMEOUT);
    assert_int_equal(state_of(&w, other.id), OPLOG_RUNNING);
    world_pass(&w, 3 * DAY_MS);
    world_sweep(&w);
    assert_int_equal(state_of(&w, other.id), OPLOG_TIMEOUT);
    world_finish(&w);
}

/* ---- the file ---- */

TEST(what_a_dead_server_had_begun_has_failed_unless_it_goes_on)
{
    struct oplog_subject durable = {
        .environment_id = 1, .type = "action", .action = "run", .durable = true};
    struct oplog_op op, goes_on;
    struct oplog_row *row;
    struct world w;

    world_make(&w);
    world_start(&w);
    op = world_begin(&w, "cut off");
    goes_on = oplog_begin(w.log, &durable, OPLOG_RUNNING);
    world_restart(&w);
    row = world_find(&w, op.id);
    assert_int_equal(row->state, OPLOG_FAILED);
    assert_non_null(strstr(row->error, "server_ended"));
    assert_int_equal(row->ended_at_ms, w.clock.frozen_ms);
    oplog_row_free(row);
    assert_int_equal(state_of(&w, goes_on.id), OPLOG_WAITING);
    goes_on.log = w.log;
    oplog_end(&goes_on, OPLOG_SUCCESS, NULL);
    assert_int_equal(state_of(&w, goes_on.id), OPLOG_SUCCESS);
    world_finish(&w);
}

TEST(calls_after_a_restart_come_after_those_before_it)
{
    struct world w;

    world_make(&w);
    world_start(&w);
    for (int i = 0; i < 5; i++) { /* the clock stands still */
        world_call(&w, 1, "https://api.example.com/items", 200);
        world_restart(&w);
    }
    assert_int_equal(world_count(&w, 1), 5);
    world_finish(&w);
}

TEST(a_damaged_file_is_set_aside_and_a_new_one_made)
{
    struct oplog_op op;
    struct world w;
    char *path, *aside;
    FILE *file;

    world_make(&w);
    path = world_path(&w, "logs.db");
    aside = world_path(&w, "logs.db.damaged");
    file = fopen(path, "w");
    for (int i = 0; i < 1000; i++)
        fputs("this is no database\n", file);
    fclose(file);
    world_start(&w);
    op = world_begin(&w, "new");
    assert_true(is_there(&w, 1, op.id));
    file = fopen(aside, "r");
    assert_non_null(file);
    fclose(file);
    free(path);
    free(aside);
    world_finish(&w);
}

TEST(the_file_of_a_newer_program_is_left_alone)
{
    struct err err = {0};
    struct world w;

    world_make(&w);
    world_start(&w);
    oplog_stop(w.log);
    world_sql(&w, "PRAGMA user_version = 1000");
    assert_false(oplog_start(&w.config, &w.log, &err));
    assert_null(w.log);
    assert_non_null(strstr(err.message, "a newer nangod wrote it"));
    assert_int_equal(world_number(&w, "PRAGMA user_version"), 1000);
    world_finish(&w);
}

TEST(a_file_that_is_held_at_the_start_is_written_once_it_is_free)
{
    struct oplog_op op;
    struct world w;

    world_make(&w);
    world_start(&w);
    oplog_stop(w.log);
    world_hold(&w);
    world_start(&w);
    op = world_begin(&w, "early");
    assert_false(oplog_flush(w.log, 0));
    world_let_go(&w);
    assert_true(is_there(&w, 1, op.id));
    world_finish(&w);
}

/* ---- blocks ---- */

TEST(a_block_with_other_bytes_in_it_is_refused_or_read_within_its_bounds)
{
    struct buf records, block;

    buf_init(&records, 0);
    buf_init(&block, 0);
    for (int i = 0; i < 100; i++)
        buf_printf(&records, "{\"t\":%d,\"u\":\"https://example.com/%d\"}\n", i, i);
    oplog_block_write(&records, &block);
    assert_true(block.len < records.len / 2);
    for (size_t i = 0; i < block.len; i++) {
        struct buf out;

        buf_init(&out, 0);
        block.data[i] ^= 0x55;
        if (oplog_block_read(block.data, block.len, &out))
            assert_true(out.len <= CALL_BLOCK_MAX);
        buf_clear(&out);
        block.data[i] ^= 0x55;
        if (oplog_block_read(block.data, i, &out)) /* cut off */
            assert_true(out.len <= CALL_BLOCK_MAX);
        buf_finish(&out);
    }
    buf_clear(&records);
    assert_true(oplog_block_read(block.data, block.len, &records));
    assert_true(str_starts(records.data, "{\"t\":0,"));
    buf_finish(&records);
    buf_finish(&block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_operation_is_kept_with_all_that_was_told_of_it),
        cmocka_unit_test(an_operation_moves_on_from_batch_to_batch),
        cmocka_unit_test(one_that_is_begun_again_keeps_its_beginning),
        cmocka_unit_test(ids_have_one_spelling),
        cmocka_unit_test(without_logs_there_are_ids_and_nothing_else),
        cmocka_unit_test(what_is_below_the_level_is_not_kept),
        cmocka_unit_test(a_message_is_cut_at_its_bound_between_characters),
        cmocka_unit_test(
            a_file_that_is_held_makes_nobody_wait_and_drops_what_matters_least_first),
        cmocka_unit_test(many_threads_tell_at_once_and_nothing_is_lost),
        cmocka_unit_test(a_stop_writes_what_was_told_before),
        cmocka_unit_test(a_stop_gives_up_a_file_that_is_held),
        cmocka_unit_test(what_is_too_old_goes_with_all_that_belongs_to_it),
        cmocka_unit_test(
            a_file_that_grows_too_large_loses_its_oldest_and_gives_back_the_room),
        cmocka_unit_test(an_end_that_was_never_told_is_a_timeout),
        cmocka_unit_test(what_a_dead_server_had_begun_has_failed_unless_it_goes_on),
        cmocka_unit_test(calls_after_a_restart_come_after_those_before_it),
        cmocka_unit_test(a_damaged_file_is_set_aside_and_a_new_one_made),
        cmocka_unit_test(the_file_of_a_newer_program_is_left_alone),
        cmocka_unit_test(a_file_that_is_held_at_the_start_is_written_once_it_is_free),
        cmocka_unit_test(
            a_block_with_other_bytes_in_it_is_refused_or_read_within_its_bounds),
    };

    return RUN(tests);
}
