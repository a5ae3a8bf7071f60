/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Sends an answer, with a descriptor unless that is -1. */
static bool answer(int control, int32_t value, int fd)
{
    struct zygote_answer body = {.value = value};
    struct iovec iov = {.iov_base = &body, .iov_len = sizeof body};
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } space;
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
    ssize_t sent;

    if (fd >= 0) {
        struct cmsghdr *header;

        memset(&space, 0, sizeof space);
        message.msg_control = &space;
        message.msg_controllen = sizeof space.bytes;
        header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &fd, sizeof fd);
    }
    do
        sent = sendmsg(control, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)sizeof body;
}

static bool fork_runner(int control, int (*child)(int fd))
{
    int ends[2];
    pid_t pid;
    bool sent;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return answer(control, -errno, -1);
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(control);
        close(ends[0]);
        _exit(child(ends[1]));
    }
    close(ends[1]);
    if (pid < 0) {
        sent = answer(control, -errno, -1);
    } else {
        sent = answer(control, pid, ends[0]);
        if (!sent) { /* nobody knows of it */
            kill(pid, SIGKILL);
            waitpid(pid, NULL, 0);
        }
    }
    close(ends[0]);
    return sent;
}

static bool report(int control, pid_t pid)
{
    int status = 0;
    pid_t got;

    do
        got = waitpid(pid, &status, 0);
    while (got < 0 && errno == EINTR);
    return answer(control, got == pid ? (int32_t)status : -errno, -1);
}

int zygote_serve(int control, int (*child)(int fd))
{
    struct zygote_request request;
    bool going = true;

    prctl(PR_SET_PDEATHSIG, SIGKILL); /* its runners follow it by theirs */
    while (going) {
        ssize_t got = recv(control, &request, sizeof request, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0)
            return 0;
        if (got != (ssize_t)sizeof request)
            return 1;
        if (request.what == 'F')
            going = fork_runner(control, child);
        else
            going = request.what == 'W' && report(control, request.pid);
    }
    return 1;
}
