/* SPDX-License-Identifier: Apache-2.0 */
/* One proxied request, for the files of this folder.
 *
 *                ┌──────────────────────── further try ◄──────────────────────┐
 *                ▼                                                            │
 *   LOOKUP ──► REFRESH ──► BODY ──► BUILD ──► CALL ──► answer ──► ENDED     WAIT
 *      │  (when due)  (first try)               │ └── redirect: next hop      ▲
 *      └── any failure: an answer of ours       └──────── retry_decide() ─────┘
 *
 *   forward.c           look up, refresh, build, the end
 *   forward_options.c   the caller's headers: reading and checking them
 *   forward_body.c      the caller's body: collecting, checking, converting, streaming
 *   forward_form.c      form to JSON and back
 *   forward_call.c      the call to the provider: redirects and further tries
 *   forward_answer.c    the provider's answer on its way to the caller
 *   forward_log.c       what the logs of operations are told
 *
 * Everything runs on the reactor of the request. What may block (a store that is not
 * local, work on a large body) is a job on the outbound pool; while a job or a refresh is
 * out, `away` is set and nothing else touches the struct. When the caller leaves
 * meanwhile, only `gone` is noted, and the one that comes back ends it. */
#ifndef PROXY_FORWARD_INT_H
#define PROXY_FORWARD_INT_H

#include "base/buf.h"
#include "proxy/forward.h"

/* ---- the caller's headers ---- */
#define FORWARD_MAX_RETRY_ON 32

/* Strings are borrowed from the request. */
struct forward_options {
    const char *provider_config_key;
    const char *connection_id;
    const char *base_override; /* NULL = none */
    const char *operation;     /* Nango-Activity-Log-Id; NULL = none */
    int retries;
    int retry_on[FORWARD_MAX_RETRY_ON];
    size_t retry_on_count;
    bool decompress;
    bool forward_on_redirect;
};
/* False with the contract's `errors` array in *errors when a header is not as it should
 * be. */
bool forward_options_read(
    const struct http_req *req, struct forward_options *out, cJSON **errors);
/* The caller's Nango-Proxy-* fields, without the prefix and without those that frame a
 * message. */
void forward_passed_headers(const struct http_req *req, struct http_headers *out);

/* ---- the caller's body ---- */
enum body_kind {
    BODY_NONE,   /* nothing is sent, and no length is told */
    BODY_WHOLE,  /* `kept` is all of it, maybe zero bytes */
    BODY_STREAM, /* on its way: `kept` from `pos` on is not yet sent */
};
struct forward_body {
    enum body_kind kind;
    struct buf kept;
    size_t pos;         /* of `kept`: sent to the provider in this try */
    uint64_t received;  /* bytes from the caller, in all */
    int64_t length;     /* as announced; -1 = chunked */
    size_t limit;       /* of `kept` while it holds the body from its first byte on */
    bool must_be_whole; /* more than `limit` is too much; else it begins to stream */
    bool collecting;
    bool reading;    /* the server was asked for the body */
    bool ended;      /* the caller sent all of it */
    bool replayable; /* `kept` holds the body from its first byte on */
    bool promised;   /* another hop or try will send it once more */
    bool paused;     /* the caller was told to wait */
    bool wanted;     /* the provider's side waits for bytes */
    bool ignored;    /* nobody wants the rest */
    bool too_large;  /* the call is being given up for it */
    bool is_json;    /* by the caller's Content-Type */
    bool is_form;
    bool to_form; /* it goes out as a form */
    const char
        *type; /* content type to send unless a header says otherwise; NULL = none */
    const char *coding; /* the caller's Content-Encoding; NULL = plain */
};

/* ---- what is told of it ---- */
struct forward_log {
    struct oplog *to;          /* NULL: nowhere, or all is told */
    struct oplog_op operation; /* the caller's; id 0 = none: the call is one itself */
    int64_t began_ms, began_us;
    int64_t sent_us; /* this exchange */
    int64_t integration_id, connection_id;
    bool exchange_failed; /* the last one */
    char *shown_url;      /* of this try, without secrets */
    struct buf exchanges;
};

/* ---- the request ---- */
/* What the provider's answer is wanted for. */
enum answer_use {
    ANSWER_UNDECIDED,
    ANSWER_PEEK,   /* a further try may be due: the beginning of the body is read first */
    ANSWER_HOLD,   /* short: handed over in one piece at its end */
    ANSWER_STREAM, /* passed on as it comes */
    ANSWER_REDIRECT, /* dropped, then the next hop */
    ANSWER_RETRY,    /* dropped, then another try */
};

struct forward {
    const struct proxy *proxy;
    struct up_pool *pool;
    struct http_req *req;
    struct reactor *reactor;
    int64_t environment_id;
    int64_t held_id;
    bool background;
    int64_t integration_id, connection_id; /* once they are found */
    int64_t hold_ms;                       /* waited for what the provider allows */
    char *target;
    bool away; /* a job or a refresh holds the struct */
    bool gone; /* the caller left */
    void (*work)(struct forward *f);
    void (*then)(struct forward *f);
    bool ok; /* how the work went */
    struct err err;

    struct forward_options options;
    struct http_headers passed; /* Nango-Proxy-* */
    struct forward_body body;

    /* From look-up to build, anew in each try. */
    struct integration integration;
    bool has_integration;
    struct connection_row *row;
    int64_t fetched_mono_ms; /* when the connection was last found fresh; 0 = never */

    struct catalog *catalog; /* keeps `provider` alive */
    const struct provider *provider;

    /* The call. */
    struct proxy_request built;
    bool has_built;
    const char *caller_method;
    const char *method; /* of this hop */
    char *url;          /* of this hop, after a redirect; NULL = the built one's */
    bool without_body;  /* a redirect made it a GET */
    bool left_site;     /* a redirect went elsewhere: no client certificate any more */
    char *client_certificate;
    char *client_key; /* wiped */
    struct up_call *call;
    int attempt; /* 0 = the first */
    int hops;
    struct reactor_timer *timer;
    int64_t wait_ms;

    struct forward_log log;

    /* The answer. */
    enum answer_use use;
    int status;
    int64_t answer_length;              /* told by the provider; -1 = unknown */
    struct http_headers peeked_headers; /* while peeking, all of them */
    struct http_headers answer_headers; /* those that pass */
    struct buf answer;                  /* while peeking or holding */
    size_t dropped;
    bool inflate;
    bool started;   /* its head went out */
    size_t unsent;  /* bytes the caller has not taken yet */
    bool up_paused; /* the provider was told to wait */
    char *next_url; /* the next hop */
};

#define FORWARD_COUNT(f, name)                                                           \
    do {                                                                                 \
        if ((f)->proxy->counters != NULL)                                                \
            atomic_fetch_add_explicit(                                                   \
                &(f)->proxy->counters->name, 1, memory_order_relaxed);                   \
    } while (0)

/* work(f) here, or on the outbound pool; then then(f) on the reactor. */
void forward_run(struct forward *f, bool here, void (*work)(struct forward *f),
    void (*then)(struct forward *f));
/* Ends the request with an error of ours; `f` is gone afterwards. */
void forward_fail(struct forward *f, const struct err *err);
/* The caller left: stops everything; `f` is gone afterwards unless a job is away. */
void forward_gone(struct forward *f);
/* Releases everything after the request was answered. */
void forward_end(struct forward *f);
/* Begins a further try with look-up, build and call. */
void forward_again(struct forward *f);
/* The one answer for every target that the policy refuses (contract section 9). */
void forward_denied(struct err *err);

/* Decides what becomes of the body and starts to read it; calls forward_build() when the
 * provider's request can be built, at once when there is nothing to wait for. */
void forward_body_start(struct forward *f);
void forward_build(struct forward *f);
/* Asks the server for the body, unless that was done. */
void forward_body_read(struct forward *f);
void forward_body_refusal(struct err *err); /* 413 */
/* The bytes when all of them are at hand, else NULL. */
const char *forward_body_bytes(const struct forward *f, size_t *len);
/* For the provider's side: up_ops.on_need. */
size_t forward_body_need(struct forward *f, char *out, size_t room);
bool forward_body_can_replay(const struct forward *f);
/* It will be sent once more: from now on it is not given up for its size. */
void forward_body_promise(struct forward *f);
void forward_body_rewind(struct forward *f); /* only when it can be replayed */
/* Nobody wants the rest: the caller's bytes are dropped from now on. */
void forward_body_ignore(struct forward *f);

/* Starts the call of f->built, or of f->url after a redirect. */
void forward_call_start(struct forward *f);
/* The same once the provider allows another one. */
void forward_call_when_allowed(struct forward *f);
/* Does this failed answer call for a further try? Then f->wait_ms is set. */
bool forward_wants_retry(struct forward *f, enum up_failure failure, int status,
    const struct http_headers *headers, const char *body, size_t len);

/* The pieces of the answer; each may end `f` only where it says so. */
void forward_answer_head(
    struct forward *f, int status, const struct http_headers *headers);
bool forward_answer_data(struct forward *f, const char *data, size_t len);
void forward_answer_done(struct forward *f); /* all of it came: ends f */
/* After the beginning was peeked at: passes it on. */
void forward_answer_pass_peeked(struct forward *f);

/* ---- forward_log.c ---- */
void forward_log_begin(struct forward *f);
void forward_log_found(struct forward *f); /* f->integration and f->row are there */
/* f->built is; with what must not be shown of it. Any thread. */
void forward_log_built(struct forward *f, const cJSON *credentials);
void forward_log_sent(struct forward *f);
/* `status` 0: it failed, and `failure` says how. */
void forward_log_held(struct forward *f, int64_t wait_ms);
void forward_log_exchange(struct forward *f, int status,
    const struct http_headers *answer, const char *failure);
/* How the call ended; before it is answered. The first that tells counts. */
void forward_log_failed(struct forward *f, const char *type, const char *message);
void forward_log_answered(struct forward *f); /* by the provider, with f->status */
void forward_log_finish(struct forward *f);

/* ---- forms (forward_form.c) ---- */
#define FORM_MAX_PAIRS 1000
/* `a=1&b[c]=2` to {"a":"1","b":{"c":"2"}}; NULL when it has more than FORM_MAX_PAIRS
 * pairs. */
cJSON *form_to_json(const char *form, size_t len);
/* The same pairs in the one spelling of the URL standard: brackets and spaces encoded. */
void form_normalise(const char *form, size_t len, struct buf *out);
/* {"a":[1],"b":{"c":true}} to a[]=1&b[c]=true, brackets percent-encoded. Every leaf
 * repeats its path, so `out` needs a bound. */
void form_from_json(const cJSON *value, struct buf *out);

#endif
