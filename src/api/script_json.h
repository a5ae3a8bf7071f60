/* SPDX-License-Identifier: Apache-2.0 */
/* Scripts as the API shows them. */
#ifndef API_SCRIPT_JSON_H
#define API_SCRIPT_JSON_H

#include <cjson/cJSON.h>

#include "store/store.h"

/* An element of `syncs`, `actions` or `on-events` in GET /scripts/config. */
cJSON *script_config_json(const struct script_row *row);
/* A tool as OpenAI's API takes it. */
cJSON *script_tool_json(const struct script_row *row);
/* A function of GET /integrations/:uniqueKey/functions. */
cJSON *script_function_json(const struct script_row *row);

#endif
