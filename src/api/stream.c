/* SPDX-License-Identifier: Apache-2.0 */
#include "api/stream.h"

#include <pthread.h>
#include <stdlib.h>

#include "api/api_int.h"
#include "base/cond.h"
#include "base/mem.h"
#include "net/answer.h"

#define PIECE ((size_t)256 * 1024)
#define UNDER_WAY ((size_t)1024 * 1024)
#define LOOK_MS 500 /* whether the server is going down */

struct stream {
    struct call *call;
    struct http_req *req; /* NULL before it began; then the loop's */
    struct reactor *reactor;
    struct buf text;
    bool whole;             /* when it is closed: all of it was written */
    pthread_mutex_t lock;   /* guards the rest */
    pthread_cond_t changed; /* any of it */
    size_t posted;          /* bytes on their way to the loop */
    size_t unsent;          /* bytes that the loop has and the client has not */
    bool gone;
    bool over; /* the loop does not know it any more */
};

struct piece {
    struct stream *stream;
    char *bytes;
    size_t len;
};

struct stream *stream_new(struct call *call)
{
    struct stream *stream = MEM_NEW(struct stream);

    stream->call = call;
    buf_init(&stream->text, 0);
    pthread_mutex_init(&stream->lock, NULL);
    cond_init(&stream->changed);
    return stream;
}

struct buf *stream_text(struct stream *stream)
{
    return &stream->text;
}

bool stream_began(const struct stream *stream)
{
    return stream->req != NULL;
}

/* ---- on the loop ---- */

static void set_unsent(struct stream *stream, size_t unsent, size_t posted)
{
    pthread_mutex_lock(&stream->lock);
    stream->unsent = unsent;
    stream->posted -= posted;
    pthread_cond_broadcast(&stream->changed);
    pthread_mutex_unlock(&stream->lock);
}

static void on_gone(void *arg)
{
    struct stream *stream = arg;

    pthread_mutex_lock(&stream->lock);
    stream->gone = true;
    pthread_cond_broadcast(&stream->changed);
    pthread_mutex_unlock(&stream->lock);
}

static void drained(void *arg)
{
    set_unsent(arg, 0, 0);
}

static void begin_here(void *arg)
{
    struct stream *stream = arg;
    struct http_headers headers = {0};

    answer_cors(&headers);
    http_headers_add(&headers, "Content-Type", "application/json; charset=utf-8");
    http_on_gone(stream->req, on_gone, stream);
    http_on_drain(stream->req, PIECE, drained, stream);
    http_start(stream->req, 200, &headers, -1);
    http_headers_finish(&headers);
}

static void write_here(void *arg)
{
    struct piece *piece = arg;
    size_t unsent = http_write(piece->stream->req, piece->bytes, piece->len);

    set_unsent(piece->stream, unsent > PIECE ? unsent : 0, piece->len);
    free(piece->bytes);
    free(piece);
}

static void close_here(void *arg)
{
    struct stream *stream = arg;

    http_on_gone(stream->req, NULL, NULL);
    http_on_drain(stream->req, 0, NULL, NULL);
    if (stream->whole)
        http_finish(stream->req);
    else
        http_abort(stream->req);
    pthread_mutex_lock(&stream->lock);
    stream->over = true;
    pthread_cond_broadcast(&stream->changed);
    pthread_mutex_unlock(&stream->lock);
}

/* ---- on the handler's thread ---- */

/* False: the client has left, or the server waits for nobody any more. */
static bool wait_for_room(struct stream *stream)
{
    bool ok;

    pthread_mutex_lock(&stream->lock);
    while (!stream->gone && stream->posted + stream->unsent >= UNDER_WAY) {
        (void)cond_wait_ms(&stream->changed, &stream->lock, LOOK_MS);
        stream->gone = stream->gone || pool_gives_up(stream->call->server->workers);
    }
    ok = !stream->gone;
    if (ok)
        stream->posted += stream->text.len;
    pthread_mutex_unlock(&stream->lock);
    return ok;
}

static bool send_piece(struct stream *stream)
{
    struct piece *piece;

    if (stream->req == NULL) {
        stream->req = reply_begun(stream->call, 200);
        stream->reactor = http_reactor(stream->req);
        reactor_post(stream->reactor, begin_here, stream);
    }
    if (!wait_for_room(stream)) {
        buf_clear(&stream->text);
        return false;
    }
    piece = MEM_NEW(struct piece);
    piece->stream = stream;
    piece->bytes = buf_take(&stream->text, &piece->len);
    reactor_post(stream->reactor, write_here, piece);
    return true;
}

bool stream_flush(struct stream *stream)
{
    return stream->text.len < PIECE || send_piece(stream);
}

static void stream_free(struct stream *stream)
{
    buf_finish(&stream->text);
    pthread_cond_destroy(&stream->changed);
    pthread_mutex_destroy(&stream->lock);
    free(stream);
}

/* The loop does what it was told in order: this comes last. */
static void stream_close(struct stream *stream, bool whole)
{
    stream->whole = whole;
    reactor_post(stream->reactor, close_here, stream);
    pthread_mutex_lock(&stream->lock);
    while (!stream->over)
        pthread_cond_wait(&stream->changed, &stream->lock);
    pthread_mutex_unlock(&stream->lock);
    stream_free(stream);
}

void stream_end(struct stream *stream)
{
    if (stream->req == NULL) {
        reply_text(stream->call, 200, &stream->text);
        stream_free(stream);
    } else {
        stream_close(stream, stream->text.len == 0 || send_piece(stream));
    }
}

void stream_drop(struct stream *stream)
{
    if (stream->req == NULL)
        stream_free(stream);
    else
        stream_close(stream, false);
}
