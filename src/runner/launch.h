/* SPDX-License-Identifier: Apache-2.0 */
/* The host's side of one runner process: starting it, talking to it, ending it, and saying
 * why it died. One thread uses a runner. */
#ifndef RUNNER_LAUNCH_H
#define RUNNER_LAUNCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "runner/environment.h"
#include "runner/protocol.h"

struct runner {
    pid_t pid; /* 0 once it was waited for */
    int fd;
    struct buf in;
    size_t taken; /* bytes of the frame that was handed out last */
};

enum runner_event {
    RUNNER_MESSAGE,
    RUNNER_TIMEOUT, /* the deadline is over */
    RUNNER_GONE,    /* it closed its end: runner_reap() says why */
    RUNNER_FAULTY,  /* what it sent is no message */
};

/* Where nango-runner is: `given` if that says something, else beside the program that asks
 * or in its libexec. The caller frees; NULL when there is none. */
char *runner_program(const char *given);

/* Starts `program` with that environment and one socket, its descriptor 3. */
bool runner_start(struct runner *runner, const char *program, struct err *err);
/* Sends what protocol_begin() and protocol_end() made. */
bool runner_send(struct runner *runner, const struct buf *frames);
/* Waits for a message until `deadline_ms` (monotonic; 0 = for ever). It borrows from the
 * runner until the next call. */
enum runner_event runner_next(
    struct runner *runner, int64_t deadline_ms, struct message *message, struct err *err);
/* Kills (unless it ended by itself), waits, and closes. Accepts a zeroed runner. Returns
 * the wait status. */
int runner_reap(struct runner *runner, bool kill_it);

/* How a run whose process died is reported: the error's type, and its text in `message`. */
const char *runner_death(int wait_status, char *message, size_t size);

#endif
