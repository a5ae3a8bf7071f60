/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and whole answers: what handlers see, what clients get, who waits for whom,
 * and what the limits do. */
#include "test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/pool.h"
#include "base/str.h"
#include "net/http_server_int.h"
#include "world.h"

#define HOST "Host: a\r\n"

static struct world world;
static struct pool *workers;
static atomic_int freed_users, gone_count;

/* ---- handlers ---- */

static void put_header(void *arg, const char *name, const char *value)
{
    buf_printf(arg, "[%s=%s]", name, value);
}

static void free_user(void *user)
{
    freed_users++;
    free(user);
}

/* Tells the request as the handler sees it. */
static void tell(struct http_req *req)
{
    struct buf text;
    size_t len;
    char *body;

    buf_init(&text, 0);
    buf_printf(&text, "%s %s path=%s query=%s length=%lld body=%d peer=%s host=%s ",
        http_method(req), http_target(req), http_path(req), http_query(req),
        (long long)http_body_length(req), http_has_body(req), http_peer(req),
        http_header(req, "hOsT") != NULL ? http_header(req, "hOsT") : "-");
    http_each_header(req, put_header, &text);
    body = buf_take(&text, &len);
    http_respond(req, 200, NULL, body, len, true);
}

static void echo_body(
    void *arg, struct http_req *req, enum http_body_result result, struct buf *body)
{
    size_t len;
    char *text;

    (void)arg;
    if (result == HTTP_BODY_OK) {
        text = buf_take(body, &len);
        http_respond(req, 200, NULL, text, len, true);
    } else {
        http_respond(req,
            result == HTTP_BODY_TOO_LARGE ? 413
            : result == HTTP_BODY_NO_ROOM ? 503
                                          : 500,
            NULL, NULL, 0, false);
    }
}

static void answer_by_worker(void *arg)
{
    struct http_req *req = arg;
    struct http_headers headers = {0};
    char *text = str_printf("%s %s", http_path(req), http_header(req, "x-n"));

    http_headers_add(&headers, "X-From", "worker");
    http_respond(req, 200, &headers, text, strlen(text), true);
    http_headers_finish(&headers);
}

static void to_worker(
    void *arg, struct http_req *req, enum http_body_result result, struct buf *body)
{
    (void)arg;
    (void)result;
    (void)body;
    (void)pool_submit(workers, answer_by_worker, req);
}

static void on_gone(void *arg)
{
    struct http_req *req = arg;

    gone_count++;
    http_respond(req, 200, NULL, NULL, 0, false);
}

static void on_request(void *arg, struct http_req *req)
{
    const char *path = http_path(req);
    int64_t number;

    (void)arg;
    if (str_eq(path, "/tell")) {
        tell(req);
    } else if (str_eq(path, "/echo")) {
        http_read_body(req, 1 << 20, echo_body, NULL);
    } else if (str_eq(path, "/worker")) {
        http_read_body(req, 1 << 20, to_worker, NULL);
    } else if (str_eq(path, "/user")) {
        http_set_user(req, str_dup("x"), free_user);
        http_respond(req, 200, NULL, NULL, 0, false);
    } else if (str_eq(path, "/never")) {
        http_on_gone(req, on_gone, req);
    } else if (str_starts(path, "/bytes/") && str_to_i64(path + 7, &number)) {
        char *bytes = mem_alloc((size_t)number + 1);

        memset(bytes, 'b', (size_t)number);
        http_respond(req, 200, NULL, bytes, (size_t)number, true);
    } else if (str_starts(path, "/status/") && str_to_i64(path + 8, &number)) {
        http_respond(req, (int)number, NULL, str_dup("hello"), 5, true);
    } else if (str_eq(path, "/headers")) {
        struct http_headers headers = {0};

        http_headers_add(&headers, "X-A", "1");
        http_headers_add(&headers, "X-A", "2");
        http_headers_add(&headers, "X-Bad", "a\r\nX-Forged: 1");
        http_headers_add(&headers, "X-Request-Id", "mine");
        http_respond(req, 200, &headers, NULL, 0, false);
        http_headers_finish(&headers);
    } else {
        http_respond(req, 404, NULL, str_dup("no"), 2, true);
    }
}

static int start(void **state)
{
    const struct http_server_config config = {.on_request = on_request};

    (void)state;
    workers = pool_new("workers", 4);
    world_start(&world, &config);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    pool_stop(workers);
    world_stop(&world);
    pool_free(workers);
    return 0;
}

/* One exchange on an open connection. */
static struct reply talk(int fd, const char *request)
{
    struct reply reply;
    bool head = str_starts(request, "HEAD ");

    say(fd, request);
    assert_true(hear(fd, &reply, head));
    return reply;
}

static void expect_still_open(int fd)
{
    struct reply reply = talk(fd, "GET /status/200 HTTP/1.1\r\n" HOST "\r\n");

    assert_int_equal(reply.status, 200);
    reply_finish(&reply);
}

/* ---- tests ---- */

TEST(a_handler_sees_the_request_as_it_was_sent)
{
    int fd = dial(world.port);
    struct reply reply = talk(fd, "GET /tell?a=%2F&b=+#x HTTP/1.1\r\nHost: a:1\r\n"
                                  "X-One: 1\r\nx-one:  2 \r\n\r\n");

    assert_string_equal(reply.body.data,
        "GET /tell?a=%2F&b=+#x path=/tell query=a=%2F&b=+#x length=0 body=0 "
        "peer=127.0.0.1 host=a:1 [Host=a:1][X-One=1][x-one=2]");
    reply_finish(&reply);
    reply = talk(fd, "PUT /tell? HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc");
    assert_string_equal(reply.body.data, "PUT /tell? path=/tell query= length=3 body=1 "
                                         "peer=127.0.0.1 host=a [Host=a]"
                                         "[Content-Length=3]");
    reply_finish(&reply);
    reply = talk(
        fd, "PUT http://b/tell HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
    assert_non_null(
        strstr(reply.body.data, "PUT /tell path=/tell query= length=-1 body=1"));
    reply_finish(&reply);
    close(fd);
}

TEST(every_answer_has_a_date_a_length_and_the_caller_s_or_a_fresh_id)
{
    int fd = dial(world.port);
    struct reply reply =
        talk(fd, "GET /bytes/3 HTTP/1.1\r\n" HOST "X-Request-Id: abc-1\r\n\r\n");
    char first[64];

    assert_string_equal(reply_field(&reply, "x-request-id"), "abc-1");
    assert_string_equal(reply_field(&reply, "content-length"), "3");
    assert_int_equal(strlen(reply_field(&reply, "date")), 29);
    assert_null(reply_field(&reply, "connection"));
    reply_finish(&reply);
    for (int len = 36; len <= 129; len++) {
        char request[256], id[130];

        memset(id, 'a', sizeof id);
        id[8] = '-';
        id[len] = '\0';
        snprintf(request, sizeof request,
            "GET /bytes/3 HTTP/1.1\r\n" HOST "X-Request-Id: %s\r\n\r\n", id);
        reply = talk(fd, request);
        if (len <= 128)
            assert_string_equal(reply_field(&reply, "x-request-id"), id);
        else
            assert_string_not_equal(reply_field(&reply, "x-request-id"), id);
        reply_finish(&reply);
    }
    reply = talk(fd, "GET /bytes/3 HTTP/1.1\r\n" HOST "X-Request-Id: a b\r\n\r\n");
    str_copy(first, sizeof first, reply_field(&reply, "x-request-id"));
    assert_true(strlen(first) >= 16);
    reply_finish(&reply);
    reply = talk(fd, "GET /bytes/3 HTTP/1.1\r\n" HOST "\r\n");
    assert_string_not_equal(reply_field(&reply, "x-request-id"), first);
    reply_finish(&reply);
    close(fd);
}

TEST(fields_keep_their_repetitions_and_a_line_break_forges_nothing)
{
    int fd = dial(world.port);
    struct reply reply = talk(fd, "GET /headers HTTP/1.1\r\n" HOST "\r\n");

    assert_non_null(strstr(reply.head.data, "X-A: 1\nX-A: 2\n"));
    assert_null(reply_field(&reply, "x-forged"));
    assert_null(reply_field(&reply, "x-bad"));
    assert_string_equal(reply_field(&reply, "x-request-id"), "mine");
    reply_finish(&reply);
    close(fd);
}

TEST(answers_without_a_body_have_none_and_keep_the_connection)
{
    static const struct {
        const char *request;
        int status;
        const char *length;
    } rows[] = {
        {"HEAD /status/200 HTTP/1.1\r\n" HOST "\r\n", 200, "5"},
        {"HEAD /bytes/100000 HTTP/1.1\r\n" HOST "\r\n", 200, "100000"},
        {"GET /status/204 HTTP/1.1\r\n" HOST "\r\n", 204, NULL},
        {"GET /status/304 HTTP/1.1\r\n" HOST "\r\n", 304, NULL},
        {"GET /bytes/0 HTTP/1.1\r\n" HOST "\r\n", 200, "0"},
    };
    int fd = dial(world.port);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct reply reply = talk(fd, rows[i].request);
        const char *length = reply_field(&reply, "content-length");

        assert_int_equal(reply.status, rows[i].status);
        if (rows[i].length == NULL)
            assert_null(length);
        else
            assert_string_equal(length, rows[i].length);
        assert_null(reply_field(&reply, "transfer-encoding"));
        reply_finish(&reply);
    }
    expect_still_open(fd); /* a body after the heads would be read as an answer here */
    close(fd);
}

TEST(connections_are_kept_or_closed_as_versions_and_options_say)
{
    static const struct {
        const char *request;
        const char *option;
        bool kept;
    } rows[] = {
        {"GET /status/200 HTTP/1.1\r\n" HOST "\r\n", NULL, true},
        {"GET /status/200 HTTP/1.1\r\n" HOST "Connection: x, Close\r\n\r\n", "close",
            false},
        {"GET /status/200 HTTP/1.0\r\n\r\n", "close", false},
        {"GET /status/200 HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "keep-alive",
            true},
        {"GET /status/200 HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", "close",
            false},
        {"GET /status/200 HTTP/1.1\r\n" HOST "Connection: closed\r\n\r\n", NULL, true},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int fd = dial(world.port);
        struct reply reply = talk(fd, rows[i].request);
        const char *option = reply_field(&reply, "connection");

        if (rows[i].option == NULL)
            assert_null(option);
        else
            assert_string_equal(option, rows[i].option);
        if (rows[i].kept)
            expect_still_open(fd);
        else
            assert_true(is_closed(fd));
        reply_finish(&reply);
        close(fd);
    }
}

TEST(pipelined_requests_are_answered_in_their_order)
{
    enum {
        COUNT = 500
    };
    struct buf all;
    int fd = dial(world.port);

    buf_init(&all, 0);
    for (int i = 0; i < COUNT; i++) {
        /* Some are answered at once, some by a thread, some have a body. */
        buf_printf(&all,
            "POST /%s HTTP/1.1\r\n" HOST "X-N: %d\r\nContent-Length: %d\r\n\r\n",
            i % 3 == 0 ? "worker" : "echo", i, 1 + i % 7);
        buf_append(&all, "abcdefg", (size_t)(1 + i % 7));
    }
    say_bytes(fd, all.data, all.len);
    for (int i = 0; i < COUNT; i++) {
        struct reply reply;
        char expected[32];

        assert_true(hear(fd, &reply, false));
        if (i % 3 == 0)
            snprintf(expected, sizeof expected, "/worker %d", i);
        else
            snprintf(expected, sizeof expected, "%.*s", 1 + i % 7, "abcdefg");
        assert_string_equal(reply.body.data, expected);
        reply_finish(&reply);
    }
    buf_finish(&all);
    close(fd);
}

/* How often the bytes that the test below sends still lie in what the server reads into.
 */
static void count_remains(void *arg)
{
    static const char secret[] = "s3cret";
    int *count = arg;
    const char *at = world.server->scratch;
    const char *end = at + SCRATCH_BYTES;

    while ((at = memmem(at, (size_t)(end - at), secret, strlen(secret))) != NULL) {
        (*count)++;
        at++;
    }
    for (struct conn *conn = world.server->first; conn != NULL; conn = conn->next) {
        if (conn->in.data != NULL &&
            memmem(conn->in.data, conn->in.capacity, secret, strlen(secret)) != NULL)
            (*count)++;
    }
}

TEST(what_was_read_is_wiped_once_it_is_used)
{
    static const char *const said[][3] = {
        /* in one piece; a head in two; a body in two; two requests at once */
        {"POST /worker HTTP/1.1\r\n" HOST "Authorization: s3cret\r\nContent-Length: "
         "6\r\n\r\ns3cret"},
        {"POST /worker HTTP/1.1\r\n" HOST "Authorization: s3cret\r\n",
            "Content-Length: 6\r\n\r\ns3cret"},
        {"POST /worker HTTP/1.1\r\n" HOST "Content-Length: 12\r\n\r\ns3cret", "s3cret"},
        {"GET /status/200 HTTP/1.1\r\n" HOST
         "X: s3cret\r\n\r\nGET /status/200 HTTP/1.1\r\n" HOST "X: s3cret\r\n\r\n"},
    };

    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
        int fd = dial(world.port);
        struct reply reply;
        int remains = 0;

        say(fd, said[i][0]);
        if (said[i][1] != NULL) {
            /* Not before the first part was read: the server's own word for that. */
            assert_int_equal(
                ask(world.port, "GET /status/200 HTTP/1.1\r\n" HOST "\r\n", NULL), 200);
            say(fd, said[i][1]);
        }
        assert_true(hear(fd, &reply, false));
        reply_finish(&reply);
        if (i == 3) {
            assert_true(hear(fd, &reply, false));
            reply_finish(&reply);
        }
        world_call(&world, count_remains, &remains);
        assert_int_equal(remains, 0);
        close(fd);
    }
}

TEST(a_large_answer_arrives_whole_at_a_slow_reader)
{
    int fd = dial(world.port);
    struct reply reply = talk(fd, "GET /bytes/20000000 HTTP/1.1\r\n" HOST "\r\n");

    assert_true(reply.whole);
    assert_int_equal(reply.body.len, 20000000);
    reply_finish(&reply);
    expect_still_open(fd);
    close(fd);
}

static void nothing(void *arg)
{
    (void)arg;
}

/* The loop has looked at everything that was sent before. */
static void loop_goes_round(struct world *w)
{
    world_call(w, nothing, NULL);
    world_call(w, nothing, NULL);
}

TEST(a_request_that_comes_while_a_large_answer_leaves_is_answered)
{
    int fd = dial(world.port);
    struct reply reply;

    say(fd, "GET /bytes/20000000 HTTP/1.1\r\n" HOST "\r\n");
    loop_goes_round(&world);
    say(fd, "GET /status/200 HTTP/1.1\r\n" HOST "\r\n");
    loop_goes_round(&world);
    assert_true(hear(fd, &reply, false));
    assert_int_equal(reply.body.len, 20000000);
    reply_finish(&reply);
    assert_true(hear(fd, &reply, false));
    assert_string_equal(reply.body.data, "hello");
    reply_finish(&reply);
    close(fd);
}

TEST(bodies_up_to_the_limit_are_read_and_larger_ones_refused)
{
    static const struct {
        size_t len;
        int status;
    } rows[] = {{0, 200}, {1, 200}, {1 << 20, 200}, {(1 << 20) + 1, 413}, {8 << 20, 413}};

    for (int chunked = 0; chunked < 2; chunked++) {
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            struct reply reply;
            struct buf request;
            int fd = dial(world.port);

            buf_init(&request, 0);
            buf_puts(&request, "POST /echo HTTP/1.1\r\n" HOST);
            if (chunked)
                buf_puts(&request, "Transfer-Encoding: chunked\r\n\r\n");
            else
                buf_printf(&request, "Content-Length: %zu\r\n\r\n", rows[i].len);
            for (size_t at = 0; at < rows[i].len;) {
                size_t n = rows[i].len - at < 70000 ? rows[i].len - at : 70000;

                if (chunked)
                    buf_printf(&request, "%zx\r\n", n);
                memset(buf_room(&request, n), 'x', n);
                buf_added(&request, n);
                if (chunked)
                    buf_puts(&request, "\r\n");
                at += n;
            }
            if (chunked)
                buf_puts(&request, "0\r\n\r\n");
            say_bytes(fd, request.data, request.len);
            assert_true(hear(fd, &reply, false));
            assert_int_equal(reply.status, rows[i].status);
            if (reply.status == 200)
                assert_int_equal(reply.body.len, rows[i].len);
            reply_finish(&reply);
            buf_finish(&request);
            close(fd);
        }
    }
}

TEST(an_answer_before_a_small_body_s_end_keeps_the_connection)
{
    int fd = dial(world.port);

    for (int i = 0; i < 3; i++) {
        struct reply reply =
            talk(fd, "POST /nope HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n");

        assert_int_equal(reply.status, 404);
        assert_null(reply_field(&reply, "connection"));
        reply_finish(&reply);
        say(fd, "hello"); /* comes late, and is not taken for a request */
    }
    expect_still_open(fd);
    close(fd);
}

TEST(an_answer_before_a_large_body_s_end_closes_and_still_arrives)
{
    struct reply reply;
    int fd = dial(world.port);
    char *block = calloc(1, 1 << 20);

    say(fd, "POST /nope HTTP/1.1\r\n" HOST "Content-Length: 10000000\r\n\r\n");
    for (int i = 0; i < 4; i++)
        say_bytes(fd, block, 1 << 20);
    assert_true(hear(fd, &reply, false));
    assert_int_equal(reply.status, 404);
    assert_string_equal(reply_field(&reply, "connection"), "close");
    reply_finish(&reply);
    assert_true(is_closed(fd));
    free(block);
    close(fd);
}

TEST(a_client_that_expects_to_be_asked_is_asked_only_when_the_body_is_wanted)
{
    static const char wanted[] = "POST /echo HTTP/1.1\r\n" HOST
                                 "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n";
    static const char too_large[] =
        "POST /echo HTTP/1.1\r\n" HOST
        "Expect: 100-continue\r\nContent-Length: 2000000\r\n\r\n";
    static const char unwanted[] = "POST /nope HTTP/1.1\r\n" HOST
                                   "Expect: 100-Continue\r\nContent-Length: 5\r\n\r\n";
    int fd = dial(world.port);
    struct reply reply = talk(fd, wanted);

    assert_int_equal(reply.status, 100);
    reply_finish(&reply);
    say(fd, "hello");
    assert_true(hear(fd, &reply, false));
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body.data, "hello");
    reply_finish(&reply);

    reply = talk(fd, too_large);
    assert_int_equal(reply.status, 413);
    reply_finish(&reply);
    assert_true(is_closed(fd));
    close(fd);

    fd = dial(world.port);
    reply = talk(fd, unwanted);
    assert_int_equal(reply.status, 404);
    assert_string_equal(reply_field(&reply, "connection"), "close");
    reply_finish(&reply);
    assert_true(is_closed(fd));
    close(fd);
}

TEST(a_thousand_requests_at_once_are_all_answered_by_threads)
{
    enum {
        COUNT = 1000
    };
    static int fds[COUNT];

    for (int i = 0; i < COUNT; i++) {
        char request[128];

        fds[i] = dial(world.port);
        snprintf(request, sizeof request,
            "POST /worker HTTP/1.1\r\n" HOST "X-N: %d\r\nContent-Length: 2\r\n\r\nhi", i);
        say(fds[i], request);
    }
    for (int i = 0; i < COUNT; i++) {
        struct reply reply;
        char expected[32];

        assert_true(hear(fds[i], &reply, false));
        snprintf(expected, sizeof expected, "/worker %d", i);
        assert_string_equal(reply.body.data, expected);
        assert_string_equal(reply_field(&reply, "x-from"), "worker");
        reply_finish(&reply);
        close(fds[i]);
    }
}

TEST(what_a_handler_hung_on_a_request_is_freed_with_it)
{
    int fd = dial(world.port);
    int before = freed_users;

    for (int i = 0; i < 3; i++) {
        struct reply reply = talk(fd, "GET /user HTTP/1.1\r\n" HOST "\r\n");

        reply_finish(&reply);
    }
    expect_still_open(fd); /* the third is over when this one begins */
    assert_int_equal(freed_users - before, 3);
    close(fd);
}

/* ---- the client leaves ---- */

static bool has_left(void *arg)
{
    return gone_count == *(int *)arg;
}

static bool has_begun(void *arg)
{
    return http_server_active(world.server) == *(size_t *)arg;
}

TEST(a_client_that_leaves_is_noticed_while_the_handler_waits)
{
    static const char *const requests[] = {
        "GET /never HTTP/1.1\r\n" HOST "\r\n",
        "POST /never HTTP/1.1\r\n" HOST "Content-Length: 100000\r\n\r\nabc",
        "GET /never HTTP/1.1\r\n" HOST "\r\nGET /status/200 HTTP/1.1\r\n" HOST "\r\n",
    };
    int expected = gone_count;
    size_t idle = 0, active = 1;

    assert_true(world_becomes(&world, has_begun, &idle)); /* those of other tests */
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        for (int reset = 0; reset < 2; reset++) {
            const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
            int fd = dial(world.port);

            say(fd, requests[i]);
            assert_true(
                world_becomes(&world, has_begun, &active)); /* a reset undoes it */
            if (reset)
                (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
            close(fd);
            expected++;
            if (!world_becomes(&world, has_left, &expected))
                fail_msg("not noticed: request %zu, reset %d", i, reset);
            /* It is counted a moment longer than it is noticed. */
            assert_true(world_becomes(&world, has_begun, &idle));
        }
    }
}

struct late {
    struct http_req *req;
    sem_t ready;
};
static struct late late;

static void ignore_body(
    void *arg, struct http_req *req, enum http_body_result result, struct buf *body)
{
    (void)arg;
    (void)result;
    (void)body;
    http_on_gone(req, on_gone, req);
}

static void take_late(void *arg)
{
    (void)arg;
    http_read_body(late.req, 1 << 20, ignore_body, NULL);
}

static void on_late_request(void *arg, struct http_req *req)
{
    (void)arg;
    late.req = req;
    sem_post(&late.ready);
}

TEST(a_client_that_left_before_its_body_was_taken_is_noticed_after)
{
    const struct http_server_config config = {.on_request = on_late_request};
    struct world own;
    int expected = gone_count + 1;
    int fd;

    sem_init(&late.ready, 0, 0);
    world_start(&own, &config);
    fd = dial(own.port);
    say(fd, "POST /late HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello");
    sem_wait(&late.ready);
    close(fd); /* the body is in the server's hands or in the socket */
    world_call(&own, take_late, NULL);
    assert_true(world_becomes(&own, has_left, &expected));
    world_stop(&own);
    sem_destroy(&late.ready);
}

/* ---- limits ---- */

TEST(a_slow_head_is_cut_off_and_an_idle_connection_closed)
{
    const struct http_server_config config = {
        .on_request = on_request, .idle_timeout_s = 1};
    struct world own;
    int slow, idle, kept;
    struct reply reply;

    world_start(&own, &config);
    slow = dial(own.port);
    idle = dial(own.port);
    kept = dial(own.port);
    say(slow, "GET /status/200 HTTP/1.1\r\nX-A: ");
    reply = talk(kept, "GET /status/200 HTTP/1.1\r\n" HOST "\r\n");
    reply_finish(&reply);
    assert_true(is_closed(slow));
    assert_true(is_closed(idle));
    assert_true(is_closed(kept));
    close(slow);
    close(idle);
    close(kept);
    world_stop(&own);
}

/* Keeps the loop until every connection looks old and the sweep is due: it runs right
 * after this, before anything that the handler queues is sent. */
static void work_for_long(void)
{
    int64_t until = clock_mono_ms() + 1500;

    while (clock_mono_ms() < until)
        continue;
}

static void stream_late(void *arg)
{
    (void)arg;
    work_for_long();
    http_start(late.req, 200, NULL, -1);
    (void)http_write(late.req, "late", 4);
    http_finish(late.req);
}

static void read_late(void *arg)
{
    (void)arg;
    work_for_long();
    http_read_body(late.req, 1 << 20, echo_body, NULL);
}

TEST(a_handler_may_take_longer_than_the_idle_timeout)
{
    static void (*const ways[])(void *arg) = {stream_late, read_late};
    const struct http_server_config config = {
        .on_request = on_late_request, .idle_timeout_s = 1};
    struct world own;

    sem_init(&late.ready, 0, 0);
    world_start(&own, &config);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct reply reply;
        int fd = dial(own.port);

        say(fd, "POST /late HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\n");
        sem_wait(&late.ready);
        world_call(&own, ways[i], NULL);
        say(fd, "late");
        assert_true(hear(fd, &reply, false));
        assert_int_equal(reply.status, 200);
        assert_string_equal(reply.body.data, "late");
        reply_finish(&reply);
        close(fd);
    }
    world_stop(&own);
    sem_destroy(&late.ready);
}

/* Says `bytes` again and again, some twenty times a second, until the server closes; true
 * when it did. */
static bool trickle(int fd, const char *bytes)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    int64_t until = clock_mono_ms() + LIMIT_MS;

    do {
        say(fd, bytes);
        if (clock_mono_ms() > until)
            return false;
    } while (poll(&wait, 1, 50) == 0);
    return is_closed(fd);
}

TEST(a_body_that_trickles_is_cut_off_though_the_client_is_never_silent)
{
    static const char *const heads[] = {
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 10000\r\n\r\n",
        "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nffff\r\n",
        /* Much at first does not buy hours. */
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 10000\r\n\r\n"
        "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"
        "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"
        "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
    };
    const struct http_server_config config = {.on_request = on_request,
        .idle_timeout_s = 1,
        .min_body_rate = 200,
        .body_grace_s = 1};
    struct world own;

    world_start(&own, &config);
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        int fd = dial(own.port);

        say(fd, heads[i]);
        assert_true(trickle(fd, "x"));
        close(fd);
    }
    world_stop(&own);
}

TEST(empty_lines_are_no_sign_of_life)
{
    static const char *const lines[] = {"\r\n", "\r", "\n\r"};
    const struct http_server_config config = {
        .on_request = on_request, .idle_timeout_s = 1};
    struct world own;
    struct reply reply;
    int fd;

    world_start(&own, &config);
    fd = dial(own.port);
    say(fd, "\r\n\r\n\r");
    loop_goes_round(&own);
    say(fd, "\n\r\nGET /status/200 HTTP/1.1\r\n" HOST "\r\n\r\n");
    assert_true(hear(fd, &reply, false));
    assert_int_equal(reply.status, 200);
    reply_finish(&reply);
    close(fd);
    fd = dial(own.port);
    assert_true(trickle(fd, lines[0]));
    close(fd);
    fd = dial(own.port);
    say(fd, lines[1]);
    assert_true(trickle(fd, lines[2]));
    close(fd);
    world_stop(&own);
}

static struct http_room room = {.max = 100000};

static bool room_has(void *arg)
{
    return room.used == *(size_t *)arg;
}

TEST(bodies_beyond_the_room_for_all_of_them_are_refused)
{
    size_t kept = 60000, none = 0;
    const struct http_server_config config = {
        .on_request = on_request, .body_room = &room};
    static const char *const heads[] = {
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 50000\r\n\r\n",
        "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nc350\r\n",
    };
    char *bytes = calloc(1, 80000);
    struct reply reply;
    struct world own;
    int first, fd;

    world_start(&own, &config);
    first = dial(own.port);
    say(first, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 80000\r\n\r\n");
    say_bytes(first, bytes, 60000);
    assert_true(world_becomes(&own, room_has, &kept));
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        fd = dial(own.port);
        say(fd, heads[i]);
        say_bytes(fd, bytes, 50000);
        assert_true(hear(fd, &reply, false));
        assert_int_equal(reply.status, 503);
        assert_string_equal(reply_field(&reply, "connection"), "close");
        reply_finish(&reply);
        close(fd);
        assert_true(world_becomes(&own, room_has, &kept));
    }
    say_bytes(first, bytes, 20000);
    assert_true(hear(first, &reply, false));
    assert_int_equal(reply.status, 200);
    assert_int_equal(reply.body.len, 80000);
    reply_finish(&reply);
    close(first);
    assert_true(world_becomes(&own, room_has, &none));
    fd = dial(own.port);
    say(fd, heads[0]);
    say_bytes(fd, bytes, 50000);
    assert_true(hear(fd, &reply, false));
    assert_int_equal(reply.status, 200);
    reply_finish(&reply);
    close(fd);
    world_stop(&own);
    free(bytes);
}

static atomic_bool holding;

static size_t hold(void *arg, const char *bytes, size_t len)
{
    (void)arg;
    (void)bytes;
    return holding ? 0 : len;
}

static void held_to_the_end(void *arg, enum http_body_result result)
{
    http_respond(arg, result == HTTP_BODY_OK ? 200 : 500, NULL, NULL, 0, false);
}

static void take_and_hold(void *arg)
{
    (void)arg;
    http_stream_body(late.req, hold, held_to_the_end, late.req);
}

static void hold_for_long(void *arg)
{
    (void)arg;
    work_for_long();
    work_for_long();
}

static void hold_no_longer(void *arg)
{
    (void)arg;
    holding = false;
    http_resume_body(late.req);
}

TEST(a_client_that_is_held_is_not_taken_for_a_slow_one)
{
    const struct http_server_config config = {.on_request = on_late_request,
        .idle_timeout_s = 1,
        .min_body_rate = 1000,
        .body_grace_s = 1};
    struct world own;
    struct reply reply;
    int fd;

    sem_init(&late.ready, 0, 0);
    world_start(&own, &config);
    fd = dial(own.port);
    say(fd, "POST /late HTTP/1.1\r\n" HOST "Content-Length: 6\r\n\r\nabc");
    sem_wait(&late.ready);
    holding = true;
    world_call(&own, take_and_hold, NULL);
    loop_goes_round(&own);
    world_call(&own, hold_for_long, NULL); /* the sweep is due now */
    world_call(&own, hold_no_longer, NULL);
    say(fd, "def");
    assert_true(hear(fd, &reply, false));
    assert_int_equal(reply.status, 200);
    reply_finish(&reply);
    close(fd);
    world_stop(&own);
    sem_destroy(&late.ready);
}

enum {
    LIMIT = 8
};

TEST(over_the_limit_slow_bodies_give_way)
{
    const struct http_server_config config = {.on_request = on_request,
        .max_connections = LIMIT,
        .min_body_rate = 100,
        .body_grace_s = 4};
    struct world own;
    int slow[LIMIT], closed = 0;

    world_start(&own, &config);
    for (int i = 0; i < LIMIT; i++) {
        slow[i] = dial(own.port);
        say(slow[i], "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\nx");
    }
    assert_int_equal(
        ask(own.port, "GET /status/200 HTTP/1.1\r\n" HOST "\r\n", NULL), 200);
    for (int i = 0; i < LIMIT; i++) {
        struct pollfd now = {.fd = slow[i], .events = POLLIN};

        closed += poll(&now, 1, 0);
        close(slow[i]);
    }
    assert_int_equal(closed, 1);
    world_stop(&own);
}

TEST(at_the_limit_nobody_gives_way_while_nobody_waits)
{
    const struct http_server_config config = {
        .on_request = on_request, .max_connections = LIMIT};
    struct world own;
    int fds[LIMIT];

    world_start(&own, &config);
    for (int i = 0; i < LIMIT; i++)
        fds[i] = dial(own.port);
    for (int turn = 0; turn < 2; turn++) {
        for (int i = 0; i < LIMIT; i++)
            expect_still_open(fds[i]);
    }
    for (int i = 0; i < LIMIT; i++)
        close(fds[i]);
    world_stop(&own);
}

TEST(over_the_limit_new_clients_wait_and_all_are_answered)
{
    const struct http_server_config config = {
        .on_request = on_request, .max_connections = LIMIT};
    struct world own;
    int fds[LIMIT * 3];

    world_start(&own, &config);
    for (int i = 0; i < LIMIT * 3; i++)
        fds[i] = dial(own.port);
    for (int i = LIMIT * 3 - 1; i >= 0; i--) /* the first in the queue ask last */
        say(fds[i], "GET /status/200 HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    for (int i = 0; i < LIMIT * 3; i++) {
        struct reply reply;

        assert_true(hear(fds[i], &reply, false));
        assert_int_equal(reply.status, 200);
        assert_true(http_server_connections(own.server) <= LIMIT);
        reply_finish(&reply);
        assert_true(is_closed(fds[i]));
        close(fds[i]);
    }
    world_stop(&own);
}

TEST(over_the_limit_the_longest_idle_gives_way_and_a_new_client_is_served)
{
    const struct http_server_config config = {
        .on_request = on_request, .max_connections = LIMIT};
    struct world own;
    int idle[LIMIT], fd;
    struct reply reply;

    world_start(&own, &config);
    for (int i = 0; i < LIMIT; i++) {
        idle[i] = dial(own.port);
        if (i % 2 == 1)
            say(idle[i], "GET /slow HTTP/1.1\r\n");
    }
    fd = dial(own.port);
    reply = talk(fd, "GET /status/200 HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(reply.status, 200);
    assert_true(http_server_connections(own.server) <= LIMIT);
    reply_finish(&reply);
    assert_true(is_closed(idle[0]));
    expect_still_open(idle[LIMIT - 2]);
    for (int i = 0; i < LIMIT; i++)
        close(idle[i]);
    close(fd);
    world_stop(&own);
}

static void drain(void *arg)
{
    http_server_drain(arg);
}

static bool has_nobody(void *arg)
{
    return http_server_connections(arg) == 0;
}

TEST(draining_answers_who_is_connected_once_more_and_nobody_else)
{
    const struct http_server_config config = {.on_request = on_late_request};
    struct world own;
    struct reply reply;
    int idle, busy, late_comer;
    struct sockaddr_in to = {.sin_family = AF_INET};

    sem_init(&late.ready, 0, 0);
    world_start(&own, &config);
    idle = dial(own.port);
    busy = dial(own.port);
    say(busy, "GET /late HTTP/1.1\r\n" HOST "\r\n");
    sem_wait(&late.ready);
    assert_int_equal(http_server_active(own.server), 1);
    world_call(&own, drain, own.server);
    late_comer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    to.sin_port = htons((uint16_t)own.port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_not_equal(connect(late_comer, (struct sockaddr *)&to, sizeof to), 0);
    close(late_comer);
    for (int i = 0; i < 2; i++) {
        http_respond(late.req, 200, NULL, str_dup("done"), 4, true);
        assert_true(hear(i == 0 ? busy : idle, &reply, false));
        assert_string_equal(reply.body.data, "done");
        assert_string_equal(reply_field(&reply, "connection"), "close");
        reply_finish(&reply);
        assert_true(is_closed(i == 0 ? busy : idle));
        if (i == 0) {
            say(idle, "GET /late HTTP/1.1\r\n" HOST "\r\n");
            sem_wait(&late.ready);
        }
    }
    close(idle);
    close(busy);
    assert_true(world_becomes(&own, has_nobody, own.server));
    world_stop(&own);
    sem_destroy(&late.ready);
}

/* ---- listening ---- */

TEST(a_port_that_is_held_is_refused_and_a_free_one_is_shared_by_the_reactors)
{
    struct err err = {0};
    char bound[64], again[64];
    int fds[2], more[1];

    assert_true(http_listen("127.0.0.1:0", 2, fds, bound, &err));
    assert_false(http_listen(bound, 1, more, again, &err));
    assert_non_null(strstr(err.message, "in use"));
    close(fds[0]);
    assert_false(http_listen(bound, 1, more, again, &err));
    close(fds[1]);
    assert_true(http_listen(bound, 1, more, again, &err));
    assert_string_equal(again, bound);
    close(more[0]);
}

TEST(addresses_to_listen_on_are_numeric_with_a_port)
{
    static const char *const bad[] = {"", "127.0.0.1", ":80", "localhost:80",
        "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:-1", "::1:80", "[::1]",
        "[::1", "256.0.0.1:80"};
    struct err err = {0};
    char bound[64];
    int fds[1];

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (http_listen(bad[i], 1, fds, bound, &err))
            fail_msg("accepted: %s", bad[i]);
    if (http_listen("[::1]:0", 1, fds, bound, &err)) {
        assert_true(str_starts(bound, "[::1]:"));
        close(fds[0]);
    } else {
        assert_non_null(strstr(err.message, "ddress")); /* a machine without IPv6 */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handler_sees_the_request_as_it_was_sent),
        cmocka_unit_test(every_answer_has_a_date_a_length_and_the_caller_s_or_a_fresh_id),
        cmocka_unit_test(fields_keep_their_repetitions_and_a_line_break_forges_nothing),
        cmocka_unit_test(answers_without_a_body_have_none_and_keep_the_connection),
        cmocka_unit_test(connections_are_kept_or_closed_as_versions_and_options_say),
        cmocka_unit_test(pipelined_requests_are_answered_in_their_order),
        cmocka_unit_test(what_was_read_is_wiped_once_it_is_used),
        cmocka_unit_test(a_large_answer_arrives_whole_at_a_slow_reader),
        cmocka_unit_test(a_request_that_comes_while_a_large_answer_leaves_is_answered),
        cmocka_unit_test(bodies_up_to_the_limit_are_read_and_larger_ones_refused),
        cmocka_unit_test(an_answer_before_a_small_body_s_end_keeps_the_connection),
        cmocka_unit_test(an_answer_before_a_large_body_s_end_closes_and_still_arrives),
        cmocka_unit_test(
            a_client_that_expects_to_be_asked_is_asked_only_when_the_body_is_wanted),
        cmocka_unit_test(a_thousand_requests_at_once_are_all_answered_by_threads),
        cmocka_unit_test(what_a_handler_hung_on_a_request_is_freed_with_it),
        cmocka_unit_test(a_client_that_leaves_is_noticed_while_the_handler_waits),
        cmocka_unit_test(a_client_that_left_before_its_body_was_taken_is_noticed_after),
        cmocka_unit_test(a_slow_head_is_cut_off_and_an_idle_connection_closed),
        cmocka_unit_test(a_handler_may_take_longer_than_the_idle_timeout),
        cmocka_unit_test(
            a_body_that_trickles_is_cut_off_though_the_client_is_never_silent),
        cmocka_unit_test(a_client_that_is_held_is_not_taken_for_a_slow_one),
        cmocka_unit_test(over_the_limit_slow_bodies_give_way),
        cmocka_unit_test(empty_lines_are_no_sign_of_life),
        cmocka_unit_test(bodies_beyond_the_room_for_all_of_them_are_refused),
        cmocka_unit_test(at_the_limit_nobody_gives_way_while_nobody_waits),
        cmocka_unit_test(over_the_limit_new_clients_wait_and_all_are_answered),
        cmocka_unit_test(
            over_the_limit_the_longest_idle_gives_way_and_a_new_client_is_served),
        cmocka_unit_test(draining_answers_who_is_connected_once_more_and_nobody_else),
        cmocka_unit_test(
            a_port_that_is_held_is_refused_and_a_free_one_is_shared_by_the_reactors),
        cmocka_unit_test(addresses_to_listen_on_are_numeric_with_a_port),
    };

    return cmocka_run_group_tests_name(__FILE__, tests, start, stop);
}
