/* SPDX-License-Identifier: Apache-2.0 */
/* Configs are sealed, so each is opened to be looked at: once for all events that wait. */
#include "inbound/match.h"

#include <stdlib.h>
#include <string.h>

#include "auth/sealed_json.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "inbound/inbound_int.h"

#define PAGE 1000

/* A connection that is looked at; what is needed of it is opened when it is. */
struct looked {
    const struct auth *auth;
    int64_t environment_id, integration_id;
    const struct inbound_connection *row;
    cJSON *config, *metadata;
    bool config_open, metadata_open;
};

static const cJSON *config_of(struct looked *looked)
{
    char context[CONTEXT_SIZE];
    struct err err = {0};

    if (!looked->config_open) {
        looked->config_open = true;
        connection_context(context, looked->environment_id, looked->integration_id,
            looked->row->connection_id, "config");
        if (!sealed_json_open(
                looked->auth, context, &looked->row->config, &looked->config, &err))
            log_event(looked->auth->log, LOG_ERROR,
                "a connection's config cannot be read: webhooks do not find it",
                LOG_INT("connection", looked->row->id), LOG_STR("reason", err.message),
                LOG_END);
    }
    return looked->config;
}

static const cJSON *metadata_of(struct looked *looked)
{
    const char *text = looked->row->metadata_json;

    if (!looked->metadata_open && text != NULL)
        looked->metadata = json_parse(text, strlen(text), NULL);
    looked->metadata_open = true;
    return looked->metadata;
}

static bool is_text(const cJSON *value, const char *wanted)
{
    char *text;
    bool same;

    if (cJSON_IsString(value))
        return strcmp(value->valuestring, wanted) == 0;
    if (!cJSON_IsNumber(value) && !cJSON_IsBool(value))
        return false;
    text = json_print(value);
    same = strcmp(text, wanted) == 0;
    free(text);
    return same;
}

/* A value, an element of a list, or the name or the value of a member. */
static bool is_or_holds(const cJSON *value, const char *wanted)
{
    const cJSON *item;

    if (is_text(value, wanted))
        return true;
    if (!cJSON_IsArray(value) && !cJSON_IsObject(value))
        return false;
    cJSON_ArrayForEach(item, value)
    {
        if (is_text(item, wanted) ||
            (item->string != NULL && str_eq(item->string, wanted)))
            return true;
    }
    return false;
}

static bool is_found(struct looked *looked, const cJSON *find)
{
    const char *name = json_str(find, "name"), *value = json_str(find, "value");
    int64_t in = FIND_ID;

    (void)json_i64(find, "in", &in);
    if (value == NULL)
        return false;
    if (in == FIND_ID)
        return strcmp(looked->row->connection_id, value) == 0;
    if (name == NULL)
        return false;
    return in == FIND_CONFIG ? is_text(json_get(config_of(looked), name), value)
                             : is_or_holds(json_get(metadata_of(looked), name), value);
}

/* The first search that finds it, up to the one that counts so far; -1 = none. */
static int level_of(struct looked *looked, const struct search *search)
{
    const cJSON *find;
    int level = 0;

    if (search->find == NULL)
        return 0;
    cJSON_ArrayForEach(find, search->find)
    {
        if (search->count > 0 && level > search->level)
            return -1;
        if (is_found(looked, find))
            return level;
        level++;
    }
    return -1;
}

static void forget(struct search *search)
{
    for (size_t i = 0; i < search->count; i++) {
        free(search->matched[i].connection_id);
        free(search->matched[i].url_override);
    }
    search->count = 0;
}

static void note(struct search *search, const struct looked *looked, int level)
{
    size_t count;

    if (search->count > 0 && level < search->level)
        forget(search);
    count = search->count;
    if ((count & (count - 1)) == 0)
        search->matched = mem_resize_array(
            search->matched, count > 0 ? 2 * count : 1, sizeof *search->matched);
    search->matched[search->count++] = (struct matched){
        .id = looked->row->id,
        .connection_id = str_dup(looked->row->connection_id),
        .url_override = str_dup(looked->row->webhook_url_override),
    };
    search->level = level;
}

static void look(struct looked *looked, struct search *searches, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int level = level_of(looked, &searches[i]);

        if (level >= 0)
            note(&searches[i], looked, level);
    }
    cJSON_Delete(looked->config);
    cJSON_Delete(looked->metadata);
}

static bool finds_nobody(const struct search *searches, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (searches[i].find == NULL || cJSON_GetArraySize(searches[i].find) > 0)
            return false;
    return true;
}

bool search_connections(const struct auth *auth, int64_t environment_id,
    int64_t integration_id, struct search *searches, size_t count, struct err *err)
{
    struct inbound_connection *rows;
    int64_t after = 0;
    size_t got;

    if (finds_nobody(searches, count))
        return true;
    do {
        if (!store_list_inbound_connections(
                auth->store, integration_id, after, PAGE, &rows, &got, err))
            return false;
        for (size_t i = 0; i < got; i++) {
            struct looked looked = {.auth = auth,
                .environment_id = environment_id,
                .integration_id = integration_id,
                .row = &rows[i]};

            look(&looked, searches, count);
            after = rows[i].id;
        }
        store_inbound_connections_free(rows, got);
    } while (got == PAGE);
    return true;
}

void searches_finish(struct search *searches, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        forget(&searches[i]);
        free(searches[i].matched);
    }
    free(searches);
}
