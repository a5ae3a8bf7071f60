/* SPDX-License-Identifier: Apache-2.0 */
/* Putting a backup in the place of the database. The files are changed in an order that
 * lets a crash at any point leave the old database or the new one, never one with the
 * other's log:
 *
 *   nango.db.part       the backup is copied, checked, synced; until here nothing changed
 *   nango.db.restored   it takes this name: decided. From here on a crash is made good by
 *                       whoever opens the directory next as server
 *   nango.db.before-restore (and -wal)
 *                       further names of the old database and its log
 *                       then the names nango.db-wal and -shm go, and last
 *   nango.db            is the new one
 *
 * What can fail: a server or another command in the directory, a backup that is damaged,
 * of a newer schema or none of ours, a database kept from an earlier restore, the disk.
 * The database is then as it was. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/str.h"
#include "store/sqlite/directory.h"
#include "store/sqlite/migrate.h"
#include "store/sqlite/sqlite_int.h"

#define PART SQLITE_DB_NAME ".part"
#define RESTORED SQLITE_DB_NAME ".restored"
#define BEFORE SQLITE_DB_NAME ".before-restore"

static bool fail_errno(const char *doing, const char *path, struct err *err)
{
    return err_internal(err, "%s %s: %s", doing, path, strerror(errno));
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat of_a, of_b;

    return stat(a, &of_a) == 0 && stat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
           of_a.st_ino == of_b.st_ino;
}

static bool exists(const char *dir, const char *name)
{
    char *path = str_printf("%s/%s", dir, name);
    bool found = access(path, F_OK) == 0;

    free(path);
    return found;
}

static bool drop(const char *dir, const char *name, struct err *err)
{
    char *path = str_printf("%s/%s", dir, name);
    bool ok = unlink(path) == 0 || errno == ENOENT || fail_errno("removing", path, err);

    free(path);
    return ok;
}

/* ---- before it is decided ---- */

/* A lease in a backup belongs to a server that is not there any more. */
static bool clear_leases(struct sql_conn *conn, struct err *err)
{
    return sql_execute(conn,
        "UPDATE connection SET lease_holder = NULL, lease_until = 0 "
        "WHERE lease_holder IS NOT NULL",
        err);
}

static bool make_empty(const char *path, struct err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool ok;

    if (fd < 0)
        return fail_errno("creating", path, err);
    ok = fchmod(fd, 0600) == 0 || fail_errno("setting the mode of", path, err);
    (void)close(fd); /* nothing was written */
    return ok;
}

static bool sync_file(const char *path, struct err *err)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;

    if (!ok)
        fail_errno("syncing", path, err);
    if (fd >= 0)
        (void)close(fd); /* already synced */
    return ok;
}

/* What is checked is the copy, since that is what will be served from. */
static bool copy_checked(const char *file, const char *part, struct err *err)
{
    struct sql_conn *from = NULL, *copy = NULL;
    int version = 0;
    bool ok = false;

    if (!sql_connect(file, SQL_READ_ONLY, &from, err) ||
        !sqlite_schema_version(from->db, &store_schema, &version, err))
        goto done;
    if (version == 0) {
        err_internal(err, "this is no backup of nangod: it is empty");
        goto done;
    }
    ok = make_empty(part, err) && sqlite_copy(from->db, part, err) &&
         sql_connect(part, SQL_WRITES, &copy, err) && sqlite_check_all(copy, err) &&
         clear_leases(copy, err);

done:
    sql_disconnect(copy);
    sql_disconnect(from);
    return ok && sync_file(part, err);
}

/* ---- from the decision on: each step may find itself done ---- */

/* The old database keeps living under another name. */
static bool keep(
    const char *dir, const char *name, const char *kept, bool *any, struct err *err)
{
    char *from = str_printf("%s/%s", dir, name);
    char *to = str_printf("%s/%s", dir, kept);
    bool ok = true;

    if (link(from, to) == 0)
        *any = true;
    else if (errno != ENOENT && !(errno == EEXIST && is_same_file(from, to)))
        ok = fail_errno("keeping the database as", to, err);
    free(from);
    free(to);
    return ok;
}

static bool put_name(
    const char *dir, const char *from_name, const char *to_name, struct err *err)
{
    char *from = str_printf("%s/%s", dir, from_name);
    char *to = str_printf("%s/%s", dir, to_name);
    bool ok = rename(from, to) == 0 || fail_errno("renaming", from, err);

    free(from);
    free(to);
    return ok && directory_sync(dir, err);
}

bool sqlite_finish_restore(const char *dir, const struct log *log, struct err *err)
{
    bool kept = false;

    if (!exists(dir, RESTORED))
        return true;
    if (!keep(dir, SQLITE_DB_NAME, BEFORE, &kept, err) ||
        !keep(dir, SQLITE_DB_NAME "-wal", BEFORE "-wal", &kept, err) ||
        !directory_sync(dir, err))
        return false;
    fault_point("restore:after_keep");
    if (!drop(dir, SQLITE_DB_NAME "-wal", err) ||
        !drop(dir, SQLITE_DB_NAME "-shm", err) || !directory_sync(dir, err))
        return false;
    fault_point("restore:after_drop");
    if (!put_name(dir, RESTORED, SQLITE_DB_NAME, err))
        return false;
    log_event(log, LOG_INFO, "the database was restored", LOG_STR("directory", dir),
        LOG_STR("kept", exists(dir, BEFORE) ? BEFORE : ""), LOG_END);
    return true;
}

bool sqlite_refuse_half_restored(const char *dir, struct err *err)
{
    return !exists(dir, RESTORED) ||
           err_internal(err, "a restore was cut short: start the server, which ends it");
}

/* ---- the whole ---- */

/* Under both locks. */
static bool restore(const char *dir, const char *file, struct err *err)
{
    char *database = str_printf("%s/" SQLITE_DB_NAME, dir);
    char *part = str_printf("%s/" PART, dir);
    bool ok = false;

    if (is_same_file(file, database))
        err_internal(err, "%s is the database itself", file);
    else if (exists(dir, BEFORE) || exists(dir, BEFORE "-wal"))
        err_internal(err,
            "%s/" BEFORE " is kept from an earlier restore: move it away, with its -wal",
            dir);
    else if (!drop(dir, PART "-journal", err) || !copy_checked(file, part, err))
        err_context(err, "%s", file);
    else
        ok = put_name(dir, PART, RESTORED, err);
    if (!ok)
        (void)unlink(part); /* the next restore would begin by emptying it */
    free(database);
    free(part);
    return ok;
}

bool sqlite_restore(const struct store_config *config, const char *file, struct err *err)
{
    const char *dir = config->data_dir;
    int lock_fd = -1, alone_fd = -1;
    bool unclean = false;
    bool ok = false;

    if (!directory_make(dir, err) || !directory_lock(dir, &lock_fd, &unclean, err))
        return false;
    if (directory_enter(dir, true, &alone_fd, err) &&
        sqlite_finish_restore(dir, config->log, err) && restore(dir, file, err)) {
        fault_point("restore:after_decision");
        ok = sqlite_finish_restore(dir, config->log, err);
    }
    if (alone_fd >= 0)
        (void)close(alone_fd);
    if (ok || !unclean)
        directory_unlock(lock_fd, config->log);
    else
        (void)close(lock_fd); /* with the mark of the server that died */
    return ok;
}
