/* SPDX-License-Identifier: Apache-2.0 */
/* Syncs, actions, and what the environment has deployed. */
#include "lists.h"

LIST_ENDED(sync_states, put_sync_state, NOTHING_MORE);

static void put_async_action(
    struct out *out, const char *name, const nango_async_action *action)
{
    put_open(out, name, '{');
    put_text(out, "id", nango_async_action_id(action));
    put_text(out, "status_url", nango_async_action_status_url(action));
    put_close(out, '}');
}

ONE_ENDED(async_action, put_async_action);

static void put_variables(
    struct out *out, const char *name, const nango_variables *variables)
{
    size_t count = nango_variables_count(variables);
    nango_pair pair;

    put_open(out, name, '{');
    put_int(out, "count", (int64_t)count);
    put_open(out, "items", '[');
    for (size_t i = 0; i < count; i++) {
        if (!nango_variables_at(variables, i, &pair))
            fault("variable %zu is missing", i);
        put_open(out, NULL, '[');
        put_text(out, NULL, pair.name);
        put_text(out, NULL, pair.value);
        put_text(out, NULL, nango_variables_find(variables, pair.name));
        put_close(out, ']');
    }
    put_close(out, ']');
    if (nango_variables_at(variables, count, &pair))
        fault("there is a variable beyond the end");
    put_text(out, "no_variable", nango_variables_find(variables, "no such variable"));
    put_close(out, '}');
}

ONE_ENDED(variables, put_variables);

static void trigger_sync(struct run *run)
{
    const nango_json *opts = arg(run, "opts");
    nango_trigger_options options = {0};
    size_t count;
    const nango_sync *syncs = get_syncs(run, "syncs", &count);

    if (opts != NULL) {
        options.form = NANGO_TRIGGER_OPTS;
        nango_json_bool(nango_json_get(opts, "reset"), &options.reset);
        nango_json_bool(nango_json_get(opts, "emptyCache"), &options.empty_cache);
    } else if (arg(run, "syncMode") != NULL) {
        options.form = NANGO_TRIGGER_SYNC_MODE;
        options.sync_mode = arg_text(run, "syncMode");
    } else if (arg(run, "fullResync") != NULL) {
        options.form = NANGO_TRIGGER_FULL_RESYNC;
        options.reset = arg_bool(run, "fullResync");
    }
    CALL(run, response, trigger_sync, arg_text(run, "providerConfigKey"), syncs, count,
        arg_text(run, "connectionId"), arg_bool(run, "plain") ? NULL : &options);
}

static void start_sync(struct run *run)
{
    size_t count;
    const nango_sync *syncs = get_syncs(run, "syncs", &count);

    CALL(run, response, start_sync, arg_text(run, "providerConfigKey"), syncs, count,
        arg_text(run, "connectionId"));
}

static void pause_sync(struct run *run)
{
    size_t count;
    const nango_sync *syncs = get_syncs(run, "syncs", &count);

    CALL(run, response, pause_sync, arg_text(run, "providerConfigKey"), syncs, count,
        arg_text(run, "connectionId"));
}

static void sync_status(struct run *run)
{
    size_t count;
    const nango_sync *syncs = get_syncs(run, "syncs", &count);

    CALL(run, sync_states, sync_status, arg_text(run, "providerConfigKey"), syncs, count,
        arg_text(run, "connectionId"));
}

static void update_sync_connection_frequency(struct run *run)
{
    size_t count;
    const nango_sync *sync = get_syncs(run, "sync", &count);

    CALL(run, response, update_sync_connection_frequency,
        arg_text(run, "providerConfigKey"), sync, arg_text(run, "connectionId"),
        arg_text(run, "frequency"));
}

static void create_sync_variant(struct run *run)
{
    nango_sync sync = {arg_text(run, "name"), arg_text(run, "variant")};

    CALL(run, response, create_sync_variant, arg_text(run, "provider_config_key"),
        arg_text(run, "connection_id"), &sync);
}

static void delete_sync_variant(struct run *run)
{
    nango_sync sync = {arg_text(run, "name"), arg_text(run, "variant")};

    CALL(run, response, delete_sync_variant, arg_text(run, "provider_config_key"),
        arg_text(run, "connection_id"), &sync);
}

static void get_scripts_config(struct run *run)
{
    CALL(run, response, get_scripts_config, arg_text(run, "format"));
}

static void get_environment_variables(struct run *run)
{
    CALL(run, variables, get_environment_variables);
}

static void trigger_action(struct run *run)
{
    CALL(run, response, trigger_action, arg_text(run, "providerConfigKey"),
        arg_text(run, "connectionId"), arg_text(run, "actionName"),
        arg_json(run, "input"));
}

static void trigger_action_async(struct run *run)
{
    CALL(run, async_action, trigger_action_async, arg_text(run, "providerConfigKey"),
        arg_text(run, "connectionId"), arg_text(run, "actionName"),
        arg_json(run, "input"));
}

static void get_async_action_result(struct run *run)
{
    CALL(run, response, get_async_action_result, arg_text(run, "id"),
        arg_text(run, "statusUrl"));
}

const struct method sync_methods[] = {
    {"triggerSync", trigger_sync},
    {"startSync", start_sync},
    {"pauseSync", pause_sync},
    {"syncStatus", sync_status},
    {"updateSyncConnectionFrequency", update_sync_connection_frequency},
    {"createSyncVariant", create_sync_variant},
    {"deleteSyncVariant", delete_sync_variant},
    {"getScriptsConfig", get_scripts_config},
    {"getEnvironmentVariables", get_environment_variables},
    {"triggerAction", trigger_action},
    {"triggerActionAsync", trigger_action_async},
    {"getAsyncActionResult", get_async_action_result},
    {NULL, NULL},
};
