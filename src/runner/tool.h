/* SPDX-License-Identifier: Apache-2.0 */
/* Another program behind walls: nango-runner takes its place.
 *
 *   nango-runner --tool MEMORY_MB CPU_S PROGRAM ARGUMENTS…
 *
 * For programs that turn what strangers wrote (standard input) into something else
 * (standard output), as esbuild does. They need files to start from, so they may read; they
 * may not write any, reach the network, start processes or touch those of others, and have
 * an empty environment, little memory and little time. They die with whoever started them.
 * Their own walls are lower than those of scripts: such a program is not what a stranger
 * wrote, but may have faults. */
#ifndef RUNNER_TOOL_H
#define RUNNER_TOOL_H

#include "base/err.h"

/* `argv`: from MEMORY_MB on. Does not return but to say why not. */
bool tool_exec(char **argv, struct err *err);

#endif
