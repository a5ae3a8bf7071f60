/* SPDX-License-Identifier: Apache-2.0 */
/* Listing: filters, search, pages. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "test.h"
#include "world.h"

static struct oplog_op told(
    struct world *w, const struct oplog_subject *subject, enum oplog_state state)
{
    struct oplog_op op = oplog_begin(w->log, subject, OPLOG_RUNNING);

    oplog_end(&op, state, NULL);
    world_pass(w, 1000);
    return op;
}

/* Operations of several kinds, then calls, a second apart. */
static void fill(struct world *w)
{
    told(w,
        &(struct oplog_subject){.environment_id = 1,
            .type = "action",
            .action = "run",
            .integration = "github",
            .connection = "ann",
            .script = "create-issue"},
        OPLOG_SUCCESS);
    told(w,
        &(struct oplog_subject){.environment_id = 1,
            .type = "action",
            .action = "run",
            .integration = "github",
            .connection = "bob",
            .script = "close-issue"},
        OPLOG_FAILED);
    told(w,
        &(struct oplog_subject){.environment_id = 1,
            .type = "auth",
            .action = "refresh_token",
            .integration = "slack",
            .connection = "ann"},
        OPLOG_FAILED);
    told(w,
        &(struct oplog_subject){.environment_id = 2,
            .type = "action",
            .action = "run",
            .integration = "github",
            .connection = "ann",
            .script = "create-issue"},
        OPLOG_SUCCESS);
    for (int i = 0; i < 3; i++) {
        world_call(w, 1,
            i == 1 ? "https://api.example.com/broken" : "https://api.example.com/items",
            i == 1 ? 500 : 200);
        world_flush(w);
        world_pass(w, 1000);
    }
}

static const char *const auth[] = {"auth", NULL};
static const char *const proxy[] = {"proxy", NULL};
static const char *const auth_and_action[] = {"auth", "action", NULL};
static const char *const other[] = {"sync", NULL};

TEST(filters_let_pass_what_they_name)
{
    const struct {
        struct oplog_filter filter;
        size_t expected;
    } rows[] = {
        {{.environment_id = 1}, 6},
        {{.environment_id = 2}, 1},
        {{.environment_id = 3}, 0},
        {{.types = auth}, 1},
        {{.types = proxy}, 3},
        {{.types = auth_and_action}, 3},
        {{.types = other}, 0},
        {{.action = "run"}, 2},
        {{.action = "call"}, 3},
        {{.states = 1u << OPLOG_FAILED}, 3},
        {{.states = 1u << OPLOG_FAILED | 1u << OPLOG_SUCCESS}, 6},
        {{.states = 1u << OPLOG_RUNNING}, 0},
        {{.types = proxy, .states = 1u << OPLOG_FAILED}, 1},
        {{.integration = "github"}, 5},
        {{.integration = "slack"}, 1},
        {{.connection = "ann"}, 2},
        {{.connection = "user-1"}, 3},
        {{.script = "create-issue"}, 1},
        {{.script = "create-issue", .types = proxy}, 0},
        {{.from_ms = INT64_C(1700000001000)}, 5},
        {{.to_ms = INT64_C(1700000001000)}, 1},
        {{.from_ms = INT64_C(1700000004000), .to_ms = INT64_C(1700000006000)}, 2},
        {{.to_ms = INT64_MAX}, 6},
        {{.from_ms = INT64_C(1800000000000)}, 0},
    };
    struct world w;

    world_make(&w);
    world_start(&w);
    fill(&w);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oplog_filter filter = rows[i].filter;
        size_t count;
        struct oplog_row **list;

        if (filter.environment_id == 0)
            filter.environment_id = 1;
        list = world_list(&w, &filter, &count);
        if (count != rows[i].expected)
            fail_msg("row %zu: %zu instead of %zu", i, count, rows[i].expected);
        oplog_rows_free(list, count);
    }
    world_finish(&w);
}

TEST(search_knows_no_case_and_finds_messages_too)
{
    static const struct {
        const char *search;
        size_t expected;
    } rows[] = {
        {"CREATE-", 1},
        {"issue", 2},
        {"slack", 1},
        {"ÜBER", 1},  /* in a message */
        {"quota", 1}, /* in its meta */
        {"EXAMPLE.com/broken", 1},
        {"api.example.com", 3},
        {"refresh_token", 1},
        {"nothing of the kind", 0},
        {"%", 0},
    };
    struct oplog_op op;
    struct world w;

    world_make(&w);
    world_start(&w);
    op = told(&w,
        &(struct oplog_subject){
            .environment_id = 1, .type = "deploy", .action = "custom"},
        OPLOG_SUCCESS);
    oplog_say(&op, OPLOG_INFO, "{\"why\":\"Quota\"}", "Etwas über dies");
    fill(&w);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct oplog_filter filter = {
            .environment_id = 1, .search = rows[i].search};
        size_t count;
        struct oplog_row **list = world_list(&w, &filter, &count);

        if (count != rows[i].expected)
            fail_msg("%s: %zu instead of %zu", rows[i].search, count, rows[i].expected);
        oplog_rows_free(list, count);
    }
    world_finish(&w);
}

TEST(an_operation_is_found_by_its_id)
{
    char id[OPLOG_ID_SIZE];
    struct oplog_filter filter = {.environment_id = 1, .search = id};
    struct oplog_row **list;
    struct oplog_op op;
    struct world w;
    size_t count;
    int64_t call;

    world_make(&w);
    world_start(&w);
    op = world_begin(&w, "one");
    world_pass(&w, 1000);
    (void)world_begin(&w, "two");
    world_call(&w, 1, "https://api.example.com/items", 200);
    oplog_id_text(op.id, id);
    list = world_list(&w, &filter, &count);
    assert_int_equal(count, 1);
    assert_int_equal(list[0]->id, op.id);
    oplog_rows_free(list, count);

    list = world_list(
        &w, &(struct oplog_filter){.environment_id = 1, .types = proxy}, &count);
    assert_int_equal(count, 1);
    call = list[0]->id;
    oplog_rows_free(list, count);
    oplog_id_text(call, id);
    list = world_list(&w, &filter, &count);
    assert_int_equal(count, 1);
    oplog_rows_free(list, count);
    world_finish(&w);
}

TEST(a_call_is_read_back_as_it_was_told)
{
    struct oplog_filter filter = {.environment_id = 1};
    struct oplog_row **list, *row = NULL;
    struct err err = {0};
    struct world w;
    size_t count;

    world_make(&w);
    world_start(&w);
    world_call(&w, 1, "https://api.example.com/a", 200);
    world_call(&w, 1, "https://api.example.com/b", 404);
    list = world_list(&w, &filter, &count);
    assert_int_equal(count, 2);
    assert_string_equal(list[0]->message, "GET https://api.example.com/b");
    assert_int_equal(list[0]->state, OPLOG_FAILED);
    assert_string_equal(list[0]->error, "{\"type\":\"status\",\"message\":\"not good\"}");
    assert_string_equal(list[1]->type, "proxy");
    assert_string_equal(list[1]->action, "call");
    assert_string_equal(list[1]->integration, "github");
    assert_string_equal(list[1]->connection, "user-1");
    assert_int_equal(list[1]->integration_id, 3);
    assert_int_equal(list[1]->state, OPLOG_SUCCESS);
    assert_int_equal(list[1]->ended_at_ms, w.clock.frozen_ms);
    assert_int_equal(list[1]->created_at_ms, w.clock.frozen_ms - 12);
    assert_string_equal(list[1]->exchanges,
        "[{\"at\":1699999999988,\"durationMs\":12,\"request\":{\"method\":\"GET\","
        "\"url\":"
        "\"https://api.example.com/a\"},\"response\":{\"code\":200}}]");
    row = world_find(&w, list[1]->id);
    assert_string_equal(row->message, list[1]->message);
    oplog_row_free(row);
    assert_true(oplog_find(w.log, 2, list[1]->id, &row, &err)); /* not of another's */
    assert_null(row);
    assert_true(oplog_find(w.log, 1, list[0]->id + 1, &row, &err));
    assert_null(row);
    oplog_rows_free(list, count);
    world_finish(&w);
}

#define MIXED 3000

TEST(pages_show_each_once_and_the_newest_first)
{
    static const size_t limits[] = {1, 7, 100, 10000};
    struct world w;

    world_make(&w);
    w.config.queue_bytes = (size_t)64 << 20;
    world_start(&w);
    for (int i = 0; i < MIXED; i++) {
        if (i % 3 == 0)
            (void)world_begin(&w, "one");
        else
            world_call(&w, 1, "https://api.example.com/items", 200);
        if (i % 50 == 0) {
            world_flush(&w);
            world_pass(&w, i % 100 == 0 ? 10 : 0);
        }
    }
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        const struct oplog_filter filter = {
            .environment_id = 1, .limit = limits[i], .budget_ms = 1};
        size_t count;
        struct oplog_row **list = world_list(&w, &filter, &count);

        assert_int_equal(count, MIXED);
        for (size_t n = 1; n < count; n++)
            assert_true(list[n]->id < list[n - 1]->id);
        oplog_rows_free(list, count);
    }
    world_finish(&w);
}

TEST(a_listing_that_finds_nothing_says_in_time_where_to_go_on)
{
    const struct oplog_filter first = {
        .environment_id = 1, .script = "not there", .limit = 10, .budget_ms = 1};
    struct oplog_filter filter = first;
    struct oplog_row **rows;
    struct err err = {0};
    struct world w;
    size_t count, pages = 0;
    int64_t next;

    world_make(&w);
    w.config.queue_bytes = (size_t)256 << 20;
    world_start(&w);
    for (int i = 0; i < 50000; i++)
        (void)world_begin(&w, "one");
    world_flush(&w);
    do {
        assert_true(oplog_list(w.log, &filter, &rows, &count, &next, &err));
        assert_int_equal(count, 0);
        assert_true(next == 0 || filter.before == 0 || next < filter.before);
        filter.before = next;
        pages++;
    } while (next != 0);
    assert_true(pages > 1);
    world_finish(&w);
}

TEST(messages_come_in_order_by_pages_by_level_and_by_what_they_say)
{
    struct oplog_message_filter filter = {.environment_id = 1, .limit = 4};
    struct oplog_message **list;
    struct err err = {0};
    struct oplog_op op;
    struct world w;
    size_t count, seen = 0;
    int64_t next;

    world_make(&w);
    world_start(&w);
    op = world_begin(&w, "one");
    for (int i = 0; i < 10; i++) {
        oplog_say(&op, i % 2 == 0 ? OPLOG_INFO : OPLOG_WARN, NULL, "message %d", i);
        if (i == 4)
            world_flush(&w);
    }
    world_flush(&w);
    filter.operation = op.id;
    do {
        assert_true(oplog_list_messages(w.log, &filter, &list, &count, &next, &err));
        for (size_t i = 0; i < count; i++) {
            char expected[20];

            (void)snprintf(expected, sizeof expected, "message %zu", seen++);
            assert_string_equal(list[i]->text, expected);
        }
        oplog_messages_free(list, count);
        filter.after = next;
    } while (next != 0);
    assert_int_equal(seen, 10);

    filter.limit = 100;
    filter.levels = 1u << OPLOG_WARN;
    assert_true(oplog_list_messages(w.log, &filter, &list, &count, &next, &err));
    assert_int_equal(count, 5);
    oplog_messages_free(list, count);
    filter.levels = 0;
    filter.search = "MESSAGE 7";
    assert_true(oplog_list_messages(w.log, &filter, &list, &count, &next, &err));
    assert_int_equal(count, 1);
    oplog_messages_free(list, count);
    filter.search = NULL;
    filter.environment_id = 2;
    assert_true(oplog_list_messages(w.log, &filter, &list, &count, &next, &err));
    assert_int_equal(count, 0);
    world_finish(&w);
}

TEST(a_damaged_block_hides_only_its_calls)
{
    struct world w;

    world_make(&w);
    world_start(&w);
    world_call(&w, 1, "https://api.example.com/a", 200);
    world_flush(&w);
    world_pass(&w, 1000);
    world_call(&w, 1, "https://api.example.com/b", 200);
    world_flush(&w);
    world_pass(&w, 1000);
    world_call(&w, 1, "https://api.example.com/c", 200);
    world_flush(&w);
    world_sql(&w,
        "UPDATE call_block SET data = x'0102030405' WHERE first = (SELECT first "
        "FROM call_block LIMIT 1 OFFSET 1)");
    assert_int_equal(world_count(&w, 1), 2);
    world_sql(&w, "UPDATE call_block SET count = 100000, data = CAST(char(0) || 'xxx' || "
                  "char(10) || '{' AS BLOB) WHERE first = (SELECT min(first) FROM "
                  "call_block)");
    assert_int_equal(
        world_count(&w, 1), 2); /* one of them an object with nothing in it */
    world_finish(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters_let_pass_what_they_name),
        cmocka_unit_test(search_knows_no_case_and_finds_messages_too),
        cmocka_unit_test(an_operation_is_found_by_its_id),
        cmocka_unit_test(a_call_is_read_back_as_it_was_told),
        cmocka_unit_test(pages_show_each_once_and_the_newest_first),
        cmocka_unit_test(a_listing_that_finds_nothing_says_in_time_where_to_go_on),
        cmocka_unit_test(messages_come_in_order_by_pages_by_level_and_by_what_they_say),
        cmocka_unit_test(a_damaged_block_hides_only_its_calls),
    };

    return RUN(tests);
}
