/* SPDX-License-Identifier: Apache-2.0 */
/* What a runner sends, which may be anything once a script has taken it over: frames come
 * out whole or not at all, messages are read within their text, and a value that is
 * passed on stays the value that it was. */
#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "runner/protocol.h"

enum {
    MAX_FRAME = 1 << 16
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect_within(struct json_raw whole, struct json_raw part)
{
    if (part.text == NULL)
        return;
    assert(part.text >= whole.text);
    assert(part.text + part.len <= whole.text + whole.len);
}

/* Printed as JavaScript prints it, it is read again as the same, and printed the same. */
static void expect_stable(struct json_raw value)
{
    struct buf once, twice;
    struct json_raw again;
    struct err err = {0};

    buf_init(&once, 0);
    buf_init(&twice, 0);
    json_raw_append_compact(value, &once);
    assert(json_raw_parse(once.data, once.len, &again, &err));
    assert(json_raw_kind(again) == json_raw_kind(value));
    json_raw_append_compact(again, &twice);
    assert(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
    buf_finish(&once);
    buf_finish(&twice);
}

static void walk(struct json_raw whole, struct json_raw value, int depth)
{
    struct json_raw_iter iter;
    struct json_raw key, inner;

    expect_within(whole, value);
    if (depth == 0)
        return;
    json_raw_begin(value, &iter);
    while (json_raw_next(&iter, &key, &inner)) {
        expect_within(whole, key);
        walk(whole, inner, depth - 1);
    }
}

/* As the host does (scripts/run.c). */
static void read_message(const struct message *message)
{
    static const char *const names[] = {
        "method", "args", "id", "level", "message", "meta", "status", "output", "error"};
    double number;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct json_raw member = json_raw_get(message->body, names[i]);
        char *text = json_raw_dup_string(member);

        expect_within(message->body, member);
        assert((text != NULL) == (json_raw_kind(member) == JSON_RAW_STRING));
        if (json_raw_number(member, &number))
            assert(json_raw_kind(member) == JSON_RAW_NUMBER && !isnan(number));
        free(text);
    }
    walk(message->body, message->body, 16);
    expect_stable(message->body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf in;
    const char *text;
    size_t len;
    int whole;

    buf_init(&in, 0);
    buf_append(&in, data, size);
    while ((whole = protocol_frame(&in, MAX_FRAME, &text, &len)) == 1) {
        struct message message;
        struct err err = {0};

        assert(len <= MAX_FRAME && protocol_frame_size(len) <= in.len);
        if (protocol_parse(text, len, &message, &err))
            read_message(&message);
        else
            assert(err.message[0] != '\0');
        buf_drop_front(&in, protocol_frame_size(len));
    }
    assert(whole == 0 || whole == -1);
    buf_finish(&in);
    return 0;
}
