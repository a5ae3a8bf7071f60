/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoints: kept with the connection, guarded by versions, gone with it. */
#include "world.h"

static void expect_checkpoint(
    struct world *w, int64_t id, const char *key, const char *json, int64_t version)
{
    struct checkpoint found;

    MUST(store_find_checkpoint(w->store, id, key, &found, &err));
    if (json == NULL)
        assert_null(found.value_json);
    else
        assert_string_equal(found.value_json, json);
    assert_int_equal(found.version, version);
    free(found.value_json);
}

static void put(
    struct world *w, int64_t id, const char *key, const char *json, int64_t version)
{
    int64_t now = version;

    MUST(store_put_checkpoint(w->store, id, key, json, &now, &err));
    assert_int_equal(now, version + 1);
}

static void expect_conflict(
    struct world *w, int64_t id, const char *key, const char *json, int64_t version)
{
    struct err why = {0};
    int64_t now = version;

    assert_false(store_put_checkpoint(w->store, id, key, json, &now, &why));
    expect_error(&why, 409, "checkpoint_conflict");
    assert_int_equal(now, version);
}

TEST(a_checkpoint_comes_back_and_each_write_has_a_version)
{
    struct world w;
    struct connection_row *row, *other;

    world_begin(&w);
    row = given_connection(&w, w.github, "u-1");
    other = given_connection(&w, w.github, "u-2");
    expect_checkpoint(&w, row->id, "action:a", NULL, 0);
    put(&w, row->id, "action:a", "{\"n\":1}", 0);
    put(&w, row->id, "action:a", "{\"n\":2}", 1);
    world_reopen(&w);
    expect_checkpoint(&w, row->id, "action:a", "{\"n\":2}", 2);
    expect_checkpoint(&w, row->id, "action:b", NULL, 0);
    expect_checkpoint(&w, other->id, "action:a", NULL, 0);
    connection_row_unref(row);
    connection_row_unref(other);
    world_end(&w);
}

TEST(of_two_writers_that_saw_the_same_one_is_refused)
{
    struct world w;
    struct connection_row *row;

    world_begin(&w);
    row = given_connection(&w, w.github, "u-1");
    put(&w, row->id, "k", "{\"n\":1}", 0);
    expect_conflict(&w, row->id, "k", "{\"n\":9}", 0); /* it saw none */
    put(&w, row->id, "k", "{\"n\":2}", 1);
    expect_conflict(&w, row->id, "k", "{\"n\":9}", 1);
    expect_conflict(&w, row->id, "k", NULL, 1);
    expect_checkpoint(&w, row->id, "k", "{\"n\":2}", 2);
    /* clearing is a write like others: who saw what was there before is refused */
    put(&w, row->id, "k", NULL, 2);
    expect_checkpoint(&w, row->id, "k", NULL, 3);
    expect_conflict(&w, row->id, "k", "{\"n\":9}", 2);
    put(&w, row->id, "k", "{\"n\":3}", 3);
    expect_checkpoint(&w, row->id, "k", "{\"n\":3}", 4);
    connection_row_unref(row);
    world_end(&w);
}

TEST(checkpoints_are_removed_by_the_beginning_of_their_keys)
{
    struct world w;
    struct connection_row *row;

    world_begin(&w);
    row = given_connection(&w, w.github, "u-1");
    put(&w, row->id, "sync:a:base", "{}", 0);
    put(&w, row->id, "sync:a:base:trackDeletes:M", "{}", 0);
    put(&w, row->id, "sync:a_:base", "{}", 0);
    put(&w, row->id, "SYNC:A:base", "{}", 0);
    MUST(store_remove_checkpoints(w.store, row->id, "sync:a:base", &err));
    expect_checkpoint(&w, row->id, "sync:a:base", NULL, 0);
    expect_checkpoint(&w, row->id, "sync:a:base:trackDeletes:M", NULL, 0);
    expect_checkpoint(&w, row->id, "sync:a_:base", "{}", 1);
    expect_checkpoint(&w, row->id, "SYNC:A:base", "{}", 1);
    MUST(store_remove_checkpoints(w.store, row->id, "", &err));
    expect_checkpoint(&w, row->id, "sync:a_:base", NULL, 0);
    connection_row_unref(row);
    world_end(&w);
}

TEST(checkpoints_go_with_the_connection)
{
    struct world w;
    struct connection_row *row, *again;
    struct err why = {0};
    int64_t version = 1;
    bool found;

    world_begin(&w);
    row = given_connection(&w, w.github, "u-1");
    put(&w, row->id, "k", "{\"n\":1}", 0);
    MUST(store_delete_connection(w.store, row->id, &found, &err));
    assert_true(found);
    expect_checkpoint(&w, row->id, "k", NULL, 0);
    assert_false(store_put_checkpoint(w.store, row->id, "k", "{}", &version, &why));
    expect_error(&why, 404, "unknown_connection");
    again = given_connection(&w, w.github, "u-1");
    expect_checkpoint(&w, again->id, "k", NULL, 0);
    put(&w, again->id, "k", "{\"n\":1}", 0);
    MUST(store_delete_integration(w.store, w.github->id, &found, &err));
    expect_checkpoint(&w, again->id, "k", NULL, 0);
    connection_row_unref(row);
    connection_row_unref(again);
    world_end(&w);
}

TEST(one_that_is_held_back_has_those_of_the_live_one)
{
    const struct put_terms hold = {.hold = true};
    struct world w;
    struct connection_row wanted, *row, *over, *fresh, *made;
    struct put_terms accept = {0};
    bool created;

    world_begin(&w);
    row = given_connection(&w, w.github, "u-1");
    put(&w, row->id, "k", "{\"n\":1}", 0);
    wanted = a_connection(w.github, "u-1");
    MUST(store_put_connection(w.store, &wanted, &hold, &created, &over, &err));
    expect_checkpoint(&w, over->id, "k", "{\"n\":1}", 1);
    put(&w, over->id, "k", "{\"n\":2}", 1);
    MUST(store_drop_held_connections(w.store, over->id, &err));
    expect_checkpoint(&w, row->id, "k", "{\"n\":2}", 2);

    wanted = a_connection(w.github, "u-2");
    MUST(store_put_connection(w.store, &wanted, &hold, &created, &fresh, &err));
    put(&w, fresh->id, "k", "{\"n\":7}", 0);
    accept.held = fresh;
    MUST(store_put_connection(w.store, &wanted, &accept, &created, &made, &err));
    expect_checkpoint(&w, made->id, "k", "{\"n\":7}", 1);
    connection_row_unref(row);
    connection_row_unref(over);
    connection_row_unref(fresh);
    connection_row_unref(made);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_checkpoint_comes_back_and_each_write_has_a_version),
        cmocka_unit_test(of_two_writers_that_saw_the_same_one_is_refused),
        cmocka_unit_test(checkpoints_are_removed_by_the_beginning_of_their_keys),
        cmocka_unit_test(checkpoints_go_with_the_connection),
        cmocka_unit_test(one_that_is_held_back_has_those_of_the_live_one),
    };

    return RUN_FOR_EACH_STORE(tests);
}
