/* SPDX-License-Identifier: Apache-2.0 */
/* Telling: from a call to an entry in the queue.
 *
 * The queue is a stack of entries that any thread pushes to and the writer takes whole: a
 * push is one compare-and-swap, and holds up nobody while its thread sleeps. What it may
 * hold is bounded in bytes. Room runs out in steps: a call that went well needs half of
 * the queue free, a message a quarter, a beginning any; an end is always taken, and there
 * are no more of those than beginnings. */
#include "oplog/oplog.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cond.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "oplog/oplog_int.h"

enum {
    SHARE_CALL = 4, /* eighths of the queue */
    SHARE_MESSAGE = 6,
    SHARE_BEGIN = 8,
    SHARE_ALWAYS = 9,
    MALLOC_BYTES = 16, /* beside each block */
};

#define EXPIRES_MS ((int64_t)48 * 3600 * 1000)
#define ERROR_TEXT_MAX 2000
#define STACK_MAX 8000
#define CUT "... (truncated)"

const char *const oplog_level_names[OPLOG_LEVELS + 1] = {
    "debug", "info", "warn", "error", NULL};
const char *const oplog_state_names[OPLOG_STATES + 1] = {
    "waiting", "running", "success", "failed", "timeout", "cancelled", NULL};

bool oplog_level_parse(const char *name, enum oplog_level *out)
{
    for (int i = 0; i < OPLOG_LEVELS; i++) {
        if (str_eq(name, oplog_level_names[i])) {
            *out = (enum oplog_level)i;
            return true;
        }
    }
    return false;
}

/* ---- ids ---- */

static void day_text(int64_t id, char out[CLOCK_TEXT_SIZE])
{
    clock_text_z(id >> ID_SHIFT, out); /* 2026-01-31T… */
    memmove(out + 4, out + 5, 2);
    memmove(out + 6, out + 8, 2);
    out[8] = '\0';
}

void oplog_id_text(int64_t id, char out[OPLOG_ID_SIZE])
{
    char day[CLOCK_TEXT_SIZE];

    day_text(id, day);
    (void)snprintf(out, OPLOG_ID_SIZE, "%.8s_%016llx", day, (unsigned long long)id);
}

bool oplog_id_parse(const char *text, int64_t *id)
{
    char again[OPLOG_ID_SIZE];
    uint64_t value = 0;

    if (text == NULL || strlen(text) != OPLOG_ID_SIZE - 1)
        return false;
    for (const char *c = text + 9; *c != '\0'; c++) {
        int digit = str_hex_value(*c);

        if (digit < 0)
            return false;
        value = value << 4 | (uint64_t)digit;
    }
    if (value == 0 || value > INT64_MAX)
        return false;
    oplog_id_text((int64_t)value, again);
    if (strcmp(again, text) != 0) /* one spelling */
        return false;
    *id = (int64_t)value;
    return true;
}

int64_t oplog_id_of(int64_t began_ms, uint32_t seed)
{
    return began_ms << ID_SHIFT | (seed & ID_NUMBER_MASK);
}

static int64_t new_id(struct oplog *log, int64_t now_ms)
{
    unsigned number = atomic_fetch_add_explicit(&log->numbers, 1, memory_order_relaxed);

    return oplog_id_of(now_ms, number);
}

/* ---- entries ---- */

const char *entry_part(const struct entry *entry, int index)
{
    const char *at = entry->parts;

    while (index-- > 0)
        at += strlen(at) + 1;
    return at;
}

struct entry *oplog_entry(enum entry_kind kind, int64_t environment_id, int64_t id,
    const char *const *parts, int count)
{
    size_t lens[BEGIN_PARTS], size = 0;
    struct entry *entry;
    char *at;

    for (int i = 0; i < count; i++) {
        lens[i] = parts[i] != NULL ? strlen(parts[i]) : 0;
        size += lens[i] + 1;
    }
    entry = mem_alloc(sizeof *entry + size);
    memset(entry, 0, sizeof *entry);
    entry->size = sizeof *entry + size + MALLOC_BYTES;
    entry->kind = kind;
    entry->environment_id = environment_id;
    entry->id = id;
    at = entry->parts;
    for (int i = 0; i < count; i++) {
        if (lens[i] > 0)
            memcpy(at, parts[i], lens[i]);
        at[lens[i]] = '\0';
        at += lens[i] + 1;
    }
    return entry;
}

void oplog_count_dropped(struct oplog *log, uint64_t count)
{
    atomic_fetch_add_explicit(&log->dropped, count, memory_order_relaxed);
}

/* A message found no room. */
static void note_loss(struct oplog *log, int64_t environment_id, int64_t id)
{
    struct loss *loss = NULL;

    pthread_mutex_lock(&log->loss_lock);
    for (size_t i = 0; i < LOSSES && loss == NULL; i++)
        if (log->losses[i].id == id && log->losses[i].environment_id == environment_id)
            loss = &log->losses[i];
    if (loss == NULL) { /* in the place of the oldest */
        loss = &log->losses[log->next_loss++ % LOSSES];
        *loss = (struct loss){environment_id, id, 0};
    }
    loss->count++;
    atomic_store(&log->any_loss, true);
    pthread_mutex_unlock(&log->loss_lock);
}

uint64_t oplog_take_loss(struct oplog *log, int64_t environment_id, int64_t id)
{
    uint64_t count = 0;
    bool any = false;

    if (!atomic_load(&log->any_loss))
        return 0;
    pthread_mutex_lock(&log->loss_lock);
    for (size_t i = 0; i < LOSSES; i++) {
        struct loss *loss = &log->losses[i];

        if (loss->id == id && loss->environment_id == environment_id) {
            count = loss->count;
            *loss = (struct loss){0};
        }
        any = any || loss->id != 0;
    }
    atomic_store(&log->any_loss, any);
    pthread_mutex_unlock(&log->loss_lock);
    return count;
}

bool oplog_put(struct oplog *log, struct entry *entry, int share)
{
    size_t size = entry->size, max = log->config.queue_bytes;
    size_t before = atomic_fetch_add_explicit(&log->queued, size, memory_order_relaxed);
    struct entry *top;

    if (share < SHARE_ALWAYS && before + size > max / 8 * (size_t)share) {
        atomic_fetch_sub_explicit(&log->queued, size, memory_order_relaxed);
        oplog_count_dropped(log, 1);
        free(entry);
        return false;
    }
    top = atomic_load_explicit(&log->told, memory_order_relaxed);
    do {
        entry->next = top;
    } while (!atomic_compare_exchange_weak_explicit(
        &log->told, &top, entry, memory_order_release, memory_order_relaxed));
    /* The entry may be gone by now. */
    if (before < max / 4 && before + size >= max / 4)
        oplog_ring(log);
    else if (top == NULL)
        sem_post(&log->bell);
    return true;
}

/* ---- operations ---- */

static struct oplog_op begin(struct oplog *log, int64_t id, int64_t now_ms,
    const struct oplog_subject *subject, enum oplog_state state)
{
    struct oplog_op op = {log, subject->environment_id, id};
    const char *parts[BEGIN_PARTS] = {
        [PART_TYPE] = subject->type,
        [PART_ACTION] = subject->action,
        [PART_INTEGRATION] = subject->integration,
        [PART_PROVIDER] = subject->provider,
        [PART_CONNECTION] = subject->connection,
        [PART_SCRIPT] = subject->script,
        [PART_MESSAGE] = subject->message,
        [PART_META] = subject->meta,
    };
    struct entry *entry =
        oplog_entry(ENTRY_BEGIN, subject->environment_id, id, parts, BEGIN_PARTS);

    entry->state = state;
    entry->durable = subject->durable;
    entry->at_ms = now_ms;
    entry->expires_ms =
        subject->expires_ms != 0 ? subject->expires_ms : now_ms + EXPIRES_MS;
    entry->integration_id = subject->integration_id;
    entry->connection_id = subject->connection_id;
    entry->script_id = subject->script_id;
    if (!oplog_put(log, entry, SHARE_BEGIN))
        op.log = NULL;
    return op;
}

/* Without logs there are ids all the same: scripts are told one. */
static struct oplog_op begin_nothing(const struct oplog_subject *subject, int64_t id)
{
    static const struct clock real = {0};
    uint32_t number;

    if (id == 0) {
        crypto_random(&number, sizeof number);
        id = oplog_id_of(clock_now_ms(&real), number);
    }
    return (struct oplog_op){NULL, subject->environment_id, id};
}

struct oplog_op oplog_begin(
    struct oplog *log, const struct oplog_subject *subject, enum oplog_state state)
{
    int64_t now_ms;

    if (log == NULL)
        return begin_nothing(subject, 0);
    now_ms = clock_now_ms(log->config.clock);
    return begin(log, new_id(log, now_ms), now_ms, subject, state);
}

struct oplog_op oplog_begin_as(struct oplog *log, int64_t id,
    const struct oplog_subject *subject, enum oplog_state state)
{
    if (log == NULL)
        return begin_nothing(subject, id);
    return begin(log, id, clock_now_ms(log->config.clock), subject, state);
}

struct oplog_op oplog_op_of(struct oplog *log, int64_t environment_id, int64_t id)
{
    return (struct oplog_op){log, environment_id, id};
}

static bool is_kept(const struct oplog_op *op)
{
    return op->log != NULL && op->id != 0;
}

void oplog_move(const struct oplog_op *op, enum oplog_state state)
{
    struct entry *entry;

    if (!is_kept(op))
        return;
    entry = oplog_entry(ENTRY_MOVE, op->environment_id, op->id, NULL, 0);
    entry->state = state;
    entry->at_ms = clock_now_ms(op->log->config.clock);
    (void)oplog_put(op->log, entry, SHARE_BEGIN); /* without it the end still tells */
}

static void put_cut(struct buf *out, const char *name, const char *text, size_t max)
{
    char *cut;

    if (text == NULL)
        return;
    json_append_name(out, name);
    if (strlen(text) <= max) {
        json_append_string(out, text);
        return;
    }
    cut = str_printf("%.*s" CUT, str_cut(text, max), text);
    json_append_string(out, cut);
    free(cut);
}

void oplog_error_write(const struct oplog_error *error, struct buf *out)
{
    buf_putc(out, '{');
    put_cut(out, "type", error->type, ERROR_TEXT_MAX);
    put_cut(out, "message", error->message, ERROR_TEXT_MAX);
    put_cut(out, "stack", error->stack, STACK_MAX);
    buf_putc(out, '}');
}

void oplog_end(
    const struct oplog_op *op, enum oplog_state state, const struct oplog_error *error)
{
    struct entry *entry;
    const char *parts[1];
    struct buf text;

    if (!is_kept(op))
        return;
    buf_init(&text, 0);
    if (error != NULL)
        oplog_error_write(error, &text);
    parts[0] = text.data;
    entry = oplog_entry(ENTRY_END, op->environment_id, op->id, parts, 1);
    entry->state = state;
    entry->at_ms = clock_now_ms(op->log->config.clock);
    (void)oplog_put(op->log, entry, SHARE_ALWAYS);
    buf_finish(&text);
}

/* ---- messages ---- */

bool oplog_keeps(const struct oplog_op *op, enum oplog_level level)
{
    return is_kept(op) && level >= op->log->level;
}

void oplog_put_message(const struct oplog_op *op, enum oplog_level level,
    enum entry_source source, int64_t at_ms, const char *text, const char *detail)
{
    const char *parts[] = {text, detail};
    struct oplog *log = op->log;
    struct entry *entry =
        oplog_entry(ENTRY_MESSAGE, op->environment_id, op->id, parts, 2);

    entry->level = level;
    entry->source = source;
    entry->at_ms = at_ms;
    if (!oplog_put(log, entry, SHARE_MESSAGE))
        note_loss(log, op->environment_id, op->id);
}

static void put_now(const struct oplog_op *op, enum oplog_level level,
    enum entry_source source, const char *text, const char *detail)
{
    oplog_put_message(
        op, level, source, clock_now_ms(op->log->config.clock), text, detail);
}

void oplog_say(const struct oplog_op *op, enum oplog_level level, const char *meta,
    const char *fmt, ...)
{
    struct buf text, detail;
    va_list args;

    if (!oplog_keeps(op, level))
        return;
    buf_init(&text, 0);
    buf_init(&detail, 0);
    va_start(args, fmt);
    buf_vprintf(&text, fmt, args);
    va_end(args);
    if (meta != NULL)
        buf_printf(&detail, "{\"meta\":%s}", meta);
    put_now(op, level, SOURCE_OURS, text.data, detail.data);
    buf_finish(&text);
    buf_finish(&detail);
}

/* As much of it as fits into `room`; what is cut is a text of its beginning. */
static void put_meta(struct buf *detail, struct json_raw meta, size_t room)
{
    buf_puts(detail, "{\"meta\":");
    if (meta.len <= room) {
        buf_append(detail, meta.text, meta.len);
    } else {
        char *cut = str_ndup(meta.text, room);
        char *shown = str_printf("%.*s" CUT, str_cut(cut, room), cut);

        json_append_string(detail, shown);
        free(shown);
        free(cut);
    }
    buf_putc(detail, '}');
}

void oplog_say_for_script(const struct oplog_op *op, enum oplog_level level,
    const char *text, struct json_raw meta)
{
    size_t len = strlen(text);
    struct buf detail;
    char *cut = NULL;

    if (!oplog_keeps(op, level))
        return;
    buf_init(&detail, 0);
    if (len > OPLOG_MESSAGE_MAX) {
        cut = str_printf("%.*s" CUT, str_cut(text, OPLOG_MESSAGE_MAX), text);
        len = OPLOG_MESSAGE_MAX;
    }
    if (meta.text != NULL)
        put_meta(&detail, meta, OPLOG_MESSAGE_MAX - len);
    put_now(op, level, SOURCE_SCRIPT, cut != NULL ? cut : text, detail.data);
    buf_finish(&detail);
    free(cut);
}

void oplog_say_error(
    const struct oplog_op *op, const struct oplog_error *error, const char *text)
{
    struct buf detail;

    if (!oplog_keeps(op, OPLOG_ERROR))
        return;
    buf_init(&detail, 0);
    buf_puts(&detail, "{\"error\":");
    oplog_error_write(error, &detail);
    buf_putc(&detail, '}');
    put_now(op, OPLOG_ERROR, SOURCE_OURS, text, detail.data);
    buf_finish(&detail);
}

/* ---- HTTP ---- */

static bool wants_headers(struct oplog *log, const struct oplog_http *http)
{
    return oplog_http_failed(http) || log->level == OPLOG_DEBUG;
}

void oplog_say_http(const struct oplog_op *op, const struct oplog_http *http)
{
    enum oplog_level level = oplog_http_failed(http) ? OPLOG_ERROR : OPLOG_INFO;
    struct buf text, detail;

    if (!oplog_keeps(op, level))
        return;
    buf_init(&text, 0);
    buf_init(&detail, 0);
    buf_printf(&text, "%s %s", http->method, http->url);
    buf_putc(&detail, '{');
    oplog_http_write(http, wants_headers(op->log, http), &detail);
    buf_putc(&detail, '}');
    oplog_put_message(op, level, SOURCE_HTTP, http->began_ms, text.data, detail.data);
    buf_finish(&text);
    buf_finish(&detail);
}

void oplog_http_append(struct oplog *log, const struct oplog_http *http, struct buf *list)
{
    if (log == NULL)
        return;
    buf_puts(list, list->len > 0 ? ",{\"at\":" : "{\"at\":");
    buf_number(list, http->began_ms);
    buf_putc(list, ',');
    oplog_http_write(http, wants_headers(log, http), list);
    buf_putc(list, '}');
}

bool oplog_keeps_call(struct oplog *log, bool ok)
{
    return log != NULL && (!ok || log->level <= OPLOG_INFO);
}

void oplog_call(struct oplog *log, const struct oplog_call *call)
{
    struct entry *entry;
    const char *parts[1];
    struct buf record;

    if (!oplog_keeps_call(log, call->ok))
        return;
    buf_init(&record, 0);
    oplog_call_write(call, &record);
    parts[0] = record.data;
    entry = oplog_entry(ENTRY_CALL, call->subject->environment_id, 0, parts, 1);
    (void)oplog_put(log, entry, call->ok ? SHARE_CALL : SHARE_MESSAGE);
    buf_finish(&record);
}

/* ---- life ---- */

void oplog_drop_readers(struct oplog *log)
{
    pthread_mutex_lock(&log->reader_lock);
    log->generation++;
    while (log->idle_readers != NULL) {
        struct sql_conn *conn = log->idle_readers;

        log->idle_readers = conn->next;
        sql_disconnect(conn);
    }
    pthread_mutex_unlock(&log->reader_lock);
}

static void oplog_free(struct oplog *log)
{
    oplog_drop_readers(log);
    oplog_file_close(log); /* the last connection: moves the log into the file */
    sem_destroy(&log->bell);
    pthread_mutex_destroy(&log->lock);
    pthread_cond_destroy(&log->changed);
    pthread_mutex_destroy(&log->loss_lock);
    pthread_mutex_destroy(&log->reader_lock);
    free(log->path);
    free(log);
}

bool oplog_start(const struct oplog_config *config, struct oplog **out, struct err *err)
{
    struct oplog *log = MEM_NEW(struct oplog);
    unsigned number;

    *out = NULL;
    log->config = *config;
    log->level = config->level;
    log->path = str_printf("%s/logs.db", config->dir);
    crypto_random(&number, sizeof number);
    atomic_init(&log->numbers, number);
    sem_init(&log->bell, 0, 0);
    pthread_mutex_init(&log->lock, NULL);
    cond_init(&log->changed);
    pthread_mutex_init(&log->loss_lock, NULL);
    pthread_mutex_init(&log->reader_lock, NULL);
    if (!oplog_file_open(log, err)) {
        if (!str_eq(err->code, OPLOG_BUSY)) {
            oplog_free(log);
            return err_context(err, "logs.db");
        }
        log_event(config->log, LOG_WARN, "the operation logs are held by another process",
            LOG_END);
        *err = (struct err){0};
    }
    oplog_writer_start(log);
    (void)oplog_sweep(log, 0); /* a server that seldom lives for long sweeps, too */
    *out = log;
    return true;
}

void oplog_set_level(struct oplog *log, enum oplog_level level)
{
    if (log != NULL)
        log->level = level;
}

/* The lock is held. Waits until is(log, arg), or the time is over. */
static bool wait_for(struct oplog *log, bool (*is)(const struct oplog *log, uint64_t arg),
    uint64_t arg, int64_t timeout_ms)
{
    int64_t until = clock_mono_us() + timeout_ms * 1000;

    while (!is(log, arg) && cond_wait_until(&log->changed, &log->lock, until)) {
    }
    return is(log, arg);
}

static bool is_flushed(const struct oplog *log, uint64_t wanted)
{
    return log->flushed >= wanted;
}

bool oplog_flush(struct oplog *log, int64_t timeout_ms)
{
    uint64_t wanted;
    bool done;

    if (log == NULL)
        return true;
    pthread_mutex_lock(&log->lock);
    wanted = ++log->wanted;
    oplog_ring(log);
    done = wait_for(log, is_flushed, wanted, timeout_ms);
    pthread_mutex_unlock(&log->lock);
    return done;
}

static bool is_swept(const struct oplog *log, uint64_t wanted)
{
    return log->swept >= wanted;
}

bool oplog_sweep(struct oplog *log, int64_t timeout_ms)
{
    uint64_t wanted;
    bool done;

    if (log == NULL)
        return true;
    pthread_mutex_lock(&log->lock);
    wanted = ++log->sweep_wanted;
    oplog_ring(log);
    done = wait_for(log, is_swept, wanted, timeout_ms);
    pthread_mutex_unlock(&log->lock);
    return done;
}

static bool is_over(const struct oplog *log, uint64_t arg)
{
    (void)arg;
    return log->over;
}

void oplog_stop(struct oplog *log)
{
    bool over;

    if (log == NULL)
        return;
    pthread_mutex_lock(&log->lock);
    log->stopping = true;
    oplog_ring(log);
    over = wait_for(log, is_over, 0, OPLOG_STOP_MS);
    atomic_store(&log->abandoned, !over);
    pthread_mutex_unlock(&log->lock);
    if (!over) { /* its thread is stuck in the disk, and what it holds must stay */
        log_event(log->config.log, LOG_WARN, "the operation logs could not be written",
            LOG_INT("bytes", atomic_load(&log->queued)), LOG_END);
        pthread_detach(log->thread);
        return;
    }
    pthread_join(log->thread, NULL);
    oplog_free(log);
}

void oplog_stats(struct oplog *log, struct oplog_stats *out)
{
    *out = (struct oplog_stats){0};
    if (log == NULL)
        return;
    out->operations = atomic_load_explicit(&log->operations, memory_order_relaxed);
    out->messages = atomic_load_explicit(&log->messages, memory_order_relaxed);
    out->dropped = atomic_load_explicit(&log->dropped, memory_order_relaxed);
    out->queued_bytes = atomic_load_explicit(&log->queued, memory_order_relaxed);
}
