/* SPDX-License-Identifier: Apache-2.0 */
/* How a connection is read from its tables, for whoever selects one or many. */
#ifndef STORE_SQLITE_CONNECTION_ROWS_H
#define STORE_SQLITE_CONNECTION_ROWS_H

#include "store/sqlite/sql.h"

/* "SELECT … " of the columns that sqlite_take_connection() reads. The two blobs may be
 * given as "NULL". Tables: `c` is connection, the others come by CONNECTION_JOINS. */
#define CONNECTION_COLUMNS(credentials, config)                                          \
    "SELECT c.id, c.environment, c.integration, c.version, c.connection_id, "            \
    "i.unique_key, i.provider, c.auth_type, c.has_refresh_token, " credentials           \
    ", " config ", c.metadata, c.tags, c.errors, c.webhook_url_override, "               \
    "c.created_at, c.updated_at, coalesce(f.last_fetched_at, 0), c.expires_at, "         \
    "c.last_refresh_success, c.last_refresh_failure, c.refresh_attempts, "               \
    "c.refresh_exhausted, c.deleted_at = -1, u.end_user_id, u.email, u.display_name, "   \
    "u.tags, "                                                                           \
    "u.organization_id, u.organization_display_name "
#define CONNECTION_JOINS                                                                 \
    "JOIN integration i ON i.id = c.integration "                                        \
    "LEFT JOIN end_user u ON u.id = c.end_user "                                         \
    "LEFT JOIN connection_use f ON f.connection = c.id "

/* The row that the statement stands on. */
struct connection_row *sqlite_take_connection(const struct sql *q);

#endif
