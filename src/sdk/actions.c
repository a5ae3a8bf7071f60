/* SPDX-License-Identifier: Apache-2.0 */
/* Actions (contract http-api.md, 9). */
#include "sdk/methods_int.h"

static void *action_decode(nango_call *call)
{
    return ngo_decode_item(call, sizeof(struct ngo_item), "", NANGO_JSON_OBJECT);
}

static void action_deliver(
    ngo_fn *done, void *result, const nango_error *error, void *user)
{
    ((nango_async_action_done *)done)(result, error, user);
}

static const struct ngo_shape action_shape = {
    action_decode, ngo_item_free, action_deliver};

/* ---- trigger ---- */

static nango_call *plan_trigger(nango_client *client, const char *key,
    const char *connection_id, const char *action_name, bool async, const char *input,
    const struct ngo_shape *shape)
{
    nango_call *call = ngo_call_new(client, "POST", "/action/trigger", shape);
    struct ngo_text *text;

    ngo_call_need(call, key, "Provider Config Key");
    ngo_call_need(call, connection_id, "Connection Id");
    ngo_call_need(call, action_name, "Action name");
    ngo_call_for(call, key, connection_id);
    if (async)
        ngo_call_header(call, "X-Async", "true");
    text = ngo_plan_open(call);
    if (text == NULL)
        return call;
    ngo_json_member(text, "action_name", action_name);
    ngo_json_member_raw(text, "input", input);
    ngo_plan_close(call, text);
    return call;
}

nango_code nango_trigger_action(nango_client *client, const char *provider_config_key,
    const char *connection_id, const char *action_name, const char *input,
    nango_response **out, nango_error *err)
{
    NGO_RUN(plan_trigger(client, provider_config_key, connection_id, action_name, false,
                input, &ngo_shape_response),
        nango_response, nango_response_free, out, err);
}

nango_code nango_trigger_action_start(nango_client *client,
    const char *provider_config_key, const char *connection_id, const char *action_name,
    const char *input, nango_response_done *done, void *user, nango_call **call,
    nango_error *err)
{
    NGO_START(plan_trigger(client, provider_config_key, connection_id, action_name, false,
                  input, &ngo_shape_response),
        done, user, call, err);
}

nango_code nango_trigger_action_async(nango_client *client,
    const char *provider_config_key, const char *connection_id, const char *action_name,
    const char *input, nango_async_action **out, nango_error *err)
{
    NGO_RUN(plan_trigger(client, provider_config_key, connection_id, action_name, true,
                input, &action_shape),
        nango_async_action, nango_async_action_free, out, err);
}

nango_code nango_trigger_action_async_start(nango_client *client,
    const char *provider_config_key, const char *connection_id, const char *action_name,
    const char *input, nango_async_action_done *done, void *user, nango_call **call,
    nango_error *err)
{
    NGO_START(plan_trigger(client, provider_config_key, connection_id, action_name, true,
                  input, &action_shape),
        done, user, call, err);
}

/* ---- result ---- */

/* A path that can be put after the host as it is: it begins with a slash, so that the host
 * stays the one that the key is for, and has no character that a request line cannot. */
static bool is_path(const char *s)
{
    if (*s != '/')
        return false;
    for (; *s != '\0'; s++) {
        if (*s <= 0x20 || *s >= 0x7f || *s == '#' || *s == '\\')
            return false;
    }
    return true;
}

static nango_call *plan_result(
    nango_client *client, const char *id, const char *status_url)
{
    const bool by_url = status_url != NULL && *status_url != '\0';
    nango_call *call =
        ngo_call_new(client, "GET", by_url ? "" : "/action", &ngo_shape_response);

    if (!by_url && (id == NULL || *id == '\0'))
        ngo_call_fail(call, NANGO_E_ARGUMENT, "Either id or statusUrl must be provided");
    else if (!by_url)
        ngo_call_segment(call, id, "Id");
    else if (is_path(status_url))
        ngo_call_path(call, status_url);
    else
        ngo_call_fail(call, NANGO_E_ARGUMENT, "statusUrl must be a path on the server");
    return call;
}

nango_code nango_get_async_action_result(nango_client *client, const char *id,
    const char *status_url, nango_response **out, nango_error *err)
{
    NGO_RUN(plan_result(client, id, status_url), nango_response, nango_response_free, out,
        err);
}

nango_code nango_get_async_action_result_start(nango_client *client, const char *id,
    const char *status_url, nango_response_done *done, void *user, nango_call **call,
    nango_error *err)
{
    NGO_START(plan_result(client, id, status_url), done, user, call, err);
}

/* ---- what is known of an asynchronous action ---- */

const char *nango_async_action_id(const nango_async_action *action)
{
    return ngo_item_text(action, "/id");
}

const char *nango_async_action_status_url(const nango_async_action *action)
{
    return ngo_item_text(action, "/statusUrl");
}

const nango_response *nango_async_action_response(const nango_async_action *action)
{
    return ngo_item_response(action);
}

void nango_async_action_free(nango_async_action *action)
{
    ngo_item_free(action);
}
