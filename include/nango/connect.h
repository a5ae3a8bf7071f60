/* SPDX-License-Identifier: Apache-2.0 */
/* Connect sessions: a short-lived token with which an end user's browser may authorise.
 * Source: contract node-sdk.md section 3, http-api.md section 6. */
#ifndef NANGO_CONNECT_H
#define NANGO_CONNECT_H

#include "nango/connections.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nango_connect_session nango_connect_session; /* opaque */

typedef void nango_connect_session_done(
    nango_connect_session *session, const nango_error *error, void *user);

/* A session to make. The server wants an end user or tags. */
typedef struct {
    const nango_end_user *end_user;          /* its organization is sent beside it */
    const char *const *allowed_integrations; /* only these may be connected; none: all */
    size_t allowed_integration_count;
    const char *integrations_config_defaults; /* JSON object, by integration */
    const char *overrides;                    /* JSON object, by integration */
    const nango_pair *tags;
    size_t tag_count;
    const char *webhook_url_override;
    const char *json; /* the whole body instead of the members above */
    const void *reserved[4];
} nango_connect_session_config;

/* Makes a session for a new connection: POST /connect/sessions. */
NANGO_API nango_code nango_create_connect_session(nango_client *client,
    const nango_connect_session_config *config, nango_connect_session **out,
    nango_error *err);
NANGO_API nango_code nango_create_connect_session_start(nango_client *client,
    const nango_connect_session_config *config, nango_connect_session_done *done,
    void *user, nango_call **call, nango_error *err);

/* Makes a session to authorise a connection again: POST /connect/sessions/reconnect.
 * `config` may be NULL; allowed_integrations is not looked at. When config->json is set it
 * holds the whole body, and the two ids may be NULL. */
NANGO_API nango_code nango_create_reconnect_session(nango_client *client,
    const char *integration_id, const char *connection_id,
    const nango_connect_session_config *config, nango_connect_session **out,
    nango_error *err);
NANGO_API nango_code nango_create_reconnect_session_start(nango_client *client,
    const char *integration_id, const char *connection_id,
    const nango_connect_session_config *config, nango_connect_session_done *done,
    void *user, nango_call **call, nango_error *err);

/* The token to hand to the browser. The text of this and of the functions below is borrowed
 * from the session, and NULL when the server gave none. */
NANGO_API const char *nango_connect_session_token(const nango_connect_session *session);

/* The address of the Connect UI with that token. */
NANGO_API const char *nango_connect_session_link(const nango_connect_session *session);

/* When the token ends, as the server writes it (ISO 8601). */
NANGO_API const char *nango_connect_session_expires_at(
    const nango_connect_session *session);

/* The answer it came with. */
NANGO_API const nango_response *nango_connect_session_response(
    const nango_connect_session *session);

/* Wipes and frees. Accepts NULL. */
NANGO_API void nango_connect_session_free(nango_connect_session *session);

#ifdef __cplusplus
}
#endif
#endif
