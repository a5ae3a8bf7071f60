/* SPDX-License-Identifier: Apache-2.0 */
/* Making a connection of the modes whose credentials are obtained with what the user
 * enters, or signed with it: OAUTH2_CC, TWO_STEP, JWT, SIGNATURE, BILL, TBA, AWS_SIGV4
 * (contract connect-flow.md section 5, auth.md sections 4, 5 and 7). */
#include <stdlib.h>
#include <string.h>

#include "api/auth_input.h"
#include "auth/aws_sts.h"
#include "auth/connection.h"
#include "auth/mode.h"
#include "base/json.h"
#include "base/str.h"

/* clang-format off */
#define TEXT(field) {.name = (field), .kind = RULE_STRING}
#define TEXT_OPTIONAL(field) {.name = (field), .kind = RULE_STRING, .optional = true}
static const struct rule cc_rules[] = {TEXT_OPTIONAL("client_id"), TEXT_OPTIONAL("client_secret"),
    TEXT_OPTIONAL("client_certificate"), TEXT_OPTIONAL("client_private_key")};
static const struct rule signature_rules[] = {TEXT("username"), TEXT("password"), TEXT("type")};
static const struct rule bill_rules[] = {TEXT("username"), TEXT("password"), TEXT("organization_id"), TEXT("dev_key")};
static const struct rule tba_rules[] = {TEXT("token_id"), TEXT("token_secret"),
    TEXT_OPTIONAL("oauth_client_id_override"), TEXT_OPTIONAL("oauth_client_secret_override")};
static const struct rule aws_rules[] = {
    {.name = "role_arn", .kind = RULE_STRING, .min = 1, .max = 2048},
    TEXT_OPTIONAL("region"), TEXT_OPTIONAL("external_id")};
static const struct rule app_store_rules[] = {TEXT("issuerId"), TEXT("privateKeyId"), TEXT("privateKey"),
    {.name = "scope", .kind = RULE_ANY, .optional = true}};
static const struct rule two_step_rules[] = {{.name = "assertionOption", .kind = RULE_RECORD, .optional = true}};
/* clang-format on */

static const struct shape cc_shape = SHAPE_LOOSE(cc_rules);
static const struct shape signature_shape = SHAPE_STRICT(signature_rules);
static const struct shape bill_shape = SHAPE_STRICT(bill_rules);
static const struct shape tba_shape = SHAPE_STRICT(tba_rules);
static const struct shape aws_shape = SHAPE_STRICT(aws_rules);
static const struct shape app_store_shape = SHAPE_LOOSE(app_store_rules);
static const struct shape two_step_shape = SHAPE_LOOSE(two_step_rules);
static const struct shape free_shape = {NULL, 0, false};

static bool obtain(struct call *call, const struct integration *integration,
    cJSON *submitted, cJSON *config, cJSON **credentials, struct err *err)
{
    return mode_first_credentials(call_auth(call),
        mode_find(auth_mode_name(integration->provider->mode)), integration, submitted,
        config, credentials, err);
}

/* The scopes are the connection's: those of the integration when it names none. */
static bool make_cc(struct call *call, const struct integration *integration,
    cJSON *submitted, cJSON *config, cJSON **credentials, struct err *err)
{
    const char *scopes = json_str(integration->settings, "oauth_scopes");

    if (str_is_empty(json_str(config, "oauth_scopes")) && !str_is_empty(scopes))
        json_set_str(config, "oauth_scopes", scopes);
    return obtain(call, integration, submitted, config, credentials, err);
}

/* The client stands beside the account, as requests are signed with both. */
static bool make_tba(struct call *call, const struct integration *integration,
    cJSON *submitted, cJSON *config, cJSON **credentials, struct err *err)
{
    static const char *const client[] = {"oauth_client_id", "oauth_client_secret"};
    static const struct {
        const char *from;
        const char *to;
    } overrides[] = {{"oauth_client_id_override", "client_id"},
        {"oauth_client_secret_override", "client_secret"}};
    cJSON *override = cJSON_CreateObject();

    (void)call;
    (void)credentials;
    (void)err;
    for (size_t i = 0; i < 2; i++) {
        const char *own = json_str(submitted, overrides[i].from);
        const char *ours = json_str(integration->settings, client[i]);

        if (!str_is_empty(own))
            json_set_str(override, overrides[i].to, own);
        if (ours != NULL)
            json_set_str(config, client[i], ours);
        json_remove(submitted, overrides[i].from);
    }
    json_set(submitted, "config_override", override);
    return true;
}

/* The region and the external id of a role stay when it is authorized again: the user's
 * trust policy names the latter. */
static bool keep_terms(struct call *call, cJSON *submitted, struct err *err)
{
    static const char *const kept[] = {"region", "external_id"};
    int64_t id = call->session.row != NULL ? call->session.row->connection_id : 0;
    struct connection_row *row = NULL;
    struct connection connection;

    if (id == 0)
        return true;
    if (!store_reload_connection(call_auth(call)->store, id, &row, err))
        return false;
    if (row == NULL)
        return true;
    if (!connection_open(call_auth(call), row, &connection, err))
        return false;
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        const char *value = json_str(connection.credentials, kept[i]);

        if (!str_is_empty(value))
            json_set_str(submitted, kept[i], value);
    }
    connection_finish(&connection);
    return true;
}

static bool make_aws(struct call *call, const struct integration *integration,
    cJSON *submitted, cJSON *config, cJSON **credentials, struct err *err)
{
    const struct verifier *verifier = &call->server->verifier;

    if (!keep_terms(call, submitted, err))
        return false;
    if (!obtain(call, integration, submitted, config, credentials, err)) {
        if (str_eq(err->code, "aws_sigv4_sts_request_failed"))
            err->status = 502; /* the provider's fault, as the reference has it */
        return false;
    }
    return verifier->needed(integration) ||
           aws_verify(call_auth(call), integration, *credentials, err);
}

/* The scope is the connection's. */
static bool make_app_store(struct call *call, const struct integration *integration,
    cJSON *submitted, cJSON *config, cJSON **credentials, struct err *err)
{
    const cJSON *scope = json_get(submitted, "scope");
    const cJSON *one = cJSON_IsArray(scope) ? scope->child : NULL;
    struct buf text;

    buf_init(&text, 0);
    if (cJSON_IsString(scope))
        buf_puts(&text, scope->valuestring);
    for (; one != NULL; one = one->next) {
        if (cJSON_IsString(one))
            buf_printf(&text, "%s%s", text.len > 0 ? "," : "", one->valuestring);
    }
    if (text.len > 0)
        json_set_str(config, "scope", text.data);
    buf_finish(&text);
    json_remove(submitted, "scope");
    return obtain(call, integration, submitted, config, credentials, err);
}

/* One row per endpoint. */
static const struct input_mode cc_mode = {
    .mode = AUTH_OAUTH2_CC, .shape = &cc_shape, .unknown_is_bad = true, .make = make_cc};
static const struct input_mode two_step_mode = {
    .mode = AUTH_TWO_STEP, .shape = &two_step_shape, .make = obtain};
static const struct input_mode jwt_mode = {
    .mode = AUTH_JWT, .shape = &free_shape, .verified = true, .make = obtain};
static const struct input_mode signature_mode = {
    .mode = AUTH_SIGNATURE, .shape = &signature_shape, .verified = true, .make = obtain};
static const struct input_mode bill_mode = {
    .mode = AUTH_BILL, .shape = &bill_shape, .make = obtain};
static const struct input_mode tba_mode = {
    .mode = AUTH_TBA, .shape = &tba_shape, .verified = true, .make = make_tba};
static const struct input_mode aws_mode = {
    .mode = AUTH_AWS_SIGV4, .shape = &aws_shape, .verified = true, .make = make_aws};
static const struct input_mode app_store_mode = {.mode = AUTH_JWT,
    .shape = &app_store_shape,
    .verified = true,
    .make = make_app_store};

void auth_oauth2_cc(struct call *call)
{
    auth_input(call, &cc_mode);
}

void auth_two_step(struct call *call)
{
    auth_input(call, &two_step_mode);
}

void auth_jwt(struct call *call)
{
    auth_input(call, &jwt_mode);
}

void auth_signature(struct call *call)
{
    auth_input(call, &signature_mode);
}

void auth_bill(struct call *call)
{
    auth_input(call, &bill_mode);
}

void auth_tba(struct call *call)
{
    auth_input(call, &tba_mode);
}

void auth_aws_sigv4(struct call *call)
{
    auth_input(call, &aws_mode);
}

/* The path of the 0.36 clients, which read flat errors. */
void auth_app_store_legacy(struct call *call)
{
    auth_input(call, &app_store_mode);
}
