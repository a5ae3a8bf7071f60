/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a catalogue entry the way the authorization and token code needs it. */
#ifndef AUTH_PROVIDER_ENTRY_H
#define AUTH_PROVIDER_ENTRY_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "catalog/catalog.h"
#include "catalog/template.h"

/* `token_url`, or its OAUTH2 member where it is an object; NULL when there is none. */
const char *provider_token_url(const struct provider *provider);
/* `list` (say `token_url_skip_encode`) names `base_url`. */
bool provider_skips_encoding(const struct provider *provider, const char *list);
bool provider_list_has(
    const struct provider *provider, const char *list, const char *item);
/* The codes of `token_params.grant_type` that the redirect flow serves: none, or
 * `authorization_code`. */
bool provider_grants_by_code(const struct provider *provider);

/* A comma list of scopes with the provider's separator. The caller frees. */
char *provider_scopes_join(const struct provider *provider, const char *scopes);

/* What parameter templates see: the config's members, also under `connectionConfig`. Free
 * with cJSON_Delete(). */
cJSON *provider_values(const cJSON *config);
/* Renders one parameter. The caller frees. */
char *provider_param_render(const char *text, const cJSON *values);
char *provider_param_render_stable(
    const char *text, const cJSON *values, const struct template_stable *stable);

#endif
