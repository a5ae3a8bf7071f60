/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/sanitized.h"
#include "base/str.h"
#include "runner/environment.h"

#define MAX_DESCRIPTORS 16

/* /proc/self/statm, opened before files are out of reach. */
static int statm_fd = -1;

static void set_limit(int which, rlim_t soft)
{
    struct rlimit limit;

    if (getrlimit((__rlimit_resource_t)which, &limit) != 0)
        return;
    limit.rlim_cur =
        limit.rlim_max != RLIM_INFINITY && soft > limit.rlim_max ? limit.rlim_max : soft;
    setrlimit((__rlimit_resource_t)which, &limit);
}

static void close_others(int in_fd, int out_fd)
{
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *entry;
    int fds[256];
    int count = 0;

    if (dir == NULL)
        return;
    while ((entry = readdir(dir)) != NULL && count < 256) {
        int64_t fd;

        if (str_to_i64(entry->d_name, &fd) && fd > STDERR_FILENO && fd != in_fd &&
            fd != out_fd && fd != dirfd(dir))
            fds[count++] = (int)fd;
    }
    closedir(dir);
    for (int i = 0; i < count; i++)
        close(fds[i]);
}

/* A standard descriptor that is not the protocol's leads nowhere. */
static void close_standard(int in_fd, int out_fd)
{
    int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);

    for (int fd = STDIN_FILENO; nowhere >= 0 && fd <= STDOUT_FILENO; fd++)
        if (fd != in_fd && fd != out_fd)
            dup2(nowhere, fd);
    if (nowhere > STDERR_FILENO)
        close(nowhere);
}

bool sandbox_enter(char **argv, int in_fd, int out_fd, struct err *err)
{
    if (getenv(RUNNER_ENVIRONMENT_MARK) == NULL) {
        execve("/proc/self/exe", argv, runner_environment);
        return err_internal(err, "the runner cannot start itself: %s", strerror(errno));
    }
    close_others(in_fd, out_fd);
    close_standard(in_fd, out_fd);
    set_limit(RLIMIT_CORE, 0);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return err_internal(err, "no_new_privs: %s", strerror(errno));
    return true;
}

int sandbox_quiet(void)
{
    int kept, nowhere;

    if (SANITIZED) /* what it finds is told there */
        return STDERR_FILENO;
    kept = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere >= 0) {
        dup2(nowhere, STDERR_FILENO);
        close(nowhere);
    }
    return kept >= 0 ? kept : STDERR_FILENO;
}

/* What a warm engine and our loop need. */
static const int allowed[] = {
    SCMP_SYS(read),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(sendto),
    SCMP_SYS(pread64),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(close),
    SCMP_SYS(fstat),
    SCMP_SYS(lseek),
    SCMP_SYS(mmap),
    SCMP_SYS(munmap),
    SCMP_SYS(mprotect),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(brk),
    SCMP_SYS(mincore),
    SCMP_SYS(membarrier),
    SCMP_SYS(futex),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(gettid),
    SCMP_SYS(getpid),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(sched_getparam),
    SCMP_SYS(sched_getscheduler),
    SCMP_SYS(getpriority),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigsuspend),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(times),
    SCMP_SYS(getrusage),
    SCMP_SYS(getrandom),
    SCMP_SYS(sysinfo),
    SCMP_SYS(uname),
    SCMP_SYS(getcpu),
};

#if SANITIZED
/* What a sanitizer needs to tell what it found: the program's own map and symbols, to read. */
static const int to_report[] = {SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(stat),
    SCMP_SYS(newfstatat), SCMP_SYS(getdents64)};

static bool add_sanitizer_rules(scmp_filter_ctx filter)
{
    bool ok = true;

    for (size_t i = 0; i < sizeof to_report / sizeof to_report[0]; i++)
        ok = ok && seccomp_rule_add(filter, SCMP_ACT_ALLOW, to_report[i], 0) == 0;
    return ok &&
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(open), 1,
               SCMP_A1(SCMP_CMP_MASKED_EQ, O_ACCMODE, O_RDONLY)) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
               SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE, O_RDONLY)) == 0;
}
#endif

/* What no part of ours ever does: who tries has taken the engine over. */
static const int fatal[] = {
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(fork),
    SCMP_SYS(vfork),
    SCMP_SYS(socket),
    SCMP_SYS(socketpair),
    SCMP_SYS(connect),
    SCMP_SYS(bind),
    SCMP_SYS(listen),
    SCMP_SYS(accept4),
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(kill),
    SCMP_SYS(tkill),
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
    SCMP_SYS(mount),
    SCMP_SYS(bpf),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(keyctl),
    SCMP_SYS(memfd_create),
    SCMP_SYS(unlink),
    SCMP_SYS(unlinkat),
};

static bool add_rules(scmp_filter_ctx filter)
{
    const uint64_t thread_flags = CLONE_VM | CLONE_THREAD | CLONE_SIGHAND;
    bool ok = true;

    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
        ok = ok && seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0) == 0;
    for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++)
        ok = ok && seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, fatal[i], 0) == 0;
    /* Threads of this process, not new processes. glibc turns to clone when clone3, whose
     * flags a filter cannot see, is not there. */
    ok = ok && seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0;
    ok = ok && seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                   SCMP_A0(SCMP_CMP_MASKED_EQ, thread_flags, thread_flags)) == 0;
    /* The engine stops its threads by signals, and aborts by one. */
    ok = ok && seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                   SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0)) == 0;
    ok = ok && seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1,
                   SCMP_A0(SCMP_CMP_EQ, 0, 0)) == 0;
    ok = ok && seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
                   SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME, 0)) == 0;
#if SANITIZED
    ok = ok && add_sanitizer_rules(filter);
#endif
    return ok;
}

bool sandbox_seal(struct err *err)
{
    scmp_filter_ctx filter;
    bool ok;

    /* Not before: of a forked process it is another file. */
    statm_fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (statm_fd < 0)
        return err_internal(err, "/proc/self/statm: %s", strerror(errno));
    set_limit(RLIMIT_NOFILE, MAX_DESCRIPTORS);
    set_limit(RLIMIT_FSIZE, 0);
    filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    ok = filter != NULL && add_rules(filter) && seccomp_load(filter) == 0;
    seccomp_release(filter);
    return ok || err_internal(err, "the system call filter cannot be set");
}

/* What the process has, in bytes. */
struct usage {
    int64_t
        taken; /* its data segment: what it asked for and did not give back as a whole */
    int64_t held; /* of its own, in memory */
};

static struct usage usage_now(void)
{
    char text[128];
    ssize_t len = pread(statm_fd, text, sizeof text - 1, 0);
    long long size, resident, shared, code, lib, data;
    int64_t page = sysconf(_SC_PAGESIZE);

    if (len <= 0)
        return (struct usage){0};
    text[len] = '\0';
    if (sscanf(text, "%lld %lld %lld %lld %lld %lld", &size, &resident, &shared, &code,
            &lib, &data) != 6)
        return (struct usage){0};
    return (struct usage){data * page, (resident - shared) * page};
}

/* Of the run: what it may hold beyond `held_before`. */
static struct {
    int64_t limit; /* 0 = none */
    int64_t held_before;
} memory;

void sandbox_limit_run(int64_t cpu_ms, int64_t memory_mb)
{
    if (cpu_ms > 0) {
        struct rusage used;
        rlim_t so_far = 0;

        /* The engine's own limit comes first, with a message; this one is for what it
         * cannot interrupt. Whole seconds, rounded up. */
        if (getrusage(RUSAGE_SELF, &used) == 0)
            so_far = (rlim_t)used.ru_utime.tv_sec + (rlim_t)used.ru_stime.tv_sec + 1;
        set_limit(RLIMIT_CPU, so_far + (rlim_t)(cpu_ms + 999) / 1000 + 1);
    }
    memory.limit = memory_mb << 20;
    memory.held_before = usage_now().held;
    if (memory_mb > 0)
        set_limit(RLIMIT_DATA, (rlim_t)(usage_now().taken + memory.limit));
}

/* The engine gives memory back page by page, and keeps the addresses; for new large texts
 * it takes new addresses. The limit, which counts addresses, moves on with them, so that
 * what counts is what is held. */
bool sandbox_move_limit(void)
{
    struct usage now;
    int64_t room;

    if (memory.limit == 0)
        return true;
    now = usage_now();
    room = memory.limit - (now.held - memory.held_before);
    if (room > memory.limit) /* less than at the beginning */
        room = memory.limit;
    set_limit(RLIMIT_DATA, (rlim_t)(now.taken + (room > 0 ? room : 0)));
    /* Addresses that were taken before and are used only now are not the kernel's to
     * refuse. */
    return room >= 0;
}
