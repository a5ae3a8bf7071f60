/* SPDX-License-Identifier: Apache-2.0 */
/* The store: what nangod remembers, in the words of the domain. SQLite and PostgreSQL
 * implement it; nothing of either shows here.
 *
 * Rows handed out are immutable and counted: *_unref() when done. Secrets in rows are
 * sealed; the store never sees them in plain (vault.h). Hot rows (api keys, environments,
 * integrations, connections) come from a cache that each write keeps right.
 *
 * Any thread may call. A write returns when it is durable: concurrent writes share one
 * commit. Reads never wait for writers when store_reads_are_local(). Find functions
 * return true with *out = NULL when nothing matches. Times are ms since 1970 UTC, 0 =
 * unset. Strings are UTF-8. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/err.h"
#include "base/log.h"

struct store;
struct webhook_puts; /* store/webhooks.h */

struct blob {
    uint8_t *data; /* NULL = absent */
    size_t len;
};

struct store_key; /* below, with the key ring */
struct store_config {
    const char *data_dir; /* SQLite: holds nango.db */
    const struct clock *clock;
    const struct log *log;
    bool read_only; /* for tools beside a running server */
    bool existing;  /* a server's opening fails where there is no database yet */
    /* Writable without being the data directory's one server (no lock file, no
     * clean-shutdown mark, no touch queue): for tools that write environments, API keys
     * and variables. What they wrote is seen by the server's next lookup. */
    bool beside_server;
    size_t cache_entries; /* 0 = 20000 connections */
    /* A server checks the database for damage before it serves from it: always, or with
     * this only when the last one did not stop in order. */
    bool check_after_crash_only;
    /* Asked by a server, before the schema is changed, with the key ring of a database
     * that was there already: false, with a reason, stops the opening. A server with the
     * wrong key must leave the database to the program that wrote it. NULL = not asked.
     */
    bool (*accept_keys)(
        void *arg, const struct store_key *keys, size_t count, struct err *err);
    void *accept_keys_arg;
};

/* Opens and migrates. Fails, saying so, when the schema is newer than this program, when
 * the file is damaged, and when another nangod serves from the same data directory. */
bool store_open(const struct store_config *config, struct store **out, struct err *err);
void store_close(struct store *store); /* flushes; accepts NULL */
bool store_reads_are_local(const struct store *store);
bool store_check(struct store *store, struct err *err); /* full integrity check */
bool store_backup(
    struct store *store, const char *file, struct err *err); /* online, atomic */
/* Puts a backup in the place of the database, durably and whole: a crash leaves the old
 * or the new one. The old one is kept as nango.db.before-restore (with its -wal); one
 * that is there already is not replaced. Fails when a server or another tool uses the
 * directory, and when the backup is damaged, of a newer schema, or none. Of `config` only
 * data_dir and log are used. */
bool store_restore(const struct store_config *config, const char *file, struct err *err);
bool store_is_ready(struct store *store);

/* ---- key ring (vault.h) ---- */
struct store_key {
    uint32_t number;
    struct blob wrapped;
};
bool store_list_keys(
    struct store *store, struct store_key **out, size_t *count, struct err *err);
void store_keys_free(struct store_key *keys, size_t count);
bool store_put_key(struct store *store, uint32_t number, const void *wrapped, size_t len,
    struct err *err);
/* The whole ring at once: all of it is replaced, or none. What was there is overwritten
 * in the file. */
bool store_replace_keys(
    struct store *store, const struct store_key *keys, size_t count, struct err *err);

/* ---- environments and their keys ---- */
struct environment_row {
    int refs;
    int64_t id;
    char uuid[UUID_TEXT_SIZE];
    char public_key[UUID_TEXT_SIZE];
    char *name;
    bool is_production;
    char *callback_url; /* NULL = the server's own */
    bool hmac_enabled;
    struct blob hmac_key; /* sealed; context environment_context(uuid, "hmac_key") */
    char *webhook_url, *webhook_url_secondary; /* NULL = none */
    unsigned webhook_kinds;                    /* of enum webhook_kind */
    /* Sealed; context environment_context(uuid, "signing_key"). NULL = webhooks are signed
     * with the oldest API key. */
    struct blob signing_key;
    int64_t created_at_ms;
};
/* Which webhooks an environment wants (contract webhooks.md section 1). */
enum webhook_kind {
    WEBHOOK_SYNC_ALWAYS = 1, /* of syncs that changed nothing, too */
    WEBHOOK_SYNC_ERROR = 2,
    WEBHOOK_AUTH_CREATION = 4,
    WEBHOOK_AUTH_REFRESH_ERROR = 8,
    WEBHOOK_ASYNC_ACTION = 16,
    WEBHOOK_KINDS_ALL = 31,
};
/* Their names in settings; ends with a NULL name. */
extern const struct webhook_kind_name {
    const char *name;
    enum webhook_kind kind;
} webhook_kind_names[];
struct api_key_row {
    int refs;
    int64_t id;
    int64_t environment_id;
    char *display_name;
    char *scopes;       /* space separated; "environment:*" is all of an environment */
    struct blob secret; /* sealed; context "api_key/<sha256 hex>" */
    uint8_t sha256[SHA256_LEN];
    int64_t created_at_ms;
};
void environment_row_unref(struct environment_row *row); /* all unrefs accept NULL */
void api_key_row_unref(struct api_key_row *row);

bool store_find_environment(
    struct store *store, int64_t id, struct environment_row **out, struct err *err);
bool store_find_environment_by_name(
    struct store *store, const char *name, struct environment_row **out, struct err *err);
bool store_find_environment_by_uuid(
    struct store *store, const char *uuid, struct environment_row **out, struct err *err);
bool store_find_environment_by_public_key(
    struct store *store, const char *key, struct environment_row **out, struct err *err);
bool store_list_environments(
    struct store *store, struct environment_row ***out, size_t *count, struct err *err);
void store_environments_free(struct environment_row **rows, size_t count);
/* `id` and `created_at_ms` are set by the store. Name taken: 409 `conflict`. */
bool store_insert_environment(struct store *store, const struct environment_row *row,
    struct environment_row **out, struct err *err);
struct environment_patch {
    bool set_callback_url;
    const char *callback_url; /* NULL = the server's own */
    bool set_hmac_enabled;
    bool hmac_enabled;
    bool set_hmac_key;
    struct blob hmac_key; /* sealed; data NULL = none */
    bool set_webhook_url, set_webhook_url_secondary;
    const char *webhook_url, *webhook_url_secondary; /* NULL = none */
    unsigned webhook_kinds_on, webhook_kinds_off;
    bool set_signing_key;
    struct blob signing_key; /* sealed; data NULL = the oldest API key's */
};
/* What is not set stays as it is. An HMAC that is demanded without a key: 400
 * `missing_hmac_key`. */
bool store_patch_environment(struct store *store, int64_t id,
    const struct environment_patch *patch, struct err *err);
bool store_delete_environment(
    struct store *store, int64_t id, bool *found, struct err *err);

bool store_find_api_key(struct store *store, const uint8_t sha256[SHA256_LEN],
    struct api_key_row **out, struct err *err);
bool store_list_api_keys(struct store *store, int64_t environment_id,
    struct api_key_row ***out, size_t *count, struct err *err);
void store_api_keys_free(struct api_key_row **rows, size_t count);
/* Name taken within the environment: 409 `conflict`. */
bool store_insert_api_key(struct store *store, const struct api_key_row *row,
    struct api_key_row **out, struct err *err);
bool store_delete_api_key(struct store *store, int64_t environment_id, int64_t id,
    bool *found, struct err *err);

struct variable_row {
    char *name;
    struct blob value; /* sealed; context "variable/<environment uuid>/<name>" */
};
bool store_list_variables(struct store *store, int64_t environment_id,
    struct variable_row **out, size_t *count, struct err *err); /* by name */
void store_variables_free(struct variable_row *rows, size_t count);
bool store_put_variable(struct store *store, int64_t environment_id, const char *name,
    const void *value, size_t len, struct err *err);
bool store_delete_variable(struct store *store, int64_t environment_id, const char *name,
    bool *found, struct err *err);

/* ---- integrations ---- */
struct integration_row {
    int refs;
    int64_t id;
    int64_t environment_id;
    int64_t version;          /* grows with each write */
    char uid[UUID_TEXT_SIZE]; /* never changes: names the row in sealing contexts */
    char *unique_key;         /* the provider config key */
    char *provider;
    char *display_name; /* NULL = the provider's */
    bool forward_webhooks;
    struct blob settings; /* sealed JSON; see auth/integration.h */
    int64_t created_at_ms;
    int64_t updated_at_ms;
};
void integration_row_unref(struct integration_row *row);
bool store_find_integration(struct store *store, int64_t environment_id,
    const char *unique_key, struct integration_row **out, struct err *err);
bool store_list_integrations(struct store *store, int64_t environment_id,
    struct integration_row ***out, size_t *count, struct err *err); /* oldest first */
void store_integrations_free(struct integration_row **rows, size_t count);
/* `id`, `version` and times set by the store. Key taken: 409
 * `duplicate_provider_config`. */
bool store_insert_integration(struct store *store, const struct integration_row *row,
    struct integration_row **out, struct err *err);
/* Replaces unique_key, display_name, forward_webhooks, settings of row->id. Fails with
 * 409 `stale_integration` when the row's version is no longer row->version: what was
 * written since would be lost, so read it again and repeat the change. */
bool store_update_integration(struct store *store, const struct integration_row *row,
    struct integration_row **out, struct err *err);
/* Deletes its connections and scripts (softly) as well. */
bool store_delete_integration(
    struct store *store, int64_t id, bool *found, struct err *err);
bool store_count_connections(
    struct store *store, int64_t integration_id, size_t *out, struct err *err);

/* ---- connections ---- */
struct end_user_row {
    char *id; /* the customer's own id */
    char *email;
    char *display_name;
    char *tags_json; /* object, or NULL */
    char *organization_id;
    char *organization_display_name;
};
struct connection_row {
    int refs;
    int64_t id;
    int64_t environment_id;
    int64_t integration_id;
    int64_t version; /* grows with each write but a touch */
    char *connection_id;
    char *provider_config_key;
    char *provider;
    char *auth_type; /* credentials.type: OAUTH2, API_KEY, …; "NONE" */
    bool has_refresh_token;
    struct blob
        credentials;    /* sealed JSON; context: connection_context(…, "credentials") */
    struct blob config; /* sealed JSON; context: connection_context(…, "config") */
    char *metadata_json;           /* object text, or NULL */
    char *tags_json;               /* object text, never NULL */
    char *errors_json;             /* array of {type, log_id}, never NULL */
    struct end_user_row *end_user; /* or NULL */
    char *webhook_url_override;    /* or NULL */
    int64_t created_at_ms;
    int64_t updated_at_ms;
    int64_t last_fetched_at_ms;
    int64_t expires_at_ms; /* of the access token; 0 = never */
    int64_t last_refresh_success_ms;
    int64_t last_refresh_failure_ms;
    int refresh_attempts;
    bool refresh_exhausted;
    bool held; /* not a connection yet: see struct put_terms */
};
void connection_row_ref(struct connection_row *row);
void connection_row_unref(struct connection_row *row);

bool store_find_connection(struct store *store, int64_t environment_id,
    const char *provider_config_key, const char *connection_id,
    struct connection_row **out, struct err *err);
/* Past the cache: what is in the database now, a row that is held back included. */
bool store_reload_connection(
    struct store *store, int64_t id, struct connection_row **out, struct err *err);

struct connection_filter {
    int64_t environment_id;
    const char *connection_id; /* exact; NULL = any, so for all strings here */
    const char *search; /* substring, any case: connection id, end user name, e-mail */
    const char *end_user_id;
    const char *organization_id;
    const char *const *integrations; /* provider config keys */
    size_t integration_count;        /* 0 = any */
    const char *const *tag_keys;     /* all pairs must match */
    const char *const *tag_values;
    size_t tag_count;
    size_t limit; /* 0 = 10000 */
    size_t offset;
};
/* Newest created_at first, then highest id. Rows carry no credentials and no config. */
bool store_list_connections(struct store *store, const struct connection_filter *filter,
    struct connection_row ***out, size_t *count, struct err *err);
void store_connections_free(struct connection_row **rows, size_t count);

/* What is decided by the row as it is when the put takes effect; all zero = nothing. */
struct put_terms {
    const char *metadata_if_new; /* of a new row that is given none */
    bool keep_webhook_url;       /* a NULL webhook_url_override keeps what is there */
    /* 0, or the row to overwrite: 404 `unknown_connection` when it is no longer the live
     * one of that name. */
    int64_t row_id;
    /* NULL, or the config that the new one was made from: 409 `stale_connection` when the
     * row has another. */
    const struct blob *config;
    /* The row is held back, to be judged first: it is put apart, and shows what the
     * connection would be, but for a new end user. Nobody finds it by its name; reloading,
     * refreshing and setting metadata take it by its id. */
    bool hold;
    /* The row that was held back, as it was put, takes effect. What was changed of it
     * since (refreshed credentials, metadata) goes before `row`. 404
     * `unknown_connection` when it was dropped. */
    const struct connection_row *held;
    /* The enabled scripts of this event are ordered in the same write; NULL = none. */
    const char *event;
    /* Put in the same write: of a connection that is new, or of one that was there. NULL =
     * none. */
    const struct webhook_puts *webhooks_if_new, *webhooks_if_old;
};
/* Creates, or overwrites the live row of the same (environment, integration,
 * connection_id). Overwriting replaces credentials, config, webhook_url_override,
 * expires_at, clears the refresh state and errors and empties its refresh journal; tags,
 * metadata and end_user are kept when NULL here; created_at stays. `id`, `version` and
 * times are set by the store. `terms` may be NULL. */
bool store_put_connection(struct store *store, const struct connection_row *row,
    const struct put_terms *terms, bool *created, struct connection_row **out,
    struct err *err);
struct connection_patch {
    const char *tags_json;               /* NULL = keep */
    const struct end_user_row *end_user; /* NULL = keep */
    bool set_webhook_url_override;
    const char *webhook_url_override; /* NULL clears, when set_… */
};
bool store_patch_connection(struct store *store, int64_t id,
    const struct connection_patch *patch, struct err *err);
/* Soft: the row is gone for every function here; its checkpoints are removed. */
bool store_delete_connection(
    struct store *store, int64_t id, bool *found, struct err *err);
/* Removes a row that is held back, or (id 0) all of them: a server begins. */
bool store_drop_held_connections(struct store *store, int64_t id, struct err *err);
/* Sets (or merges at the top level) the metadata of all of them or of none; an id that
 * does not exist: 404 `unknown_connection`. `held_id`: the row that is held back and
 * stands for the live one of its name; 0 = none. */
struct metadata_change {
    int64_t environment_id;
    const char *provider_config_key;
    const char *const *connection_ids;
    size_t count;
    int64_t held_id;
    const char *metadata_json; /* an object */
    bool merge;
};
bool store_set_metadata(
    struct store *store, const struct metadata_change *change, struct err *err);
/* Notes a fetch. Kept in memory and written with later commits: cheap, may lose a few
 * seconds. */
void store_touch_connection(struct store *store, int64_t id, int64_t now_ms);

/* ---- refresh (architecture section 5, promise 1) ---- */
/* Takes the lease for `ttl_ms` from now, unless another holder has it unexpired. Now is
 * by the store's clock, which is one for all who share the store. One that would last
 * longer than anybody may ask for was taken before a clock was set back, and counts as
 * expired. */
#define REFRESH_LEASE_MAX_MS ((int64_t)30 * 60 * 1000)
bool store_take_refresh_lease(struct store *store, int64_t connection_id,
    const char *holder, int64_t ttl_ms, bool *taken, struct err *err);
bool store_release_refresh_lease(
    struct store *store, int64_t connection_id, const char *holder, struct err *err);
/* The provider's raw answer, sealed, before anything else is done with it. Context:
 * "refresh_journal/<connection id>". `holder`: of the lease that it came under. */
bool store_put_refresh_journal(struct store *store, int64_t connection_id,
    const char *holder, const void *sealed, size_t len, int64_t *id, struct err *err);
struct refresh_journal_row {
    int64_t id; /* never used twice: whoever settles one takes away no other */
    int64_t connection_id;
    bool refused; /* store_note_refresh_failure() left it here */
    struct blob answer;
    int64_t created_at_ms;
};
/* Of one connection, or of all (0); the latest of a connection first. Left out are those
 * under whose lease somebody is at work. */
bool store_list_refresh_journal(struct store *store, int64_t connection_id,
    struct refresh_journal_row **out, size_t *count, struct err *err);
void store_refresh_journal_free(struct refresh_journal_row *rows, size_t count);
bool store_delete_refresh_journal(struct store *store, int64_t id, struct err *err);
/* One transaction: new credentials (and config when config.data is not NULL), refresh
 * state cleared, auth errors cleared, the journal row and all refused ones of the
 * connection removed, lease released. Fails with 409 `stale_connection` when the row's
 * version is no longer `version` or it was deleted. */
struct credentials_update {
    int64_t connection_id;
    int64_t journal_id; /* 0 = none */
    int64_t version;
    const char *holder;
    struct blob credentials;
    struct blob config;
    bool has_refresh_token;
    int64_t expires_at_ms;
    int64_t now_ms;
};
bool store_publish_credentials(struct store *store,
    const struct credentials_update *update, struct connection_row **out,
    struct err *err);
/* One transaction: the failure is counted as the contract says (auth.md section 8.4), the
 * auth error `log_id` noted, the lease released. The journal row is not removed but
 * marked as refused: what cannot be read today may hold the only refresh token that is
 * still good. The first few of these and the latest are kept, until credentials are
 * published or put. *counted = false when the connection has other credentials by now: it
 * is left as it is, but for the lease and the journal row, which goes. */
struct refresh_failure {
    int64_t connection_id;
    int64_t journal_id;         /* 0 = there was no answer */
    const uint8_t *credentials; /* SHA-256 of the sealed ones that failed; NULL = any */
    const char *holder;
    int64_t now_ms;
    const char *log_id;
    const struct webhook_puts *webhooks; /* put when it is counted; NULL = none */
};
bool store_note_refresh_failure(struct store *store,
    const struct refresh_failure *failure, bool *counted, struct connection_row **out,
    struct err *err);

/* Connections that nobody has fetched since `idle_since_ms` (nor made) and whose refreshing
 * is not given up, in pages:
 *   expiring   tokens that expire before `before_ms`; the key is when
 *   else       API keys, passwords and tokens of TBA, of one integration, that were last
 *              known to work, or not to, before `before_ms`; the key is when
 * By key, then id, those after the given pair. */
#define IDLE_PAGE 100
struct idle_query {
    bool expiring;
    int64_t integration_id; /* unless expiring */
    int64_t idle_since_ms;
    int64_t before_ms;
    int64_t after_key;
    int64_t after_id;
};
struct idle_row {
    int64_t id;
    int64_t key;
};
bool store_list_idle_connections(struct store *store, const struct idle_query *query,
    struct idle_row out[IDLE_PAGE], size_t *count, struct err *err);

/* ---- connect sessions and OAuth states ---- */
struct connect_session_row {
    int64_t id;
    int64_t environment_id;
    int64_t connection_id; /* row id of the connection to reconnect; 0 = a new one */
    struct blob payload;   /* sealed JSON; context "connect_session/<token sha256 hex>" */
    int64_t created_at_ms;
    int64_t expires_at_ms;
};
bool store_insert_connect_session(struct store *store, const uint8_t token[SHA256_LEN],
    const struct connect_session_row *row, int64_t *id, struct err *err);
bool store_find_connect_session(struct store *store, const uint8_t token[SHA256_LEN],
    int64_t now_ms, struct connect_session_row **out,
    struct err *err); /* not when expired */
void connect_session_row_free(struct connect_session_row *row);
bool store_delete_connect_session(
    struct store *store, const uint8_t token[SHA256_LEN], bool *found, struct err *err);

struct oauth_state_row {
    int64_t environment_id;
    struct blob payload; /* sealed JSON; context "oauth_state/<state sha256 hex>" */
    int64_t expires_at_ms;
};
bool store_insert_oauth_state(struct store *store, const uint8_t state[SHA256_LEN],
    const struct oauth_state_row *row, struct err *err);
/* The environment of a state that could be taken now; 0 = there is none. */
bool store_find_oauth_state(struct store *store, const uint8_t state[SHA256_LEN],
    int64_t now_ms, int64_t *environment_id, struct err *err);
/* Removes it durably and returns it: a state is used once. NULL when unknown or expired.
 */
bool store_take_oauth_state(struct store *store, const uint8_t state[SHA256_LEN],
    int64_t now_ms, struct oauth_state_row **out, struct err *err);
void oauth_state_row_free(struct oauth_state_row *row);
/* ---- scripts ----
 * A script is one of an integration's syncs, actions, event scripts or functions. Each deploy makes
 * a version of it; one version is active, older ones are kept for going back. Code is
 * kept once for all versions that share it, compressed. */
enum script_kind {
    SCRIPT_ANY, /* in filters */
    SCRIPT_SYNC,
    SCRIPT_ACTION,
    SCRIPT_ON_EVENT,
    SCRIPT_FUNCTION, /* made by createFunction() */
};
const char *script_kind_name(enum script_kind kind); /* as on the wire: "on-event" */
bool script_kind_parse(const char *text, enum script_kind *kind);

/* What a deploy says of a script, but for its code. `*_json`: texts of a list, unless
 * said otherwise; never NULL unless said so. */
struct script_spec {
    char *version; /* as people read it: "3", "1.0.2" */
    char *description;
    char *models_json;    /* names of what a sync saves, or of an action's output */
    char *input;          /* name of the input's model; NULL = none */
    char *endpoints_json; /* {method, path, group} */
    char *scopes_json;
    char *json_schema;       /* an object with `definitions`; NULL = none was deployed */
    char *model_schema_json; /* {name, fields} of early releases; NULL = none */
    char *runs;              /* a sync's frequency as written, else NULL */
    char *sync_type;         /* "full", "incremental"; NULL but for syncs */
    bool auto_start;
    bool track_deletes;
    char *webhook_subscriptions_json;
    char *attributes_json; /* an object */
    char *features_json;
    char *sdk_version; /* NULL = unknown */
    char *source;      /* "repo", "standalone", … */
};

/* One version of a script. */
struct script_row {
    int64_t id; /* of the script: the same for all its versions */
    int64_t version_id;
    int64_t environment_id;
    int64_t integration_id;
    char *provider_config_key;
    char *provider;
    enum script_kind kind;
    char *name;
    char *event; /* of an event script, which may serve several; else NULL */
    bool enabled;
    bool active;
    struct script_spec spec;
    uint8_t js[SHA256_LEN]; /* names of its code: store_load_code() */
    bool has_ts;
    uint8_t ts[SHA256_LEN];
    int64_t created_at_ms;  /* the script */
    int64_t deployed_at_ms; /* this version */
};
void script_row_free(struct script_row *row); /* accepts NULL */
void store_scripts_free(struct script_row **rows, size_t count);

/* What event scripts are for, as on the wire. */
#define EVENT_CREATED "post-connection-creation"
#define EVENT_DELETING "pre-connection-deletion"
#define EVENT_VALIDATING "validate-connection"

struct script_filter {
    int64_t environment_id;
    int64_t integration_id; /* 0 = all of them */
    enum script_kind kind;
    const char *name;   /* exact; NULL = any */
    const char *search; /* part of the name, any case; NULL = any */
    const char *event;  /* exact; NULL = any */
    bool enabled;       /* those only */
    size_t limit;       /* 0 = no limit */
    size_t offset;
};
/* Active versions by integration's key, kind ("action" first), name. `total`, unless
 * NULL: how many there are without limit and offset. */
bool store_list_scripts(struct store *store, const struct script_filter *filter,
    struct script_row ***out, size_t *count, size_t *total, struct err *err);
/* Is there an enabled script of that event, of the integration (0 = of any)? */
bool store_has_event_script(struct store *store, int64_t environment_id,
    int64_t integration_id, const char *event, bool *has, struct err *err);
/* Of one script, the newest first. */
bool store_list_script_versions(struct store *store, int64_t script_id,
    struct script_row ***out, size_t *count, struct err *err);
/* The text, NUL-terminated (the NUL is not counted); the caller frees out->data. A name
 * that is unknown: 404 `not_found`. */
bool store_load_code(struct store *store, const uint8_t sha256[SHA256_LEN],
    struct blob *out, struct err *err);

/* Versions of one script that are kept beside the active one. */
#define SCRIPT_VERSIONS_KEPT 50

struct script_put {
    int64_t integration_id;
    enum script_kind kind;
    const char *name;
    const char *event;       /* NULL but for event scripts */
    struct script_spec spec; /* texts are borrowed */
    const char *js;
    const char *ts; /* NULL = none */
};
struct script_deploy {
    int64_t environment_id;
    const struct script_put *puts; /* no two of the same script */
    size_t put_count;
    const int64_t *removals; /* scripts; those that are gone already do not matter */
    size_t removal_count;
};
/* All of it or none: each put becomes the active version of its script, which is made
 * when there is none; the removed ones are gone for every function here. An integration
 * that is gone: 400 `unknown_provider_config`. `made` (may be NULL): as many rows as puts,
 * in their order. */
bool store_deploy_scripts(struct store *store, const struct script_deploy *deploy,
    struct script_row ***made, struct err *err);
/* Makes an older version the active one. *found = false when the script is gone, or has
 * no such version. */
bool store_activate_script_version(struct store *store, int64_t script_id,
    int64_t version_id, bool *found, struct err *err);
/* A script that is not enabled stays, and is not to be run. */
bool store_enable_script(
    struct store *store, int64_t script_id, bool enabled, bool *found, struct err *err);

/* Deletes expired sessions and states, what was soft-deleted before `deleted_before_ms`,
 * and code that no version of a script uses any more. */
bool store_sweep(
    struct store *store, int64_t now_ms, int64_t deleted_before_ms, struct err *err);

/* ---- scripts that nobody waits for ----
 * Each is in a lane, and one of a lane runs at a time: an environment's actions are one
 * lane; the scripts of a connection's events are one, in the order they were ordered. */
struct async_run_row {
    int64_t id;
    char uuid[UUID_TEXT_SIZE]; /* of an action; "" = of an event: nobody asks for it */
    int64_t environment_id;
    int64_t connection_id; /* row ids */
    int64_t script_id;
    struct blob input; /* sealed JSON; context "async_action/<uuid>/input"; or none */
    int attempts;      /* begun */
    int max_retries;
    int64_t due_at_ms;
    struct blob outcome; /* sealed; context "async_action/<uuid>/outcome"; once over */
    int64_t created_at_ms;
    int64_t finished_at_ms; /* 0 = not over yet */
    int64_t sync_id;        /* its script takes what a provider sent; 0 = no such run */
};
void async_run_row_free(struct async_run_row *row); /* accepts NULL */
/* An action; those of events are ordered by store_put_connection(). `id` is set by the
 * store. */
bool store_put_async_run(
    struct store *store, const struct async_run_row *row, struct err *err);
/* NULL when the environment has none of that name. */
bool store_find_async_run(struct store *store, int64_t environment_id, const char *uuid,
    struct async_run_row **out, struct err *err);
/* The one that is due for longest, of those whose lane has none that runs; it counts as
 * running from here on, and as begun once more. NULL = none is due; *next_ms is then when
 * one will be (0 = none waits). */
bool store_take_async_run(struct store *store, int64_t now_ms, struct async_run_row **out,
    int64_t *next_ms, struct err *err);
/* Ends the running: for good, with what came of it, or (outcome NULL) until `due_at_ms`.
 * `webhooks` are put in the same write; NULL = none. */
bool store_end_async_run(struct store *store, int64_t id, const struct blob *outcome,
    int64_t due_at_ms, const struct webhook_puts *webhooks, struct err *err);
/* Ends it for good, and forgets it; `webhooks` as above. */
bool store_drop_async_run(struct store *store, int64_t id,
    const struct webhook_puts *webhooks, struct err *err);
/* A server begins: what ran when the last one ended waits again. */
bool store_resume_async_runs(struct store *store, struct err *err);
/* Forgets those that were over before. */
bool store_sweep_async_runs(
    struct store *store, int64_t finished_before_ms, struct err *err);

/* ---- checkpoints ----
 * How far a script has come with a connection, under a key of the script's (contract
 * runner-sdk.md section 4). They go with the connection. Those of a connection that is
 * held back are those of the live one of its name, where there is one. */
struct checkpoint {
    char *value_json; /* an object; NULL = none, or cleared. The caller frees. */
    int64_t version;  /* grows with each write; 0 = there was never one */
};
bool store_find_checkpoint(struct store *store, int64_t connection_id, const char *key,
    struct checkpoint *out, struct err *err);
/* Writes, or clears (value_json NULL), what has that version by then: else 409
 * `checkpoint_conflict`. *version gets the new one. A connection that is gone: 404
 * `unknown_connection`. */
bool store_put_checkpoint(struct store *store, int64_t connection_id, const char *key,
    const char *value_json, int64_t *version, struct err *err);
/* Removes those whose keys begin so ("" = all), whatever their version. */
bool store_remove_checkpoints(
    struct store *store, int64_t connection_id, const char *key_prefix, struct err *err);

/* Sealing contexts, one spelling for all. `out` needs CONTEXT_SIZE. */
#define CONTEXT_SIZE 512
void async_input_context(char out[CONTEXT_SIZE], const char *uuid); /* of an async_run */
void connection_context(char out[CONTEXT_SIZE], int64_t environment_id,
    int64_t integration_id, const char *connection_id, const char *column);
void integration_context(char out[CONTEXT_SIZE], const char *uid); /* settings */
void environment_context(char out[CONTEXT_SIZE], const char *uuid, const char *column);
void variable_context(
    char out[CONTEXT_SIZE], const char *environment_uuid, const char *name);
void token_context(
    char out[CONTEXT_SIZE], const char *kind, const uint8_t sha256[SHA256_LEN]);

/* Figures for /metrics. */
struct store_stats {
    uint64_t commits;
    uint64_t writes; /* writes / commits = how well commits are shared */
    uint64_t cache_hits;
    uint64_t cache_misses;
};
void store_stats(const struct store *store, struct store_stats *out);

#endif
