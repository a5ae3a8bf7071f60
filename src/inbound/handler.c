/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "inbound/inbound_int.h"

#define SUFFIX "WebhookRouting"

/* ---- which ---- */

static const struct handler *find_in(
    const struct handler *list, const char *script, size_t len)
{
    for (; list->name != NULL; list++)
        if (strlen(list->name) == len && memcmp(list->name, script, len) == 0)
            return list;
    return NULL;
}

const struct handler *handler_find(const struct integration *integration)
{
    static const struct handler *const lists[] = {handlers_plain, handlers_signed,
        handlers_events, handlers_google, handlers_special};
    const char *script =
        integration->provider != NULL
            ? json_str(integration->provider->entry, "webhook_routing_script")
            : NULL;
    const struct handler *found = NULL;

    if (script == NULL || !str_ends(script, SUFFIX))
        return NULL;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0] && found == NULL; i++)
        found = find_in(lists[i], script, strlen(script) - strlen(SUFFIX));
    return found;
}

bool inbound_asks_provider(const struct integration *integration)
{
    const struct handler *handler = handler_find(integration);

    return handler != NULL && handler->asks_provider;
}

/* ---- what came ---- */

const char *visit_header(const struct visit *visit, const char *name)
{
    const char *value = http_headers_find(visit->request->headers, name);

    /* HTTP allows any bytes; what is stored and shown is text. */
    return value != NULL && str_is_utf8(value, strlen(value)) ? value : NULL;
}

const char *visit_query(const struct visit *visit, const char *name)
{
    const cJSON *allowed = json_get(
        visit->request->integration->provider->entry, "webhook_allowed_query_params");
    const cJSON *item;

    cJSON_ArrayForEach(item, allowed)
    {
        if (str_eq(cJSON_GetStringValue(item), name))
            return json_str(visit->request->query, name);
    }
    return NULL;
}

const char *visit_text(const struct visit *visit, const char *path)
{
    return cJSON_GetStringValue(json_path(visit->body, path));
}

const char *visit_setting(const struct visit *visit, const char *name)
{
    const char *text = json_str(visit->request->integration->settings, name);

    return str_is_empty(text) ? NULL : text;
}

const char *visit_custom(const struct visit *visit, const char *name)
{
    const char *text =
        json_str(json_get(visit->request->integration->settings, "custom"), name);

    return str_is_empty(text) ? NULL : text;
}

const char *visit_secret(const struct visit *visit)
{
    const char *text = visit_custom(visit, "webhookSecret");

    return text != NULL ? text : visit_setting(visit, "webhook_secret");
}

/* ---- refusals ---- */

bool visit_unsigned(struct visit *visit)
{
    return err_set(
        visit->err, 401, "webhook_missing_signature", "The webhook carries no signature");
}

bool visit_forged(struct visit *visit)
{
    return err_set(visit->err, 401, "webhook_invalid_signature",
        "The webhook's signature is not that of the integration's secret");
}

bool visit_bad(struct visit *visit, const char *code, const char *message)
{
    return err_set(visit->err, 400, code, "%s", message);
}

/* ---- events ---- */

void event_add(
    struct visit *visit, const char *type, const char *other, const cJSON *payload)
{
    cJSON *event = cJSON_CreateObject();

    if (type != NULL)
        json_set_str(event, "type", type);
    if (other != NULL)
        json_set_str(event, "other", other);
    if (payload != NULL)
        json_set(event, "payload", cJSON_Duplicate(payload, true));
    cJSON_AddItemToArray(visit->events, event);
}

void event_find(struct visit *visit, enum find_in in, const char *name, const char *value)
{
    cJSON *event =
        cJSON_GetArrayItem(visit->events, cJSON_GetArraySize(visit->events) - 1);
    cJSON *finds = json_get_mut(event, "find"), *find;

    if (finds == NULL)
        finds = cJSON_AddArrayToObject(event, "find");
    if (value == NULL)
        return;
    find = cJSON_CreateObject();
    json_set_i64(find, "in", in);
    json_set_str(find, "name", name);
    json_set_str(find, "value", value);
    cJSON_AddItemToArray(finds, find);
}

void event_find_at(struct visit *visit, enum find_in in, const char *name,
    const cJSON *from, const char *path)
{
    const cJSON *value = json_path(from != NULL ? from : visit->body, path);
    char *text = cJSON_IsString(value)   ? str_dup(value->valuestring)
                 : cJSON_IsNumber(value) ? json_print(value)
                                         : NULL;

    event_find(visit, in, name, text);
    free(text);
}
