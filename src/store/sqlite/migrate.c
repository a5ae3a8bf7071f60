/* SPDX-License-Identifier: Apache-2.0 */
/* Migrating: forward only, one transaction for each step, so that a crash leaves the
 * database at one version or the next. A step whose result breaks a foreign key is rolled
 * back. */
#include "store/sqlite/migrate.h"

#include "store/sqlite/sql.h"

static bool fail(sqlite3 *db, const char *doing, struct err *err)
{
    sql_failed(db, sqlite3_extended_errcode(db), err);
    return err_context(err, "%s", doing);
}

/* The number that `sql` answers with; 0 for no row. */
static bool query_int(sqlite3 *db, const char *sql, int *out, struct err *err)
{
    sqlite3_stmt *stmt = NULL;
    bool ok = false;
    int rc;

    *out = 0;
    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
        return fail(db, "reading the schema's version", err);
    rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        *out = sqlite3_column_int(stmt, 0);
    ok = rc == SQLITE_ROW || rc == SQLITE_DONE ||
         fail(db, "reading the schema's version", err);
    (void)sqlite3_finalize(stmt); /* repeats the error of the step */
    return ok;
}

static bool execute(sqlite3 *db, const char *sql, const char *doing, struct err *err)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK || fail(db, doing, err);
}

static bool check_foreign_keys(sqlite3 *db, const struct migration *step, struct err *err)
{
    int violations;

    if (!query_int(db, "SELECT count(*) FROM pragma_foreign_key_check", &violations, err))
        return false;
    return violations == 0 ||
           err_internal(err, "migration %s leaves %d rows without their parent",
               step->name, violations);
}

static bool apply(sqlite3 *db, const struct migration *step, struct err *err)
{
    char set_version[64];
    bool ok;

    (void)sqlite3_snprintf(
        sizeof set_version, set_version, "PRAGMA user_version = %d", step->number);
    ok = execute(db, "BEGIN IMMEDIATE", step->name, err) &&
         execute(db, step->sql, step->name, err) && check_foreign_keys(db, step, err) &&
         execute(db, set_version, step->name, err) &&
         execute(db, "COMMIT", step->name, err);
    if (!ok && sqlite3_get_autocommit(db) == 0)
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL); /* *err has the cause */
    return ok;
}

bool sqlite_schema_version(
    sqlite3 *db, const struct schema *schema, int *version, struct err *err)
{
    int application, tables;

    if (!query_int(db, "PRAGMA user_version", version, err) ||
        !query_int(db, "PRAGMA application_id", &application, err) ||
        !query_int(db, "SELECT count(*) FROM sqlite_schema", &tables, err))
        return false;
    if (tables > 0 && application != schema->application_id)
        return err_internal(err, "this is the database of another program");
    if (*version > schema->count)
        return err_set(err, 500, SCHEMA_NEWER,
            "the schema has version %d and this program knows versions up to %d: a newer "
            "nangod "
            "wrote it, use that one or a newer",
            *version, schema->count);
    return true;
}

bool sqlite_migrate(sqlite3 *db, const struct schema *schema, bool may_change,
    const struct log *log, struct err *err)
{
    int version;

    if (!sqlite_schema_version(db, schema, &version, err))
        return false;
    if (version < schema->count && !may_change)
        return err_internal(err,
            "the schema has version %d and this program needs %d: start the server once, "
            "which "
            "brings it up to date",
            version, schema->count);
    if (version == schema->count)
        return true;

    /* Steps may rebuild tables that others refer to; each is checked as a whole. */
    if (!execute(db, "PRAGMA foreign_keys = OFF", "migrating", err))
        return false;
    for (; version < schema->count; version++) {
        if (!apply(db, &schema->steps[version], err))
            return false;
        log_event(log, LOG_INFO, "store migrated",
            LOG_STR("to", schema->steps[version].name), LOG_END);
    }
    return execute(db, "PRAGMA foreign_keys = ON", "migrating", err);
}
