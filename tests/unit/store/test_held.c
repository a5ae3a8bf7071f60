/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that are held back until they are judged: who sees them, what they become,
 * and what is left of them. */
#include "world.h"

/* Overwritten by what a test has to say of a connection. */
static struct connection_row *held_back(struct world *w,
    const struct connection_row *wanted, struct put_terms terms, bool *created)
{
    struct connection_row *row;

    terms.hold = true;
    MUST(store_put_connection(w->store, wanted, &terms, created, &row, &err));
    assert_true(row->held);
    return row;
}

static struct connection_row *accepted(struct world *w,
    const struct connection_row *wanted, const struct connection_row *held, bool *created)
{
    const struct put_terms terms = {.held = held};
    struct connection_row *row;

    MUST(store_put_connection(w->store, wanted, &terms, created, &row, &err));
    assert_false(row->held);
    return row;
}

static size_t listed(struct world *w)
{
    struct connection_filter filter = {.environment_id = w->env->id};
    struct connection_row **rows;
    size_t count;

    MUST(store_list_connections(w->store, &filter, &rows, &count, &err));
    store_connections_free(rows, count);
    return count;
}

static bool exists(struct world *w, int64_t id)
{
    struct connection_row *row;

    MUST(store_reload_connection(w->store, id, &row, &err));
    connection_row_unref(row);
    return row != NULL;
}

TEST(a_new_one_is_nobodys_until_it_is_accepted)
{
    struct world w;
    struct connection_row wanted, *held, *row;
    struct end_user_row user = {.id = (char[]){"eu"}};
    size_t count;
    bool created;

    world_begin(&w);
    wanted = a_connection(w.github, "u-1");
    wanted.end_user = &user;
    wanted.tags_json = (char[]){"{\"t\":\"v\"}"};
    held = held_back(&w, &wanted, (struct put_terms){.metadata_if_new = "{}"}, &created);
    assert_false(created);
    assert_string_equal(held->tags_json, "{\"t\":\"v\"}");
    assert_string_equal(held->metadata_json, "{}");
    assert_null(held->end_user);
    assert_false(is_there(&w, w.github, "u-1"));
    assert_int_equal(listed(&w), 0);
    MUST(store_count_connections(w.store, w.github->id, &count, &err));
    assert_int_equal(count, 0);

    row = accepted(&w, &wanted, held, &created);
    assert_true(created);
    assert_int_equal(row->id, held->id);
    assert_string_equal(row->end_user->id, "eu");
    assert_string_equal(row->metadata_json, "{}");
    assert_true(is_there(&w, w.github, "u-1"));
    assert_int_equal(listed(&w), 1);
    connection_row_unref(row);
    connection_row_unref(held);
    world_end(&w);
}

TEST(one_that_would_go_over_another_shows_what_it_would_keep_and_leaves_it_alone)
{
    struct world w;
    struct connection_row wanted, *first, *held, *row;
    struct end_user_row user = {.id = (char[]){"eu"}};
    bool created;

    world_begin(&w);
    wanted = a_connection(w.github, "u-1");
    wanted.end_user = &user;
    wanted.metadata_json = (char[]){"{\"m\":1}"};
    wanted.tags_json = (char[]){"{\"t\":\"v\"}"};
    wanted.webhook_url_override = (char[]){"https://h.example"};
    first = put_connection(&w, &wanted);

    w.clock.frozen_ms += 10;
    wanted = a_connection(w.github, "u-1");
    wanted.credentials = text_blob("new");
    wanted.tags_json = NULL;
    held = held_back(&w, &wanted, (struct put_terms){.keep_webhook_url = true}, &created);
    assert_true(held->id != first->id);
    assert_string_equal(held->metadata_json, "{\"m\":1}");
    assert_string_equal(held->tags_json, "{\"t\":\"v\"}");
    assert_string_equal(held->webhook_url_override, "https://h.example");
    assert_string_equal(held->end_user->id, "eu");
    assert_int_equal(held->created_at_ms, NOW_MS);
    row = find_connection(&w, w.github, "u-1");
    assert_int_equal(row->version, first->version);
    expect_blob(row->credentials, "credentials");
    connection_row_unref(row);

    row = accepted(&w, &wanted, held, &created);
    assert_false(created);
    assert_int_equal(row->id, first->id);
    expect_blob(row->credentials, "new");
    assert_string_equal(row->metadata_json, "{\"m\":1}");
    assert_false(exists(&w, held->id));
    connection_row_unref(row);
    row = find_connection(&w, w.github, "u-1");
    expect_blob(row->credentials, "new");
    connection_row_unref(row);
    connection_row_unref(held);
    connection_row_unref(first);
    world_end(&w);
}

TEST(one_that_is_dropped_leaves_nothing)
{
    struct world w;
    struct connection_row wanted, *first, *held[2];
    bool created;

    world_begin(&w);
    wanted = a_connection(w.github, "u-1");
    first = put_connection(&w, &wanted);
    wanted.credentials = text_blob("new");
    held[0] = held_back(&w, &wanted, (struct put_terms){0}, &created);
    wanted.connection_id = (char[]){"u-2"};
    held[1] = held_back(&w, &wanted, (struct put_terms){0}, &created);

    MUST(store_drop_held_connections(w.store, held[0]->id, &err));
    assert_false(exists(&w, held[0]->id));
    assert_true(exists(&w, held[1]->id));
    MUST(store_drop_held_connections(w.store, 0, &err));
    assert_false(exists(&w, held[1]->id));
    /* one that is no longer held back is not meant */
    MUST(store_drop_held_connections(w.store, first->id, &err));
    assert_true(is_there(&w, w.github, "u-1"));
    assert_int_equal(listed(&w), 1);
    connection_row_unref(held[0]);
    connection_row_unref(held[1]);
    connection_row_unref(first);
    world_end(&w);
}

TEST(one_that_was_dropped_is_not_accepted)
{
    struct world w;
    struct connection_row wanted, *held, *row;
    struct put_terms terms = {0};
    struct err why = {0};
    bool created;

    world_begin(&w);
    wanted = a_connection(w.github, "u-1");
    held = held_back(&w, &wanted, terms, &created);
    MUST(store_drop_held_connections(w.store, held->id, &err));
    terms.held = held;
    assert_false(store_put_connection(w.store, &wanted, &terms, &created, &row, &why));
    expect_error(&why, 404, "unknown_connection");
    assert_int_equal(listed(&w), 0);
    connection_row_unref(held);
    world_end(&w);
}

TEST(one_whose_integration_was_deleted_is_not_accepted)
{
    struct world w;
    struct connection_row wanted, *held, *row;
    struct put_terms terms = {0};
    struct err why = {0};
    bool created, found;

    world_begin(&w);
    wanted = a_connection(w.github, "u-1");
    held = held_back(&w, &wanted, terms, &created);
    MUST(store_delete_integration(w.store, w.github->id, &found, &err));
    terms.held = held;
    assert_false(store_put_connection(w.store, &wanted, &terms, &created, &row, &why));
    expect_error(&why, 404, "unknown_provider_config");
    connection_row_unref(held);
    world_end(&w);
}

/* The judge's own changes go before what was put, and nothing else's do. */
TEST(what_was_changed_while_it_was_judged_is_kept)
{
    struct world w;
    struct connection_row wanted, *held, *row;
    struct credentials_update update = {.holder = "h",
        .credentials = text_blob("refreshed"),
        .has_refresh_token = true,
        .expires_at_ms = 7,
        .now_ms = NOW_MS};
    const char *id = "u-1";
    struct metadata_change change = {.environment_id = 1,
        .provider_config_key = "github",
        .connection_ids = &id,
        .count = 1,
        .metadata_json = "{\"seen\":true}"};
    bool created, taken;

    world_begin(&w);
    change.environment_id = w.env->id;
    connection_row_unref(given_connection(&w, w.github, id));
    wanted = a_connection(w.github, id);
    wanted.credentials = text_blob("new");
    wanted.config = text_blob("new config");
    held = held_back(&w, &wanted, (struct put_terms){0}, &created);

    MUST(store_take_refresh_lease(w.store, held->id, "h", 1000, &taken, &err));
    assert_true(taken);
    update.connection_id = held->id;
    update.version = held->version;
    MUST(store_publish_credentials(w.store, &update, &row, &err));
    expect_blob(row->credentials, "refreshed");
    connection_row_unref(row);
    change.held_id = held->id;
    MUST(store_set_metadata(w.store, &change, &err));
    row = find_connection(&w, w.github, id);
    assert_null(row->metadata_json);
    connection_row_unref(row);
    change.held_id = 0; /* others mean the live one */
    change.metadata_json = "{\"other\":1}";
    MUST(store_set_metadata(w.store, &change, &err));

    row = accepted(&w, &wanted, held, &created);
    expect_blob(row->credentials, "refreshed");
    expect_blob(row->config, "new config");
    assert_true(row->has_refresh_token);
    assert_int_equal(row->expires_at_ms, 7);
    assert_string_equal(row->metadata_json, "{\"seen\":true}");
    connection_row_unref(row);
    connection_row_unref(held);
    world_end(&w);
}

TEST(metadata_that_others_set_meanwhile_stays_when_the_judge_set_none)
{
    struct world w;
    struct connection_row wanted, *held, *row;
    const char *id = "u-1";
    struct metadata_change change = {.provider_config_key = "github",
        .connection_ids = &id,
        .count = 1,
        .metadata_json = "{\"other\":1}"};
    bool created;

    world_begin(&w);
    change.environment_id = w.env->id;
    connection_row_unref(given_connection(&w, w.github, id));
    wanted = a_connection(w.github, id);
    held = held_back(&w, &wanted, (struct put_terms){0}, &created);
    MUST(store_set_metadata(w.store, &change, &err));
    row = accepted(&w, &wanted, held, &created);
    assert_string_equal(row->metadata_json, "{\"other\":1}");
    connection_row_unref(row);
    connection_row_unref(held);
    world_end(&w);
}

TEST(two_of_one_name_are_accepted_one_over_the_other)
{
    struct world w;
    struct connection_row wanted, *held[2], *row;
    bool created;

    world_begin(&w);
    wanted = a_connection(w.github, "u-1");
    held[0] = held_back(&w, &wanted, (struct put_terms){0}, &created);
    held[1] = held_back(&w, &wanted, (struct put_terms){0}, &created);
    row = accepted(&w, &wanted, held[1], &created);
    assert_true(created);
    connection_row_unref(row);
    wanted.credentials = text_blob("later");
    row = accepted(&w, &wanted, held[0], &created);
    assert_false(created);
    assert_int_equal(row->id, held[1]->id);
    expect_blob(row->credentials, "later");
    assert_int_equal(listed(&w), 1);
    assert_false(exists(&w, held[0]->id));
    connection_row_unref(row);
    connection_row_unref(held[0]);
    connection_row_unref(held[1]);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_one_is_nobodys_until_it_is_accepted),
        cmocka_unit_test(
            one_that_would_go_over_another_shows_what_it_would_keep_and_leaves_it_alone),
        cmocka_unit_test(one_that_is_dropped_leaves_nothing),
        cmocka_unit_test(one_that_was_dropped_is_not_accepted),
        cmocka_unit_test(one_whose_integration_was_deleted_is_not_accepted),
        cmocka_unit_test(what_was_changed_while_it_was_judged_is_kept),
        cmocka_unit_test(
            metadata_that_others_set_meanwhile_stays_when_the_judge_set_none),
        cmocka_unit_test(two_of_one_name_are_accepted_one_over_the_other),
    };

    return RUN_FOR_EACH_STORE(tests);
}
