/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "runner/engine_int.h"
#include "runner/protocol.h"
#include "runner/sandbox.h"

/* In the library, but in none of its installed headers (JSContextRefPrivate.h). */
typedef bool (*should_terminate_fn)(JSContextRef ctx, void *context);
void JSContextGroupSetExecutionTimeLimit(
    JSContextGroupRef group, double limit_s, should_terminate_fn callback, void *context);
void JSGlobalContextSetEvalEnabled(
    JSGlobalContextRef ctx, bool enabled, JSStringRef message);
/* JSScriptRefPrivate.h: a script parsed once for many contexts, whose text is not copied. */
JSScriptRef JSScriptCreateReferencingImmortalASCIIText(JSContextGroupRef group,
    JSStringRef url, int first_line, const char *text, size_t len, JSStringRef *error,
    int *error_line);
JSScriptRef JSScriptCreateFromString(JSContextGroupRef group, JSStringRef url,
    int first_line, JSStringRef text, JSStringRef *error, int *error_line);
void JSScriptRelease(JSScriptRef script);
JSValueRef JSScriptEvaluate(
    JSContextRef ctx, JSScriptRef script, JSValueRef self, JSValueRef *exception);

/* How often (CPU time) a running script is looked at. */
#define WATCH_EVERY_S 0.05
/* How often a script that asks its host for things is, at most. */
#define MEMORY_EVERY_MS 20

static int64_t cpu_ms(void)
{
    struct timespec used;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (int64_t)used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

static bool past_limit(const struct engine *engine)
{
    const struct engine_limits *limits = &engine->limits;

    return (limits->wall_ms > 0 &&
               clock_mono_ms() - engine->started_ms > limits->wall_ms) ||
           (limits->cpu_ms > 0 && cpu_ms() - engine->cpu_from_ms > limits->cpu_ms);
}

/* The VM asks now and then while a script runs. */
static bool should_terminate(JSContextRef ctx, void *context)
{
    struct engine *engine = context;

    (void)ctx;
    if (engine->running && !sandbox_move_limit())
        abort(); /* as the engine does itself when it is refused memory */
    if (!engine->running || !past_limit(engine))
        return false;
    engine->terminated = true;
    return true;
}

struct engine *engine_new(int out_fd)
{
    struct engine *engine = MEM_NEW(struct engine);

    engine->out_fd = out_fd;
    buf_init(&engine->out, 0);
    return engine;
}

static void drop_context(struct engine *engine)
{
    if (engine->ctx == NULL)
        return;
    if (engine->on_message != NULL) {
        JSValueUnprotect(engine->ctx, engine->on_message);
        JSValueUnprotect(engine->ctx, engine->on_tick);
        JSValueUnprotect(engine->ctx, engine->on_expire);
    }
    engine->on_message = engine->on_tick = engine->on_expire = NULL;
    JSGlobalContextRelease(engine->ctx);
    engine->ctx = NULL;
}

static void drop_code(struct engine *engine)
{
    if (engine->script != NULL)
        JSScriptRelease(engine->script);
    if (engine->code != NULL)
        JSStringRelease(engine->code);
    engine->script = NULL;
    engine->code = NULL;
}

void engine_free(struct engine *engine)
{
    if (engine == NULL)
        return;
    drop_context(engine);
    drop_code(engine);
    if (engine->native != NULL)
        JSClassRelease(engine->native);
    if (engine->group != NULL)
        JSContextGroupRelease(engine->group);
    buf_finish(&engine->out);
    free(engine);
}

/* Puts what was thrown into *err. */
static bool thrown(
    struct engine *engine, JSValueRef exception, const char *what, struct err *err)
{
    struct buf text;

    buf_init(&text, 0);
    if (exception == NULL || !text_from_value(engine->ctx, exception, &text, NULL))
        buf_puts(&text, "unknown");
    err_internal(err, "%s: %s", what, text.data);
    buf_finish(&text);
    return false;
}

static JSObjectRef entry_point(
    struct engine *engine, JSObjectRef native, const char *name, struct err *err)
{
    JSStringRef key = JSStringCreateWithUTF8CString(name);
    JSValueRef value = JSObjectGetProperty(engine->ctx, native, key, NULL);

    JSStringRelease(key);
    if (!JSValueIsObject(engine->ctx, value)) {
        err_internal(err, "the prelude has no %s", name);
        return NULL;
    }
    JSValueProtect(engine->ctx, value);
    return JSValueToObject(engine->ctx, value, NULL);
}

/* The text of a part, which the process keeps to its end; NULL when memory is out. */
static const char *part_text(const struct prelude_part *part)
{
    uLongf len = part->text_len;
    char *text;

    if (part->len == part->text_len)
        return (const char *)part->data;
    text = malloc(len); /* not mem_alloc(): a script asked for it */
    if (text != NULL && (uncompress((Bytef *)text, &len, part->data, part->len) != Z_OK ||
                            len != part->text_len)) {
        free(text);
        text = NULL;
    }
    return text;
}

/* Parses a part, once for all contexts. False when memory is out. */
static bool parse_part(struct engine *engine, size_t index)
{
    const struct prelude_part *part = &prelude_parts[index];
    const char *text = engine->parts[index] == NULL ? part_text(part) : NULL;
    JSStringRef name;

    if (text != NULL) {
        name = JSStringCreateWithUTF8CString("nango:prelude");
        engine->parts[index] = JSScriptCreateReferencingImmortalASCIIText(
            engine->group, name, 1, text, part->text_len, NULL, NULL);
        JSStringRelease(name);
    }
    return engine->parts[index] != NULL;
}

JSValueRef engine_evaluate_part(
    struct engine *engine, size_t index, JSValueRef *exception)
{
    if (parse_part(engine, index))
        return JSScriptEvaluate(engine->ctx, engine->parts[index], NULL, exception);
    native_throw(engine->ctx, exception, "Out of memory");
    return NULL;
}

JSValueRef engine_evaluate_code(
    struct engine *engine, JSStringRef code, JSStringRef file, JSValueRef *exception)
{
    if (code != NULL) {
        drop_code(engine);
        engine->code = JSStringRetain(code);
        engine->script =
            JSScriptCreateFromString(engine->group, file, 1, code, NULL, NULL);
        if (engine->script == NULL) /* this says what is wrong with it, and where */
            return JSEvaluateScript(engine->ctx, code, NULL, file, 1, exception);
    }
    if (engine->script != NULL)
        return JSScriptEvaluate(engine->ctx, engine->script, NULL, exception);
    native_throw(engine->ctx, exception, "The server sent no code");
    return NULL;
}

static bool make_context(struct engine *engine, struct err *err)
{
    JSValueRef exception = NULL, made;
    JSObjectRef native, prelude;
    JSStringRef reason;

    engine->running = engine->finished = engine->terminated = false;
    engine->ctx = JSGlobalContextCreateInGroup(engine->group, NULL);
    native = JSObjectMake(engine->ctx, engine->native, engine);
    reason = JSStringCreateWithUTF8CString("Code generation from strings is not allowed");
    JSGlobalContextSetEvalEnabled(engine->ctx, false, reason);
    JSStringRelease(reason);

    /* The prelude is a function of the native object, on which it leaves its entry
     * points. */
    made = engine_evaluate_part(engine, 0, &exception);
    if (made != NULL) {
        JSValueRef argument = native;

        prelude = JSValueToObject(engine->ctx, made, &exception);
        made = prelude != NULL ? JSObjectCallAsFunction(
                                     engine->ctx, prelude, NULL, 1, &argument, &exception)
                               : NULL;
    }
    if (made == NULL)
        return thrown(engine, exception, "the prelude", err);
    engine->on_message = entry_point(engine, native, "onMessage", err);
    engine->on_tick = entry_point(engine, native, "onTick", err);
    engine->on_expire = entry_point(engine, native, "onExpire", err);
    return engine->on_message != NULL && engine->on_tick != NULL &&
           engine->on_expire != NULL;
}

bool engine_start(struct engine *engine, struct err *err)
{
    engine->group = JSContextGroupCreate();
    engine->native = native_class();
    for (size_t i = 0; i < PRELUDE_PARTS; i++) {
        const struct prelude_part *part = &prelude_parts[i];

        if (part->len == part->text_len && !parse_part(engine, i))
            return err_internal(err, "the prelude's part %s does not parse", part->name);
    }
    JSContextGroupSetExecutionTimeLimit(
        engine->group, WATCH_EVERY_S, should_terminate, engine);
    return make_context(engine, err);
}

bool engine_renew(struct engine *engine, struct err *err)
{
    drop_context(engine);
    memset(&engine->limits, 0, sizeof engine->limits);
    return make_context(engine, err);
}

bool engine_ready(struct engine *engine)
{
    size_t begun;

    buf_clear(&engine->out);
    begun = protocol_begin(&engine->out);
    buf_printf(&engine->out, "{\"t\":\"ready\",\"version\":%d}", PROTOCOL_VERSION);
    protocol_end(&engine->out, begun);
    return protocol_write(engine->out_fd, engine->out.data, engine->out.len);
}

void engine_begin_run(struct engine *engine, const struct engine_limits *limits)
{
    engine->limits = *limits;
    engine->started_ms = clock_mono_ms();
    engine->cpu_from_ms = cpu_ms();
    engine->running = true;
    sandbox_limit_run(limits->cpu_ms, limits->memory_mb);
}

/* The engine can no longer speak for itself. */
static void send_failure(struct engine *engine, const char *type, const char *message)
{
    size_t begun;

    buf_clear(&engine->out);
    begun = protocol_begin(&engine->out);
    buf_printf(&engine->out,
        "{\"t\":\"done\",\"status\":\"error\",\"error\":{\"type\":\"%s\","
        "\"message\":\"%s\",\"stack\":\"\",\"status\":500}}",
        type, message);
    protocol_end(&engine->out, begun);
    protocol_write(engine->out_fd, engine->out.data, engine->out.len);
}

/* After any visit to the VM. */
static enum engine_outcome look(
    struct engine *engine, JSValueRef result, JSValueRef exception)
{
    if (engine->broken)
        return ENGINE_BROKEN;
    if (engine->terminated) {
        char message[96];
        bool wall = engine->limits.wall_ms > 0 &&
                    clock_mono_ms() - engine->started_ms > engine->limits.wall_ms;

        if (!engine->finished) {
            snprintf(message, sizeof message,
                wall ? "The script ran longer than %lld ms"
                     : "The script used more than %lld ms of CPU time",
                (long long)(wall ? engine->limits.wall_ms : engine->limits.cpu_ms));
            send_failure(engine, "execution_timeout", message);
        }
        return ENGINE_BROKEN;
    }
    if (result == NULL) {
        struct err err = {0};

        /* Ours: the prelude catches what scripts throw. Or memory is out. */
        thrown(engine, exception, "the runner failed", &err);
        if (!engine->finished)
            send_failure(engine, "script_internal_error",
                strstr(err.message, "Out of memory") != NULL ||
                        strstr(err.message, "call stack") != NULL
                    ? "The script went over its memory limit"
                    : "The runner failed");
        return ENGINE_BROKEN;
    }
    if (engine->finished) {
        engine->running = false;
        return ENGINE_DONE;
    }
    return ENGINE_GOES_ON;
}

/* A script that mostly waits for its host uses so little of its time that the VM rarely asks
 * (should_terminate()). */
static void move_limit(struct engine *engine)
{
    int64_t now = clock_mono_ms();

    if (!engine->running || now - engine->memory_seen_ms < MEMORY_EVERY_MS)
        return;
    engine->memory_seen_ms = now;
    if (!sandbox_move_limit())
        abort();
}

enum engine_outcome engine_message(struct engine *engine, const char *text, size_t len)
{
    JSStringRef js;
    JSValueRef argument, exception = NULL, result;

    move_limit(engine);
    js = text_to_js(text, len);
    argument = JSValueMakeString(engine->ctx, js);
    JSStringRelease(js);
    result = JSObjectCallAsFunction(
        engine->ctx, engine->on_message, NULL, 1, &argument, &exception);
    return look(engine, result, exception);
}

enum engine_outcome engine_tick(struct engine *engine, int *wait_ms)
{
    JSValueRef exception = NULL, result;
    double wait;

    *wait_ms = -1;
    if (!engine->running)
        return ENGINE_GOES_ON;
    if (engine->limits.wall_ms > 0 &&
        clock_mono_ms() - engine->started_ms >= engine->limits.wall_ms) {
        result = JSObjectCallAsFunction(
            engine->ctx, engine->on_expire, NULL, 0, NULL, &exception);
        return look(engine, result, exception);
    }
    result =
        JSObjectCallAsFunction(engine->ctx, engine->on_tick, NULL, 0, NULL, &exception);
    if (result != NULL) {
        wait = JSValueToNumber(engine->ctx, result, NULL);
        if (wait >= 0)
            *wait_ms = wait > 60000 ? 60000 : (int)(wait + 0.999);
        if (engine->limits.wall_ms > 0) {
            int64_t left =
                engine->limits.wall_ms - (clock_mono_ms() - engine->started_ms);

            if (left < 0)
                left = 0;
            if (*wait_ms < 0 || left < *wait_ms)
                *wait_ms = left > 60000 ? 60000 : (int)left;
        }
    }
    return look(engine, result, exception);
}
