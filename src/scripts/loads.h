/* SPDX-License-Identifier: Apache-2.0 */
/* Does code load? Asked of what is about to be deployed, by loading it where scripts run.
 *
 *   loads_check() ─► known by its hash? ─► a runner: evaluate, look at the exports
 *
 * The code is of who deploys it, is in no store yet, and may do anything. The runners that
 * try it serve the scripts of this one deploy, each in a context of its own and for little
 * time, and are thrown away with its end: they never run anything. A script that fails in
 * one that has tried others is tried again in a fresh one, so that none is refused for
 * what another did.
 *
 * As many are tried at once as `threads` says; the scripts of several deploys take turns.
 * Code that did load is remembered, so that the next deploy of a large project tries only
 * what changed. */
#ifndef SCRIPTS_LOADS_H
#define SCRIPTS_LOADS_H

#include "scripts/action.h"
#include "scripts/deploy.h"

struct loads;

struct loads_config {
    struct actions *actions;
    size_t threads;
    int64_t cpu_ms;    /* of one script; twice that on the clock */
    int64_t memory_mb; /* likewise */
};
struct loads *loads_new(const struct loads_config *config);
/* What is being tried ends at once, and nothing is any more: 503. Before actions_stop(). */
void loads_stop(struct loads *loads);
void loads_free(struct loads *loads); /* after loads_stop(); both accept NULL */

/* As struct script_check asks; `arg` is the loads. Blocks. Any thread. */
bool loads_check(void *arg, const struct script_source *sources, size_t count,
    size_t *bad, struct deploy_fault *fault);
/* The same for one script written with createSync() or createAction(), and what it says of
 * itself: *flow is a flow of a deploy as JSON text, for free(), and may be anything, as the
 * script may do anything. */
bool loads_describe(struct loads *loads, const struct script_source *source, char **flow,
    struct deploy_fault *fault);

#endif
