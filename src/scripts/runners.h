/* SPDX-License-Identifier: Apache-2.0 */
/* The processes that run scripts: forked by the zygote, kept warm, and lent out.
 *
 *   FRESH ──ready──► WARM ──taken for a version──► BUSY ──given back good──► BOUND
 *     │                │                            │  ▲                       │
 *     │                │                            │  └──taken for the same───┘
 *     └────────────────┴────────────► DEAD ◄────────┴──────────────────────────┘
 *                      error, limit, growth, too many runs, room needed for another
 *
 * A runner that has seen a script is never lent for another version: what the script left
 * behind in the engine is its own affair only. All functions are safe from any thread. */
#ifndef SCRIPTS_RUNNERS_H
#define SCRIPTS_RUNNERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"

struct runners;
struct runner;

/* What is not to wait for scripts that run: the loading of new ones. */
#define RUNNERS_ASIDE (UINT64_C(1) << 63)

struct runners_config {
    const char *program;   /* path of nango-runner */
    size_t max;            /* processes at a time, those at rest included */
    size_t spare;          /* kept warm for versions that have none yet */
    uint64_t runs;         /* after so many a runner is thrown away; 0 = 10000 */
    const struct log *log; /* borrowed */
};

/* Starts the zygote. Runners are forked when they are needed, and `spare` ahead. */
bool runners_start(
    const struct runners_config *config, struct runners **out, struct err *err);
/* Kills all of them. Nothing may be lent out any more. Accepts NULL. */
void runners_stop(struct runners *runners);

/* A ready process for a script version: one that ran it before, else a warm one. Blocks
 * while `max` are busy; but for a version from RUNNERS_ASIDE up another process is then made
 * beside the others, and thrown away when it is given back. NULL: the zygote or the fork failed, *err says so. */
struct runner *runners_take(struct runners *runners, uint64_t version, struct err *err);
/* Ends the loan. `good`: its last run ended by itself; otherwise it is killed. */
void runners_give(struct runners *runners, struct runner *runner, bool good);

/* Ends what is at rest of a version that will not be asked for again. */
void runners_drop(struct runners *runners, uint64_t version);

/* It has run nothing before this loan. */
bool runner_is_fresh(const struct runner *runner);
/* The stream socket of a runner that is lent out. */
int runner_fd(const struct runner *runner);
/* Whether it has the code of the version that it was taken for: whoever has had it run says
 * so. The borrower's thread. */
bool runner_has_code(const struct runner *runner);
void runner_keeps_code(struct runner *runner);
/* Ends a runner that is lent out, at once. Any thread. */
void runner_kill(struct runner *runner);
/* How a runner ended that closed its socket or was killed: as waitpid() tells. -1 when it
 * has not ended within the time (-1: no limit), or nobody knows. */
int runner_status_within(
    struct runners *runners, struct runner *runner, int64_t timeout_ms);

struct runners_count {
    size_t alive, busy, bound, warm;
    uint64_t forked;
};
void runners_count(struct runners *runners, struct runners_count *out);

#endif
