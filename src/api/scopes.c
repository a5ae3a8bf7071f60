/* SPDX-License-Identifier: Apache-2.0 */
/* The list of scopes. What a route asks for is in routes.c. */
#include "api/scopes.h"

#include <string.h>

#define CONN "environment:connections:"
#define INTG "environment:integrations:"
#define SYNC "environment:syncs:"
#define FUNC "environment:functions:"
#define ACCT "account:environments:"

/* clang-format off */
const char *const api_scopes[] = {
    CONN "list", CONN "list_credentials", CONN "read", CONN "read_credentials",
    CONN "create", CONN "update", CONN "delete",
    INTG "list", INTG "list_credentials", INTG "read", INTG "read_credentials",
    INTG "create", INTG "update", INTG "delete", INTG "list_functions",
    "environment:records:read", "environment:records:write",
    SYNC "read", SYNC "execute", SYNC "update", SYNC "variant:create", SYNC "variant:delete",
    "environment:actions:execute",
    "environment:proxy",
    "environment:connect_sessions:write",
    "environment:variables:read",
    "environment:deploy",
    FUNC "list", FUNC "read", FUNC "delete", FUNC "compile", FUNC "dryrun", FUNC "invocations",
    "environment:mcp",
    "environment:webhook_signing_key:rotate",
    ACCT "create", ACCT "delete", ACCT "set_production",
    ACCT "api_keys:create", ACCT "api_keys:delete",
    NULL,
};
/* clang-format on */

bool scope_is_known(const char *scope, size_t len)
{
    bool all_below = len >= 2 && memcmp(scope + len - 2, ":*", 2) == 0;

    for (size_t i = 0; api_scopes[i] != NULL; i++) {
        if (all_below
                ? strncmp(api_scopes[i], scope, len - 1) == 0
                : strlen(api_scopes[i]) == len && memcmp(api_scopes[i], scope, len) == 0)
            return true;
    }
    return false;
}
