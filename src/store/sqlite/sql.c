/* SPDX-License-Identifier: Apache-2.0 */
/* Connections and statements: see sql.h. Prepared statements live as long as their
 * connection, in a small table by the address of the text. Files are opened without
 * SQLite's own locks, since a connection has one user at a time. */
#include "store/sqlite/sql.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

enum {
    BUSY_TIMEOUT_MS = 10000
};

bool sql_failed(sqlite3 *db, int rc, struct err *err)
{
    int primary = rc & 0xff;

    if (primary == SQLITE_FULL)
        return err_internal(err, "store: the disk is full, or the file may not grow");
    if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB)
        return err_set(err, 500, SQL_DAMAGED, "store: the database file is damaged (%s)",
            sqlite3_errstr(rc));
    if (rc == SQLITE_CONSTRAINT_FOREIGNKEY) /* deleted while the request was on its way */
        return err_set(err, 404, "not_found", "what this belongs to does not exist");
    return err_internal(err, "store: %s (%d)",
        db != NULL && sqlite3_extended_errcode(db) == rc ? sqlite3_errmsg(db)
                                                         : sqlite3_errstr(rc),
        rc);
}

/* ---- connections ---- */

static const char *const pragmas[] = {
    /* FULL: a commit is on the disk before it is acknowledged. */
    [SQL_WRITES] = ("PRAGMA synchronous = FULL;"
                    "PRAGMA foreign_keys = ON;"
                    "PRAGMA wal_autocheckpoint = 4000;"
                    "PRAGMA journal_size_limit = 67108864;" /* given back after a burst */
                    "PRAGMA cache_size = -32000;"
                    "PRAGMA temp_store = MEMORY;"),
    /* Mapped, so that all readers share the pages of the system's cache. */
    [SQL_READS] = ("PRAGMA query_only = ON;"
                   "PRAGMA mmap_size = 268435456;"
                   "PRAGMA temp_store = MEMORY;"),
    [SQL_READ_ONLY] = ("PRAGMA query_only = ON;"
                       "PRAGMA temp_store = MEMORY;"),
};

bool sql_connect(
    const char *path, enum sql_use use, struct sql_conn **out, struct err *err)
{
    struct sql_conn *conn = MEM_NEW(struct sql_conn);
    int flags = use == SQL_READ_ONLY ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    int rc;

    *out = NULL;
    rc = sqlite3_open_v2(path, &conn->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_extended_result_codes(conn->db, 1);
    if (rc == SQLITE_OK)
        rc = sqlite3_busy_timeout(conn->db, BUSY_TIMEOUT_MS);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(conn->db, pragmas[use], NULL, NULL, NULL);
    conn->letters = fold_letters();
    if (rc == SQLITE_OK)
        rc = fold_define(conn->db, conn->letters);
    if (rc != SQLITE_OK) {
        sql_failed(conn->db, rc, err);
        sql_disconnect(conn);
        return false;
    }
    *out = conn;
    return true;
}

void sql_disconnect(struct sql_conn *conn)
{
    int rc;

    if (conn == NULL)
        return;
    for (size_t i = 0; i < SQL_SLOTS; i++)
        (void)sqlite3_finalize(conn->slots[i].stmt); /* repeats its last step's error */
    rc = sqlite3_close(conn->db);
    assert(rc == SQLITE_OK); /* else a statement was not ended */
    if (conn->letters != (locale_t)0)
        freelocale(conn->letters);
    free(conn);
}

bool sql_execute(struct sql_conn *conn, const char *text, struct err *err)
{
    int rc = sqlite3_exec(conn->db, text, NULL, NULL, NULL);

    return rc == SQLITE_OK || sql_failed(conn->db, rc, err);
}

size_t sql_changed(const struct sql_conn *conn)
{
    return (size_t)sqlite3_changes64(conn->db);
}

/* ---- files ---- */

static bool fail_errno(const char *doing, const char *path, struct err *err)
{
    return err_internal(err, "%s %s: %s", doing, path, strerror(errno));
}

bool sql_make_file(const char *path, struct err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    bool ok;

    if (fd < 0)
        return fail_errno("opening", path, err);
    ok = fchmod(fd, 0600) == 0 || fail_errno("setting the mode of", path, err);
    (void)close(fd); /* nothing was written */
    return ok;
}

/* The answer is the mode that the file has afterwards. */
bool sql_set_wal(struct sql_conn *conn, struct err *err)
{
    struct sql q = sql_begin_once(conn, "PRAGMA journal_mode = WAL");
    enum sql_result step = sql_step(&q, err);
    char mode[16] = "";

    if (step == SQL_ROW)
        sql_take_fixed(&q, 0, mode, sizeof mode);
    sql_end(&q);
    if (step == SQL_FAILED)
        return false;
    return strcmp(mode, "wal") == 0 ||
           err_internal(err, "store: this file system does not allow a write-ahead log");
}

/* ---- statements ---- */

struct sql sql_begin(struct sql_conn *conn, const char *text)
{
    struct sql q = {.conn = conn, .rc = SQLITE_OK};
    size_t i = (size_t)((uint64_t)(uintptr_t)text * UINT64_C(0x9e3779b97f4a7c15) >> 48);

    for (;; i++) {
        i &= SQL_SLOTS - 1;
        if (conn->slots[i].text == text || conn->slots[i].text == NULL)
            break;
    }
    if (conn->slots[i].text == NULL) {
        q.rc = sqlite3_prepare_v3(
            conn->db, text, -1, SQLITE_PREPARE_PERSISTENT, &q.stmt, NULL);
        if (q.rc != SQLITE_OK)
            return q;
        conn->slots[i].text = text;
        conn->slots[i].stmt = q.stmt;
        conn->prepared++;
        assert(conn->prepared < SQL_SLOTS);
    }
    q.stmt = conn->slots[i].stmt;
    assert(!sqlite3_stmt_busy(q.stmt)); /* begun twice */
    return q;
}

struct sql sql_begin_once(struct sql_conn *conn, const char *text)
{
    struct sql q = {.conn = conn, .once = true};

    q.rc = sqlite3_prepare_v2(conn->db, text, -1, &q.stmt, NULL);
    return q;
}

static void note(struct sql *q, int rc)
{
    if (q->rc == SQLITE_OK)
        q->rc = rc;
}

void sql_i64(struct sql *q, int64_t value)
{
    if (q->stmt != NULL)
        note(q, sqlite3_bind_int64(q->stmt, ++q->bound, value));
}

void sql_text(struct sql *q, const char *value)
{
    if (q->stmt != NULL)
        note(q, sqlite3_bind_text(q->stmt, ++q->bound, value, -1, SQLITE_STATIC));
}

void sql_blob(struct sql *q, const void *data, size_t len)
{
    if (q->stmt != NULL)
        note(q, sqlite3_bind_blob64(q->stmt, ++q->bound, data, len, SQLITE_STATIC));
}

void sql_blob_of(struct sql *q, struct blob blob)
{
    sql_blob(q, blob.data, blob.len);
}

enum sql_result sql_step(struct sql *q, struct err *err)
{
    if (q->rc == SQLITE_OK) {
        int rc;

        assert(q->bound == sqlite3_bind_parameter_count(q->stmt));
        rc = sqlite3_step(q->stmt);
        if (rc == SQLITE_ROW)
            return SQL_ROW;
        if (rc == SQLITE_DONE)
            return SQL_DONE;
        q->rc = rc;
    }
    sql_failed(q->conn->db, q->rc, err);
    return SQL_FAILED;
}

void sql_end(struct sql *q)
{
    if (q->stmt == NULL)
        return;
    if (q->once) {
        (void)sqlite3_finalize(q->stmt); /* repeats the step's error */
    } else {
        (void)sqlite3_reset(q->stmt); /* the same */
        (void)sqlite3_clear_bindings(q->stmt);
    }
    q->stmt = NULL;
}

bool sql_run(struct sql *q, struct err *err)
{
    enum sql_result result = sql_step(q, err);

    assert(result != SQL_ROW);
    sql_end(q);
    return result == SQL_DONE;
}

bool sql_run_unique(struct sql *q, const char *code, const char *message, struct err *err)
{
    struct err why = {0};

    if (sql_run(q, &why))
        return true;
    if (q->rc == SQLITE_CONSTRAINT_UNIQUE || q->rc == SQLITE_CONSTRAINT_PRIMARYKEY)
        return err_set(err, 409, code, "%s", message);
    if (err != NULL)
        *err = why;
    return false;
}

/* ---- columns ---- */

int64_t sql_take_i64(const struct sql *q, int column)
{
    return sqlite3_column_int64(q->stmt, column);
}

bool sql_take_bool(const struct sql *q, int column)
{
    return sqlite3_column_int64(q->stmt, column) != 0;
}

char *sql_take_text(const struct sql *q, int column)
{
    const unsigned char *text = sqlite3_column_text(q->stmt, column);

    if (text == NULL)
        return NULL;
    return str_ndup((const char *)text, (size_t)sqlite3_column_bytes(q->stmt, column));
}

struct blob sql_take_blob(const struct sql *q, int column)
{
    struct blob blob = {0};
    const void *data;

    if (sqlite3_column_type(q->stmt, column) == SQLITE_NULL)
        return blob;
    data = sqlite3_column_blob(q->stmt, column); /* NULL for no bytes */
    blob.len = (size_t)sqlite3_column_bytes(q->stmt, column);
    blob.data = mem_alloc(blob.len > 0 ? blob.len : 1);
    if (blob.len > 0)
        memcpy(blob.data, data, blob.len);
    return blob;
}

void sql_take_fixed(const struct sql *q, int column, char *out, size_t size)
{
    const unsigned char *text = sqlite3_column_text(q->stmt, column);

    str_copy(out, size, text != NULL ? (const char *)text : "");
}

void *sql_room(void *rows, size_t count, size_t size)
{
    if ((count & (count - 1)) != 0) /* neither 0 nor a power of two: there is room */
        return rows;
    return mem_resize_array(rows, count > 0 ? 2 * count : 1, size);
}

bool sql_check(struct sql_conn *conn, const char *pragma, struct err *err)
{
    struct sql q = sql_begin_once(conn, pragma);
    enum sql_result step = sql_step(&q, err);
    char found[200] = "";

    if (step == SQL_ROW)
        sql_take_fixed(&q, 0, found, sizeof found);
    sql_end(&q);
    if (step == SQL_FAILED)
        return false;
    return strcmp(found, "ok") == 0 ||
           err_internal(err, "store: the database file is damaged (%s)", found);
}
