/* SPDX-License-Identifier: Apache-2.0 */
/* Syncs: run, started, paused, made into variants; and the list of what is deployed
 * (contract http-api.md, 8 and 12). Servers of 2023 differ in their answers only, a plain
 * `OK`, and in knowing no options and no variants. */
#include "sdk/methods_int.h"

/* ---- trigger, start, pause ---- */

/* A name, or an object of name and variant. */
static void write_sync(struct ngo_text *text, const nango_sync *sync)
{
    if (sync->variant == NULL) {
        ngo_json_put_string(text, sync->name);
        return;
    }
    ngo_json_open(text, '{');
    ngo_json_member(text, "name", sync->name);
    ngo_json_member(text, "variant", sync->variant);
    ngo_json_close(text, '}');
}

static void write_options(struct ngo_text *text, const nango_trigger_options *options)
{
    const nango_trigger_form form = options == NULL ? NANGO_TRIGGER_PLAIN : options->form;

    switch (form) {
    case NANGO_TRIGGER_PLAIN:
        break;
    case NANGO_TRIGGER_OPTS:
        ngo_json_name(text, "opts");
        ngo_json_open(text, '{');
        ngo_json_member_raw(text, "reset", options->reset ? "true" : NULL);
        ngo_json_member_raw(text, "emptyCache", options->empty_cache ? "true" : NULL);
        ngo_json_close(text, '}');
        break;
    case NANGO_TRIGGER_SYNC_MODE:
        ngo_json_member(text, "sync_mode",
            options->sync_mode == NULL ? "incremental" : options->sync_mode);
        break;
    case NANGO_TRIGGER_FULL_RESYNC:
        ngo_json_name(text, "full_resync");
        ngo_json_put_bool(text, options->reset);
        break;
    }
}

/* The body that the three have in common; only a trigger has options. */
static nango_call *plan_command(nango_client *client, const char *path, const char *key,
    const nango_sync *syncs, size_t count, const char *connection_id,
    const nango_trigger_options *options)
{
    nango_call *call = ngo_call_new(client, "POST", path, &ngo_shape_response);
    struct ngo_text *text;

    ngo_call_need(call, key, "Provider Config Key");
    if (syncs == NULL && count > 0)
        ngo_call_need(call, NULL, "Sync");
    for (size_t i = 0; syncs != NULL && i < count; i++)
        ngo_call_need(call, syncs[i].name, "Sync");
    text = ngo_plan_open(call);
    if (text == NULL || call->error.code != NANGO_OK)
        return call;
    ngo_json_name(text, "syncs");
    ngo_json_open(text, '[');
    for (size_t i = 0; i < count; i++)
        write_sync(text, &syncs[i]);
    ngo_json_close(text, ']');
    ngo_json_member(text, "provider_config_key", key);
    ngo_json_member(text, "connection_id", connection_id);
    write_options(text, options);
    ngo_plan_close(call, text);
    return call;
}

nango_code nango_trigger_sync(nango_client *client, const char *provider_config_key,
    const nango_sync *syncs, size_t count, const char *connection_id,
    const nango_trigger_options *options, nango_response **out, nango_error *err)
{
    NGO_RUN(plan_command(client, "/sync/trigger", provider_config_key, syncs, count,
                connection_id, options),
        nango_response, nango_response_free, out, err);
}

nango_code nango_trigger_sync_start(nango_client *client, const char *provider_config_key,
    const nango_sync *syncs, size_t count, const char *connection_id,
    const nango_trigger_options *options, nango_response_done *done, void *user,
    nango_call **call, nango_error *err)
{
    NGO_START(plan_command(client, "/sync/trigger", provider_config_key, syncs, count,
                  connection_id, options),
        done, user, call, err);
}

nango_code nango_start_sync(nango_client *client, const char *provider_config_key,
    const nango_sync *syncs, size_t count, const char *connection_id,
    nango_response **out, nango_error *err)
{
    NGO_RUN(plan_command(client, "/sync/start", provider_config_key, syncs, count,
                connection_id, NULL),
        nango_response, nango_response_free, out, err);
}

nango_code nango_start_sync_start(nango_client *client, const char *provider_config_key,
    const nango_sync *syncs, size_t count, const char *connection_id,
    nango_response_done *done, void *user, nango_call **call, nango_error *err)
{
    NGO_START(plan_command(client, "/sync/start", provider_config_key, syncs, count,
                  connection_id, NULL),
        done, user, call, err);
}

nango_code nango_pause_sync(nango_client *client, const char *provider_config_key,
    const nango_sync *syncs, size_t count, const char *connection_id,
    nango_response **out, nango_error *err)
{
    NGO_RUN(plan_command(client, "/sync/pause", provider_config_key, syncs, count,
                connection_id, NULL),
        nango_response, nango_response_free, out, err);
}

nango_code nango_pause_sync_start(nango_client *client, const char *provider_config_key,
    const nango_sync *syncs, size_t count, const char *connection_id,
    nango_response_done *done, void *user, nango_call **call, nango_error *err)
{
    NGO_START(plan_command(client, "/sync/pause", provider_config_key, syncs, count,
                  connection_id, NULL),
        done, user, call, err);
}

/* ---- frequency ---- */

static nango_call *plan_frequency(nango_client *client, const char *key,
    const nango_sync *sync, const char *connection_id, const char *frequency)
{
    nango_call *call = ngo_call_new(
        client, "PUT", "/sync/update-connection-frequency", &ngo_shape_response);
    struct ngo_text *text;

    ngo_call_need(call, key, "Provider Config Key");
    ngo_call_need(call, sync == NULL ? NULL : sync->name, "Sync");
    if (connection_id == NULL)
        ngo_call_fail(call, NANGO_E_ARGUMENT, "ConnectionId must be a string.");
    text = ngo_plan_open(call);
    if (text == NULL || call->error.code != NANGO_OK)
        return call;
    ngo_json_member(text, "sync_name", sync->name);
    ngo_json_member(text, "sync_variant", sync->variant);
    ngo_json_member(text, "provider_config_key", key);
    ngo_json_member(text, "connection_id", connection_id);
    ngo_json_name(text, "frequency");
    ngo_json_put_string(text, frequency); /* null: the script's own again */
    ngo_plan_close(call, text);
    return call;
}

nango_code nango_update_sync_connection_frequency(nango_client *client,
    const char *provider_config_key, const nango_sync *sync, const char *connection_id,
    const char *frequency, nango_response **out, nango_error *err)
{
    NGO_RUN(plan_frequency(client, provider_config_key, sync, connection_id, frequency),
        nango_response, nango_response_free, out, err);
}

nango_code nango_update_sync_connection_frequency_start(nango_client *client,
    const char *provider_config_key, const nango_sync *sync, const char *connection_id,
    const char *frequency, nango_response_done *done, void *user, nango_call **call,
    nango_error *err)
{
    NGO_START(plan_frequency(client, provider_config_key, sync, connection_id, frequency),
        done, user, call, err);
}

/* ---- variants ---- */

static nango_call *plan_variant(nango_client *client, const char *method, const char *key,
    const char *connection_id, const nango_sync *sync)
{
    nango_call *call = ngo_call_new(client, method, "/sync", &ngo_shape_response);
    struct ngo_text *text;

    ngo_call_need(call, key, "Provider Config Key");
    ngo_call_need(call, connection_id, "Connection Id");
    ngo_call_segment(call, sync == NULL ? NULL : sync->name, "Sync");
    ngo_call_path(call, "/variant");
    ngo_call_segment(call, sync == NULL ? NULL : sync->variant, "Variant");
    text = ngo_plan_open(call);
    if (text == NULL)
        return call;
    ngo_json_member(text, "provider_config_key", key);
    ngo_json_member(text, "connection_id", connection_id);
    ngo_plan_close(call, text);
    return call;
}

nango_code nango_create_sync_variant(nango_client *client,
    const char *provider_config_key, const char *connection_id, const nango_sync *sync,
    nango_response **out, nango_error *err)
{
    NGO_RUN(plan_variant(client, "POST", provider_config_key, connection_id, sync),
        nango_response, nango_response_free, out, err);
}

nango_code nango_create_sync_variant_start(nango_client *client,
    const char *provider_config_key, const char *connection_id, const nango_sync *sync,
    nango_response_done *done, void *user, nango_call **call, nango_error *err)
{
    NGO_START(plan_variant(client, "POST", provider_config_key, connection_id, sync),
        done, user, call, err);
}

nango_code nango_delete_sync_variant(nango_client *client,
    const char *provider_config_key, const char *connection_id, const nango_sync *sync,
    nango_response **out, nango_error *err)
{
    NGO_RUN(plan_variant(client, "DELETE", provider_config_key, connection_id, sync),
        nango_response, nango_response_free, out, err);
}

nango_code nango_delete_sync_variant_start(nango_client *client,
    const char *provider_config_key, const char *connection_id, const nango_sync *sync,
    nango_response_done *done, void *user, nango_call **call, nango_error *err)
{
    NGO_START(plan_variant(client, "DELETE", provider_config_key, connection_id, sync),
        done, user, call, err);
}

/* ---- what is deployed ---- */

static nango_call *plan_scripts(nango_client *client, const char *format)
{
    nango_call *call =
        ngo_call_new(client, "GET", "/scripts/config", &ngo_shape_response);

    ngo_plan_json_type(call);
    ngo_call_query(call, "format", format == NULL ? "nango" : format, NGO_AXIOS);
    return call;
}

nango_code nango_get_scripts_config(
    nango_client *client, const char *format, nango_response **out, nango_error *err)
{
    NGO_RUN(plan_scripts(client, format), nango_response, nango_response_free, out, err);
}

nango_code nango_get_scripts_config_start(nango_client *client, const char *format,
    nango_response_done *done, void *user, nango_call **call, nango_error *err)
{
    NGO_START(plan_scripts(client, format), done, user, call, err);
}
