/* SPDX-License-Identifier: Apache-2.0 */
/* Settings of integrations: what each auth mode takes, and the fields that a catalogue
 * entry declares in `integration_config` (contract http-api.md section 4.2, providers.md
 * section 4). */
#include "api/integration_settings.h"

#include <stdlib.h>
#include <string.h>

#include "api/fields.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"
#include "catalog/pattern.h"

#define KEY_BEGIN "-----BEGIN RSA PRIVATE KEY----"
#define KEY_END "-----END RSA PRIVATE KEY-----"

/* Comma list without blanks, or nothing. */
static void check_scopes(struct issues *issues, const cJSON *value)
{
    const char *s = cJSON_IsString(value) ? value->valuestring : NULL;

    if (s != NULL && s[0] == '\0')
        return;
    if (s == NULL || !str_all_alnum_or(s, ":/_.*,-") || s[0] == ',' ||
        s[strlen(s) - 1] == ',' || strstr(s, ",,") != NULL)
        issue_add(issues, "invalid_union", "Invalid input");
}

static void check_link(struct issues *issues, const cJSON *value)
{
    const char *s = value->valuestring;

    if (!str_starts_nocase(s, "http://") && !str_starts_nocase(s, "https://"))
        issue_add(issues, "invalid_format", "Invalid URL");
}

/* clang-format off */
#define TYPE {.name = "type", .kind = RULE_STRING}
#define CLIENT RULE_TEXT_FIELD("client_id", false), {.name = "client_secret", .kind = RULE_STRING, .min = 1}
#define APP RULE_TEXT_FIELD("app_id", false), \
    {.name = "app_link", .kind = RULE_STRING, .min = 1, .check = check_link}, \
    {.name = "private_key", .kind = RULE_STRING, .starts = KEY_BEGIN, .ends = KEY_END}

static const struct rule client_rules[] = {
    TYPE, CLIENT,
    {.name = "scopes", .kind = RULE_CUSTOM, .optional = true, .check = check_scopes},
    {.name = "webhook_secret", .kind = RULE_STRING, .optional = true, .max = FIELD_MAX},
};
static const struct rule app_rules[] = {TYPE, APP};
static const struct rule custom_rules[] = {TYPE, CLIENT, APP};
/* clang-format on */
static const struct shape client_shape = SHAPE_STRICT(client_rules);
static const struct shape app_shape = SHAPE_STRICT(app_rules);
static const struct shape custom_shape = SHAPE_STRICT(custom_rules);

const struct variant INTEGRATION_CREDENTIALS[] = {
    {"OAUTH1", &client_shape},
    {"OAUTH2", &client_shape},
    {"TBA", &client_shape},
    {"APP", &app_shape},
    {"CUSTOM", &custom_shape},
    {NULL, NULL},
};

bool mode_needs_credentials(enum auth_mode mode)
{
    return mode == AUTH_OAUTH1 || mode == AUTH_OAUTH2 || mode == AUTH_APP ||
           mode == AUTH_CUSTOM;
}

static cJSON *custom_of(cJSON *settings)
{
    if (!cJSON_IsObject(json_get(settings, "custom")))
        json_set(settings, "custom", cJSON_CreateObject());
    return json_get_mut(settings, "custom");
}

static void copy_text(cJSON *to, const char *name, const cJSON *from, const char *member)
{
    const char *text = json_str(from, member);

    if (text != NULL)
        json_set_str(to, name, text);
}

void settings_set_credentials(cJSON *settings, const cJSON *credentials)
{
    const char *type = json_str(credentials, "type");

    copy_text(settings, "app_link", credentials, "app_link");
    if (strcmp(type, "APP") == 0) {
        copy_text(settings, "oauth_client_id", credentials, "app_id");
        copy_text(settings, "oauth_client_secret", credentials, "private_key");
        return;
    }
    copy_text(settings, "oauth_client_id", credentials, "client_id");
    copy_text(settings, "oauth_client_secret", credentials, "client_secret");
    copy_text(settings, "oauth_scopes", credentials, "scopes");
    copy_text(settings, "webhook_secret", credentials, "webhook_secret");
    if (strcmp(type, "CUSTOM") == 0) {
        copy_text(custom_of(settings), "app_id", credentials, "app_id");
        copy_text(custom_of(settings), "private_key", credentials, "private_key");
    }
}

void settings_set_custom(cJSON *settings, const cJSON *values)
{
    cJSON *strings = strings_of(values);

    json_merge(custom_of(settings), strings);
    cJSON_Delete(strings);
}

void settings_default_scopes(cJSON *settings, const struct provider *provider)
{
    const cJSON *scopes = json_get(provider->entry, "default_scopes");
    const cJSON *scope;
    struct buf text;

    if (json_str(settings, "oauth_scopes") != NULL || cJSON_GetArraySize(scopes) == 0)
        return;
    buf_init(&text, 0);
    cJSON_ArrayForEach(scope, scopes)
    {
        if (cJSON_IsString(scope))
            buf_printf(&text, "%s%s", text.len > 0 ? "," : "", scope->valuestring);
    }
    json_set_str(settings, "oauth_scopes", text.data != NULL ? text.data : "");
    buf_finish(&text);
}

struct integration_row integration_draft(const struct integration_row *row)
{
    struct integration_row draft = {
        .id = row->id,
        .environment_id = row->environment_id,
        .version = row->version,
        .unique_key = row->unique_key,
        .provider = row->provider,
        .display_name = row->display_name,
        .forward_webhooks = row->forward_webhooks,
        .created_at_ms = row->created_at_ms,
        .updated_at_ms = row->updated_at_ms,
    };

    memcpy(draft.uid, row->uid, sizeof draft.uid);
    return draft;
}

/* ---- integration_config ---- */

static void add_fault(
    struct buf *faults, const char *title, const char *what, const char *more)
{
    buf_printf(faults, "%s%s%s%s", faults->len > 0 ? ", " : "", title, what, more);
}

static void check_enum(
    struct buf *faults, const char *title, const cJSON *options, const char *value)
{
    const cJSON *option;
    struct buf list;

    buf_init(&list, 0);
    cJSON_ArrayForEach(option, options)
    {
        if (!cJSON_IsString(option))
            continue;
        if (strcmp(option->valuestring, value) == 0) {
            buf_finish(&list);
            return;
        }
        buf_printf(&list, "%s%s", list.len > 0 ? ", " : "", option->valuestring);
    }
    add_fault(faults, title, " must be one of: ", list.data != NULL ? list.data : "");
    buf_finish(&list);
}

/* The whole of a pattern that the catalogue's matcher does not know is let pass: only
 * browsers can judge it. */
static bool matches(const char *pattern, const char *value)
{
    char *group = str_printf("(%s)", pattern);
    char *found = NULL;
    bool ok = pattern_match_fault(group) != NULL;

    if (!ok)
        found = pattern_match(group, value);
    ok = ok || found != NULL;
    free(found);
    free(group);
    return ok;
}

/* A field that another one's value hides is not asked for. */
static bool is_hidden(const cJSON *declared, const cJSON *field, const cJSON *values)
{
    const cJSON *when = json_get(field, "visible_when");
    const char *other = json_str(when, "field");
    const char *wanted = json_str(when, "equals");
    const char *value;

    if (other == NULL || wanted == NULL)
        return false;
    value = json_str(values, other);
    if (str_is_empty(value))
        value = json_str(json_get(declared, other), "default_value");
    return !str_eq(value, wanted);
}

static void check_field(
    struct buf *faults, const cJSON *declared, const cJSON *field, const cJSON *values)
{
    const char *value = json_str(values, field->string);
    const char *title = json_str(field, "title");
    const char *pattern = json_str(field, "pattern");
    const cJSON *options = json_get(field, "enum");

    if (title == NULL)
        title = field->string;
    if (str_is_empty(value)) {
        if (!json_bool(field, "optional", false) &&
            json_str(field, "default_value") == NULL &&
            !is_hidden(declared, field, values))
            add_fault(faults, title, " is required", "");
        return;
    }
    if (cJSON_IsArray(options))
        check_enum(faults, title, options, value);
    else if (pattern != NULL && !matches(pattern, value))
        add_fault(faults, title, " has an invalid format", "");
}

bool settings_set_config(cJSON *settings, const struct provider *provider,
    const cJSON *values, bool partial, struct err *err)
{
    const cJSON *declared = json_get(provider->entry, "integration_config");
    const cJSON *field, *child;
    struct buf faults;
    bool ok;

    if (declared == NULL)
        return values == NULL ||
               err_set(err, 400, "invalid_body",
                   "This provider does not accept integration configuration");
    buf_init(&faults, 0);
    cJSON_ArrayForEach(child, values)
    {
        if (json_get(declared, child->string) == NULL)
            add_fault(&faults, "Unknown field ", child->string, "");
    }
    cJSON_ArrayForEach(field, declared)
    {
        if (!partial || !str_is_empty(json_str(values, field->string)))
            check_field(&faults, declared, field, values);
    }
    ok = faults.len == 0 || err_set(err, 400, "invalid_body", "%s", faults.data);
    buf_finish(&faults);
    if (!ok)
        return false;
    settings_set_custom(settings, values);
    if (partial)
        return true;
    cJSON_ArrayForEach(field, declared)
    {
        const char *otherwise = json_str(field, "default_value");
        cJSON *custom = custom_of(settings);

        if (otherwise != NULL && str_is_empty(json_str(custom, field->string)))
            json_set_str(custom, field->string, otherwise);
    }
    return true;
}
