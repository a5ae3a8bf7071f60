/* SPDX-License-Identifier: Apache-2.0 */
/* A server within the test's process that misbehaves in the way that the path names. What the
 * paths do is listed in rough_server.c. */
#ifndef TESTS_SDK_ROUGH_SERVER_H
#define TESTS_SDK_ROUGH_SERVER_H

#include <stdbool.h>
#include <stddef.h>

/* Starts it on a free port, in threads that live as long as the process. */
bool rough_start(char *host, size_t size);

/* Closes the gate, at which some answers wait, and begins to count anew. */
void rough_reset(void);
void rough_open(void);

enum rough_count {
    ROUGH_REQUESTS, /* that were read as far as their head */
    ROUGH_HELD,     /* answers that came to the gate */
    ROUGH_PASSED,   /* and what they sent behind it */
    ROUGH_UPLOADED, /* bytes of requests' bodies */
    ROUGH_COUNTS
};
int rough_count(enum rough_count which);
/* Waits until there are so many; false when that takes too long. */
bool rough_await(enum rough_count which, int number);

#endif
