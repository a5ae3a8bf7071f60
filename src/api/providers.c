/* SPDX-License-Identifier: Apache-2.0 */
/* The provider catalogue over HTTP (contract http-api.md sections 2 and 5). */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "api/api_int.h"
#include "api/fields.h"
#include "base/json.h"
#include "base/str.h"

static const struct rule search_rules[] = {
    {.name = "search", .kind = RULE_STRING, .optional = true, .pattern = &PATTERN_KEY},
};
static const struct shape search_query = SHAPE_STRICT(search_rules);

void get_providers_json(struct call *call)
{
    struct catalog *catalog = catalog_acquire(call_auth(call)->catalogs);
    size_t len;
    const char *text = catalog_json(catalog, &len);
    struct buf copy;

    buf_init(&copy, 0);
    buf_append(&copy, text, len);
    catalog_unref(catalog);
    reply_text(call, 200, &copy);
}

/* `search` lies somewhere in `name`, in any case; a dot stands for any character, as in
 * the regular expression that the official server makes of it. */
static bool name_fits(const char *name, const char *search)
{
    size_t len = strlen(search);

    for (; strlen(name) >= len; name++) {
        size_t i = 0;

        while (i < len && (search[i] == '.' || tolower((unsigned char)search[i]) ==
                                                   tolower((unsigned char)name[i])))
            i++;
        if (i == len)
            return true;
    }
    return false;
}

void list_providers(struct call *call)
{
    struct catalog *catalog;
    const char *search;
    cJSON *list;

    if (!call_check_query(call, &search_query))
        return;
    search = call_query_str(call, "search");
    list = cJSON_CreateArray();
    catalog = catalog_acquire(call_auth(call)->catalogs);
    for (size_t i = 0; i < catalog_count(catalog); i++) {
        const struct provider *provider = catalog_at(catalog, i);

        if (search == NULL || name_fits(provider->name, search))
            cJSON_AddItemToArray(list, provider_json(call, provider));
    }
    catalog_unref(catalog);
    reply_data(call, 200, list);
}

void get_provider(struct call *call)
{
    struct catalog *catalog;
    const struct provider *provider;
    const char *name;

    if (!call_check_query(call, &SHAPE_EMPTY))
        return;
    name = call_param_checked(call, 0, &PATTERN_PROVIDER);
    if (name == NULL)
        return;
    catalog = catalog_acquire(call_auth(call)->catalogs);
    provider = catalog_find(catalog, name);
    if (provider != NULL)
        reply_data(call, 200, provider_json(call, provider));
    else
        reply_fault(call, 404, "not_found", "Unknown provider %s", name);
    catalog_unref(catalog);
}

/* Function templates are a library of the hosted product; our catalogue has none, and
 * upstream answers an empty list for providers without, unknown ones included. */
void list_provider_templates(struct call *call)
{
    if (call_check_query(call, &SHAPE_EMPTY) &&
        call_param_checked(call, 0, &PATTERN_PROVIDER) != NULL)
        reply_data(call, 200, cJSON_CreateArray());
}

void legacy_list_providers(struct call *call)
{
    struct catalog *catalog;
    const char *search;
    cJSON *body, *all;

    if (call_query(call) == NULL)
        return;
    search = call_query_str(call, "query");
    all = cJSON_CreateObject();
    catalog = catalog_acquire(call_auth(call)->catalogs);
    for (size_t i = 0; i < catalog_count(catalog); i++) {
        const struct provider *provider = catalog_at(catalog, i);

        if (search == NULL || str_contains_nocase(provider->name, search))
            cJSON_AddItemToObject(
                all, provider->name, cJSON_Duplicate(provider->entry, true));
    }
    catalog_unref(catalog);
    body = cJSON_CreateObject();
    json_set(body, "providers", all);
    reply_json(call, 200, body);
}

void legacy_get_provider(struct call *call)
{
    const char *name = call_param_checked(call, 0, &PATTERN_PROVIDER);
    const struct provider *provider;
    struct catalog *catalog;
    cJSON *body;

    if (name == NULL)
        return;
    catalog = catalog_acquire(call_auth(call)->catalogs);
    provider = catalog_find(catalog, name);
    if (provider != NULL) {
        body = cJSON_CreateObject();
        json_set(body, "provider", cJSON_Duplicate(provider->entry, true));
        reply_json(call, 200, body);
    } else {
        reply_detailed(call, 404, "unknown_provider_template", NULL,
            "No Provider Template with name '%s'.", name);
    }
    catalog_unref(catalog);
}
