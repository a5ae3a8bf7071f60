/* SPDX-License-Identifier: Apache-2.0 */
/* Running scripts on demand: actions, and those of events.
 *
 *   actions_run() ─► waits for its turn ─┬─► runner ─► done()
 *                                        └─► past the start limit ─► done()
 *
 * As many run at once as there may be runners. Those of one connection take at most half
 * of the turns that the others leave (base/pool.h), so that none starves the rest. */
#ifndef SCRIPTS_ACTION_H
#define SCRIPTS_ACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/auth.h"
#include "base/err.h"
#include "base/log.h"
#include "catalog/catalog.h"
#include "net/policy.h"
#include "scripts/deploy.h"
#include "scripts/keys.h"
#include "scripts/locks.h"
#include "scripts/run.h"
#include "store/store.h"

struct actions;

struct actions_config {
    struct store *store;
    struct catalog_holder *catalogs;
    const struct log *log;
    const struct auth *auth;
    struct script_keys *keys;
    struct script_locks *locks;
    const struct policy *policy; /* of uncontrolledFetch */
    const char *ca_file;         /* NULL = the system's */
    const char *base_url;        /* of this server's own API */
    const char *program;         /* nango-runner */
    size_t max_runners;
    size_t spare_runners;
    uint64_t runs_per_runner;
    int64_t memory_mb; /* of one execution, beyond what a warm runner has */
    int64_t cpu_ms;
    int64_t action_wall_ms;
    int64_t event_wall_ms;
    int64_t start_ms; /* a script that did not begin by then fails */
    int64_t output_bytes;
    bool validate; /* input and output are compared with the deployed models */
    int64_t log_bytes;
    int64_t call_timeout_ms;
    size_t call_max_body;
};

/* Starts the zygote and its first runners. The config's pointers are borrowed. */
bool actions_start(
    const struct actions_config *config, struct actions **out, struct err *err);
/* What waits fails, what runs is aborted, and so is all that is ordered from here on.
 * Returns at once. Accepts NULL. */
void actions_cancel(struct actions *actions);
/* The same, to its end. Nobody may order anything any more. Accepts NULL. */
void actions_stop(struct actions *actions);

struct script_caller;

/* Code that is tried, without being a deployed script's. Lives until the order's done().
 */
struct action_trial {
    const char *code; /* as compiled */
    size_t code_len;
};

/* What is another's than an action's. Lives until the order's done(). */
struct action_hooks {
    const char *props;      /* more of them: "" or ",\"name\":value"… */
    const char *variant;    /* of a sync; NULL = base */
    bool webhook;           /* it is the sync's handler of what a provider sent */
    int64_t wall_ms;        /* 0 = as the config says */
    atomic_bool *cancelled; /* set by others to abort; NULL = when all are */
    /* As struct script_ops, with `arg`; log may be NULL. The caller is for script_call();
     * *handled = false: it is done as for any other script. */
    void (*log)(void *arg, const char *level, const char *message, struct json_raw meta);
    bool (*call)(void *arg, const struct script_caller *caller, const char *method,
        struct json_raw args, struct buf *out, bool *handled);
    void *arg;
};

struct action_order {
    /* Borrowed until actions_run() returns. Of a trial's script only kind, name,
     * provider_config_key and the SDK's version count. */
    const struct script_row *script;
    struct connection_row *connection; /* a reference may be taken */
    const char *input;                 /* JSON; NULL = undefined */
    int64_t start_ms;                  /* by when it must begin; 0 = as the config says */
    /* Nobody waits for it: all of the environment's share as those of one connection do,
     * so that many of them do not keep others from beginning. */
    bool background;
    const struct action_trial *trial; /* NULL = the script is deployed */
    const struct action_hooks *hooks; /* NULL = as an action */
    /* Begun by the caller; NULL = begun here. Its end is told before done(). A trial has
     * none. */
    const struct oplog_op *operation;
    int attempt; /* 0, 1 = the first */
    /* Called once, from any thread, with what came of it; the outcome is finished after
     * that. */
    void (*done)(void *arg, const struct script_outcome *outcome);
    void *arg;
};
/* Any thread. `done` may be called before this returns. */
void actions_run(struct actions *actions, const struct action_order *order);

/* Runs what is no action, on this thread, by the processes of actions: fills in
 * run->turns, and run->cancelled unless it is given. */
void actions_lend(
    struct actions *actions, struct script_run *run, struct script_outcome *out);
/* No run of that version will follow. */
void actions_drop(struct actions *actions, uint64_t version);

struct action_counts {
    struct runners_count runners;
    size_t waiting;
};
void actions_count(struct actions *actions, struct action_counts *out);

#endif
