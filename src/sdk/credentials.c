/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials: what authenticates a connection at its provider. Their members differ from
 * kind to kind (contract http-api.md, 3.1); one table says which of them is the token. */
#include "sdk/methods_int.h"

#include <string.h>

static const struct {
    const char *name;
    const char *token;  /* what authenticates */
    const char *secret; /* what belongs to it */
} kinds[] = {
    [NANGO_AUTH_UNKNOWN] = {"", NULL, NULL},
    [NANGO_AUTH_OAUTH2] = {"OAUTH2", "/access_token", NULL},
    [NANGO_AUTH_OAUTH1] = {"OAUTH1", "/oauth_token", "/oauth_token_secret"},
    [NANGO_AUTH_API_KEY] = {"API_KEY", "/apiKey", NULL},
    [NANGO_AUTH_BASIC] = {"BASIC", "/username", "/password"},
    [NANGO_AUTH_APP] = {"APP", "/access_token", NULL},
    [NANGO_AUTH_APP_STORE] = {"APP_STORE", "/access_token", NULL},
    [NANGO_AUTH_OAUTH2_CC] = {"OAUTH2_CC", "/token", NULL},
    [NANGO_AUTH_TBA] = {"TBA", "/token_id", "/token_secret"},
    [NANGO_AUTH_JWT] = {"JWT", "/token", NULL},
    [NANGO_AUTH_BILL] = {"BILL", "/session_id", NULL},
    [NANGO_AUTH_TWO_STEP] = {"TWO_STEP", "/token", NULL},
    [NANGO_AUTH_SIGNATURE] = {"SIGNATURE", "/token", NULL},
    [NANGO_AUTH_CUSTOM] = {"CUSTOM", NULL, NULL},
    [NANGO_AUTH_AWS_SIGV4] = {"AWS_SIGV4", NULL, NULL},
    [NANGO_AUTH_MCP_OAUTH2] = {"MCP_OAUTH2", NULL, NULL},
    [NANGO_AUTH_INSTALL_PLUGIN] = {"INSTALL_PLUGIN", NULL, NULL},
    [NANGO_AUTH_NONE] = {"NONE", NULL, NULL},
};

#define KIND_COUNT (sizeof kinds / sizeof kinds[0])

const char *nango_auth_type_name(nango_auth_type type)
{
    return (size_t)type < KIND_COUNT ? kinds[type].name : "";
}

nango_auth_type nango_credentials_type(const nango_credentials *credentials)
{
    const nango_json *type = ngo_item_member(credentials, "type");
    const char *name = nango_json_string(type, NULL);

    if (type == NULL)
        return NANGO_AUTH_NONE;
    for (size_t i = NANGO_AUTH_UNKNOWN + 1; name != NULL && i < KIND_COUNT; i++) {
        if (strcmp(kinds[i].name, name) == 0)
            return (nango_auth_type)i;
    }
    return NANGO_AUTH_UNKNOWN;
}

static const char *text_or_null(const nango_credentials *credentials, const char *pointer)
{
    return pointer == NULL ? NULL : ngo_item_text(credentials, pointer);
}

const char *nango_credentials_token(const nango_credentials *credentials)
{
    return text_or_null(credentials, kinds[nango_credentials_type(credentials)].token);
}

const char *nango_credentials_secret(const nango_credentials *credentials)
{
    return text_or_null(credentials, kinds[nango_credentials_type(credentials)].secret);
}

const char *nango_credentials_access_token(const nango_credentials *credentials)
{
    return ngo_item_text(credentials, "/access_token");
}

const char *nango_credentials_refresh_token(const nango_credentials *credentials)
{
    return ngo_item_text(credentials, "/refresh_token");
}

bool nango_credentials_expires_at_ms(const nango_credentials *credentials, int64_t *out)
{
    const nango_json *value = ngo_item_member(credentials, "expires_at");
    int64_t ms = 0;
    bool known;

    /* A number is what some importers gave, which servers keep as it came. */
    known =
        nango_json_int(value, &ms) || ngo_time_parse(nango_json_string(value, NULL), &ms);
    if (known && out != NULL)
        *out = ms;
    return known;
}

const char *nango_credentials_api_key(const nango_credentials *credentials)
{
    return ngo_item_text(credentials, "/apiKey");
}

const char *nango_credentials_username(const nango_credentials *credentials)
{
    return ngo_item_text(credentials, "/username");
}

const char *nango_credentials_password(const nango_credentials *credentials)
{
    return ngo_item_text(credentials, "/password");
}

const char *nango_credentials_oauth_token(const nango_credentials *credentials)
{
    return ngo_item_text(credentials, "/oauth_token");
}

const char *nango_credentials_oauth_token_secret(const nango_credentials *credentials)
{
    return ngo_item_text(credentials, "/oauth_token_secret");
}

const char *nango_credentials_token_id(const nango_credentials *credentials)
{
    return ngo_item_text(credentials, "/token_id");
}

const char *nango_credentials_token_secret(const nango_credentials *credentials)
{
    return ngo_item_text(credentials, "/token_secret");
}

const char *nango_credentials_client_id(const nango_credentials *credentials)
{
    const char *own = ngo_item_text(credentials, "/config_override/client_id");

    return own != NULL ? own : ngo_item_text(credentials, "/client_id");
}

const char *nango_credentials_client_secret(const nango_credentials *credentials)
{
    const char *own = ngo_item_text(credentials, "/config_override/client_secret");

    return own != NULL ? own : ngo_item_text(credentials, "/client_secret");
}

const nango_json *nango_credentials_raw(const nango_credentials *credentials)
{
    return ngo_item_member(credentials, "raw");
}

const nango_json *nango_credentials_json(const nango_credentials *credentials)
{
    return ngo_item_json(credentials);
}

void nango_credentials_free(nango_credentials *credentials)
{
    ngo_item_free(credentials);
}
