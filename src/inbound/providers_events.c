/* SPDX-License-Identifier: Apache-2.0 */
/* Providers that tell of several things at a time. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "inbound/inbound_int.h"

static bool attio(struct visit *visit)
{
    const cJSON *event;

    if (!check_hmac_if_set(visit, (struct hmac_check){.header = "x-attio-signature"}))
        return false;
    cJSON_ArrayForEach(event, json_get(visit->body, "events"))
    {
        event_add(visit, json_str(event, "event_type"), NULL, event);
        event_find_at(visit, FIND_CONFIG, "workspace_id", event, "id.workspace_id");
    }
    return true;
}

/* ---- hubspot ---- */

/* The older signature: of the secret and the body, as sent or as JavaScript prints it. */
static bool hubspot_v1(struct visit *visit, const char *given, const char *secret)
{
    const struct inbound_request *request = visit->request;
    bool same = false;

    for (int printed = 0; printed < 2 && !same; printed++) {
        uint8_t hash[SHA256_LEN];
        char hex[2 * SHA256_LEN + 1];
        struct json_raw raw;
        struct buf text;

        buf_init_secret(&text, 0);
        buf_puts(&text, secret);
        if (!printed && request->len > 0)
            buf_append(&text, request->body, request->len);
        else if (json_raw_parse(request->body, request->len, &raw, NULL))
            json_raw_append_compact(raw, &text);
        crypto_sha256(text.data, text.len, hash);
        buf_finish(&text);
        str_hex(hash, sizeof hash, hex);
        same = check_equal(given, hex);
    }
    return same || visit_forged(visit);
}

/* The newer one, which also covers the address and the time. */
static bool hubspot_v3(struct visit *visit, const char *given, const char *secret)
{
    const struct inbound_request *request = visit->request;
    const char *time = visit_header(visit, "x-hubspot-request-timestamp");
    struct buf text;
    int64_t at;
    bool ok;

    if (time == NULL || !str_to_i64(time, &at) || llabs(visit->now_ms - at) > 300000)
        return visit_forged(visit);
    buf_init(&text, 0);
    buf_printf(&text, "POST%s/webhook/%s/%s", visit->auth->public_url,
        request->environment->uuid, request->integration->row->unique_key);
    if (request->len > 0)
        buf_append(&text, request->body, request->len);
    buf_puts(&text, time);
    ok = check_hmac(visit, &(struct hmac_check){.given = given,
                               .base64 = true,
                               .key = secret,
                               .text = text.data,
                               .text_len = text.len});
    buf_finish(&text);
    return ok;
}

static bool is_creation(const cJSON *event)
{
    const char *type = json_str(event, "subscriptionType");

    return type != NULL && str_ends(type, ".creation");
}

static double number_of(const cJSON *event, const char *name)
{
    const cJSON *value = json_get(event, name);

    return cJSON_IsNumber(value) ? value->valuedouble : 0;
}

struct placed {
    const cJSON *event;
    size_t object; /* the place of its object among all */
    size_t place;
};

/* What belongs to one object stays together, creations first, then by time. */
static int by_object(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    bool x_made = is_creation(x->event), y_made = is_creation(y->event);
    double x_time = number_of(x->event, "occurredAt"),
           y_time = number_of(y->event, "occurredAt");

    if (x->object != y->object)
        return x->object < y->object ? -1 : 1;
    if (x_made != y_made)
        return x_made ? -1 : 1;
    if (x_time < y_time || x_time > y_time)
        return x_time < y_time ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

static void hubspot_event(struct visit *visit, const cJSON *event)
{
    event_add(visit, json_str(event, "subscriptionType"), NULL, event);
    event_find_at(visit, FIND_CONFIG, "portalId", event, "portalId");
}

static void hubspot_list(struct visit *visit)
{
    size_t count = 0, all = (size_t)cJSON_GetArraySize(visit->body);
    struct placed *placed = mem_resize_array(NULL, all + 1, sizeof *placed);
    const cJSON *event;

    cJSON_ArrayForEach(event, visit->body)
    {
        size_t object = count;

        if (str_eq(json_str(event, "changeSource"), "IMPORT"))
            continue;
        for (size_t i = 0; i < count && object == count; i++)
            if (cJSON_Compare(json_get(placed[i].event, "objectId"),
                    json_get(event, "objectId"), true))
                object = placed[i].object;
        placed[count] = (struct placed){event, object, count};
        count++;
    }
    if (count > 1)
        qsort(placed, count, sizeof *placed, by_object);
    for (size_t i = 0; i < count; i++)
        hubspot_event(visit, placed[i].event);
    free(placed);
}

static bool hubspot(struct visit *visit)
{
    const char *v3 = visit_header(visit, "x-hubspot-signature-v3");
    const char *v1 = visit_header(visit, "x-hubspot-signature");
    const char *secret = visit_setting(visit, "oauth_client_secret");

    if (v3 == NULL && v1 == NULL)
        return visit_unsigned(visit);
    if (secret == NULL)
        return visit_forged(visit);
    if (!(v3 != NULL ? hubspot_v3(visit, v3, secret) : hubspot_v1(visit, v1, secret)))
        return false;
    if (cJSON_IsArray(visit->body))
        hubspot_list(visit);
    else
        hubspot_event(visit, visit->body);
    return true;
}

/* ---- microsoft ---- */

static bool microsoft(struct visit *visit)
{
    const char *token = visit_query(visit, "validationToken");
    const char *secret = visit_secret(visit);
    const cJSON *item;
    cJSON *good;

    if (token == NULL)
        token = json_str(visit->request->query, "validationToken");
    if (token != NULL) { /* it asks whether we are there */
        visit->answer = (struct inbound_answer){200, "text/plain", str_dup(token)};
        visit->passes_on = false;
        return true;
    }
    good = cJSON_CreateArray();
    cJSON_ArrayForEach(item, json_get(visit->body, "value"))
    {
        if (secret != NULL && !check_equal(secret, json_str(item, "clientState")))
            continue;
        cJSON_AddItemToArray(good, cJSON_Duplicate(item, true));
        event_add(visit, json_str(item, "changeType"), NULL, item);
        event_find_at(visit, FIND_CONFIG, "tenantId", item, "tenantId");
    }
    if (cJSON_GetArraySize(good) == 0 &&
        cJSON_GetArraySize(json_get(visit->body, "value")) > 0) {
        cJSON_Delete(good);
        return visit_forged(visit);
    }
    visit->forward = cJSON_CreateObject();
    json_set(visit->forward, "value", good);
    return true;
}

/* ---- xero ---- */

/* An empty list is how it tries whether we look at signatures. */
static bool xero(struct visit *visit)
{
    const cJSON *event;

    if (!check_hmac(visit, &(struct hmac_check){.header = "x-xero-signature",
                               .base64 = true,
                               .key = visit_secret(visit)}))
        return false;
    cJSON_ArrayForEach(event, json_get(visit->body, "events"))
    {
        event_add(visit, json_str(event, "eventType"), NULL, event);
        event_find_at(visit, FIND_CONFIG, "tenant_id", event, "tenantId");
    }
    visit->passes_on = cJSON_GetArraySize(visit->events) > 0;
    return true;
}

const struct handler handlers_events[] = {
    {.name = "attio", .run = attio},
    {.name = "hubspot", .run = hubspot},
    {.name = "microsoftClientCredentials", .run = microsoft},
    {.name = "xero", .run = xero},
    {.name = NULL},
};
