/* SPDX-License-Identifier: Apache-2.0 */
/* JWT: a token that we sign ourselves with the key that the user entered (contract auth.md
 * section 7.2); renewed by signing again. */
#include "auth/mode.h"

#include "auth/jwt.h"
#include "auth/token_int.h"
#include "base/json.h"

static bool parse(const struct integration *integration,
    const struct connection *connection, const char *answer, size_t len,
    int64_t received_at_ms, cJSON **credentials, struct err *err)
{
    const struct template_stable stable = {.now_ms = received_at_ms};
    int64_t expires_at_ms;
    struct buf token;
    bool ok;

    (void)answer;
    (void)len;
    *credentials = NULL;
    buf_init_secret(&token, 0);
    ok = jwt_of_entry(integration->provider, connection->credentials, connection->config,
        &stable, &token, &expires_at_ms, err);
    if (ok) {
        *credentials = cJSON_Duplicate(connection->credentials, true);
        json_set_str(*credentials, "type", "JWT");
        json_set_str(*credentials, "token", token.data);
        token_expiry_set(*credentials, expires_at_ms);
    }
    buf_finish(&token);
    return ok;
}

const struct mode mode_jwt = {
    .credentials_type = "JWT",
    .can_renew = mode_renews_always,
    .obtain = mode_asks_nobody,
    .parse = parse,
};
