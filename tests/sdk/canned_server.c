/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/canned_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTION                                                                       \
    "{\"id\":1,\"connection_id\":\"c\",\"provider_config_key\":\"k\",\"provider\":"      \
    "\"github\",\"errors\":[],\"end_user\":{\"id\":\"u\"},\"tags\":{\"a\":\"b\"},"       \
    "\"metadata\":{\"x\":[1,2.5,null,true,\"\\u00e9\"]},\"connection_config\":{},"       \
    "\"created_at\":\"2024-03-08T09:43:03.725Z\",\"credentials\":{\"type\":\"OAUTH2\","  \
    "\"access_token\":\"t\",\"expires_at\":\"2024-03-08T09:43:03.725Z\",\"raw\":{}}}"

static const struct {
    const char *path; /* how the request line begins, or goes on behind the method */
    const char *body;
} answers[] = {
    {"/connections?", "{\"connections\":[" CONNECTION "," CONNECTION "]}"},
    {"/connections/metadata", "{\"metadata\":{}}"},
    {"/connections", CONNECTION},
    {"GET /integrations ", "{\"data\":[{\"unique_key\":\"k\",\"provider\":\"github\"}]}"},
    {"/integrations/k/functions", "{\"data\":[],\"type\":\"sync\",\"code\":\"\"}"},
    {"/integrations", "{\"data\":{\"unique_key\":\"k\",\"provider\":\"github\"}}"},
    {"/providers/github/templates", "{\"data\":[]}"},
    {"/providers/", "{\"data\":{\"name\":\"github\",\"display_name\":\"GitHub\"}}"},
    {"/providers", "{\"data\":[{\"name\":\"github\"}]}"},
    {"/connect/sessions", "{\"data\":{\"token\":\"t\",\"connect_link\":\"l\"}}"},
    {"/records/prune", "{\"count\":1,\"has_more\":false}"},
    {"/records/?model=Paged&cursor=second",
        "{\"records\":[{\"id\":\"3\"}],\"next_cursor\":null}"},
    {"/records/?model=Paged",
        "{\"records\":[{\"id\":\"1\"},{\"id\":\"2\"}],\"next_cursor\":\"second\"}"},
    {"/records", "{\"records\":[{\"id\":\"1\",\"_nango_metadata\":{\"cursor\":\"c\"}}],"
                 "\"next_cursor\":null}"},
    {"/sync/records", "[{\"id\":1}]"},
    {"/sync/status",
        "{\"syncs\":[{\"id\":\"i\",\"name\":\"n\",\"status\":\"SUCCESS\"}]}"},
    {"/sync", "{\"success\":true}"},
    {"/action/trigger", "{\"id\":\"i\",\"statusUrl\":\"/action/i\"}"},
    {"/action", "{\"done\":true}"},
    {"/environment-variables", "[{\"name\":\"A\",\"value\":\"b\"}]"},
    {"/scripts/config", "[]"},
    {"/proxy", "{\"hello\":\"world\"}"},
};

static const char *answer_for(const char *request)
{
    const char *path = strchr(request, ' ');

    for (size_t i = 0; path != NULL && i < sizeof answers / sizeof answers[0]; i++) {
        const char *from = answers[i].path[0] == '/' ? path + 1 : request;

        if (strncmp(from, answers[i].path, strlen(answers[i].path)) == 0)
            return answers[i].body;
    }
    return "{\"error\":{\"code\":\"not_found\",\"message\":\"no such path\"}}";
}

/* Reads one request; false at the end of the connection. Requests of this test are small. */
static bool read_request(int fd, char *buffer, size_t size)
{
    size_t len = 0, body = 0;
    char *end = NULL;

    buffer[0] = '\0';
    while (end == NULL || len < (size_t)(end + 4 - buffer) + body) {
        ssize_t got = read(fd, buffer + len, size - 1 - len);
        char *length;

        if (got <= 0)
            return false;
        len += (size_t)got;
        buffer[len] = '\0';
        end = strstr(buffer, "\r\n\r\n");
        length = strcasestr(buffer, "\r\nContent-Length:");
        if (end != NULL && length != NULL && length < end)
            body = (size_t)strtoul(length + 17, NULL, 10);
        if (end != NULL && strcasestr(buffer, "chunked") != NULL &&
            strstr(end + 4, "0\r\n\r\n") == NULL)
            body = len; /* not yet */
        else if (end != NULL && strcasestr(buffer, "chunked") != NULL)
            return true;
    }
    return true;
}

static void *serve(void *arg)
{
    int fd = (int)(long)arg;
    char *buffer = malloc(65536), head[200];

    while (buffer != NULL && read_request(fd, buffer, 65536)) {
        const char *body = answer_for(buffer);
        int len = snprintf(head, sizeof head,
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            "Content-Length: %zu\r\n\r\n",
            strlen(body));

        if (strstr(buffer, " /providers/silent ") != NULL)
            continue; /* the next thing that is read is the client's leaving */
        if (send(fd, head, (size_t)len, MSG_NOSIGNAL | MSG_MORE) < 0 ||
            send(fd, body, strlen(body), MSG_NOSIGNAL) < 0)
            break;
    }
    free(buffer);
    close(fd);
    return NULL;
}

static void *accept_all(void *arg)
{
    int listener = (int)(long)arg, fd, on = 1;
    pthread_attr_t detached;
    pthread_t thread;

    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (pthread_create(&thread, &detached, serve, (void *)(long)fd) != 0)
            close(fd);
    }
    return NULL;
}

bool server_start(char *host, size_t size)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    pthread_t thread;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(fd, 128) != 0 || getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        return false;
    snprintf(host, size, "http://127.0.0.1:%d", ntohs(address.sin_port));
    return pthread_create(&thread, NULL, accept_all, (void *)(long)fd) == 0;
}
