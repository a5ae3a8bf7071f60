/* SPDX-License-Identifier: Apache-2.0 */
/* One connection to the database, and statements on it. A statement's text must have
 * static storage: it is prepared once for each connection and found again by its address.
 *
 *   struct sql q = sql_begin(conn, "SELECT name FROM variable WHERE environment = ?");
 *   sql_i64(&q, id);                       parameters, from left to right
 *   while ((step = sql_step(&q, err)) == SQL_ROW)
 *       name = sql_take_text(&q, 0);       columns, counted from 0
 *   sql_end(&q);
 *
 * What goes wrong on the way stays in the statement and comes out of sql_step(). Bound
 * memory is borrowed until sql_end(). */
#ifndef STORE_SQLITE_SQL_H
#define STORE_SQLITE_SQL_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "store/sqlite/fold.h"
#include "store/store.h"

enum {
    SQL_SLOTS = 256
}; /* a power of two, more than twice the statements there are */

/* Used by one thread at a time. */
struct sql_conn {
    sqlite3 *db;
    struct sql_conn *next; /* for the pool */
    locale_t letters;      /* of fold.h */
    size_t prepared;
    struct {
        const char *text;
        sqlite3_stmt *stmt;
    } slots[SQL_SLOTS];
};

enum sql_use {
    SQL_WRITES,
    SQL_READS,     /* of a database that this process, or another, also writes */
    SQL_READ_ONLY, /* without the right to write the file */
};

bool sql_connect(
    const char *path, enum sql_use use, struct sql_conn **out, struct err *err);
void sql_disconnect(struct sql_conn *conn); /* accepts NULL */
/* Makes sure that there is a file, for its owner alone: SQLite would create one that all
 * may read. */
bool sql_make_file(const char *path, struct err *err);
/* WAL is a property of the file from then on. */
bool sql_set_wal(struct sql_conn *conn, struct err *err);
/* Runs text without parameters and results. */
bool sql_execute(struct sql_conn *conn, const char *text, struct err *err);
/* Fills *err from a result code and the connection's message, which names no values. A
 * damaged file has the code SQL_DAMAGED. */
#define SQL_DAMAGED "damaged"
bool sql_failed(sqlite3 *db, int rc, struct err *err);

struct sql {
    struct sql_conn *conn;
    sqlite3_stmt *stmt;
    int bound;
    int rc;
    bool once; /* not kept after sql_end() */
};

enum sql_result {
    SQL_FAILED,
    SQL_ROW,
    SQL_DONE,
};

/* `pragma`: integrity_check or quick_check of the file; 500 that says what it found. */
bool sql_check(struct sql_conn *conn, const char *pragma, struct err *err);

struct sql sql_begin(struct sql_conn *conn, const char *text);
struct sql sql_begin_once(struct sql_conn *conn, const char *text); /* any storage */
void sql_i64(struct sql *q, int64_t value);
void sql_text(struct sql *q, const char *value); /* NULL = NULL */
void sql_blob(struct sql *q, const void *data, size_t len);
void sql_blob_of(struct sql *q, struct blob blob);
enum sql_result sql_step(struct sql *q, struct err *err);
void sql_end(struct sql *q);

/* For statements without rows: step and end. */
bool sql_run(struct sql *q, struct err *err);
/* The same; a value that is taken already gives 409 `code`. */
bool sql_run_unique(
    struct sql *q, const char *code, const char *message, struct err *err);
/* How many rows the last finished write of this connection changed. */
size_t sql_changed(const struct sql_conn *conn);

int64_t sql_take_i64(const struct sql *q, int column);
bool sql_take_bool(const struct sql *q, int column);
char *sql_take_text(const struct sql *q, int column); /* the caller's; NULL = NULL */
struct blob sql_take_blob(const struct sql *q, int column);
void sql_take_fixed(const struct sql *q, int column, char *out, size_t size);

/* Room for one more in an array that grows by doubling: rows = sql_room(rows, count,
 * size). */
void *sql_room(void *rows, size_t count, size_t size);

#endif
