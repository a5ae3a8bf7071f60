/* SPDX-License-Identifier: Apache-2.0 */
/* Small readings of a catalogue entry; nothing here fails. */
#include "auth/provider_entry.h"

#include "base/json.h"
#include "base/str.h"

const char *provider_token_url(const struct provider *provider)
{
    const cJSON *url = json_get(provider->entry, "token_url");

    if (cJSON_IsObject(url))
        url = json_get(url, "OAUTH2");
    return cJSON_IsString(url) && url->valuestring[0] != '\0' ? url->valuestring : NULL;
}

bool provider_list_has(
    const struct provider *provider, const char *list, const char *item)
{
    const cJSON *entry;

    cJSON_ArrayForEach(entry, json_get(provider->entry, list))
    {
        if (cJSON_IsString(entry) && str_eq(entry->valuestring, item))
            return true;
    }
    return false;
}

bool provider_skips_encoding(const struct provider *provider, const char *list)
{
    return provider_list_has(provider, list, "base_url");
}

bool provider_grants_by_code(const struct provider *provider)
{
    const char *type = json_str(json_get(provider->entry, "token_params"), "grant_type");

    return str_is_empty(type) || str_eq(type, "authorization_code");
}

cJSON *provider_values(const cJSON *config)
{
    cJSON *values = cJSON_CreateObject();

    if (config != NULL) {
        json_merge(values, config);
        json_set(values, "connectionConfig", cJSON_Duplicate(config, true));
    }
    return values;
}

char *provider_param_render(const char *text, const cJSON *values)
{
    return provider_param_render_stable(text, values, NULL);
}

char *provider_param_render_stable(
    const char *text, const cJSON *values, const struct template_stable *stable)
{
    return template_render(text, values, stable, 0);
}

char *provider_scopes_join(const struct provider *provider, const char *scopes)
{
    const char *separator = json_str(provider->entry, "scope_separator");
    struct buf out;

    buf_init(&out, 0);
    for (; scopes != NULL && *scopes != '\0'; scopes++) {
        if (*scopes == ',')
            buf_puts(&out, separator != NULL ? separator : " ");
        else
            buf_putc(&out, *scopes);
    }
    return buf_take(&out, NULL);
}
