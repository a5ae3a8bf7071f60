/* SPDX-License-Identifier: Apache-2.0 */
/* The names of the authorization modes (contract auth.md section 1). */
#include <string.h>

#include "catalog/catalog.h"

static const struct {
    enum auth_mode mode;
    const char *name;
} auth_modes[] = {
    {AUTH_OAUTH2, "OAUTH2"},
    {AUTH_OAUTH1, "OAUTH1"},
    {AUTH_API_KEY, "API_KEY"},
    {AUTH_BASIC, "BASIC"},
    {AUTH_NONE, "NONE"},
    {AUTH_OAUTH2_CC, "OAUTH2_CC"},
    {AUTH_TWO_STEP, "TWO_STEP"},
    {AUTH_JWT, "JWT"},
    {AUTH_TBA, "TBA"},
    {AUTH_APP, "APP"},
    {AUTH_APP_STORE, "APP_STORE"},
    {AUTH_CUSTOM, "CUSTOM"},
    {AUTH_BILL, "BILL"},
    {AUTH_SIGNATURE, "SIGNATURE"},
    {AUTH_AWS_SIGV4, "AWS_SIGV4"},
    {AUTH_INSTALL_PLUGIN, "INSTALL_PLUGIN"},
    {AUTH_MCP_OAUTH2, "MCP_OAUTH2"},
    {AUTH_MCP_OAUTH2_GENERIC, "MCP_OAUTH2_GENERIC"},
    {AUTH_TABLEAU, "TABLEAU"},
};
#define AUTH_MODE_COUNT (sizeof(auth_modes) / sizeof(auth_modes[0]))

const char *auth_mode_name(enum auth_mode mode)
{
    for (size_t i = 0; i < AUTH_MODE_COUNT; i++)
        if (auth_modes[i].mode == mode)
            return auth_modes[i].name;
    return "";
}

enum auth_mode auth_mode_parse(const char *name)
{
    for (size_t i = 0; name && i < AUTH_MODE_COUNT; i++)
        if (strcmp(auth_modes[i].name, name) == 0)
            return auth_modes[i].mode;
    return AUTH_UNKNOWN;
}
