/* SPDX-License-Identifier: Apache-2.0 */
/* The redirect flow from both ends: the URL that the browser is sent to, and its coming
 * back. */
#include "world.h"

#include <stdio.h>

/* The decoded value of a query parameter; NULL when absent. Kept until the next call. */
static const char *param(const char *url, const char *name)
{
    static char value[300];
    size_t len = strlen(name);

    for (const char *at = strchr(url, '?'); at != NULL; at = strchr(at, '&')) {
        at++;
        if (strncmp(at, name, len) == 0 && at[len] == '=') {
            struct buf text;

            buf_init(&text, 0);
            at += len + 1;
            assert_true(str_percent_decode(at, strcspn(at, "&"), true, &text));
            str_copy(value, sizeof value, text.data != NULL ? text.data : "");
            buf_finish(&text);
            return value;
        }
    }
    return NULL;
}

static struct oauth_start start_of(struct world *w)
{
    return (struct oauth_start){.environment = w->env, .provider_config_key = "acme"};
}

static bool finish(struct world *w, const char *state, const char *query_json,
    bool cookie, struct oauth_outcome *out, struct err *err)
{
    cJSON *query = json_of(query_json);
    struct oauth_callback callback = {
        .state = state, .query = query, .cookie_present = cookie, .require_cookie = true};
    bool ok = oauth_flow_finish(&w->auth, &callback, out, err);

    cJSON_Delete(query);
    return ok;
}

/* Starts, comes back with code `k`, and expects a connection. */
static void flow(struct world *w, const struct oauth_start *start, const char *query_json,
    struct oauth_outcome *out)
{
    struct oauth_redirect redirect;

    MUST(oauth_flow_start(&w->auth, start, &redirect, &err));
    MUST(finish(w, redirect.state, query_json, true, out, &err));
    oauth_redirect_finish(&redirect);
}

TEST(a_browser_is_sent_with_state_and_challenge_and_comes_back_a_connection)
{
    struct world w;
    struct oauth_start start;
    struct oauth_redirect redirect;
    struct oauth_outcome outcome;
    char wanted[200], challenge[PKCE_CHALLENGE_SIZE], verifier[60] = "";
    const char *at;

    world_begin(&w);
    start = start_of(&w);
    start.ws_client_id = "ws-1";
    MUST(oauth_flow_start(&w.auth, &start, &redirect, &err));
    (void)snprintf(
        wanted, sizeof wanted, "http://127.0.0.1:%u/authorize?", w.server.port);
    assert_true(str_starts(redirect.url, wanted));
    assert_string_equal(param(redirect.url, "response_type"), "code");
    assert_string_equal(param(redirect.url, "client_id"), "ci-1");
    assert_string_equal(param(redirect.url, "scope"), "a b");
    assert_string_equal(
        param(redirect.url, "redirect_uri"), "https://nango.example.test/oauth/callback");
    assert_string_equal(param(redirect.url, "state"), redirect.state);
    assert_int_equal(strlen(redirect.state), 64);
    assert_true(redirect.binds_cookie);

    MUST(finish(&w, redirect.state, "{\"code\":\"k 1\"}", true, &outcome, &err));
    assert_true(outcome.created);
    assert_string_equal(outcome.provider_config_key, "acme");
    assert_string_equal(outcome.ws_client_id, "ws-1");
    assert_true(str_is_uuid_v4(outcome.connection_id));
    assert_string_equal(stored(&w, outcome.connection_id, "access_token"), "at-1");
    assert_string_equal(stored(&w, outcome.connection_id, "type"), "OAUTH2");

    at = token_server_body(&w.server, 0);
    assert_non_null(strstr(at, "grant_type=authorization_code&code=k+1&redirect_uri="));
    at = strstr(at, "code_verifier=");
    assert_non_null(at);
    str_copy(verifier, 49, at + strlen("code_verifier="));
    pkce_challenge(verifier, challenge);
    assert_string_equal(param(redirect.url, "code_challenge"), challenge);
    assert_string_equal(param(redirect.url, "code_challenge_method"), "S256");
    oauth_outcome_finish(&outcome);
    oauth_redirect_finish(&redirect);
    world_end(&w);
}

/* Recorded (conformance vectors, pkce). */
TEST(the_challenge_is_the_recorded_one)
{
    char challenge[PKCE_CHALLENGE_SIZE];

    pkce_challenge("070707070707070707070707070707070707070707070707", challenge);
    assert_string_equal(challenge, "EFnYrkVYhGzuJD4abOc6BvUHkd3Qod6ms_J9zM4p0I4");
}

TEST(a_state_is_good_once)
{
    struct world w;
    struct oauth_start start;
    struct oauth_redirect redirect;
    struct oauth_outcome outcome;
    struct err err = {0};

    world_begin(&w);
    start = start_of(&w);
    MUST(oauth_flow_start(&w.auth, &start, &redirect, &err));
    MUST(finish(&w, redirect.state, "{\"code\":\"k\"}", true, &outcome, &err));
    oauth_outcome_finish(&outcome);
    assert_false(finish(&w, redirect.state, "{\"code\":\"k\"}", true, &outcome, &err));
    expect_error(&err, 400, "state_err");
    assert_null(outcome.connection_id);
    assert_int_equal(token_server_requests(&w.server), 1);
    oauth_outcome_finish(&outcome);
    oauth_redirect_finish(&redirect);
    world_end(&w);
}

TEST(a_callback_is_refused_without_state_cookie_code_or_in_time)
{
    static const struct {
        const char *what, *query, *code;
        bool no_state, no_cookie, late;
    } cases[] = {
        {"no state", "{\"code\":\"k\"}", "state_err", true, false, false},
        {"another browser", "{\"code\":\"k\"}", "state_cookie_err", false, true, false},
        {"too late", "{\"code\":\"k\"}", "state_err", false, false, true},
        {"no code", "{}", "callback_err", false, false, false},
        {"an empty code", "{\"code\":\"\"}", "callback_err", false, false, false},
        {"refused by the user",
            "{\"error\":\"access_denied\",\"error_description\":\"<no>\"}",
            "callback_err", false, false, false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world w;
        struct oauth_start start;
        struct oauth_redirect redirect;
        struct oauth_outcome outcome;
        struct err err = {0};

        world_begin(&w);
        start = start_of(&w);
        start.connection_id = "mine";
        MUST(oauth_flow_start(&w.auth, &start, &redirect, &err));
        if (cases[i].late)
            world_move_clock(&w, 60 * MINUTE_MS);
        assert_false(finish(&w, cases[i].no_state ? NULL : redirect.state, cases[i].query,
            !cases[i].no_cookie, &outcome, &err));
        if (!str_eq(err.code, cases[i].code) || err.status != 400)
            fail_msg("%s: %d %s", cases[i].what, err.status, err.code);
        assert_int_equal(token_server_requests(&w.server), 0);
        assert_null(find_connection(&w, "mine"));
        if (str_eq(cases[i].what, "refused by the user"))
            assert_string_equal(
                outcome.provider_error, "error: access_denied; error_description: <no>");
        if (!cases[i].no_state && !cases[i].late)
            assert_string_equal(outcome.connection_id, "mine");
        oauth_outcome_finish(&outcome);
        oauth_redirect_finish(&redirect);
        world_end(&w);
    }
}

TEST(a_token_endpoint_that_refuses_is_a_token_error_and_stores_nothing)
{
    static const struct {
        int status;
        const char *type, *body, *says;
    } cases[] = {
        {400, "application/json", "{\"error\":\"invalid_grant\"}", "invalid_grant"},
        {200, "text/html", "<p>hello", "page"},
        {200, "application/json", "{\"error\":\"bad_verification_code\"}",
            "bad_verification_code"},
        {500, "text/plain", "", "500"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world w;
        struct oauth_start start;
        struct oauth_redirect redirect;
        struct oauth_outcome outcome;
        struct err err = {0};

        world_begin(&w);
        token_server_answers(&w.server, cases[i].status, cases[i].type, cases[i].body);
        start = start_of(&w);
        start.connection_id = "mine";
        MUST(oauth_flow_start(&w.auth, &start, &redirect, &err));
        assert_false(
            finish(&w, redirect.state, "{\"code\":\"k\"}", true, &outcome, &err));
        expect_error(&err, 400, "token_err");
        assert_non_null(strstr(err.message, cases[i].says));
        assert_null(find_connection(&w, "mine"));
        oauth_outcome_finish(&outcome);
        oauth_redirect_finish(&redirect);
        world_end(&w);
    }
}

TEST(a_start_that_cannot_succeed_is_refused_before_the_browser_leaves)
{
    static const struct {
        const char *key, *code;
    } cases[] = {
        {"nothing", "provider_config_err"},
        {"acme-key", "auth_mode_err"},
        {"acme-needy", "url_param_err"},
        {"gone", "unknown_config_key"},
    };
    struct world w;

    world_begin(&w);
    for (size_t i = 1; i < sizeof cases / sizeof cases[0]; i++)
        integration_row_unref(given_integration(&w, cases[i].key));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct oauth_start start = start_of(&w);
        struct oauth_redirect redirect;
        struct err err = {0};

        start.provider_config_key = cases[i].key;
        assert_false(oauth_flow_start(&w.auth, &start, &redirect, &err));
        expect_error(&err, 400, cases[i].code);
        assert_null(redirect.url);
    }
    world_end(&w);
}

TEST(an_integration_without_a_client_is_refused_unless_the_flow_brings_one)
{
    struct world w;
    struct oauth_start start;
    struct oauth_redirect redirect;
    struct oauth_outcome outcome;
    struct integration_row row, *bare;
    cJSON *settings = cJSON_CreateObject();
    cJSON *credentials = json_of("{\"oauth_client_id_override\":\"own\","
                                 "\"oauth_client_secret_override\":\"own-s\","
                                 "\"oauth_refresh_token_override\":\"own-r\"}");
    struct err err = {0};

    world_begin(&w);
    row = *w.acme;
    MUST(integration_seal(&w.auth, row.uid, settings, &row.settings, &err));
    MUST(store_update_integration(w.store, &row, &bare, &err));
    free(row.settings.data);
    integration_row_unref(bare);
    start = start_of(&w);
    assert_false(oauth_flow_start(&w.auth, &start, &redirect, &err));
    expect_error(&err, 400, "provider_config_err");

    start.connection_id = "mine";
    start.credentials = credentials;
    MUST(oauth_flow_start(&w.auth, &start, &redirect, &err));
    assert_string_equal(param(redirect.url, "client_id"), "own");
    MUST(finish(&w, redirect.state, "{\"code\":\"k\"}", true, &outcome, &err));
    assert_non_null(
        strstr(token_server_body(&w.server, 0), "client_id=own&client_secret=own-s"));
    assert_string_equal(stored(&w, "mine", "config_override.client_id"), "own");
    assert_string_equal(stored(&w, "mine", "config_override.client_secret"), "own-s");
    assert_string_equal(stored(&w, "mine", "refresh_token"), "own-r");
    assert_string_equal(stored(&w, "mine", "raw.refresh_token"), "own-r");
    assert_string_equal(stored_config(&w, "mine", "overrideTokenRefresh"), "true");
    assert_string_equal(stored_config(&w, "mine", "oauth_client_id_override"), "");
    oauth_outcome_finish(&outcome);
    oauth_redirect_finish(&redirect);
    cJSON_Delete(settings);
    cJSON_Delete(credentials);
    world_end(&w);
}

TEST(the_config_is_laid_from_answer_callback_and_browser)
{
    struct world w;
    struct oauth_start start;
    struct oauth_outcome outcome;
    cJSON *params =
        json_of("{\"shop\":\"\",\"own\":\"mine\",\"webhook_url\":\"https://x\","
                "\"number\":5,\"oauth_scopes_override\":\"x, y\"}");

    world_begin(&w);
    token_server_answers(&w.server, 200, "application/json",
        "{\"access_token\":\"a\",\"team\":{\"id\":\"t-1\"},\"place\":\"from answer\"}");
    start = start_of(&w);
    start.connection_id = "mine";
    start.params = params;
    flow(&w, &start,
        "{\"code\":\"k\",\"place\":\"from callback\",\"shop\":\"s-1\",\"x\":\"y\"}",
        &outcome);
    assert_string_equal(stored_config(&w, "mine", "team.id"), "t-1");
    assert_string_equal(stored_config(&w, "mine", "place"), "from callback");
    assert_string_equal(stored_config(&w, "mine", "shop"), "s-1");
    assert_string_equal(stored_config(&w, "mine", "own"), "mine");
    assert_string_equal(stored_config(&w, "mine", "webhook_url"), "");
    assert_string_equal(stored_config(&w, "mine", "number"), "");
    assert_string_equal(stored_config(&w, "mine", "x"), "");
    assert_string_equal(
        stored_config(&w, "mine", "oauth_scopes_override"), "[\"x\",\"y\"]");
    oauth_outcome_finish(&outcome);
    cJSON_Delete(params);
    world_end(&w);
}

TEST(extra_parameters_win_and_undefined_takes_away)
{
    struct world w;
    struct oauth_start start;
    struct oauth_redirect redirect;
    cJSON *params = json_of("{\"prompt\":\"consent\",\"scope\":\"undefined\"}");

    world_begin(&w);
    start = start_of(&w);
    start.authorization_params = params;
    start.user_scope = "slack only";
    MUST(oauth_flow_start(&w.auth, &start, &redirect, &err));
    assert_string_equal(param(redirect.url, "prompt"), "consent");
    assert_null(param(redirect.url, "scope"));
    assert_null(param(redirect.url, "user_scope"));
    oauth_redirect_finish(&redirect);
    cJSON_Delete(params);
    world_end(&w);
}

static void given_session(
    struct world *w, const char *payload, int64_t reconnect, struct session *out)
{
    cJSON *value = json_of(payload);
    char token[SESSION_TOKEN_SIZE];
    int64_t expires_at_ms;

    MUST(session_create(
        &w->auth, w->env->id, value, reconnect, token, &expires_at_ms, &err));
    MUST(session_load(&w->auth, token, out, &err));
    cJSON_Delete(value);
}

TEST(the_defaults_of_a_session_win_and_its_end_user_is_linked)
{
    struct world w;
    struct session session;
    struct oauth_start start;
    struct oauth_redirect redirect;
    struct oauth_outcome outcome;
    struct connection_row *row;
    cJSON *params = json_of(
        "{\"own\":\"browser\",\"more\":\"m\",\"oauth_scopes_override\":\"evil\"}");
    cJSON *authorization_params = json_of("{\"prompt\":\"none\"}");

    world_begin(&w);
    given_session(&w,
        "{\"end_user\":{\"id\":\"u-1\",\"tags\":{\"team\":\"red\"}},\"tags\":{\"plan\":"
        "\"x\"},"
        "\"webhook_url_override\":\"https://hook.test/"
        "\",\"integrations_config_defaults\":"
        "{\"acme\":{\"authorization_params\":{\"prompt\":\"consent\"},\"connection_"
        "config\":"
        "{\"own\":\"session\",\"oauth_scopes_override\":\"s1,s2\"}}}}",
        0, &session);
    start = start_of(&w);
    start.session = &session;
    start.connection_id = "not this one";
    start.params = params;
    start.authorization_params = authorization_params;
    MUST(oauth_flow_start(&w.auth, &start, &redirect, &err));
    assert_string_equal(param(redirect.url, "scope"), "s1 s2");
    assert_string_equal(param(redirect.url, "prompt"), "consent");
    MUST(finish(&w, redirect.state, "{\"code\":\"k\"}", true, &outcome, &err));
    assert_true(str_is_uuid_v4(outcome.connection_id));
    assert_string_equal(stored_config(&w, outcome.connection_id, "own"), "session");
    assert_string_equal(stored_config(&w, outcome.connection_id, "more"), "m");
    row = find_connection(&w, outcome.connection_id);
    assert_string_equal(row->end_user->id, "u-1");
    assert_string_equal(row->end_user->tags_json, "{\"team\":\"red\"}");
    assert_string_equal(row->tags_json, "{\"plan\":\"x\"}");
    assert_string_equal(row->webhook_url_override, "https://hook.test/");
    connection_row_unref(row);
    oauth_outcome_finish(&outcome);
    oauth_redirect_finish(&redirect);
    session_finish(&session);
    cJSON_Delete(params);
    cJSON_Delete(authorization_params);
    world_end(&w);
}

TEST(a_session_keeps_to_its_integrations)
{
    struct world w;
    struct session session;
    struct oauth_start start;
    struct oauth_redirect redirect;
    struct err err = {0};

    world_begin(&w);
    given_session(&w, "{\"allowed_integrations\":[\"other\"]}", 0, &session);
    start = start_of(&w);
    start.session = &session;
    assert_false(oauth_flow_start(&w.auth, &start, &redirect, &err));
    expect_error(&err, 400, "integration_not_allowed");
    session_finish(&session);
    world_end(&w);
}

TEST(reconnecting_keeps_the_connection_and_ends_its_failures)
{
    struct world w;
    struct session session;
    struct oauth_start start;
    struct oauth_outcome outcome;
    struct connection_row *row;
    int64_t id;

    world_begin(&w);
    row = given_connection(&w, "u-1", 1);
    id = row->id;
    given_failure(&w, row, "x");
    connection_row_unref(row);
    given_session(&w, "{\"tags\":{}}", id, &session);
    start = start_of(&w);
    start.session = &session;
    flow(&w, &start, "{\"code\":\"k\"}", &outcome);
    assert_string_equal(outcome.connection_id, "u-1");
    assert_false(outcome.created);
    row = find_connection(&w, "u-1");
    assert_int_equal(row->id, id);
    assert_int_equal(row->last_refresh_failure_ms, 0);
    assert_string_equal(stored(&w, "u-1", "access_token"), "at-1");
    connection_row_unref(row);
    oauth_outcome_finish(&outcome);
    session_finish(&session);
    world_end(&w);
}

TEST(an_id_of_many_bytes_is_reconnected_whole)
{
    struct world w;
    struct session session;
    struct oauth_start start;
    struct oauth_outcome outcome;
    struct connection_row *row;
    struct buf id;

    world_begin(&w);
    buf_init(&id, 0);
    for (int i = 0; i < 255; i++)
        buf_puts(&id, "\xe2\x82\xac");
    row = given_connection(&w, id.data, 1);
    given_session(&w, "{\"tags\":{}}", row->id, &session);
    start = start_of(&w);
    start.session = &session;
    flow(&w, &start, "{\"code\":\"k\"}", &outcome);
    assert_false(outcome.created);
    assert_string_equal(outcome.connection_id, id.data);
    assert_string_equal(stored(&w, id.data, "access_token"), "at-1");
    oauth_outcome_finish(&outcome);
    session_finish(&session);
    connection_row_unref(row);
    buf_finish(&id);
    world_end(&w);
}

TEST(reconnecting_what_was_deleted_meanwhile_fails_and_stores_nothing)
{
    struct world w;
    struct session session;
    struct oauth_start start;
    struct oauth_redirect redirect;
    struct oauth_outcome outcome;
    struct connection_row *row;
    struct err err = {0};
    bool found;

    world_begin(&w);
    row = given_connection(&w, "u-1", 1);
    given_session(&w, "{\"tags\":{}}", row->id, &session);
    start = start_of(&w);
    start.session = &session;
    MUST(oauth_flow_start(&w.auth, &start, &redirect, &err));
    MUST(store_delete_connection(w.store, row->id, &found, &err));
    assert_false(finish(&w, redirect.state, "{\"code\":\"k\"}", true, &outcome, &err));
    expect_error(&err, 400, "connection_not_found");
    assert_null(find_connection(&w, "u-1"));
    oauth_outcome_finish(&outcome);
    oauth_redirect_finish(&redirect);
    assert_false(oauth_flow_start(&w.auth, &start, &redirect, &err));
    expect_error(&err, 400, "connection_not_found");
    connection_row_unref(row);
    session_finish(&session);
    world_end(&w);
}

TEST(without_a_session_tags_and_webhook_of_an_existing_connection_stay)
{
    struct world w;
    struct oauth_start start;
    struct oauth_outcome outcome;
    struct connection_row *row;
    struct connection_patch patch = {.tags_json = "{\"a\":\"b\"}",
        .set_webhook_url_override = true,
        .webhook_url_override = "https://hook.test/"};

    world_begin(&w);
    row = given_connection(&w, "u-1", 1);
    MUST(store_patch_connection(w.store, row->id, &patch, &err));
    connection_row_unref(row);
    start = start_of(&w);
    start.connection_id = "u-1";
    flow(&w, &start, "{\"code\":\"k\"}", &outcome);
    row = find_connection(&w, "u-1");
    assert_string_equal(row->tags_json, "{\"a\":\"b\"}");
    assert_string_equal(row->webhook_url_override, "https://hook.test/");
    connection_row_unref(row);
    oauth_outcome_finish(&outcome);
    world_end(&w);
}

TEST(the_environments_own_callback_url_is_used_on_both_ways)
{
    struct world w;
    struct environment_row row;
    struct oauth_start start;
    struct oauth_redirect redirect;
    struct oauth_outcome outcome;
    char url[] = "https://app.example.test/back";

    world_begin(&w);
    row = *w.env;
    row.callback_url = url;
    start = start_of(&w);
    start.environment = &row;
    MUST(oauth_flow_start(&w.auth, &start, &redirect, &err));
    assert_string_equal(param(redirect.url, "redirect_uri"), url);
    MUST(finish(&w, redirect.state, "{\"code\":\"k\"}", true, &outcome, &err));
    assert_non_null(strstr(token_server_body(&w.server, 0),
        "redirect_uri=https%3A%2F%2Fapp.example.test%2Fback"));
    oauth_outcome_finish(&outcome);
    oauth_redirect_finish(&redirect);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_browser_is_sent_with_state_and_challenge_and_comes_back_a_connection),
        cmocka_unit_test(the_challenge_is_the_recorded_one),
        cmocka_unit_test(a_state_is_good_once),
        cmocka_unit_test(a_callback_is_refused_without_state_cookie_code_or_in_time),
        cmocka_unit_test(
            a_token_endpoint_that_refuses_is_a_token_error_and_stores_nothing),
        cmocka_unit_test(
            a_start_that_cannot_succeed_is_refused_before_the_browser_leaves),
        cmocka_unit_test(
            an_integration_without_a_client_is_refused_unless_the_flow_brings_one),
        cmocka_unit_test(the_config_is_laid_from_answer_callback_and_browser),
        cmocka_unit_test(extra_parameters_win_and_undefined_takes_away),
        cmocka_unit_test(the_defaults_of_a_session_win_and_its_end_user_is_linked),
        cmocka_unit_test(a_session_keeps_to_its_integrations),
        cmocka_unit_test(reconnecting_keeps_the_connection_and_ends_its_failures),
        cmocka_unit_test(an_id_of_many_bytes_is_reconnected_whole),
        cmocka_unit_test(
            reconnecting_what_was_deleted_meanwhile_fails_and_stores_nothing),
        cmocka_unit_test(
            without_a_session_tags_and_webhook_of_an_existing_connection_stay),
        cmocka_unit_test(the_environments_own_callback_url_is_used_on_both_ways),
    };

    return RUN(tests);
}
