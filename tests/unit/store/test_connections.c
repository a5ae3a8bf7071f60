/* SPDX-License-Identifier: Apache-2.0 */
/* Connections: creating, overwriting, patching, metadata, touches, listing by every
 * filter. */
#include "world.h"

static bool set_metadata(struct world *w, const char *const *ids, size_t count,
    const char *json, bool merge, struct err *err)
{
    return store_set_metadata(w->store,
        &(struct metadata_change){
            .environment_id = w->env->id,
            .provider_config_key = "github",
            .connection_ids = ids,
            .count = count,
            .metadata_json = json,
            .merge = merge,
        },
        err);
}

/* ---- put ---- */

TEST(a_new_connection_is_stored_whole)
{
    struct world w;
    struct connection_row wanted, *row;
    struct end_user_row user = {
        .id = (char[]){"eu"},
        .email = (char[]){"a@b.co"},
        .display_name = (char[]){"Ann"},
        .tags_json = (char[]){"{\"a\":\"b\"}"},
        .organization_id = (char[]){"org"},
        .organization_display_name = (char[]){"The Org"},
    };
    bool created;

    world_begin(&w);
    wanted = a_connection(w.github, "u-1");
    wanted.metadata_json = (char[]){"{\"m\":1}"};
    wanted.tags_json = (char[]){"{\"t\":\"v\"}"};
    wanted.webhook_url_override = (char[]){"https://h.example"};
    wanted.has_refresh_token = true;
    wanted.expires_at_ms = NOW_MS + 7;
    wanted.end_user = &user;
    MUST(store_put_connection(w.store, &wanted, NULL, &created, &row, &err));
    assert_true(created);
    assert_int_equal(row->version, 1);
    connection_row_unref(row);
    world_reopen(&w);
    for (int round = 0; round < 2; round++) { /* from the file, then from the cache */
        row = find_connection(&w, w.github, "u-1");
        assert_non_null(row);
        assert_int_equal(row->environment_id, w.env->id);
        assert_int_equal(row->integration_id, w.github->id);
        assert_string_equal(row->connection_id, "u-1");
        assert_string_equal(row->provider_config_key, "github");
        assert_string_equal(row->provider, "github");
        assert_string_equal(row->auth_type, "API_KEY");
        assert_true(row->has_refresh_token);
        expect_blob(row->credentials, "credentials");
        expect_blob(row->config, "config");
        assert_string_equal(row->metadata_json, "{\"m\":1}");
        assert_string_equal(row->tags_json, "{\"t\":\"v\"}");
        assert_string_equal(row->errors_json, "[]");
        assert_string_equal(row->webhook_url_override, "https://h.example");
        assert_string_equal(row->end_user->id, "eu");
        assert_string_equal(row->end_user->email, "a@b.co");
        assert_string_equal(row->end_user->display_name, "Ann");
        assert_string_equal(row->end_user->tags_json, "{\"a\":\"b\"}");
        assert_string_equal(row->end_user->organization_id, "org");
        assert_string_equal(row->end_user->organization_display_name, "The Org");
        assert_int_equal(row->created_at_ms, NOW_MS);
        assert_int_equal(row->updated_at_ms, NOW_MS);
        assert_int_equal(row->last_fetched_at_ms, NOW_MS);
        assert_int_equal(row->expires_at_ms, NOW_MS + 7);
        assert_int_equal(row->refresh_attempts, 0);
        assert_false(row->refresh_exhausted);
        connection_row_unref(row);
    }
    world_end(&w);
}

TEST(a_connection_without_credentials_was_never_fetched)
{
    struct world w;
    struct connection_row wanted, *row;

    world_begin(&w);
    wanted = a_connection(w.github, "u-1");
    wanted.auth_type = (char[]){"NONE"};
    wanted.credentials = (struct blob){0};
    wanted.config = (struct blob){0};
    row = put_connection(&w, &wanted);
    assert_int_equal(row->last_fetched_at_ms, 0);
    assert_null(row->credentials.data);
    assert_null(row->config.data);
    connection_row_unref(row);
    world_end(&w);
}

TEST(overwriting_replaces_credentials_and_keeps_metadata_and_end_user)
{
    struct world w;
    struct connection_row wanted, *first, *row;
    struct end_user_row user = {.id = (char[]){"eu"}};
    bool created;

    world_begin(&w);
    wanted = a_connection(w.github, "u-1");
    wanted.metadata_json = (char[]){"{\"m\":1}"};
    wanted.tags_json = (char[]){"{\"t\":\"v\"}"};
    wanted.webhook_url_override = (char[]){"https://h.example"};
    wanted.end_user = &user;
    first = put_connection(&w, &wanted);
    connection_row_unref(given_failure(&w, first->id, "h", NOW_MS, "log"));
    assert_true(is_there(&w, w.github, "u-1")); /* into the cache */

    w.clock.frozen_ms += 10;
    wanted = a_connection(w.github, "u-1");
    wanted.credentials = text_blob("new");
    wanted.config = text_blob("new config");
    wanted.expires_at_ms = 5;
    MUST(store_put_connection(w.store, &wanted, NULL, &created, &row, &err));
    assert_false(created);
    connection_row_unref(row);
    row = find_connection(&w, w.github, "u-1");
    assert_int_equal(row->id, first->id);
    assert_true(row->version > first->version);
    expect_blob(row->credentials, "new");
    expect_blob(row->config, "new config");
    assert_string_equal(row->tags_json, "{}");
    assert_null(row->webhook_url_override);
    assert_int_equal(row->expires_at_ms, 5);
    assert_string_equal(row->metadata_json, "{\"m\":1}");
    assert_string_equal(row->end_user->id, "eu");
    assert_int_equal(row->created_at_ms, NOW_MS);
    assert_int_equal(row->updated_at_ms, NOW_MS + 10);
    assert_int_equal(row->refresh_attempts, 0);
    assert_int_equal(row->last_refresh_failure_ms, 0);
    assert_string_equal(row->errors_json, "[]");
    connection_row_unref(first);
    connection_row_unref(row);
    world_end(&w);
}

TEST(what_a_put_says_nothing_of_is_decided_by_the_row_as_it_is)
{
    const struct put_terms terms = {.metadata_if_new = "{}", .keep_webhook_url = true};
    struct world w;
    struct connection_row wanted, *row;
    struct connection_patch patch = {.tags_json = "{\"t\":\"v\"}",
        .set_webhook_url_override = true,
        .webhook_url_override = "https://h.example"};
    const char *id = "u-1";
    bool created;

    world_begin(&w);
    wanted = a_connection(w.github, id);
    wanted.tags_json = NULL;
    MUST(store_put_connection(w.store, &wanted, &terms, &created, &row, &err));
    assert_true(created);
    assert_string_equal(row->metadata_json, "{}");
    assert_string_equal(row->tags_json, "{}");
    assert_null(row->webhook_url_override);
    MUST(store_patch_connection(w.store, row->id, &patch, &err));
    MUST(set_metadata(&w, &id, 1, "{\"m\":1}", false, &err));
    connection_row_unref(row);

    MUST(store_put_connection(w.store, &wanted, &terms, &created, &row, &err));
    assert_false(created);
    assert_string_equal(row->metadata_json, "{\"m\":1}");
    assert_string_equal(row->tags_json, "{\"t\":\"v\"}");
    assert_string_equal(row->webhook_url_override, "https://h.example");
    connection_row_unref(row);
    wanted.webhook_url_override = (char[]){"https://new.example"};
    MUST(store_put_connection(w.store, &wanted, &terms, &created, &row, &err));
    assert_string_equal(row->webhook_url_override, "https://new.example");
    connection_row_unref(row);
    wanted.webhook_url_override = NULL;
    row = put_connection(&w, &wanted);
    assert_null(row->webhook_url_override);
    connection_row_unref(row);
    world_end(&w);
}

TEST(a_put_is_refused_over_a_row_that_its_terms_do_not_mean)
{
    struct blob config = text_blob("config"), other = text_blob("other");
    struct put_terms terms = {0};
    struct world w;
    struct connection_row wanted, *first, *row;
    struct err why = {0};
    bool created, found;

    world_begin(&w);
    wanted = a_connection(w.github, "u-1");
    first = put_connection(&w, &wanted);
    terms.row_id = first->id;
    terms.config = &config;
    MUST(store_put_connection(w.store, &wanted, &terms, &created, &row, &err));
    connection_row_unref(row);
    terms.config = &other;
    assert_false(store_put_connection(w.store, &wanted, &terms, &created, &row, &why));
    expect_error(&why, 409, "stale_connection");
    assert_null(row);

    MUST(store_delete_connection(w.store, first->id, &found, &err));
    terms.config = NULL;
    assert_false(store_put_connection(w.store, &wanted, &terms, &created, &row, &why));
    expect_error(&why, 404, "unknown_connection");
    assert_false(is_there(&w, w.github, "u-1"));
    connection_row_unref(put_connection(&w, &wanted)); /* another of that name */
    assert_false(store_put_connection(w.store, &wanted, &terms, &created, &row, &why));
    expect_error(&why, 404, "unknown_connection");
    connection_row_unref(first);
    world_end(&w);
}

TEST(one_connection_id_may_be_used_with_each_integration)
{
    struct world w;
    struct connection_row *a, *b;

    world_begin(&w);
    a = given_connection(&w, w.github, "u-1");
    b = given_connection(&w, w.slack, "u-1");
    assert_int_not_equal(a->id, b->id);
    connection_row_unref(a);
    connection_row_unref(b);
    world_end(&w);
}

TEST(a_connection_needs_an_integration_of_its_environment)
{
    struct world w;
    struct environment_row *other;
    struct connection_row wanted, *row;
    struct err err = {0};
    bool created;

    world_begin(&w);
    other = given_environment(&w, "prod");
    wanted = a_connection(w.github, "u-1");
    wanted.environment_id = other->id;
    assert_false(store_put_connection(w.store, &wanted, NULL, &created, &row, &err));
    expect_error(&err, 404, "unknown_provider_config");
    assert_null(row);
    environment_row_unref(other);
    world_end(&w);
}

TEST(a_changed_end_user_shows_in_all_its_connections)
{
    struct world w;
    struct connection_row wanted, *row;
    struct end_user_row user = {.id = (char[]){"eu"}, .email = (char[]){"old@b.co"}};

    world_begin(&w);
    wanted = a_connection(w.github, "u-1");
    wanted.end_user = &user;
    connection_row_unref(put_connection(&w, &wanted));
    assert_true(is_there(&w, w.github, "u-1"));
    wanted = a_connection(w.slack, "u-2");
    user.email = (char[]){"new@b.co"};
    wanted.end_user = &user;
    connection_row_unref(put_connection(&w, &wanted));
    row = find_connection(&w, w.github, "u-1");
    assert_string_equal(row->end_user->email, "new@b.co");
    connection_row_unref(row);
    world_end(&w);
}

/* ---- patch, delete ---- */

TEST(a_patch_changes_only_what_it_names)
{
    struct world w;
    struct connection_row *row;
    struct end_user_row user = {.id = (char[]){"eu"}};
    struct connection_patch patch = {.tags_json = "{\"k\":\"v\"}"};
    struct err why = {0};
    int64_t id, version;

    world_begin(&w);
    row = given_connection(&w, w.github, "u-1");
    id = row->id;
    version = row->version;
    connection_row_unref(row);
    assert_true(is_there(&w, w.github, "u-1"));

    MUST(store_patch_connection(w.store, id, &patch, &err));
    row = find_connection(&w, w.github, "u-1");
    assert_string_equal(row->tags_json, "{\"k\":\"v\"}");
    assert_null(row->end_user);
    assert_int_equal(row->version, version + 1);
    connection_row_unref(row);

    patch = (struct connection_patch){.end_user = &user,
        .set_webhook_url_override = true,
        .webhook_url_override = "https://h.example"};
    MUST(store_patch_connection(w.store, id, &patch, &err));
    row = find_connection(&w, w.github, "u-1");
    assert_string_equal(row->tags_json, "{\"k\":\"v\"}");
    assert_string_equal(row->end_user->id, "eu");
    assert_string_equal(row->webhook_url_override, "https://h.example");
    expect_blob(row->credentials, "credentials");
    connection_row_unref(row);

    patch = (struct connection_patch){.set_webhook_url_override = true};
    MUST(store_patch_connection(w.store, id, &patch, &err));
    row = find_connection(&w, w.github, "u-1");
    assert_null(row->webhook_url_override);
    assert_string_equal(row->end_user->id, "eu");
    connection_row_unref(row);

    assert_false(store_patch_connection(w.store, 999, &patch, &why));
    expect_error(&why, 404, "unknown_connection");
    world_end(&w);
}

TEST(a_deleted_connection_is_gone_and_its_name_free)
{
    struct world w;
    struct connection_row *row, *again;
    struct connection_row **rows;
    struct connection_filter filter = {0};
    size_t count;
    bool found;

    world_begin(&w);
    row = given_connection(&w, w.github, "u-1");
    assert_true(is_there(&w, w.github, "u-1"));
    MUST(store_delete_connection(w.store, row->id, &found, &err));
    assert_true(found);
    assert_false(is_there(&w, w.github, "u-1"));
    MUST(store_reload_connection(w.store, row->id, &again, &err));
    assert_null(again);
    filter.environment_id = w.env->id;
    MUST(store_list_connections(w.store, &filter, &rows, &count, &err));
    assert_int_equal(count, 0);
    store_connections_free(rows, count);
    MUST(store_delete_connection(w.store, row->id, &found, &err));
    assert_false(found);
    again = given_connection(&w, w.github, "u-1");
    assert_true(again->id > row->id);
    connection_row_unref(again);
    connection_row_unref(row);
    world_end(&w);
}

/* ---- metadata ---- */

static void expect_metadata(struct world *w, const char *id, const char *json)
{
    struct connection_row *row = find_connection(w, w->github, id);

    if (json == NULL)
        assert_null(row->metadata_json);
    else
        assert_string_equal(row->metadata_json, json);
    connection_row_unref(row);
}

TEST(metadata_is_set_or_merged_at_the_top_level)
{
    struct world w;
    const char *const both[] = {"u-1", "u-2"};
    const char *const one[] = {"u-1"};

    world_begin(&w);
    connection_row_unref(given_connection(&w, w.github, "u-1"));
    connection_row_unref(given_connection(&w, w.github, "u-2"));
    expect_metadata(&w, "u-1", NULL);
    MUST(set_metadata(&w, one, 1, "{\"a\":{\"x\":1},\"b\":2}", false, &err));
    expect_metadata(&w, "u-1", "{\"a\":{\"x\":1},\"b\":2}");
    MUST(set_metadata(&w, both, 2, "{\"a\":{\"y\":null},\"c\":3}", true, &err));
    expect_metadata(&w, "u-1", "{\"a\":{\"y\":null},\"b\":2,\"c\":3}");
    expect_metadata(&w, "u-2", "{\"a\":{\"y\":null},\"c\":3}");
    MUST(set_metadata(&w, both, 2, "{}", false, &err));
    expect_metadata(&w, "u-1", "{}");
    world_end(&w);
}

TEST(metadata_is_set_on_all_connections_or_on_none)
{
    struct world w;
    const char *const ids[] = {"u-1", "nobody"};
    struct err err = {0};

    world_begin(&w);
    connection_row_unref(given_connection(&w, w.github, "u-1"));
    assert_false(set_metadata(&w, ids, 2, "{\"a\":1}", false, &err));
    expect_error(&err, 404, "unknown_connection");
    expect_metadata(&w, "u-1", NULL);
    world_end(&w);
}

/* ---- touches ---- */

TEST(a_fetch_is_shown_at_once_and_written_when_the_store_closes)
{
    struct world w;
    struct connection_row *row;
    int64_t id, version;

    world_begin(&w);
    row = given_connection(&w, w.github, "u-1");
    id = row->id;
    version = row->version;
    connection_row_unref(row);
    assert_true(is_there(&w, w.github, "u-1"));
    store_touch_connection(w.store, id, NOW_MS + 5000);
    row = find_connection(&w, w.github, "u-1"); /* cached */
    assert_int_equal(row->last_fetched_at_ms, NOW_MS + 5000);
    connection_row_unref(row);
    MUST(store_reload_connection(w.store, id, &row, &err)); /* read */
    assert_int_equal(row->last_fetched_at_ms, NOW_MS + 5000);
    connection_row_unref(row);
    world_reopen(&w);
    row = find_connection(&w, w.github, "u-1");
    assert_int_equal(row->last_fetched_at_ms, NOW_MS + 5000);
    assert_int_equal(row->version, version);
    connection_row_unref(row);
    world_end(&w);
}

TEST(touching_what_is_not_there_does_nothing)
{
    struct world w;

    world_begin(&w);
    store_touch_connection(w.store, 0, NOW_MS);
    store_touch_connection(w.store, 999, NOW_MS);
    world_reopen(&w);
    MUST(store_check(w.store, &err));
    world_end(&w);
}

/* ---- listing ---- */

struct listed {
    const char *id, *integration, *user, *name, *email, *org, *tags;
    int64_t at_ms; /* after NOW_MS */
};

/* In the order of creation; `listing` below gives the order of the answer. */
static const struct listed listed[] = {
    {"a-1", "github", "u1", "Ann Other", "ann@one.co", "o1", "{\"plan\":\"pro\"}", 0},
    {"b_2", "github", "u2", "Bob Émile Ülker", "bob@two.co", "o1",
        "{\"plan\":\"pro\",\"region\":\"eu\"}", 0},
    {"c%3", "slack", "u1", "Ann Other", "ann@one.co", "o1", "{\"plan\":\"free\"}", 1},
    {"D\\4", "slack", NULL, NULL, NULL, NULL, "{}", 2},
    {"e-5", "slack", "u3", "x_y Юлия", "e@z.co", NULL, "{\"n\":1}", 0},
};

static void given_listed(struct world *w)
{
    for (size_t i = 0; i < sizeof listed / sizeof listed[0]; i++) {
        const struct listed *at = &listed[i];
        struct connection_row row = a_connection(
            strcmp(at->integration, "slack") == 0 ? w->slack : w->github, at->id);
        struct end_user_row user = {
            .id = str_dup(at->user),
            .email = str_dup(at->email),
            .display_name = str_dup(at->name),
            .organization_id = str_dup(at->org),
        };

        w->clock.frozen_ms = NOW_MS + at->at_ms;
        row.tags_json = str_dup(at->tags);
        row.end_user = user.id != NULL ? &user : NULL;
        connection_row_unref(put_connection(w, &row));
        free(row.tags_json);
        free(user.id);
        free(user.email);
        free(user.display_name);
        free(user.organization_id);
    }
}

#define INTEGRATIONS(...)                                                                \
    .integrations = (const char *const[]){__VA_ARGS__},                                  \
    .integration_count = sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)
#define TAGS(keys, values, count)                                                        \
    .tag_keys = (const char *const[])keys, .tag_values = (const char *const[])values,    \
    .tag_count = (count)
#define LIST(...)                                                                        \
    {                                                                                    \
        __VA_ARGS__                                                                      \
    }

static const struct {
    const char *what;
    struct connection_filter filter;
    const char *ids; /* with a blank after each */
} listings[] = {
    {"everything", {0}, "D\\4 c%3 e-5 b_2 a-1 "},
    {"first page", {.limit = 2}, "D\\4 c%3 "},
    {"second page", {.limit = 2, .offset = 2}, "e-5 b_2 "},
    {"past the end", {.limit = 2, .offset = 9}, ""},
    {"connection id", {.connection_id = "b_2"}, "b_2 "},
    {"connection id, exact", {.connection_id = "b"}, ""},
    {"search in the id, any case", {.search = "d\\4"}, "D\\4 "},
    {"search in the name", {.search = "NN OTH"}, "c%3 a-1 "},
    {"search in the e-mail", {.search = "@TWO"}, "b_2 "},
    {"search: % is no wildcard", {.search = "%"}, "c%3 "},
    {"search: _ is no wildcard", {.search = "_"}, "e-5 b_2 "},
    {"search: backslash is itself", {.search = "\\"}, "D\\4 "},
    {"search: a quote is itself", {.search = "'"}, ""},
    {"search knows no case in Latin", {.search = "ÉMILE Ü"}, "b_2 "},
    {"search knows no case in Cyrillic", {.search = "юЛИЯ"}, "e-5 "},
    {"search: a letter is not its neighbour", {.search = "émile ú"}, ""},
    {"search: beyond the text's end", {.search = "ülker x"}, ""},
    {"end user", {.end_user_id = "u1"}, "c%3 a-1 "},
    {"organization", {.organization_id = "o1"}, "c%3 b_2 a-1 "},
    {"one integration", {INTEGRATIONS("github")}, "b_2 a-1 "},
    {"two integrations", {INTEGRATIONS("github", "slack")}, "D\\4 c%3 e-5 b_2 a-1 "},
    {"no such integration", {INTEGRATIONS("git\"hub")}, ""},
    {"one tag", {TAGS(LIST("plan"), LIST("pro"), 1)}, "b_2 a-1 "},
    {"two tags", {TAGS(LIST("plan", "region"), LIST("pro", "eu"), 2)}, "b_2 "},
    {"pairs, not keys and values", {TAGS(LIST("region"), LIST("pro"), 1)}, ""},
    {"tag values know case", {TAGS(LIST("plan"), LIST("PRO"), 1)}, ""},
    {"all together",
        {.search = "ann",
            .end_user_id = "u1",
            .organization_id = "o1",
            INTEGRATIONS("slack"),
            TAGS(LIST("plan"), LIST("free"), 1)},
        "c%3 "},
};

TEST(connections_are_listed_newest_first_by_every_filter)
{
    struct world w;

    world_begin(&w);
    given_listed(&w);
    for (size_t i = 0; i < sizeof listings / sizeof listings[0]; i++) {
        struct connection_filter filter = listings[i].filter;
        struct connection_row **rows;
        struct buf ids;
        size_t count;

        filter.environment_id = w.env->id;
        MUST(store_list_connections(w.store, &filter, &rows, &count, &err));
        buf_init(&ids, 0);
        buf_puts(&ids, "");
        for (size_t j = 0; j < count; j++) {
            buf_printf(&ids, "%s ", rows[j]->connection_id);
            assert_null(rows[j]->credentials.data);
            assert_null(rows[j]->config.data);
        }
        if (strcmp(ids.data, listings[i].ids) != 0)
            fail_msg("%s: \"%s\" instead of \"%s\"", listings[i].what, ids.data,
                listings[i].ids);
        buf_finish(&ids);
        store_connections_free(rows, count);
    }
    world_end(&w);
}

TEST(another_environment_lists_nothing_of_this_one)
{
    struct world w;
    struct environment_row *other;
    struct connection_row **rows;
    struct connection_filter filter = {0};
    size_t count;

    world_begin(&w);
    given_listed(&w);
    other = given_environment(&w, "prod");
    filter.environment_id = other->id;
    MUST(store_list_connections(w.store, &filter, &rows, &count, &err));
    assert_int_equal(count, 0);
    store_connections_free(rows, count);
    environment_row_unref(other);
    world_end(&w);
}

TEST(listing_by_tag_follows_changes_of_tags)
{
    struct world w;
    const char *const keys[] = {"k"};
    const char *const values[] = {"v"};
    struct connection_filter filter = {
        .tag_keys = keys, .tag_values = values, .tag_count = 1};
    const struct connection_patch patches[] = {{.tags_json = "{\"k\":\"v\"}"},
        {.tags_json = "{\"k\":\"w\"}"}, {.tags_json = "{\"j\":\"v\",\"k\":\"v\"}"},
        {.tags_json = "{}"}};
    const size_t found[] = {1, 0, 1, 0};
    struct connection_row *row, **rows;
    size_t count;

    world_begin(&w);
    row = given_connection(&w, w.github, "u-1");
    filter.environment_id = w.env->id;
    for (size_t i = 0; i < 4; i++) {
        MUST(store_patch_connection(w.store, row->id, &patches[i], &err));
        MUST(store_list_connections(w.store, &filter, &rows, &count, &err));
        assert_int_equal(count, found[i]);
        store_connections_free(rows, count);
    }
    connection_row_unref(row);
    world_end(&w);
}

TEST(more_tags_than_a_statement_can_take_are_refused)
{
    struct world w;
    const char *texts[101];
    struct connection_filter filter = {
        .tag_keys = texts, .tag_values = texts, .tag_count = 101};
    struct connection_row **rows;
    struct err why = {0};
    size_t count;

    world_begin(&w);
    for (size_t i = 0; i < 101; i++)
        texts[i] = "x";
    filter.environment_id = w.env->id;
    assert_false(store_list_connections(w.store, &filter, &rows, &count, &why));
    expect_error(&why, 400, "invalid_query_params");
    filter.tag_count = 100;
    MUST(store_list_connections(w.store, &filter, &rows, &count, &err));
    assert_int_equal(count, 0);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_connection_is_stored_whole),
        cmocka_unit_test(a_connection_without_credentials_was_never_fetched),
        cmocka_unit_test(
            overwriting_replaces_credentials_and_keeps_metadata_and_end_user),
        cmocka_unit_test(what_a_put_says_nothing_of_is_decided_by_the_row_as_it_is),
        cmocka_unit_test(a_put_is_refused_over_a_row_that_its_terms_do_not_mean),
        cmocka_unit_test(one_connection_id_may_be_used_with_each_integration),
        cmocka_unit_test(a_connection_needs_an_integration_of_its_environment),
        cmocka_unit_test(a_changed_end_user_shows_in_all_its_connections),
        cmocka_unit_test(a_patch_changes_only_what_it_names),
        cmocka_unit_test(a_deleted_connection_is_gone_and_its_name_free),
        cmocka_unit_test(metadata_is_set_or_merged_at_the_top_level),
        cmocka_unit_test(metadata_is_set_on_all_connections_or_on_none),
        cmocka_unit_test(a_fetch_is_shown_at_once_and_written_when_the_store_closes),
        cmocka_unit_test(touching_what_is_not_there_does_nothing),
        cmocka_unit_test(connections_are_listed_newest_first_by_every_filter),
        cmocka_unit_test(another_environment_lists_nothing_of_this_one),
        cmocka_unit_test(listing_by_tag_follows_changes_of_tags),
        cmocka_unit_test(more_tags_than_a_statement_can_take_are_refused),
    };

    return RUN_FOR_EACH_STORE(tests);
}
