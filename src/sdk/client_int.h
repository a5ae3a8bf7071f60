/* SPDX-License-Identifier: Apache-2.0 */
/* The client's own state, and what the files that move bytes share: a transfer is one
 * request and its answer, a call makes one or several (redirects, repeated looks). */
#ifndef SDK_CLIENT_INT_H
#define SDK_CLIENT_INT_H

#include <curl/curl.h>
#include <stdatomic.h>

#include "sdk/sdk_int.h"

/* Handles that wait to be used again, at most. */
#define NGO_IDLE_MAX 64

struct nango_client {
    struct ngo_mem mem;
    char *key;
    char *signing_key;
    char *host; /* without trailing slash */
    char *origin;
    char *connection_id;
    char *provider_config_key;
    char *activity_log_id;
    char *user_agent;
    char *authorization;
    char *ca_file;
    struct ngo_header *headers;
    size_t header_count;
    bool is_sync;
    bool is_script;
    bool dry_run;
    nango_era era;
    int64_t timeout_ms;
    int64_t connect_timeout_ms;
    size_t max_response_bytes;
    nango_log_fn *log;
    void *log_user;

    nango_response *last_answer;
    atomic_bool interrupted;
    CURLM *blocking; /* runs one transfer at a time */
    int in_callback; /* user code is on the stack: nothing may wait */
    int in_libcurl;  /* libcurl is: its handles may not be added or removed */
    CURL *idle[NGO_IDLE_MAX];
    size_t idle_count;

    /* Of the event loop: see async.c. */
    bool attached;
    nango_loop loop;
    void *loop_data;
    CURLM *multi;
    int64_t curl_due_ms;  /* when libcurl wants to be called; -1: not */
    int64_t stall_due_ms; /* not later than any stream's ngo_transfer_due(); -1: none */
    int64_t armed_ms;     /* what the loop's timer is set to; -1: not at all */
    nango_call *calls;    /* the started ones */
    size_t call_count;
    nango_call *queue; /* those in NGO_QUEUED, by queue_next */
    nango_call *queue_tail;
    size_t waiting;  /* how many are in NGO_WAITING */
    bool cancel_due; /* a call was cancelled where it could not be ended */
};

/* Where a started call stands (async.c). */
enum ngo_state {
    NGO_QUEUED,  /* to be given to libcurl as soon as it may be called */
    NGO_MOVING,  /* libcurl has it */
    NGO_WAITING, /* until due_ms, then again */
    NGO_ENDED    /* its callback runs or ran */
};

struct ngo_transfer {
    CURL *easy;
    struct curl_slist *list;
    bool head_begins;   /* the next line is a status line */
    bool head_done;     /* the status and headers of the final answer are there */
    bool redirected;    /* this answer is not the final one */
    bool failed_inside; /* a callback of ours failed the call; libcurl only tells of it */
    bool redirect_cut;  /* the body of a redirect was given up */
    bool starved;       /* the stream's `read` has nothing yet */
    int redirects;
    size_t head_bytes;   /* of this answer's headers */
    size_t thrown_bytes; /* of a redirect's body */
    int64_t sent_bytes;  /* of a streamed request's body */
    int64_t began_ms;
    int64_t limit_ms;      /* of the answer, or between a stream's pieces; 0: none */
    int64_t look_ms;       /* when the request began that all redirects belong to */
    int64_t last_piece_ms; /* of a stream: when something moved last */
    int64_t late_ms; /* of a started stream: the time that was seen to be over; async.c */
    char reason[CURL_ERROR_SIZE];
};

int64_t ngo_now_ms(void); /* monotonic */

/* Tells the event loop, if there is one, when something is due next (async.c). */
void ngo_async_arm(nango_client *client);

/* "scheme://host:port" of an http or https URL. NULL with *is_url false when it is none,
 * NULL with true when memory is out. */
char *ngo_origin(const struct ngo_mem *mem, const char *address, bool *is_url);

/* Prepares call->transfer for (another) request. False after ngo_call_fail(). */
bool ngo_transfer_begin(nango_call *call);
/* What follows. */
enum ngo_end {
    NGO_DONE,  /* *result, or call->error */
    NGO_AGAIN, /* ngo_transfer_begin() and another request, now */
    NGO_LATER  /* the same in call->wait's delay */
};
/* When a stream in which nothing moves is given up; -1: not, or not while it is held. */
int64_t ngo_transfer_due(const nango_call *call);
/* Fails the call since that time has come. */
void ngo_transfer_stalled(nango_call *call);
/* The body of a streamed request is to be read again from its start. */
bool ngo_transfer_rewind(nango_call *call);
/* libcurl is done with the request. */
enum ngo_end ngo_transfer_end(nango_call *call, CURLcode code, void **result);

/* Whether the answer, whose head is there, leads elsewhere (redirect.c). */
bool ngo_is_redirect(const nango_call *call);
/* Points the call to where the answer says. False: it cannot go there, and has failed. */
bool ngo_follow(nango_call *call);
/* Whether the call's address is one that may have the key: it is the server's own origin, or
 * the same host by TLS where it was without. *memory is false when that is out. */
bool ngo_is_home(nango_call *call, bool *memory);
/* Whether any other host may be told the header of this name. */
bool ngo_may_leave(const char *name);

/* The failure that libcurl tells of, unless the call has failed already (outcome.c). */
void ngo_fail_by_libcurl(nango_call *call, CURLcode code);
/* The result of an answer that has come whole, or call->error. */
void *ngo_decode(nango_call *call);
/* Gives the handle back. */
void ngo_transfer_free(nango_call *call);

/* The request's and the answer's message in one line (for the log), and the failure made
 * ready for people: no key in it, no control characters. */
void ngo_call_report(nango_call *call);

#endif
