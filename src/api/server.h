/* SPDX-License-Identifier: Apache-2.0 */
/* Everything a handler may reach, hung from one struct: no globals, so a test can run
 * two. */
#ifndef API_SERVER_H
#define API_SERVER_H

#include "auth/auth.h"
#include "auth/refresh.h"
#include "auth/verify.h"
#include "inbound/inbound.h"
#include "net/http_server.h"
#include "net/upstream.h"
#include "oplog/oplog.h"
#include "proxy/forward.h"
#include "records/records.h"
#include "scripts/action.h"
#include "scripts/async.h"
#include "scripts/deploy.h"
#include "scripts/events.h"
#include "scripts/functions.h"
#include "scripts/syncs.h"
#include "webhooks/webhooks.h"

struct ingress;
struct server_metrics;

/* What belongs to one reactor thread. */
struct server_loop {
    struct server *server;
    struct reactor *reactor;
    struct http_server *public_http;
    struct http_server
        *admin_http; /* NULL unless a separate address was given, and on loop 0 */
    struct up_pool *upstream;
};

struct server {
    const struct clock *clock;
    const struct log *log;
    struct auth auth;
    struct refresher *refresher;
    struct proxy proxy;
    struct verifier verifier;
    struct scripts *scripts;
    struct script_keys *script_keys; /* of executions that go on */
    struct actions *actions;         /* NULL: this server runs no scripts */
    struct async_runs *async_runs;   /* likewise */
    struct sync_runs *sync_runs;
    struct webhooks *webhooks;
    struct inbound *inbound;
    struct records *records;
    struct script_events *events;
    struct functions *functions;
    struct oplog *oplog;        /* NULL: no logs of operations are kept */
    struct pool *event_threads; /* handlers that wait for scripts of events */
    struct pool *log_readers;   /* what the logs answer: no one else waits for it */
    struct pool *workers;       /* handlers that write to the store */
    struct server_loop *loops;
    size_t loop_count;
    struct server_metrics *metrics;
    /* settings the handlers read */
    const char *public_url;     /* without trailing slash */
    const char *connect_ui_url; /* base of connect_link */
    size_t body_limit;          /* JSON bodies: 75 MB unless set */
    size_t webhook_limit;       /* bodies of providers' webhooks */
    struct ingress *ingress;    /* NULL = they may come as they like */
    bool ingress_enforced;
    size_t action_input_limit;
    size_t code_limit;    /* of TypeScript that is compiled here */
    bool admin_on_public; /* /metrics on the public address too: no separate one given */
    bool require_oauth_cookie;
    _Atomic bool stopping; /* /ready answers 503 */
};

/* The entry: one request on a loop. `arg` is its server_loop. */
void api_on_request(void *arg, struct http_req *req);
void api_on_admin_request(void *arg, struct http_req *req);

struct server_metrics *server_metrics_new(void);
void server_metrics_free(struct server_metrics *metrics);

#endif
