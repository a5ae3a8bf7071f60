/* SPDX-License-Identifier: Apache-2.0 */
/* The public surface, one row per route; the first row that matches wins, so fixed words
 * stand before parameters. Both eras of paths are here side by side (contract README,
 * "Eras"). */
#include <string.h>

#include "api/api_int.h"

#define CONN "environment:connections:"
#define INTG "environment:integrations:"
#define SYNC "environment:syncs:"
#define FUNC "environment:functions:"
#define ANY_TYPE ROUTE_ANY_TYPE

/* clang-format off */
const struct route api_routes[] = {
    /* the busiest first */
    {"GET",    "/connections/:connectionId", RUN_READ, WHO_KEY, CONN "read", CONN "read_credentials", 0, get_connection},
    {"GET",    "/connection/:connectionId",  RUN_READ, WHO_KEY, CONN "read", CONN "read_credentials", 0, get_connection},
    {"*",      "/proxy/*",                   RUN_PROXY, WHO_KEY, "environment:proxy", NULL, ANY_TYPE, NULL},

    {"GET",    "/health",         RUN_NOW, WHO_ANYONE, NULL, NULL, ANY_TYPE, get_health},
    {"GET",    "/ready",          RUN_NOW, WHO_ANYONE, NULL, NULL, ANY_TYPE, get_ready},
    {"GET",    "/metrics",        RUN_NOW, WHO_ANYONE, NULL, NULL, ANY_TYPE, get_metrics},
    {"GET",    "/providers.json", RUN_NOW, WHO_ANYONE, NULL, NULL, ANY_TYPE, get_providers_json},

    {"GET",    "/connections",               RUN_READ, WHO_KEY, CONN "list", CONN "list_credentials", 0, list_connections},
    {"GET",    "/connection",                RUN_READ, WHO_KEY, CONN "list", CONN "list_credentials", 0, list_connections},
    {"POST",   "/connections",               RUN_WORK, WHO_KEY, CONN "create", NULL, 0, import_connection},
    {"POST",   "/connection",                RUN_WORK, WHO_KEY, CONN "create", NULL, 0, import_connection_legacy},
    {"POST",   "/connections/metadata",      RUN_WORK, WHO_KEY, CONN "update", NULL, 0, set_metadata},
    {"PATCH",  "/connections/metadata",      RUN_WORK, WHO_KEY, CONN "update", NULL, 0, update_metadata},
    {"POST",   "/connection/metadata",       RUN_WORK, WHO_KEY, CONN "update", NULL, 0, set_metadata},
    {"PATCH",  "/connection/metadata",       RUN_WORK, WHO_KEY, CONN "update", NULL, 0, update_metadata},
    {"POST",   "/connection/:connectionId/metadata",  RUN_WORK, WHO_KEY, CONN "update", NULL, 0, set_metadata_legacy},
    {"PATCH",  "/connection/:connectionId/metadata",  RUN_WORK, WHO_KEY, CONN "update", NULL, 0, update_metadata_legacy},
    {"PATCH",  "/connections/:connectionId", RUN_WORK, WHO_KEY, CONN "update", NULL, 0, patch_connection},
    {"DELETE", "/connections/:connectionId", RUN_WORK, WHO_KEY, CONN "delete", NULL, 0, delete_connection},
    {"DELETE", "/connection/:connectionId",  RUN_WORK, WHO_KEY, CONN "delete", NULL, 0, delete_connection},

    {"GET",    "/integrations",              RUN_READ, WHO_KEY_OR_SESSION, INTG "list", INTG "list_credentials", 0, list_integrations},
    {"POST",   "/integrations",              RUN_WORK, WHO_KEY, INTG "create", NULL, 0, create_integration},
    {"POST",   "/integrations/quickstart",   RUN_WORK, WHO_KEY, INTG "create", NULL, 0, create_quickstart_integration},
    {"GET",    "/integrations/:uniqueKey",   RUN_READ, WHO_KEY, INTG "read", INTG "read_credentials", 0, get_integration},
    {"PATCH",  "/integrations/:uniqueKey",   RUN_WORK, WHO_KEY, INTG "update", NULL, 0, patch_integration},
    {"DELETE", "/integrations/:uniqueKey",   RUN_WORK, WHO_KEY, INTG "delete", NULL, 0, delete_integration},
    {"GET",    "/config",                    RUN_READ, WHO_KEY, INTG "list", INTG "list_credentials", ANY_TYPE, config_list},
    {"POST",   "/config",                    RUN_WORK, WHO_KEY, INTG "create", NULL, ANY_TYPE, config_create},
    {"PUT",    "/config",                    RUN_WORK, WHO_KEY, INTG "update", NULL, ANY_TYPE, config_update},
    {"GET",    "/config/:providerConfigKey", RUN_READ, WHO_KEY, INTG "read", INTG "read_credentials", ANY_TYPE, config_get},
    {"DELETE", "/config/:providerConfigKey", RUN_WORK, WHO_KEY, INTG "delete", NULL, ANY_TYPE, config_delete},

    {"GET",    "/providers",                     RUN_READ, WHO_KEY_OR_SESSION, NULL, NULL, 0, list_providers},
    {"GET",    "/providers/:provider",           RUN_READ, WHO_KEY_OR_SESSION, NULL, NULL, 0, get_provider},
    {"GET",    "/providers/:provider/templates", RUN_READ, WHO_KEY_OR_SESSION, NULL, NULL, 0, list_provider_templates},
    {"GET",    "/provider",                      RUN_READ, WHO_KEY, NULL, NULL, 0, legacy_list_providers},
    {"GET",    "/provider/:provider",            RUN_READ, WHO_KEY, NULL, NULL, 0, legacy_get_provider},

    {"POST",   "/connect/sessions",           RUN_WORK, WHO_KEY, "environment:connect_sessions:write", NULL, 0, create_connect_session},
    {"POST",   "/connect/sessions/reconnect", RUN_WORK, WHO_KEY, "environment:connect_sessions:write", NULL, 0, create_reconnect_session},
    {"GET",    "/connect/session",            RUN_READ, WHO_SESSION, NULL, NULL, 0, get_connect_session},
    {"DELETE", "/connect/session",            RUN_WORK, WHO_SESSION, NULL, NULL, 0, delete_connect_session},
    {"GET",    "/images/template-logos/:file", RUN_NOW, WHO_ANYONE, NULL, NULL, ANY_TYPE, get_logo},
    {"GET",    "/connect",                    RUN_NOW, WHO_ANYONE, NULL, NULL, ANY_TYPE, get_connect_ui},
    {"GET",    "/connect/assets/:name",       RUN_NOW, WHO_ANYONE, NULL, NULL, ANY_TYPE, get_connect_ui_file},
    {"POST",   "/connect/telemetry",          RUN_WORK, WHO_ANYONE, NULL, NULL, 0, connect_telemetry},

    {"GET",    "/oauth/connect/:providerConfigKey",        RUN_WORK, WHO_BROWSER, NULL, NULL, ANY_TYPE, oauth_connect},
    {"GET",    "/oauth/callback",                          RUN_WORK, WHO_ANYONE, NULL, NULL, ANY_TYPE, oauth_callback},
    {"POST",   "/api-auth/api-key/:providerConfigKey",     RUN_WORK, WHO_BROWSER, NULL, NULL, 0, auth_api_key},
    {"POST",   "/api-auth/basic/:providerConfigKey",       RUN_WORK, WHO_BROWSER, NULL, NULL, 0, auth_basic},
    {"POST",   "/auth/unauthenticated/:providerConfigKey", RUN_WORK, WHO_BROWSER, NULL, NULL, 0, auth_unauthenticated},
    {"POST",   "/unauth/:providerConfigKey",               RUN_WORK, WHO_BROWSER, NULL, NULL, ANY_TYPE | ROUTE_FLAT_ERRORS, auth_unauthenticated_legacy},
    {"POST",   "/oauth2/auth/:providerConfigKey",          RUN_WORK, WHO_BROWSER, NULL, NULL, 0, auth_oauth2_cc},
    {"POST",   "/auth/two-step/:providerConfigKey",        RUN_WORK, WHO_BROWSER, NULL, NULL, 0, auth_two_step},
    {"POST",   "/auth/jwt/:providerConfigKey",             RUN_WORK, WHO_BROWSER, NULL, NULL, 0, auth_jwt},
    {"POST",   "/auth/signature/:providerConfigKey",       RUN_WORK, WHO_BROWSER, NULL, NULL, 0, auth_signature},
    {"POST",   "/auth/bill/:providerConfigKey",            RUN_WORK, WHO_BROWSER, NULL, NULL, 0, auth_bill},
    {"POST",   "/auth/tba/:providerConfigKey",             RUN_WORK, WHO_BROWSER, NULL, NULL, 0, auth_tba},
    {"POST",   "/auth/aws-sigv4/:providerConfigKey",       RUN_WORK, WHO_BROWSER, NULL, NULL, 0, auth_aws_sigv4},
    {"POST",   "/app-store-auth/:providerConfigKey",       RUN_WORK, WHO_BROWSER, NULL, NULL, ROUTE_FLAT_ERRORS, auth_app_store_legacy},

    {"POST",   "/action/trigger",             RUN_READ, WHO_KEY, "environment:actions:execute", NULL, 0, trigger_action},
    {"GET",    "/action/:id",                 RUN_READ, WHO_KEY, "environment:actions:execute", NULL, 0, get_action_result},
    {"*",      "/v1/*",                       RUN_READ, WHO_KEY, "environment:actions:execute", NULL, 0, call_endpoint},

    {"POST",   "/sync/deploy",                RUN_WORK, WHO_KEY, "environment:deploy", NULL, 0, deploy_scripts},
    {"POST",   "/sync/deploy/confirmation",   RUN_WORK, WHO_KEY, "environment:deploy", NULL, 0, confirm_deploy},
    {"POST",   "/sync/trigger",               RUN_WORK, WHO_KEY, SYNC "execute", NULL, 0, trigger_syncs},
    {"POST",   "/sync/start",                 RUN_WORK, WHO_KEY, SYNC "execute", NULL, 0, start_syncs},
    {"POST",   "/sync/pause",                 RUN_WORK, WHO_KEY, SYNC "execute", NULL, 0, pause_syncs},
    {"GET",    "/sync/status",                RUN_WORK, WHO_KEY, SYNC "read", NULL, 0, get_sync_status},
    {"PUT",    "/sync/update-connection-frequency", RUN_WORK, WHO_KEY, SYNC "update", NULL, 0, update_sync_frequency},
    {"POST",   "/sync/:name/variant/:variant",   RUN_WORK, WHO_KEY, SYNC "variant:create", NULL, 0, create_sync_variant},
    {"DELETE", "/sync/:name/variant/:variant",   RUN_WORK, WHO_KEY, SYNC "variant:delete", NULL, 0, delete_sync_variant},
    {"GET",    "/records",                    RUN_READ, WHO_KEY, "environment:records:read", NULL, 0, list_records},
    {"GET",    "/sync/records",               RUN_WORK, WHO_KEY, "environment:records:read", NULL, 0, list_records_early},
    {"PATCH",  "/records/prune",              RUN_WORK, WHO_KEY, "environment:records:write", NULL, 0, prune_records},
    {"GET",    "/scripts/config",             RUN_WORK, WHO_KEY, FUNC "list", INTG "list_functions", 0, get_scripts_config},
    {"GET",    "/flow/configs",               RUN_WORK, WHO_KEY, FUNC "list", INTG "list_functions", 0, get_scripts_config},
    {"GET",    "/flow/attributes",            RUN_READ, WHO_KEY, FUNC "list", INTG "list_functions", 0, get_flow_attributes},
    {"GET",    "/sync/provider",              RUN_READ, WHO_KEY, FUNC "list", INTG "list_functions", 0, get_sync_provider},
    {"GET",    "/integrations/:uniqueKey/functions",            RUN_WORK, WHO_KEY, FUNC "list", INTG "list_functions", 0, list_functions},
    {"GET",    "/integrations/:uniqueKey/functions/:name",      RUN_READ, WHO_KEY, FUNC "read", NULL, 0, get_function},
    {"DELETE", "/integrations/:uniqueKey/functions/:name",      RUN_WORK, WHO_KEY, FUNC "delete", NULL, 0, delete_function},
    {"GET",    "/integrations/:uniqueKey/functions/:name/code", RUN_WORK, WHO_KEY, FUNC "read", NULL, 0, get_function_code},
    {"GET",    "/integrations/:uniqueKey/functions/:name/versions", RUN_WORK, WHO_KEY, FUNC "read", NULL, 0, list_function_versions},
    {"POST",   "/integrations/:uniqueKey/functions/:name/versions/:version/activate", RUN_WORK, WHO_KEY, "environment:deploy", NULL, 0, activate_function_version},

    {"POST",   "/functions/compile",          RUN_WORK, WHO_KEY, FUNC "compile", NULL, 0, compile_function},
    {"POST",   "/functions/dryruns",          RUN_WORK, WHO_KEY, FUNC "dryrun", NULL, 0, start_dryrun},
    {"GET",    "/functions/dryruns/:id",      RUN_WORK, WHO_KEY, FUNC "dryrun", NULL, 0, get_dryrun},
    {"POST",   "/functions/deployments",      RUN_WORK, WHO_KEY, "environment:deploy", NULL, 0, start_deployment},
    {"POST",   "/functions/deployments/bundle",         RUN_WORK, WHO_KEY, "environment:deploy", NULL, 0, deploy_function_bundle},
    {"POST",   "/functions/deployments/bundle/preview", RUN_WORK, WHO_KEY, "environment:deploy", NULL, 0, preview_function_bundle},
    {"GET",    "/functions/deployments/:id",  RUN_WORK, WHO_KEY, "environment:deploy", NULL, 0, get_deployment},
    {"POST",   "/functions/invocations",      RUN_WORK, WHO_KEY, FUNC "invocations", NULL, 0, invoke_function},
    {"GET",    "/functions/invocations/:id",  RUN_READ, WHO_KEY, FUNC "invocations", NULL, 0, get_invocation},
    {"GET",    "/logs/operations",              RUN_READ, WHO_KEY, "environment:*", NULL, 0, list_operations},
    {"GET",    "/logs/operations/:id",          RUN_READ, WHO_KEY, "environment:*", NULL, 0, get_operation},
    {"GET",    "/logs/operations/:id/messages", RUN_READ, WHO_KEY, "environment:*", NULL, 0, list_operation_messages},

    {"POST",   "/webhook/:environmentUuid/:providerConfigKey", RUN_WORK, WHO_ANYONE, NULL, NULL, ANY_TYPE | ROUTE_OF_PROVIDERS, receive_webhook},
    {"GET",    "/webhooks/deliveries",            RUN_WORK, WHO_KEY, "environment:*", NULL, 0, list_webhook_deliveries},
    {"POST",   "/webhooks/deliveries/replay",     RUN_WORK, WHO_KEY, "environment:*", NULL, 0, replay_webhook_deliveries},
    {"GET",    "/webhooks/deliveries/:id",        RUN_WORK, WHO_KEY, "environment:*", NULL, 0, get_webhook_delivery},
    {"POST",   "/webhooks/deliveries/:id/replay", RUN_WORK, WHO_KEY, "environment:*", NULL, 0, replay_webhook_delivery},
    {"GET",    "/environment/webhooks",           RUN_WORK, WHO_KEY, "environment:*", NULL, 0, get_webhook_settings},
    {"PATCH",  "/environment/webhooks",           RUN_WORK, WHO_KEY, "environment:*", NULL, 0, patch_webhook_settings},
    {"POST",   "/environment/webhook-signing-key/rotate", RUN_WORK, WHO_KEY, "environment:webhook_signing_key:rotate", NULL, 0, rotate_signing_key},

    {"GET",    "/environment-variables", RUN_READ, WHO_KEY, "environment:variables:read", NULL, 0, list_variables},
    {"POST",   "/environments",          RUN_WORK, WHO_KEY, "account:environments:create", NULL, 0, create_environment},
    {"DELETE", "/environments/:environmentId", RUN_WORK, WHO_KEY, "account:environments:delete", NULL, 0, delete_environment},
    {"POST",   "/environment/api-keys",  RUN_WORK, WHO_KEY, "account:environments:api_keys:create", NULL, 0, create_api_key},
    {"DELETE", "/environment/api-keys",  RUN_WORK, WHO_KEY, "account:environments:api_keys:delete", NULL, 0, delete_api_key},
};
/* clang-format on */
const size_t api_route_count = sizeof api_routes / sizeof api_routes[0];

const struct route *route_find(
    const char *method, const char *path, struct path_span spans[PATH_MAX_PARAMS])
{
    if (strcmp(method, "HEAD") == 0)
        method = "GET";
    for (size_t i = 0; i < api_route_count; i++) {
        const struct route *route = &api_routes[i];

        if ((route->method[0] == '*' || strcmp(route->method, method) == 0) &&
            path_match(route->pattern, path, spans))
            return route;
    }
    return NULL;
}
