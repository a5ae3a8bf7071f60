/* SPDX-License-Identifier: Apache-2.0 */
/* Operations and their messages as the API shows them. */
#ifndef API_LOG_JSON_H
#define API_LOG_JSON_H

#include "base/buf.h"
#include "oplog/read.h"

void log_operation_json(
    struct buf *out, int64_t environment_id, const struct oplog_row *row);
void log_message_json(
    struct buf *out, int64_t operation, const struct oplog_message *message);

/* The messages of a call are its exchanges: appends those that pass as a list's elements.
 * `levels`: bits, 0 = all; `search`: ASCII letters of any case, NULL = all. */
void log_call_messages_json(
    struct buf *out, const struct oplog_row *row, unsigned levels, const char *search);

#endif
