/* SPDX-License-Identifier: Apache-2.0 */
/* How syncs stand: GET /sync/status and what its answer says (contract http-api.md, 8.3). */
#include "sdk/methods_int.h"

static void *states_decode(nango_call *call)
{
    return ngo_decode_list(call, sizeof(struct ngo_item), "/syncs");
}

static void states_deliver(
    ngo_fn *done, void *result, const nango_error *error, void *user)
{
    ((nango_sync_states_done *)done)(result, error, user);
}

const struct ngo_shape ngo_shape_sync_states = {
    states_decode, ngo_list_free, states_deliver};

/* "a,b::variant" */
static void add_names(nango_call *call, const nango_sync *syncs, size_t count)
{
    struct ngo_text names;

    ngo_text_init(&names, &call->mem);
    for (size_t i = 0; i < count; i++) {
        ngo_call_need(call, syncs[i].name, "Sync");
        if (syncs[i].name == NULL)
            break;
        if (i > 0)
            ngo_text_putc(&names, ',');
        ngo_text_puts(&names, syncs[i].name);
        if (syncs[i].variant == NULL || *syncs[i].variant == '\0')
            continue;
        ngo_text_puts(&names, "::");
        ngo_text_puts(&names, syncs[i].variant);
    }
    ngo_plan_query_text(call, "syncs", &names, NGO_AXIOS);
}

static nango_call *plan_status(nango_client *client, const char *key,
    const nango_sync *syncs, size_t count, const char *connection_id)
{
    nango_call *call =
        ngo_call_new(client, "GET", "/sync/status", &ngo_shape_sync_states);

    ngo_call_need(call, key, "Provider Config Key");
    if (call == NULL)
        return NULL;
    if (syncs == NULL || count == 0)
        ngo_call_query(call, "syncs", "*", NGO_AXIOS);
    else
        add_names(call, syncs, count);
    ngo_call_query(call, "provider_config_key", key, NGO_AXIOS);
    ngo_call_query(call, "connection_id", connection_id, NGO_AXIOS);
    return call;
}

nango_code nango_sync_status(nango_client *client, const char *provider_config_key,
    const nango_sync *syncs, size_t count, const char *connection_id,
    nango_sync_states **out, nango_error *err)
{
    NGO_RUN(plan_status(client, provider_config_key, syncs, count, connection_id),
        nango_sync_states, nango_sync_states_free, out, err);
}

nango_code nango_sync_status_start(nango_client *client, const char *provider_config_key,
    const nango_sync *syncs, size_t count, const char *connection_id,
    nango_sync_states_done *done, void *user, nango_call **call, nango_error *err)
{
    NGO_START(plan_status(client, provider_config_key, syncs, count, connection_id), done,
        user, call, err);
}

/* ---- the list ---- */

size_t nango_sync_states_count(const nango_sync_states *states)
{
    return ngo_list_count(states);
}

const nango_sync_state *nango_sync_states_at(
    const nango_sync_states *states, size_t index)
{
    return ngo_list_at((const struct ngo_list *)states, index);
}

const nango_response *nango_sync_states_response(const nango_sync_states *states)
{
    return ngo_list_response(states);
}

void nango_sync_states_free(nango_sync_states *states)
{
    ngo_list_free(states);
}

/* ---- one of them ---- */

const char *nango_sync_state_id(const nango_sync_state *state)
{
    return ngo_item_text(state, "/id");
}

const char *nango_sync_state_name(const nango_sync_state *state)
{
    return ngo_item_text(state, "/name");
}

const char *nango_sync_state_variant(const nango_sync_state *state)
{
    return nango_json_string_at(ngo_item_json(state), "/variant", "base");
}

const char *nango_sync_state_connection_id(const nango_sync_state *state)
{
    return ngo_item_text(state, "/connection_id");
}

const char *nango_sync_state_status(const nango_sync_state *state)
{
    return ngo_item_text(state, "/status");
}

const char *nango_sync_state_type(const nango_sync_state *state)
{
    return ngo_item_text(state, "/type");
}

const char *nango_sync_state_frequency(const nango_sync_state *state)
{
    return ngo_item_text(state, "/frequency");
}

const char *nango_sync_state_finished_at(const nango_sync_state *state)
{
    return ngo_item_text(state, "/finishedAt");
}

const char *nango_sync_state_next_at(const nango_sync_state *state)
{
    return ngo_item_text(state, "/nextScheduledSyncAt");
}

/* What a member says of a model. */
static const nango_json *of_model(
    const nango_sync_state *state, const char *member, const char *model)
{
    return model == NULL ? NULL : nango_json_get(ngo_item_member(state, member), model);
}

int64_t nango_sync_state_record_count(const nango_sync_state *state, const char *model)
{
    return nango_json_int_at(of_model(state, "recordCount", model), "", -1);
}

bool nango_sync_state_latest(const nango_sync_state *state, const char *model,
    int64_t *added, int64_t *updated, int64_t *deleted)
{
    const nango_json *latest = of_model(state, "latestResult", model);

    if (added != NULL)
        *added = nango_json_int_at(latest, "/added", 0);
    if (updated != NULL)
        *updated = nango_json_int_at(latest, "/updated", 0);
    if (deleted != NULL)
        *deleted = nango_json_int_at(latest, "/deleted", 0);
    return nango_json_type_of(latest) == NANGO_JSON_OBJECT;
}

const nango_json *nango_sync_state_json(const nango_sync_state *state)
{
    return ngo_item_json(state);
}
