/* SPDX-License-Identifier: Apache-2.0 */
/* The authorization-code flow by redirect (contract connect-flow.md sections 3, 4 and 8;
 * RFC 6749 section 4.1, RFC 7636, RFC 9700): start builds the provider's URL and a
 * one-time state; finish consumes the state, exchanges the code and stores the
 * connection. */
#ifndef AUTH_OAUTH_FLOW_H
#define AUTH_OAUTH_FLOW_H

#include "auth/auth.h"
#include "auth/integration.h"
#include "auth/session.h"
#include "catalog/template.h"

struct oauth_start {
    const struct environment_row *environment;
    const struct session *session; /* NULL with a public key */
    const char *provider_config_key;
    const char
        *connection_id; /* NULL = a new UUID; refused with a session by the caller */
    const char *ws_client_id;          /* NULL = none */
    const char *user_scope;            /* NULL = none */
    const cJSON *params;               /* params[…], strings; NULL */
    const cJSON *authorization_params; /* NULL */
    const cJSON *credentials;          /* credentials[…] overrides; NULL */
};
struct oauth_redirect {
    char *url;         /* where to send the browser */
    char *state;       /* also the cookie's name part */
    bool binds_cookie; /* set cookie oauth2-<state>=1 */
};
/* err->code is one of the error types of connect-flow.md section 6. */
bool oauth_flow_start(const struct auth *auth, const struct oauth_start *start,
    struct oauth_redirect *out, struct err *err);
void oauth_redirect_finish(struct oauth_redirect *redirect);

struct oauth_callback {
    const char *state;   /* NULL = absent */
    const cJSON *query;  /* all query members as strings */
    bool cookie_present; /* oauth2-<state>=1 came along */
    bool require_cookie; /* setting oauth.require_cookie */
};
struct oauth_outcome {
    char *provider_config_key; /* NULL when the state was unknown */
    char *connection_id;
    char *ws_client_id;
    int64_t environment_id;
    bool created;
    char provider_error[512]; /* "error: …; error_description: …", escaped by the page */
};
bool oauth_flow_finish(const struct auth *auth, const struct oauth_callback *callback,
    struct oauth_outcome *out, struct err *err);
void oauth_outcome_finish(struct oauth_outcome *outcome);

/* PKCE challenge, method S256 (RFC 7636 section 4.2); 43 characters and a NUL. */
#define PKCE_CHALLENGE_SIZE 44
void pkce_challenge(const char *verifier, char out[PKCE_CHALLENGE_SIZE]);
/* The authorization URL alone (auth.md section 3.1), for `catalog explain authurl`. */
struct authorize_request {
    const struct provider *provider;
    const cJSON *config;
    const cJSON *authorization_params; /* NULL */
    const char *client_id;
    const char *scopes; /* comma list */
    const char *user_scope;
    const char *redirect_uri;
    const char *state;
    const char *verifier;
    const struct template_stable *stable; /* NULL = the real clock and randomness */
};
char *oauth_authorize_url(const struct authorize_request *request, struct err *err);

#endif
