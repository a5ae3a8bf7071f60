/* SPDX-License-Identifier: Apache-2.0 */
/* An integration with its settings opened.
 *
 * The sealed settings are one JSON object; absent members are unset:
 *   oauth_client_id, oauth_client_secret, oauth_scopes (comma list), app_link,
 *   webhook_secret, custom {string: string} (app_id, private_key, integration_config
 *   values, …) */
#ifndef AUTH_INTEGRATION_H
#define AUTH_INTEGRATION_H

#include <cjson/cJSON.h>

#include "auth/auth.h"

struct integration {
    struct integration_row *row;
    struct catalog *catalog;         /* keeps `provider` alive */
    const struct provider *provider; /* NULL when the catalogue no longer has it */
    cJSON *settings;                 /* opened; wiped when finished */
};

/* Absence is an error: 404 `unknown_provider_config`. */
bool integration_load(const struct auth *auth, int64_t environment_id,
    const char *unique_key, struct integration *out, struct err *err);
/* As above from a row at hand; takes over the caller's reference, also on failure. */
bool integration_open(const struct auth *auth, struct integration_row *row,
    struct integration *out, struct err *err);
/* As integration_load() with the settings still sealed (NULL), for callers that mostly do
 * without them; integration_open_settings() opens them when they are needed. */
bool integration_load_closed(const struct auth *auth, int64_t environment_id,
    const char *unique_key, struct integration *out, struct err *err);
bool integration_open_settings(
    const struct auth *auth, struct integration *integration, struct err *err);
void integration_finish(struct integration *integration);
/* Seals `settings` for a row with that uid. The caller frees sealed->data. */
bool integration_seal(const struct auth *auth, const char *uid, const cJSON *settings,
    struct blob *sealed, struct err *err);

#endif
