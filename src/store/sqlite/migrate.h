/* SPDX-License-Identifier: Apache-2.0 */
/* The schema's versions. A version is a numbered file of SQL in migrations/, built into
 * the program; the database counts those it has been through in PRAGMA user_version. */
#ifndef STORE_SQLITE_MIGRATE_H
#define STORE_SQLITE_MIGRATE_H

#include <sqlite3.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/log.h"

struct migration {
    int number; /* 1, 2, 3… */
    const char *name;
    const char *sql;
};
/* The versions of one file's schema, made at build time (migrations/embed.py). */
struct schema {
    const struct migration *steps;
    int count;
    int application_id; /* as the first step sets it */
};
extern const struct schema store_schema; /* of nango.db */

/* Which version the database is of; 0 = a new one. Fails when it is newer than this
 * program (code SCHEMA_NEWER) or not ours. */
#define SCHEMA_NEWER "newer_schema"
bool sqlite_schema_version(
    sqlite3 *db, const struct schema *schema, int *version, struct err *err);

/* Brings the database to this program's version, each step in a transaction of its own.
 * Nothing is changed, and the reason told, when it is newer than that or not ours.
 * `may_change` false: an older one is refused as well. */
bool sqlite_migrate(sqlite3 *db, const struct schema *schema, bool may_change,
    const struct log *log, struct err *err);

#endif
