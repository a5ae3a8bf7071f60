/* SPDX-License-Identifier: Apache-2.0 */
/* Integrations and providers as the API shows them (contract http-api.md sections 4.2 and
 * 5). */
#include <stdlib.h>
#include <string.h>

#include "api/api_int.h"
#include "base/json.h"
#include "base/str.h"

static void set_logo(
    const struct call *call, cJSON *object, const char *member, const char *provider)
{
    char *url =
        str_printf("%s/images/template-logos/%s.svg", call->server->public_url, provider);

    json_set_str(object, member, url);
    free(url);
}

cJSON *provider_json(const struct call *call, const struct provider *provider)
{
    cJSON *out = cJSON_Duplicate(provider->entry, true);

    json_set_str(out, "name", provider->name);
    set_logo(call, out, "logo_url", provider->name);
    return out;
}

char *integration_webhook_url(const struct call *call, const struct provider *provider,
    const struct environment_row *environment, const char *last_segment)
{
    struct buf url;

    /* an overlay switches the routing of an entry off by '' */
    if (provider == NULL ||
        str_is_empty(json_str(provider->entry, "webhook_routing_script")))
        return NULL;
    buf_init(&url, 0);
    buf_printf(&url, "%s/webhook/%s/", call->server->public_url, environment->uuid);
    str_uri_component(last_segment, strlen(last_segment), &url);
    return buf_take(&url, NULL);
}

/* What the end user is asked for, where the integration's owner names it. */
static void set_label(cJSON *out, const struct integration *integration)
{
    const cJSON *declared = json_get(integration->provider->entry, "integration_config");
    const cJSON *field = json_get(declared, "keyLabel");
    const char *label = json_str(json_get(integration->settings, "custom"), "keyLabel");
    cJSON *labels;

    if (field == NULL)
        return;
    if (str_is_empty(label))
        label = json_str(field, "default_value");
    if (str_is_empty(label))
        return;
    labels = cJSON_CreateObject();
    json_set_str(labels, "apiKey", label);
    json_set(out, "credentials_label", labels);
}

/* The fields of TWO_STEP credentials that the integration's owner has set for everyone.
 */
static void set_preconfigured(cJSON *out, const struct integration *integration)
{
    const cJSON *custom = json_get(integration->settings, "custom");
    const cJSON *field;
    cJSON *names;

    if (integration->provider->mode != AUTH_TWO_STEP)
        return;
    names = cJSON_CreateArray();
    cJSON_ArrayForEach(
        field, json_get(integration->provider->entry, "integration_config"))
    {
        if (!str_is_empty(json_str(custom, field->string)))
            cJSON_AddItemToArray(names, cJSON_CreateString(field->string));
    }
    if (cJSON_GetArraySize(names) > 0)
        json_set(out, "preconfigured_credentials", names);
    else
        cJSON_Delete(names);
}

static const char *none_if_empty(const char *s)
{
    return str_is_empty(s) ? NULL : s;
}

static cJSON *credentials_json(const struct integration *integration)
{
    const cJSON *settings = integration->settings;
    const cJSON *custom = json_get(settings, "custom");
    const char *client_id = json_str(settings, "oauth_client_id");
    const char *client_secret = json_str(settings, "oauth_client_secret");
    enum auth_mode mode =
        integration->provider != NULL ? integration->provider->mode : AUTH_UNKNOWN;
    cJSON *out;

    if (mode != AUTH_OAUTH1 && mode != AUTH_OAUTH2 && mode != AUTH_TBA &&
        mode != AUTH_APP && mode != AUTH_CUSTOM)
        return cJSON_CreateNull();
    out = cJSON_CreateObject();
    json_set_str(out, "type", auth_mode_name(mode));
    if (mode == AUTH_APP) {
        json_set_str(out, "app_id", client_id);
        json_set_str(out, "private_key", client_secret);
        json_set_str(out, "app_link", json_str(settings, "app_link"));
        return out;
    }
    json_set_str(out, "client_id", client_id);
    json_set_str(out, "client_secret", client_secret);
    if (mode == AUTH_CUSTOM) {
        json_set_str(out, "app_id", json_str(custom, "app_id"));
        json_set_str(out, "app_link", json_str(settings, "app_link"));
        json_set_str(out, "private_key", json_str(custom, "private_key"));
        return out;
    }
    json_set_str(out, "scopes", none_if_empty(json_str(settings, "oauth_scopes")));
    json_set_str(
        out, "webhook_secret", none_if_empty(json_str(settings, "webhook_secret")));
    return out;
}

cJSON *integration_json(const struct call *call, const struct integration_view *view)
{
    const struct integration *integration = view->integration;
    const struct integration_row *row = integration->row;
    const struct provider *provider = integration->provider;
    char text[CLOCK_TEXT_SIZE];
    cJSON *out = cJSON_CreateObject();

    json_set_str(out, "unique_key", row->unique_key);
    json_set_str(out, "provider", row->provider);
    json_set_str(out, "display_name",
        row->display_name != NULL ? row->display_name
        : provider != NULL        ? provider->display_name
                                  : row->provider);
    set_logo(call, out, "logo", row->provider);
    if (provider != NULL && view->label)
        set_label(out, integration);
    if (provider != NULL)
        set_preconfigured(out, integration);
    if (view->with_webhook) {
        char *url =
            integration_webhook_url(call, provider, view->environment, row->unique_key);

        json_set_str(out, "webhook_url", url);
        free(url);
    }
    if (view->with_credentials)
        json_set(out, "credentials", credentials_json(integration));
    json_set_bool(out, "forward_webhooks", row->forward_webhooks);
    clock_text_z(row->created_at_ms, text);
    json_set_str(out, "created_at", text);
    clock_text_z(row->updated_at_ms, text);
    json_set_str(out, "updated_at", text);
    return out;
}
