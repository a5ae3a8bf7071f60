/* SPDX-License-Identifier: Apache-2.0 */
/* Deploying scripts: from the body that a command line posts to new active versions.
 *
 *   body ─► deploy_parse ─► deploy_plan ─► (answer of a confirmation)
 *                               │
 *                               └─► deploy_run ─► script_check ─► store, one transaction
 *
 * All or nothing: whatever is wrong with one script refuses the whole deploy, and the
 * versions that run stay. Bodies of all eras are read (contract http-api.md section 12):
 * `flowConfigs`, the early `syncs`, both forms of endpoints, schemas beside each script,
 * once for all, or none, event scripts with and without an event. */
#ifndef SCRIPTS_DEPLOY_H
#define SCRIPTS_DEPLOY_H

#include <cjson/cJSON.h>
#include <pthread.h>

#include "store/store.h"

/* More scripts than this in one deploy are refused. */
#define DEPLOY_MAX_SCRIPTS 10000

/* Why a deploy was refused: what is wrong, and with which script. */
struct deploy_fault {
    struct err err;
    char integration[256]; /* "" = none in particular, so for the others */
    char script[256];
    char file[256]; /* as the script's author knows it */
    int line;       /* 0 = unknown, as is column */
    int column;
};

/* Asked of a deploy's scripts before anything is written, and by whoever confirms it: does
 * their code load? */
struct script_source {
    enum script_kind kind;
    const char *integration;
    const char *name;
    const char *js;
    size_t js_len;
    bool zero;     /* written with createSync() and its like */
    bool webhooks; /* it subscribes to webhooks */
};
/* Of the newest form, whose default export is made by createAction() and its kin? */
bool script_is_zero(const char *sdk_version); /* accepts NULL */
struct script_check {
    /* True when all do. Else *bad is the first that does not, with the reason in
     * fault->err.message and the place where it is known; an err.code says that it could
     * not be found out. */
    bool (*load)(void *arg, const struct script_source *sources, size_t count,
        size_t *bad, struct deploy_fault *fault);
    void *arg;
};

/* What hangs from the server. */
struct scripts {
    struct store *store;
    struct script_check check; /* .load may be NULL: code is taken as it is */
    pthread_mutex_t lock;      /* of what follows */
    int64_t *deploying;        /* environments with a deploy going on */
    size_t deploying_count;
};
void scripts_init(struct scripts *scripts, struct store *store);
void scripts_finish(struct scripts *scripts);

enum deploy_mode {
    DEPLOY_ALL,
    DEPLOY_INTEGRATION, /* those integrations that it names */
    DEPLOY_SINGLE,      /* that script: nothing is removed */
};

struct deploy_item {
    enum script_kind kind;
    const char *integration; /* these point into the body */
    const char *name;
    const char *event;
    const char *js;
    const char *ts;
    cJSON *models;           /* names */
    cJSON *endpoints;        /* {method, path, group} */
    struct script_spec spec; /* version NULL = the one after the last */
    /* by deploy_plan() */
    int64_t integration_id;
    const struct script_row *before; /* NULL = it is new */
};

struct deploy {
    enum deploy_mode mode;
    bool reconcile;   /* remove what is no longer listed */
    bool early;       /* of the first releases, which checked less */
    bool with_events; /* event scripts are listed: those that are not are gone */
    const char *source;
    struct deploy_item *items;
    size_t count;
};

/* Reads a body, which must outlive *out. Types are checked, so any JSON may be given. On
 * failure *out needs no finishing. */
bool deploy_parse(const cJSON *body, struct deploy *out, struct deploy_fault *fault);
void deploy_finish(struct deploy *deploy);

struct deploy_plan {
    struct script_row **running; /* all of the environment */
    size_t running_count;
    const struct script_row **removed; /* of those: no longer listed */
    size_t removed_count;
    cJSON *deleted_models; /* names that no script of the deploy has any more */
};
/* Compares with what runs, and checks what only shows there: the integrations, endpoints
 * that another script has. Writes nothing. `removed` is filled whether or not the deploy
 * reconciles: it is shown to whoever confirms. */
bool deploy_make_plan(struct scripts *scripts, int64_t environment_id,
    struct deploy *deploy, struct deploy_plan *out, struct deploy_fault *fault);
void deploy_plan_finish(struct deploy_plan *plan);

/* Does the code of all scripts load? What runs already is not asked again. After a plan.
 * Blocks while it is tried: 400 `script_does_not_load`. */
bool deploy_check_code(const struct scripts *scripts, const struct deploy *deploy,
    struct deploy_fault *fault);

/* Plans and does it. `made`: deploy->count rows, in order, for store_scripts_free(). A
 * deploy to the same environment is going on: 409 `concurrent_deployment`. */
bool deploy_run(struct scripts *scripts, int64_t environment_id, struct deploy *deploy,
    struct script_row ***made, struct deploy_fault *fault);

/* Goes back to a version that was deployed before, known by its version_id. 404
 * `not_found` when the script has none of that id. */
bool script_roll_back(struct scripts *scripts, int64_t environment_id,
    const struct script_row *script, int64_t version_id, struct err *err);

/* "3" becomes "4", "1.0.2" "1.0.3"; the first is "1" (of an event script "0.0.1"). The
 * caller frees. */
char *script_next_version(const char *last, enum script_kind kind);

#endif
