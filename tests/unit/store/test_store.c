/* SPDX-License-Identifier: Apache-2.0 */
/* Everything but connections: environments, keys, variables, integrations, sessions,
 * states, the sweep. */
#include "world.h"

/* ---- the key ring ---- */

TEST(data_keys_are_listed_by_number_and_replaced_on_rewrapping)
{
    struct world w;
    struct store_key *keys;
    size_t count;

    world_begin(&w);
    MUST(store_put_key(w.store, 2, "two", 3, &err));
    MUST(store_put_key(w.store, 1, "one", 3, &err));
    MUST(store_put_key(w.store, 2, "again", 5, &err));
    world_reopen(&w);
    MUST(store_list_keys(w.store, &keys, &count, &err));
    assert_int_equal(count, 2);
    assert_int_equal(keys[0].number, 1);
    expect_blob(keys[0].wrapped, "one");
    assert_int_equal(keys[1].number, 2);
    expect_blob(keys[1].wrapped, "again");
    store_keys_free(keys, count);
    world_end(&w);
}

/* ---- environments ---- */

static void expect_is(
    const struct environment_row *row, const struct environment_row *wanted)
{
    assert_non_null(row);
    assert_int_equal(row->id, wanted->id);
    assert_string_equal(row->name, wanted->name);
}

TEST(an_environment_is_found_by_id_name_uuid_and_public_key)
{
    struct world w;
    struct environment_row *row;

    world_begin(&w);
    for (int round = 0; round < 2; round++) { /* the second from the cache */
        MUST(store_find_environment(w.store, w.env->id, &row, &err));
        expect_is(row, w.env);
        assert_int_equal(row->created_at_ms, NOW_MS);
        environment_row_unref(row);
        MUST(store_find_environment_by_name(w.store, "dev", &row, &err));
        expect_is(row, w.env);
        environment_row_unref(row);
        MUST(store_find_environment_by_uuid(w.store, w.env->uuid, &row, &err));
        expect_is(row, w.env);
        environment_row_unref(row);
        MUST(
            store_find_environment_by_public_key(w.store, w.env->public_key, &row, &err));
        expect_is(row, w.env);
        environment_row_unref(row);
    }
    MUST(store_find_environment(w.store, 999, &row, &err));
    assert_null(row);
    MUST(store_find_environment_by_name(w.store, "no", &row, &err));
    assert_null(row);
    MUST(store_find_environment_by_uuid(w.store, "no", &row, &err));
    assert_null(row);
    MUST(store_find_environment_by_public_key(w.store, "no", &row, &err));
    assert_null(row);
    world_end(&w);
}

TEST(a_second_environment_of_one_name_is_a_conflict)
{
    struct world w;
    struct environment_row row = {.uuid = "u", .public_key = "p"}, *made;
    struct err err = {0};

    world_begin(&w);
    row.name = w.env->name;
    assert_false(store_insert_environment(w.store, &row, &made, &err));
    expect_error(&err, 409, "conflict");
    assert_null(made);
    world_end(&w);
}

TEST(an_updated_environment_is_seen_at_once)
{
    struct world w;
    struct environment_row *row;
    struct environment_patch patch = {.set_callback_url = true,
        .callback_url = "https://a.example/cb",
        .set_hmac_enabled = true,
        .hmac_enabled = true,
        .set_hmac_key = true,
        .hmac_key = text_blob("sealed")};
    struct environment_patch without = {.set_hmac_key = true};
    struct err why = {0};

    world_begin(&w);
    MUST(store_find_environment(w.store, w.env->id, &row, &err));
    assert_null(row->callback_url);
    MUST(store_patch_environment(w.store, w.env->id, &patch, &err));
    environment_row_unref(row);
    MUST(store_find_environment(w.store, w.env->id, &row, &err));
    assert_string_equal(row->callback_url, "https://a.example/cb");
    assert_true(row->hmac_enabled);
    expect_blob(row->hmac_key, "sealed");
    environment_row_unref(row);

    assert_false(store_patch_environment(w.store, w.env->id, &without, &why));
    expect_error(&why, 400, "missing_hmac_key");
    without.set_hmac_enabled = true;
    MUST(store_patch_environment(w.store, w.env->id, &without, &err));
    MUST(store_find_environment(w.store, w.env->id, &row, &err));
    assert_false(row->hmac_enabled);
    assert_null(row->hmac_key.data);
    assert_string_equal(row->callback_url, "https://a.example/cb"); /* as it was */
    environment_row_unref(row);
    assert_false(store_patch_environment(w.store, 999, &patch, &why));
    expect_error(&why, 404, "not_found");
    world_end(&w);
}

TEST(deleting_an_environment_takes_all_that_is_in_it)
{
    struct world w;
    struct environment_row **rows, *other, *row;
    struct integration_row *in_other, *gone;
    uint8_t hash[SHA256_LEN];
    char name[] = "k", scopes[] = "environment:*";
    struct api_key_row key = {
        .display_name = name, .scopes = scopes, .secret = text_blob("s")};
    struct api_key_row *made;
    size_t count;
    bool found;

    world_begin(&w);
    other = given_environment(&w, "prod");
    in_other = given_integration(&w, other, "github");
    connection_row_unref(given_connection(&w, w.github, "u-1"));
    connection_row_unref(given_connection(&w, in_other, "u-1"));
    key.environment_id = w.env->id;
    memcpy(key.sha256, hash_of("k", hash), sizeof hash);
    MUST(store_insert_api_key(w.store, &key, &made, &err));
    api_key_row_unref(made);
    MUST(store_find_api_key(w.store, hash, &made, &err)); /* into the cache */
    api_key_row_unref(made);
    assert_true(is_there(&w, w.github, "u-1"));
    MUST(store_put_variable(w.store, w.env->id, "A", "v", 1, &err));

    MUST(store_delete_environment(w.store, w.env->id, &found, &err));
    assert_true(found);
    MUST(store_find_environment(w.store, w.env->id, &row, &err));
    assert_null(row);
    MUST(store_find_api_key(w.store, hash, &made, &err));
    assert_null(made);
    MUST(store_find_integration(w.store, w.env->id, "github", &gone, &err));
    assert_null(gone);
    assert_false(is_there(&w, w.github, "u-1"));
    assert_true(is_there(&w, in_other, "u-1"));
    MUST(store_list_environments(w.store, &rows, &count, &err));
    assert_int_equal(count, 1);
    assert_string_equal(rows[0]->name, "prod");
    store_environments_free(rows, count);
    MUST(store_delete_environment(w.store, w.env->id, &found, &err));
    assert_false(found);
    MUST(store_check(w.store, &err));
    environment_row_unref(other);
    integration_row_unref(in_other);
    world_end(&w);
}

/* ---- API keys ---- */

static struct api_key_row *given_api_key(struct world *w, const char *name)
{
    char *label = str_dup(name);
    char scopes[] = "environment:*";
    struct api_key_row key = {
        .environment_id = w->env->id,
        .display_name = label,
        .scopes = scopes,
        .secret = text_blob("sealed"),
    };
    struct api_key_row *made = NULL;

    (void)hash_of(name, key.sha256);
    MUST(store_insert_api_key(w->store, &key, &made, &err));
    free(label);
    return made;
}

TEST(an_api_key_is_found_by_its_hash_until_it_is_deleted)
{
    struct world w;
    struct api_key_row *key, *row;
    uint8_t hash[SHA256_LEN];
    bool found;

    world_begin(&w);
    key = given_api_key(&w, "one");
    for (int round = 0; round < 2; round++) {
        MUST(store_find_api_key(w.store, hash_of("one", hash), &row, &err));
        assert_int_equal(row->id, key->id);
        assert_int_equal(row->environment_id, w.env->id);
        assert_string_equal(row->scopes, "environment:*");
        expect_blob(row->secret, "sealed");
        assert_memory_equal(row->sha256, hash, sizeof hash);
        api_key_row_unref(row);
    }
    MUST(store_delete_api_key(w.store, w.env->id + 1, key->id, &found, &err));
    assert_false(found); /* another environment's */
    MUST(store_delete_api_key(w.store, w.env->id, key->id, &found, &err));
    assert_true(found);
    MUST(store_find_api_key(w.store, hash, &row, &err));
    assert_null(row);
    api_key_row_unref(key);
    world_end(&w);
}

TEST(api_keys_are_listed_newest_first_and_names_are_unique)
{
    struct world w;
    struct api_key_row **rows, *third, *made, again;
    struct err why = {0};
    size_t count;

    world_begin(&w);
    api_key_row_unref(given_api_key(&w, "first"));
    api_key_row_unref(given_api_key(&w, "second")); /* the same millisecond */
    w.clock.frozen_ms++;
    third = given_api_key(&w, "third");
    again = *third;
    again.sha256[0] ^= 1;
    assert_false(store_insert_api_key(w.store, &again, &made, &why));
    expect_error(&why, 409, "conflict");
    assert_null(made);

    MUST(store_list_api_keys(w.store, w.env->id, &rows, &count, &err));
    assert_int_equal(count, 3);
    assert_string_equal(rows[0]->display_name, "third");
    assert_string_equal(rows[1]->display_name, "second");
    assert_string_equal(rows[2]->display_name, "first");
    store_api_keys_free(rows, count);
    api_key_row_unref(third);
    world_end(&w);
}

/* ---- variables ---- */

TEST(variables_are_listed_by_name_replaced_and_deleted)
{
    struct world w;
    struct variable_row *rows;
    size_t count;
    bool found;

    world_begin(&w);
    MUST(store_put_variable(w.store, w.env->id, "B", "b", 1, &err));
    MUST(store_put_variable(w.store, w.env->id, "A", "a", 1, &err));
    MUST(store_put_variable(w.store, w.env->id, "B", "new", 3, &err));
    MUST(store_put_variable(w.store, w.env->id, "C", "", 0, &err));
    MUST(store_list_variables(w.store, w.env->id, &rows, &count, &err));
    assert_int_equal(count, 3);
    assert_string_equal(rows[0].name, "A");
    assert_string_equal(rows[1].name, "B");
    expect_blob(rows[1].value, "new");
    expect_blob(rows[2].value, "");
    store_variables_free(rows, count);
    MUST(store_delete_variable(w.store, w.env->id, "A", &found, &err));
    assert_true(found);
    MUST(store_delete_variable(w.store, w.env->id, "A", &found, &err));
    assert_false(found);
    MUST(store_list_variables(w.store, w.env->id + 1, &rows, &count, &err));
    assert_int_equal(count, 0);
    store_variables_free(rows, count);
    world_end(&w);
}

TEST(a_write_into_an_environment_that_is_gone_is_refused)
{
    struct world w;
    struct err err = {0};

    world_begin(&w);
    assert_false(store_put_variable(w.store, 999, "A", "a", 1, &err));
    expect_error(&err, 404, "not_found");
    world_end(&w);
}

/* ---- integrations ---- */

TEST(integrations_are_found_by_key_and_listed_oldest_first)
{
    struct world w;
    struct integration_row **rows, *row;
    size_t count;

    world_begin(&w);
    for (int round = 0; round < 2; round++) {
        MUST(store_find_integration(w.store, w.env->id, "github", &row, &err));
        assert_int_equal(row->id, w.github->id);
        assert_string_equal(row->uid, w.github->uid);
        assert_string_equal(row->provider, "github");
        assert_null(row->display_name);
        expect_blob(row->settings, "settings");
        integration_row_unref(row);
    }
    MUST(store_list_integrations(w.store, w.env->id, &rows, &count, &err));
    assert_int_equal(count, 2);
    assert_string_equal(rows[0]->unique_key, "github");
    assert_string_equal(rows[1]->unique_key, "slack");
    store_integrations_free(rows, count);
    world_end(&w);
}

TEST(an_integration_key_is_taken_once_and_free_again_after_deletion)
{
    struct world w;
    struct integration_row again, *made;
    struct err why = {0};
    bool found;

    world_begin(&w);
    again = *w.github;
    crypto_uuid_v4(again.uid);
    assert_false(store_insert_integration(w.store, &again, &made, &why));
    expect_error(&why, 409, "duplicate_provider_config");
    assert_null(made);
    MUST(store_delete_integration(w.store, w.github->id, &found, &err));
    assert_true(found);
    MUST(store_insert_integration(w.store, &again, &made, &err));
    assert_true(made->id > w.github->id);
    integration_row_unref(made);
    world_end(&w);
}

TEST(a_renamed_integration_takes_its_connections_along)
{
    struct world w;
    struct integration_row changed, *made = NULL;
    struct connection_row *row;
    char key[] = "github-2", label[] = "Our GitHub";
    struct err why = {0};

    world_begin(&w);
    connection_row_unref(given_connection(&w, w.github, "u-1"));
    assert_true(is_there(&w, w.github, "u-1"));
    w.clock.frozen_ms += 5;
    changed = *w.github;
    changed.unique_key = key;
    changed.display_name = label;
    changed.forward_webhooks = true;
    changed.settings = text_blob("new");
    MUST(store_update_integration(w.store, &changed, &made, &err));
    assert_string_equal(made->unique_key, "github-2");
    assert_string_equal(made->display_name, label);
    assert_true(made->forward_webhooks);
    expect_blob(made->settings, "new");
    assert_int_equal(made->created_at_ms, NOW_MS);
    assert_int_equal(made->updated_at_ms, NOW_MS + 5);

    assert_false(is_there(&w, w.github, "u-1"));
    row = find_connection(&w, made, "u-1");
    assert_non_null(row);
    assert_string_equal(row->provider_config_key, "github-2");
    connection_row_unref(row);

    changed.unique_key = w.slack->unique_key;
    changed.version = made->version;
    integration_row_unref(made);
    assert_false(store_update_integration(w.store, &changed, &made, &why));
    expect_error(&why, 409, "duplicate_provider_config");
    changed.id = 999;
    assert_false(store_update_integration(w.store, &changed, &made, &why));
    expect_error(&why, 404, "unknown_provider_config");
    world_end(&w);
}

TEST(a_change_made_to_an_older_integration_is_refused_and_changes_nothing)
{
    struct world w;
    struct integration_row first, second, *made = NULL, *row;
    char one[] = "one", two[] = "two";
    struct err why = {0};

    world_begin(&w);
    first = second = *w.github; /* both read the same row */
    first.settings = text_blob("secret of the first");
    second.display_name = two;
    MUST(store_update_integration(w.store, &first, &made, &err));
    assert_true(made->version > w.github->version);
    integration_row_unref(made);
    assert_false(store_update_integration(w.store, &second, &made, &why));
    expect_error(&why, 409, "stale_integration");
    assert_null(made);

    MUST(store_find_integration(w.store, w.env->id, "github", &row, &err));
    expect_blob(row->settings, "secret of the first");
    assert_null(row->display_name);
    first.version = row->version; /* made again, to what is there now */
    first.display_name = one;
    integration_row_unref(row);
    MUST(store_update_integration(w.store, &first, &made, &err));
    assert_string_equal(made->display_name, "one");
    integration_row_unref(made);
    world_end(&w);
}

TEST(deleting_an_integration_deletes_its_connections)
{
    struct world w;
    size_t count;
    bool found;

    world_begin(&w);
    connection_row_unref(given_connection(&w, w.github, "u-1"));
    connection_row_unref(given_connection(&w, w.github, "u-2"));
    connection_row_unref(given_connection(&w, w.slack, "u-1"));
    assert_true(is_there(&w, w.github, "u-1"));
    MUST(store_count_connections(w.store, w.github->id, &count, &err));
    assert_int_equal(count, 2);
    MUST(store_delete_integration(w.store, w.github->id, &found, &err));
    assert_true(found);
    assert_false(is_there(&w, w.github, "u-1"));
    assert_true(is_there(&w, w.slack, "u-1"));
    MUST(store_count_connections(w.store, w.github->id, &count, &err));
    assert_int_equal(count, 0);
    MUST(store_delete_integration(w.store, w.github->id, &found, &err));
    assert_false(found);
    world_end(&w);
}

/* ---- connect sessions and OAuth states ---- */

TEST(a_connect_session_is_found_until_it_expires_or_is_deleted)
{
    struct world w;
    struct connect_session_row session = {
        .payload = text_blob("sealed"), .expires_at_ms = NOW_MS + 1000};
    struct connect_session_row *row;
    struct connection_row *connection;
    uint8_t token[SHA256_LEN];
    int64_t id;
    bool found;

    world_begin(&w);
    connection = given_connection(&w, w.github, "u-1");
    session.environment_id = w.env->id;
    session.connection_id = connection->id;
    MUST(store_insert_connect_session(w.store, hash_of("t", token), &session, &id, &err));
    assert_true(id > 0);
    MUST(store_find_connect_session(w.store, token, NOW_MS + 999, &row, &err));
    assert_int_equal(row->id, id);
    assert_int_equal(row->environment_id, w.env->id);
    assert_int_equal(row->connection_id, connection->id);
    assert_int_equal(row->created_at_ms, NOW_MS);
    assert_int_equal(row->expires_at_ms, NOW_MS + 1000);
    expect_blob(row->payload, "sealed");
    connect_session_row_free(row);
    MUST(store_find_connect_session(w.store, token, NOW_MS + 1000, &row, &err));
    assert_null(row);
    MUST(store_delete_connect_session(w.store, token, &found, &err));
    assert_true(found);
    MUST(store_find_connect_session(w.store, token, NOW_MS, &row, &err));
    assert_null(row);
    MUST(store_delete_connect_session(w.store, token, &found, &err));
    assert_false(found);

    session.connection_id = 0; /* of a new connection */
    MUST(store_insert_connect_session(w.store, token, &session, &id, &err));
    MUST(store_find_connect_session(w.store, token, NOW_MS, &row, &err));
    assert_int_equal(row->connection_id, 0);
    connect_session_row_free(row);
    connection_row_unref(connection);
    world_end(&w);
}

static void given_state(struct world *w, const char *name, int64_t expires_at_ms)
{
    struct oauth_state_row state = {.environment_id = w->env->id,
        .payload = text_blob(name),
        .expires_at_ms = expires_at_ms};
    uint8_t hash[SHA256_LEN];

    MUST(store_insert_oauth_state(w->store, hash_of(name, hash), &state, &err));
}

TEST(an_oauth_state_is_taken_once_and_not_when_expired)
{
    struct world w;
    struct oauth_state_row *row;
    uint8_t hash[SHA256_LEN];

    world_begin(&w);
    given_state(&w, "one", NOW_MS + 10);
    MUST(store_take_oauth_state(w.store, hash_of("other", hash), NOW_MS, &row, &err));
    assert_null(row);
    MUST(store_take_oauth_state(w.store, hash_of("one", hash), NOW_MS + 10, &row, &err));
    assert_null(row);
    MUST(store_take_oauth_state(w.store, hash, NOW_MS, &row, &err));
    assert_int_equal(row->environment_id, w.env->id);
    expect_blob(row->payload, "one");
    oauth_state_row_free(row);
    world_reopen(&w);
    MUST(store_take_oauth_state(w.store, hash, NOW_MS, &row, &err));
    assert_null(row);
    world_end(&w);
}

TEST(the_sweep_takes_what_expired_and_what_was_deleted_long_ago)
{
    struct world w;
    struct connect_session_row session = {.payload = text_blob("p")}, *row;
    struct oauth_state_row *taken;
    struct connection_row *kept, *deleted;
    uint8_t hash[SHA256_LEN];
    int64_t id;
    bool found;

    world_begin(&w);
    session.environment_id = w.env->id;
    session.expires_at_ms = NOW_MS + 1;
    MUST(
        store_insert_connect_session(w.store, hash_of("old", hash), &session, &id, &err));
    session.expires_at_ms = NOW_MS + 9;
    MUST(
        store_insert_connect_session(w.store, hash_of("new", hash), &session, &id, &err));
    given_state(&w, "old", NOW_MS + 1);
    given_state(&w, "new", NOW_MS + 9);
    kept = given_connection(&w, w.github, "kept");
    deleted = given_connection(&w, w.github, "deleted");
    MUST(store_delete_connection(w.store, deleted->id, &found, &err));
    MUST(store_put_refresh_journal(w.store, deleted->id, "h", "j", 1, &id, &err));

    MUST(store_sweep(
        w.store, NOW_MS + 5, NOW_MS, &err)); /* deleted at NOW_MS: too young */
    MUST(store_put_refresh_journal(w.store, deleted->id, "h", "j", 1, &id, &err));
    MUST(store_sweep(w.store, NOW_MS + 5, NOW_MS + 1, &err));
    {
        struct err err = {0};

        assert_false(
            store_put_refresh_journal(w.store, deleted->id, "h", "j", 1, &id, &err));
        expect_error(&err, 404, "not_found"); /* the row itself is gone */
    }
    /* What is left is found even by a clock that stands before the expiry. */
    MUST(store_find_connect_session(w.store, hash_of("old", hash), NOW_MS, &row, &err));
    assert_null(row);
    MUST(store_find_connect_session(w.store, hash_of("new", hash), NOW_MS, &row, &err));
    assert_non_null(row);
    connect_session_row_free(row);
    MUST(store_take_oauth_state(w.store, hash_of("old", hash), NOW_MS, &taken, &err));
    assert_null(taken);
    MUST(store_take_oauth_state(w.store, hash_of("new", hash), NOW_MS, &taken, &err));
    assert_non_null(taken);
    oauth_state_row_free(taken);
    assert_true(is_there(&w, w.github, "kept"));
    MUST(store_check(w.store, &err));
    connection_row_unref(kept);
    connection_row_unref(deleted);
    world_end(&w);
}

/* ---- sealing contexts ---- */

TEST(sealing_contexts_are_spelt_as_they_are_stored)
{
    char out[CONTEXT_SIZE];
    char longest[1001];
    uint8_t hash[SHA256_LEN] = {0xab};

    connection_context(out, 1, 2, "u/1", "credentials");
    assert_string_equal(out, "connection/1/2/credentials/u/1");
    integration_context(out, "uid");
    assert_string_equal(out, "integration/uid/settings");
    environment_context(out, "uuid", "hmac_key");
    assert_string_equal(out, "environment/uuid/hmac_key");
    variable_context(out, "uuid", "NAME");
    assert_string_equal(out, "variable/uuid/NAME");
    token_context(out, "api_key", hash);
    assert_true(str_starts(out, "api_key/ab00"));
    memset(longest, 'x', 1000);
    longest[1000] = '\0';
    connection_context(out, 1, 2, longest, "config");
    assert_true(str_starts(out, "connection/1/2/config/sha256:"));
    assert_int_equal(strlen(out), strlen("connection/1/2/config/sha256:") + 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_keys_are_listed_by_number_and_replaced_on_rewrapping),
        cmocka_unit_test(an_environment_is_found_by_id_name_uuid_and_public_key),
        cmocka_unit_test(a_second_environment_of_one_name_is_a_conflict),
        cmocka_unit_test(an_updated_environment_is_seen_at_once),
        cmocka_unit_test(deleting_an_environment_takes_all_that_is_in_it),
        cmocka_unit_test(an_api_key_is_found_by_its_hash_until_it_is_deleted),
        cmocka_unit_test(api_keys_are_listed_newest_first_and_names_are_unique),
        cmocka_unit_test(variables_are_listed_by_name_replaced_and_deleted),
        cmocka_unit_test(a_write_into_an_environment_that_is_gone_is_refused),
        cmocka_unit_test(integrations_are_found_by_key_and_listed_oldest_first),
        cmocka_unit_test(an_integration_key_is_taken_once_and_free_again_after_deletion),
        cmocka_unit_test(a_renamed_integration_takes_its_connections_along),
        cmocka_unit_test(
            a_change_made_to_an_older_integration_is_refused_and_changes_nothing),
        cmocka_unit_test(deleting_an_integration_deletes_its_connections),
        cmocka_unit_test(a_connect_session_is_found_until_it_expires_or_is_deleted),
        cmocka_unit_test(an_oauth_state_is_taken_once_and_not_when_expired),
        cmocka_unit_test(the_sweep_takes_what_expired_and_what_was_deleted_long_ago),
        cmocka_unit_test(sealing_contexts_are_spelt_as_they_are_stored),
    };

    return RUN_FOR_EACH_STORE(tests);
}
