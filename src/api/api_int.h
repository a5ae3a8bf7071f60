/* SPDX-License-Identifier: Apache-2.0 */
/* For the files of this folder: one request being handled (a call), the route table, and
 * the answers that handlers give.
 *
 * Life of a call:
 *
 *   api_on_request ─► route ─► content type ─┬─ RUN_NOW, RUN_READ (store local) ──────────┐
 *                                            ├─ body read ─► worker ─► JSON parsed ───────┤
 *                                            └─ RUN_PROXY ─► key ─► proxy_forward         │
 *                                                                                         ▼
 *                                                    authenticated ─► handle(call) ─► reply
 *                                                                      ^     │
 *                                  a thread that may wait ──again───┘◄────┘
 *                                       call_on_outbound(), call_on_events()
 *
 * A handler replies exactly once. It may keep the call (call_keep) and reply later from
 * any thread; then it ends it with call_free(). Workers are for the store: before a
 * handler waits for a provider, it asks call_on_outbound(), and before it waits for
 * scripts of events, which ask this server and providers in turn, call_on_events(). */
#ifndef API_API_INT_H
#define API_API_INT_H

#include <stdatomic.h>

#include "api/router.h"
#include "api/server.h"
#include "api/validate.h"
#include "auth/session.h"
#include "base/buf.h"
#include "base/err.h"

struct call;

enum run {
    RUN_NOW,   /* on the reactor, whatever the store: touches memory only */
    RUN_READ,  /* only reads: on the reactor when reads are local and the body is small */
    RUN_WORK,  /* on a worker; the handler may ask for an outbound thread from there */
    RUN_PROXY, /* handed to the proxy, which streams */
    RUN_KINDS,
};

enum who {
    WHO_ANYONE,
    WHO_KEY,            /* a secret key with one of the scopes */
    WHO_KEY_OR_SESSION, /* or a connect session token as bearer */
    WHO_SESSION,        /* a connect session token as bearer */
    WHO_BROWSER,        /* query: connect_session_token, else public_key */
};

enum route_flags {
    ROUTE_ANY_TYPE = 1,     /* the content type is not judged */
    ROUTE_OF_PROVIDERS = 4, /* bodies up to webhooks.max_body, from anyone */
    ROUTE_FLAT_ERRORS = 2, /* `{"error":"…","type":"…"}`: only 0.36 clients call it */
};

struct route {
    const char *method; /* "*" = any */
    const char *pattern;
    enum run run;
    enum who who;
    const char *scope;    /* NULL = any key will do */
    const char *or_scope; /* this one opens it as well; NULL */
    unsigned flags;
    void (*handle)(struct call *call);
};
extern const struct route api_routes[];
extern const size_t api_route_count;
/* The first row that matches, or NULL. HEAD is answered as GET. */
const struct route *route_find(
    const char *method, const char *path, struct path_span spans[PATH_MAX_PARAMS]);

struct call {
    struct server *server;
    struct server_loop *loop;
    struct http_req *req; /* NULL once answered */
    const struct route *route;
    int64_t start_us;
    struct http_req *proxied; /* the proxy's now; readable until it dies */
    atomic_int holders;       /* the thread that handles it, and who replies later */
    bool known;               /* authenticated already */
    struct pool *again; /* the handler is to be called again, on a thread of these */
    bool elsewhere;     /* it was */
    int64_t again_for;
    struct path_span spans[PATH_MAX_PARAMS];
    char *params[PATH_MAX_PARAMS]; /* decoded when asked for */
    /* who calls, after authentication */
    int64_t environment_id;
    int64_t held_id; /* a script that judges it calls: see connection_find(); 0 */
    bool background; /* a script calls that nobody waits for */
    struct environment_row *environment; /* loaded when asked for, or with a public key */
    struct api_key_row *key;
    struct session session; /* session.row != NULL: called with a session token */
    /* what was sent */
    cJSON *query; /* parsed when asked for */
    char *body_text;
    size_t body_len;
    cJSON *body; /* NULL = undefined: none was sent, or not as JSON */
};

/* The reply may come from another thread, also before the handler has returned: the call
 * is good until both have let go of it by call_free(). */
void call_keep(struct call *call);
void call_free(struct call *call); /* after the reply */
/* May the handler wait for a provider on this thread? False: it returns at once, without
 * a reply, and is called again from its start on an outbound thread. So it must not have
 * changed anything yet. Of these threads one environment gets only a share. */
bool call_on_outbound(struct call *call, int64_t environment_id);
/* The same for writes, by a handler of RUN_READ that does so now and then. */
bool call_on_workers(struct call *call, int64_t environment_id);
/* The same for scripts of events, on threads that nothing else waits for. */
bool call_on_events(struct call *call, int64_t environment_id);
/* Before connection_put() of an integration (0 = of any of the environment's): may the
 * handler put on this thread, and `asks_provider` before that? False: as above, or after
 * a reply. */
bool call_before_put(struct call *call, int64_t environment_id, int64_t integration_id,
    bool asks_provider);
/* After the reply that a connection was put: what is ordered with it may begin. */
void call_after_put(struct call *call);
static inline const struct auth *call_auth(const struct call *call)
{
    return &call->server->auth;
}
/* Decoded path parameter. NULL after a reply when it cannot be decoded. */
const char *call_param(struct call *call, size_t index);
/* As above, checked against a pattern and 255 characters: 400 `invalid_uri_params`. */
const char *call_param_checked(
    struct call *call, size_t index, const struct pattern *pattern);
/* Likewise a UUID. */
const char *call_param_uuid(struct call *call, size_t index);
/* The parsed query, an object; NULL after a reply when it is too large. */
const cJSON *call_query(struct call *call);
/* A string member of the query, or NULL. Only after call_query() or call_check_query().
 */
const char *call_query_str(const struct call *call, const char *name);
bool call_query_flag(const struct call *call, const char *name);
/* A number that RULE_COUNT has checked. */
size_t call_query_count(const struct call *call, const char *name, size_t otherwise);
/* False after a 400 with the issues. */
bool call_check_query(struct call *call, const struct shape *shape);
bool call_check_body(struct call *call, const struct shape *shape);
/* Of the headers that the shape's rules name, in lower case. */
bool call_check_headers(struct call *call, const struct shape *shape);
/* The caller's environment; NULL after a reply when the store failed. */
struct environment_row *call_environment(struct call *call);
/* False after a 403 when the key has neither scope (`or_scope` may be NULL). */
bool call_needs_scope(struct call *call, const char *scope, const char *or_scope);

/* ---- authn.c ---- */
/* Finds out who calls, as the route asks. False after a reply. */
bool authenticate(struct call *call);
/* What follows the last "Bearer " of an Authorization header (contract section 1.1). */
const char *bearer_of(const char *header);
/* Is `scope` among the space-separated `scopes`? `a:*` there stands for all below `a:`.
 */
bool scopes_allow(const char *scopes, const char *scope);

/* ---- reply.c ---- */
/* Counts and logs a request that is not answered by one of the functions below. */
void note_end(struct call *call, const struct http_req *req);
/* Each ends the request. */
void reply_json(struct call *call, int status, cJSON *value); /* takes over */
void reply_text(
    struct call *call, int status, struct buf *text); /* JSON text, taken over */
void reply_empty(struct call *call, int status);
void reply_plain(
    struct call *call, int status, const char *content_type, const char *text);
void reply_headers(struct call *call, int status, const struct http_headers *headers,
    const char *text, size_t len);
/* The answer is given by the caller, who ends the request: it is counted here. */
struct http_req *reply_begun(struct call *call, int status);
void reply_busy(struct call *call);                          /* 503 with Retry-After */
void reply_success(struct call *call);                       /* 200 {"success":true} */
void reply_data(struct call *call, int status, cJSON *data); /* {"data":…}; takes over */
/* `{"error":{"code":…}}` */
void reply_code(struct call *call, int status, const char *code);
/* `{"error":{"code":…,"message":…}}` */
void reply_fault(struct call *call, int status, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* `{"error":{"message":…,"code":…,"payload":…}}`; NULL = {}; takes over. */
void reply_detailed(struct call *call, int status, const char *code, cJSON *payload,
    const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* `{"error":{"code":…,"errors":[…]}}`, status 400; takes over. */
void reply_issues(struct call *call, const char *code, cJSON *issues);
/* What a lower layer says. A fault of ours becomes 500 `generic_error_support`. */
void reply_error(struct call *call, const struct err *err);
void reply_error_detailed(struct call *call, const struct err *err);
/* 404 `unknown_connection` and 400 `unknown_provider_config`, in the words of most routes.
 */
void reply_no_connection(
    struct call *call, const char *provider_config_key, const char *connection_id);
void reply_no_integration(struct call *call);

/* ---- metrics.c ---- */
void metrics_count(struct server_metrics *metrics, const struct route *route, int status,
    int64_t duration_us);
void metrics_write(const struct server *server, struct buf *out);

/* ---- connection_json.c ---- */
enum connection_times {
    TIMES_Z,
    TIMES_OFFSET,
};
struct connection_view {
    const struct connection_row *row;
    const char *credentials; /* JSON text; NULL leaves the member out */
    const char *config;      /* JSON text */
    enum connection_times times;
    int64_t last_fetched_ms; /* 0 = null */
    bool legacy;             /* add what only old clients look for */
};
void connection_json(struct buf *out, const struct connection_view *view);
void connection_list_item(struct buf *out, const struct connection_row *row, bool legacy);
/* An old client on an old path: no `nango-node-client` in the User-Agent. */
bool call_is_legacy_client(const struct call *call);

/* ---- integration_json.c ---- */
struct integration_view {
    const struct integration *integration;
    bool label; /* `credentials_label` */
    bool with_webhook;
    bool with_credentials;
    const struct environment_row *environment; /* for the webhook URL */
};
cJSON *integration_json(const struct call *call, const struct integration_view *view);
/* URL where the provider posts its webhooks, or NULL when it has no routing; free(). */
char *integration_webhook_url(const struct call *call, const struct provider *provider,
    const struct environment_row *environment, const char *last_segment);
cJSON *provider_json(const struct call *call, const struct provider *provider);

/* ---- records.c ---- */
/* As GET /records of that model; the query is checked. */
void list_records_of(
    struct call *call, const struct connection_row *connection, const char *model);

/* ---- actions.c ---- */
struct script_outcome;
/* An input as text for mem_free_text(), or NULL for undefined. False after a reply: it is too
 * large, or 503 `no_runner` where no scripts run. */
bool take_script_input(
    struct call *call, const cJSON *input, const char *no_runner, char **text);
/* What came of an execution, as action_answer() puts it. */
void reply_outcome(struct call *call, const struct script_outcome *outcome);
/* The same, as an order's done(): `arg` is the call, kept until now. */
void reply_when_done(void *arg, const struct script_outcome *outcome);
/* 202: it goes on, and what came of it is asked for at `path`/`uuid`. */
void reply_accepted(struct call *call, const char *path, const char *uuid);

/* Handlers: see routes.c for what each serves. */
void get_health(struct call *call);
void get_ready(struct call *call);
void get_metrics(struct call *call);
void get_providers_json(struct call *call);
void list_providers(struct call *call);
void get_provider(struct call *call);
void list_provider_templates(struct call *call);
void legacy_list_providers(struct call *call);
void legacy_get_provider(struct call *call);
void list_integrations(struct call *call);
void get_integration(struct call *call);
void create_integration(struct call *call);
void create_quickstart_integration(struct call *call);
void patch_integration(struct call *call);
void delete_integration(struct call *call);
void config_list(struct call *call);
void config_get(struct call *call);
void config_create(struct call *call);
void config_update(struct call *call);
void config_delete(struct call *call);
void get_connection(struct call *call);
void list_connections(struct call *call);
void import_connection(struct call *call);
void import_connection_legacy(struct call *call);
void patch_connection(struct call *call);
void delete_connection(struct call *call);
void set_metadata(struct call *call);
void update_metadata(struct call *call);
void set_metadata_legacy(struct call *call);
void update_metadata_legacy(struct call *call);
void trigger_action(struct call *call);
void get_action_result(struct call *call);
void call_endpoint(struct call *call);
void deploy_scripts(struct call *call);
void confirm_deploy(struct call *call);
void get_scripts_config(struct call *call);
void get_sync_provider(struct call *call);
void trigger_syncs(struct call *call);
void start_syncs(struct call *call);
void pause_syncs(struct call *call);
void get_sync_status(struct call *call);
void update_sync_frequency(struct call *call);
void create_sync_variant(struct call *call);
void delete_sync_variant(struct call *call);
void list_records(struct call *call);
void list_records_early(struct call *call);
void prune_records(struct call *call);
void get_flow_attributes(struct call *call);
void compile_function(struct call *call);
void start_dryrun(struct call *call);
void get_dryrun(struct call *call);
void start_deployment(struct call *call);
void get_deployment(struct call *call);
void invoke_function(struct call *call);
void get_invocation(struct call *call);
void deploy_function_bundle(struct call *call);
void preview_function_bundle(struct call *call);
void list_functions(struct call *call);
void get_function(struct call *call);
void get_function_code(struct call *call);
void list_function_versions(struct call *call);
void activate_function_version(struct call *call);
void delete_function(struct call *call);
void list_operations(struct call *call);
void get_operation(struct call *call);
void list_operation_messages(struct call *call);
void list_variables(struct call *call);
void receive_webhook(struct call *call);
void get_webhook_settings(struct call *call);
void patch_webhook_settings(struct call *call);
void rotate_signing_key(struct call *call);
void list_webhook_deliveries(struct call *call);
void get_webhook_delivery(struct call *call);
void replay_webhook_delivery(struct call *call);
void replay_webhook_deliveries(struct call *call);
void create_environment(struct call *call);
void delete_environment(struct call *call);
void create_api_key(struct call *call);
void delete_api_key(struct call *call);
void create_connect_session(struct call *call);
void create_reconnect_session(struct call *call);
void get_connect_session(struct call *call);
void delete_connect_session(struct call *call);
void connect_telemetry(struct call *call);
void get_logo(struct call *call);
void get_connect_ui(struct call *call);
void get_connect_ui_file(struct call *call);
void auth_api_key(struct call *call);
void auth_basic(struct call *call);
void auth_unauthenticated(struct call *call);
void auth_unauthenticated_legacy(struct call *call);
void auth_oauth2_cc(struct call *call);
void auth_two_step(struct call *call);
void auth_jwt(struct call *call);
void auth_signature(struct call *call);
void auth_bill(struct call *call);
void auth_tba(struct call *call);
void auth_aws_sigv4(struct call *call);
void auth_app_store_legacy(struct call *call);
void oauth_connect(struct call *call);
void oauth_callback(struct call *call);

#endif
