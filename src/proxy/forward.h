/* SPDX-License-Identifier: Apache-2.0 */
/* The proxy: from a client's request to the provider's answer, on the reactor, streaming
 * both ways in constant memory (contract proxy.md). docs/proxy.md tells users what to
 * expect. */
#ifndef PROXY_FORWARD_H
#define PROXY_FORWARD_H

#include <stdatomic.h>

#include "auth/auth.h"
#include "auth/integration.h"
#include "auth/refresh.h"
#include "net/http_server.h"
#include "net/upstream.h"
#include "proxy/build.h"
#include "proxy/throttle.h"

/* Counted by all reactors; lives as long as the proxy. Zeroed = nothing counted yet. */
struct proxy_counters {
    _Atomic uint64_t requests;
    _Atomic uint64_t retries;
    _Atomic uint64_t redirects;
    _Atomic uint64_t failures;
    _Atomic uint64_t abandoned;
    _Atomic uint64_t held;
};

struct proxy {
    struct throttle *throttle; /* NULL = nothing is held back */
    int64_t max_hold_ms;       /* then a call goes, whatever the provider allows */
    const struct auth *auth;
    struct refresher *refresher;
    const struct policy *policy;
    bool base_override_enabled; /* NANGO_PROXY_BASE_URL_OVERRIDE_ENABLED */
    size_t max_buffered_body;   /* bodies up to this are kept for retries and redirects */
    size_t
        max_whole_body; /* of bodies that must be whole (forms, signatures): 0 = 75 MB */
    size_t max_body;    /* larger ones get 413; 0 = unbounded streams */
    int64_t backoff_base_ms;    /* 0 = 3000 */
    const char *network_errors; /* retried besides the usual ones, comma list; NULL */
    int64_t refetch_after_ms;   /* re-read the connection before a retry: 60000 */
    struct proxy_counters *counters; /* borrowed; NULL = nobody counts */
};

/* Reactor thread; the caller has authenticated and knows the environment, and the
 * connection that is held back and that the caller judges (connection_find()); `background`:
 * nobody waits for the answer but a script that nobody waits for. `target` is the
 * raw path and query after `/proxy` ("" for `/proxy` itself). Answers the request in
 * every case; OPTIONS is the caller's to answer. `proxy` and `pool` outlive the request;
 * `pool` belongs to its reactor. Takes the request's on_gone slot. */
void proxy_forward(const struct proxy *proxy, struct up_pool *pool, struct http_req *req,
    int64_t environment_id, int64_t held_id, bool background, const char *target);

/* Blocking: tries credentials as the catalogue's `proxy.verification` says
 * (auth/verify.h); `proxy` is a `const struct proxy *`. True when there is nothing to
 * try. */
bool proxy_verify_needed(const struct integration *integration);
bool proxy_verify(void *proxy, const struct integration *integration,
    const cJSON *credentials, const cJSON *config, struct err *err);

/* Figures for /metrics. Any thread. */
struct proxy_stats {
    uint64_t requests;  /* calls that reached a provider's door: first tries */
    uint64_t retries;   /* further tries */
    uint64_t redirects; /* followed */
    uint64_t failures;  /* ended without an answer from the provider */
    uint64_t abandoned; /* the client left first */
    uint64_t held;      /* waits, for what the provider allows */
};
void proxy_stats(const struct proxy *proxy, struct proxy_stats *out);

#endif
