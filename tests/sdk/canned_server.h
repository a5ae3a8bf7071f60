/* SPDX-License-Identifier: Apache-2.0 */
/* A server within the test's process: it answers each request with what the path's method
 * would, and keeps connections open. /providers/silent is never answered. */
#ifndef TESTS_SDK_CANNED_SERVER_H
#define TESTS_SDK_CANNED_SERVER_H

#include <stdbool.h>
#include <stddef.h>

/* Starts it on a free port, in a thread that lives as long as the process. */
bool server_start(char *host, size_t size);

#endif
