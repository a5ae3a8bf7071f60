/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that are judged before they take effect: what the judge sees, what others
 * see meanwhile, and what stays when it refuses. */
#include "auth/gate.h"
#include "world.h"

/* A judge that looks round, and says what it was told to. */
struct judge {
    struct world *w;
    bool judges; /* is there anybody who judges? */
    bool accepts;
    bool refreshes; /* asks for fresh credentials first */
    bool sets_metadata;
    bool deletes; /* the live one goes meanwhile */
    int asked;
    char seen[80], others_saw[80]; /* access tokens; "" = no connection */
};

static struct judge judge;

static void token_of(const struct auth *auth, struct connection_row *row, char out[80])
{
    struct connection connection;

    out[0] = '\0';
    if (row == NULL)
        return;
    MUST(connection_open(auth, row, &connection, &err));
    str_copy(out, 80, json_str(connection.credentials, "access_token"));
    connection_finish(&connection);
}

static bool is_judged(
    void *arg, int64_t environment_id, int64_t integration_id, bool *yes, struct err *err)
{
    const struct judge *self = arg;

    (void)err;
    assert_int_equal(environment_id, self->w->env->id);
    assert_int_equal(integration_id, self->w->acme->id);
    *yes = self->judges;
    return true;
}

static bool judges(void *arg, struct connection_row *held, struct err *err)
{
    struct judge *self = arg;
    struct world *w = self->w;
    struct connection_row *row;
    bool found;

    self->asked++;
    assert_true(held->held);
    token_of(&w->auth, find_connection(w, held->connection_id), self->others_saw);
    if (self->refreshes) {
        struct refreshed got;

        MUST(store_reload_connection(w->store, held->id, &row, &err));
        refresh(w, row, false, &got);
        connection_row_unref(row);
        assert_true(got.ok);
    }
    if (self->sets_metadata) {
        const char *id = held->connection_id;
        const struct metadata_change change = {
            w->env->id, "acme", &id, 1, held->id, "{\"seen\":1}", false};

        MUST(store_set_metadata(w->store, &change, &err));
    }
    MUST(connection_find(
        &w->auth, w->env->id, held->id, "acme", held->connection_id, &row, &err));
    token_of(&w->auth, row, self->seen);
    if (self->deletes) {
        row = find_connection(w, held->connection_id);
        MUST(store_delete_connection(w->store, row->id, &found, &err));
        connection_row_unref(row);
    }
    return self->accepts ||
           err_set(err, 400, "connection_validation_failed", "not this one");
}

static struct connection_gate gate = {
    .is_judged = is_judged, .judge = judges, .event = NULL, .arg = &judge};

static void begin(struct world *w)
{
    world_begin(w);
    w->auth.gate = &gate;
    judge = (struct judge){.w = w, .judges = true, .accepts = true};
}

static bool put(struct world *w, const char *id, const char *credentials_json,
    int64_t reconnect_id, bool *created, struct err *err)
{
    cJSON *credentials = json_of(credentials_json);
    struct connection connection;
    const struct connection_put wanted = {
        .environment_id = w->env->id,
        .integration = w->acme,
        .connection_id = id,
        .credentials = credentials,
        .empty_metadata = true,
        .reconnect_id = reconnect_id,
    };
    bool ok = connection_put(&w->auth, &wanted, created, &connection, err);

    if (ok)
        connection_finish(&connection);
    cJSON_Delete(credentials);
    return ok;
}

static const char fresh[] = "{\"type\":\"OAUTH2\",\"access_token\":\"at-new\","
                            "\"refresh_token\":\"rt-new\",\"raw\":{}}";
static const char expired[] =
    "{\"type\":\"OAUTH2\",\"access_token\":\"at-new\",\"refresh_token\":\"rt-0\","
    "\"expires_at\":\"2020-01-01T00:00:00.000Z\",\"raw\":{}}";

static size_t rows_held(struct world *w)
{
    size_t count = 0;

    for (int64_t id = 1; id < 20; id++) {
        struct connection_row *row;

        MUST(store_reload_connection(w->store, id, &row, &err));
        count += row != NULL && row->held;
        connection_row_unref(row);
    }
    return count;
}

TEST(a_new_one_is_seen_by_its_judge_only_until_it_is_accepted)
{
    struct world w;
    bool created = false;

    begin(&w);
    MUST(put(&w, "u-1", fresh, 0, &created, &err));
    assert_true(created);
    assert_int_equal(judge.asked, 1);
    assert_string_equal(judge.seen, "at-new");
    assert_string_equal(judge.others_saw, "");
    assert_string_equal(stored(&w, "u-1", "access_token"), "at-new");
    assert_int_equal(rows_held(&w), 0);
    world_end(&w);
}

TEST(of_a_new_one_that_is_refused_nothing_is_left)
{
    struct world w;
    struct err why = {0};
    bool created;

    begin(&w);
    judge.accepts = false;
    assert_false(put(&w, "u-1", fresh, 0, &created, &why));
    expect_error(&why, 400, "connection_validation_failed");
    assert_string_equal(why.message, "not this one");
    assert_null(find_connection(&w, "u-1"));
    assert_int_equal(rows_held(&w), 0);
    world_end(&w);
}

TEST(one_that_is_refused_leaves_what_it_would_have_gone_over)
{
    struct world w;
    struct connection_row *row, *after;
    struct err why = {0};
    bool created;

    begin(&w);
    judge.judges = false;
    row = given_connection(&w, "u-1", 60);
    judge.judges = true;
    judge.accepts = false;
    assert_false(put(&w, "u-1", fresh, row->id, &created, &why));
    expect_error(&why, 400, "connection_validation_failed");
    assert_string_equal(judge.seen, "at-new");
    assert_string_equal(judge.others_saw, "at-0");
    assert_string_equal(stored(&w, "u-1", "access_token"), "at-0");
    assert_string_equal(stored(&w, "u-1", "refresh_token"), "rt-0");
    after = find_connection(&w, "u-1");
    assert_int_equal(after->version, row->version);
    assert_int_equal(rows_held(&w), 0);

    judge.accepts = true;
    MUST(put(&w, "u-1", fresh, row->id, &created, &err));
    assert_false(created);
    assert_string_equal(stored(&w, "u-1", "access_token"), "at-new");
    connection_row_unref(after);
    connection_row_unref(row);
    world_end(&w);
}

TEST(where_nobody_judges_nobody_is_asked)
{
    struct world w;
    bool created;

    begin(&w);
    judge.judges = false;
    MUST(put(&w, "u-1", fresh, 0, &created, &err));
    assert_int_equal(judge.asked, 0);
    assert_string_equal(stored(&w, "u-1", "access_token"), "at-new");
    world_end(&w);
}

/* The judge's use of an expired token spends the refresh token: what it got for it must
 * not be lost. */
TEST(what_was_refreshed_and_set_meanwhile_is_accepted)
{
    struct world w;
    struct connection_row *row;
    bool created;

    begin(&w);
    judge.refreshes = judge.sets_metadata = true;
    MUST(put(&w, "u-1", expired, 0, &created, &err));
    assert_string_equal(judge.seen, "at-1");
    assert_string_equal(stored(&w, "u-1", "access_token"), "at-1");
    assert_string_equal(stored(&w, "u-1", "refresh_token"), "rt-1");
    row = find_connection(&w, "u-1");
    assert_string_equal(row->metadata_json, "{\"seen\":1}");
    connection_row_unref(row);
    assert_int_equal(journal_entries(&w), 0);
    world_end(&w);
}

TEST(one_to_authorize_again_that_was_deleted_meanwhile_is_not_made_anew)
{
    struct world w;
    struct connection_row *row;
    struct err why = {0};
    bool created;

    begin(&w);
    judge.judges = false;
    row = given_connection(&w, "u-1", 60);
    judge.judges = judge.deletes = true;
    assert_false(put(&w, "u-1", fresh, row->id, &created, &why));
    expect_error(&why, 404, "unknown_connection");
    assert_null(find_connection(&w, "u-1"));
    assert_int_equal(rows_held(&w), 0);
    connection_row_unref(row);
    world_end(&w);
}

TEST(only_by_its_own_name_and_id_is_one_found)
{
    static const struct put_terms hold = {.hold = true};
    struct world w;
    struct connection_row *live, *held, *row, wanted;
    int64_t env;
    bool created;

    begin(&w);
    judge.judges = false;
    live = given_connection(&w, "u-1", 60);
    env = w.env->id;
    wanted = *live;
    MUST(store_put_connection(w.store, &wanted, &hold, &created, &held, &err));
    MUST(connection_find(&w.auth, env, 0, "acme", "u-1", &row, &err));
    assert_int_equal(row->id, live->id);
    connection_row_unref(row);
    MUST(connection_find(&w.auth, env, held->id, "acme", "u-1", &row, &err));
    assert_int_equal(row->id, held->id);
    connection_row_unref(row);
    MUST(connection_find(&w.auth, env, held->id, "acme", "u-2", &row, &err));
    assert_null(row);
    MUST(connection_find(&w.auth, env, held->id, "other", "u-1", &row, &err));
    assert_null(row);
    MUST(connection_find(&w.auth, env + 1, held->id, "acme", "u-1", &row, &err));
    assert_null(row);
    connection_row_unref(held);
    connection_row_unref(live);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_one_is_seen_by_its_judge_only_until_it_is_accepted),
        cmocka_unit_test(of_a_new_one_that_is_refused_nothing_is_left),
        cmocka_unit_test(one_that_is_refused_leaves_what_it_would_have_gone_over),
        cmocka_unit_test(where_nobody_judges_nobody_is_asked),
        cmocka_unit_test(what_was_refreshed_and_set_meanwhile_is_accepted),
        cmocka_unit_test(
            one_to_authorize_again_that_was_deleted_meanwhile_is_not_made_anew),
        cmocka_unit_test(only_by_its_own_name_and_id_is_one_found),
    };

    return RUN(tests);
}
