/* SPDX-License-Identifier: Apache-2.0 */
/* Points at which a test kills the process, to prove that what was promised survives.
 *
 * For tests only: nothing happens unless the environment variable NANGO_TEST_CRASH_AT
 * names the point, as `name` or `name:n` for the n-th time it is reached. The names in
 * use:
 *
 *   refresh:before_call     lease taken, token endpoint not called yet
 *   refresh:after_answer    answer read, nothing durable yet
 *   refresh:after_journal   answer in the journal, not parsed yet
 *   refresh:after_publish   new credentials durable, nobody told yet
 *
 *   restore:after_decision  the backup is whole in the directory, nothing moved yet
 *   restore:after_keep      the old database has its second name
 *   restore:after_drop      the old log is gone, the old database still in place */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

/* Raises SIGKILL when this is the point that the environment names, else returns. Any
 * thread. */
void fault_point(const char *name);

#endif
