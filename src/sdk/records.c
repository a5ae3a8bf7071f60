/* SPDX-License-Identifier: Apache-2.0 */
/* Records: pages of them, in today's and in the deprecated way, and pruning (contract
 * http-api.md, 7). What is known of a record lies in its member `_nango_metadata`; only the
 * deprecated way can put it around the record instead. */
#include "sdk/methods_int.h"

#include <string.h>

static void *records_decode(nango_call *call)
{
    return ngo_decode_list(call, sizeof(struct ngo_item), "/records");
}

static void records_deliver(
    ngo_fn *done, void *result, const nango_error *error, void *user)
{
    ((nango_records_done *)done)(result, error, user);
}

const struct ngo_shape ngo_shape_records = {
    records_decode, ngo_list_free, records_deliver};

static bool is_missing(const char *s)
{
    return s == NULL || *s == '\0';
}

const char *ngo_records_lack(
    const char *model, const char *provider_config_key, const char *connection_id)
{
    if (is_missing(model))
        return "model";
    if (is_missing(provider_config_key))
        return "providerConfigKey";
    return is_missing(connection_id) ? "connectionId" : NULL;
}

/* Fails unless all three are there, and sends those that are headers. */
static void add_scope(
    nango_call *call, const char *model, const char *key, const char *connection_id)
{
    const char *lacking = ngo_records_lack(model, key, connection_id);

    if (lacking != NULL)
        ngo_call_fail(call, NANGO_E_ARGUMENT, NGO_LACKS, lacking);
    ngo_call_for(call, key, connection_id);
}

/* ---- a page ---- */

/* The slash before the query is the official client's. */
static nango_call *plan_list(nango_client *client, const nango_records_query *query)
{
    const bool early = ngo_early(client);
    /* Clients of 2023 put the values into the address as they are. */
    const enum ngo_encoding encoding = early ? NGO_AXIOS : NGO_FORM;
    nango_call *call = ngo_call_new(client, "GET", "/records/", &ngo_shape_records);
    const char *since;

    if (query == NULL) {
        ngo_call_fail(call, NANGO_E_ARGUMENT, "the query is missing");
        return call;
    }
    add_scope(call, query->model, query->provider_config_key, query->connection_id);
    ngo_call_query(call, "model", query->model, encoding);
    ngo_call_query(call, "variant", query->variant, encoding);
    since = early ? query->delta : query->modified_after;
    if (since == NULL)
        since = early ? query->modified_after : query->delta;
    ngo_call_query(call, early ? "delta" : "modified_after", since, encoding);
    if (query->limit != 0)
        ngo_call_query_int(call, "limit", query->limit);
    ngo_call_query(call, "filter", query->filter, encoding);
    ngo_call_query(call, "cursor", query->cursor, encoding);
    for (size_t i = 0; i < query->id_count; i++) {
        const char *id = query->ids == NULL ? NULL : query->ids[i];

        ngo_call_need(call, id, "Each id");
        ngo_call_query(call, "ids", id, encoding);
    }
    return call;
}

nango_code nango_list_records(nango_client *client, const nango_records_query *query,
    nango_records **out, nango_error *err)
{
    NGO_RUN(plan_list(client, query), nango_records, nango_records_free, out, err);
}

nango_code nango_list_records_start(nango_client *client,
    const nango_records_query *query, nango_records_done *done, void *user,
    nango_call **call, nango_error *err)
{
    NGO_START(plan_list(client, query), done, user, call, err);
}

/* ---- the deprecated way ---- */

/* All rows at once, without an object around them. */
static void *rows_decode(nango_call *call)
{
    return ngo_decode_list(call, sizeof(struct ngo_item), "");
}

static const struct ngo_shape rows_shape = {rows_decode, ngo_list_free, records_deliver};

static bool equals(const char *s, const char *word)
{
    return s != NULL && strcmp(s, word) == 0;
}

static const char *sort_column(const char *sort_by)
{
    if (equals(sort_by, "createdAt"))
        return "created_at";
    return equals(sort_by, "updatedAt") ? "updated_at" : "id";
}

/* A number, or an empty value for none: the client of that time left no pair out. */
static void add_number(nango_call *call, const char *name, int64_t value)
{
    if (value == 0)
        ngo_call_query(call, name, "", NGO_AXIOS);
    else
        ngo_call_query_int(call, name, value);
}

static nango_call *plan_get(nango_client *client, const nango_get_records_query *query)
{
    nango_call *call = ngo_call_new(client, "GET", "/sync/records/", &rows_shape);

    if (query == NULL) {
        ngo_call_fail(call, NANGO_E_ARGUMENT, "the query is missing");
        return call;
    }
    add_scope(call, query->model, query->provider_config_key, query->connection_id);
    ngo_call_query(call, "model", query->model, NGO_AXIOS);
    ngo_call_query(
        call, "order", equals(query->order, "asc") ? "asc" : "desc", NGO_AXIOS);
    ngo_call_query(call, "delta", query->delta == NULL ? "" : query->delta, NGO_AXIOS);
    add_number(call, "offset", query->offset);
    add_number(call, "limit", query->limit);
    ngo_call_query(call, "sort_by", sort_column(query->sort_by), NGO_AXIOS);
    ngo_call_query_bool(call, "include_nango_metadata", query->include_nango_metadata);
    if (!is_missing(query->filter))
        ngo_call_query(call, "filter", query->filter, NGO_AXIOS);
    return call;
}

nango_code nango_get_records(nango_client *client, const nango_get_records_query *query,
    nango_records **out, nango_error *err)
{
    NGO_RUN(plan_get(client, query), nango_records, nango_records_free, out, err);
}

nango_code nango_get_records_start(nango_client *client,
    const nango_get_records_query *query, nango_records_done *done, void *user,
    nango_call **call, nango_error *err)
{
    NGO_START(plan_get(client, query), done, user, call, err);
}

/* ---- pruning ---- */

struct pruned {
    struct ngo_mem mem;
    nango_prune_result result;
};

static void pruned_free(void *result)
{
    struct pruned *pruned = result;
    struct ngo_mem mem;

    if (pruned == NULL)
        return;
    mem = pruned->mem;
    ngo_free(&mem, pruned);
}

static void *pruned_decode(nango_call *call)
{
    const nango_json *root = ngo_decode_json(call);
    struct pruned *pruned;
    int64_t count;

    if (root == NULL)
        return NULL;
    if (!nango_json_int(nango_json_get(root, "count"), &count)) {
        ngo_call_fail(call, NANGO_E_PARSE, "the server's answer has no number at /count");
        return NULL;
    }
    pruned = ngo_alloc(&call->mem, sizeof *pruned);
    if (pruned == NULL) {
        ngo_call_fail(call, NANGO_E_MEMORY, "memory is out");
        return NULL;
    }
    pruned->mem = call->mem;
    pruned->result.count = count;
    pruned->result.has_more = nango_json_bool_at(root, "/has_more", false);
    return pruned;
}

/* The callback borrows the numbers. */
static void pruned_deliver(
    ngo_fn *done, void *result, const nango_error *error, void *user)
{
    const struct pruned *pruned = result;

    ((nango_prune_done *)done)(pruned == NULL ? NULL : &pruned->result, error, user);
    pruned_free(result);
}

static const struct ngo_shape pruned_shape = {pruned_decode, pruned_free, pruned_deliver};

static nango_call *plan_prune(nango_client *client, const nango_prune_config *config)
{
    nango_call *call = ngo_call_new(client, "PATCH", "/records/prune", &pruned_shape);
    struct ngo_text *text;

    if (config == NULL) {
        ngo_call_fail(call, NANGO_E_ARGUMENT, "the config is missing");
        return call;
    }
    ngo_call_need(call, config->provider_config_key, "Provider Config Key");
    ngo_call_need(call, config->connection_id, "Connection Id");
    ngo_call_need(call, config->model, "Model");
    ngo_call_need(call, config->until_cursor, "Until cursor");
    ngo_call_for(call, config->provider_config_key, config->connection_id);
    text = ngo_plan_open(call);
    if (text == NULL)
        return call;
    ngo_json_member(text, "model", config->model);
    ngo_json_member(text, "until_cursor", config->until_cursor);
    if (config->limit != 0) {
        ngo_json_name(text, "limit");
        ngo_json_put_int(text, config->limit);
    }
    ngo_json_member(text, "variant", config->variant);
    ngo_plan_close(call, text);
    return call;
}

nango_code nango_prune_records(nango_client *client, const nango_prune_config *config,
    nango_prune_result *out, nango_error *err)
{
    nango_code code;
    struct pruned *pruned = ngo_call_run(plan_prune(client, config), &code, err);

    if (out != NULL)
        *out = pruned == NULL ? (nango_prune_result){0} : pruned->result;
    pruned_free(pruned);
    return code;
}

nango_code nango_prune_records_start(nango_client *client,
    const nango_prune_config *config, nango_prune_done *done, void *user,
    nango_call **call, nango_error *err)
{
    NGO_START(plan_prune(client, config), done, user, call, err);
}
