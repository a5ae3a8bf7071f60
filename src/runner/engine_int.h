/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine and the functions that it offers to the prelude share. */
#ifndef RUNNER_ENGINE_INT_H
#define RUNNER_ENGINE_INT_H

#include <JavaScriptCore/JavaScript.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "runner/prelude.h"

struct engine_limits {
    int64_t wall_ms;
    int64_t cpu_ms;
    int64_t memory_mb;
};

typedef struct OpaqueJSScript *JSScriptRef;

struct engine {
    int out_fd;
    JSContextGroupRef group; /* the VM */
    JSGlobalContextRef ctx;
    JSClassRef native;
    JSScriptRef parts[PRELUDE_PARTS]; /* the first is the prelude */
    JSStringRef code;   /* of the last script, for runs that come without; NULL */
    JSScriptRef script; /* the same, parsed */
    JSObjectRef on_message, on_tick, on_expire; /* the prelude's; protected in ctx */
    struct engine_limits limits;
    int64_t started_ms; /* monotonic; of the run */
    int64_t memory_seen_ms;
    int64_t cpu_from_ms; /* the process's CPU time when the run began */
    bool running;
    bool finished;   /* `done` was sent */
    bool broken;     /* the host is gone */
    bool terminated; /* by the time limit */
    struct buf out;
};

/* Evaluates part `index` of the prelude in the context: its completion value; NULL with
 * *exception. */
JSValueRef engine_evaluate_part(
    struct engine *engine, size_t index, JSValueRef *exception);

/* Evaluates `code` in the context, and keeps it; NULL: what was kept. NULL with
 * *exception. */
JSValueRef engine_evaluate_code(
    struct engine *engine, JSStringRef code, JSStringRef file, JSValueRef *exception);

/* The class of the object that the prelude gets (native.c). */
JSClassRef native_class(void);

/* Text between the engine and UTF-8. What is no UTF-8, or half a surrogate pair, becomes
 * U+FFFD. */
JSStringRef text_to_js(const char *text, size_t len);
void text_from_js(JSStringRef js, struct buf *out);
bool text_from_value(
    JSContextRef ctx, JSValueRef value, struct buf *out, JSValueRef *exception);
/* Throws an Error from a native function; returns undefined. */
JSValueRef native_throw(JSContextRef ctx, JSValueRef *exception, const char *message);
/* The bytes of a typed array or ArrayBuffer, borrowed until the engine runs again. */
bool native_bytes(JSContextRef ctx, JSValueRef value, const uint8_t **data, size_t *len);
/* A new Uint8Array with a copy. */
JSValueRef native_make_bytes(
    JSContextRef ctx, const void *data, size_t len, JSValueRef *exception);
/* Called when a run begins, with what its message allows. */
void engine_begin_run(struct engine *engine, const struct engine_limits *limits);

/* Functions over OpenSSL (native_crypto.c). */
#define NATIVE_FUNCTION(name)                                                            \
    JSValueRef name(JSContextRef ctx, JSObjectRef function, JSObjectRef self,            \
        size_t argc, const JSValueRef argv[], JSValueRef *exception)
NATIVE_FUNCTION(native_digest);
NATIVE_FUNCTION(native_hmac);
NATIVE_FUNCTION(native_random);
NATIVE_FUNCTION(native_pbkdf2);
NATIVE_FUNCTION(native_sign);

#endif
