/* SPDX-License-Identifier: Apache-2.0 */
/* The client: who one is, where the server is, what went wrong.
 *
 * Rules that hold for the whole library:
 *
 * - Text is UTF-8 and NUL-terminated. What a function takes is borrowed until it returns,
 *   what its `_start` form takes too (it is copied). What `*out` receives is the caller's
 *   and has a `_free` function that accepts NULL.
 * - A function that can fail returns a nango_code, and fills *err unless err is NULL: after
 *   success with NANGO_OK. On failure *out is NULL; the proxy's functions say where they
 *   differ. The `out` of a method that calls the server may be NULL: the result is dropped.
 * - A client and its calls are used by one thread at a time; different clients by
 *   different threads at once. Results are never changed after they were handed out: any
 *   thread may read them, also after their client is gone. nango_interrupt() may be called
 *   from any thread.
 * - Nothing is printed, no signal handler is set, the process is never ended. No state is
 *   global but libcurl's own, which is counted and guarded by libcurl.
 * - Structs of options are zeroed by the caller (`= {0}` or designated initialisers): zero
 *   and NULL are every member's default. `reserved` stays zero, so that members can be
 *   added without another soname. */
#ifndef NANGO_CLIENT_H
#define NANGO_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define NANGO_API __attribute__((visibility("default")))
#else
#define NANGO_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The version of these headers; nango_version() is the library's. */
#define NANGO_VERSION_MAJOR 0
#define NANGO_VERSION_MINOR 1
#define NANGO_VERSION_PATCH 0

/* The server that is called when no host is given. Source: contract node-sdk.md,
 * section 1. */
#define NANGO_DEFAULT_HOST "https://api.nango.dev"

/* Where nangod listens unless told otherwise, for `host`. */
#define NANGO_LOCAL_HOST "http://localhost:3003"

typedef struct nango_client nango_client;     /* opaque */
typedef struct nango_response nango_response; /* opaque: see response.h */
typedef struct nango_json nango_json;         /* opaque: see json.h */
typedef struct nango_call nango_call;         /* opaque: see async.h */

/* Why a call failed, for programs. The numbers are part of the ABI and never change
 * meaning; new ones may be added. */
typedef enum {
    NANGO_OK = 0,
    NANGO_E_ARGUMENT = 1, /* refused before anything was sent: the message says what */
    NANGO_E_MEMORY = 2,   /* an allocation failed */
    NANGO_E_STATE = 3, /* not possible now: no loop attached, a call within a callback */
    NANGO_E_RESOLVE = 4,    /* the host's name has no address */
    NANGO_E_CONNECT = 5,    /* nothing accepts connections there; `detail` is the errno */
    NANGO_E_TLS = 6,        /* the server's certificate or its TLS is not acceptable */
    NANGO_E_TIMEOUT = 7,    /* no whole answer within the time allowed */
    NANGO_E_NETWORK = 8,    /* the connection broke; `detail` is the CURLcode */
    NANGO_E_TRUNCATED = 9,  /* the answer ended before its announced end */
    NANGO_E_TOO_LARGE = 10, /* the answer passed max_response_bytes */
    NANGO_E_CANCELLED =
        11,            /* nango_interrupt(), nango_call_cancel() or a callback said so */
    NANGO_E_HTTP = 12, /* an answer whose status is not 200 to 299: see http_status */
    NANGO_E_PARSE = 13 /* an answer in a form that the method does not know */
} nango_code;

/* Why a call failed. Plain memory: nothing to free. */
typedef struct {
    nango_code code;
    int http_status;      /* 0 when no answer was read */
    int detail;           /* errno or CURLcode, according to `code`; else 0 */
    int retry_after_s;    /* the answer's Retry-After; -1 for none, or a date */
    char server_code[64]; /* the server's error code, as `unknown_connection`, or "" */
    char message[320]; /* for people: which call, as "GET /connections/1", and why. Always
                          terminated; never holds a secret */
} nango_error;

/* The name of a code, as "NANGO_E_TIMEOUT"; never NULL. Static. */
NANGO_API const char *nango_code_name(nango_code code);

/* The version of the library that runs, as "0.1.0". Static. */
NANGO_API const char *nango_version(void);

/* Where a client's memory comes from. Both functions or none are set; `user` is passed to
 * each. They are called by whichever thread uses or frees the client and its results, so
 * they must be as safe as malloc() when results travel between threads. There is no
 * realloc(): memory that moves is wiped behind itself. libcurl's and OpenSSL's own memory is
 * not taken from here: those libraries know only process-wide functions. */
typedef struct {
    void *(*alloc)(size_t size, void *user); /* aligned as by malloc(); NULL: none left */
    void (*release)(void *p, void *user);    /* p is not NULL */
    void *user;
} nango_allocator;

typedef enum {
    NANGO_LOG_DEBUG = 0, /* one line a call: method, path, status, milliseconds */
    NANGO_LOG_WARNING = 1
} nango_log_level;

/* Receives lines without line end, borrowed for the call. They hold no key, no body and no
 * query. Must not call into the client. */
typedef void nango_log_fn(nango_log_level level, const char *line, void *user);

/* One header field, or one pair of a query or form. Both members are set. */
typedef struct {
    const char *name;
    const char *value;
} nango_pair;

/* The number of elements of an array, for the counts beside the pointers of option structs:
 * `.tags = tags, .tag_count = NANGO_COUNT(tags)`. */
#define NANGO_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Which family of paths and bodies is sent: the newest client's, or those of the client of
 * the end of 2023 (0.36.100), for servers of that time. */
typedef enum {
    NANGO_ERA_CURRENT = 0,
    NANGO_ERA_2023 = 1
} nango_era;

/* How a client is made. Everything is copied. Source: contract node-sdk.md, section 1. */
typedef struct {
    const char *secret_key; /* this or api_key: the environment's key */
    const char *api_key;    /* the newer name; webhooks are not verified with it */
    const char *host; /* an http or https URL, path allowed; NULL: NANGO_DEFAULT_HOST */
    const char *webhook_signing_key; /* NULL: secret_key */
    const char *connection_id;       /* default of the proxy's functions */
    const char *provider_config_key; /* likewise */
    bool is_sync;                    /* the three flags that scripts' own clients set */
    bool is_script;
    bool dry_run;
    const char *activity_log_id; /* sent with proxy calls */
    const char *user_agent;      /* put after the library's own */
    nango_era era;
    int64_t timeout_ms;         /* of one call; 0: 30000; -1: none */
    int64_t connect_timeout_ms; /* 0: 10000; -1: none */
    size_t max_response_bytes;  /* of an answer that is not streamed; 0: 256 MiB */
    const char *ca_file; /* PEM file of certificate authorities; NULL: the system's */
    const nango_pair *headers; /* sent with every call to the server itself */
    size_t header_count;
    const nango_allocator *allocator; /* NULL: malloc() */
    nango_log_fn *log;                /* NULL: no log */
    void *log_user;
    const void *reserved[6];
} nango_client_options;

/* Makes a client. Nothing is sent.
 *
 * Fails with NANGO_E_ARGUMENT when there is no key or both, or when `host` is no URL, and
 * NANGO_E_MEMORY. Free with nango_client_free(). */
NANGO_API nango_code nango_client_new(
    const nango_client_options *options, nango_client **out, nango_error *err);

/* As nango_client_new(), with the environment for what `options` (or NULL) leaves unset:
 * NANGO_SECRET_KEY for the key and NANGO_HOSTPORT for the host, which are the names that
 * the official command line reads. Empty counts as unset. */
NANGO_API nango_code nango_client_new_from_env(
    const nango_client_options *options, nango_client **out, nango_error *err);

/* Ends the client's calls (each one's callback runs, with NANGO_E_CANCELLED), wipes the key
 * and frees. Accepts NULL. Not from within a callback of the client. */
NANGO_API void nango_client_free(nango_client *client);

/* Changes the time that each later call may take; milliseconds, 0 or -1: no limit. */
NANGO_API void nango_client_set_timeout(nango_client *client, int64_t timeout_ms);

/* The host as the client uses it: without its trailing slash. Borrowed. */
NANGO_API const char *nango_client_host(const nango_client *client);

/* The answer of the call that ended last, if it ended with NANGO_E_HTTP or NANGO_E_PARSE:
 * what the error struct has no room for, as headers and the whole body. NULL otherwise.
 * Within a callback it is the answer of the callback's call. Borrowed until the client's
 * next call, or until the callback returns. */
NANGO_API const nango_response *nango_client_last_answer(const nango_client *client);

/* Makes the blocking call that now runs, or else the next one, fail with
 * NANGO_E_CANCELLED. May be called by any thread, while the client exists; not by a signal
 * handler. */
NANGO_API void nango_interrupt(nango_client *client);

#ifdef __cplusplus
}
#endif
#endif
