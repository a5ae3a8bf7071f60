/* SPDX-License-Identifier: Apache-2.0 */
/* One line an event: JSON, or text for a terminal.
 *
 *   log_event() ─► waiting (bounded) ─► [thread] written ─► write()
 *                     └ full: counted as lost, told when there is room again
 *
 * A line that the descriptor refuses is lost; there is nowhere to say so. */
#include "base/log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cond.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define WAITING_MAX ((size_t)256 * 1024)
#define FLUSH_SECONDS 1

struct log_writer {
    struct log *log;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t work; /* a line came, or the end */
    pthread_cond_t done; /* all is written */
    struct buf waiting;
    struct buf written; /* the thread's own; its length is kept under the lock */
    int64_t lost;
    atomic_bool stopping;
};

/* The one to empty when the process aborts: a signal handler knows nothing else. */
static struct log_writer *_Atomic at_abort;

static const char *const level_names[] = {"debug", "info", "warn", "error"};

bool log_level_parse(const char *name, enum log_level *out)
{
    for (int i = LOG_DEBUG; i <= LOG_ERROR; i++) {
        if (str_eq(name, level_names[i])) {
            *out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

static void put_value(struct buf *line, enum log_kind kind, bool text, va_list *args)
{
    if (kind == LOG_KIND_INT) {
        buf_printf(line, "%lld", (long long)va_arg(*args, int64_t));
    } else if (kind == LOG_KIND_BOOL) {
        buf_puts(line, va_arg(*args, int) ? "true" : "false");
    } else {
        const char *value = va_arg(*args, const char *);

        if (text && value != NULL && str_all_alnum_or(value, "-_./:@+"))
            buf_puts(line, value);
        else
            json_append_string(line, value);
    }
}

/* ---- the thread ---- */

/* In pieces that a pipe which has room takes whole, so that write() does not wait; poll()
 * does, until `stop` is set (or, with NULL, until nothing was taken for a moment). */
static void write_pieces(int fd, const char *data, size_t len, const atomic_bool *stop)
{
    struct pollfd wait = {.fd = fd, .events = POLLOUT};

    while (len > 0) {
        int ready = poll(&wait, 1, 100);
        ssize_t sent;

        if (ready <= 0 && (stop == NULL || *stop))
            return;
        if (ready <= 0)
            continue;
        sent = write(fd, data, len < PIPE_BUF ? len : PIPE_BUF);
        if (sent >= 0) {
            data += sent;
            len -= (size_t)sent;
        } else if (errno != EINTR && errno != EAGAIN) {
            return;
        }
    }
}

static void put_line(const struct log *log, struct buf *line, enum log_level level,
    const char *event, va_list *args);

static void put_lost(const struct log *log, struct buf *line, ...)
{
    va_list args;

    va_start(args, line);
    put_line(log, line, LOG_WARN, "log events lost", &args);
    va_end(args);
}

static void *write_waiting(void *arg)
{
    struct log_writer *writer = arg;

    pthread_setname_np(pthread_self(), "log");
    pthread_mutex_lock(&writer->lock);
    for (;;) {
        struct buf empty = writer->written;

        while (writer->waiting.len == 0 && !writer->stopping)
            pthread_cond_wait(&writer->work, &writer->lock);
        if (writer->waiting.len == 0)
            break;
        writer->written = writer->waiting;
        writer->waiting = empty;
        if (writer->lost > 0) /* they came after all of these */
            put_lost(
                writer->log, &writer->written, LOG_INT("count", writer->lost), LOG_END);
        writer->lost = 0;
        pthread_mutex_unlock(&writer->lock);
        write_pieces(writer->log->fd, writer->written.data, writer->written.len,
            &writer->stopping);
        pthread_mutex_lock(&writer->lock);
        buf_clear(&writer->written);
        if (writer->waiting.len == 0)
            pthread_cond_broadcast(&writer->done);
    }
    pthread_mutex_unlock(&writer->lock);
    return NULL;
}

/* SIGABRT: an assertion failed, or memory is out. Whoever aborts may hold the lock, or be
 * the thread: neither is waited for for long. */
static void on_abort(int signal)
{
    struct log_writer *writer = at_abort;

    (void)signal;
    for (int i = 0; writer != NULL && i < 100; i++) {
        if (pthread_mutex_trylock(&writer->lock) == 0) {
            if (writer->written.len == 0) { /* the thread is done with what came before */
                write_pieces(
                    writer->log->fd, writer->waiting.data, writer->waiting.len, NULL);
                return;
            }
            pthread_mutex_unlock(&writer->lock);
        }
        (void)poll(NULL, 0, 1);
    }
}

void log_start(struct log *log)
{
    struct log_writer *writer = MEM_NEW(struct log_writer);

    writer->log = log;
    pthread_mutex_init(&writer->lock, NULL);
    pthread_cond_init(&writer->work, NULL);
    cond_init(&writer->done);
    if (pthread_create(&writer->thread, NULL, write_waiting, writer) != 0) {
        free(writer); /* then each writes its own lines, as before */
        return;
    }
    log->writer = writer;
    at_abort = writer;
    (void)signal(SIGABRT, on_abort);
}

void log_flush(const struct log *log)
{
    struct log_writer *writer = log->writer;
    int64_t until = clock_mono_us() + FLUSH_SECONDS * 1000000;

    if (writer == NULL)
        return;
    pthread_mutex_lock(&writer->lock);
    while ((writer->waiting.len > 0 || writer->written.len > 0) &&
           cond_wait_until(&writer->done, &writer->lock, until)) {
    }
    pthread_mutex_unlock(&writer->lock);
}

void log_stop(struct log *log)
{
    struct log_writer *writer = log->writer;

    if (writer == NULL)
        return;
    log_flush(log);
    pthread_mutex_lock(&writer->lock);
    writer->stopping = true;
    buf_clear(&writer->waiting);
    pthread_cond_signal(&writer->work);
    pthread_mutex_unlock(&writer->lock);
    pthread_join(writer->thread, NULL);
    (void)signal(SIGABRT, SIG_DFL);
    at_abort = NULL;
    log->writer = NULL;
    buf_finish(&writer->waiting);
    buf_finish(&writer->written);
    pthread_cond_destroy(&writer->work);
    pthread_cond_destroy(&writer->done);
    pthread_mutex_destroy(&writer->lock);
    free(writer);
}

static void hand_over(struct log_writer *writer, const struct buf *line)
{
    pthread_mutex_lock(&writer->lock);
    if (writer->waiting.len + line->len > WAITING_MAX) {
        writer->lost++;
    } else {
        buf_append(&writer->waiting, line->data, line->len);
        pthread_cond_signal(&writer->work);
    }
    pthread_mutex_unlock(&writer->lock);
}

/* ---- lines ---- */

static void put_line(const struct log *log, struct buf *out, enum log_level level,
    const char *event, va_list *args)
{
    char when[CLOCK_TEXT_SIZE];

    clock_text_z(clock_now_ms(log->clock), when);
    if (log->text) {
        buf_printf(out, "%s %-5s %s", when, level_names[level], event);
    } else {
        buf_printf(out, "{\"time\":\"%s\",\"level\":\"%s\",\"event\":", when,
            level_names[level]);
        json_append_string(out, event);
    }
    for (;;) {
        enum log_kind kind = (enum log_kind)va_arg(*args, int);
        const char *key;

        if (kind == LOG_KIND_END)
            break;
        key = va_arg(*args, const char *);
        if (log->text) {
            buf_printf(out, " %s=", key);
        } else {
            buf_putc(out, ',');
            json_append_string(out, key);
            buf_putc(out, ':');
        }
        put_value(out, kind, log->text, args);
    }
    buf_puts(out, log->text ? "\n" : "}\n");
}

static void write_line(int fd, const struct buf *line)
{
    ssize_t ignored = write(fd, line->data, line->len);

    (void)ignored;
}

void log_event(const struct log *log, enum log_level level, const char *event, ...)
{
    struct buf line;
    va_list args;

    if (log == NULL || level < log->level)
        return;
    buf_init(&line, 0);
    va_start(args, event);
    put_line(log, &line, level, event, &args);
    va_end(args);
    if (log->writer != NULL)
        hand_over(log->writer, &line);
    else
        write_line(log->fd, &line);
    buf_finish(&line);
}
