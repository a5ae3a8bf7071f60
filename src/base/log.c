/* SPDX-License-Identifier: Apache-2.0 */
/* One line an event: JSON, or text for a terminal. A line that cannot be written is lost;
 * there is nowhere to say so. */
#include "base/log.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"

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

void log_event(const struct log *log, enum log_level level, const char *event, ...)
{
    struct buf line;
    char when[CLOCK_TEXT_SIZE];
    va_list args;
    ssize_t ignored;

    if (log == NULL || level < log->level)
        return;
    buf_init(&line, 0);
    clock_text_z(clock_now_ms(log->clock), when);
    if (log->text) {
        buf_printf(&line, "%s %-5s %s", when, level_names[level], event);
    } else {
        buf_printf(&line, "{\"time\":\"%s\",\"level\":\"%s\",\"event\":", when,
            level_names[level]);
        json_append_string(&line, event);
    }
    va_start(args, event);
    for (;;) {
        enum log_kind kind = (enum log_kind)va_arg(args, int);
        const char *key;

        if (kind == LOG_KIND_END)
            break;
        key = va_arg(args, const char *);
        if (log->text) {
            buf_printf(&line, " %s=", key);
        } else {
            buf_putc(&line, ',');
            json_append_string(&line, key);
            buf_putc(&line, ':');
        }
        put_value(&line, kind, log->text, &args);
    }
    va_end(args);
    buf_puts(&line, log->text ? "\n" : "}\n");
    ignored = write(log->fd, line.data, line.len);
    (void)ignored;
    buf_finish(&line);
}
