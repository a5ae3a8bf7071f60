/* SPDX-License-Identifier: Apache-2.0 */
/* What refreshing asks of the store: the lease, the journal, publishing, counting
 * failures. */
#include "world.h"

static bool take(struct world *w, int64_t id, const char *holder, int64_t now_ms)
{
    bool taken = false;

    w->clock.frozen_ms = now_ms;
    MUST(store_take_refresh_lease(w->store, id, holder, 100, &taken, &err));
    return taken;
}

TEST(a_lease_has_one_holder_until_it_is_released_or_expires)
{
    struct world w;
    struct connection_row *row;

    world_begin(&w);
    row = given_connection(&w, w.github, "u-1");
    assert_true(take(&w, row->id, "a", NOW_MS));
    assert_false(take(&w, row->id, "b", NOW_MS + 99));
    assert_true(take(&w, row->id, "a", NOW_MS + 50)); /* its own again, now until 150 */
    assert_false(take(&w, row->id, "b", NOW_MS + 149));
    assert_true(take(&w, row->id, "b", NOW_MS + 150));
    MUST(store_release_refresh_lease(w.store, row->id, "a", &err)); /* not a's any more */
    assert_false(take(&w, row->id, "a", NOW_MS + 151));
    world_reopen(&w);
    assert_false(take(&w, row->id, "a", NOW_MS + 152));
    MUST(store_release_refresh_lease(w.store, row->id, "b", &err));
    assert_true(take(&w, row->id, "a", NOW_MS + 153));
    assert_false(take(&w, 999, "a", NOW_MS));
    connection_row_unref(row);
    world_end(&w);
}

TEST(a_lease_from_before_the_clock_was_set_back_has_expired)
{
    struct world w;
    struct connection_row *row;

    world_begin(&w);
    row = given_connection(&w, w.github, "u-1");
    assert_true(take(&w, row->id, "a", NOW_MS));
    assert_false(take(&w, row->id, "b", NOW_MS + 100 - REFRESH_LEASE_MAX_MS));
    assert_true(take(&w, row->id, "b", NOW_MS + 99 - REFRESH_LEASE_MAX_MS));
    connection_row_unref(row);
    world_end(&w);
}

static int64_t journal(
    struct world *w, int64_t connection_id, const char *holder, const char *answer)
{
    int64_t id = 0;

    MUST(store_put_refresh_journal(
        w->store, connection_id, holder, answer, strlen(answer), &id, &err));
    assert_true(id > 0);
    return id;
}

/* Of all connections; the latest answer of the first is `first`. */
static void expect_journal(struct world *w, size_t wanted, const char *first)
{
    struct refresh_journal_row *rows;
    size_t count;

    MUST(store_list_refresh_journal(w->store, 0, &rows, &count, &err));
    assert_int_equal(count, wanted);
    if (wanted > 0) {
        expect_blob(rows[0].answer, first);
        assert_int_equal(rows[0].created_at_ms, NOW_MS);
    }
    store_refresh_journal_free(rows, count);
}

TEST(a_journal_entry_survives_until_it_is_deleted_and_no_other_with_it)
{
    struct world w;
    struct connection_row *row;
    int64_t one, two;

    world_begin(&w);
    row = given_connection(&w, w.github, "u-1");
    expect_journal(&w, 0, NULL);
    one = journal(&w, row->id, "a", "one");
    two = journal(&w, row->id, "b", "two");
    world_reopen(&w);
    expect_journal(&w, 2, "two");
    MUST(store_delete_refresh_journal(w.store, two, &err));
    MUST(store_delete_refresh_journal(w.store, two, &err));
    expect_journal(&w, 1, "one");
    assert_true(journal(&w, row->id, "b", "three") > two);
    MUST(store_delete_refresh_journal(w.store, one, &err));
    expect_journal(&w, 1, "three");
    connection_row_unref(row);
    world_end(&w);
}

TEST(an_entry_is_left_alone_while_its_holder_is_at_work)
{
    struct world w;
    struct connection_row *row, *other;
    struct refresh_journal_row *rows;
    size_t count;

    world_begin(&w);
    row = given_connection(&w, w.github, "u-1");
    other = given_connection(&w, w.github, "u-2");
    assert_true(take(&w, row->id, "a", NOW_MS));
    (void)journal(&w, row->id, "dead", "old");
    (void)journal(&w, row->id, "a", "new");
    (void)journal(&w, other->id, "a", "another's");
    expect_journal(&w, 2, "old");
    MUST(store_list_refresh_journal(w.store, other->id, &rows, &count, &err));
    assert_int_equal(count, 1);
    expect_blob(rows[0].answer, "another's");
    store_refresh_journal_free(rows, count);
    w.clock.frozen_ms = NOW_MS + 100; /* when the lease has ended, so has its holder */
    MUST(store_list_refresh_journal(w.store, row->id, &rows, &count, &err));
    assert_int_equal(count, 2);
    store_refresh_journal_free(rows, count);
    w.clock.frozen_ms = NOW_MS;
    world_reopen(&w); /* the directory's one server: nobody else is at work */
    expect_journal(&w, 3, "new");
    connection_row_unref(row);
    connection_row_unref(other);
    world_end(&w);
}

static void refuse(struct world *w, int64_t connection_id, int64_t journal_id)
{
    const struct refresh_failure failure = {.connection_id = connection_id,
        .journal_id = journal_id,
        .holder = "a",
        .now_ms = NOW_MS,
        .log_id = "log"};
    struct connection_row *made;
    bool counted;

    MUST(store_note_refresh_failure(w->store, &failure, &counted, &made, &err));
    connection_row_unref(made);
}

TEST(refused_answers_stay_the_first_and_the_last_until_there_are_credentials)
{
    static const char *const kept[] = {"9", "3", "2", "1", "0"};
    struct world w;
    struct connection_row *row, *made;
    struct refresh_journal_row *rows;
    struct credentials_update update = {.holder = "a", .credentials = text_blob("new")};
    size_t count;

    world_begin(&w);
    row = given_connection(&w, w.github, "u-1");
    for (int i = 0; i < 10; i++) {
        char text[2] = {(char)('0' + i), '\0'};

        refuse(&w, row->id, journal(&w, row->id, "a", text));
    }
    connection_row_unref(given_failure(&w, row->id, "a", NOW_MS, "log"));
    (void)journal(&w, row->id, "b", "not looked at");
    MUST(store_list_refresh_journal(w.store, row->id, &rows, &count, &err));
    assert_int_equal(count, 6);
    assert_false(rows[0].refused);
    for (size_t i = 0; i < 5; i++) {
        expect_blob(rows[i + 1].answer, kept[i]);
        assert_true(rows[i + 1].refused);
    }
    store_refresh_journal_free(rows, count);

    made = find_connection(&w, w.github, "u-1");
    update.connection_id = row->id;
    update.version = made->version;
    connection_row_unref(made);
    MUST(store_publish_credentials(w.store, &update, &made, &err));
    connection_row_unref(made);
    expect_journal(&w, 1, "not looked at");
    refuse(&w, row->id, journal(&w, row->id, "a", "again"));
    connection_row_unref(given_connection(&w, w.github, "u-1"));
    expect_journal(&w, 0, NULL);
    connection_row_unref(row);
    world_end(&w);
}

TEST(publishing_is_one_step_that_ends_the_refresh)
{
    struct world w;
    struct connection_row *row, *made;
    struct credentials_update update = {
        .holder = "a",
        .credentials = text_blob("new"),
        .has_refresh_token = true,
        .expires_at_ms = NOW_MS + 60000,
        .now_ms = NOW_MS + 5,
    };

    world_begin(&w);
    row = given_connection(&w, w.github, "u-1");
    made = given_failure(&w, row->id, "x", NOW_MS, "log");
    assert_true(is_there(&w, w.github, "u-1")); /* into the cache */
    assert_true(take(&w, row->id, "a", NOW_MS));
    update.journal_id = journal(&w, row->id, "a", "answer");
    update.connection_id = row->id;
    update.version = made->version;
    connection_row_unref(made);
    MUST(store_publish_credentials(w.store, &update, &made, &err));
    assert_int_equal(made->version, update.version + 1);
    connection_row_unref(made);

    made = find_connection(&w, w.github, "u-1");
    expect_blob(made->credentials, "new");
    expect_blob(made->config, "config"); /* not in the update: kept */
    assert_true(made->has_refresh_token);
    assert_int_equal(made->expires_at_ms, NOW_MS + 60000);
    assert_int_equal(made->last_refresh_success_ms, NOW_MS + 5);
    assert_int_equal(made->updated_at_ms, NOW_MS + 5);
    assert_int_equal(made->last_refresh_failure_ms, 0);
    assert_int_equal(made->refresh_attempts, 0);
    assert_string_equal(made->errors_json, "[]");
    expect_journal(&w, 0, NULL);
    assert_true(take(&w, row->id, "b", NOW_MS)); /* released */

    update.version = made->version;
    update.config = text_blob("new config");
    connection_row_unref(made);
    MUST(store_publish_credentials(w.store, &update, &made, &err));
    expect_blob(made->config, "new config");
    connection_row_unref(made);
    connection_row_unref(row);
    world_end(&w);
}

TEST(publishing_over_a_change_is_refused_and_leaves_the_journal)
{
    struct world w;
    struct connection_row *row, *made;
    struct credentials_update update = {.holder = "a", .credentials = text_blob("stale")};
    struct connection_patch patch = {.tags_json = "{\"k\":\"v\"}"};
    struct err why = {0};
    bool found;

    world_begin(&w);
    row = given_connection(&w, w.github, "u-1");
    update.connection_id = row->id;
    update.version = row->version;
    update.journal_id = journal(&w, row->id, "b", "answer");
    MUST(store_patch_connection(w.store, row->id, &patch, &err));
    assert_false(store_publish_credentials(w.store, &update, &made, &why));
    expect_error(&why, 409, "stale_connection");
    assert_null(made);
    expect_journal(&w, 1, "answer");
    made = find_connection(&w, w.github, "u-1");
    expect_blob(made->credentials, "credentials");
    update.version = made->version;
    connection_row_unref(made);

    MUST(store_delete_connection(w.store, row->id, &found, &err));
    assert_false(store_publish_credentials(w.store, &update, &made, &why));
    expect_error(&why, 409, "stale_connection");
    connection_row_unref(row);
    world_end(&w);
}

TEST(a_lease_and_a_touch_do_not_make_credentials_stale)
{
    struct world w;
    struct connection_row *row, *made;
    struct credentials_update update = {.holder = "a", .credentials = text_blob("new")};

    world_begin(&w);
    row = given_connection(&w, w.github, "u-1");
    update.connection_id = row->id;
    update.version = row->version;
    assert_true(take(&w, row->id, "a", NOW_MS));
    store_touch_connection(w.store, row->id, NOW_MS + 9000);
    world_reopen(&w); /* writes the touch */
    MUST(store_publish_credentials(w.store, &update, &made, &err));
    assert_int_equal(made->last_fetched_at_ms, NOW_MS + 9000);
    connection_row_unref(made);
    connection_row_unref(row);
    world_end(&w);
}

/* NOW_MS is 22:13:20 UTC. */
static const struct {
    int64_t at_ms;
    int attempts;
    bool exhausted;
} failures[] = {
    {NOW_MS, 1, false},
    {NOW_MS + 3600000, 1, false},     /* 23:13 of the same day */
    {NOW_MS + 2 * 3600000, 2, false}, /* 00:13 of the next */
    {NOW_MS + 3 * 3600000, 2, false},
    {NOW_MS + 5 * DAY_MS, 3, false}, /* days without a failure do not count */
    {NOW_MS + 6 * DAY_MS, 4, true},
    {NOW_MS + 7 * DAY_MS, 5, true},
};

TEST(failures_count_once_a_day_and_exhaust_at_four)
{
    struct world w;
    struct connection_row *row, *made;
    struct credentials_update update = {.holder = "a", .credentials = text_blob("new")};

    world_begin(&w);
    row = given_connection(&w, w.github, "u-1");
    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
        made = given_failure(&w, row->id, "a", failures[i].at_ms, "log");
        assert_int_equal(made->refresh_attempts, failures[i].attempts);
        assert_int_equal(made->refresh_exhausted, failures[i].exhausted);
        assert_int_equal(made->last_refresh_failure_ms, failures[i].at_ms);
        assert_int_equal(made->last_refresh_success_ms, 0);
        update.version = made->version;
        connection_row_unref(made);
    }
    update.connection_id = row->id;
    MUST(store_publish_credentials(w.store, &update, &made, &err));
    assert_int_equal(made->refresh_attempts, 0);
    assert_false(made->refresh_exhausted);
    connection_row_unref(made);
    made = given_failure(&w, row->id, "a", NOW_MS + 9 * DAY_MS, "log");
    assert_int_equal(made->refresh_attempts, 1);
    connection_row_unref(made);
    connection_row_unref(row);
    world_end(&w);
}

TEST(a_failure_leaves_one_auth_error_and_ends_the_refresh)
{
    struct world w;
    struct connection_row *row, *made;
    struct err why = {0};
    bool counted;

    world_begin(&w);
    row = given_connection(&w, w.github, "u-1");
    assert_true(is_there(&w, w.github, "u-1"));
    assert_true(take(&w, row->id, "a", NOW_MS));
    made = given_failure(&w, row->id, "a", NOW_MS, "log-1");
    connection_row_unref(made);
    made = given_failure(&w, row->id, "a", NOW_MS, "log-2");
    connection_row_unref(made);
    made = find_connection(&w, w.github, "u-1");
    assert_string_equal(made->errors_json, "[{\"type\":\"auth\",\"log_id\":\"log-2\"}]");
    connection_row_unref(made);
    assert_true(take(&w, row->id, "b", NOW_MS));
    assert_false(store_note_refresh_failure(w.store,
        &(struct refresh_failure){.connection_id = 999, .holder = "a", .log_id = "l"},
        &counted, &made, &why));
    expect_error(&why, 404, "not_found");
    connection_row_unref(row);
    world_end(&w);
}

TEST(a_failure_of_credentials_that_are_gone_is_not_counted)
{
    struct world w;
    struct connection_row *row, *made, others;
    struct connection_patch patch = {.tags_json = "{\"k\":\"v\"}"};
    uint8_t mark[SHA256_LEN];
    struct refresh_failure failure = {
        .credentials = mark, .holder = "a", .now_ms = NOW_MS, .log_id = "log"};
    bool counted;

    world_begin(&w);
    row = given_connection(&w, w.github, "u-1");
    failure.connection_id = row->id;
    crypto_sha256(row->credentials.data, row->credentials.len, mark);
    MUST(
        store_patch_connection(w.store, row->id, &patch, &err)); /* not the credentials */
    MUST(store_note_refresh_failure(w.store, &failure, &counted, &made, &err));
    assert_true(counted);
    connection_row_unref(made);

    others = a_connection(w.github, "u-1");
    others.credentials = text_blob("others");
    connection_row_unref(put_connection(&w, &others));
    assert_true(take(&w, row->id, "a", NOW_MS));
    failure.journal_id = journal(&w, row->id, "a", "answer");
    MUST(store_note_refresh_failure(w.store, &failure, &counted, &made, &err));
    assert_false(counted);
    expect_journal(&w, 0, NULL);
    expect_blob(made->credentials, "others");
    assert_int_equal(made->last_refresh_failure_ms, 0);
    assert_int_equal(made->refresh_attempts, 0);
    assert_string_equal(made->errors_json, "[]");
    assert_true(take(&w, row->id, "b", NOW_MS)); /* released all the same */
    connection_row_unref(made);
    connection_row_unref(row);
    world_end(&w);
}

/* One whose token expires at `expires_at_ms` (0 = never). */
static int64_t given_idle(
    struct world *w, const char *id, const char *type, int64_t expires_at_ms)
{
    struct connection_row row = a_connection(w->github, id), *made;
    int64_t of;

    row.auth_type = str_dup(type);
    row.expires_at_ms = expires_at_ms;
    made = put_connection(w, &row);
    of = made->id;
    connection_row_unref(made);
    free(row.auth_type);
    return of;
}

static size_t idle_count(struct world *w, const struct idle_query *query, int64_t first)
{
    struct idle_row rows[IDLE_PAGE];
    size_t count;

    MUST(store_list_idle_connections(w->store, query, rows, &count, &err));
    if (count > 0)
        assert_int_equal(rows[0].id, first);
    return count;
}

TEST(idle_connections_are_listed_by_what_is_due_and_in_pages)
{
    struct world w;
    int64_t late, soon, key;
    struct idle_query query = {
        .expiring = true, .idle_since_ms = NOW_MS + 1, .before_ms = NOW_MS + 10};

    world_begin(&w);
    late = given_idle(&w, "late", "OAUTH2", NOW_MS + 9);
    soon = given_idle(&w, "soon", "OAUTH2", NOW_MS + 5);
    (void)given_idle(&w, "never", "OAUTH2", 0);
    (void)given_idle(&w, "not-yet", "OAUTH2", NOW_MS + 10);
    key = given_idle(&w, "key", "API_KEY", 0);
    assert_int_equal(idle_count(&w, &query, soon), 2);
    query.after_key = NOW_MS + 5;
    query.after_id = soon;
    assert_int_equal(idle_count(&w, &query, late), 1);
    query = (struct idle_query){.integration_id = w.github->id,
        .idle_since_ms = NOW_MS + 1,
        .before_ms = NOW_MS + 1};
    assert_int_equal(idle_count(&w, &query, key), 1);
    query.before_ms = NOW_MS; /* it was made, and known to work, just now */
    assert_int_equal(idle_count(&w, &query, 0), 0);
    query.before_ms = NOW_MS + 1;
    query.idle_since_ms = NOW_MS;
    assert_int_equal(idle_count(&w, &query, 0), 0);
    connection_row_unref(given_failure(&w, key, "", NOW_MS + 5, "log"));
    query.idle_since_ms = NOW_MS + 1;
    assert_int_equal(idle_count(&w, &query, 0), 0); /* known not to */
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lease_has_one_holder_until_it_is_released_or_expires),
        cmocka_unit_test(a_lease_from_before_the_clock_was_set_back_has_expired),
        cmocka_unit_test(
            a_journal_entry_survives_until_it_is_deleted_and_no_other_with_it),
        cmocka_unit_test(an_entry_is_left_alone_while_its_holder_is_at_work),
        cmocka_unit_test(
            refused_answers_stay_the_first_and_the_last_until_there_are_credentials),
        cmocka_unit_test(publishing_is_one_step_that_ends_the_refresh),
        cmocka_unit_test(publishing_over_a_change_is_refused_and_leaves_the_journal),
        cmocka_unit_test(a_lease_and_a_touch_do_not_make_credentials_stale),
        cmocka_unit_test(failures_count_once_a_day_and_exhaust_at_four),
        cmocka_unit_test(a_failure_leaves_one_auth_error_and_ends_the_refresh),
        cmocka_unit_test(a_failure_of_credentials_that_are_gone_is_not_counted),
        cmocka_unit_test(idle_connections_are_listed_by_what_is_due_and_in_pages),
    };

    return RUN_FOR_EACH_STORE(tests);
}
