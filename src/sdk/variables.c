/* SPDX-License-Identifier: Apache-2.0 */
/* The environment variables that are set on the server (contract http-api.md, 11). They may
 * be secrets: like every answer they are wiped when freed. */
#include "sdk/methods_int.h"

#include <string.h>

/* No variables may also be an answer without content, or null. */
static void *variables_decode(nango_call *call)
{
    const bool empty = call->response->body.len == 0;
    const nango_json *root = empty ? NULL : ngo_decode_json(call);

    if (empty || nango_json_type_of(root) == NANGO_JSON_NULL)
        return ngo_list_take(call, sizeof(struct ngo_item), NULL);
    return root == NULL ? NULL : ngo_decode_list(call, sizeof(struct ngo_item), "");
}

static void variables_deliver(
    ngo_fn *done, void *result, const nango_error *error, void *user)
{
    ((nango_variables_done *)done)(result, error, user);
}

const struct ngo_shape ngo_shape_variables = {
    variables_decode, ngo_list_free, variables_deliver};

static nango_call *plan_variables(nango_client *client)
{
    nango_call *call =
        ngo_call_new(client, "GET", "/environment-variables", &ngo_shape_variables);

    ngo_plan_json_type(call);
    return call;
}

nango_code nango_get_environment_variables(
    nango_client *client, nango_variables **out, nango_error *err)
{
    NGO_RUN(plan_variables(client), nango_variables, nango_variables_free, out, err);
}

nango_code nango_get_environment_variables_start(nango_client *client,
    nango_variables_done *done, void *user, nango_call **call, nango_error *err)
{
    NGO_START(plan_variables(client), done, user, call, err);
}

size_t nango_variables_count(const nango_variables *variables)
{
    return ngo_list_count(variables);
}

bool nango_variables_at(const nango_variables *variables, size_t index, nango_pair *out)
{
    const void *item = ngo_list_at((const struct ngo_list *)variables, index);
    const nango_json *json = ngo_item_json(item);

    if (item == NULL || out == NULL)
        return false;
    /* A pair has both. */
    out->name = nango_json_string_at(json, "/name", "");
    out->value = nango_json_string_at(json, "/value", "");
    return true;
}

const char *nango_variables_find(const nango_variables *variables, const char *name)
{
    nango_pair pair;

    for (size_t i = 0; name != NULL && nango_variables_at(variables, i, &pair); i++) {
        if (strcmp(pair.name, name) == 0)
            return pair.value;
    }
    return NULL;
}

const nango_response *nango_variables_response(const nango_variables *variables)
{
    return ngo_list_response(variables);
}

void nango_variables_free(nango_variables *variables)
{
    ngo_list_free(variables);
}
