/* SPDX-License-Identifier: Apache-2.0 */
/* The caller's body (contract proxy.md section 5, "Ours").
 *
 *   needed whole   forms that become JSON, JSON that becomes a form, bodies that a
 *                  signature or a template of the catalogue looks at: collected up to
 *                  max_whole_body, else 413
 *   small          announced as no longer than max_buffered_body: collected too, sent as
 *                  it is, and sent again on a redirect or a further try
 *   anything else  streamed. A chunked body is kept while it fits into
 *                  max_buffered_body, so that it can be sent again; what is longer goes
 *                  once, through a bounded buffer
 *
 * Bytes are never changed unless a conversion was asked for: JSON passes as written
 * (numbers beyond 2^53, repeated names); only its grammar is checked, as the reference
 * server answers 400 `invalid_json` to a broken one. A body under a Content-Encoding
 * passes with that header, unseen. */
#include <assert.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "net/answer.h"
#include "proxy/forward_int.h"

#define HIGH_WATER (256 * 1024)
#define LOW_WATER (128 * 1024)
#define DROP_SENT (64 * 1024) /* sent bytes are dropped in steps of this */
#define WHOLE_LIMIT (75 * 1024 * 1024)
#define LARGE (256 * 1024) /* too much work for the reactor's thread */

static const char form_type[] = "application/x-www-form-urlencoded";
static const char json_type[] = "application/json";

/* Is `value` (a Content-Type, may be NULL) of this media type? */
static bool is_type(const char *value, const char *type)
{
    size_t len = strlen(type);

    return value != NULL && str_starts_nocase(value, type) &&
           (value[len] == '\0' || strchr("; \t", value[len]) != NULL);
}

/* The content type that a header will have in any case: the caller's wish, or the
 * catalogue's. */
static const char *wished_type(const struct forward *f)
{
    const char *passed = http_headers_find(&f->passed, "content-type");

    if (passed != NULL)
        return passed;
    return json_str(
        json_get(json_get(f->provider->entry, "proxy"), "headers"), "content-type");
}

/* Clients before 0.42 send texts and bytes under the type that their HTTP library gives
 * to what it does not know, a form's, and name the real one for the provider alone. A
 * type that is neither JSON nor a form says that this is not one to be read. */
static bool is_really_form(const struct forward *f, const char *type)
{
    const char *passed = http_headers_find(&f->passed, "content-type");

    return is_type(type, form_type) &&
           (str_is_empty(passed) || is_type(passed, json_type) ||
               is_type(passed, form_type));
}

void forward_body_refusal(struct err *err)
{
    err_set(err, 413, "request_too_large", "The request body is too large");
}

/* While the body goes out already, its call is given up first (forward_body_need). */
static void too_large(struct forward *f)
{
    struct err err;

    f->body.too_large = true;
    if (f->body.kind == BODY_STREAM) {
        if (f->body.wanted)
            up_resume_body(f->call);
        return;
    }
    forward_body_refusal(&err);
    forward_fail(f, &err);
}

static size_t whole_limit(const struct forward *f)
{
    return f->proxy->max_whole_body > 0 ? f->proxy->max_whole_body : WHOLE_LIMIT;
}

/* For a body that must be whole: nothing was sent of it yet. */
static void no_room(struct forward *f)
{
    answer_busy(f->req);
    forward_end(f);
}

/* ---- a body that is all there ---- */

static bool convert_form(struct forward *f, struct err *err)
{
    struct forward_body *body = &f->body;
    struct buf out;
    cJSON *value;

    buf_init_secret(&out, 0);
    if (body->to_form) {
        form_normalise(body->kept.data, body->kept.len, &out);
        body->type = form_type;
    } else {
        value = form_to_json(body->kept.data, body->kept.len);
        if (value == NULL)
            return err_set(err, 413, "request_too_large", "The form has too many fields");
        json_append(&out, value);
        cJSON_Delete(value);
        body->type = json_type;
    }
    buf_finish(&body->kept);
    body->kept = out;
    return true;
}

/* A byte order mark is none of JSON's, but parsers on either side skip it. */
static bool check_json(const char *text, size_t len, struct err *err)
{
    static const char mark[] = "\xef\xbb\xbf";
    size_t skip = len >= 3 && memcmp(text, mark, 3) == 0 ? 3 : 0;

    return json_check_syntax(text + skip, len - skip, err);
}

static bool convert_json(struct forward *f, struct err *err)
{
    struct forward_body *body = &f->body;
    struct buf out;
    cJSON *value;

    if (!body->to_form)
        return check_json(body->kept.data, body->kept.len, err);
    value = json_parse(body->kept.data, body->kept.len, err);
    if (value == NULL)
        return false;
    if (cJSON_IsObject(value) || cJSON_IsArray(value)) {
        buf_init_secret(&out, whole_limit(f));
        form_from_json(value, &out);
        buf_finish(&body->kept);
        body->kept = out;
    }
    cJSON_Delete(value);
    if (body->kept.overflow)
        forward_body_refusal(err);
    return !body->kept.overflow;
}

/* Any thread. */
static void convert(struct forward *f)
{
    f->ok = true;
    if (f->body.kept.len == 0)
        return;
    if (f->body.is_form)
        f->ok = convert_form(f, &f->err);
    else if (f->body.is_json)
        f->ok = convert_json(f, &f->err);
}

static void converted(struct forward *f)
{
    if (f->ok)
        forward_build(f);
    else
        forward_fail(f, &f->err);
}

static void whole(struct forward *f)
{
    struct forward_body *body = &f->body;

    body->collecting = false;
    body->kind = BODY_WHOLE;
    body->replayable = true;
    forward_run(f, body->kept.len <= LARGE, convert, converted);
}

/* ---- the caller's side ---- */

/* What was kept for the next hop or try must not be given up before that begins; and what
 * is not kept goes through a buffer of bounded size. */
static bool must_wait(const struct forward_body *body, size_t len)
{
    if (body->collecting)
        return false;
    if (body->replayable)
        return body->promised && body->kept.len + len > body->limit;
    return body->kept.len - body->pos >= HIGH_WATER;
}

/* Ends `f` only while collecting, when no call is there yet. */
static size_t on_bytes(void *arg, const char *bytes, size_t len)
{
    struct forward *f = arg;
    struct forward_body *body = &f->body;
    size_t max = f->proxy->max_body;
    bool has_room;

    if (body->ignored || body->too_large)
        return len;
    if (must_wait(body, len)) {
        body->paused = true;
        return 0;
    }
    body->received += len;
    if ((max > 0 && body->received > max) ||
        (body->must_be_whole && body->received > body->limit)) {
        too_large(f);
        return len;
    }
    /* What was promised to be sent again is small, and has its room. */
    has_room = !body->replayable || body->promised ||
               http_keep_body(f->req, body->kept.len + len);
    if (!has_room && body->must_be_whole) {
        no_room(f);
        return len;
    }
    if (body->replayable && (!has_room || body->kept.len + len > body->limit)) {
        (void)http_keep_body(f->req, 0);
        body->replayable = false;
        buf_drop_front(&body->kept, body->pos);
        body->pos = 0;
    }
    buf_append(&body->kept, bytes, len);
    if (body->collecting && !body->replayable) {
        body->collecting = false;
        body->kind = BODY_STREAM;
        forward_build(f);
    } else if (body->wanted) {
        body->wanted = false;
        up_resume_body(f->call);
    }
    return len;
}

static void on_end(void *arg, enum http_body_result result)
{
    struct forward *f = arg;
    struct forward_body *body = &f->body;

    if (result != HTTP_BODY_OK) {
        forward_gone(f);
        return;
    }
    body->ended = true;
    if (body->ignored)
        return;
    if (body->collecting) {
        whole(f);
    } else if (body->wanted) {
        body->wanted = false;
        up_resume_body(f->call);
    }
}

void forward_body_read(struct forward *f)
{
    if (f->body.reading)
        return;
    f->body.reading = true;
    http_stream_body(f->req, on_bytes, on_end, f);
}

/* A request without a body, told as the reference server tells it: no length at all, or a
 * length of zero, with the type its HTTP library gives to POST, PUT and PATCH. A form of
 * zero bytes is the empty object (that is how old clients post nothing). */
static void no_body(struct forward *f)
{
    struct forward_body *body = &f->body;
    const char *method = f->method;

    if (str_eq(method, "GET") || str_eq(method, "HEAD") || str_eq(method, "DELETE"))
        return;
    body->kind = BODY_WHOLE;
    body->replayable = true;
    if (!str_eq(method, "POST") && !str_eq(method, "PUT") && !str_eq(method, "PATCH"))
        return;
    body->type = form_type;
    if (body->is_form && !body->to_form) {
        buf_puts(&body->kept, "{}");
        body->type = json_type;
    }
}

/* The caller's Content-Encoding; NULL when the body is plain. */
static const char *coding_of(const struct http_req *req)
{
    const char *coding = http_header(req, "content-encoding");

    return str_is_empty(coding) || str_eq_nocase(coding, "identity") ? NULL : coding;
}

void forward_body_start(struct forward *f)
{
    struct forward_body *body = &f->body;
    const char *type = http_header(f->req, "content-type");
    bool needed = proxy_needs_body(f->provider, f->row->auth_type);
    struct err err;

    body->kind = BODY_NONE;
    body->coding = coding_of(f->req);
    body->is_json = is_type(type, json_type) && body->coding == NULL;
    body->is_form = is_really_form(f, type) && body->coding == NULL;
    body->to_form = is_type(wished_type(f), form_type);
    buf_init_secret(&body->kept, 0);
    body->length = http_body_length(f->req);
    if (!http_has_body(f->req))
        no_body(f);
    if (!http_has_body(f->req)) {
        forward_build(f);
        return;
    }
    if (str_eq(f->method, "GET") || str_eq(f->method, "HEAD")) {
        body->ignored = true;
        body->coding = NULL;
        forward_build(f);
        return;
    }
    if (needed && body->coding != NULL) {
        err_set(&err, 415, "invalid_content_type",
            "This provider's requests are made from the body: send it without "
            "Content-Encoding");
        forward_fail(f, &err);
        return;
    }
    body->type = type;
    /* The boundary stands in the caller's own Content-Type. */
    if (is_type(type, "multipart/form-data") &&
        is_type(http_headers_find(&f->passed, "content-type"), "multipart/form-data"))
        http_headers_set(&f->passed, "content-type", type);
    body->must_be_whole = body->is_form || (body->to_form && body->is_json) || needed;
    body->limit = f->proxy->max_buffered_body;
    if (body->must_be_whole && body->limit < whole_limit(f))
        body->limit = whole_limit(f);
    if ((f->proxy->max_body > 0 && body->length > (int64_t)f->proxy->max_body) ||
        (body->must_be_whole && body->length > (int64_t)body->limit)) {
        too_large(f);
        return;
    }
    body->replayable = body->length <= (int64_t)body->limit;
    /* Chunked JSON is collected for its check; other chunked bodies may be live streams.
     */
    body->collecting =
        body->replayable && (body->length >= 0 || body->must_be_whole || body->is_json);
    if (body->collecting) {
        forward_body_read(f);
        return;
    }
    body->kind = BODY_STREAM;
    forward_build(f);
}

/* ---- the provider's side ---- */

static void resume(struct forward *f)
{
    f->body.paused = false;
    http_resume_body(f->req);
}

const char *forward_body_bytes(const struct forward *f, size_t *len)
{
    if (f->body.kind != BODY_WHOLE) {
        *len = 0;
        return NULL;
    }
    *len = f->body.kept.len;
    return f->body.kept.len > 0 ? f->body.kept.data : "";
}

size_t forward_body_need(struct forward *f, char *out, size_t room)
{
    struct forward_body *body = &f->body;
    size_t waiting, len;
    bool ended = body->ended;

    if (body->too_large)
        return UP_ABORT;
    waiting = body->kept.len - body->pos;
    len = waiting < room ? waiting : room;
    if (len > 0)
        memcpy(out, body->kept.data + body->pos, len);
    body->pos += len;
    waiting -= len;
    if (!body->replayable && (waiting == 0 || body->pos >= DROP_SENT)) {
        buf_drop_front(&body->kept, body->pos);
        body->pos = 0;
    }
    body->wanted = len == 0 && !body->ended;
    /* From here on `f` may be gone: what the client sent so far may end it. */
    if (body->paused && !body->promised && waiting <= LOW_WATER)
        resume(f);
    if (len > 0)
        return len;
    return ended ? 0 : UP_WAIT;
}

bool forward_body_can_replay(const struct forward *f)
{
    return f->body.kind == BODY_NONE || f->body.replayable;
}

void forward_body_promise(struct forward *f)
{
    f->body.promised = true;
}

void forward_body_rewind(struct forward *f)
{
    struct forward_body *body = &f->body;

    assert(forward_body_can_replay(f));
    body->pos = 0;
    body->wanted = false;
    body->promised = false;
    if (body->kind == BODY_STREAM && body->ended)
        body->kind = BODY_WHOLE;
}

void forward_body_ignore(struct forward *f)
{
    struct forward_body *body = &f->body;

    body->promised = false;
    body->wanted = false;
    if (body->kind != BODY_STREAM || body->ended || body->ignored)
        return;
    body->ignored = true;
    body->replayable = false;
    buf_clear(&body->kept);
    body->pos = 0;
    if (body->paused)
        resume(f);
}
