/* SPDX-License-Identifier: Apache-2.0 */
/* Webhooks in SQLite: for those who put some in a transaction of their own. */
#ifndef STORE_SQLITE_WEBHOOKS_H
#define STORE_SQLITE_WEBHOOKS_H

#include "store/sqlite/sql.h"
#include "store/webhooks_int.h"

extern const struct webhook_ops sqlite_webhook_ops;

/* Inside a transaction. `puts` may be NULL. */
bool sqlite_insert_webhooks(struct sql_conn *conn, const struct webhook_puts *puts,
    int64_t now_ms, struct err *err);

/* webhook_rows.c */
bool sqlite_list_webhooks(struct backend *b, const struct webhook_filter *filter,
    struct webhook_row **out, size_t *count, struct err *err);
bool sqlite_list_webhook_attempts(struct backend *b, int64_t id,
    struct webhook_attempt_row **out, size_t *count, struct err *err);
bool sqlite_read_webhook_body(struct backend *b, int64_t environment_id, int64_t id,
    char uuid[UUID_TEXT_SIZE], struct blob *body, struct err *err);
bool sqlite_replay_webhooks(struct backend *b, int64_t environment_id, int64_t id,
    int64_t since_ms, int64_t now_ms, size_t *count, struct err *err);
bool sqlite_sweep_webhooks(struct backend *b, int64_t delivered_before_ms,
    int64_t dead_before_ms, struct err *err);

#endif
