/* SPDX-License-Identifier: Apache-2.0 */
/* From what callers send to the sealed settings of an integration (auth/integration.h).
 */
#ifndef API_INTEGRATION_SETTINGS_H
#define API_INTEGRATION_SETTINGS_H

#include "api/validate.h"
#include "auth/integration.h"
#include "base/err.h"

/* `credentials` by type: OAUTH1, OAUTH2, TBA, APP, CUSTOM. */
extern const struct variant INTEGRATION_CREDENTIALS[];
#define INTEGRATION_CREDENTIALS_MESSAGE "invalid credentials object"

/* Must an integration of this mode have credentials of its own? */
bool mode_needs_credentials(enum auth_mode mode);

/* Lays checked `credentials` over `settings`. */
void settings_set_credentials(cJSON *settings, const cJSON *credentials);
/* Lays `values` ({string: string}) over the custom part. */
void settings_set_custom(cJSON *settings, const cJSON *values);
/* Checks `values` against the provider's `integration_config` and lays them over the
 * custom part; `partial`: what is absent is neither demanded nor given its default.
 * `values` may be NULL when the provider asks for nothing. False: 400 `invalid_body`, all
 * faults in one text. */
bool settings_set_config(cJSON *settings, const struct provider *provider,
    const cJSON *values, bool partial, struct err *err);
/* The provider's default scopes, when none are set. */
void settings_default_scopes(cJSON *settings, const struct provider *provider);

/* What store_update_integration() needs of a row in hand, without settings; the texts are
 * borrowed. Rows are shared, and their count moves under other threads: never copy one
 * whole. */
struct integration_row integration_draft(const struct integration_row *row);

/* How often a change that met another one (`stale_integration`) is made again to what is
 * there now. Of those that meet, one gets through each time, so this is far more than as
 * many as change one integration at once. */
#define INTEGRATION_UPDATE_TRIES 256

#endif
