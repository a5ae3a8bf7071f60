/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder need from the rest: one struct, filled by the wiring,
 * borrowed for the life of the server. */
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

#include "base/clock.h"
#include "base/log.h"
#include "base/pool.h"
#include "catalog/catalog.h"
#include "net/policy.h"
#include "oplog/oplog.h"
#include "store/store.h"
#include "vault/vault.h"

struct connection_gate;
struct webhooks;

struct auth {
    struct store *store;
    struct vault *vault;
    struct catalog_holder *catalogs;
    const struct clock *clock;
    const struct log *log;
    struct oplog *oplog;         /* NULL: no logs of operations are kept */
    const struct policy *policy; /* of token endpoints: private ranges may be open */
    const struct policy *proxy_policy;  /* of credential verification calls */
    const char *ca_file;                /* NULL = the system's */
    const char *public_url;             /* ours, without trailing slash */
    struct pool *outbound;              /* threads for calls to providers */
    int64_t token_timeout_ms;           /* of one token call */
    const struct connection_gate *gate; /* NULL = every connection takes effect at once */
    struct webhooks *webhooks;          /* NULL = nobody is told by webhook */
};

/* Shares of the outbound threads (pool.h): a provider that hangs holds up its own
 * integration's refreshes, an environment's slow credentials its own checks. */
static inline uint64_t auth_share_of_integration(int64_t id)
{
    return (uint64_t)id << 1;
}

static inline uint64_t auth_share_of_environment(int64_t id)
{
    return (uint64_t)id << 1 | 1;
}

#endif
