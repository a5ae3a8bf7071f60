/* SPDX-License-Identifier: Apache-2.0 */
/* Integrations with their settings opened. Fails when the row is unknown (404) or damaged
 * (500); a provider that has left the catalogue is no failure here, as its rows must stay
 * readable. */
#include "auth/integration.h"

#include <string.h>

#include "auth/sealed_json.h"

/* Takes the row over. */
static void bind_row(
    const struct auth *auth, struct integration_row *row, struct integration *out)
{
    memset(out, 0, sizeof *out);
    out->row = row;
    out->catalog = catalog_acquire(auth->catalogs);
    out->provider = catalog_find(out->catalog, row->provider);
}

bool integration_open_settings(
    const struct auth *auth, struct integration *integration, struct err *err)
{
    char context[CONTEXT_SIZE];

    if (integration->settings != NULL)
        return true;
    integration_context(context, integration->row->uid);
    return sealed_json_open(
               auth, context, &integration->row->settings, &integration->settings, err) ||
           err_context(err, "settings of integration %s", integration->row->unique_key);
}

bool integration_open(const struct auth *auth, struct integration_row *row,
    struct integration *out, struct err *err)
{
    bind_row(auth, row, out);
    if (integration_open_settings(auth, out, err))
        return true;
    integration_finish(out);
    return false;
}

bool integration_load_closed(const struct auth *auth, int64_t environment_id,
    const char *unique_key, struct integration *out, struct err *err)
{
    struct integration_row *row = NULL;

    memset(out, 0, sizeof *out);
    if (!store_find_integration(auth->store, environment_id, unique_key, &row, err))
        return false;
    if (row == NULL)
        return err_set(err, 404, "unknown_provider_config",
            "Integration \"%.200s\" does not exist", unique_key);
    bind_row(auth, row, out);
    return true;
}

bool integration_load(const struct auth *auth, int64_t environment_id,
    const char *unique_key, struct integration *out, struct err *err)
{
    if (!integration_load_closed(auth, environment_id, unique_key, out, err))
        return false;
    if (integration_open_settings(auth, out, err))
        return true;
    integration_finish(out);
    return false;
}

void integration_finish(struct integration *integration)
{
    integration_row_unref(integration->row);
    catalog_unref(integration->catalog);
    cJSON_Delete(integration->settings);
    memset(integration, 0, sizeof *integration);
}

bool integration_seal(const struct auth *auth, const char *uid, const cJSON *settings,
    struct blob *sealed, struct err *err)
{
    char context[CONTEXT_SIZE];

    integration_context(context, uid);
    return sealed_json_write(auth, context, settings, sealed, err);
}
