/* SPDX-License-Identifier: Apache-2.0 */
/* One execution of a script: the host's side of the conversation with a runner.
 *
 *   script_run() ─► runner taken ─► "run" ─┬─ "log"  ─► ops->log
 *                                          ├─ "call" ─► a thread of `calls` ─► ops->call
 *                                          ├─ "done" ─► outcome
 *                                          └─ silence past the time, or the runner's end
 *                                                    ─► killed, outcome says why
 *
 * A runner may say anything at any time: frames are bounded and checked, calls are bounded
 * in number, and what does not follow the protocol ends the run and the runner. */
#ifndef SCRIPTS_RUN_H
#define SCRIPTS_RUN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json_raw.h"
#include "base/pool.h"
#include "scripts/runners.h"
#include "scripts/turns.h"
#include "store/store.h"

/* What a script's execution needs of the outside. `arg` is the run's. */
struct script_ops {
    /* A line of the script's log; run thread, in order. */
    void (*log)(void *arg, const char *level, const char *message, struct json_raw meta);
    /* A method of `nango`: appends to `out` the JSON that answers it: the value's text and
     * true, or an error object and false (runner/protocol.h). Any thread of `calls`,
     * several at once. */
    bool (*call)(void *arg, const char *method, struct json_raw args, struct buf *out);
    /* The code, where the run has none: asked for when the runner has not got it from an
     * earlier run of the version. Run thread; the caller frees out->data. May be NULL. */
    bool (*load_code)(void *arg, struct blob *out, struct err *err);
};

struct script_run {
    /* What the "run" message says. */
    uint64_t version; /* names code and environment: a runner serves one only */
    const char *kind; /* action, sync, on-event, webhook */
    const char *form; /* zero or yaml; NULL = told from the exports */
    const char *code; /* NULL = by ops->load_code */
    size_t code_len;
    const char *file;  /* for stack traces, as "github/actions/create-issue" */
    const char *props; /* JSON object */
    const char *input; /* JSON; NULL = undefined */
    bool load;         /* only loads the code and looks at its exports */
    bool webhooks;     /* with load: a handler of webhooks must be there */
    /* With load: the script's own words are the outcome's output, as for a script of that
     * integration and name; NULL = they are not asked for. */
    const char *describe_integration;
    const char *describe_name;
    bool single; /* nothing else is run by the process */
    /* Limits; 0 = none. */
    int64_t wall_ms;
    int64_t cpu_ms;
    int64_t memory_mb;
    int64_t output_bytes;
    int64_t log_bytes;

    struct turns *turns; /* one is held while it begins */
    const struct script_ops *ops;
    void *arg;
    atomic_bool *cancelled; /* set by others to abort; NULL */
    /* Set when the run is over, or its time: ops->call, where it still runs, is waited for
     * and should look at this. NULL. */
    atomic_bool *ended;
};

struct script_outcome {
    bool ok;
    char *output; /* JSON; NULL = undefined. Also NULL after a failure */
    /* of a failure */
    char *type; /* script_internal_error, … (contract runner-sdk.md, Errors) */
    char *message;
    char *payload;  /* JSON; NULL */
    char *stack;    /* NULL */
    char *upstream; /* JSON {status, headers, body}; NULL */
    char *file;     /* where code that does not load has its fault; NULL = unknown */
    int line;       /* 0 = unknown, as is column */
    int column;
    bool fresh; /* the process had run nothing before */
    int64_t took_ms;
};

/* Runs it on this thread, to its end. Always fills `out`: free with
 * script_outcome_finish(). */
void script_run(struct runners *runners, struct pool *calls, const struct script_run *run,
    struct script_outcome *out);
void script_outcome_finish(struct script_outcome *out);
/* As JSON text without times, and back: 500 when it is not that. */
void script_outcome_write(const struct script_outcome *outcome, struct buf *out);
bool script_outcome_read(
    const char *text, size_t len, struct script_outcome *out, struct err *err);

#endif
