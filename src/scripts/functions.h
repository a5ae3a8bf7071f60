/* SPDX-License-Identifier: Apache-2.0 */
/* Functions by the API: TypeScript that is compiled, tried and deployed here, without a
 * project and its command line.
 *
 *   functions_compile() ─► esbuild ─► loaded
 *   functions_start()   ─► a row of the store, an id ─► a thread:
 *        a dry run:     compile ─► loaded ─► dryrun.c ─┐
 *        a deployment:  compile ─► described ─► deploy ─┴─► outcome, sealed ─► the row
 *
 * Who asked comes for the outcome by the id. Jobs of one environment take at most half of
 * the threads that the others leave. What does not end before the server does is lost, and
 * its row says so. */
#ifndef SCRIPTS_FUNCTIONS_H
#define SCRIPTS_FUNCTIONS_H

#include "base/clock.h"
#include "scripts/action.h"
#include "scripts/compile.h"
#include "scripts/deploy.h"
#include "scripts/loads.h"
#include "store/function_jobs.h"
#include "vault/vault.h"

struct functions;

struct functions_config {
    struct actions *actions; /* NULL: nothing is run, and all here is refused with 503 */
    struct loads *loads;
    struct scripts *scripts;
    struct store *store;
    struct vault *vault;
    const struct log *log;
    struct compiler compiler; /* .cancelled is set here */
    size_t threads;           /* that compile and deploy */
    int64_t dryrun_ms;
    size_t max_result; /* bytes of rows, and of text, that a dry run tells */
};
/* The config's pointers are borrowed. What the last server left is lost. */
bool functions_new(
    const struct functions_config *config, struct functions **out, struct err *err);
/* Nothing is begun any more, what compiles ends. Before loads_stop(); functions_free()
 * after actions_stop(), which ends the dry runs. Both accept NULL. */
void functions_stop(struct functions *functions);
void functions_free(struct functions *functions);

/* Compiles, and loads what came of it as a script of that kind (SCRIPT_ANY: of any). `file`
 * is what places are told by. 400 `compilation_error`, 503, 504: see compile.h. */
bool functions_compile(struct functions *functions, enum script_kind kind,
    const char *file, const char *code, size_t len, struct buf *out,
    struct compile_fault *fault);

struct function_order {
    enum function_job_kind kind;
    int64_t environment_id;
    enum script_kind function_kind; /* an action or a sync */
    const char *integration;
    const char *name; /* "" = none */
    const char *code; /* TypeScript */
    /* of a dry run */
    int64_t connection_id;  /* row id */
    const char *input;      /* JSON; NULL = undefined */
    const char *metadata;   /* JSON; NULL */
    const char *checkpoint; /* JSON; NULL */
    const char *last_sync;  /* NULL */
    /* of a deployment */
    const char *version; /* NULL = as the code says */
    bool allow_destructive;
};
/* Borrows the order. *row, for function_job_row_free(), is durable when it returns. Too
 * many wait: 503 `execution_environment_unavailable`. */
bool functions_start(struct functions *functions, const struct function_order *order,
    struct function_job_row **row, struct err *err);

/* What came of it: members of a JSON object, each with a comma before it; none while it is
 * not over. */
bool functions_outcome(struct functions *functions, const struct function_job_row *row,
    struct buf *out, struct err *err);

/* What a job is called by in code and places: "github/actions/create-issue.ts". The caller
 * frees. */
char *function_file(const char *integration, enum script_kind kind, const char *name);

#endif
