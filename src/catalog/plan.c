/* SPDX-License-Identifier: Apache-2.0 */
/* Reads `proxy` of an entry into a struct provider_plan. See plan.h. */
#include "catalog/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

unsigned plan_uses_of(const char *text)
{
    static const struct {
        const char *word;
        unsigned uses;
    } words[] = {
        {"connectionConfig", PLAN_CONFIG},
        {"raw", PLAN_RAW},
        {"${now", PLAN_STABLE},
        {"${random}", PLAN_STABLE},
        {"${endpoint}", PLAN_REQUEST},
        {"${host}", PLAN_REQUEST},
        {"${path}", PLAN_REQUEST},
        {"${method}", PLAN_REQUEST},
        {"${contentType}", PLAN_REQUEST},
        {"${urlCanonicalParams}", PLAN_REQUEST},
        {"${params}", PLAN_REQUEST | PLAN_BODY},
        {"${bodyCanonicalParams}", PLAN_REQUEST | PLAN_BODY},
        {"${awsSigV4(", PLAN_STABLE | PLAN_REQUEST | PLAN_BODY},
    };
    unsigned uses = 0;

    if (strstr(text, "${"))
        uses |= PLAN_TEMPLATE;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strstr(text, words[i].word))
            uses |= words[i].uses;
    return uses;
}

static void read_fields(
    const cJSON *map, bool lower_names, struct plan_field **out, size_t *out_count)
{
    size_t count = (size_t)cJSON_GetArraySize(map);
    struct plan_field *fields;
    const cJSON *item;
    size_t i = 0;

    *out = NULL;
    *out_count = 0;
    if (!cJSON_IsObject(map) || count == 0)
        return;
    fields = mem_zalloc(count * sizeof(*fields));
    cJSON_ArrayForEach(item, map)
    {
        struct plan_field *field = &fields[i++];
        field->name = str_dup(item->string);
        if (lower_names)
            str_lower(field->name);
        if (!cJSON_IsString(item))
            field->owned_text = json_print(item);
        field->text = field->owned_text ? field->owned_text : item->valuestring;
        field->uses = plan_uses_of(field->text);
    }
    *out = fields;
    *out_count = i;
}

void plan_init(struct provider_plan *plan, const cJSON *entry)
{
    const cJSON *proxy = json_get(entry, "proxy");
    const cJSON *config = json_get(entry, "integration_config");

    *plan = (struct provider_plan){0};
    plan->signature_method = json_str(entry, "signature_method");
    plan->key_by_settings = json_get(config, "keyName") != NULL;
    if (!cJSON_IsObject(proxy))
        return;
    plan->base_url = json_str(proxy, "base_url");
    if (str_is_empty(plan->base_url))
        plan->base_url = NULL;
    if (plan->base_url) {
        plan->base_uses = plan_uses_of(plan->base_url);
        plan->base_has_choice = strstr(plan->base_url, "||") != NULL;
    }
    read_fields(json_get(proxy, "headers"), true, &plan->headers, &plan->header_count);
    read_fields(json_get(proxy, "query"), false, &plan->query, &plan->query_count);
    for (size_t i = 0; i < plan->header_count; i++)
        plan->header_uses |= plan->headers[i].uses;
    plan->body = json_get(proxy, "body");
    plan->retry = json_get(proxy, "retry");
}

static void free_fields(struct plan_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(fields[i].name);
        free(fields[i].owned_text);
    }
    free(fields);
}

void plan_finish(struct provider_plan *plan)
{
    free_fields(plan->headers, plan->header_count);
    free_fields(plan->query, plan->query_count);
    *plan = (struct provider_plan){0};
}
