/* SPDX-License-Identifier: Apache-2.0 */
/* Copying a database that is in use into a file. */
#ifndef STORE_SQLITE_COPY_H
#define STORE_SQLITE_COPY_H

#include "base/log.h"
#include "store/sqlite/sql.h"

/* What `conn` sees, whole and durable, in `file`, which must not be there; `path`: of the
 * database itself. Writers go on meanwhile. On failure nothing is left behind. */
bool sql_copy_to(struct sql_conn *conn, const char *path, const char *file,
    const struct log *log, struct err *err);

#endif
