/* SPDX-License-Identifier: Apache-2.0 */
/* Killing the process where a test asks for it. SIGKILL rather than abort(): no handler
 * runs, no buffer is flushed, as when the machine takes the process away. */
#include "base/fault.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

void fault_point(const char *name)
{
    /* Counts hits of the one named point; a process has one at most, hence one counter.
     */
    static atomic_uint hits;
    const char *wanted = getenv("NANGO_TEST_CRASH_AT");
    size_t len = strlen(name);
    unsigned long nth = 1;

    if (wanted == NULL || strncmp(wanted, name, len) != 0)
        return;
    if (wanted[len] == ':')
        nth = strtoul(wanted + len + 1, NULL, 10);
    else if (wanted[len] != '\0')
        return;
    if (atomic_fetch_add(&hits, 1) + 1 == nth)
        raise(SIGKILL);
}
