/* SPDX-License-Identifier: Apache-2.0 */
/* Streams both ways: in constant memory at a slow reader or taker, with ends that can be
 * told from failures, and with clients that leave in the middle. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "world.h"

#define HOST "Host: a\r\n"

enum {
    PIECE = 10000,
    HIGH_WATER = 200000,
    LOW_WATER = 50000,
    LARGE = 64 << 20,
};

static struct world world;

/* The stream that a handler serves; one at a time. Touched on the reactor's thread. */
static struct stream {
    struct http_req *req;
    bool down;
    size_t left; /* to be written */
    size_t written;
    size_t most_waiting;
    bool paused; /* by the client, who does not read */
    int drains, gones;
    /* upload */
    size_t taken, take_at_once;
    unsigned sum;
    bool holding; /* by us: we take nothing for now */
    int ends;
    enum http_body_result result;
} stream;

static char pattern(size_t at)
{
    return (char)(at * 31 + at / 251);
}

static bool source(void *arg)
{
    char piece[PIECE];

    (void)arg;
    if (!stream.down || stream.req == NULL || stream.paused)
        return false;
    if (stream.left == 0) {
        struct http_req *req = stream.req;

        stream.req = NULL;
        http_finish(req);
        return true;
    }
    for (int i = 0; i < 8 && stream.left > 0 && !stream.paused; i++) {
        size_t n = stream.left < PIECE ? stream.left : PIECE, waiting;

        for (size_t k = 0; k < n; k++)
            piece[k] = pattern(stream.written + k);
        waiting = http_write(stream.req, piece, n);
        stream.written += n;
        stream.left -= n;
        if (waiting > stream.most_waiting)
            stream.most_waiting = waiting;
        stream.paused = waiting > HIGH_WATER;
    }
    return true;
}

static void on_drain(void *arg)
{
    (void)arg;
    stream.drains++;
    stream.paused = false;
}

static void on_gone(void *arg)
{
    struct http_req *req = stream.req;

    (void)arg;
    stream.gones++;
    stream.req = NULL;
    http_abort(req);
}

static size_t on_piece(void *arg, const char *bytes, size_t len)
{
    (void)arg;
    if (stream.holding)
        return 0;
    if (stream.take_at_once > 0 && len > stream.take_at_once) {
        len = stream.take_at_once;
        stream.holding = true;
    }
    for (size_t i = 0; i < len; i++)
        stream.sum +=
            (unsigned)(unsigned char)bytes[i] * (unsigned)(1 + (stream.taken + i) % 13);
    stream.taken += len;
    return len;
}

static void on_end(void *arg, enum http_body_result result)
{
    struct http_req *req = stream.req;
    char *text;

    (void)arg;
    stream.ends++;
    stream.result = result;
    stream.req = NULL;
    text = str_printf("%zu %u", stream.taken, stream.sum);
    http_respond(req, 200, NULL, text, strlen(text), true);
}

static void release(void *arg)
{
    (void)arg;
    stream.holding = false;
    if (stream.req != NULL)
        http_resume_body(stream.req);
}

static void on_request(void *arg, struct http_req *req)
{
    const char *path = http_path(req);
    int64_t number = 0;

    (void)arg;
    stream = (struct stream){.req = req};
    if (strrchr(path, '/') != path)
        (void)str_to_i64(strrchr(path, '/') + 1, &number);
    if (str_starts(path, "/down/")) { /* length unknown */
        http_on_gone(req, on_gone, NULL);
        http_on_drain(req, LOW_WATER, on_drain, NULL);
        stream.left = (size_t)number;
        stream.down = true;
        http_start(req, 200, NULL, -1);
    } else if (str_starts(path, "/sized/")) {
        http_on_gone(req, on_gone, NULL);
        http_on_drain(req, LOW_WATER, on_drain, NULL);
        stream.left = (size_t)number;
        stream.down = true;
        http_start(req, 200, NULL, number);
    } else if (str_eq(path, "/short")) {
        stream.req = NULL;
        http_start(req, 200, NULL, 10);
        (void)http_write(req, "12345", 5);
        http_finish(req);
    } else if (str_eq(path, "/long")) {
        stream.req = NULL;
        http_start(req, 200, NULL, 5);
        (void)http_write(req, "1234567890", 10);
        http_finish(req);
    } else if (str_eq(path, "/abort")) {
        stream.req = NULL;
        http_start(req, 200, NULL, -1);
        (void)http_write(req, "12345", 5);
        http_abort(req);
    } else if (str_eq(path, "/held")) {
        stream.holding = true;
        http_stream_body(req, on_piece, on_end, NULL);
    } else if (str_starts(path, "/up/")) {
        stream.take_at_once = (size_t)number;
        http_stream_body(req, on_piece, on_end, NULL);
    } else {
        stream.req = NULL;
        http_respond(req, 200, NULL, NULL, 0, false);
    }
}

static void add_source(void *arg)
{
    (void)arg;
    reactor_hook_add(world.reactor, source, NULL);
}

/* Lets a held taker go again and again: each time it takes `take_at_once` bytes. */
static bool release_now(void *arg)
{
    (void)arg;
    if (!stream.holding || stream.take_at_once == 0 || stream.req == NULL)
        return false;
    release(NULL);
    return true;
}

static void add_release(void *arg)
{
    (void)arg;
    reactor_hook_add(world.reactor, release_now, NULL);
}

static int start(void **state)
{
    const struct http_server_config config = {.on_request = on_request};

    (void)state;
    world_start(&world, &config);
    world_call(&world, add_source, NULL);
    world_call(&world, add_release, NULL);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    world_stop(&world);
    return 0;
}

static void expect_pattern(const struct buf *body, size_t len)
{
    assert_int_equal(body->len, len);
    for (size_t i = 0; i < len; i++)
        if (body->data[i] != pattern(i))
            fail_msg("byte %zu is wrong", i);
}

static struct reply get(int fd, const char *path, const char *version)
{
    struct reply reply;
    char request[128];

    snprintf(request, sizeof request, "GET %s HTTP/%s\r\n" HOST "\r\n", path, version);
    say(fd, request);
    assert_true(hear(fd, &reply, false));
    return reply;
}

static void expect_still_open(int fd)
{
    struct reply reply = get(fd, "/", "1.1");

    assert_int_equal(reply.status, 200);
    reply_finish(&reply);
}

/* ---- down ---- */

TEST(streams_of_any_size_arrive_whole_and_keep_the_connection)
{
    static const size_t sizes[] = {0, 1, PIECE - 1, PIECE, 65536, 1000000, 5000000};
    int fd = dial(world.port);

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (int sized = 0; sized < 2; sized++) {
            struct reply reply;
            char path[64];

            snprintf(path, sizeof path, "/%s/%zu", sized ? "sized" : "down", sizes[i]);
            reply = get(fd, path, "1.1");
            assert_true(reply.whole);
            expect_pattern(&reply.body, sizes[i]);
            assert_int_equal(reply_field(&reply, "content-length") != NULL, sized);
            reply_finish(&reply);
        }
    }
    close(fd);
}

TEST(an_old_client_gets_a_stream_that_ends_with_the_connection)
{
    int fd = dial(world.port);
    struct reply reply = get(fd, "/down/1000000", "1.0");

    assert_null(reply_field(&reply, "transfer-encoding"));
    assert_string_equal(reply_field(&reply, "connection"), "close");
    assert_true(reply.whole);
    expect_pattern(&reply.body, 1000000);
    reply_finish(&reply);
    close(fd);
}

/* The reactor's view of the stream, for the test's thread. */
static void copy_stream(void *arg)
{
    *(struct stream *)arg = stream;
}

static struct stream stream_now(void)
{
    struct stream copy;

    world_call(&world, copy_stream, &copy);
    return copy;
}

static void forget_stream(void *arg)
{
    (void)arg;
    stream = (struct stream){0};
}

static bool is_paused(void *arg)
{
    (void)arg;
    return stream.paused;
}

TEST(a_reader_that_stops_stops_the_source_and_what_waits_is_bounded)
{
    struct reply reply;
    char request[64];
    int fd = dial(world.port);

    snprintf(request, sizeof request, "GET /down/%d HTTP/1.1\r\n" HOST "\r\n", LARGE);
    say(fd, request);
    assert_true(world_becomes(&world, is_paused, NULL));
    assert_true(hear(fd, &reply, false));
    assert_true(reply.whole);
    expect_pattern(&reply.body, LARGE);
    assert_true(stream_now().drains > 0);
    /* Chunks' frames come on top of the pieces. */
    assert_true(stream_now().most_waiting <= HIGH_WATER + PIECE + 4096);
    reply_finish(&reply);
    expect_still_open(fd);
    close(fd);
}

TEST(head_gets_the_head_of_a_stream_and_nothing_more)
{
    int fd = dial(world.port);

    for (int sized = 0; sized < 2; sized++) {
        struct reply reply;

        say(fd, sized ? "HEAD /sized/100000 HTTP/1.1\r\n" HOST "\r\n"
                      : "HEAD /down/100000 HTTP/1.1\r\n" HOST "\r\n");
        assert_true(hear(fd, &reply, true));
        assert_int_equal(reply.status, 200);
        if (sized)
            assert_string_equal(reply_field(&reply, "content-length"), "100000");
        reply_finish(&reply);
        expect_still_open(fd);
    }
    close(fd);
}

TEST(a_stream_that_ends_too_early_is_seen_to_have_failed)
{
    static const char *const paths[] = {"/short", "/abort"};

    for (size_t i = 0; i < 2; i++) {
        struct reply reply = {0};
        char request[64];
        int fd = dial(world.port);

        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n" HOST "\r\n", paths[i]);
        say(fd, request);
        if (hear(fd, &reply, false)) /* the head may have been sent or not */
            assert_false(reply.whole);
        reply_finish(&reply);
        close(fd);
    }
}

TEST(more_bytes_than_announced_are_not_sent)
{
    int fd = dial(world.port);
    struct reply reply = get(fd, "/long", "1.1");

    assert_string_equal(reply.body.data, "12345");
    reply_finish(&reply);
    expect_still_open(fd);
    close(fd);
}

static bool was_left(void *arg)
{
    (void)arg;
    return stream.gones == 1 && stream.req == NULL;
}

TEST(a_reader_that_leaves_in_the_middle_is_noticed)
{
    for (int sized = 0; sized < 2; sized++) {
        char request[64], some[1000];
        int fd = dial(world.port);

        snprintf(request, sizeof request, "GET /%s/%d HTTP/1.1\r\n" HOST "\r\n",
            sized ? "sized" : "down", LARGE);
        say(fd, request);
        assert_true(recv(fd, some, sizeof some, 0) > 0);
        close(fd);
        assert_true(world_becomes(&world, was_left, NULL));
    }
}

/* ---- up ---- */

static unsigned sum_of(const char *bytes, size_t len)
{
    unsigned sum = 0;

    for (size_t i = 0; i < len; i++)
        sum += (unsigned)(unsigned char)bytes[i] * (unsigned)(1 + i % 13);
    return sum;
}

TEST(uploads_arrive_whole_in_whatever_pieces_they_are_taken)
{
    static const size_t at_once[] = {0, 1, 1000, 65536};
    enum {
        SIZE = 30000
    };
    char *body = malloc(SIZE), expected[64];

    for (size_t i = 0; i < SIZE; i++)
        body[i] = pattern(i);
    snprintf(expected, sizeof expected, "%d %u", SIZE, sum_of(body, SIZE));
    for (size_t i = 0; i < sizeof at_once / sizeof at_once[0]; i++) {
        for (int chunked = 0; chunked < 2; chunked++) {
            struct reply reply;
            struct buf all;
            int fd = dial(world.port);

            buf_init(&all, 0);
            buf_printf(&all, "POST /up/%zu HTTP/1.1\r\n" HOST, at_once[i]);
            if (chunked) {
                buf_puts(&all, "Transfer-Encoding: chunked\r\n\r\n");
                for (size_t at = 0, n; at < SIZE; at += n) {
                    n = 1 + at % 777 < SIZE - at ? 1 + at % 777 : SIZE - at;
                    buf_printf(&all, "%zx\r\n", n);
                    buf_append(&all, body + at, n);
                    buf_puts(&all, "\r\n");
                }
                buf_puts(&all, "0\r\n\r\n");
            } else {
                buf_printf(&all, "Content-Length: %d\r\n\r\n", SIZE);
                buf_append(&all, body, SIZE);
            }
            say_bytes(fd, all.data, all.len);
            assert_true(hear(fd, &reply, false));
            assert_string_equal(reply.body.data, expected);
            assert_int_equal(stream_now().ends, 1);
            assert_int_equal(stream_now().result, HTTP_BODY_OK);
            reply_finish(&reply);
            expect_still_open(fd);
            buf_finish(&all);
            close(fd);
        }
    }
    free(body);
}

/* Sends until the socket takes no more for a while; returns how much it took. */
static size_t push(int fd, size_t most)
{
    static char block[65536];
    size_t sent = 0;

    while (sent < most) {
        struct pollfd wait = {.fd = fd, .events = POLLOUT};
        size_t n = most - sent < sizeof block ? most - sent : sizeof block;
        ssize_t rc;

        if (poll(&wait, 1, 300) != 1)
            break;
        rc = send(fd, block, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (rc > 0)
            sent += (size_t)rc;
        else if (errno != EAGAIN)
            break;
    }
    return sent;
}

TEST(a_taker_that_holds_holds_the_client)
{
    struct reply reply;
    char head[128];
    size_t sent;
    int fd = dial(world.port);

    snprintf(head, sizeof head,
        "POST /held HTTP/1.1\r\n" HOST "Content-Length: %d\r\n\r\n", LARGE);
    say(fd, head);
    sent = push(fd, LARGE);
    assert_true(sent < LARGE / 2); /* the rest of the way is socket buffers */
    assert_int_equal(stream_now().taken, 0);
    world_call(&world, release, NULL);
    while (sent < LARGE) {
        size_t more = push(fd, LARGE - sent);

        assert_true(more > 0);
        sent += more;
    }
    assert_true(hear(fd, &reply, false));
    assert_true(str_starts(reply.body.data, "67108864 "));
    reply_finish(&reply);
    close(fd);
}

static bool has_ended(void *arg)
{
    (void)arg;
    return stream.ends == 1;
}

TEST(a_sender_that_leaves_in_the_middle_ends_the_body_as_gone)
{
    static const char *const requests[] = {
        "POST /up/0 HTTP/1.1\r\n" HOST "Content-Length: 100\r\n\r\nabc",
        "POST /up/0 HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n5\r\nabc",
    };

    for (size_t i = 0; i < 2; i++) {
        int fd;

        world_call(&world, forget_stream, NULL);
        fd = dial(world.port);
        say(fd, requests[i]);
        close(fd);
        assert_true(world_becomes(&world, has_ended, NULL));
        assert_int_equal(stream_now().result, HTTP_BODY_GONE);
        assert_int_equal(stream_now().taken, 3);
    }
}

TEST(a_sender_that_leaves_while_it_is_held_is_noticed)
{
    int fd;

    world_call(&world, forget_stream, NULL);
    fd = dial(world.port);
    say(fd, "POST /held HTTP/1.1\r\n" HOST "Content-Length: 100\r\n\r\nabc");
    close(fd);
    assert_true(world_becomes(&world, has_ended, NULL));
    assert_int_equal(stream_now().result, HTTP_BODY_GONE);
    assert_int_equal(stream_now().taken, 0);
}

static bool is_held(void *arg)
{
    (void)arg;
    return stream.holding;
}

TEST(a_sender_that_has_sent_all_may_close_its_side)
{
    struct reply reply;
    int fd;

    world_call(&world, forget_stream, NULL);
    fd = dial(world.port);
    say(fd, "POST /held HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc");
    shutdown(fd, SHUT_WR);
    assert_true(world_becomes(&world, is_held, NULL));
    world_call(&world, release, NULL);
    assert_true(hear(fd, &reply, false));
    assert_int_equal(reply.status, 200);
    assert_true(str_starts(reply.body.data, "3 "));
    reply_finish(&reply);
    close(fd);
}

TEST(a_body_that_turns_out_malformed_ends_as_gone_and_is_answered_400)
{
    struct reply reply;
    int fd = dial(world.port);

    world_call(&world, forget_stream, NULL);
    say(fd, "POST /up/0 HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
            "3\r\nabc\r\nzz\r\n");
    assert_true(hear(fd, &reply, false));
    assert_int_equal(reply.status, 400);
    assert_true(world_becomes(&world, has_ended, NULL));
    assert_int_equal(stream_now().result, HTTP_BODY_GONE);
    assert_true(is_closed(fd));
    reply_finish(&reply);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_of_any_size_arrive_whole_and_keep_the_connection),
        cmocka_unit_test(an_old_client_gets_a_stream_that_ends_with_the_connection),
        cmocka_unit_test(a_reader_that_stops_stops_the_source_and_what_waits_is_bounded),
        cmocka_unit_test(head_gets_the_head_of_a_stream_and_nothing_more),
        cmocka_unit_test(a_stream_that_ends_too_early_is_seen_to_have_failed),
        cmocka_unit_test(more_bytes_than_announced_are_not_sent),
        cmocka_unit_test(a_reader_that_leaves_in_the_middle_is_noticed),
        cmocka_unit_test(uploads_arrive_whole_in_whatever_pieces_they_are_taken),
        cmocka_unit_test(a_taker_that_holds_holds_the_client),
        cmocka_unit_test(a_sender_that_leaves_in_the_middle_ends_the_body_as_gone),
        cmocka_unit_test(a_sender_that_leaves_while_it_is_held_is_noticed),
        cmocka_unit_test(a_sender_that_has_sent_all_may_close_its_side),
        cmocka_unit_test(
            a_body_that_turns_out_malformed_ends_as_gone_and_is_answered_400),
    };

    return cmocka_run_group_tests_name(__FILE__, tests, start, stop);
}
