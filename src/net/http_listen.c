/* SPDX-License-Identifier: Apache-2.0 */
/* Listening sockets: one a reactor, on one address, by SO_REUSEPORT. That option lets any
 * other process of the same user take a share of the port silently, so a first socket is
 * bound without it to find out whether somebody is there. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"
#include "net/http_server.h"

#define BACKLOG 4096

static bool split_address(const char *address, char host[64], char port[8])
{
    const char *colon = strrchr(address, ':');
    const char *from = address;
    size_t len;
    int64_t number;

    if (colon == NULL || !str_to_i64(colon + 1, &number) || number < 0 || number > 65535)
        return false;
    len = (size_t)(colon - address);
    if (*from == '[' && len > 1 && from[len - 1] == ']') {
        from++;
        len -= 2;
    } else if (memchr(from, ':', len) != NULL) {
        return false; /* an IPv6 address without brackets */
    }
    if (len == 0 || len >= 64)
        return false;
    memcpy(host, from, len);
    host[len] = '\0';
    snprintf(port, 8, "%s", colon + 1);
    return true;
}

static int open_socket(const struct addrinfo *at, bool shared)
{
    const int on = 1;
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if ((shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) ||
        bind(fd, at->ai_addr, at->ai_addrlen) != 0 ||
        (shared && listen(fd, BACKLOG) != 0)) {
        int saved = errno;

        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

static void note_port(int fd, struct addrinfo *at, char bound[64])
{
    struct sockaddr_storage name;
    socklen_t len = sizeof name;
    char text[INET6_ADDRSTRLEN];

    if (getsockname(fd, (struct sockaddr *)&name, &len) != 0)
        return;
    if (name.ss_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)&name;

        ((struct sockaddr_in6 *)(void *)at->ai_addr)->sin6_port = six->sin6_port;
        inet_ntop(AF_INET6, &six->sin6_addr, text, sizeof text);
        snprintf(bound, 64, "[%s]:%d", text, ntohs(six->sin6_port));
    } else {
        const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)&name;

        ((struct sockaddr_in *)(void *)at->ai_addr)->sin_port = four->sin_port;
        inet_ntop(AF_INET, &four->sin_addr, text, sizeof text);
        snprintf(bound, 64, "%s:%d", text, ntohs(four->sin_port));
    }
}

static bool resolve(const char *address, struct addrinfo **out)
{
    struct addrinfo hints = {
        .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_PASSIVE};
    char host[64], port[8];

    return split_address(address, host, port) &&
           getaddrinfo(host, port, &hints, out) == 0;
}

bool http_address_is_good(const char *address)
{
    struct addrinfo *at = NULL;
    bool good = resolve(address, &at);

    if (good)
        freeaddrinfo(at);
    return good;
}

bool http_listen(
    const char *address, size_t count, int *fds, char bound[64], struct err *err)
{
    struct addrinfo *at = NULL;
    size_t opened = 0;
    int probe;

    if (!resolve(address, &at))
        return err_set(err, 0, "invalid_setting",
            "`%s` is no address; accepted: ADDR:PORT or [ADDR]:PORT with a numeric ADDR",
            address);
    probe = open_socket(at, false);
    if (probe < 0) {
        err_internal(err, "cannot listen on %s: %s", address, strerror(errno));
        freeaddrinfo(at);
        return false;
    }
    note_port(probe, at, bound);
    close(probe);
    for (; opened < count; opened++) {
        fds[opened] = open_socket(at, true);
        if (fds[opened] < 0)
            break;
    }
    freeaddrinfo(at);
    if (opened == count)
        return true;
    err_internal(err, "cannot listen on %s: %s", address, strerror(errno));
    while (opened > 0)
        close(fds[--opened]);
    return false;
}
