/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to token endpoints and what their answers say (contract auth.md sections 3.2
 * – 3.4 and 8.3). Building and parsing are apart from sending, so that both can be tested
 * and explained. */
#ifndef AUTH_TOKEN_H
#define AUTH_TOKEN_H

#include <cjson/cJSON.h>

#include "auth/auth.h"
#include "auth/integration.h"
#include "net/http.h"

#define TOKEN_SECRETS 16
/* What was sent in confidence and must not come back in an error text; borrowed, NULL =
 * none. */
struct token_secrets {
    const char *items[TOKEN_SECRETS];
};
struct token_request {
    char *method;
    char *url;
    struct http_headers headers;
    char *body;                   /* wiped when finished; NULL = none */
    char *secrets[TOKEN_SECRETS]; /* of what went into it; wiped when finished */
    char *certificate;            /* of the client, in TLS; NULL with `key` = none */
    char *key;
    cJSON *xml; /* what an XML body was made of, for those who show it; NULL */
};
void token_request_finish(struct token_request *request);
void token_request_secrets(
    const struct token_request *request, struct token_secrets *out);

/* The client of this call: the integration's, or the connection's own override. */
struct token_client {
    const char *id;
    const char *secret;
};
/* `config_override` {client_id, client_secret} of credentials wins over the settings.
 * Borrowed. */
void token_client_choose(
    const cJSON *settings, const cJSON *config_override, struct token_client *out);

bool token_request_exchange(const struct provider *provider,
    const struct token_client *client, const cJSON *config, const char *code,
    const char *redirect_uri, const char *verifier, struct token_request *out,
    struct err *err);
bool token_request_refresh(const struct provider *provider,
    const struct token_client *client, const cJSON *config, const char *refresh_token,
    struct token_request *out, struct err *err);
/* Sends. `answer` is the body of a 2xx answer, to be wiped; false: 400 with
 * `refresh_token_external_error` or the code given. */
bool token_request_send(const struct auth *auth, const struct token_request *request,
    const char *failure_code, struct buf *answer, struct err *err);
/* Parses a token answer into credentials {type OAUTH2, access_token, refresh_token?,
 * expires_at?, raw}. `previous` (may be NULL) gives refresh_token and config_override to
 * keep. False: 400 with `incomplete_raw_credentials` or `token_parsing_error`. */
bool token_parse_oauth2(const struct provider *provider, const char *answer, size_t len,
    const cJSON *previous, const struct token_secrets *secrets, int64_t now_ms,
    cJSON **credentials, struct err *err);
/* Members of the answer that `token_response_metadata` names, under their dotted names.
 */
void token_response_metadata(
    const struct provider *provider, const cJSON *raw, cJSON *config);

/* What an OAuth error answer says (RFC 6749 section 5.2): `error: description`,
 * shortened, in printable characters. "" when `answer` is no such thing, or when it
 * quotes a secret. */
void token_error_text(const char *answer, size_t len, const struct token_secrets *secrets,
    char *out, size_t out_size);

#endif
