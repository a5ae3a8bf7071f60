/* SPDX-License-Identifier: Apache-2.0 */
/* Connections: one customer's link to one integration, its credentials and its metadata.
 * Source: contract node-sdk.md sections 2 and 3, http-api.md section 3. */
#ifndef NANGO_CONNECTIONS_H
#define NANGO_CONNECTIONS_H

#include "nango/async.h"
#include "nango/json.h"
#include "nango/response.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nango_connection nango_connection;   /* opaque */
typedef struct nango_connections nango_connections; /* opaque: a list */
typedef struct nango_credentials nango_credentials; /* opaque */

typedef void nango_connection_done(
    nango_connection *connection, const nango_error *error, void *user);
typedef void nango_connections_done(
    nango_connections *connections, const nango_error *error, void *user);
typedef void nango_credentials_done(
    nango_credentials *credentials, const nango_error *error, void *user);

/* How a provider authorises: the `type` of credentials. */
typedef enum {
    NANGO_AUTH_UNKNOWN = 0, /* a kind that this library does not know: read the JSON */
    NANGO_AUTH_OAUTH2,
    NANGO_AUTH_OAUTH1,
    NANGO_AUTH_API_KEY,
    NANGO_AUTH_BASIC,
    NANGO_AUTH_APP,
    NANGO_AUTH_APP_STORE,
    NANGO_AUTH_OAUTH2_CC,
    NANGO_AUTH_TBA,
    NANGO_AUTH_JWT,
    NANGO_AUTH_BILL,
    NANGO_AUTH_TWO_STEP,
    NANGO_AUTH_SIGNATURE,
    NANGO_AUTH_CUSTOM,
    NANGO_AUTH_AWS_SIGV4,
    NANGO_AUTH_MCP_OAUTH2,
    NANGO_AUTH_INSTALL_PLUGIN,
    NANGO_AUTH_NONE /* also what has no `type`: the server gives {} then */
} nango_auth_type;

/* The name of a kind on the wire, as "OAUTH2_CC"; "" for NANGO_AUTH_UNKNOWN. Static. */
NANGO_API const char *nango_auth_type_name(nango_auth_type type);

/* For the functions that fetch a connection: get a new token although the old one is still
 * good; have the refresh token in the answer; renew a GitHub App's JWT. */
#define NANGO_FORCE_REFRESH 1u
#define NANGO_REFRESH_TOKEN 2u
#define NANGO_REFRESH_GITHUB_APP_JWT 4u

/* Fetches one connection with its credentials, refreshed if they were about to expire: GET
 * /connections/{connection_id}. `flags`: NANGO_FORCE_REFRESH and its like, or 0. */
NANGO_API nango_code nango_get_connection(nango_client *client,
    const char *provider_config_key, const char *connection_id, unsigned flags,
    nango_connection **out, nango_error *err);
NANGO_API nango_code nango_get_connection_start(nango_client *client,
    const char *provider_config_key, const char *connection_id, unsigned flags,
    nango_connection_done *done, void *user, nango_call **call, nango_error *err);

/* Fetches a connection's credentials alone, refreshed if they were about to expire;
 * nango_credentials_token() then is what authenticates. `flags` as for
 * nango_get_connection(), without NANGO_REFRESH_TOKEN. */
NANGO_API nango_code nango_get_token(nango_client *client,
    const char *provider_config_key, const char *connection_id, unsigned flags,
    nango_credentials **out, nango_error *err);
NANGO_API nango_code nango_get_token_start(nango_client *client,
    const char *provider_config_key, const char *connection_id, unsigned flags,
    nango_credentials_done *done, void *user, nango_call **call, nango_error *err);

/* Fetches what the provider's token endpoint answered: the connection's credentials, whose
 * nango_credentials_raw() is that answer. `flags` as for nango_get_token(). */
NANGO_API nango_code nango_get_raw_token_response(nango_client *client,
    const char *provider_config_key, const char *connection_id, unsigned flags,
    nango_credentials **out, nango_error *err);
NANGO_API nango_code nango_get_raw_token_response_start(nango_client *client,
    const char *provider_config_key, const char *connection_id, unsigned flags,
    nango_credentials_done *done, void *user, nango_call **call, nango_error *err);

/* What connections are wanted; NULL and 0: no such condition. */
typedef struct {
    const char *connection_id; /* exactly this one, of whatever integration */
    const char *search;        /* part of the id, or of the end user's name or e-mail */
    const char *end_user_id;
    const char *end_user_organization_id;
    const char *const *integration_ids; /* of any of these integrations */
    size_t integration_id_count;
    const nango_pair
        *tags; /* all of these; names are sent in lower case, `displayName` and
                               `email` stand for the end user's */
    size_t tag_count;
    int64_t limit; /* 1 to 2000; 0: as many as the server gives at once */
    int64_t page;  /* from 0, in pages of `limit` */
    const void *reserved[4];
} nango_connections_query;

/* Lists connections, the newest first, without credentials: GET /connections. `query` may
 * be NULL: all of them. */
NANGO_API nango_code nango_list_connections(nango_client *client,
    const nango_connections_query *query, nango_connections **out, nango_error *err);
NANGO_API nango_code nango_list_connections_start(nango_client *client,
    const nango_connections_query *query, nango_connections_done *done, void *user,
    nango_call **call, nango_error *err);

/* Credentials to make a connection from. `type` decides which members are looked at, in the
 * order that they are named here:
 *
 *   OAUTH2     access_token, refresh_token, expires_at, client_id and client_secret (these
 *              two instead of the integration's own)
 *   OAUTH2_CC  token, client_id, client_secret, expires_at
 *   OAUTH1     oauth_token, oauth_token_secret
 *   API_KEY    api_key
 *   BASIC      username, password
 *   TBA        token_id, token_secret
 *   APP, CUSTOM  app_id, installation_id
 *   NONE       none */
typedef struct {
    nango_auth_type type;
    const char *access_token;
    const char *refresh_token;
    const char *expires_at; /* ISO 8601, as "2030-01-31T12:00:00.000Z" */
    const char *client_id;
    const char *client_secret;
    const char *token;
    const char *oauth_token;
    const char *oauth_token_secret;
    const char *api_key;
    const char *username;
    const char *password;
    const char *token_id;
    const char *token_secret;
    const char *app_id;
    const char *installation_id;
    const void *reserved[4];
} nango_new_credentials;

/* The end user and organization that a connection or connect session is for. `id` is
 * needed when any other member is set. */
typedef struct {
    const char *id;
    const char *email;
    const char *display_name;
    const nango_pair *tags;
    size_t tag_count;
    const char *organization_id;
    const char *organization_display_name;
    const void *reserved[4];
} nango_end_user;

/* A connection to make. The first three members are needed, but the server thinks of a
 * connection_id when there is none. */
typedef struct {
    const char *provider_config_key;
    const char *connection_id;
    const nango_new_credentials *credentials;
    const char *metadata; /* JSON object */
    const char
        *connection_config; /* JSON object: what the provider needs, as a subdomain */
    const nango_end_user *end_user; /* its organization is not sent here */
    const nango_pair *tags;
    size_t tag_count;
    const char *webhook_url_override;
    const void *reserved[4];
} nango_new_connection;

/* Makes a connection from credentials that one already has, or replaces it: POST
 * /connections. The official client's method of this name only says that there is the REST
 * API for it; this is that. */
NANGO_API nango_code nango_create_connection(nango_client *client,
    const nango_new_connection *connection, nango_connection **out, nango_error *err);
NANGO_API nango_code nango_create_connection_start(nango_client *client,
    const nango_new_connection *connection, nango_connection_done *done, void *user,
    nango_call **call, nango_error *err);

/* As nango_create_connection(), from the JSON body of POST /connections (http-api.md
 * section 3.3). */
NANGO_API nango_code nango_import_connection(
    nango_client *client, const char *body, nango_connection **out, nango_error *err);
NANGO_API nango_code nango_import_connection_start(nango_client *client, const char *body,
    nango_connection_done *done, void *user, nango_call **call, nango_error *err);

/* What to change in a connection; what is NULL stays. */
typedef struct {
    const nango_end_user *end_user;
    const nango_pair
        *tags; /* the whole map, instead of the old one; an empty map can only be
                               said by `json` */
    size_t tag_count;
    const char *webhook_url_override; /* "" removes it */
    const char *json;                 /* the whole body instead of the members above */
    const void *reserved[4];
} nango_connection_patch;

/* Changes a connection's end user, tags or webhook address: PATCH
 * /connections/{connection_id}. */
NANGO_API nango_code nango_patch_connection(nango_client *client,
    const char *provider_config_key, const char *connection_id,
    const nango_connection_patch *patch, nango_response **out, nango_error *err);
NANGO_API nango_code nango_patch_connection_start(nango_client *client,
    const char *provider_config_key, const char *connection_id,
    const nango_connection_patch *patch, nango_response_done *done, void *user,
    nango_call **call, nango_error *err);

/* Deletes a connection: DELETE /connections/{connection_id}. */
NANGO_API nango_code nango_delete_connection(nango_client *client,
    const char *provider_config_key, const char *connection_id, nango_response **out,
    nango_error *err);
NANGO_API nango_code nango_delete_connection_start(nango_client *client,
    const char *provider_config_key, const char *connection_id, nango_response_done *done,
    void *user, nango_call **call, nango_error *err);

/* How nango_wait_for_connection() waits; zero: as the official client does. */
typedef struct {
    int64_t first_delay_ms; /* after the first look; 0: 10000 */
    int64_t delay_ms;       /* after each other look; 0: 2000 */
    int attempts;           /* looks; 0: 30 */
    const void *reserved[4];
} nango_wait_options;

/* Waits until an end user has connected an integration: looks with GET
 * /connections?endUserId= until there is a connection of that integration, and gives it
 * (without credentials). NANGO_E_TIMEOUT after the last look, NANGO_E_CANCELLED after
 * nango_interrupt(). `options` may be NULL. */
NANGO_API nango_code nango_wait_for_connection(nango_client *client,
    const char *provider_config_key, const char *end_user_id,
    const nango_wait_options *options, nango_connection **out, nango_error *err);
NANGO_API nango_code nango_wait_for_connection_start(nango_client *client,
    const char *provider_config_key, const char *end_user_id,
    const nango_wait_options *options, nango_connection_done *done, void *user,
    nango_call **call, nango_error *err);

/* Fetches a connection's metadata, for nango_connection_metadata(). What is given is the
 * whole connection, since that is what the server sends. */
NANGO_API nango_code nango_get_metadata(nango_client *client,
    const char *provider_config_key, const char *connection_id, nango_connection **out,
    nango_error *err);
NANGO_API nango_code nango_get_metadata_start(nango_client *client,
    const char *provider_config_key, const char *connection_id,
    nango_connection_done *done, void *user, nango_call **call, nango_error *err);

/* Replaces the metadata of one connection or several: POST /connections/metadata.
 * `metadata`: a JSON object. Of several connections all exist, or none is changed. With NANGO_ERA_2023 only one connection at a time. */
NANGO_API nango_code nango_set_metadata(nango_client *client,
    const char *provider_config_key, const char *const *connection_ids, size_t count,
    const char *metadata, nango_response **out, nango_error *err);
NANGO_API nango_code nango_set_metadata_start(nango_client *client,
    const char *provider_config_key, const char *const *connection_ids, size_t count,
    const char *metadata, nango_response_done *done, void *user, nango_call **call,
    nango_error *err);

/* As nango_set_metadata(), but keeps the members that `metadata` does not name: PATCH
 * /connections/metadata. */
NANGO_API nango_code nango_update_metadata(nango_client *client,
    const char *provider_config_key, const char *const *connection_ids, size_t count,
    const char *metadata, nango_response **out, nango_error *err);
NANGO_API nango_code nango_update_metadata_start(nango_client *client,
    const char *provider_config_key, const char *const *connection_ids, size_t count,
    const char *metadata, nango_response_done *done, void *user, nango_call **call,
    nango_error *err);

/* The server's own number for the connection; 0 when it gave none. */
NANGO_API int64_t nango_connection_number(const nango_connection *connection);

/* The connection id. The text of this and of the functions below is borrowed from the
 * connection, and NULL when the server gave none. */
NANGO_API const char *nango_connection_id(const nango_connection *connection);

/* The integration that it belongs to. (Lists of servers of 2023 call that the provider.) */
NANGO_API const char *nango_connection_provider_config_key(
    const nango_connection *connection);

/* The integration's provider, as "github". */
NANGO_API const char *nango_connection_provider(const nango_connection *connection);

/* When it was made, as the server writes it (ISO 8601). */
NANGO_API const char *nango_connection_created_at(const nango_connection *connection);

/* The end user's id. */
NANGO_API const char *nango_connection_end_user_id(const nango_connection *connection);

/* The value of a tag, by its name in lower case. */
NANGO_API const char *nango_connection_tag(
    const nango_connection *connection, const char *name);

/* Its metadata: nango_json_string_at() and its like read single values. NULL when it has
 * none. */
NANGO_API const nango_json *nango_connection_metadata(const nango_connection *connection);

/* The provider's settings for this customer, as a subdomain. */
NANGO_API const nango_json *nango_connection_config(const nango_connection *connection);

/* How many errors are open for it; they are at "/errors" of its JSON. */
NANGO_API size_t nango_connection_error_count(const nango_connection *connection);

/* Its credentials; NULL for a connection from a list, and when the answer has none. Borrowed from the connection. */
NANGO_API const nango_credentials *nango_connection_credentials(
    const nango_connection *connection);

/* All of it as the server sent it. */
NANGO_API const nango_json *nango_connection_json(const nango_connection *connection);

/* The answer it came with; NULL for a connection from a list. */
NANGO_API const nango_response *nango_connection_response(
    const nango_connection *connection);

/* Wipes the credentials and frees. Accepts NULL. Not for a connection from a list. */
NANGO_API void nango_connection_free(nango_connection *connection);

/* How many connections the list holds. */
NANGO_API size_t nango_connections_count(const nango_connections *connections);

/* A connection of the list, counted from 0; NULL beyond the end. Borrowed from the list. */
NANGO_API const nango_connection *nango_connections_at(
    const nango_connections *connections, size_t index);

/* The answer that the list came with. */
NANGO_API const nango_response *nango_connections_response(
    const nango_connections *connections);

/* Frees the list and its connections. Accepts NULL. */
NANGO_API void nango_connections_free(nango_connections *connections);

/* Which kind they are: it says which of the functions below give a value. */
NANGO_API nango_auth_type nango_credentials_type(const nango_credentials *credentials);

/* What authenticates, whatever the kind: the access token of OAUTH2, APP and APP_STORE, the
 * OAuth token of OAUTH1, the key of API_KEY, the token of OAUTH2_CC, JWT, TWO_STEP and
 * SIGNATURE, the session id of BILL, the token id of TBA, the user name of BASIC. NULL for
 * the others. The text of this and of the functions below is borrowed, and NULL where the
 * kind has no such member. */
NANGO_API const char *nango_credentials_token(const nango_credentials *credentials);

/* What belongs to the token: the token secret of OAUTH1 and TBA, the password of BASIC. */
NANGO_API const char *nango_credentials_secret(const nango_credentials *credentials);

/* The access token of OAUTH2, APP and APP_STORE. */
NANGO_API const char *nango_credentials_access_token(
    const nango_credentials *credentials);

/* The refresh token of OAUTH2, when it was asked for with NANGO_REFRESH_TOKEN. */
NANGO_API const char *nango_credentials_refresh_token(
    const nango_credentials *credentials);

/* When the token expires: milliseconds since 1970, UTC. False when it does not, or when
 * nobody knows. */
NANGO_API bool nango_credentials_expires_at_ms(
    const nango_credentials *credentials, int64_t *out);

/* The key of API_KEY. */
NANGO_API const char *nango_credentials_api_key(const nango_credentials *credentials);

/* The two halves of BASIC. */
NANGO_API const char *nango_credentials_username(const nango_credentials *credentials);
NANGO_API const char *nango_credentials_password(const nango_credentials *credentials);

/* The two halves of OAUTH1. */
NANGO_API const char *nango_credentials_oauth_token(const nango_credentials *credentials);
NANGO_API const char *nango_credentials_oauth_token_secret(
    const nango_credentials *credentials);

/* The two halves of TBA. */
NANGO_API const char *nango_credentials_token_id(const nango_credentials *credentials);
NANGO_API const char *nango_credentials_token_secret(
    const nango_credentials *credentials);

/* The client of OAUTH2_CC, or the one that an OAUTH2 or TBA connection has instead of its
 * integration's. */
NANGO_API const char *nango_credentials_client_id(const nango_credentials *credentials);
NANGO_API const char *nango_credentials_client_secret(
    const nango_credentials *credentials);

/* The provider's own answer with which the credentials came. NULL when it is not kept. */
NANGO_API const nango_json *nango_credentials_raw(const nango_credentials *credentials);

/* All of them as the server sent them, for what has no function here. */
NANGO_API const nango_json *nango_credentials_json(const nango_credentials *credentials);

/* Wipes and frees. Accepts NULL. Not for the credentials of a nango_connection. */
NANGO_API void nango_credentials_free(nango_credentials *credentials);

#ifdef __cplusplus
}
#endif
#endif
