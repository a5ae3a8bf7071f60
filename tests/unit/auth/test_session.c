/* SPDX-License-Identifier: Apache-2.0 */
/* Connect sessions and the HMAC of public-key calls. */
#include "world.h"

#include "auth/hmac_check.h"

static const char payload_text[] =
    "{\"end_user\":{\"id\":\"u-1\",\"email\":\"a@b.co\",\"display_name\":\"Ann\","
    "\"tags\":{\"team\":\"red\"}},\"organization\":{\"id\":\"o-1\"},"
    "\"allowed_integrations\":[\"acme\"],\"tags\":{\"plan\":\"gold\"}}";

static void given_session(struct world *w, const char *payload, int64_t reconnect,
    char token[SESSION_TOKEN_SIZE])
{
    cJSON *value = json_of(payload);
    int64_t expires_at_ms;

    MUST(session_create(
        &w->auth, w->env->id, value, reconnect, token, &expires_at_ms, &err));
    assert_int_equal(expires_at_ms, NOW_MS + 30 * MINUTE_MS);
    cJSON_Delete(value);
}

TEST(a_session_comes_back_by_its_token)
{
    struct world w;
    struct session session;
    struct end_user_row user;
    struct connection_row *row;
    char token[SESSION_TOKEN_SIZE], other[SESSION_TOKEN_SIZE];

    world_begin(&w);
    row = given_connection(&w, "u-1", 60);
    given_session(&w, payload_text, row->id, token);
    given_session(&w, payload_text, 0, other);
    assert_int_equal(strlen(token), SESSION_TOKEN_SIZE - 1);
    assert_string_not_equal(token, other);
    MUST(session_load(&w.auth, token, &session, &err));
    assert_int_equal(session.row->environment_id, w.env->id);
    assert_int_equal(session.row->connection_id, row->id);
    connection_row_unref(row);
    assert_true(session_end_user(&session, &user));
    assert_string_equal(user.id, "u-1");
    assert_string_equal(user.email, "a@b.co");
    assert_string_equal(user.tags_json, "{\"team\":\"red\"}");
    assert_string_equal(user.organization_id, "o-1");
    assert_null(user.organization_display_name);
    assert_true(session_allows(&session, "acme"));
    assert_false(session_allows(&session, "other"));
    session_finish(&session);
    world_end(&w);
}

TEST(a_session_without_end_user_or_list_allows_everything)
{
    static const char *const payloads[] = {
        "{\"end_user\":null,\"allowed_integrations\":[]}", "{\"tags\":{}}"};

    for (size_t i = 0; i < 2; i++) {
        struct world w;
        struct session session;
        struct end_user_row user;
        char token[SESSION_TOKEN_SIZE];

        world_begin(&w);
        given_session(&w, payloads[i], 0, token);
        MUST(session_load(&w.auth, token, &session, &err));
        assert_false(session_end_user(&session, &user));
        assert_true(session_allows(&session, "anything"));
        session_finish(&session);
        world_end(&w);
    }
}

static void expect_no_session(struct world *w, const char *token, const char *code)
{
    struct session session;
    struct err err = {0};

    assert_false(session_load(&w->auth, token, &session, &err));
    expect_error(&err, 401, code);
    if (strlen(token) > 40) /* a token is never repeated */
        assert_null(strstr(err.message, token));
}

TEST(tokens_of_a_wrong_shape_are_told_from_unknown_ones)
{
    static const char *const malformed[] = {
        "",
        "x",
        "nango_connect_session_",
        "nango_connect_session_"
        "ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef0123456789",
        "nango_connect_session_"
        "abcdef0123456789abcdef0123456789abcdef0123456789abcdef012345678",
        "other_connect_session_"
        "abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789",
    };
    struct world w;

    world_begin(&w);
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++)
        expect_no_session(&w, malformed[i], "invalid_connect_session_token_format");
    expect_no_session(&w,
        "nango_connect_session_"
        "abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789",
        "unknown_connect_session_token");
    world_end(&w);
}

TEST(a_session_ends_after_half_an_hour_or_when_it_is_deleted)
{
    struct world w;
    struct session session;
    char token[SESSION_TOKEN_SIZE];
    bool found;

    world_begin(&w);
    given_session(&w, payload_text, 0, token);
    world_move_clock(&w, 30 * MINUTE_MS - 1);
    MUST(session_load(&w.auth, token, &session, &err));
    session_finish(&session);
    world_move_clock(&w, 1);
    expect_no_session(&w, token, "unknown_connect_session_token");

    w.clock.frozen_ms = NOW_MS;
    given_session(&w, payload_text, 0, token);
    MUST(session_delete(&w.auth, token, &found, &err));
    assert_true(found);
    expect_no_session(&w, token, "unknown_connect_session_token");
    MUST(session_delete(&w.auth, token, &found, &err));
    assert_false(found);
    world_end(&w);
}

/* ---- HMAC ---- */

static void given_hmac(struct world *w, const char *key)
{
    struct environment_patch patch = {
        .set_hmac_enabled = true, .hmac_enabled = true, .set_hmac_key = true};
    char context[CONTEXT_SIZE];
    struct buf sealed;

    buf_init(&sealed, 0);
    environment_context(context, w->env->uuid, "hmac_key");
    MUST(vault_seal(w->vault, context, key, strlen(key), &sealed, &err));
    patch.hmac_key.data = (uint8_t *)sealed.data;
    patch.hmac_key.len = sealed.len;
    MUST(store_patch_environment(w->store, w->env->id, &patch, &err));
    buf_finish(&sealed);
    environment_row_unref(w->env);
    MUST(store_find_environment_by_name(w->store, "dev", &w->env, &err));
}

TEST(the_hmac_is_over_what_is_given_joined_by_colons)
{
    char hex[2 * SHA256_LEN + 1];

    /* echo -n 'acme:u-1' | openssl dgst -sha256 -hmac key */
    hmac_make("key", "acme", "u-1", hex);
    assert_string_equal(
        hex, "ff9fdc62ce8b5cf0eadd99fb6091e61d68d010321451696d501a1b65697c7677");
    hmac_make("key", "acme", NULL, hex);
    assert_string_equal(
        hex, "2a0c2d9f96b5b1a7675b436bb43ee0c0322d70f31c7b09a7c52a8fc1c257fe34");
}

TEST(an_environment_that_demands_an_hmac_gets_the_right_one_only)
{
    struct world w;
    char hex[2 * SHA256_LEN + 1];
    struct err err = {0};

    world_begin(&w);
    assert_true(hmac_check(&w.auth, w.env, "acme", "u-1", NULL, &err));
    given_hmac(&w, "the key");
    assert_false(hmac_check(&w.auth, w.env, "acme", "u-1", NULL, &err));
    expect_error(&err, 400, "missing_hmac");
    assert_false(hmac_check(&w.auth, w.env, "acme", "u-1", "", &err));
    hmac_make("the key", "acme", "u-1", hex);
    assert_true(hmac_check(&w.auth, w.env, "acme", "u-1", hex, &err));
    assert_false(hmac_check(&w.auth, w.env, "acme", "u-2", hex, &err));
    expect_error(&err, 400, "invalid_hmac");
    hex[63] = '\0';
    assert_false(hmac_check(&w.auth, w.env, "acme", "u-1", hex, &err));
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_comes_back_by_its_token),
        cmocka_unit_test(a_session_without_end_user_or_list_allows_everything),
        cmocka_unit_test(tokens_of_a_wrong_shape_are_told_from_unknown_ones),
        cmocka_unit_test(a_session_ends_after_half_an_hour_or_when_it_is_deleted),
        cmocka_unit_test(the_hmac_is_over_what_is_given_joined_by_colons),
        cmocka_unit_test(an_environment_that_demands_an_hmac_gets_the_right_one_only),
    };

    return RUN(tests);
}
