/* SPDX-License-Identifier: Apache-2.0 */
/* Operation logs: what the server did for its users, and what was said on the way.
 *
 *   oplog_begin() ─► oplog_move() ─► oplog_say(), oplog_http()… ─► oplog_end()
 *   oplog_call()  a proxied call, told whole once it is over
 *
 *                              bounded, lock-free
 *   any thread ─► entry ─► queue ─────────────────► writer thread ─► logs.db
 *                   └ no room: dropped and counted
 *
 * Telling never waits: not for a lock, not for the disk. When the writer does not keep up,
 * what matters least is dropped first (calls that went well, then messages, then
 * beginnings); an operation whose beginning was taken also gets its end. What was dropped
 * of an operation is told in it at its end, and all of it in oplog_stats().
 *
 * The logs are a file of their own and may be lost: none of the server's promises rests
 * on them. A crash loses what was told in its last moments.
 *
 * Nothing told here may hold a secret: see oplog/redact.h. */
#ifndef OPLOG_OPLOG_H
#define OPLOG_OPLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/json_raw.h"
#include "base/log.h"

struct http_headers;
struct oplog;

/* ---- life ---- */

enum oplog_level {
    OPLOG_DEBUG,
    OPLOG_INFO,
    OPLOG_WARN,
    OPLOG_ERROR,
    OPLOG_LEVELS,
};
extern const char *const oplog_level_names[OPLOG_LEVELS + 1]; /* ends with NULL */
bool oplog_level_parse(const char *name, enum oplog_level *out);

struct oplog_config {
    const char *dir; /* of logs.db; exists */
    const struct clock *clock;
    const struct log *log;
    enum oplog_level level; /* messages below it are not kept, nor calls that went well */
    int64_t retention_ms;   /* what is older is deleted by a sweep */
    uint64_t max_bytes;     /* of the file: beyond it the oldest goes; 0 = no bound */
    size_t queue_bytes;     /* told and not yet written; beyond it is dropped */
};
/* Opens or makes the file and starts the writer. A damaged file is set aside
 * (logs.db.damaged) and a new one made; one that another process holds is waited for, in
 * the background. False when it cannot be made, or was written by a newer program. What
 * was unfinished in it is told to have ended with the last server. The config's pointers
 * are borrowed. */
bool oplog_start(const struct oplog_config *config, struct oplog **out, struct err *err);
/* Writes what was told, but does not wait for long for a disk that hangs. Nobody may tell
 * anything any more. Accepts NULL. */
void oplog_stop(struct oplog *log);
/* NULL is accepted by this and by all that follows: nothing is kept then. */
void oplog_set_level(struct oplog *log, enum oplog_level level);
/* Waits until what was told before is written; false when that took longer than
 * `timeout_ms`. */
bool oplog_flush(struct oplog *log, int64_t timeout_ms);
/* Has the writer delete what is too old or too much, and end what has expired; false when
 * that is not done within `timeout_ms`: it goes on. */
bool oplog_sweep(struct oplog *log, int64_t timeout_ms);

struct oplog_stats {
    uint64_t operations; /* written, calls included */
    uint64_t messages;
    uint64_t dropped; /* for want of room, or as they could not be written */
    uint64_t queued_bytes;
};
void oplog_stats(struct oplog *log, struct oplog_stats *out);

/* ---- operations ---- */

/* WAITING ─► RUNNING ─► SUCCESS, FAILED, TIMEOUT, CANCELLED; one that is tried again goes
 * back to WAITING, and one that is begun again (an authorization) to RUNNING. */
enum oplog_state {
    OPLOG_WAITING,
    OPLOG_RUNNING,
    OPLOG_SUCCESS,
    OPLOG_FAILED,
    OPLOG_TIMEOUT, /* its end was never told */
    OPLOG_CANCELLED,
    OPLOG_STATES,
};
extern const char *const oplog_state_names[OPLOG_STATES + 1]; /* ends with NULL */

/* Names of an operation: its time and a number. As text, `20260131_019c12…`. */
#define OPLOG_ID_SIZE 26
void oplog_id_text(int64_t id, char out[OPLOG_ID_SIZE]);
bool oplog_id_parse(const char *text, int64_t *id); /* false: *id is as it was */
/* One that can be made again from what is kept elsewhere: where the operation began and a
 * number that is as good as random. */
int64_t oplog_id_of(int64_t began_ms, uint32_t seed);

/* What an operation is about. Texts are borrowed for the call; NULL and 0 = none. */
struct oplog_subject {
    int64_t environment_id;
    const char *type; /* action, sync, webhook, auth, deploy, admin, … */
    const char *action;
    int64_t integration_id;
    const char *integration; /* its unique key */
    const char *provider;
    int64_t connection_id;
    const char *connection;
    int64_t script_id;
    const char *script;
    const char *message; /* one line for people */
    const char *meta;    /* a JSON object */
    bool durable;        /* goes on after a restart of the server */
    int64_t expires_ms;  /* TIMEOUT when it did not end by then; 0 = after two days */
};
/* A copy of it may be kept by everyone who tells of the operation; `log` is NULL when
 * nothing is kept of it, `id` is good in either case. Zeroed = no operation: everything
 * told of it is ignored. */
struct oplog_op {
    struct oplog *log;
    int64_t environment_id;
    int64_t id;
};
struct oplog_op oplog_begin(
    struct oplog *log, const struct oplog_subject *subject, enum oplog_state state);
/* The same for an `id` that is known already. If there is such an operation, it is begun
 * again, and what `subject` says is added to it. */
struct oplog_op oplog_begin_as(struct oplog *log, int64_t id,
    const struct oplog_subject *subject, enum oplog_state state);
/* An operation that was begun elsewhere. */
struct oplog_op oplog_op_of(struct oplog *log, int64_t environment_id, int64_t id);
void oplog_move(const struct oplog_op *op, enum oplog_state state);

/* Why something failed. Borrowed; any may be NULL. */
struct oplog_error {
    const char *type;
    const char *message;
    const char *stack;
};
/* `error`: NULL = none. */
void oplog_end(
    const struct oplog_op *op, enum oplog_state state, const struct oplog_error *error);

/* ---- messages ---- */

#define OPLOG_MESSAGE_MAX 99000 /* bytes of text and meta; the rest is cut off */

/* One of ours. `meta`: a JSON value, NULL = none. */
void oplog_say(const struct oplog_op *op, enum oplog_level level, const char *meta,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* One of a user's script. `meta.text` NULL = none. */
void oplog_say_for_script(const struct oplog_op *op, enum oplog_level level,
    const char *text, struct json_raw meta);
void oplog_say_error(
    const struct oplog_op *op, const struct oplog_error *error, const char *text);
bool oplog_keeps(const struct oplog_op *op, enum oplog_level level);

/* ---- HTTP ---- */

/* One exchange with a provider. Borrowed. */
struct oplog_http {
    const char *method;
    const char *url;     /* as oplog_shown_url() makes it */
    int status;          /* 0 = no answer */
    const char *failure; /* why there is none, as ECONNREFUSED; NULL */
    int attempt;         /* 1 = the first */
    int64_t began_ms;
    int64_t took_ms;
    /* Told of exchanges that failed, and of all at level debug. NULL = not known. */
    const struct http_headers *request;
    const struct http_headers *answer;
};
bool oplog_http_failed(const struct oplog_http *http);
/* A message of an operation. */
void oplog_say_http(const struct oplog_op *op, const struct oplog_http *http);
/* Appends it as the next element of a list of exchanges for oplog_call(). */
void oplog_http_append(
    struct oplog *log, const struct oplog_http *http, struct buf *list);
/* Would oplog_call() keep one that ended so? For who spares himself the telling. */
bool oplog_keeps_call(struct oplog *log, bool ok);
/* A proxied call that is over: the operation proxy/call. `exchanges`: see above; taken as
 * they are. `subject`: integration, provider and connection count. */
struct oplog_call {
    const struct oplog_subject *subject;
    bool ok;
    int64_t began_ms;
    int64_t took_ms;
    const struct oplog_error *error; /* NULL when ok */
    const struct buf *exchanges;
};
void oplog_call(struct oplog *log, const struct oplog_call *call);

#endif
