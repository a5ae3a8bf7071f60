/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the logs: shared by oplog.c (telling), http.c and call.c (what is told of
 * HTTP), writer.c (the thread), batch.c (one transaction), sweep.c (deleting), file.c
 * (opening) and read.c.
 *
 * An id is a time and a number:
 *
 *     62            20  19   18       0
 *    ┌────────────────┬────┬───────────┐
 *    │ ms since 1970  │ C  │  number   │   C: a call, numbered when it is written;
 *    └────────────────┴────┴───────────┘   else numbered when it is told
 *
 * so that ids of one environment are in the order of time, and what is older than a time
 * is what has ids below `time << ID_SHIFT`. */
#ifndef OPLOG_OPLOG_INT_H
#define OPLOG_OPLOG_INT_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "oplog/oplog.h"
#include "store/sqlite/sql.h"

#define ID_SHIFT 20
#define ID_CALL ((int64_t)1 << 19)
#define ID_NUMBER_MASK (ID_CALL - 1)

/* ---- entries (oplog.c) ---- */

enum entry_kind {
    ENTRY_BEGIN,   /* parts: see begin_part */
    ENTRY_MOVE,    /* no parts */
    ENTRY_END,     /* parts: the error's JSON */
    ENTRY_MESSAGE, /* parts: text, detail's JSON */
    ENTRY_CALL,    /* parts: a record (call.c) */
};
enum begin_part {
    PART_TYPE,
    PART_ACTION,
    PART_INTEGRATION,
    PART_PROVIDER,
    PART_CONNECTION,
    PART_SCRIPT,
    PART_MESSAGE,
    PART_META,
    BEGIN_PARTS,
};
enum entry_source {
    SOURCE_OURS,
    SOURCE_SCRIPT,
    SOURCE_HTTP,
};

struct entry {
    struct entry *next;
    size_t size; /* what it counts in the queue */
    enum entry_kind kind;
    enum oplog_state state;
    enum oplog_level level;
    enum entry_source source;
    bool durable;
    int64_t environment_id;
    int64_t id; /* of the operation */
    int64_t at_ms;
    int64_t expires_ms;
    int64_t integration_id, connection_id, script_id;
    /* for batch.c */
    struct entry *same_bucket;
    const struct entry *end; /* told in the same batch */
    enum oplog_state last_state;
    int64_t started_ms;
    bool folded;  /* into the beginning */
    char parts[]; /* texts one after the other, each with its NUL */
};
/* The part at `index`; "" stands for none. */
const char *entry_part(const struct entry *entry, int index);
static inline const char *none_if_empty(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

/* ---- the whole ---- */

/* How many messages of an operation were dropped, until its end tells. */
struct loss {
    int64_t environment_id;
    int64_t id;
    uint64_t count;
};
#define LOSSES 64

struct oplog {
    struct oplog_config config;
    char *path;
    _Atomic enum oplog_level level;

    /* The queue: a stack that the writer takes whole. */
    _Atomic(struct entry *) told;
    atomic_size_t queued; /* bytes, those included that are being written */
    atomic_uint numbers;  /* of ids */

    sem_t bell; /* rings when the queue was empty, and when there is a hurry */
    atomic_bool hurry;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    uint64_t wanted, flushed; /* numbers of flushes */
    uint64_t sweep_wanted, swept;
    bool stopping;
    bool over;             /* the thread has ended */
    atomic_bool abandoned; /* the stop was, with the thread stuck in the disk */
    pthread_t thread;

    pthread_mutex_t loss_lock;
    struct loss losses[LOSSES];
    size_t next_loss;
    atomic_bool any_loss;

    atomic_uint_fast64_t operations, messages, dropped;

    /* The writer's own. */
    struct sql_conn *conn; /* NULL: not open now */
    int64_t last_call_id, last_message_id;
    uint64_t dropped_told; /* in the server's log */
    int64_t told_mono_ms;

    pthread_mutex_t reader_lock;
    struct sql_conn *idle_readers;
    unsigned generation; /* of the file: another one was begun */
};

void oplog_count_dropped(struct oplog *log, uint64_t count);
/* Takes the count out; 0 = none. */
uint64_t oplog_take_loss(struct oplog *log, int64_t environment_id, int64_t id);
/* Puts an entry in the queue, or frees it and counts it as dropped. `share`: of the queue,
 * in eighths; 9 = always. */
bool oplog_put(struct oplog *log, struct entry *entry, int share);
struct entry *oplog_entry(enum entry_kind kind, int64_t environment_id, int64_t id,
    const char *const *parts, int count);
void oplog_put_message(const struct oplog_op *op, enum oplog_level level,
    enum entry_source source, int64_t at_ms, const char *text, const char *detail);
/* {"type","message","stack"}, cut to a bound. */
void oplog_error_write(const struct oplog_error *error, struct buf *out);

/* Readers that are idle are closed; those that are not, once they are done. */
void oplog_drop_readers(struct oplog *log);

/* ---- http.c ---- */
/* The members of a message about an exchange, without braces. */
void oplog_http_write(const struct oplog_http *http, bool with_headers, struct buf *out);

/* ---- file.c ---- */
/* Opens, makes, migrates; sets a damaged file aside. False with code OPLOG_BUSY when
 * another process holds it. */
#define OPLOG_BUSY "busy"
bool oplog_file_open(struct oplog *log, struct err *err);
void oplog_file_close(struct oplog *log);
/* Renames it, so that the next opening makes a new one. */
void oplog_file_set_aside(struct oplog *log, const char *why);
/* Did the last statement fail for somebody else's lock? */
bool oplog_is_busy(struct oplog *log);

/* ---- writer.c ---- */
/* How long a stop may take: longer than one that only waits for a lock. */
#define OPLOG_STOP_MS 5000
void oplog_writer_start(struct oplog *log);
void oplog_ring(struct oplog *log); /* now, not when it has gathered */

/* ---- batch.c ---- */
/* Writes all of `first` in one transaction. False: nothing of it is written; code
 * OPLOG_BUSY or SQL_DAMAGED where that is why. */
bool oplog_batch_write(struct oplog *log, struct entry *first, struct err *err);

/* ---- sweep.c ---- */
/* A part of what is too old or too much; *more: there is more of it. */
bool oplog_sweep_some(struct oplog *log, bool by_time, bool *more, struct err *err);
bool oplog_is_too_large(struct oplog *log);

/* ---- call.c ---- */
#define CALL_BLOCK_BYTES ((size_t)64 * 1024) /* of records in a block, roughly */
#define CALL_BLOCK_MAX ((size_t)4 << 20)     /* what a reader accepts */
void oplog_call_write(const struct oplog_call *call, struct buf *out);
/* `records`, each with its newline, as they are kept. */
void oplog_block_write(const struct buf *records, struct buf *out);
/* False when it is damaged. */
bool oplog_block_read(const void *data, size_t len, struct buf *records);

#endif
