/* SPDX-License-Identifier: Apache-2.0 */
/* Actions: scripts that run on demand. Source: contract node-sdk.md sections 2 and 3,
 * http-api.md section 9. */
#ifndef NANGO_ACTIONS_H
#define NANGO_ACTIONS_H

#include "nango/async.h"
#include "nango/json.h"
#include "nango/response.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nango_async_action nango_async_action; /* opaque */

typedef void nango_async_action_done(
    nango_async_action *action, const nango_error *error, void *user);

/* Runs an action and waits for what it returns, which is the answer's JSON: POST
 * /action/trigger. `input`: JSON text; NULL: none. */
NANGO_API nango_code nango_trigger_action(nango_client *client,
    const char *provider_config_key, const char *connection_id, const char *action_name,
    const char *input, nango_response **out, nango_error *err);
NANGO_API nango_code nango_trigger_action_start(nango_client *client,
    const char *provider_config_key, const char *connection_id, const char *action_name,
    const char *input, nango_response_done *done, void *user, nango_call **call,
    nango_error *err);

/* Has an action run by the server later, with retries: POST /action/trigger with X-Async.
 * Its result is fetched with nango_get_async_action_result(). */
NANGO_API nango_code nango_trigger_action_async(nango_client *client,
    const char *provider_config_key, const char *connection_id, const char *action_name,
    const char *input, nango_async_action **out, nango_error *err);
NANGO_API nango_code nango_trigger_action_async_start(nango_client *client,
    const char *provider_config_key, const char *connection_id, const char *action_name,
    const char *input, nango_async_action_done *done, void *user, nango_call **call,
    nango_error *err);

/* Fetches what an asynchronous action returned, as the answer's JSON: GET /action/{id}, or
 * `status_url` (a path on the server), which wins when both are given. NANGO_E_HTTP with
 * 404 while it has not ended. */
NANGO_API nango_code nango_get_async_action_result(nango_client *client, const char *id,
    const char *status_url, nango_response **out, nango_error *err);
NANGO_API nango_code nango_get_async_action_result_start(nango_client *client,
    const char *id, const char *status_url, nango_response_done *done, void *user,
    nango_call **call, nango_error *err);

/* The action's id. The text of this and of the next function is borrowed, and NULL when the
 * server gave none. */
NANGO_API const char *nango_async_action_id(const nango_async_action *action);

/* Where its result will be, a path on the server. */
NANGO_API const char *nango_async_action_status_url(const nango_async_action *action);

/* The answer it came with. */
NANGO_API const nango_response *nango_async_action_response(
    const nango_async_action *action);

/* Frees. Accepts NULL. */
NANGO_API void nango_async_action_free(nango_async_action *action);

#ifdef __cplusplus
}
#endif
#endif
