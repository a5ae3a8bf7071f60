/* SPDX-License-Identifier: Apache-2.0 */
/* What requests and answers held is wiped before their memory is given back. */
#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/str.h"
#include "net/answer.h"
#include "wiped.h"
#include "world.h"

#define HOST "Host: a\r\n"
#define BODY_MAX 300000

static void on_body(
    void *arg, struct http_req *req, enum http_body_result result, struct buf *body)
{
    cJSON *value = cJSON_CreateObject();

    (void)arg;
    (void)body;
    json_set_str(value, "secret", WIPED_MARK);
    for (int i = 0; i < 20; i++) { /* it grows after the secret is in it */
        char name[8];

        snprintf(name, sizeof name, "n%d", i);
        json_set_str(value, name, "some more text, so that the answer grows again");
    }
    answer_json(req, result == HTTP_BODY_OK ? 200 : 413, value);
}

static void on_request(void *arg, struct http_req *req)
{
    (void)arg;
    http_read_body(req, BODY_MAX, on_body, NULL);
}

static void nothing(void *arg)
{
    (void)arg;
}

static bool has_nobody(void *server)
{
    return http_server_connections(server) == 0;
}

TEST(nothing_of_a_request_is_left_behind)
{
    static const size_t sizes[] = {100, 5000, 100000, BODY_MAX, BODY_MAX + 1};
    const struct http_server_config config = {.on_request = on_request};
    struct world world;

    secret_harden_process(); /* as the program does: documents are wiped too */
    world_start(&world, &config);
    for (size_t i = 0; i < 2 * (sizeof sizes / sizeof sizes[0]); i++) {
        size_t size = sizes[i / 2];
        struct reply reply;
        struct buf bytes;
        int fd = dial(world.port);
        char c;

        buf_init_secret(&bytes, 0);
        buf_puts(&bytes, "POST / HTTP/1.1\r\n" HOST "X-Key: " WIPED_MARK "\r\n");
        if (i % 2 == 0)
            buf_printf(&bytes, "Content-Length: %zu\r\n", size);
        else
            buf_puts(&bytes, "Transfer-Encoding: chunked\r\n");
        say_bytes(fd, bytes.data, bytes.len);
        world_call(&world, nothing, NULL); /* half a head is read by itself */
        world_call(&world, nothing, NULL);
        buf_clear(&bytes);
        buf_printf(&bytes, "X-More: %s%0500d\r\n\r\n", WIPED_MARK, 0);
        if (i % 2 == 1)
            buf_printf(&bytes, "%zx\r\n", size);
        for (size_t n = 0; n < size; n++)
            buf_putc(&bytes, (WIPED_MARK " ")[n % sizeof WIPED_MARK]);
        if (i % 2 == 1)
            buf_puts(&bytes, "\r\n0\r\n\r\n");
        say_bytes(fd, bytes.data, bytes.len);
        buf_finish(&bytes);
        assert_true(hear(fd, &reply, false));
        assert_int_equal(reply.status, size <= BODY_MAX ? 200 : 413);
        mem_wipe(reply.body.data, reply.body.capacity);
        reply_finish(&reply);
        shutdown(fd, SHUT_WR);
        while (recv(fd, &c, 1, 0) > 0)
            continue;
        close(fd);
    }
    assert_true(world_becomes(&world, has_nobody, world.server));
    assert_int_equal(wiped_misses, 0);
    world_stop(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_of_a_request_is_left_behind),
    };

    return RUN(tests);
}
