/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the logs. Blocking: on threads that nothing else waits for.
 *
 * A listing looks at what there is for a bounded time; then it ends with what it found by
 * then, and `next` says where to go on. */
#ifndef OPLOG_READ_H
#define OPLOG_READ_H

#include "oplog/oplog.h"

/* One operation as it is kept; texts may be NULL, times 0. */
struct oplog_row {
    int64_t id;
    enum oplog_state state;
    char *type, *action;
    int64_t created_at_ms, started_at_ms, ended_at_ms;
    int64_t integration_id, connection_id, script_id;
    char *integration, *provider, *connection, *script;
    char *message;
    char *error;     /* JSON object */
    char *meta;      /* JSON object */
    char *exchanges; /* of a call: JSON array, oplog_http_append() */
};
void oplog_row_free(struct oplog_row *row); /* accepts NULL */
void oplog_rows_free(struct oplog_row **rows, size_t count);

/* NULL, 0: whatever it is. Lists end with NULL. */
struct oplog_filter {
    int64_t environment_id;
    const char *const *types;
    const char *action;
    unsigned states; /* bits, 1 << enum oplog_state */
    const char *integration, *connection, *script;
    int64_t from_ms, to_ms; /* from <= time < to; of a call, when it ended */
    const char *search;     /* in its texts, and in its messages; without case */
    size_t limit;           /* > 0 */
    int64_t before;         /* an id: what came before it */
    int64_t budget_ms;      /* how long to look; 0 = OPLOG_BUDGET_MS */
};
#define OPLOG_BUDGET_MS 250
/* The newest first. *next: for `before`, to go on; 0 = that was all. */
bool oplog_list(struct oplog *log, const struct oplog_filter *filter,
    struct oplog_row ***rows, size_t *count, int64_t *next, struct err *err);
/* *out NULL: there is none of that id in that environment. */
bool oplog_find(struct oplog *log, int64_t environment_id, int64_t id,
    struct oplog_row **out, struct err *err);

struct oplog_message {
    int64_t id;
    int64_t at_ms;
    enum oplog_level level;
    bool http;
    bool by_script; /* the user's, not ours */
    char *text;
    char *detail; /* JSON object of further members; NULL */
};
void oplog_messages_free(struct oplog_message **list, size_t count);
struct oplog_message_filter {
    int64_t environment_id;
    int64_t operation;
    unsigned levels; /* bits, 1 << enum oplog_level; 0 = all */
    const char *search;
    size_t limit;
    int64_t after; /* an id: what came after it */
};
/* In the order in which they were told. *next: for `after`, to go on; 0 = that was all. */
bool oplog_list_messages(struct oplog *log, const struct oplog_message_filter *filter,
    struct oplog_message ***list, size_t *count, int64_t *next, struct err *err);

#endif
