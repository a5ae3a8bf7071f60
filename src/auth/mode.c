/* SPDX-License-Identifier: Apache-2.0 */
/* The table of renewable kinds of credentials: one file per auth mode, one row here. */
#include "auth/mode.h"

#include "base/str.h"

static const struct mode *const modes[] = {
    &mode_oauth2,
    &mode_oauth2_cc,
    &mode_two_step,
    &mode_jwt,
    &mode_signature,
    &mode_bill,
    &mode_aws_sigv4,
};

const struct mode *mode_find(const char *credentials_type)
{
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (str_eq(modes[i]->credentials_type, credentials_type))
            return modes[i];
    }
    return NULL;
}

bool mode_renews_always(const struct connection_row *row, const struct provider *provider)
{
    (void)row;
    (void)provider;
    return true;
}

bool mode_asks_nobody(const struct auth *auth, const struct integration *integration,
    const struct connection *connection, struct buf *answer, struct err *err)
{
    (void)auth;
    (void)integration;
    (void)connection;
    (void)err;
    return buf_puts(answer, "{}");
}

bool mode_first_credentials(const struct auth *auth, const struct mode *mode,
    const struct integration *integration, const cJSON *submitted, cJSON *config,
    cJSON **credentials, struct err *err)
{
    const struct connection connection = {
        .credentials = cJSON_Duplicate(submitted, true), .config = config};
    struct buf answer;
    bool ok;

    *credentials = NULL;
    buf_init_secret(&answer, 0);
    ok = (mode->prepare == NULL ||
             mode->prepare(integration, connection.credentials, config, err)) &&
         mode->obtain(auth, integration, &connection, &answer, err) &&
         mode->parse(integration, &connection, answer.data, answer.len,
             clock_now_ms(auth->clock), credentials, err);
    if (ok && mode->learn != NULL)
        mode->learn(integration->provider, answer.data, answer.len, config);
    buf_finish(&answer);
    cJSON_Delete(connection.credentials);
    return ok;
}
