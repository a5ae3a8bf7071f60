/* SPDX-License-Identifier: Apache-2.0 */
/* Raw bytes in, status out: what could be read in two ways is refused, the connection
 * closed, and what follows on it is never served. First the parser by itself, then the
 * same table through a socket. */
#include "test.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "net/http_parse.h"
#include "world.h"

#define HOST "Host: a\r\n"
#define BEHIND "GET /behind HTTP/1.1\r\nHost: a\r\n\r\n"
#define BYTES(text) text, sizeof(text) - 1

struct row {
    const char *what;
    const char *bytes;
    size_t len;
    int status;
};

static const struct row refused[] = {
    {"length and chunks",
        BYTES("POST / HTTP/1.1\r\n" HOST
              "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        400},
    {"chunks and length",
        BYTES("POST / HTTP/1.1\r\n" HOST
              "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
        400},
    {"two lengths that differ",
        BYTES(
            "POST / HTTP/1.1\r\n" HOST "Content-Length: 0\r\nContent-Length: 5\r\n\r\n"),
        400},
    {"the same length twice",
        BYTES(
            "POST / HTTP/1.1\r\n" HOST "Content-Length: 0\r\ncontent-length: 0\r\n\r\n"),
        400},
    {"a list of lengths",
        BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 0, 0\r\n\r\n"), 400},
    {"a length with a sign",
        BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: +5\r\n\r\nhello"), 400},
    {"a negative length", BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n"),
        400},
    {"an empty length", BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n"), 400},
    {"a length in hexadecimal",
        BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 0x5\r\n\r\nhello"), 400},
    {"a length with a space inside",
        BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 1 0\r\n\r\n"), 400},
    {"a length beyond 64 bits",
        BYTES("POST / HTTP/1.1\r\n" HOST
              "Content-Length: 18446744073709551621\r\n\r\nhello"),
        400},
    {"an unknown coding",
        BYTES("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n"), 400},
    {"a coding before chunked",
        BYTES("POST / HTTP/1.1\r\n" HOST
              "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        400},
    {"chunked in two lines",
        BYTES(
            "POST / HTTP/1.1\r\n" HOST
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        400},
    {"identity", BYTES("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\n"),
        400},
    {"an empty coding", BYTES("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding:\r\n\r\n"),
        400},
    {"chunks in HTTP/1.0",
        BYTES("POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        400},
    {"a space before the colon",
        BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length : 0\r\n\r\n"), 400},
    {"a tab before the colon",
        BYTES("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n"),
        400},
    {"a folded line",
        BYTES("POST / HTTP/1.1\r\n" HOST "X-A: b\r\n Content-Length: 5\r\n\r\n"), 400},
    {"a line folded by a tab", BYTES("POST / HTTP/1.1\r\n" HOST "X-A: b\r\n\tc\r\n\r\n"),
        400},
    {"a fold before the first field", BYTES("GET / HTTP/1.1\r\n X-A: b\r\n" HOST "\r\n"),
        400},
    {"a line without a colon", BYTES("GET / HTTP/1.1\r\n" HOST "Oops\r\n\r\n"), 400},
    {"an empty name", BYTES("GET / HTTP/1.1\r\n" HOST ": x\r\n\r\n"), 400},
    {"a name with a slash", BYTES("GET / HTTP/1.1\r\n" HOST "a/b: x\r\n\r\n"), 400},
    {"a name beyond ASCII", BYTES("GET / HTTP/1.1\r\n" HOST "X-\xc3\xa4: x\r\n\r\n"),
        400},
    {"a NUL in a value", BYTES("GET / HTTP/1.1\r\n" HOST "X-A: a\0b\r\n\r\n"), 400},
    {"a NUL at the end of a value", BYTES("GET / HTTP/1.1\r\n" HOST "X-A: a\0\r\n\r\n"),
        400},
    {"a NUL in a name", BYTES("GET / HTTP/1.1\r\n" HOST "X\0A: b\r\n\r\n"), 400},
    {"a NUL in the target", BYTES("GET /a\0b HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"a lone carriage return in a value",
        BYTES("POST / HTTP/1.1\r\n" HOST "X-A: b\rContent-Length: 5\r\n\r\n"), 400},
    {"a control character in a value",
        BYTES("GET / HTTP/1.1\r\n" HOST "X-A: \x01\r\n\r\n"), 400},
    {"DEL in a value", BYTES("GET / HTTP/1.1\r\n" HOST "X-A: \x7f\r\n\r\n"), 400},
    {"a line that ends in LF alone", BYTES("GET / HTTP/1.1\r\nHost: a\n\r\n"), 400},
    {"a head whose lines end in LF alone", BYTES("GET / HTTP/1.1\nHost: a\n\n"), 400},
    {"no host", BYTES("GET / HTTP/1.1\r\nX-A: b\r\n\r\n"), 400},
    {"two hosts", BYTES("GET / HTTP/1.1\r\n" HOST "host: b\r\n\r\n"), 400},
    {"two hosts in HTTP/1.0", BYTES("GET / HTTP/1.0\r\n" HOST "host: b\r\n\r\n"), 400},
    {"a host with a space", BYTES("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), 400},
    {"a host with a path", BYTES("GET / HTTP/1.1\r\nHost: a/c\r\n\r\n"), 400},
    {"a host with a user", BYTES("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"), 400},
    {"a host with a list", BYTES("GET / HTTP/1.0\r\nHost: a, b\r\n\r\n"), 400},
    {"a host with half an escape", BYTES("GET / HTTP/1.1\r\nHost: a%4\r\n\r\n"), 400},
    {"a host beyond ASCII", BYTES("GET / HTTP/1.1\r\nHost: \xc3\xa4\r\n\r\n"), 400},
    {"a port that is none", BYTES("GET / HTTP/1.1\r\nHost: a:b\r\n\r\n"), 400},
    {"a port without a host", BYTES("GET / HTTP/1.1\r\nHost: :80\r\n\r\n"), 400},
    {"a bracket that is not closed", BYTES("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"), 400},
    {"something behind the bracket", BYTES("GET / HTTP/1.1\r\nHost: [::1]a\r\n\r\n"),
        400},
    {"the absolute form with a user", BYTES("GET http://u@a/ HTTP/1.1\r\n" HOST "\r\n"),
        400},
    {"the absolute form without a host", BYTES("GET http:///a HTTP/1.1\r\n" HOST "\r\n"),
        400},
    {"the absolute form of a query alone",
        BYTES("GET http://?a HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"the absolute form with a fragment",
        BYTES("GET http://a#b HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"a space in the target", BYTES("GET /a b HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"two spaces before the target", BYTES("GET  / HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"a space behind the version", BYTES("GET / HTTP/1.1 \r\n" HOST "\r\n"), 400},
    {"a tab in the target", BYTES("GET /a\tb HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"a control character in the target", BYTES("GET /\x1f HTTP/1.1\r\n" HOST "\r\n"),
        400},
    {"a target that is no path", BYTES("GET a HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"a star for another method", BYTES("GET * HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"an authority", BYTES("CONNECT a:80 HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"a method that is no token", BYTES("G(T / HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"no method", BYTES(" / HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"no version", BYTES("GET /\r\n" HOST "\r\n"), 400},
    {"a version that is none", BYTES("GET / HTTP/1.x\r\n" HOST "\r\n"), 400},
    {"a version in small letters", BYTES("GET / http/1.1\r\n" HOST "\r\n"), 400},
    {"HTTP/2 in clear", BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 400},
    {"HTTP/2 as a version", BYTES("GET / HTTP/2.0\r\n" HOST "\r\n"), 505},
    {"an expectation that is not known",
        BYTES("POST / HTTP/1.1\r\n" HOST "Expect: cake\r\nContent-Length: 1\r\n\r\nx"),
        417},
};

static const struct row accepted[] = {
    {"a plain request", BYTES("GET / HTTP/1.1\r\n" HOST "\r\n"), 200},
    {"HTTP/1.0 without a host", BYTES("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
        200},
    {"empty lines before it", BYTES("\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n"), 200},
    {"a method nobody has heard of", BYTES("FROB-1 / HTTP/1.1\r\n" HOST "\r\n"), 200},
    {"PROPFIND", BYTES("PROPFIND / HTTP/1.1\r\n" HOST "\r\n"), 200},
    {"REPORT", BYTES("REPORT / HTTP/1.1\r\n" HOST "\r\n"), 200},
    {"PATCH", BYTES("PATCH / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n"), 200},
    {"an empty value", BYTES("GET / HTTP/1.1\r\n" HOST "X-A:\r\n\r\n"), 200},
    {"white space round a value", BYTES("GET / HTTP/1.1\r\n" HOST "X-A: \t b \t\r\n\r\n"),
        200},
    {"white space round a length",
        BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: \t5 \r\n\r\nhello"), 200},
    {"a value beyond ASCII", BYTES("GET / HTTP/1.1\r\n" HOST "X-A: \xc3\xa4\r\n\r\n"),
        200},
    {"the absolute form", BYTES("GET http://a/b?c HTTP/1.1\r\n" HOST "\r\n"), 200},
    {"the absolute form of the root", BYTES("GET http://a HTTP/1.1\r\n" HOST "\r\n"),
        200},
    {"the absolute form with a query and no path",
        BYTES("GET http://a?x=1 HTTP/1.1\r\n" HOST "\r\n"), 200},
    {"a host with a port", BYTES("GET / HTTP/1.1\r\nHost: a-1.b_c.D:8080\r\n\r\n"), 200},
    {"an IPv6 address as host", BYTES("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"), 200},
    {"an escape in a host", BYTES("GET / HTTP/1.1\r\nHost: a%41\r\n\r\n"), 200},
    {"an empty host", BYTES("GET / HTTP/1.1\r\nHost:\r\n\r\n"), 200},
    {"the star of OPTIONS", BYTES("OPTIONS * HTTP/1.1\r\n" HOST "\r\n"), 200},
    {"chunks, an extension, a trailer",
        BYTES("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n"
              "5;a=\"b\"\r\nhello\r\n0\r\nX-T: 1\r\n\r\n"),
        200},
    {"chunk sizes with zeros in front",
        BYTES("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
              "0005\r\nhello\r\n000\r\n\r\n"),
        200},
};

static const struct row bad_chunks[] = {
    {"a size that is none", BYTES("zz\r\n\r\n"), 400},
    {"a size with letters behind", BYTES("5zz\r\nhello\r\n0\r\n\r\n"), 400},
    {"no size", BYTES("\r\nhello\r\n0\r\n\r\n"), 400},
    {"a size with a sign", BYTES("+5\r\nhello\r\n0\r\n\r\n"), 400},
    {"a negative size", BYTES("-1\r\n\r\n"), 400},
    {"a size with 0x", BYTES("0x5\r\nhello\r\n0\r\n\r\n"), 400},
    {"a size beyond 64 bits", BYTES("fffffffffffffffff\r\nhello"), 400},
    {"a space behind the size", BYTES("5 \r\nhello\r\n0\r\n\r\n"), 400},
    {"a size line that ends in LF alone", BYTES("5\nhello\r\n0\r\n\r\n"), 400},
    {"a chunk without its line end", BYTES("5\r\nhelloX0\r\n\r\n"), 400},
    {"a chunk that ends in LF alone", BYTES("5\r\nhello\n0\r\n\r\n"), 400},
    {"a control character in an extension", BYTES("5;\x01\r\nhello\r\n0\r\n\r\n"), 400},
    {"a trailer with a NUL", BYTES("0\r\nX: \0\r\n\r\n"), 400},
    {"a folded trailer", BYTES("0\r\nX: 1\r\n y\r\n\r\n"), 400},
};

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

/* ---- the parser ---- */

static int parse(const char *bytes, size_t len)
{
    size_t skip = 0, head;
    struct http_head out;
    char *text;
    int status;

    while (len - skip >= 2 && memcmp(bytes + skip, "\r\n", 2) == 0)
        skip += 2;
    head = http_head_length(bytes + skip, len - skip, 0);
    assert_true(head > 0);
    text = malloc(head + 1); /* exact, so that a sanitizer sees a byte too many */
    memcpy(text, bytes + skip, head);
    text[head] = '\0';
    status = http_head_parse(text, head, &out);
    free(text);
    return status;
}

TEST(ambiguous_heads_are_refused_by_the_parser)
{
    for (size_t i = 0; i < ROWS(refused); i++) {
        int status = parse(refused[i].bytes, refused[i].len);

        if (status == 0)
            fail_msg("accepted: %s", refused[i].what);
    }
    for (size_t i = 0; i < ROWS(accepted); i++) {
        int status = parse(accepted[i].bytes, accepted[i].len);

        if (status != 0)
            fail_msg("%d for: %s", status, accepted[i].what);
    }
}

TEST(the_absolute_form_becomes_the_origin_form)
{
    static const struct {
        const char *absolute, *origin;
    } rows[] = {
        {"http://h/a?b", "/a?b"},
        {"HTTPS://h:80/", "/"},
        {"http://h", "/"},
        {"http://host:80", "/"},
        {"http://h?x=1", "/?x=1"},
        {"http://[::1]:8?x=/&y=?", "/?x=/&y=?"},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct http_head head;
        char text[128];

        snprintf(text, sizeof text, "GET %s HTTP/1.1\r\n" HOST "\r\n", rows[i].absolute);
        assert_int_equal(http_head_parse(text, strlen(text), &head), 0);
        assert_string_equal(head.target, rows[i].origin);
    }
}

TEST(the_end_of_a_head_is_found_wherever_the_pieces_end)
{
    const char text[] = "GET / HTTP/1.1\r\n" HOST "\r\nbody";
    size_t whole = strlen(text) - 4;

    for (size_t known = 0; known < whole; known++) {
        assert_int_equal(http_head_length(text, known, 0), 0);
        assert_int_equal(http_head_length(text, strlen(text), known), whole);
    }
}

TEST(a_head_with_more_fields_than_allowed_is_431)
{
    struct buf text;

    buf_init(&text, 0);
    buf_puts(&text, "GET / HTTP/1.1\r\n" HOST);
    for (int i = 1; i < HTTP_MAX_FIELDS; i++)
        buf_puts(&text, "a: b\r\n");
    buf_puts(&text, "\r\n");
    assert_int_equal(parse(text.data, text.len), 0);
    text.len -= 2;
    buf_puts(&text, "a: b\r\n\r\n");
    assert_int_equal(parse(text.data, text.len), 431);
    buf_finish(&text);
}

/* Undoes chunks from pieces of `step` bytes; -1 when refused, -2 when not ended. */
static int undo_chunks(const char *bytes, size_t len, size_t step, struct buf *out)
{
    struct http_chunks chunks = {0};
    size_t at = 0, end = 0;

    while (at < len) {
        const char *piece;
        size_t used, piece_len;
        int result;

        end = end < len - step ? end + step : len;
        do {
            result = http_chunks_read(
                &chunks, bytes + at, end - at, &used, &piece, &piece_len);
            if (result < 0)
                return -1;
            if (piece_len > 0)
                buf_append(out, piece, piece_len);
            at += used;
            if (result > 0)
                return (int)at;
        } while (at < end && used > 0);
    }
    return -2;
}

TEST(chunks_are_undone_the_same_in_pieces_of_any_size)
{
    static const char text[] =
        "1;x\r\na\r\n00a;y=\"z\"\r\nbcdefghijk\r\n0\r\nT: 1\r\nU: 2\r\n\r\nnext";
    const int whole = (int)sizeof text - 1 - 4;

    for (size_t step = 1; step < sizeof text; step++) {
        struct buf out;

        buf_init(&out, 0);
        assert_int_equal(undo_chunks(text, sizeof text - 1, step, &out), whole);
        assert_string_equal(out.data, "abcdefghijk");
        buf_finish(&out);
    }
}

TEST(malformed_chunks_are_refused_in_pieces_of_any_size)
{
    for (size_t i = 0; i < ROWS(bad_chunks); i++) {
        for (size_t step = 1; step <= bad_chunks[i].len; step++) {
            struct buf out;

            buf_init(&out, 0);
            if (undo_chunks(bad_chunks[i].bytes, bad_chunks[i].len, step, &out) != -1)
                fail_msg("accepted: %s (in pieces of %zu)", bad_chunks[i].what, step);
            buf_finish(&out);
        }
    }
}

/* ---- the same through a socket ---- */

static atomic_int behind_served;

static void answer_body(
    void *arg, struct http_req *req, enum http_body_result result, struct buf *body)
{
    (void)arg;
    (void)body;
    http_respond(req, result == HTTP_BODY_OK ? 200 : 413, NULL, NULL, 0, false);
}

static void on_request(void *arg, struct http_req *req)
{
    (void)arg;
    if (str_eq(http_path(req), "/behind"))
        behind_served++;
    http_read_body(req, 1 << 20, answer_body, NULL);
}

static struct world world;

static int start(void **state)
{
    const struct http_server_config config = {.on_request = on_request};

    (void)state;
    world_start(&world, &config);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    world_stop(&world);
    return 0;
}

/* Sends the bytes and a request behind them in one go, and reads to the end. */
static void expect_refusal(const char *what, const char *bytes, size_t len, int status)
{
    struct buf all, got;
    int fd = dial(world.port);
    char start_of[32];

    buf_init(&all, 0);
    buf_init(&got, 0);
    buf_append(&all, bytes, len);
    buf_puts(&all, BEHIND);
    say_bytes(fd, all.data, all.len);
    if (!hear_all(fd, &got))
        fail_msg("not closed: %s", what);
    snprintf(start_of, sizeof start_of, "HTTP/1.1 %d ", status);
    if (got.len == 0 || strncmp(got.data, start_of, strlen(start_of)) != 0)
        fail_msg(
            "%s: not %d but %.40s", what, status, got.len > 0 ? got.data : "nothing");
    if (strstr(got.data, "Connection: close\r\n") == NULL)
        fail_msg("%s: the close is not announced", what);
    if (strstr(got.data + 8, "HTTP/1.1 ") != NULL)
        fail_msg("%s: answered twice", what);
    close(fd);
    buf_finish(&all);
    buf_finish(&got);
}

TEST(ambiguous_requests_are_answered_once_and_the_connection_is_closed)
{
    behind_served = 0;
    for (size_t i = 0; i < ROWS(refused); i++)
        expect_refusal(
            refused[i].what, refused[i].bytes, refused[i].len, refused[i].status);
    assert_int_equal(behind_served, 0);
}

TEST(malformed_chunks_are_answered_once_and_the_connection_is_closed)
{
    behind_served = 0;
    for (size_t i = 0; i < ROWS(bad_chunks); i++) {
        struct buf bytes;

        buf_init(&bytes, 0);
        buf_puts(&bytes, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
        buf_append(&bytes, bad_chunks[i].bytes, bad_chunks[i].len);
        expect_refusal(bad_chunks[i].what, bytes.data, bytes.len, bad_chunks[i].status);
        buf_finish(&bytes);
    }
    assert_int_equal(behind_served, 0);
}

TEST(unambiguous_requests_are_served_and_so_is_what_follows)
{
    for (size_t i = 0; i < ROWS(accepted); i++) {
        struct reply first, second;
        int fd = dial(world.port);

        say_bytes(fd, accepted[i].bytes, accepted[i].len);
        say(fd, BEHIND);
        if (!hear(fd, &first, false) || first.status != 200)
            fail_msg("not served: %s", accepted[i].what);
        if (!hear(fd, &second, false) || second.status != 200)
            fail_msg("what follows is not served: %s", accepted[i].what);
        reply_finish(&first);
        reply_finish(&second);
        close(fd);
    }
}

TEST(every_request_of_the_tables_is_judged_the_same_byte_by_byte)
{
    for (size_t i = 0; i < ROWS(refused) + ROWS(accepted); i++) {
        const struct row *row =
            i < ROWS(refused) ? &refused[i] : &accepted[i - ROWS(refused)];
        struct reply reply;
        int fd = dial(world.port);

        for (size_t at = 0; at < row->len; at++)
            say_bytes(fd, row->bytes + at, 1);
        if (!hear(fd, &reply, false) || reply.status != row->status)
            fail_msg("%s: %d, not %d", row->what, reply.status, row->status);
        reply_finish(&reply);
        close(fd);
    }
}

TEST(a_head_over_the_limit_is_431_whether_it_ends_or_not)
{
    for (int ends = 0; ends < 2; ends++) {
        struct reply reply;
        struct buf head;
        int fd = dial(world.port);

        buf_init(&head, 0);
        buf_puts(&head, "GET / HTTP/1.1\r\n" HOST "X-A: ");
        while (head.len < (size_t)40 * 1024)
            buf_puts(&head, "0123456789abcdef");
        if (ends)
            buf_puts(&head, "\r\n\r\n");
        say_bytes(fd, head.data, head.len);
        assert_true(hear(fd, &reply, false));
        assert_int_equal(reply.status, 431);
        assert_string_equal(reply_field(&reply, "connection"), "close");
        assert_true(is_closed(fd));
        reply_finish(&reply);
        buf_finish(&head);
        close(fd);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ambiguous_heads_are_refused_by_the_parser),
        cmocka_unit_test(the_absolute_form_becomes_the_origin_form),
        cmocka_unit_test(the_end_of_a_head_is_found_wherever_the_pieces_end),
        cmocka_unit_test(a_head_with_more_fields_than_allowed_is_431),
        cmocka_unit_test(chunks_are_undone_the_same_in_pieces_of_any_size),
        cmocka_unit_test(malformed_chunks_are_refused_in_pieces_of_any_size),
        cmocka_unit_test(
            ambiguous_requests_are_answered_once_and_the_connection_is_closed),
        cmocka_unit_test(malformed_chunks_are_answered_once_and_the_connection_is_closed),
        cmocka_unit_test(unambiguous_requests_are_served_and_so_is_what_follows),
        cmocka_unit_test(every_request_of_the_tables_is_judged_the_same_byte_by_byte),
        cmocka_unit_test(a_head_over_the_limit_is_431_whether_it_ends_or_not),
    };

    return cmocka_run_group_tests_name(__FILE__, tests, start, stop);
}
