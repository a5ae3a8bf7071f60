/* SPDX-License-Identifier: Apache-2.0 */
/* GET /connections and its old path (contract http-api.md section 3.2). */
#include <stdlib.h>
#include <string.h>

#include "api/api_int.h"
#include "api/fields.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define MAX_INTEGRATIONS 200
#define MAX_TAGS 20

static const struct rule tag_value = {.kind = RULE_STRING};
static const struct rule query_rules[] = {
    RULE_TEXT_FIELD("connectionId", true),
    RULE_TEXT_FIELD("search", true),
    RULE_TEXT_FIELD("endUserId", true),
    RULE_TEXT_FIELD("endUserOrganizationId", true),
    {.name = "integrationId", .kind = RULE_STRING, .optional = true, .min = 1},
    {.name = "tags",
        .kind = RULE_RECORD,
        .optional = true,
        .max = MAX_TAGS,
        .item = &tag_value},
    {.name = "limit", .kind = RULE_COUNT, .optional = true, .min = 1, .max = 2000},
    {.name = "page", .kind = RULE_COUNT, .optional = true, .max = 1000000000},
};
static const struct shape query_shape = SHAPE_STRICT(query_rules);

/* Cuts a comma list in place; blanks round the parts do not count. */
static size_t split_list(char *text, const char **parts, size_t max)
{
    char *rest = text, *part;
    size_t count = 0;

    while (count < max && (part = strsep(&rest, ",")) != NULL) {
        part = str_trim(part);
        if (part[0] != '\0')
            parts[count++] = part;
    }
    return count;
}

/* Tag keys are stored in lower case; `owned` keeps the lowered ones. */
static size_t read_tags(
    const cJSON *tags, const char **keys, const char **values, char *owned[MAX_TAGS])
{
    const cJSON *child;
    size_t count = 0;

    cJSON_ArrayForEach(child, tags)
    {
        if (count == MAX_TAGS)
            break;
        owned[count] = str_dup(child->string);
        str_lower(owned[count]);
        keys[count] = owned[count];
        values[count] = child->valuestring;
        count++;
    }
    return count;
}

static bool too_many(struct call *call)
{
    const char *list = call_query_str(call, "integrationId");
    const char *path[] = {"integrationId", NULL};
    size_t commas = 0;

    for (; list != NULL && *list != '\0'; list++)
        commas += *list == ',';
    if (commas < MAX_INTEGRATIONS)
        return false;
    reply_issues(call, "invalid_query_params",
        issue_list("too_big", "Too big: expected array to have <=200 items", path));
    return true;
}

static void reply_list(
    struct call *call, struct connection_row *const *rows, size_t count)
{
    bool legacy = call_is_legacy_client(call);
    struct buf out;

    buf_init(&out, 0);
    buf_puts(&out, "{\"connections\":[");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_putc(&out, ',');
        connection_list_item(&out, rows[i], legacy);
    }
    buf_puts(&out, "]}");
    reply_text(call, 200, &out);
}

void list_connections(struct call *call)
{
    const char *integrations[MAX_INTEGRATIONS];
    const char *tag_keys[MAX_TAGS], *tag_values[MAX_TAGS];
    char *owned[MAX_TAGS];
    struct connection_row **rows = NULL;
    size_t count = 0;
    char *list = NULL;
    struct err err = {0};
    struct connection_filter filter;

    if (!call_check_query(call, &query_shape) || too_many(call))
        return;
    list = str_dup(call_query_str(call, "integrationId"));
    filter = (struct connection_filter){
        .environment_id = call->environment_id,
        .connection_id = call_query_str(call, "connectionId"),
        .search = call_query_str(call, "search"),
        .end_user_id = call_query_str(call, "endUserId"),
        .organization_id = call_query_str(call, "endUserOrganizationId"),
        .integrations = integrations,
        .tag_keys = tag_keys,
        .tag_values = tag_values,
        .limit = call_query_count(call, "limit", 0),
    };
    if (list != NULL)
        filter.integration_count = split_list(list, integrations, MAX_INTEGRATIONS);
    filter.tag_count =
        read_tags(json_get(call->query, "tags"), tag_keys, tag_values, owned);
    filter.offset =
        call_query_count(call, "page", 0) * (filter.limit > 0 ? filter.limit : 10000);
    if (list != NULL && filter.integration_count == 0)
        reply_list(call, NULL, 0); /* of no integration, not of all */
    else if (store_list_connections(call_auth(call)->store, &filter, &rows, &count, &err))
        reply_list(call, rows, count);
    else
        reply_error(call, &err);
    store_connections_free(rows, count);
    for (size_t i = 0; i < filter.tag_count; i++)
        free(owned[i]);
    free(list);
}
