/* SPDX-License-Identifier: Apache-2.0 */
/* sdk-driver: any method of libnango, called from JSON; see main.c.
 *
 * A method is a row {name, run}. `run` makes the arguments from JSON and hands them to
 * CALL(), which either waits for the result or starts the call; both ways end in the same
 * function KIND_ended(), of the type of the `_start` form's callback:
 *
 *   run(run) --CALL--+-- blocking --> nango_METHOD() -------------+
 *                    |                                            +--> KIND_ended()
 *                    +-- --async ---> nango_METHOD_start() ~loop~-+    writes the line
 *
 * Arguments are freed as soon as `run` returns: what a `_start` form did not copy is found
 * by the sanitizer. */
#ifndef DRIVER_DRIVER_H
#define DRIVER_DRIVER_H

#include <stddef.h>

#include "nango/nango.h"

#include "loop.h"
#include "out.h"

struct block; /* memory of a run's arguments */

/* One call. */
struct run {
    nango_client *client;
    struct loop *loop; /* NULL: the blocking form */
    const nango_json *args;
    struct block *blocks;
    bool discard;  /* "$discard": call with out = NULL */
    bool cancel;   /* "$cancel": cancel as soon as it is started */
    bool proxied;  /* a result may come with a failure */
    bool returned; /* the `_start` function has returned */
    int ended;     /* how often the end was told: 1 in the end */
    nango_error error;
    nango_call *call;
    void *state; /* of methods that have more than arguments; see proxy.c */
    void (*finish_state)(void *state);
    void (*tick)(struct run *run); /* before each turn of the loop; may be NULL */
    struct heap *heap;             /* the client's allocator, with --allocator */
    char *line;                    /* the answer */
    size_t line_len;
    struct out out;
};

struct method {
    const char *name;
    void (*run)(struct run *run);
};

/* The rows by area; each ends with a NULL name. */
extern const struct method connection_methods[];
extern const struct method integration_methods[];
extern const struct method proxy_methods[];
extern const struct method record_methods[];
extern const struct method sync_methods[];
extern const struct method client_methods[];

/* A promise that the library broke: says it on standard error and ends with 3. */
void fault(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
/* A mistake of the caller of the driver: ends with 2. */
void misuse(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
void *must(void *p); /* not NULL */

/* ---- run.c ---- */

/* Parses the arguments, calls the method. With a loop the call may not have ended yet. */
void run_start(struct run *run, const struct method *method, const char *args);
void run_wait(struct run *run);
void run_finish(struct run *run); /* frees */

/* For CALL(): what the two forms returned. */
void run_returned(struct run *run, nango_code code, bool has_result);
void run_started(struct run *run, nango_code code);
/* For KIND_ended(): begins the line. True when there is a result to write. */
bool run_begin(struct run *run, const nango_error *error, bool has_result);
void run_end(struct run *run);

/* Ends of methods by the type of their results. */
void response_ended(nango_response *response, const nango_error *error, void *user);

/* The code is taken before the result is looked at: arguments have no order. */
#define CALL(run, kind, method, ...)                                                     \
    do {                                                                                 \
        if ((run)->loop != NULL) {                                                       \
            run_started((run), nango_##method##_start((run)->client, ##__VA_ARGS__,      \
                                   kind##_ended, (run), &(run)->call, &(run)->error));   \
        } else {                                                                         \
            nango_##kind *out_ = NULL;                                                   \
            nango_code code_ = nango_##method((run)->client, ##__VA_ARGS__,              \
                (run)->discard ? NULL : &out_, &(run)->error);                           \
                                                                                         \
            run_returned((run), code_, out_ != NULL);                                    \
            kind##_ended(out_, &(run)->error, (run));                                    \
        }                                                                                \
    } while (0)

/* ---- heap.c: an allocator that counts, and that fails when it is told ---- */

struct heap {
    nango_allocator allocator;
    int64_t live;    /* what was not given back */
    int64_t fail_at; /* the allocation that fails, counted from 1; 0: none */
    int64_t counted; /* allocations since fail_at was set */
};

void heap_init(struct heap *heap);

/* ---- args.c: arguments, by name; absent is NULL, 0 or false ---- */

const nango_json *arg(struct run *run, const char *name);
const char *arg_text(struct run *run, const char *name);
int64_t arg_int(struct run *run, const char *name);
bool arg_bool(struct run *run, const char *name);
/* JSON text of the argument. A member "NAME$" gives text as it is, also what is no JSON. */
const char *arg_json(struct run *run, const char *name);

/* The same for a member of an object. */
const char *get_text(struct run *run, const nango_json *object, const char *name);
const char *get_json(struct run *run, const nango_json *object, const char *name);
/* An object's members, or an array of [name, value]. */
const nango_pair *get_pairs(
    struct run *run, const nango_json *object, const char *name, size_t *count);
/* An array of strings, or one string. */
const char *const *get_texts(
    struct run *run, const nango_json *object, const char *name, size_t *count);
/* Text, or {"hex": …}. */
const void *get_bytes(struct run *run, const nango_json *value, size_t *len);
const nango_end_user *get_end_user(struct run *run, const nango_json *body);
/* Strings or {name, variant}; NULL for "*" and for nothing. */
const nango_sync *get_syncs(struct run *run, const char *name, size_t *count);

void *run_alloc(struct run *run, size_t count, size_t size); /* zeroed; freed with args */
void run_free_args(struct run *run);

#endif
