/* SPDX-License-Identifier: Apache-2.0 */
/* A growing byte buffer with an upper bound. `data` is always NUL-terminated once
 * anything was appended (the NUL is not counted in `len`). */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    char *data; /* NULL while empty and never written */
    size_t len;
    size_t capacity;
    size_t max;    /* 0 = no bound */
    bool overflow; /* an append would have passed `max`; it was dropped, and so are later
                      ones */
    bool secret;   /* wipe old storage when growing and when finished */
};

void buf_init(struct buf *buf, size_t max);
void buf_init_secret(struct buf *buf, size_t max);
void buf_finish(struct buf *buf);
void buf_clear(struct buf *buf); /* keeps the storage */

/* False only when `max` would be passed. */
bool buf_append(struct buf *buf, const void *data, size_t len);
bool buf_puts(struct buf *buf, const char *s);
bool buf_putc(struct buf *buf, char c);
/* A number in decimal digits; much cheaper than a format. */
bool buf_number(struct buf *buf, int64_t number);
bool buf_printf(struct buf *buf, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
bool buf_vprintf(struct buf *buf, const char *fmt, va_list args)
    __attribute__((format(printf, 2, 0)));
/* Makes room for `len` more bytes and returns where they go; call buf_added() after
 * writing. */
char *buf_room(struct buf *buf, size_t len);
void buf_added(struct buf *buf, size_t len);
/* Removes the first `len` bytes. */
void buf_drop_front(struct buf *buf, size_t len);
/* The caller takes the storage (free() it); never NULL: an empty buffer gives "". */
char *buf_take(struct buf *buf, size_t *len);

#endif
