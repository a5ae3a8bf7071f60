/* SPDX-License-Identifier: Apache-2.0 */
/* Locks of the data directory: see directory.h. Both are flock()s, which end with the
 * process, so that a dead holder keeps nobody out. */
#include "store/sqlite/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

#define LOCK_NAME "nangod.lock"
#define CHANGES_NAME "nangod.changes"

static bool fail_errno(const char *doing, const char *path, struct err *err)
{
    return err_internal(err, "%s %s: %s", doing, path, strerror(errno));
}

bool directory_make(const char *dir, struct err *err)
{
    return mkdir(dir, 0700) == 0 || errno == EEXIST || fail_errno("creating", dir, err);
}

bool directory_sync(const char *dir, struct err *err)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;

    if (!ok)
        fail_errno("syncing", dir, err);
    if (fd >= 0)
        (void)close(fd);
    return ok;
}

bool directory_lock(const char *dir, int *fd, bool *unclean, struct err *err)
{
    char *path = str_printf("%s/" LOCK_NAME, dir);
    char pid[32] = "";
    ssize_t len;
    bool ok = false;
    int refused;

    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (*fd < 0) {
        fail_errno("opening", path, err);
        goto done;
    }
    refused = flock(*fd, LOCK_EX | LOCK_NB) != 0 ? errno : 0;
    len = pread(*fd, pid, sizeof pid - 1, 0);
    if (len < 0) {
        fail_errno("reading", path, err);
        goto done;
    }
    pid[len] = '\0';
    (void)str_trim(pid);
    if (refused == EWOULDBLOCK)
        err_internal(err, "another nangod (process %s) serves from %s", pid, dir);
    else if (refused != 0)
        err_internal(err, "locking %s: %s", path, strerror(refused));
    if (refused != 0)
        goto done;
    *unclean = len > 0;
    (void)snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    ok = ftruncate(*fd, 0) == 0 &&
         pwrite(*fd, pid, strlen(pid), 0) == (ssize_t)strlen(pid) && fsync(*fd) == 0;
    if (!ok)
        fail_errno("writing", path, err);

done:
    if (!ok && *fd >= 0) {
        (void)close(*fd); /* nothing was written through it that matters */
        *fd = -1;
    }
    free(path);
    return ok;
}

void directory_unlock(int fd, const struct log *log)
{
    if (ftruncate(fd, 0) != 0 || fsync(fd) != 0)
        log_event(log, LOG_WARN, "the next start will check the store",
            LOG_STR("reason", strerror(errno)), LOG_END);
    (void)close(fd); /* gives the lock back */
}

bool directory_enter(const char *dir, bool alone, int *fd, struct err *err)
{
    *fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*fd < 0)
        return fail_errno("opening", dir, err);
    if (flock(*fd, (alone ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0)
        return true;
    if (errno != EWOULDBLOCK)
        fail_errno("locking", dir, err);
    else if (alone)
        err_internal(err, "another command of nangod uses %s: try again after it", dir);
    else
        err_internal(err, "%s is being restored: try again after that", dir);
    (void)close(*fd);
    *fd = -1;
    return false;
}

bool directory_map_changes(const char *dir, change_count **out, struct err *err)
{
    char *path = str_printf("%s/" CHANGES_NAME, dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    void *at = MAP_FAILED;

    *out = NULL;
    if (fd >= 0 && ftruncate(fd, sizeof(change_count)) == 0) /* the size it has */
        at = mmap(NULL, sizeof(change_count), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at != MAP_FAILED)
        *out = at;
    else
        fail_errno("mapping", path, err);
    if (fd >= 0)
        (void)close(fd); /* the mapping stays */
    free(path);
    return *out != NULL;
}

void directory_unmap_changes(change_count *count)
{
    if (count != NULL)
        (void)munmap(count, sizeof *count); /* cannot fail: it was mapped so */
}
