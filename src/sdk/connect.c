/* SPDX-License-Identifier: Apache-2.0 */
/* Connect sessions (contract http-api.md, 6). The server checks what belongs together; here
 * only that what was given as JSON is an object. */
#include "sdk/methods_int.h"

static void *session_decode(nango_call *call)
{
    return ngo_decode_item(call, sizeof(struct ngo_item), "/data", NANGO_JSON_OBJECT);
}

static void session_deliver(
    ngo_fn *done, void *result, const nango_error *error, void *user)
{
    ((nango_connect_session_done *)done)(result, error, user);
}

static const struct ngo_shape session_shape = {
    session_decode, ngo_item_free, session_deliver};

/* The members that both bodies may have. */
static void write_config(
    nango_call *call, struct ngo_text *text, const nango_connect_session_config *config)
{
    ngo_plan_end_user(call, text, config->end_user, true);
    ngo_plan_member_object(
        call, text, "integrations_config_defaults", config->integrations_config_defaults);
    ngo_plan_member_object(call, text, "overrides", config->overrides);
    ngo_plan_pairs(call, text, "tags", config->tags, config->tag_count);
    ngo_json_member(text, "webhook_url_override", config->webhook_url_override);
}

/* ---- a new connection ---- */

static nango_call *plan_create(
    nango_client *client, const nango_connect_session_config *config)
{
    nango_call *call = ngo_call_new(client, "POST", "/connect/sessions", &session_shape);
    struct ngo_text *text;

    if (config == NULL) {
        ngo_call_fail(call, NANGO_E_ARGUMENT, "the session's config is missing");
        return call;
    }
    if (config->json != NULL) {
        ngo_plan_body(call, config->json, "the session's JSON");
        return call;
    }
    if (config->allowed_integrations == NULL && config->allowed_integration_count > 0)
        ngo_call_need(call, NULL, "allowed_integrations");
    text = ngo_plan_open(call);
    if (text == NULL || call->error.code != NANGO_OK)
        return call;
    ngo_json_member_strings(text, "allowed_integrations", config->allowed_integrations,
        config->allowed_integration_count);
    write_config(call, text, config);
    ngo_plan_close(call, text);
    return call;
}

nango_code nango_create_connect_session(nango_client *client,
    const nango_connect_session_config *config, nango_connect_session **out,
    nango_error *err)
{
    NGO_RUN(plan_create(client, config), nango_connect_session,
        nango_connect_session_free, out, err);
}

nango_code nango_create_connect_session_start(nango_client *client,
    const nango_connect_session_config *config, nango_connect_session_done *done,
    void *user, nango_call **call, nango_error *err)
{
    NGO_START(plan_create(client, config), done, user, call, err);
}

/* ---- a connection again ---- */

static nango_call *plan_reconnect(nango_client *client, const char *integration_id,
    const char *connection_id, const nango_connect_session_config *config)
{
    nango_call *call =
        ngo_call_new(client, "POST", "/connect/sessions/reconnect", &session_shape);
    struct ngo_text *text;

    if (config != NULL && config->json != NULL) {
        ngo_plan_body(call, config->json, "the session's JSON");
        return call;
    }
    ngo_call_need(call, integration_id, "Integration Id");
    ngo_call_need(call, connection_id, "Connection Id");
    text = ngo_plan_open(call);
    if (text == NULL)
        return call;
    ngo_json_member(text, "connection_id", connection_id);
    ngo_json_member(text, "integration_id", integration_id);
    if (config != NULL)
        write_config(call, text, config);
    ngo_plan_close(call, text);
    return call;
}

nango_code nango_create_reconnect_session(nango_client *client,
    const char *integration_id, const char *connection_id,
    const nango_connect_session_config *config, nango_connect_session **out,
    nango_error *err)
{
    NGO_RUN(plan_reconnect(client, integration_id, connection_id, config),
        nango_connect_session, nango_connect_session_free, out, err);
}

nango_code nango_create_reconnect_session_start(nango_client *client,
    const char *integration_id, const char *connection_id,
    const nango_connect_session_config *config, nango_connect_session_done *done,
    void *user, nango_call **call, nango_error *err)
{
    NGO_START(plan_reconnect(client, integration_id, connection_id, config), done, user,
        call, err);
}

/* ---- what is known of a session ---- */

const char *nango_connect_session_token(const nango_connect_session *session)
{
    return ngo_item_text(session, "/token");
}

const char *nango_connect_session_link(const nango_connect_session *session)
{
    return ngo_item_text(session, "/connect_link");
}

const char *nango_connect_session_expires_at(const nango_connect_session *session)
{
    return ngo_item_text(session, "/expires_at");
}

const nango_response *nango_connect_session_response(const nango_connect_session *session)
{
    return ngo_item_response(session);
}

void nango_connect_session_free(nango_connect_session *session)
{
    ngo_item_free(session);
}
