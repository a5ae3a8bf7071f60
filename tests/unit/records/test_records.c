/* SPDX-License-Identifier: Apache-2.0 */
/* What saving, updating and deleting do to a record, and how it is read. */
#include "records/records.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "test.h"
#include "world.h"

static struct world w;
static const struct records_place items = {1, 7, 5, "Item", NULL};

static struct json_raw raw(const char *text)
{
    return (struct json_raw){text, strlen(text)};
}

/* ---- writing ---- */

static struct records_counts write_to(
    const struct records_place *place, enum records_kind kind, const char *rows)
{
    const struct records_batch batch = {.place = *place, .kind = kind, .rows = raw(rows)};
    struct records_counts counts = {0};

    MUST(records_write(w.records, &batch, &counts, &err));
    return counts;
}

static void expect_counts(struct records_counts counts, const char *wanted)
{
    char text[100];

    (void)snprintf(text, sizeof text, "+%d ~%d -%d =%d", (int)counts.added,
        (int)counts.updated, (int)counts.deleted, (int)counts.unchanged);
    assert_string_equal(text, wanted);
}

static void save(const char *rows, const char *wanted)
{
    expect_counts(write_to(&items, RECORDS_SAVE, rows), wanted);
}

static void update(const char *rows, const char *wanted)
{
    expect_counts(write_to(&items, RECORDS_UPDATE, rows), wanted);
}

static void delete (const char *rows, const char *wanted)
{
    expect_counts(write_to(&items, RECORDS_DELETE, rows), wanted);
}

static void expect_refused(
    const char *rows, size_t max_record, int status, const char *code, const char *words)
{
    const struct records_batch batch = {.place = items,
        .kind = RECORDS_SAVE,
        .rows = raw(rows),
        .max_record = max_record};
    struct records_counts counts = {0};
    struct err err = {0};

    assert_false(records_write(w.records, &batch, &counts, &err));
    assert_int_equal(err.status, status);
    assert_string_equal(err.code, code);
    if (strstr(err.message, words) == NULL)
        fail_msg("\"%s\" is not in: %s", words, err.message);
}

/* ---- reading ---- */

/* Each as `id:payload A|U|D created/updated/deleted`, in ms after NOW; a line each. */
static bool tell(void *arg, const struct record *record)
{
    struct buf *out = arg;
    bool deleted = record->deleted_us > 0;

    buf_printf(out, "%s %.*s %c %lld %lld%s\n", record->external_id,
        (int)record->payload.len, record->payload.text,
        deleted                                       ? 'D'
        : record->created_us == record->at.updated_us ? 'A'
                                                      : 'U',
        (long long)(record->created_us - NOW_US),
        (long long)(record->at.updated_us - NOW_US),
        record->pruned_us > 0 ? " pruned" : "");
    return true;
}

static void expect_query(const struct records_query *query, const char *wanted)
{
    struct buf out;

    buf_init(&out, 0);
    buf_puts(&out, "");
    MUST(records_list(w.records, query, tell, &out, NULL, &err));
    assert_string_equal(out.data != NULL ? out.data : "", wanted);
    buf_finish(&out);
}

/* By their ids: those of one write have no order that a test knows. */
static void expect(const char *wanted)
{
    const struct records_query all = {.place = items, .order = RECORDS_BY_ID};

    expect_query(&all, wanted);
}

static int64_t live(void)
{
    struct records_model *models;
    size_t count;
    int64_t out = -1;

    MUST(records_models(w.records, &items, &models, &count, &err));
    for (size_t i = 0; i < count; i++)
        if (strcmp(models[i].model, "Item") == 0)
            out = models[i].live;
    records_models_free(models, count);
    return out;
}

/* ---- saving ---- */

TEST(a_record_is_added_changed_and_left_alone)
{
    world_begin(&w);
    save("[{\"id\":\"b\",\"n\":1},{\"id\":\"a\",\"n\":2}]", "+2 ~0 -0 =0");
    expect("a {\"id\":\"a\",\"n\":2} A 0 0\nb {\"id\":\"b\",\"n\":1} A 0 0\n");
    world_pass(&w, 1);
    save("[{\"id\":\"a\",\"n\":2},{\"id\":\"b\",\"n\":3}]", "+0 ~1 -0 =1");
    expect("a {\"id\":\"a\",\"n\":2} A 0 0\nb {\"id\":\"b\",\"n\":3} U 0 1000\n");
    assert_int_equal(live(), 2);
    world_reopen(&w);
    expect("a {\"id\":\"a\",\"n\":2} A 0 0\nb {\"id\":\"b\",\"n\":3} U 0 1000\n");
    world_end(&w);
}

TEST(each_write_is_later_than_those_before_it_whatever_the_clock_says)
{
    world_begin(&w);
    save("[{\"id\":\"a\"}]", "+1 ~0 -0 =0");
    save("[{\"id\":\"b\"}]", "+1 ~0 -0 =0");
    world_pass(&w, -5000);
    world_reopen(&w);
    save("[{\"id\":\"c\"}]", "+1 ~0 -0 =0");
    expect("a {\"id\":\"a\"} A 0 0\nb {\"id\":\"b\"} A 1 1\nc {\"id\":\"c\"} A 2 2\n");
    world_end(&w);
}

TEST(what_is_deleted_stays_and_comes_back_as_new)
{
    world_begin(&w);
    save("[{\"id\":\"a\",\"n\":1}]", "+1 ~0 -0 =0");
    world_pass(&w, 1);
    delete ("[{\"id\":\"a\"},{\"id\":\"nobody\"}]", "+0 ~0 -1 =1");
    assert_int_equal(live(), 0);
    world_pass(&w, 1);
    delete ("[{\"id\":\"a\"}]", "+0 ~0 -0 =1");
    expect("a {\"id\":\"a\"} D 0 1000\nnobody {\"id\":\"nobody\"} D 1000 1000\n");
    save("[{\"id\":\"a\",\"n\":1}]", "+1 ~0 -0 =0");
    expect(
        "a {\"id\":\"a\",\"n\":1} A 2000 2000\nnobody {\"id\":\"nobody\"} D 1000 1000\n");
    assert_int_equal(live(), 1);
    world_end(&w);
}

static bool take_deleted(void *arg, const struct record *record)
{
    *(int64_t *)arg = record->deleted_us;
    return true;
}

TEST(a_deletion_may_say_when_it_was)
{
    const struct records_query all = {.place = items};
    int64_t deleted_us = 0;

    world_begin(&w);
    save("[{\"id\":\"a\"}]", "+1 ~0 -0 =0");
    delete ("[{\"id\":\"a\",\"deletedAt\":\"2020-01-02T03:04:05.678Z\"}]", "+0 ~0 -1 =0");
    MUST(records_list(w.records, &all, take_deleted, &deleted_us, NULL, &err));
    assert_int_equal(deleted_us, INT64_C(1577934245678000));
    world_end(&w);
}

TEST(an_update_is_laid_over_what_is_there)
{
    world_begin(&w);
    save("[{\"id\":\"a\",\"o\":{\"x\":1,\"y\":[1,2]},\"n\":1}]", "+1 ~0 -0 =0");
    world_pass(&w, 1);
    update("[{\"id\":\"a\",\"o\":{\"y\":[3],\"z\":0},\"m\":null},{\"id\":\"nobody\"}]",
        "+0 ~1 -0 =1");
    expect("a {\"id\":\"a\",\"o\":{\"x\":1,\"y\":[3],\"z\":0},\"n\":1,\"m\":null} U 0 "
           "1000\n");
    world_pass(&w, 1);
    update("[{\"id\":\"a\",\"o\":{\"y\":[3],\"z\":0},\"m\":null}]", "+0 ~0 -0 =1");
    delete ("[{\"id\":\"a\"}]", "+0 ~0 -1 =0");
    update("[{\"id\":\"a\",\"n\":9}]", "+0 ~0 -0 =1");
    expect("a {\"id\":\"a\"} D 0 2000\n");
    world_end(&w);
}

TEST(of_one_id_in_a_batch_the_first_counts)
{
    struct records_counts counts;

    world_begin(&w);
    counts =
        write_to(&items, RECORDS_SAVE, "[{\"id\":1,\"n\":1},{\"id\":\"1\",\"n\":2}]");
    expect_counts(counts, "+1 ~0 -0 =0");
    assert_int_equal(counts.repeated, 1);
    expect("1 {\"id\":1,\"n\":1} A 0 0\n");
    world_end(&w);
}

TEST(ids_are_texts_or_numbers_and_nothing_else)
{
    char long_id[600];

    world_begin(&w);
    save("[{\"id\":1.5},{\"id\":1e21},{\"id\":\"a\\u0000b\"},{\"id\":\"\\u00e9\"}]",
        "+4 ~0 -0 =0");
    expect("1.5 {\"id\":1.5} A 0 0\n1e+21 {\"id\":1e21} A 0 0\nab "
           "{\"id\":\"a\\u0000b\"} A 0 0\n\xc3\xa9 {\"id\":\"\\u00e9\"} A 0 0\n");
    expect_refused("[{\"id\":\"x\"},{\"n\":1}]", 0, 400, "invalid_record", "Record 2");
    expect_refused("[{\"id\":\"\"}]", 0, 400, "invalid_record", "has no id");
    expect_refused("[{\"id\":\"\\u0000\"}]", 0, 400, "invalid_record", "has no id");
    expect_refused("[{\"id\":null}]", 0, 400, "invalid_record", "has no id");
    expect_refused("[{\"id\":{}}]", 0, 400, "invalid_record", "has no id");
    expect_refused("[5]", 0, 400, "invalid_record", "is no object");
    expect_refused("{}", 0, 400, "invalid_record", "a list of records");
    expect_refused(
        "[{\"id\":\"x\",\"n\":12345}]", 19, 413, "record_too_large", "20 bytes");
    (void)snprintf(long_id, sizeof long_id, "[{\"id\":\"%0256d\"}]", 0);
    expect_refused(long_id, 0, 400, "invalid_record", "255 characters");
    assert_int_equal(live(), 4); /* nothing of what was refused */
    world_end(&w);
}

static bool is_no_variant(void *arg, const struct records_place *place)
{
    (void)arg;
    assert_int_equal(place->environment_id, 1);
    assert_int_equal(place->connection_id, 7);
    assert_int_equal(place->made_ms, 5);
    assert_string_equal(place->model, "Item");
    return place->variant == NULL;
}

TEST(parts_do_not_see_each_other)
{
    const struct records_place variant = {1, 7, 5, "Item", "eu"},
                               other = {1, 7, 6, "Item", NULL};
    const struct records_query of_variant = {.place = variant},
                               of_other = {.place = other};

    world_begin(&w);
    save("[{\"id\":\"a\"}]", "+1 ~0 -0 =0");
    expect_counts(
        write_to(&variant, RECORDS_SAVE, "[{\"id\":\"a\",\"v\":1}]"), "+1 ~0 -0 =0");
    expect_query(&of_variant, "a {\"id\":\"a\",\"v\":1} A 1 1\n");
    expect_query(&of_other, "");
    MUST(records_drop(w.records, &items, &err));
    expect("");
    expect_query(&of_variant, "a {\"id\":\"a\",\"v\":1} A 1 1\n");
    save("[{\"id\":\"a\"}]", "+1 ~0 -0 =0");
    MUST(records_sweep(w.records, is_no_variant, NULL, &err));
    expect_query(&of_variant, "");
    assert_int_equal(live(), 1);
    world_end(&w);
}

TEST(a_long_payload_comes_back_as_it_was)
{
    struct buf rows, wanted;

    world_begin(&w);
    buf_init(&rows, 0);
    buf_puts(&rows, "[{\"id\":\"a\",\"t\":\"");
    for (int i = 0; i < 100000; i++)
        buf_printf(&rows, "%d ", i);
    buf_puts(&rows, "\"}]");
    save(rows.data, "+1 ~0 -0 =0");
    buf_init(&wanted, 0);
    buf_printf(&wanted, "a %.*s A 0 0\n", (int)rows.len - 2, rows.data + 1);
    expect(wanted.data);
    buf_finish(&rows);
    buf_finish(&wanted);
    world_end(&w);
}

/* ---- protecting what others wrote ---- */

static struct records_counts save_unless_after(
    struct records_cursor *cursor, const char *rows)
{
    const struct records_batch batch = {
        .place = items, .kind = RECORDS_SAVE, .rows = raw(rows), .unless_after = cursor};
    struct records_counts counts = {0};

    MUST(records_write(w.records, &batch, &counts, &err));
    return counts;
}

TEST(what_others_wrote_meanwhile_is_not_overwritten)
{
    struct records_cursor cursor;
    bool found;

    world_begin(&w);
    save("[{\"id\":\"a\",\"n\":1},{\"id\":\"b\",\"n\":1}]", "+2 ~0 -0 =0");
    MUST(records_last_cursor(w.records, &items, &cursor, &found, &err));
    assert_true(found);
    save("[{\"id\":\"b\",\"n\":2}]", "+0 ~1 -0 =0"); /* somebody else */
    expect_counts(save_unless_after(&cursor,
                      "[{\"id\":\"a\",\"n\":3},{\"id\":\"b\",\"n\":3},{\"id\":\"c\"}]"),
        "+1 ~1 -0 =1");
    expect_counts(save_unless_after(&cursor, "[{\"id\":\"a\",\"n\":4}]"), "+0 ~1 -0 =0");
    world_end(&w);
}

/* ---- delete tracking ---- */

static void expect_ids(struct records_ids *ids, const char *wanted)
{
    struct buf out;

    buf_init(&out, 0);
    buf_puts(&out, "");
    for (size_t i = 0; i < ids->count; i++)
        buf_printf(&out, "%s ", ids->list[i]);
    assert_string_equal(out.data != NULL ? out.data : "", wanted);
    buf_finish(&out);
    records_ids_free(ids);
}

TEST(what_was_not_saved_since_the_start_is_deleted_also_over_a_restart)
{
    struct records_ids deleted;
    bool tracked;

    world_begin(&w);
    save("[{\"id\":\"a\"},{\"id\":\"b\"},{\"id\":\"c\"},{\"id\":\"d\"}]", "+4 ~0 -0 =0");
    MUST(records_track_start(w.records, &items, &err));
    save("[{\"id\":\"a\"}]", "+0 ~0 -0 =1");
    world_reopen(&w);
    MUST(records_track_start(w.records, &items, &err)); /* goes on with the first */
    save("[{\"id\":\"c\",\"n\":1},{\"id\":\"e\"}]", "+1 ~1 -0 =0");
    MUST(records_track_end(w.records, &items, &tracked, &deleted, &err));
    assert_true(tracked);
    expect_ids(&deleted, "b d ");
    assert_int_equal(live(), 3);
    MUST(records_track_end(w.records, &items, &tracked, &deleted, &err));
    assert_false(tracked);
    expect_ids(&deleted, "");
    world_end(&w);
}

TEST(what_an_execution_has_not_seen_is_deleted_with_its_payload)
{
    struct records_seen *seen = records_seen_new();
    struct records_ids deleted;
    struct records_batch batch = {.place = items, .kind = RECORDS_SAVE, .seen = seen};
    struct records_counts counts = {0};

    world_begin(&w);
    save("[{\"id\":\"a\",\"n\":1},{\"id\":\"b\",\"n\":1}]", "+2 ~0 -0 =0");
    batch.rows = raw("[{\"id\":\"b\",\"n\":1},{\"id\":\"c\"}]");
    MUST(records_write(w.records, &batch, &counts, &err));
    MUST(records_delete_unseen(w.records, &items, seen, &deleted, &err));
    expect_ids(&deleted, "a ");
    expect("a {\"id\":\"a\",\"n\":1} D 0 2\nb {\"id\":\"b\",\"n\":1} A 0 0\nc "
           "{\"id\":\"c\"} A 1 1\n");
    records_seen_free(seen);
    world_end(&w);
}

/* ---- reading ---- */

struct page {
    struct records_cursor last;
    struct buf ids;
};

static bool take_id(void *arg, const struct record *record)
{
    struct page *page = arg;

    page->last = record->at;
    buf_puts(&page->ids, record->external_id);
    return true;
}

static void expect_page(const struct records_query *query, struct page *page,
    const char *wanted, bool wanted_more)
{
    bool more;

    buf_init(&page->ids, 0);
    buf_puts(&page->ids, "");
    MUST(records_list(w.records, query, take_id, page, &more, &err));
    assert_string_equal(page->ids.data != NULL ? page->ids.data : "", wanted);
    assert_int_equal(more, wanted_more);
    buf_finish(&page->ids);
}

TEST(pages_follow_each_other_and_a_changed_record_comes_again)
{
    struct records_query query = {.place = items, .limit = 2};
    char text[RECORDS_CURSOR_SIZE];
    struct records_cursor cursor;
    struct page page;

    world_begin(&w);
    for (char id = 'a'; id <= 'e'; id++) {
        char row[32];

        (void)snprintf(row, sizeof row, "[{\"id\":\"%c\"}]", id);
        save(row, "+1 ~0 -0 =0");
    }
    expect_page(&query, &page, "ab", true);
    records_cursor_text(&page.last, text);
    assert_true(records_cursor_parse(text, &cursor));
    assert_memory_equal(&cursor, &page.last, sizeof cursor);
    query.after = &cursor;
    save("[{\"id\":\"a\",\"n\":1}]", "+0 ~1 -0 =0");
    expect_page(&query, &page, "cd", true);
    cursor = page.last;
    expect_page(&query, &page, "ea", false);
    cursor = page.last;
    expect_page(&query, &page, "", false);
    world_end(&w);
}

TEST(filters_ids_and_times_choose)
{
    struct records_query query = {.place = items};
    const char *ids[] = {"c", "a", "nobody", "a"};
    struct page page;

    world_begin(&w);
    save("[{\"id\":\"a\"}]", "+1 ~0 -0 =0");
    save("[{\"id\":\"b\"}]", "+1 ~0 -0 =0");
    save("[{\"id\":\"c\"}]", "+1 ~0 -0 =0");
    save("[{\"id\":\"b\",\"n\":1}]", "+0 ~1 -0 =0");
    delete ("[{\"id\":\"c\"}]", "+0 ~0 -1 =0"); /* a at 0, b at 3, c at 4 */
    query.filter = RECORDS_ADDED;
    expect_page(&query, &page, "a", false);
    query.filter = RECORDS_UPDATED;
    expect_page(&query, &page, "b", false);
    query.filter = RECORDS_DELETED;
    expect_page(&query, &page, "c", false);
    query.filter = RECORDS_UPDATED | RECORDS_DELETED;
    expect_page(&query, &page, "bc", false);
    query.filter = 0;
    query.modified_since_us = NOW_US + 3;
    expect_page(&query, &page, "bc", false);
    query.modified_since_us = NOW_US + 4;
    expect_page(&query, &page, "c", false);
    query.modified_since_us = 0;
    query.ids = ids;
    query.id_count = 4;
    expect_page(&query, &page, "ac", false);
    query.filter = RECORDS_DELETED;
    expect_page(&query, &page, "c", false);
    query.filter = 0;
    query.limit = 1;
    expect_page(&query, &page, "a", true);
    world_end(&w);
}

TEST(the_orders_of_old)
{
    struct records_query query = {.place = items, .order = RECORDS_BY_ID};
    struct page page;

    world_begin(&w);
    save("[{\"id\":\"b\"}]", "+1 ~0 -0 =0");
    save("[{\"id\":\"c\"}]", "+1 ~0 -0 =0");
    save("[{\"id\":\"a\"}]", "+1 ~0 -0 =0");
    save("[{\"id\":\"b\",\"n\":1}]", "+0 ~1 -0 =0");
    expect_page(&query, &page, "abc", false);
    query.descending = true;
    expect_page(&query, &page, "cba", false);
    query.order = RECORDS_BY_CREATED;
    expect_page(&query, &page, "acb", false);
    query.order = RECORDS_BY_UPDATED;
    expect_page(&query, &page, "bac", false);
    query.descending = false;
    query.offset = 1;
    query.limit = 1;
    expect_page(&query, &page, "a", true);
    world_end(&w);
}

TEST(cursors_of_elsewhere_are_none)
{
    static const char *const texts[] = {"", "zzz", "!", "e30=",
        /* a time without a UUID, and a UUID without a time */
        "MjAyNi0wMS0wMVQwMDowMDowMC4wMDAwMDArMDA6MDB8fA==",
        "fHwxMTExMTExMS0xMTExLTQxMTEtODExMS0xMTExMTExMTExMTE="};
    struct records_cursor cursor;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_false(records_cursor_parse(texts[i], &cursor));
    assert_true(
        records_cursor_parse("MjAyNi0wMS0wMVQwMDowMDowMC4wMDAwMDErMDA6MDB8fDExMTEx"
                             "MTExLTExMTEtNDExMS04MTExLTExMTExMTExMTExMQ==",
            &cursor));
    assert_int_equal(cursor.updated_us, INT64_C(1767225600000001));
}

/* ---- pruning ---- */

TEST(pruned_records_keep_their_place_and_get_their_payload_back_by_being_saved)
{
    struct records_query query = {.place = items, .limit = 2};
    struct page page;
    size_t count;
    bool more;

    world_begin(&w);
    save("[{\"id\":\"a\",\"n\":1}]", "+1 ~0 -0 =0");
    save("[{\"id\":\"b\",\"n\":1}]", "+1 ~0 -0 =0");
    save("[{\"id\":\"c\",\"n\":1}]", "+1 ~0 -0 =0");
    expect_page(&query, &page, "ab", true);
    MUST(records_prune(w.records, &items, &page.last, 1, &count, &more, &err));
    assert_int_equal(count, 1);
    assert_true(more);
    MUST(records_prune(w.records, &items, &page.last, 10, &count, &more, &err));
    assert_int_equal(count, 1);
    assert_false(more);
    expect("a {\"id\":\"a\"} A 0 0 pruned\nb {\"id\":\"b\"} A 1 1 pruned\nc "
           "{\"id\":\"c\",\"n\":1} A 2 2\n");
    save("[{\"id\":\"a\",\"n\":1}]", "+0 ~0 -0 =1");
    expect("a {\"id\":\"a\",\"n\":1} A 0 0\nb {\"id\":\"b\"} A 1 1 pruned\nc "
           "{\"id\":\"c\",\"n\":1} A 2 2\n");
    assert_int_equal(live(), 3);
    world_end(&w);
}

static void retain(int64_t before_ms, size_t limit, size_t wanted)
{
    size_t emptied;

    MUST(records_retain(w.records, NOW_US + before_ms * 1000, limit, &emptied, &err));
    assert_int_equal(emptied, wanted);
}

TEST(retention_empties_what_has_not_changed_for_long_and_looks_at_it_once)
{
    world_begin(&w);
    save("[{\"id\":\"a\",\"n\":1}]", "+1 ~0 -0 =0");
    world_pass(&w, 10);
    save("[{\"id\":\"b\",\"n\":1}]", "+1 ~0 -0 =0");
    retain(0, 100, 0);
    retain(5, 0, 0); /* not now */
    retain(5, 100, 1);
    expect("a {\"id\":\"a\"} A 0 0 pruned\nb {\"id\":\"b\",\"n\":1} A 10000 10000\n");
    retain(5, 100, 0);
    /* As it was: it has its payload again, and keeps it. */
    save("[{\"id\":\"a\",\"n\":1}]", "+0 ~0 -0 =1");
    retain(6, 100, 0);
    expect("a {\"id\":\"a\",\"n\":1} A 0 0\nb {\"id\":\"b\",\"n\":1} A 10000 10000\n");
    world_pass(&w, 10);
    save("[{\"id\":\"a\",\"n\":2}]", "+0 ~1 -0 =0");
    world_reopen(&w);
    retain(15, 100, 1); /* b */
    retain(25, 100, 1); /* a, once more */
    expect("a {\"id\":\"a\"} U 0 20000 pruned\nb {\"id\":\"b\"} A 10000 10000 pruned\n");
    assert_int_equal(live(), 2);
    world_end(&w);
}

TEST(retention_goes_on_where_a_write_ended)
{
    struct buf many;

    world_begin(&w);
    buf_init(&many, 0);
    for (int i = 0; i < 2500; i++)
        buf_printf(&many, "%s{\"id\":%d}", i > 0 ? "," : "[", i);
    buf_puts(&many, "]");
    save(many.data, "+2500 ~0 -0 =0");
    retain(1, 1500, 2000); /* whole writes of a thousand */
    retain(1, 1500, 500);
    retain(1, 1500, 0);
    buf_finish(&many);
    world_end(&w);
}

TEST(a_file_of_the_first_version_is_migrated_with_its_records)
{
    world_begin(&w);
    save("[{\"id\":\"a\",\"n\":1}]", "+1 ~0 -0 =0");
    world_make_first_version(&w);
    world_reopen(&w);
    expect("a {\"id\":\"a\",\"n\":1} A 0 0\n");
    retain(1, 100, 1);
    MUST(records_check(w.dir, &err));
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_added_changed_and_left_alone),
        cmocka_unit_test(
            each_write_is_later_than_those_before_it_whatever_the_clock_says),
        cmocka_unit_test(what_is_deleted_stays_and_comes_back_as_new),
        cmocka_unit_test(a_deletion_may_say_when_it_was),
        cmocka_unit_test(an_update_is_laid_over_what_is_there),
        cmocka_unit_test(of_one_id_in_a_batch_the_first_counts),
        cmocka_unit_test(ids_are_texts_or_numbers_and_nothing_else),
        cmocka_unit_test(parts_do_not_see_each_other),
        cmocka_unit_test(a_long_payload_comes_back_as_it_was),
        cmocka_unit_test(what_others_wrote_meanwhile_is_not_overwritten),
        cmocka_unit_test(
            what_was_not_saved_since_the_start_is_deleted_also_over_a_restart),
        cmocka_unit_test(what_an_execution_has_not_seen_is_deleted_with_its_payload),
        cmocka_unit_test(pages_follow_each_other_and_a_changed_record_comes_again),
        cmocka_unit_test(filters_ids_and_times_choose),
        cmocka_unit_test(the_orders_of_old),
        cmocka_unit_test(cursors_of_elsewhere_are_none),
        cmocka_unit_test(
            pruned_records_keep_their_place_and_get_their_payload_back_by_being_saved),
        cmocka_unit_test(
            retention_empties_what_has_not_changed_for_long_and_looks_at_it_once),
        cmocka_unit_test(retention_goes_on_where_a_write_ended),
        cmocka_unit_test(a_file_of_the_first_version_is_migrated_with_its_records),
    };

    return RUN(tests);
}
