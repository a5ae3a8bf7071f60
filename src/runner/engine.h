/* SPDX-License-Identifier: Apache-2.0 */
/* The JavaScript engine of a runner: one VM (JavaScriptCore), in it one context at a time,
 * which has the prelude (js/) loaded and serves one run.
 *
 *   EMPTY --engine_start--> FRESH --run--> BUSY --done--> SPENT --engine_renew--> FRESH
 *
 * A context is never used for a second run. Messages of the host go to the prelude, which
 * answers by the functions of native.h. One thread uses an engine. */
#ifndef RUNNER_ENGINE_H
#define RUNNER_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct engine;

/* How an execution ended, as far as the process is concerned. */
enum engine_outcome {
    ENGINE_GOES_ON,
    ENGINE_DONE,  /* the run has ended and `done` was sent */
    ENGINE_BROKEN /* the process must end: a limit was passed, or the host is gone */
};

/* `out_fd` is where frames for the host go. The libraries are loaded, there is no VM. */
struct engine *engine_new(int out_fd);
void engine_free(struct engine *engine); /* accepts NULL */
/* Makes the VM and the first context. */
bool engine_start(struct engine *engine, struct err *err);
/* Drops the spent context and makes a new one. */
bool engine_renew(struct engine *engine, struct err *err);
/* Tells the host that a run may come. */
bool engine_ready(struct engine *engine);

/* Gives one message of the host to the prelude. */
enum engine_outcome engine_message(struct engine *engine, const char *text, size_t len);
/* Runs the timers that are due. *wait_ms: until the next one, or until the run's deadline;
 * -1 = only a message can bring the run on. */
enum engine_outcome engine_tick(struct engine *engine, int *wait_ms);

#endif
