/* SPDX-License-Identifier: Apache-2.0 */
/* What happens when the kernel has no room for one more watch: epoll_ctl() is ours. */
#include "test.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/str.h"
#include "world.h"

static atomic_int refusals_left;
static atomic_int refused;

int __real_epoll_ctl(int epoll_fd, int op, int fd, struct epoll_event *event);
int __wrap_epoll_ctl(int epoll_fd, int op, int fd, struct epoll_event *event);

int __wrap_epoll_ctl(int epoll_fd, int op, int fd, struct epoll_event *event)
{
    if (op == EPOLL_CTL_ADD && refusals_left > 0) {
        refusals_left--;
        refused++;
        errno = ENOSPC;
        return -1;
    }
    return __real_epoll_ctl(epoll_fd, op, fd, event);
}

static void on_request(void *arg, struct http_req *req)
{
    (void)arg;
    http_respond(req, 200, NULL, str_dup("hello"), 5, true);
}

TEST(a_client_that_cannot_be_watched_is_closed_and_later_ones_are_served)
{
    const struct http_server_config config = {.on_request = on_request};
    struct world world;
    int fd;

    world_start(&world, &config);
    assert_int_equal(ask(world.port, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", NULL), 200);
    refusals_left = 3; /* the client, then twice the listening socket */
    fd = dial(world.port);
    assert_true(is_closed(fd));
    close(fd);
    assert_int_equal(ask(world.port, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", NULL), 200);
    assert_int_equal(refused, 3);
    world_stop(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_client_that_cannot_be_watched_is_closed_and_later_ones_are_served),
    };

    return RUN(tests);
}
