/* SPDX-License-Identifier: Apache-2.0 */
/* The growing byte buffer. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/piece.h"
#include "base/str.h"

void buf_init(struct buf *buf, size_t max)
{
    memset(buf, 0, sizeof *buf);
    buf->max = max;
}

void buf_init_secret(struct buf *buf, size_t max)
{
    buf_init(buf, max);
    buf->secret = true;
}

void buf_finish(struct buf *buf)
{
    if (buf->secret)
        mem_wipe(buf->data, buf->capacity);
    piece_give(buf->data);
    buf->data = NULL;
    buf->len = buf->capacity = 0;
    buf->overflow = false;
}

void buf_clear(struct buf *buf)
{
    if (buf->secret)
        mem_wipe(buf->data, buf->capacity);
    buf->len = 0;
    buf->overflow = false;
    if (buf->data != NULL)
        buf->data[0] = '\0';
}

char *buf_room(struct buf *buf, size_t len)
{
    size_t need = buf->len + len + 1;

    if (need > buf->capacity) {
        size_t capacity = buf->capacity > 0 ? buf->capacity : 64;
        char *data;

        while (capacity < need)
            capacity *= 2;
        data = mem_piece(capacity); /* realloc() may leave a copy behind */
        if (buf->len > 0)
            memcpy(data, buf->data, buf->len);
        mem_wipe(buf->data, buf->secret ? buf->capacity : buf->len);
        piece_give(buf->data);
        buf->data = data;
        buf->capacity = capacity;
        buf->data[buf->len] = '\0';
    }
    return buf->data + buf->len;
}

void buf_added(struct buf *buf, size_t len)
{
    buf->len += len;
    buf->data[buf->len] = '\0';
}

bool buf_append(struct buf *buf, const void *data, size_t len)
{
    if (buf->overflow || (buf->max > 0 && len > buf->max - buf->len)) {
        buf->overflow = true;
        return false;
    }
    buf_room(buf, len);
    if (len > 0)
        memcpy(buf->data + buf->len, data, len);
    buf_added(buf, len);
    return true;
}

bool buf_puts(struct buf *buf, const char *s)
{
    return buf_append(buf, s, strlen(s));
}

bool buf_putc(struct buf *buf, char c)
{
    return buf_append(buf, &c, 1);
}

bool buf_number(struct buf *buf, int64_t number)
{
    char text[1 + STR_DECIMAL_MAX] = "-";
    size_t sign = number < 0 ? 1 : 0;
    uint64_t size = number < 0 ? -(uint64_t)number : (uint64_t)number;

    return buf_append(buf, text, sign + str_decimal(size, text + sign));
}

bool buf_vprintf(struct buf *buf, const char *fmt, va_list args)
{
    va_list again;
    char small[256];
    char *large;
    int len;
    bool ok;

    va_copy(again, args);
    len = vsnprintf(small, sizeof small, fmt, args);
    if (len < 0)
        abort(); /* a format of ours that the C library refuses */
    if ((size_t)len < sizeof small) {
        ok = buf_append(buf, small, (size_t)len);
    } else {
        large = mem_alloc((size_t)len + 1);
        vsnprintf(large, (size_t)len + 1, fmt, again);
        ok = buf_append(buf, large, (size_t)len);
        mem_wipe(large, (size_t)len);
        free(large);
    }
    va_end(again);
    return ok;
}

bool buf_printf(struct buf *buf, const char *fmt, ...)
{
    va_list args;
    bool ok;

    va_start(args, fmt);
    ok = buf_vprintf(buf, fmt, args);
    va_end(args);
    return ok;
}

void buf_drop_front(struct buf *buf, size_t len)
{
    if (len >= buf->len) {
        buf->len = 0;
    } else {
        memmove(buf->data, buf->data + len, buf->len - len);
        buf->len -= len;
    }
    if (buf->data != NULL)
        buf->data[buf->len] = '\0';
}

char *buf_take(struct buf *buf, size_t *len)
{
    char *data;

    buf_room(buf, 0);
    data = buf->data;
    if (len != NULL)
        *len = buf->len;
    buf->data = NULL;
    buf->len = buf->capacity = 0;
    buf->overflow = false;
    return data;
}
