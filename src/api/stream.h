/* SPDX-License-Identifier: Apache-2.0 */
/* An answer that a handler writes piece by piece, on a thread that may wait:
 *
 *   handler ─► pieces, at most a megabyte under way ─► loop ─► client
 *      ▲                                                │
 *      └────────────── waits while the client is slow ──┘
 *
 * What fits in one piece is answered whole, with its length. How long a client may take is
 * the server's rule (http.idle_timeout_s and the like): one that it gives up is `gone`. */
#ifndef API_STREAM_H
#define API_STREAM_H

#include "base/buf.h"

struct call;
struct stream;

/* JSON with status 200. The call is not answered before the first full piece or the end:
 * until then another reply may be given, after stream_drop(). */
struct stream *stream_new(struct call *call);
/* Where the text is appended to; stream_flush() now and then. */
struct buf *stream_text(struct stream *stream);
/* Sends what is there when it is enough. False: the client has left, and nobody reads
 * what is written. */
bool stream_flush(struct stream *stream);
/* Has anything been sent? */
bool stream_began(const struct stream *stream);
/* Ends the answer; frees. */
void stream_end(struct stream *stream);
/* Frees; an answer that has begun is broken off, so that its client sees that it is not
 * whole. */
void stream_drop(struct stream *stream);

#endif
