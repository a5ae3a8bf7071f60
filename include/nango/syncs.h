/* SPDX-License-Identifier: Apache-2.0 */
/* Syncs: the scripts that copy a customer's data on a schedule; and what the environment
 * has deployed. Source: contract node-sdk.md sections 2 and 3, http-api.md sections 8, 11
 * and 12. */
#ifndef NANGO_SYNCS_H
#define NANGO_SYNCS_H

#include "nango/async.h"
#include "nango/json.h"
#include "nango/response.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nango_sync_state nango_sync_state;   /* opaque: lent by a list */
typedef struct nango_sync_states nango_sync_states; /* opaque: a list */
typedef struct nango_variables nango_variables;     /* opaque */

typedef void nango_sync_states_done(
    nango_sync_states *states, const nango_error *error, void *user);
typedef void nango_variables_done(
    nango_variables *variables, const nango_error *error, void *user);

/* A sync by its name, and by its variant when `variant` is not NULL. */
typedef struct {
    const char *name;
    const char *variant;
} nango_sync;

/* The three ways of saying how a sync is to run, which servers have known. */
typedef enum {
    NANGO_TRIGGER_PLAIN = 0, /* nothing: run from the last state */
    NANGO_TRIGGER_OPTS = 1,  /* `reset` and `empty_cache`; servers of 2025 and later */
    NANGO_TRIGGER_SYNC_MODE = 2,  /* `sync_mode`; servers of 2024 and later */
    NANGO_TRIGGER_FULL_RESYNC = 3 /* `reset` as `full_resync`; servers of early 2024 */
} nango_trigger_form;

/* How nango_trigger_sync() runs a sync. */
typedef struct {
    nango_trigger_form form;
    bool reset;            /* from the beginning */
    bool empty_cache;      /* forget the records first; together with `reset` */
    const char *sync_mode; /* incremental, full_refresh, full_refresh_and_clear_cache */
    const void *reserved[4];
} nango_trigger_options;

/* Runs syncs once, now: POST /sync/trigger. `syncs`: `count` of them; 0: all of the
 * integration's. `connection_id` NULL: for every connection. `options` may be NULL. */
NANGO_API nango_code nango_trigger_sync(nango_client *client,
    const char *provider_config_key, const nango_sync *syncs, size_t count,
    const char *connection_id, const nango_trigger_options *options, nango_response **out,
    nango_error *err);
NANGO_API nango_code nango_trigger_sync_start(nango_client *client,
    const char *provider_config_key, const nango_sync *syncs, size_t count,
    const char *connection_id, const nango_trigger_options *options,
    nango_response_done *done, void *user, nango_call **call, nango_error *err);

/* Starts the schedule of syncs: POST /sync/start. Arguments as for nango_trigger_sync(). */
NANGO_API nango_code nango_start_sync(nango_client *client,
    const char *provider_config_key, const nango_sync *syncs, size_t count,
    const char *connection_id, nango_response **out, nango_error *err);
NANGO_API nango_code nango_start_sync_start(nango_client *client,
    const char *provider_config_key, const nango_sync *syncs, size_t count,
    const char *connection_id, nango_response_done *done, void *user, nango_call **call,
    nango_error *err);

/* Stops the schedule of syncs: POST /sync/pause. As nango_start_sync(). */
NANGO_API nango_code nango_pause_sync(nango_client *client,
    const char *provider_config_key, const nango_sync *syncs, size_t count,
    const char *connection_id, nango_response **out, nango_error *err);
NANGO_API nango_code nango_pause_sync_start(nango_client *client,
    const char *provider_config_key, const nango_sync *syncs, size_t count,
    const char *connection_id, nango_response_done *done, void *user, nango_call **call,
    nango_error *err);

/* Tells how syncs stand: GET /sync/status. `syncs` NULL: all. `connection_id` NULL: of
 * every connection. */
NANGO_API nango_code nango_sync_status(nango_client *client,
    const char *provider_config_key, const nango_sync *syncs, size_t count,
    const char *connection_id, nango_sync_states **out, nango_error *err);
NANGO_API nango_code nango_sync_status_start(nango_client *client,
    const char *provider_config_key, const nango_sync *syncs, size_t count,
    const char *connection_id, nango_sync_states_done *done, void *user,
    nango_call **call, nango_error *err);

/* Sets how often a sync runs for one connection: PUT /sync/update-connection-frequency.
 * `frequency`: as "every 2 hours"; NULL: the script's own again. The answer's JSON has
 * "/frequency". */
NANGO_API nango_code nango_update_sync_connection_frequency(nango_client *client,
    const char *provider_config_key, const nango_sync *sync, const char *connection_id,
    const char *frequency, nango_response **out, nango_error *err);
NANGO_API nango_code nango_update_sync_connection_frequency_start(nango_client *client,
    const char *provider_config_key, const nango_sync *sync, const char *connection_id,
    const char *frequency, nango_response_done *done, void *user, nango_call **call,
    nango_error *err);

/* Makes a variant of a sync for one connection: POST /sync/{name}/variant/{variant}. The
 * answer's JSON has "/id". Both members of `sync` are needed. */
NANGO_API nango_code nango_create_sync_variant(nango_client *client,
    const char *provider_config_key, const char *connection_id, const nango_sync *sync,
    nango_response **out, nango_error *err);
NANGO_API nango_code nango_create_sync_variant_start(nango_client *client,
    const char *provider_config_key, const char *connection_id, const nango_sync *sync,
    nango_response_done *done, void *user, nango_call **call, nango_error *err);

/* Deletes a variant: DELETE /sync/{name}/variant/{variant}. */
NANGO_API nango_code nango_delete_sync_variant(nango_client *client,
    const char *provider_config_key, const char *connection_id, const nango_sync *sync,
    nango_response **out, nango_error *err);
NANGO_API nango_code nango_delete_sync_variant_start(nango_client *client,
    const char *provider_config_key, const char *connection_id, const nango_sync *sync,
    nango_response_done *done, void *user, nango_call **call, nango_error *err);

/* Fetches what is deployed: GET /scripts/config. `format`: "nango" or "openai"; NULL:
 * nango. The answer's JSON is a list of integrations, or "/data" with tools. */
NANGO_API nango_code nango_get_scripts_config(
    nango_client *client, const char *format, nango_response **out, nango_error *err);
NANGO_API nango_code nango_get_scripts_config_start(nango_client *client,
    const char *format, nango_response_done *done, void *user, nango_call **call,
    nango_error *err);

/* Fetches the environment variables set on the server: GET /environment-variables. */
NANGO_API nango_code nango_get_environment_variables(
    nango_client *client, nango_variables **out, nango_error *err);
NANGO_API nango_code nango_get_environment_variables_start(nango_client *client,
    nango_variables_done *done, void *user, nango_call **call, nango_error *err);

/* How many syncs the answer tells of. */
NANGO_API size_t nango_sync_states_count(const nango_sync_states *states);

/* One of them, counted from 0; NULL beyond the end. Borrowed from the list. */
NANGO_API const nango_sync_state *nango_sync_states_at(
    const nango_sync_states *states, size_t index);

/* The answer that the list came with. */
NANGO_API const nango_response *nango_sync_states_response(
    const nango_sync_states *states);

/* Frees the list. Accepts NULL. */
NANGO_API void nango_sync_states_free(nango_sync_states *states);

/* The sync's id. The text of this and of the functions below is borrowed from the list, and
 * NULL when the server gave none. */
NANGO_API const char *nango_sync_state_id(const nango_sync_state *state);

/* The sync's name. */
NANGO_API const char *nango_sync_state_name(const nango_sync_state *state);

/* Its variant; "base" when the server gives none. */
NANGO_API const char *nango_sync_state_variant(const nango_sync_state *state);

/* Whose data it copies. */
NANGO_API const char *nango_sync_state_connection_id(const nango_sync_state *state);

/* How it stands: RUNNING, SUCCESS, ERROR, PAUSED or STOPPED. */
NANGO_API const char *nango_sync_state_status(const nango_sync_state *state);

/* INCREMENTAL or INITIAL. */
NANGO_API const char *nango_sync_state_type(const nango_sync_state *state);

/* How often it runs, as "every 1 hour". */
NANGO_API const char *nango_sync_state_frequency(const nango_sync_state *state);

/* When its last run ended (ISO 8601). */
NANGO_API const char *nango_sync_state_finished_at(const nango_sync_state *state);

/* When it runs next (ISO 8601); NULL while paused. */
NANGO_API const char *nango_sync_state_next_at(const nango_sync_state *state);

/* How many records of a model it holds; -1 when the server does not say. */
NANGO_API int64_t nango_sync_state_record_count(
    const nango_sync_state *state, const char *model);

/* What the last run did to a model's records. False when the server does not say. */
NANGO_API bool nango_sync_state_latest(const nango_sync_state *state, const char *model,
    int64_t *added, int64_t *updated, int64_t *deleted);

/* All of it as the server sent it. */
NANGO_API const nango_json *nango_sync_state_json(const nango_sync_state *state);

/* How many variables there are. */
NANGO_API size_t nango_variables_count(const nango_variables *variables);

/* One of them, counted from 0; false beyond the end. Borrowed. */
NANGO_API bool nango_variables_at(
    const nango_variables *variables, size_t index, nango_pair *out);

/* The value of the variable of that name; NULL when there is none. Borrowed. */
NANGO_API const char *nango_variables_find(
    const nango_variables *variables, const char *name);

/* The answer that they came with. */
NANGO_API const nango_response *nango_variables_response(
    const nango_variables *variables);

/* Wipes and frees. Accepts NULL. */
NANGO_API void nango_variables_free(nango_variables *variables);

#ifdef __cplusplus
}
#endif
#endif
