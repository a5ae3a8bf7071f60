/* SPDX-License-Identifier: Apache-2.0 */
/* What the endpoints that browsers call have in common (contract connect-flow.md sections
 * 1, 3 and 5): their query, and how a session's defaults overrule it. */
#ifndef API_BROWSER_H
#define API_BROWSER_H

#include "api/api_int.h"

/* Checked and read; pointers go into the call. */
struct browser {
    const char *key;           /* the integration, from the path */
    const char *connection_id; /* as received, NULL = none */
    const char *hmac;
    const char *user_scope;
    const char *ws_client_id;
    const cJSON *params;               /* params[…]; NULL */
    const cJSON *authorization_params; /* NULL */
    const cJSON *credentials;          /* credentials[…]; NULL */
};
/* False after a reply: the query, the path, and the HMAC of a call with a public key. */
bool browser_read(struct call *call, struct browser *out);
/* The connection's config: the browser's strings, the session's defaults over them, and
 * never a webhook address from outside. The caller frees. */
cJSON *browser_config(const struct call *call, const struct browser *browser);
/* How a flow ended, for the page in its window. */
struct browser_outcome {
    const char *error_type;          /* NULL = success */
    const char *message;             /* of the failure */
    const char *provider_config_key; /* on success */
    const char *connection_id;
};
/* The HTML page that ends a flow: 200, or 400 on failure. */
void reply_callback_page(struct call *call, const struct browser_outcome *outcome);

#endif
