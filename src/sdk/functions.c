/* SPDX-License-Identifier: Apache-2.0 */
/* The functions that are deployed for an integration (contract http-api.md, 4.3). Servers
 * of 2023 have none of this; the calls are the same for them, and they answer 404. */
#include "sdk/methods_int.h"

/* `<method> /integrations/<key>/functions` */
static nango_call *plan_all(nango_client *client, const char *method, const char *key)
{
    nango_call *call = ngo_call_new(client, method, "/integrations", &ngo_shape_response);

    ngo_call_segment(call, key, "Unique Key");
    ngo_call_path(call, "/functions");
    ngo_plan_json_type(call);
    return call;
}

/* The same with `/<name><rest>?type=<type>`. */
static nango_call *plan_one(nango_client *client, const char *method, const char *key,
    const char *name, const char *rest, const char *type)
{
    nango_call *call = plan_all(client, method, key);

    ngo_call_segment(call, name, "Function name");
    ngo_call_path(call, rest);
    ngo_call_query(call, "type", type, NGO_FORM);
    return call;
}

/* ---- list ---- */

static nango_call *plan_list(
    nango_client *client, const char *key, const nango_functions_query *query)
{
    nango_call *call = plan_all(client, "GET", key);

    if (query == NULL)
        return call;
    ngo_call_query(call, "type", query->type, NGO_FORM);
    ngo_call_query(call, "search", query->search, NGO_FORM);
    if (query->page != 0)
        ngo_call_query_int(call, "page", query->page);
    if (query->limit != 0)
        ngo_call_query_int(call, "limit", query->limit);
    return call;
}

nango_code nango_list_functions(nango_client *client, const char *unique_key,
    const nango_functions_query *query, nango_response **out, nango_error *err)
{
    NGO_RUN(plan_list(client, unique_key, query), nango_response, nango_response_free,
        out, err);
}

nango_code nango_list_functions_start(nango_client *client, const char *unique_key,
    const nango_functions_query *query, nango_response_done *done, void *user,
    nango_call **call, nango_error *err)
{
    NGO_START(plan_list(client, unique_key, query), done, user, call, err);
}

/* ---- get ---- */

nango_code nango_get_function(nango_client *client, const char *unique_key,
    const char *name, const char *type, nango_response **out, nango_error *err)
{
    NGO_RUN(plan_one(client, "GET", unique_key, name, "", type), nango_response,
        nango_response_free, out, err);
}

nango_code nango_get_function_start(nango_client *client, const char *unique_key,
    const char *name, const char *type, nango_response_done *done, void *user,
    nango_call **call, nango_error *err)
{
    NGO_START(plan_one(client, "GET", unique_key, name, "", type), done, user, call, err);
}

nango_code nango_get_function_code(nango_client *client, const char *unique_key,
    const char *name, const char *type, nango_response **out, nango_error *err)
{
    NGO_RUN(plan_one(client, "GET", unique_key, name, "/code", type), nango_response,
        nango_response_free, out, err);
}

nango_code nango_get_function_code_start(nango_client *client, const char *unique_key,
    const char *name, const char *type, nango_response_done *done, void *user,
    nango_call **call, nango_error *err)
{
    NGO_START(
        plan_one(client, "GET", unique_key, name, "/code", type), done, user, call, err);
}

/* ---- delete ---- */

static nango_call *plan_delete(
    nango_client *client, const char *key, const char *name, const char *type)
{
    nango_call *call = plan_one(client, "DELETE", key, name, "", type);

    ngo_call_need(call, type, "Function type");
    return call;
}

nango_code nango_delete_function(nango_client *client, const char *unique_key,
    const char *name, const char *type, nango_response **out, nango_error *err)
{
    NGO_RUN(plan_delete(client, unique_key, name, type), nango_response,
        nango_response_free, out, err);
}

nango_code nango_delete_function_start(nango_client *client, const char *unique_key,
    const char *name, const char *type, nango_response_done *done, void *user,
    nango_call **call, nango_error *err)
{
    NGO_START(plan_delete(client, unique_key, name, type), done, user, call, err);
}
