/* SPDX-License-Identifier: Apache-2.0 */
/* Backup of a running store: SQLite copies the pages that one read transaction sees into
 * a file beside the target, which is synced and then takes the target's name. Writers go
 * on meanwhile.
 *
 * What can fail: reading, the target's disk, a target that exists already. It is then as
 * it was, the temporary file gone. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/str.h"
#include "store/sqlite/copy.h"
#include "store/sqlite/sqlite_int.h"

enum {
    NAME_BYTES = 8
};

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

/* Without a log beside it, the copy opens from read-only media too. */
bool sqlite_copy(sqlite3 *from, const char *path, struct err *err)
{
    sqlite3 *to = NULL;
    sqlite3_backup *backup = NULL;
    int rc;

    rc = sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(
            to, "PRAGMA synchronous = OFF", NULL, NULL, NULL); /* synced later */
    if (rc == SQLITE_OK) {
        backup = sqlite3_backup_init(to, "main", from, "main");
        if (backup == NULL) {
            rc = sqlite3_errcode(to);
        } else {
            rc = sqlite3_backup_step(backup, -1);
            (void)sqlite3_backup_finish(backup); /* repeats the error of the step */
            rc = rc == SQLITE_DONE ? SQLITE_OK : rc;
        }
    }
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(to, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        sql_failed(to, rc, err);
    (void)sqlite3_close(to); /* no statement is open */
    return rc == SQLITE_OK;
}

static bool sync_path(const char *path, int flags, struct err *err)
{
    int fd = open(path, flags | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;

    if (!ok)
        fail_errno("syncing", path, err);
    if (fd >= 0)
        (void)close(fd); /* already synced */
    return ok;
}

bool sql_copy_to(struct sql_conn *conn, const char *path, const char *file,
    const struct log *log, struct err *err)
{
    char unique[2 * NAME_BYTES + 1];
    char *dir_text = str_dup(file);
    const char *dir = dirname(dir_text);
    char *temporary;
    bool made = false, ok = false;
    int fd;

    crypto_random_hex(unique, NAME_BYTES);
    temporary = str_printf("%s.%s.part", file, unique);
    if (is_same_file(file, path)) {
        err_set(err, 400, "invalid_backup", "%s is the database itself", file);
        goto done;
    }
    fd = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        fail_errno("creating", temporary, err);
        goto done;
    }
    made = true;
    (void)close(fd); /* empty */
    if (!sqlite_copy(conn->db, temporary, err) || !sync_path(temporary, O_RDWR, err))
        goto done;
    /* A link, not a rename: what is there already, perhaps the last good copy, stays. */
    if (link(temporary, file) != 0) {
        fail_errno("naming the backup", file, err);
        goto done;
    }
    ok = sync_path(dir, O_RDONLY | O_DIRECTORY, err);

done:
    if (made && unlink(temporary) != 0)
        log_event(log, LOG_WARN, "a part of a backup stays behind",
            LOG_STR("file", temporary), LOG_STR("reason", strerror(errno)), LOG_END);
    free(temporary);
    free(dir_text);
    return ok;
}

bool sqlite_backup(struct backend *b, const char *file, struct err *err)
{
    struct sql_conn *conn = sqlite_reader(b, err);
    bool ok = conn != NULL &&
              sql_copy_to(conn, sqlite_of(b)->path, file, sqlite_of(b)->log, err);

    sqlite_reader_done(b, conn);
    return ok;
}
