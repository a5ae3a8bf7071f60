/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of libnango share. Internal names begin with ngo_, so that the static
 * library disturbs no program that it is linked into.
 *
 * A method is three things:
 *
 *   plan     builds a nango_call: method, path, query, headers, body
 *   shape    how its answer becomes the method's result (one per type of result)
 *   two public functions, which run the plan: one waits, one starts it
 *
 * A call carries its first failure with it (ngo_call_fail()); whatever is added afterwards
 * is ignored, so that plans need no checks between their lines. */
#ifndef SDK_SDK_INT_H
#define SDK_SDK_INT_H

#include <stdarg.h>

#include "nango/nango.h"

/* ---- memory: from the client's allocator, wiped when freed (mem.c) ---- */

/* Copied into each object that outlives the client. */
struct ngo_mem {
    nango_allocator allocator;
};

extern const struct ngo_mem ngo_mem_default; /* malloc() */

void *ngo_alloc(const struct ngo_mem *mem, size_t size); /* zeroed; NULL: memory is out */
/* As realloc(), `p` may be NULL; what is new is not zeroed; on failure `p` stays. */
void *ngo_resize(const struct ngo_mem *mem, void *p, size_t size);
void ngo_free(const struct ngo_mem *mem, void *p); /* wipes; accepts NULL */
/* A terminated copy; NULL gives NULL as does memory that is out. */
char *ngo_strdup(const struct ngo_mem *mem, const char *s);
void ngo_wipe(void *p, size_t size); /* in a way that the compiler keeps */

/* ---- text that grows (text.c) ---- */

/* Always terminated once something was added. The first failure sticks: later additions do
 * nothing. */
struct ngo_text {
    const struct ngo_mem *mem;
    char *data; /* NULL until something is added */
    size_t len;
    size_t capacity;
    bool failed;  /* memory is out */
    bool invalid; /* something could not be written: see the function that says so */
    bool comma;   /* of the JSON writer: the next member or element needs one */
};

void ngo_text_init(struct ngo_text *text, const struct ngo_mem *mem);
void ngo_text_finish(struct ngo_text *text);
void ngo_text_add(struct ngo_text *text, const void *data, size_t len);
void ngo_text_puts(struct ngo_text *text, const char *s);
void ngo_text_putc(struct ngo_text *text, char c);
void ngo_text_int(struct ngo_text *text, int64_t number);
/* The caller takes the text; "" when nothing was added; NULL when it failed. */
char *ngo_text_take(struct ngo_text *text, size_t *len);

/* Which characters stay as they are when the others are percent-encoded. */
enum ngo_encoding {
    NGO_PATH, /* one segment: RFC 3986 pchar */
    NGO_FORM, /* a query by URLSearchParams: letters, digits, * - . _; space is + */
    NGO_AXIOS /* a query by the official client's HTTP library: also ! ~ ' ( ) : $ , */
};
void ngo_text_encode(struct ngo_text *text, const char *s, enum ngo_encoding encoding);

/* The JSON writer: objects and arrays opened and closed, members between. `invalid` is set
 * for text that is not UTF-8, and for raw text that is not JSON. */
void ngo_json_open(struct ngo_text *text, char bracket);        /* { or [ */
void ngo_json_close(struct ngo_text *text, char bracket);       /* } or ] */
void ngo_json_name(struct ngo_text *text, const char *name);    /* the value follows */
void ngo_json_put_string(struct ngo_text *text, const char *s); /* NULL gives null */
void ngo_json_put_int(struct ngo_text *text, int64_t number);
void ngo_json_put_bool(struct ngo_text *text, bool value);
void ngo_json_put_raw(struct ngo_text *text, const char *json);
/* A member, unless its value is NULL. */
void ngo_json_member(struct ngo_text *text, const char *name, const char *value);
void ngo_json_member_raw(struct ngo_text *text, const char *name, const char *json);
/* A member that is an object of text, unless there are no pairs. */
void ngo_json_member_pairs(
    struct ngo_text *text, const char *name, const nango_pair *pairs, size_t count);
/* A member that is an array of text, unless there is none. */
void ngo_json_member_strings(
    struct ngo_text *text, const char *name, const char *const *values, size_t count);

bool ngo_is_utf8(const char *s, size_t len);

/* ---- JSON that is read (json_parse.c, json_read.c) ---- */

/* A value; its children follow it at once. */
struct nango_json {
    const char *name; /* of a member, terminated; else NULL */
    const char *text; /* string: unescaped and terminated; number: as it came */
    uint32_t name_len;
    uint32_t len;       /* of text; of array and object: how many children */
    uint32_t span;      /* how many values it and everything in it takes: to the next */
    unsigned char type; /* nango_json_type */
    bool last;          /* of its parent's children */
    bool truth;         /* of a bool */
};

struct ngo_json_doc {
    struct nango_json *values; /* values[0] is the root; NULL: none */
};

enum ngo_parse {
    NGO_PARSED,
    NGO_NOT_JSON,
    NGO_NO_MEMORY
};

/* Parses in place: `text`, which is terminated at text[len], is changed and belongs to the
 * document from then on as far as reading goes (the owner still frees it, after the
 * document). `*at` is where it stopped being JSON. */
enum ngo_parse ngo_json_parse(const struct ngo_mem *mem, char *text, size_t len,
    struct ngo_json_doc *doc, size_t *at);
void ngo_json_finish(const struct ngo_mem *mem, struct ngo_json_doc *doc);
/* Whether it is JSON; nothing is changed. NGO_NO_MEMORY as above. */
enum ngo_parse ngo_json_check(const struct ngo_mem *mem, const char *text, size_t len);
/* Compact JSON of a value. */
void ngo_json_print(struct ngo_text *out, const struct nango_json *value);

/* ---- an answer (response.c) ---- */

struct ngo_header {
    char *name;
    char *value;
};

struct nango_response {
    struct ngo_mem mem;
    int status;
    struct ngo_header *headers;
    size_t header_count;
    size_t header_capacity;
    struct ngo_text body;
    char *json_text; /* what `json` points into, when that is not `body` itself */
    struct ngo_json_doc json;
    bool in_place; /* the body was made into `json` and can no longer be read */
};

/* A list of headers that grows; name and value are copied. False: memory is out. */
bool ngo_headers_add(const struct ngo_mem *mem, struct ngo_header **list, size_t *count,
    size_t *capacity, const char *name, size_t name_len, const char *value, size_t len);
void ngo_headers_free(const struct ngo_mem *mem, struct ngo_header *list, size_t count);

nango_response *ngo_response_new(const struct ngo_mem *mem);
bool ngo_response_add_header(nango_response *response, const char *name, size_t name_len,
    const char *value, size_t len);
void ngo_response_clear(nango_response *response); /* as new; keeps memory */

/* ---- a call (call.c, run.c) ---- */

/* Any of the public callback types; called only as what it was. */
typedef void ngo_fn(void);

/* One type of result. */
struct ngo_shape {
    /* Makes the result from call->response, whose status is 200 to 299. May take the
     * response over: then it sets call->response to NULL. NULL after ngo_call_fail(). */
    void *(*decode)(nango_call *call);
    /* Frees a result. */
    void (*release)(void *result);
    /* Calls `done` as the type of callback that it is. The result is the callback's. */
    void (*deliver)(ngo_fn *done, void *result, const nango_error *error, void *user);
};

struct ngo_wait; /* of nango_wait_for_connection() */
struct ngo_transfer;

struct nango_call {
    nango_client *client;
    struct ngo_mem mem;
    const struct ngo_shape *shape;
    const char *method; /* static */
    struct ngo_text url;
    bool has_query;
    struct ngo_header *headers;
    size_t header_count;
    size_t header_capacity;
    struct ngo_text body;
    bool has_body;
    bool proxied;  /* the response is the result also when the call fails */
    bool streamed; /* `stream` gets the pieces */
    nango_stream stream;
    nango_response_type response_type;
    struct ngo_wait *wait;
    nango_error error; /* code NANGO_OK until something fails */
    nango_response *response;
    struct ngo_transfer *transfer; /* NULL unless it is under way */
    int state;                     /* of a started call: async.c */
    int64_t due_ms;                /* when it goes on, while it waits */
    bool cancelled;
    bool paused;      /* by nango_call_pause() */
    nango_call *next; /* of the client's started calls */
    nango_call *previous;
    nango_call *queue_next;
    ngo_fn *done;
    void *user;
};

/* Begins a call of `path` on the server with the headers that every call has. Never fails
 * visibly but for memory: NULL, which ngo_call_run() and ngo_call_start() understand.
 * `client` NULL is a failure that the call carries. */
nango_call *ngo_call_new(nango_client *client, const char *method, const char *path,
    const struct ngo_shape *shape);
void ngo_call_free(nango_call *call);

/* Notes the first failure. NULL is accepted. */
void ngo_call_fail(nango_call *call, nango_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Fails with NANGO_E_ARGUMENT and "<what> is required" when `value` is NULL or "". */
void ngo_call_need(nango_call *call, const char *value, const char *what);

/* Whether the client speaks to servers of 2023 (NANGO_ERA_2023). */
bool ngo_early(const nango_client *client);
const struct ngo_mem *ngo_client_mem(const nango_client *client);
const char *ngo_signing_key(const nango_client *client); /* of webhooks; may be NULL */
/* The headers Nango-Is-Sync, -Script and -Dry-Run, those that are true. Calls have them from
 * the start, but those of early clients only where these sent them. */
void ngo_call_flags(nango_call *call);

/* Each of these accepts a NULL call. */
void ngo_call_path(nango_call *call, const char *literal); /* added as it is */
/* "/" and an id, percent-encoded. `what` names it when it is missing or is . or .. */
void ngo_call_segment(nango_call *call, const char *id, const char *what);
/* A pair of the query, unless value is NULL. */
void ngo_call_query(
    nango_call *call, const char *name, const char *value, enum ngo_encoding encoding);
void ngo_call_query_int(nango_call *call, const char *name, int64_t value);
void ngo_call_query_bool(nango_call *call, const char *name, bool value);
/* A header, unless value is NULL. Fails for what cannot stand in one. */
void ngo_call_header(nango_call *call, const char *name, const char *value);
/* Connection-Id and Provider-Config-Key. */
void ngo_call_for(
    nango_call *call, const char *provider_config_key, const char *connection_id);
/* The JSON body, opened: the caller writes it and calls ngo_call_json_done(). NULL only for
 * a NULL call; a failed call's body goes nowhere. */
struct ngo_text *ngo_call_json(nango_call *call);
void ngo_call_json_done(nango_call *call); /* content type; failure if invalid */
/* The whole JSON body as the user gave it. Fails unless it is JSON. */
void ngo_call_json_raw(nango_call *call, const char *json, const char *what);

/* Of a call with `wait`, whose looks found nothing yet: how long to wait before the next;
 * false when they are used up, and the call then has failed (wait.c). */
bool ngo_wait_next(nango_call *call, int64_t *delay_ms);
void ngo_wait_free(nango_call *call);
/* Forgets the redirects and the time of the request before, before the next (transfer.c). */
void ngo_transfer_renew(nango_call *call);

/* Runs the call and frees it. The result, or NULL and *err. */
void *ngo_call_run(nango_call *call, nango_code *code, nango_error *err);
/* Starts the call; `*handle` unless `handle` is NULL. On failure the call is freed. */
nango_code ngo_call_start(
    nango_call *call, ngo_fn *done, void *user, nango_call **handle, nango_error *err);

/* The last line of a method that waits: gives the result to `out`, or frees it when the
 * caller wants none. */
#define NGO_RUN(plan, type, release, out, err)                                           \
    do {                                                                                 \
        nango_code ngo_code_;                                                            \
        type *ngo_result_ = (type *)ngo_call_run((plan), &ngo_code_, (err));             \
        if ((out) != NULL)                                                               \
            *(out) = ngo_result_;                                                        \
        else                                                                             \
            release(ngo_result_);                                                        \
        return ngo_code_;                                                                \
    } while (0)

/* The last line of a method that starts. */
#define NGO_START(plan, done, user, call, err)                                           \
    return ngo_call_start((plan), (ngo_fn *)(done), (user), (call), (err))

/* ---- shapes (shape.c and the files of their types) ---- */

/* A result that is one JSON value of an answer, alone or within a list. */
struct ngo_item {
    const nango_json *json;
    nango_response *response; /* what it owns; NULL within a list */
};

/* Makes the JSON of call->response ready, in place. Fails the call when it is none. */
const nango_json *ngo_decode_json(nango_call *call);
/* Allocates a result of `size` bytes that begins with a struct ngo_item and owns the
 * response, whose JSON at `pointer` (of type `type`) is the item. NULL after a failure. */
void *ngo_decode_item(
    nango_call *call, size_t size, const char *pointer, nango_json_type type);
/* Frees such a result. */
void ngo_item_free(void *item);

/* A list: `count` items of `size` bytes each, which begin with a struct ngo_item. */
struct ngo_list {
    nango_response *response;
    size_t count;
    size_t size;
    /* the items follow, aligned for pointers */
};
/* The array at `pointer` of the answer's JSON. */
struct ngo_list *ngo_decode_list(nango_call *call, size_t size, const char *pointer);
void *ngo_list_at(const struct ngo_list *list, size_t index); /* NULL beyond the end */
void ngo_list_free(void *list);

extern const struct ngo_shape ngo_shape_response; /* nango_response, any body */

/* Milliseconds since 1970 of an ISO 8601 time with zone; false when it is none. */
bool ngo_time_parse(const char *s, int64_t *out_ms);

void ngo_error_clear(nango_error *err); /* NANGO_OK; NULL is accepted */
/* Fills *err (NULL is accepted); returns code. */
nango_code ngo_error_set(nango_error *err, nango_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
