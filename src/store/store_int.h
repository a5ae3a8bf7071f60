/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the store: what a backend implements, and what stands above all backends.
 *
 *   store.h functions ─► cache ─► ops table ─► sqlite/ (later: postgres/)
 *                          ▲
 *   touches ───────────────┘ coalesced, written once a second through the ops
 *
 * A backend knows no cache. An op that writes returns when the write is durable, and
 * tells what else its write changed, so that the layer above can drop it from the cache.
 * Rows that an op hands out are fresh, with one reference, and nobody else's yet. */
#ifndef STORE_STORE_INT_H
#define STORE_STORE_INT_H

#include <stdatomic.h>

#include "store/store.h"

struct backend;
struct cache;
struct touches;

/* Exactly one is set. */
struct environment_key {
    int64_t id;
    const char *name;
    const char *uuid;
    const char *public_key;
};

struct connection_key {
    int64_t environment_id;
    const char *provider_config_key;
    const char *connection_id;
};

/* What a write to one connection did beside it. */
struct put_effect {
    bool created;
    bool end_user_changed; /* rows of other connections show this end user as well */
    int64_t environment_id;
};

/* Signatures follow store.h where no comment says otherwise. */
struct store_ops {
    void (*close)(struct backend *b);
    bool (*check)(struct backend *b, struct err *err);
    bool (*backup)(struct backend *b, const char *file, struct err *err);
    bool (*is_ready)(struct backend *b);
    void (*stats)(const struct backend *b, struct store_stats *out); /* commits, writes */

    bool (*list_keys)(
        struct backend *b, struct store_key **out, size_t *count, struct err *err);
    bool (*put_key)(struct backend *b, uint32_t number, const void *wrapped, size_t len,
        struct err *err);

    bool (*replace_keys)(
        struct backend *b, const struct store_key *keys, size_t count, struct err *err);

    bool (*find_environment)(struct backend *b, const struct environment_key *key,
        struct environment_row **out, struct err *err);
    bool (*list_environments)(
        struct backend *b, struct environment_row ***out, size_t *count, struct err *err);
    bool (*insert_environment)(struct backend *b, const struct environment_row *row,
        struct environment_row **out, struct err *err);
    bool (*patch_environment)(struct backend *b, int64_t id,
        const struct environment_patch *patch, struct err *err);
    bool (*delete_environment)(
        struct backend *b, int64_t id, bool *found, struct err *err);

    bool (*find_api_key)(struct backend *b, const uint8_t sha256[SHA256_LEN],
        struct api_key_row **out, struct err *err);
    bool (*list_api_keys)(struct backend *b, int64_t environment_id,
        struct api_key_row ***out, size_t *count, struct err *err);
    bool (*insert_api_key)(struct backend *b, const struct api_key_row *row,
        struct api_key_row **out, struct err *err);
    bool (*delete_api_key)(struct backend *b, int64_t environment_id, int64_t id,
        bool *found, struct err *err);

    bool (*list_variables)(struct backend *b, int64_t environment_id,
        struct variable_row **out, size_t *count, struct err *err);
    bool (*put_variable)(struct backend *b, int64_t environment_id, const char *name,
        const void *value, size_t len, struct err *err);
    bool (*delete_variable)(struct backend *b, int64_t environment_id, const char *name,
        bool *found, struct err *err);

    bool (*find_integration)(struct backend *b, int64_t environment_id,
        const char *unique_key, struct integration_row **out, struct err *err);
    bool (*list_integrations)(struct backend *b, int64_t environment_id,
        struct integration_row ***out, size_t *count, struct err *err);
    bool (*insert_integration)(struct backend *b, const struct integration_row *row,
        struct integration_row **out, struct err *err);
    bool (*update_integration)(struct backend *b, const struct integration_row *row,
        bool *renamed, struct integration_row **out, struct err *err);
    bool (*delete_integration)(
        struct backend *b, int64_t id, bool *found, struct err *err);
    bool (*count_connections)(
        struct backend *b, int64_t integration_id, size_t *out, struct err *err);

    bool (*find_connection)(struct backend *b, const struct connection_key *key,
        struct connection_row **out, struct err *err);
    bool (*reload_connection)(
        struct backend *b, int64_t id, struct connection_row **out, struct err *err);
    bool (*list_connections)(struct backend *b, const struct connection_filter *filter,
        struct connection_row ***out, size_t *count, struct err *err);
    bool (*list_idle_connections)(struct backend *b, const struct idle_query *query,
        struct idle_row *out, size_t *count, struct err *err);
    bool (*put_connection)(struct backend *b, const struct connection_row *row,
        const struct put_terms *terms, struct put_effect *effect,
        struct connection_row **out, struct err *err);
    bool (*patch_connection)(struct backend *b, int64_t id,
        const struct connection_patch *patch, struct put_effect *effect, struct err *err);
    bool (*delete_connection)(
        struct backend *b, int64_t id, bool *found, struct err *err);
    bool (*drop_held_connections)(struct backend *b, int64_t id, struct err *err);
    /* `ids` gets the row ids, as many as the change names. */
    bool (*set_metadata)(struct backend *b, const struct metadata_change *change,
        int64_t *ids, struct err *err);
    /* Notes the fetches of `count` connections; those that are gone are skipped. */
    bool (*touch_connections)(struct backend *b, const int64_t *ids,
        const int64_t *times_ms, size_t count, struct err *err);

    bool (*take_refresh_lease)(struct backend *b, int64_t connection_id,
        const char *holder, int64_t ttl_ms, bool *taken, struct err *err);
    bool (*release_refresh_lease)(
        struct backend *b, int64_t connection_id, const char *holder, struct err *err);
    bool (*put_refresh_journal)(struct backend *b, int64_t connection_id,
        const char *holder, const void *sealed, size_t len, int64_t *id, struct err *err);
    bool (*list_refresh_journal)(struct backend *b, int64_t connection_id,
        struct refresh_journal_row **out, size_t *count, struct err *err);
    bool (*delete_refresh_journal)(struct backend *b, int64_t id, struct err *err);
    bool (*publish_credentials)(struct backend *b,
        const struct credentials_update *update, struct connection_row **out,
        struct err *err);
    bool (*note_refresh_failure)(struct backend *b, const struct refresh_failure *failure,
        bool *counted, struct connection_row **out, struct err *err);

    bool (*insert_connect_session)(struct backend *b, const uint8_t token[SHA256_LEN],
        const struct connect_session_row *row, int64_t *id, struct err *err);
    bool (*find_connect_session)(struct backend *b, const uint8_t token[SHA256_LEN],
        int64_t now_ms, struct connect_session_row **out, struct err *err);
    bool (*delete_connect_session)(
        struct backend *b, const uint8_t token[SHA256_LEN], bool *found, struct err *err);
    bool (*insert_oauth_state)(struct backend *b, const uint8_t state[SHA256_LEN],
        const struct oauth_state_row *row, struct err *err);
    bool (*find_oauth_state)(struct backend *b, const uint8_t state[SHA256_LEN],
        int64_t now_ms, int64_t *environment_id, struct err *err);
    bool (*take_oauth_state)(struct backend *b, const uint8_t state[SHA256_LEN],
        int64_t now_ms, struct oauth_state_row **out, struct err *err);

    bool (*list_scripts)(struct backend *b, const struct script_filter *filter,
        struct script_row ***out, size_t *count, size_t *total, struct err *err);
    bool (*has_event_script)(struct backend *b, int64_t environment_id,
        int64_t integration_id, const char *event, bool *has, struct err *err);
    bool (*list_script_versions)(struct backend *b, int64_t script_id,
        struct script_row ***out, size_t *count, struct err *err);
    bool (*load_code)(struct backend *b, const uint8_t sha256[SHA256_LEN],
        struct blob *out, struct err *err);
    bool (*deploy_scripts)(struct backend *b, const struct script_deploy *deploy,
        struct script_row ***made, struct err *err);
    bool (*activate_script_version)(struct backend *b, int64_t script_id,
        int64_t version_id, bool *found, struct err *err);
    bool (*enable_script)(
        struct backend *b, int64_t script_id, bool enabled, bool *found, struct err *err);

    bool (*put_async_run)(
        struct backend *b, const struct async_run_row *row, struct err *err);
    bool (*find_async_run)(struct backend *b, int64_t environment_id, const char *uuid,
        struct async_run_row **out, struct err *err);
    bool (*take_async_run)(struct backend *b, int64_t now_ms, struct async_run_row **out,
        int64_t *next_ms, struct err *err);
    bool (*end_async_run)(struct backend *b, int64_t id, const struct blob *outcome,
        int64_t due_at_ms, const struct webhook_puts *webhooks, struct err *err);
    bool (*drop_async_run)(struct backend *b, int64_t id,
        const struct webhook_puts *webhooks, struct err *err);
    bool (*resume_async_runs)(struct backend *b, struct err *err);
    bool (*sweep_async_runs)(
        struct backend *b, int64_t finished_before_ms, struct err *err);

    bool (*find_checkpoint)(struct backend *b, int64_t connection_id, const char *key,
        struct checkpoint *out, struct err *err);
    bool (*put_checkpoint)(struct backend *b, int64_t connection_id, const char *key,
        const char *value_json, int64_t *version, struct err *err);
    bool (*remove_checkpoints)(struct backend *b, int64_t connection_id,
        const char *key_prefix, struct err *err);
    const struct function_job_ops *function_jobs; /* function_jobs_int.h */
    const struct sync_ops *syncs;                 /* syncs_int.h */
    const struct webhook_ops *webhooks;           /* webhooks_int.h */
    const struct inbound_ops *inbound;            /* inbound_int.h */

    bool (*sweep)(
        struct backend *b, int64_t now_ms, int64_t deleted_before_ms, struct err *err);
};

/* The head of every backend's own struct. */
struct backend {
    const struct store_ops *ops;
    bool reads_are_local;
    /* Grows with each finished write of another process; NULL = there are no others. */
    const _Atomic uint64_t *others;
};

struct store {
    struct backend *backend;
    struct cache *environments; /* keyed "i<id>", "n<name>", "u<uuid>", "p<public key>" */
    struct cache *api_keys;     /* keyed by SHA-256 */
    struct cache *integrations;
    struct cache *connections;
    _Atomic uint64_t seen;   /* of backend->others: the caches are not older */
    struct touches *touches; /* NULL in tools: read only, or beside a server */
};

bool sqlite_open(
    const struct store_config *config, struct backend **out, struct err *err);
bool sqlite_restore(const struct store_config *config, const char *file, struct err *err);

/* ---- rows (rows.c) ---- */
void blob_free(struct blob *blob);
struct blob blob_dup(struct blob blob);
struct end_user_row *end_user_dup(const struct end_user_row *row); /* accepts NULL */
void end_user_free(struct end_user_row *row);
struct connection_row *connection_row_dup(
    const struct connection_row *row); /* refs = 1 */
/* For the cache: take a reference of any counted row, whose first member is `int refs`.
 */
void row_ref(void *row);

#endif
