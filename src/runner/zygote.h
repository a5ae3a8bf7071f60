/* SPDX-License-Identifier: Apache-2.0 */
/* The parent of all runners: a process that has loaded the engine's libraries and started
 * nothing of the engine's, so that it can be forked at any time. nangod asks it for
 * processes over one control socket (SOCK_SEQPACKET); it is single-threaded.
 *
 *   'F'              fork a runner; answer: its pid (i32) with one end of a stream socket
 *                    (SCM_RIGHTS), or -errno without one
 *   'W' pid (i32)    how a runner ended; answer: the status of waitpid() (i32), or -errno.
 *                    Asked for once the process has ended (a pidfd tells).
 *
 * The socket's end is the zygote's: it kills what still runs and exits. */
#ifndef RUNNER_ZYGOTE_H
#define RUNNER_ZYGOTE_H

#include <stdint.h>

struct zygote_request {
    char what; /* 'F' or 'W' */
    char unused[3];
    int32_t pid;
};

struct zygote_answer {
    int32_t value;
};

/* Serves `control` until its end. Each runner runs `child` with its end of the stream
 * socket, in a process of its own, and exits with what that returns. Returns the exit
 * status of the zygote itself. */
int zygote_serve(int control, int (*child)(int fd));

#endif
