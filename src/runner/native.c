/* SPDX-License-Identifier: Apache-2.0 */
/* What the prelude gets from C, as methods of one object that scripts never see: messages,
 * text and bytes, evaluation, inflating. Each checks its arguments: a mistake of the prelude throws. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "runner/engine_int.h"
#include "runner/protocol.h"

#define INFLATE_PIECE ((size_t)64 << 10)

static JSValueRef undefined(JSContextRef ctx)
{
    return JSValueMakeUndefined(ctx);
}

JSValueRef native_throw(JSContextRef ctx, JSValueRef *exception, const char *message)
{
    JSStringRef js = JSStringCreateWithUTF8CString(message);
    JSValueRef argument = JSValueMakeString(ctx, js);

    JSStringRelease(js);
    *exception = JSObjectMakeError(ctx, 1, &argument, NULL);
    return undefined(ctx);
}

static struct engine *engine_of(JSObjectRef self)
{
    return JSObjectGetPrivate(self);
}

/* UTF-8 to UTF-16 as the Encoding standard decodes: each maximal part of what is wrong
 * becomes one U+FFFD. */
JSStringRef text_to_js(const char *text, size_t len)
{
    const unsigned char *in = (const unsigned char *)text;
    JSChar *out;
    size_t count = 0, at = 0;
    JSStringRef js;

    while (at < len && in[at] != 0 && in[at] < 0x80)
        at++;
    if (at == len) { /* the engine keeps such text in half the memory */
        char *copy = str_ndup(text, len);

        js = JSStringCreateWithUTF8CString(copy);
        free(copy);
        return js;
    }
    out = mem_alloc((len + 1) * sizeof *out);
    at = 0;
    while (at < len) {
        unsigned char c = in[at++];
        uint32_t code;
        unsigned more;
        unsigned char low = 0x80, high = 0xBF;

        if (c < 0x80) {
            out[count++] = c;
            continue;
        }
        if (c >= 0xC2 && c <= 0xDF) {
            more = 1;
            code = c & 0x1F;
        } else if (c >= 0xE0 && c <= 0xEF) {
            more = 2;
            code = c & 0x0F;
            if (c == 0xE0)
                low = 0xA0;
            if (c == 0xED)
                high = 0x9F;
        } else if (c >= 0xF0 && c <= 0xF4) {
            more = 3;
            code = c & 0x07;
            if (c == 0xF0)
                low = 0x90;
            if (c == 0xF4)
                high = 0x8F;
        } else {
            out[count++] = 0xFFFD;
            continue;
        }
        while (more > 0 && at < len && in[at] >= low && in[at] <= high) {
            code = code << 6 | (in[at++] & 0x3F);
            low = 0x80;
            high = 0xBF;
            more--;
        }
        if (more > 0) {
            out[count++] = 0xFFFD;
        } else if (code >= 0x10000) {
            out[count++] = (JSChar)(0xD800 + ((code - 0x10000) >> 10));
            out[count++] = (JSChar)(0xDC00 + ((code - 0x10000) & 0x3FF));
        } else {
            out[count++] = (JSChar)code;
        }
    }
    js = JSStringCreateWithCharacters(out, count);
    free(out);
    return js;
}

void text_from_js(JSStringRef js, struct buf *out)
{
    const JSChar *in = JSStringGetCharactersPtr(js);
    size_t len = JSStringGetLength(js), at = 0, count = 0;
    unsigned char *to = (unsigned char *)buf_room(out, len * 3);

    while (at < len) {
        uint32_t code = in[at++];

        if (code >= 0xD800 && code < 0xE000) {
            if (code < 0xDC00 && at < len && in[at] >= 0xDC00 && in[at] < 0xE000)
                code = 0x10000 + ((code - 0xD800) << 10) + (in[at++] - 0xDC00U);
            else
                code = 0xFFFD;
        }
        if (code < 0x80) {
            to[count++] = (unsigned char)code;
        } else if (code < 0x800) {
            to[count++] = (unsigned char)(0xC0 | code >> 6);
            to[count++] = (unsigned char)(0x80 | (code & 0x3F));
        } else if (code < 0x10000) {
            to[count++] = (unsigned char)(0xE0 | code >> 12);
            to[count++] = (unsigned char)(0x80 | (code >> 6 & 0x3F));
            to[count++] = (unsigned char)(0x80 | (code & 0x3F));
        } else {
            to[count++] = (unsigned char)(0xF0 | code >> 18);
            to[count++] = (unsigned char)(0x80 | (code >> 12 & 0x3F));
            to[count++] = (unsigned char)(0x80 | (code >> 6 & 0x3F));
            to[count++] = (unsigned char)(0x80 | (code & 0x3F));
        }
    }
    buf_added(out, count);
}

bool text_from_value(
    JSContextRef ctx, JSValueRef value, struct buf *out, JSValueRef *exception)
{
    JSStringRef js = JSValueToStringCopy(ctx, value, exception);

    if (js == NULL)
        return false;
    text_from_js(js, out);
    JSStringRelease(js);
    buf_append(out, "", 0);
    return true;
}

bool native_bytes(JSContextRef ctx, JSValueRef value, const uint8_t **data, size_t *len)
{
    JSObjectRef object;
    JSTypedArrayType type = JSValueGetTypedArrayType(ctx, value, NULL);

    if (type == kJSTypedArrayTypeNone)
        return false;
    object = JSValueToObject(ctx, value, NULL);
    if (type == kJSTypedArrayTypeArrayBuffer) {
        *data = JSObjectGetArrayBufferBytesPtr(ctx, object, NULL);
        *len = JSObjectGetArrayBufferByteLength(ctx, object, NULL);
    } else {
        const uint8_t *start = JSObjectGetTypedArrayBytesPtr(ctx, object, NULL);

        /* The pointer is to the first byte of the buffer, whatever its name says. */
        *data = start == NULL
                    ? NULL
                    : start + JSObjectGetTypedArrayByteOffset(ctx, object, NULL);
        *len = JSObjectGetTypedArrayByteLength(ctx, object, NULL);
    }
    return *data != NULL || *len == 0;
}

static void give_back(void *bytes, void *context)
{
    (void)context;
    free(bytes);
}

JSValueRef native_make_bytes(
    JSContextRef ctx, const void *data, size_t len, JSValueRef *exception)
{
    void *copy = malloc(len > 0 ? len : 1); /* not mem_alloc(): a script asked for it */
    JSObjectRef made;

    if (copy == NULL)
        return native_throw(ctx, exception, "Out of memory");
    if (len > 0)
        memcpy(copy, data, len);
    made = JSObjectMakeTypedArrayWithBytesNoCopy(
        ctx, kJSTypedArrayTypeUint8Array, copy, len, give_back, NULL, exception);
    return made == NULL ? undefined(ctx) : made;
}

/* send(text): a frame to the host. */
static NATIVE_FUNCTION(native_send)
{
    struct engine *engine = engine_of(self);
    size_t begun;

    (void)function;
    if (engine == NULL || argc < 1 || engine->broken)
        return undefined(ctx);
    buf_clear(&engine->out);
    begun = protocol_begin(&engine->out);
    if (!text_from_value(ctx, argv[0], &engine->out, exception))
        return undefined(ctx);
    if (engine->out.len > PROTOCOL_MAX_FRAME)
        return native_throw(ctx, exception, "A message is larger than 64 MB");
    protocol_end(&engine->out, begun);
    if (!protocol_write(engine->out_fd, engine->out.data, engine->out.len))
        engine->broken = true;
    return undefined(ctx);
}

/* finish(): `done` was sent. */
static NATIVE_FUNCTION(native_finish)
{
    struct engine *engine = engine_of(self);

    (void)function, (void)argc, (void)argv, (void)exception;
    if (engine != NULL)
        engine->finished = true;
    return undefined(ctx);
}

/* begin(wallMs, cpuMs, memoryMb): a run begins. */
static NATIVE_FUNCTION(native_begin)
{
    struct engine *engine = engine_of(self);
    struct engine_limits limits;
    double numbers[3];

    (void)function;
    if (engine == NULL || argc < 3)
        return native_throw(ctx, exception, "begin: three numbers are needed");
    for (int i = 0; i < 3; i++) {
        numbers[i] = JSValueToNumber(ctx, argv[i], exception);
        if (!(numbers[i] >= 0 && numbers[i] < 1e12))
            numbers[i] = 0;
    }
    limits.wall_ms = (int64_t)numbers[0];
    limits.cpu_ms = (int64_t)numbers[1];
    limits.memory_mb = (int64_t)numbers[2];
    engine_begin_run(engine, &limits);
    return undefined(ctx);
}

/* part(name): what the part of the prelude evaluates to. */
static NATIVE_FUNCTION(native_part)
{
    struct buf name;
    JSValueRef made = NULL;

    (void)function;
    buf_init(&name, 0);
    if (argc < 1 || !text_from_value(ctx, argv[0], &name, exception)) {
        buf_finish(&name);
        return *exception != NULL
                   ? undefined(ctx)
                   : native_throw(ctx, exception, "part: a name is needed");
    }
    for (size_t i = 0; made == NULL && i < PRELUDE_PARTS; i++)
        if (str_eq(name.data, prelude_parts[i].name)) {
            made = engine_evaluate_part(engine_of(self), i, exception);
            if (made == NULL) {
                buf_finish(&name);
                return undefined(ctx);
            }
        }
    buf_finish(&name);
    return made != NULL
               ? made
               : native_throw(ctx, exception, "part: there is none of that name");
}

/* evaluate(code, file): the completion value. Without code (undefined): of the code that
 * was evaluated last in this process. */
static NATIVE_FUNCTION(native_evaluate)
{
    JSStringRef code = NULL, file;
    JSValueRef result = NULL;

    (void)function;
    if (argc < 2)
        return native_throw(ctx, exception, "evaluate: code and file are needed");
    file = JSValueToStringCopy(ctx, argv[1], exception);
    if (file != NULL && !JSValueIsUndefined(ctx, argv[0]))
        code = JSValueToStringCopy(ctx, argv[0], exception);
    if (*exception == NULL)
        result = engine_evaluate_code(engine_of(self), code, file, exception);
    if (code != NULL)
        JSStringRelease(code);
    if (file != NULL)
        JSStringRelease(file);
    return result == NULL ? undefined(ctx) : result;
}

/* code(): the text that was evaluated last. */
static NATIVE_FUNCTION(native_code)
{
    const struct engine *engine = engine_of(self);

    (void)function, (void)argc, (void)argv, (void)exception;
    return engine->code != NULL ? JSValueMakeString(ctx, engine->code) : undefined(ctx);
}

/* now(): milliseconds that only go forward. */
static NATIVE_FUNCTION(native_now)
{
    (void)function, (void)self, (void)argc, (void)argv, (void)exception;
    return JSValueMakeNumber(ctx, (double)clock_mono_us() / 1000.0);
}

static NATIVE_FUNCTION(native_utf8_encode)
{
    struct buf text;
    JSValueRef made = undefined(ctx);

    (void)function, (void)self;
    buf_init(&text, 0);
    if (argc > 0 && text_from_value(ctx, argv[0], &text, exception))
        made = native_make_bytes(ctx, text.data, text.len, exception);
    buf_finish(&text);
    return made;
}

static NATIVE_FUNCTION(native_utf8_decode)
{
    const uint8_t *data;
    size_t len;
    JSStringRef js;
    JSValueRef made;

    (void)function, (void)self;
    if (argc < 1 || !native_bytes(ctx, argv[0], &data, &len))
        return native_throw(ctx, exception, "utf8Decode: bytes are needed");
    js = text_to_js((const char *)data, len);
    made = JSValueMakeString(ctx, js);
    JSStringRelease(js);
    return made;
}

/* base64(bytes, url): text. */
static NATIVE_FUNCTION(native_base64)
{
    const uint8_t *data;
    size_t len;
    struct buf text;
    JSStringRef js;
    JSValueRef made;

    (void)function, (void)self;
    if (argc < 1 || !native_bytes(ctx, argv[0], &data, &len))
        return native_throw(ctx, exception, "base64: bytes are needed");
    buf_init(&text, 0);
    if (argc > 1 && JSValueToBoolean(ctx, argv[1]))
        str_base64url(data, len, &text);
    else
        str_base64(data, len, &text);
    js = text_to_js(text.len > 0 ? text.data : "", text.len);
    buf_finish(&text);
    made = JSValueMakeString(ctx, js);
    JSStringRelease(js);
    return made;
}

/* unbase64(text): bytes, read as Node does: either alphabet, what is foreign is skipped,
 * `=` ends it. */
static NATIVE_FUNCTION(native_unbase64)
{
    JSStringRef js;
    const JSChar *in;
    size_t len, count = 0;
    uint8_t *out;
    uint32_t bits = 0;
    unsigned have = 0;
    JSValueRef made;

    (void)function, (void)self;
    js = argc < 1 ? NULL : JSValueToStringCopy(ctx, argv[0], exception);
    if (js == NULL)
        return undefined(ctx);
    in = JSStringGetCharactersPtr(js);
    len = JSStringGetLength(js);
    out = mem_alloc(len * 3 / 4 + 4);
    for (size_t i = 0; i < len && in[i] != '='; i++) {
        unsigned value;
        JSChar c = in[i];

        if (c >= 'A' && c <= 'Z')
            value = c - 'A';
        else if (c >= 'a' && c <= 'z')
            value = c - 'a' + 26U;
        else if (c >= '0' && c <= '9')
            value = c - '0' + 52U;
        else if (c == '+' || c == '-')
            value = 62;
        else if (c == '/' || c == '_')
            value = 63;
        else
            continue;
        bits = bits << 6 | value;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[count++] = (uint8_t)(bits >> have);
        }
    }
    JSStringRelease(js);
    made = native_make_bytes(ctx, out, count, exception);
    free(out);
    return made;
}

/* inflate(bytes, windowBits, max): bytes. windowBits -15: bare deflate; 47: zlib or gzip. */
static NATIVE_FUNCTION(native_inflate)
{
    const uint8_t *data;
    size_t len;
    z_stream z;
    struct buf out;
    int status = Z_OK;
    double bits, max;
    JSValueRef made;

    (void)function, (void)self;
    /* Numbers first: to ask for one may run the script's code, which may resize a buffer. */
    bits = argc > 1 ? JSValueToNumber(ctx, argv[1], exception) : 0;
    max = argc > 2 ? JSValueToNumber(ctx, argv[2], exception) : -1;
    if (argc < 3 || !native_bytes(ctx, argv[0], &data, &len) || len > UINT32_MAX)
        return native_throw(
            ctx, exception, "inflate: bytes, bits and a bound are needed");
    if (!(max >= 0 && max <= (double)PROTOCOL_MAX_FRAME * 4))
        return native_throw(ctx, exception, "inflate: the bound is too large");
    memset(&z, 0, sizeof z);
    if (inflateInit2(&z, bits < 0 ? -15 : 47) != Z_OK)
        return native_throw(ctx, exception, "Out of memory");
    buf_init(&out, (size_t)max);
    z.next_in = (Bytef *)(uintptr_t)data;
    z.avail_in = (uInt)len;
    while (status == Z_OK) {
        char piece[INFLATE_PIECE];

        z.next_out = (Bytef *)piece;
        z.avail_out = sizeof piece;
        status = inflate(&z, Z_NO_FLUSH);
        if (!buf_append(&out, piece, sizeof piece - z.avail_out))
            status = Z_MEM_ERROR;
    }
    inflateEnd(&z);
    made = status == Z_STREAM_END
               ? native_make_bytes(ctx, out.data, out.len, exception)
               : native_throw(ctx, exception,
                     status == Z_MEM_ERROR ? "The inflated data is too large"
                                           : "The compressed data is damaged");
    buf_finish(&out);
    return made;
}

JSClassRef native_class(void)
{
    static const JSStaticFunction functions[] = {
        {"send", native_send, kJSPropertyAttributeReadOnly},
        {"finish", native_finish, kJSPropertyAttributeReadOnly},
        {"begin", native_begin, kJSPropertyAttributeReadOnly},
        {"part", native_part, kJSPropertyAttributeReadOnly},
        {"evaluate", native_evaluate, kJSPropertyAttributeReadOnly},
        {"code", native_code, kJSPropertyAttributeReadOnly},
        {"now", native_now, kJSPropertyAttributeReadOnly},
        {"utf8Encode", native_utf8_encode, kJSPropertyAttributeReadOnly},
        {"utf8Decode", native_utf8_decode, kJSPropertyAttributeReadOnly},
        {"base64", native_base64, kJSPropertyAttributeReadOnly},
        {"unbase64", native_unbase64, kJSPropertyAttributeReadOnly},
        {"inflate", native_inflate, kJSPropertyAttributeReadOnly},
        {"digest", native_digest, kJSPropertyAttributeReadOnly},
        {"hmac", native_hmac, kJSPropertyAttributeReadOnly},
        {"random", native_random, kJSPropertyAttributeReadOnly},
        {"pbkdf2", native_pbkdf2, kJSPropertyAttributeReadOnly},
        {"sign", native_sign, kJSPropertyAttributeReadOnly},
        {NULL, NULL, 0},
    };
    JSClassDefinition definition = kJSClassDefinitionEmpty;

    definition.className = "Native";
    definition.staticFunctions = functions;
    return JSClassCreate(&definition);
}
