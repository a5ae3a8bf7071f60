/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/str.h"

#define MAX_DESCRIPTORS 64

/* What the walls are about. Everything else is allowed: which calls a program's own
 * runtime makes is its affair, and changes with it. */
static const int refused[] = {
    SCMP_SYS(socket),
    SCMP_SYS(socketpair),
    SCMP_SYS(connect),
    SCMP_SYS(bind),
    SCMP_SYS(listen),
    SCMP_SYS(accept),
    SCMP_SYS(accept4),
    SCMP_SYS(sendto),
    SCMP_SYS(sendmsg),
    SCMP_SYS(fork),
    SCMP_SYS(vfork),
    SCMP_SYS(execveat),
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(pidfd_open),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(kill),
    SCMP_SYS(tkill),
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(chroot),
    SCMP_SYS(bpf),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(creat),
    SCMP_SYS(mkdir),
    SCMP_SYS(mkdirat),
    SCMP_SYS(mknod),
    SCMP_SYS(mknodat),
    SCMP_SYS(link),
    SCMP_SYS(linkat),
    SCMP_SYS(symlink),
    SCMP_SYS(symlinkat),
    SCMP_SYS(rename),
    SCMP_SYS(renameat),
    SCMP_SYS(renameat2),
    SCMP_SYS(unlink),
    SCMP_SYS(unlinkat),
    SCMP_SYS(rmdir),
    SCMP_SYS(truncate),
    SCMP_SYS(chmod),
    SCMP_SYS(fchmod),
    SCMP_SYS(fchmodat),
    SCMP_SYS(chown),
    SCMP_SYS(lchown),
    SCMP_SYS(fchown),
    SCMP_SYS(fchownat),
    SCMP_SYS(setxattr),
    SCMP_SYS(lsetxattr),
    SCMP_SYS(utimensat),
};

static bool add_rules(scmp_filter_ctx filter)
{
    static const uint64_t writing[] = {O_WRONLY, O_RDWR, O_CREAT, O_TRUNC};
    bool ok = true;

    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        ok = ok && seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), refused[i], 0) == 0;
    for (size_t i = 0; i < sizeof writing / sizeof writing[0]; i++)
        ok = ok &&
             seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(open), 1,
                 SCMP_A1(SCMP_CMP_MASKED_EQ, writing[i], writing[i])) == 0 &&
             seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(openat), 1,
                 SCMP_A2(SCMP_CMP_MASKED_EQ, writing[i], writing[i])) == 0;
    /* Their flags are where a filter cannot see them; who gets ENOSYS takes the others. */
    ok =
        ok && seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(openat2), 0) == 0;
    ok = ok && seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0;
    /* Threads, not processes. */
    return ok && seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                     SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0)) == 0;
}

static bool set_limit(__rlimit_resource_t which, rlim_t value)
{
    const struct rlimit limit = {value, value};

    return setrlimit(which, &limit) == 0;
}

static bool raise_walls(int64_t memory_mb, int64_t cpu_s)
{
    scmp_filter_ctx filter;
    bool ok;

    ok = set_limit(RLIMIT_CPU, (rlim_t)cpu_s) && set_limit(RLIMIT_FSIZE, 0) &&
         set_limit(RLIMIT_CORE, 0) && set_limit(RLIMIT_NOFILE, MAX_DESCRIPTORS);
    filter = seccomp_init(SCMP_ACT_ALLOW);
    ok = ok && filter != NULL && add_rules(filter) && seccomp_load(filter) == 0;
    seccomp_release(filter);
    /* Last: it is the program's limit, and this one may have more already (sanitizers). */
    return ok && set_limit(RLIMIT_DATA, (rlim_t)memory_mb << 20);
}

bool tool_exec(char **argv, struct err *err)
{
    static char one_thread[] = "GOMAXPROCS=1", root[] = "HOME=/";
    char *const environment[] = {one_thread, root, NULL};
    int64_t memory_mb, cpu_s;

    if (argv[0] == NULL || argv[1] == NULL || argv[2] == NULL ||
        !str_to_i64(argv[0], &memory_mb) || !str_to_i64(argv[1], &cpu_s) ||
        memory_mb <= 0 || cpu_s <= 0)
        return err_internal(err, "--tool MEMORY_MB CPU_S PROGRAM ARGUMENTS…");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (chdir("/") != 0 || !raise_walls(memory_mb, cpu_s))
        return err_internal(err, "the limits of a tool cannot be set");
    execve(argv[2], argv + 2, environment);
    return err_internal(err, "%s: %s", argv[2], strerror(errno));
}
