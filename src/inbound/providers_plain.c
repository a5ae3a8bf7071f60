/* SPDX-License-Identifier: Apache-2.0 */
/* Providers that sign nothing: the address, which only its owner knows, is all there is. */
#include "base/json.h"
#include "inbound/inbound_int.h"

static bool affinity(struct visit *visit)
{
    event_add(visit, visit_text(visit, "type"), NULL, NULL);
    return true;
}

static bool airtable(struct visit *visit)
{
    event_add(visit, "*", NULL, NULL);
    event_find_at(visit, FIND_METADATA, "webhooks", NULL, "webhook.id");
    return true;
}

/* One form, or a list of them. */
static bool fillout(struct visit *visit)
{
    const cJSON *item = visit->body;

    if (!cJSON_IsArray(visit->body)) {
        event_add(visit, visit_text(visit, "type"), NULL, NULL);
        event_find_at(visit, FIND_METADATA, "formId", NULL, "formId");
        return true;
    }
    cJSON_ArrayForEach(item, visit->body)
    {
        event_add(visit, json_str(item, "type"), NULL, item);
        event_find_at(visit, FIND_METADATA, "formId", item, "formId");
    }
    return true;
}

static bool microsoft_teams(struct visit *visit)
{
    event_add(visit, visit_text(visit, "type"), NULL, NULL);
    event_find_at(visit, FIND_CONFIG, "tenantId", NULL, "channelData.tenant.id");
    return true;
}

static bool salesforce(struct visit *visit)
{
    event_add(visit, visit_text(visit, "nango.eventType"), NULL, NULL);
    event_find_at(visit, FIND_ID, NULL, NULL, "nango.connectionId");
    return true;
}

/* The token is the match. */
static bool streak(struct visit *visit)
{
    event_add(visit, NULL, NULL, NULL);
    event_find(visit, FIND_CONFIG, "streakWebhookToken",
        visit_header(visit, "x-streak-webhook-token"));
    return true;
}

static bool unauthenticated(struct visit *visit)
{
    event_add(visit, visit_text(visit, "type"), NULL, NULL);
    event_find_at(visit, FIND_ID, NULL, NULL, "connectionId");
    return true;
}

const struct handler handlers_plain[] = {
    {.name = "affinity", .run = affinity},
    {.name = "airtable", .run = airtable},
    {.name = "fillout", .run = fillout},
    {.name = "microsoftTeams", .run = microsoft_teams},
    {.name = "salesforce", .run = salesforce},
    {.name = "streak", .run = streak},
    {.name = "unauthenticated", .run = unauthenticated},
    {.name = NULL},
};
