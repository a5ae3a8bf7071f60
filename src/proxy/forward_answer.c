/* SPDX-License-Identifier: Apache-2.0 */
/* The provider's answer on its way to the caller (contract proxy.md section 7, "Ours"):
 * status, headers and body as they are, without what belongs to one connection only
 * (hop-by-hop fields), what is ours to say (access-control-*), and what is no longer true
 * when we inflated the body.
 *
 * A short answer of known length is handed over in one piece. Anything else streams, also
 * a success that comes before the caller has sent its whole body; each side waits for the
 * other: above HIGH_WATER unsent bytes the provider pauses until LOW_WATER. */
#include <string.h>

#include "base/str.h"
#include "net/answer.h"
#include "proxy/forward_int.h"

#define HIGH_WATER (256 * 1024)
#define LOW_WATER (128 * 1024)
#define SHORT (32 * 1024)

static void pass_headers(struct forward *f, const struct http_headers *headers)
{
    const char *connection = http_headers_find(headers, "connection");

    http_headers_finish(&f->answer_headers);
    for (size_t i = 0; i < headers->count; i++) {
        const char *name = headers->items[i].name;

        if (http_is_hop_by_hop(name) || str_eq_nocase(name, "content-length") ||
            str_starts_nocase(name, "access-control-") ||
            str_in_list(connection, name)) /* fields for that connection only */
            continue;
        http_headers_add(&f->answer_headers, name, headers->items[i].value);
    }
    answer_cors(&f->answer_headers);
}

static bool has_no_body(const struct forward *f)
{
    return str_eq(f->caller_method, "HEAD") || f->status == 204 || f->status == 304;
}

static void drained(void *arg)
{
    struct forward *f = arg;

    f->unsent = 0;
    if (f->up_paused && f->call != NULL) {
        f->up_paused = false;
        up_resume(f->call);
    }
}

/* A success while the caller still sends: it may be waiting for that before it goes on. A
 * refusal ends the call at once and needs no such care. */
static bool is_early(const struct forward *f, int status)
{
    const struct forward_body *body = &f->body;

    return status < 300 && !f->without_body && body->kind == BODY_STREAM &&
           !(body->ended && body->pos == body->kept.len);
}

void forward_answer_head(
    struct forward *f, int status, const struct http_headers *headers)
{
    const char *length = http_headers_find(headers, "content-length");

    f->status = status;
    f->answer_length = -1;
    if (length == NULL || !str_to_i64(length, &f->answer_length) || f->answer_length < 0)
        f->answer_length = -1;
    pass_headers(f, headers);
    if (!is_early(f, status) &&
        (has_no_body(f) || (f->answer_length >= 0 && f->answer_length <= SHORT))) {
        f->use = ANSWER_HOLD;
        return;
    }
    f->use = ANSWER_STREAM;
    f->started = true;
    http_on_drain(f->req, LOW_WATER, drained, f);
    http_start(f->req, status, &f->answer_headers, f->answer_length);
    http_headers_finish(&f->answer_headers);
}

bool forward_answer_data(struct forward *f, const char *data, size_t len)
{
    if (f->use == ANSWER_HOLD) {
        if (!has_no_body(f))
            buf_append(&f->answer, data, len);
        return true;
    }
    if (f->unsent > HIGH_WATER) {
        f->up_paused = true;
        return false;
    }
    f->unsent = http_write(f->req, data, len);
    return true;
}

void forward_answer_pass_peeked(struct forward *f)
{
    struct buf peeked = f->answer;

    buf_init(&f->answer, 0);
    forward_answer_head(f, f->status, &f->peeked_headers);
    http_headers_finish(&f->peeked_headers);
    if (peeked.len > 0)
        forward_answer_data(f, peeked.data, peeked.len);
    buf_finish(&peeked);
}

void forward_answer_done(struct forward *f)
{
    size_t len;
    char *body;

    forward_log_answered(f);
    if (f->use == ANSWER_HOLD && has_no_body(f)) { /* but a length to tell, for HEAD */
        http_start(f->req, f->status, &f->answer_headers, f->answer_length);
        f->use = ANSWER_STREAM;
    }
    if (f->use == ANSWER_STREAM) {
        http_finish(f->req);
    } else {
        body = buf_take(&f->answer, &len);
        http_respond(f->req, f->status, &f->answer_headers, body, len, true);
    }
    forward_end(f);
}
