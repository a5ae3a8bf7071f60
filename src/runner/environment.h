/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNNER_ENVIRONMENT_H
#define RUNNER_ENVIRONMENT_H

/* The whole environment of a runner; NULL-terminated. The engine's own heap cage would
 * reserve address space that no memory limit could then count. */
extern char *const runner_environment[];
#define RUNNER_ENVIRONMENT_MARK "GIGACAGE_ENABLED"

#endif
