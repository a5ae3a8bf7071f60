/* SPDX-License-Identifier: Apache-2.0 */
/* The walls round a runner, in the order in which they rise:
 *
 *   sandbox_enter()      first thing in main: the environment is emptied (by starting the
 *                        program anew when it was not), no core dumps, no new privileges,
 *                        no descriptor but those of the protocol and standard error
 *   … libraries load, the VM warms up …
 *   sandbox_seal()       system calls: memory, threads of this process, the clock and the
 *                        descriptors that are open; everything else fails, and what only
 *                        an intruder would try ends the process
 *   sandbox_limit_run()  CPU time and memory, once a run's limits are known
 *
 * Wall time is the parent's to watch. Only a runner compiled for a sanitizer may besides open
 * files for reading, and keeps its standard error: so it can tell what it found. */
#ifndef RUNNER_SANDBOX_H
#define RUNNER_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Does not return when the program must be started anew. */
bool sandbox_enter(char **argv, int in_fd, int out_fd, struct err *err);
/* Standard error goes nowhere from now on: the engine writes there what nobody asked for.
 * Returns a descriptor for messages of ours. */
int sandbox_quiet(void);
bool sandbox_seal(struct err *err);
/* 0 = no limit. Memory counts from what the process has now. */
void sandbox_limit_run(int64_t cpu_ms, int64_t memory_mb);
/* Now and then during a run: what was given back may be taken again. False: the run holds
 * more than it may. */
bool sandbox_move_limit(void);

#endif
