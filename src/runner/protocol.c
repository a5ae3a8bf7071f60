/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/protocol.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_PIECE ((size_t)64 << 10)

static const struct {
    const char *name;
    enum message_kind kind;
} kinds[] = {
    {"run", MESSAGE_RUN},
    {"result", MESSAGE_RESULT},
    {"abort", MESSAGE_ABORT},
    {"ready", MESSAGE_READY},
    {"call", MESSAGE_CALL},
    {"log", MESSAGE_LOG},
    {"done", MESSAGE_DONE},
};

enum message_kind protocol_kind(const char *text, size_t len)
{
    static const char start[] = "{\"t\":\"";
    size_t skip = sizeof start - 1;

    if (len < skip || memcmp(text, start, skip) != 0)
        return MESSAGE_UNKNOWN;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t name = strlen(kinds[i].name);

        if (len > skip + name && memcmp(text + skip, kinds[i].name, name) == 0 &&
            text[skip + name] == '"')
            return kinds[i].kind;
    }
    return MESSAGE_UNKNOWN;
}

bool protocol_parse(const char *text, size_t len, struct message *out, struct err *err)
{
    out->kind = protocol_kind(text, len);
    if (!json_raw_parse(text, len, &out->body, err))
        return false;
    if (out->kind == MESSAGE_UNKNOWN)
        return err_set(err, 400, "invalid_message", "a message of no known kind");
    return true;
}

size_t protocol_frame_size(size_t len)
{
    return len + PROTOCOL_HEADER;
}

int protocol_frame(const struct buf *in, size_t max, const char **text, size_t *len)
{
    const unsigned char *head = (const unsigned char *)in->data;
    size_t size;

    if (in->len < PROTOCOL_HEADER)
        return 0;
    size = (size_t)head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 |
           (size_t)head[3] << 24;
    if (size == 0 || size > max)
        return -1;
    if (in->len < protocol_frame_size(size))
        return 0;
    *text = in->data + PROTOCOL_HEADER;
    *len = size;
    return 1;
}

size_t protocol_begin(struct buf *out)
{
    size_t begun = out->len;

    buf_append(out, "\0\0\0\0", PROTOCOL_HEADER);
    return begun;
}

void protocol_end(struct buf *out, size_t begun)
{
    size_t size = out->len - begun - PROTOCOL_HEADER;

    for (size_t i = 0; i < PROTOCOL_HEADER; i++)
        out->data[begun + i] = (char)(unsigned char)(size >> (8 * i) & 0xFF);
}

bool protocol_write(int fd, const void *data, size_t len)
{
    const char *at = data;

    while (len > 0) {
        /* A host that is gone is an error, not a signal. */
        ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

        if (n < 0 && errno == ENOTSOCK)
            n = write(fd, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

bool protocol_read(int fd, struct buf *in)
{
    char *room = buf_room(in, READ_PIECE);
    ssize_t n;

    do {
        n = read(fd, room, READ_PIECE);
    } while (n < 0 && errno == EINTR);
    if (n == 0)
        errno = 0;
    if (n <= 0)
        return false;
    buf_added(in, (size_t)n);
    return true;
}
