/* SPDX-License-Identifier: Apache-2.0 */
/* Calls to other servers: event-driven ones on a reactor (the proxy), and blocking ones
 * for straight-line code on worker threads (token endpoints). No type of the library
 * below shows. Neither follows redirects by itself beyond what is said here; TLS peers
 * are verified. */
#ifndef NET_UPSTREAM_H
#define NET_UPSTREAM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "net/http.h"
#include "net/policy.h"
#include "net/reactor.h"

struct up_pool; /* the calls, connections, DNS and TLS sessions of one reactor */
struct up_call;

struct up_config {
    size_t max_connections;     /* kept open; 0 = 2000 */
    int64_t connect_timeout_ms; /* 0 = 30000 */
    int64_t idle_timeout_ms;    /* no byte in either direction; 0 = 300000 */
    const char *ca_file;        /* NULL = the system's */
};

struct up_pool *up_pool_new(struct reactor *reactor, const struct up_config *config);
void up_pool_free(struct up_pool *pool); /* cancels what runs; accepts NULL */
size_t up_pool_active(const struct up_pool *pool);

enum up_body {
    UP_BODY_NONE,
    UP_BODY_BYTES,  /* `body`, `body_len`: borrowed until on_done */
    UP_BODY_STREAM, /* pulled by on_need; `body_len` -1 = chunked */
};

struct up_request {
    const char *method;
    const char *url;
    /* Sent as they are, in this order, and no others but Host, Content-Length and
     * Transfer-Encoding (and Accept-Encoding when `decompress` and none is given). */
    const struct http_headers *headers;
    enum up_body body_kind;
    const char *body;
    int64_t body_len;
    bool decompress;             /* inflate gzip, deflate, br (not a part, status 206);
                        Content-Encoding and -Length are then hidden */
    const struct policy *policy; /* borrowed until on_done; NULL = none */
    const char *client_certificate_pem; /* both or none; copied */
    const char *client_key_pem;
};

enum up_failure {
    UP_OK,
    UP_DENIED,      /* the policy refused the host or an address */
    UP_UNRESOLVED,  /* no such host */
    UP_REFUSED,     /* ECONNREFUSED */
    UP_UNREACHABLE, /* EHOSTUNREACH, ENETUNREACH */
    UP_RESET,       /* ECONNRESET, or closed before an answer */
    UP_TIMEOUT,     /* ETIMEDOUT */
    UP_TLS,         /* handshake or certificate */
    UP_BAD_URL,
    UP_TOO_LARGE, /* blocking calls: answer over the limit */
    UP_FAILED,    /* anything else */
};
/* The code that Node clients know: ECONNREFUSED, ECONNRESET, … */
const char *up_failure_code(enum up_failure failure);

struct up_ops {
    /* The answer's head is complete. */
    void (*on_head)(void *arg, int status, const struct http_headers *headers);
    /* A piece of the body. Return false to pause: the same piece comes again after
     * up_resume(). */
    bool (*on_data)(void *arg, const char *data, size_t len);
    /* Wants up to `room` bytes of the request body: returns how many were written, 0 at
     * the end, UP_WAIT to be asked again after up_resume_body(), UP_ABORT to give up. */
    size_t (*on_need)(void *arg, char *out, size_t room);
    /* The call ended; it is freed when this returns. `message` is for people, without
     * secrets. */
    void (*on_done)(void *arg, enum up_failure failure, const char *message);
};
#define UP_WAIT ((size_t)-1)
#define UP_ABORT ((size_t)-2)

/* Reactor thread. Never calls back before it returned. */
struct up_call *up_start(struct up_pool *pool, const struct up_request *request,
    const struct up_ops *ops, void *arg);
void up_resume(struct up_call *call);
void up_resume_body(struct up_call *call);
/* Ends the call at once without calling back. */
void up_cancel(struct up_call *call);

/* ---- blocking ---- */
struct up_answer {
    int status; /* 0 when there was no answer */
    struct http_headers headers;
    struct buf body; /* wiped when finished */
    enum up_failure failure;
    char message[200];
};
struct up_blocking {
    const struct up_request *request; /* body NONE or BYTES */
    int64_t timeout_ms;               /* whole call; 0 = 30000 */
    size_t max_body;                  /* 0 = 1 MiB */
    bool head_only; /* the answer's body is not read, however long it is */
    /* Up to policy->max_redirects, each target judged; Authorization, Cookie and the
     * names in `drop_on_redirect` (NULL-terminated, may be NULL) are dropped when the
     * host changes. A body does not go to another host: such a redirect is the answer. */
    bool follow;
    const char *const *drop_on_redirect;
    const char *ca_file;
    /* Nobody wants the answer any more once this is set, by any thread: the call ends,
     * within about a second. NULL = never. */
    const atomic_bool *given_up;
};
/* Any thread but a reactor's. True when an HTTP answer came, whatever its status. */
bool up_call_blocking(const struct up_blocking *call, struct up_answer *answer);
void up_answer_finish(struct up_answer *answer);

/* Resolves a Location against the URL it came from; the caller frees; NULL when not a
 * URL. */
char *up_resolve_url(const char *base, const char *location);
/* May a redirect take the credentials along? True when `to` is the same host and port, or
 * a subdomain of that host with the same port, and does not go from https to http. */
bool up_same_site(const char *from, const char *to);

void up_global_init(void); /* once, before threads */

#endif
