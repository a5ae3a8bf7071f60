/* SPDX-License-Identifier: Apache-2.0 */
/* OAUTH2: renewing by refresh token at the token endpoint (contract auth.md section 8.3),
 * with the client of the integration or the connection's own. */
#include "auth/mode.h"

#include "auth/token.h"
#include "base/json.h"
#include "base/str.h"

/* A kind of token that is renewed without a refresh token has its own client (auth.md
 * section 9); with the generic one there is nothing to ask with, even when forced. */
static bool can_renew(const struct connection_row *row, const struct provider *provider)
{
    (void)provider;
    return row->has_refresh_token;
}

static bool obtain(const struct auth *auth, const struct integration *integration,
    const struct connection *connection, struct buf *answer, struct err *err)
{
    const cJSON *credentials = connection->credentials;
    const char *refresh_token = json_str(credentials, "refresh_token");
    struct token_request request;
    struct token_client client;
    bool ok;

    if (str_is_empty(refresh_token))
        return err_set(
            err, 400, "missing_refresh_token", "the connection has no refresh token");
    token_client_choose(
        integration->settings, json_get(credentials, "config_override"), &client);
    if (!token_request_refresh(integration->provider, &client, connection->config,
            refresh_token, &request, err))
        return false;
    ok = token_request_send(auth, &request, "refresh_token_external_error", answer, err);
    token_request_finish(&request);
    return ok;
}

static bool parse(const struct integration *integration,
    const struct connection *connection, const char *answer, size_t len,
    int64_t received_at_ms, cJSON **credentials, struct err *err)
{
    struct token_secrets secrets = {{0}};
    struct token_client client;

    token_client_choose(integration->settings,
        json_get(connection->credentials, "config_override"), &client);
    secrets.items[0] = client.secret;
    secrets.items[1] = json_str(connection->credentials, "refresh_token");
    if (token_parse_oauth2(integration->provider, answer, len, connection->credentials,
            &secrets, received_at_ms, credentials, err))
        return true;
    str_copy(err->code, sizeof err->code, "refresh_token_parsing_error");
    return false;
}

const struct mode mode_oauth2 = {
    .credentials_type = "OAUTH2",
    .can_renew = can_renew,
    .obtain = obtain,
    .parse = parse,
};
