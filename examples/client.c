/* SPDX-License-Identifier: Apache-2.0 */
/* Making a client: options, the environment, errors, time limits, a log, own memory. Asks
 * for a connection that there may not be, and says what came of it.
 *
 *   NANGO_SECRET_KEY=… NANGO_HOSTPORT=http://127.0.0.1:3003 client INTEGRATION CONNECTION */
#include <nango/nango.h>
#include <stdio.h>
#include <stdlib.h>

struct usage {
    size_t allocations;
};

static void *take(size_t size, void *user)
{
    ((struct usage *)user)->allocations++;
    return malloc(size);
}

static void release(void *p, void *user)
{
    (void)user;
    free(p);
}

static void print_line(nango_log_level level, const char *line, void *user)
{
    (void)user;
    fprintf(stderr, "%s: %s\n", level == NANGO_LOG_WARNING ? "warning" : "debug", line);
}

int main(int argc, char **argv)
{
    struct usage usage = {0};
    const nango_allocator allocator = {take, release, &usage};
    const nango_client_options options = {
        .user_agent = "example/1.0",
        .timeout_ms = 5000,
        .allocator = &allocator,
        .log = print_line,
    };
    nango_client *client = NULL;
    nango_connection *connection = NULL;
    nango_error err;

    if (argc != 3) {
        fprintf(stderr, "usage: client INTEGRATION CONNECTION\n");
        return 2;
    }
    if (nango_client_new_from_env(&options, &client, &err) != NANGO_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    printf("libnango %s calls %s\n", nango_version(), nango_client_host(client));
    nango_client_set_timeout(client, 10000);
    switch (nango_get_connection(client, argv[1], argv[2], 0, &connection, &err)) {
    case NANGO_OK:
        printf("made %s\n", nango_connection_created_at(connection));
        break;
    case NANGO_E_HTTP: /* the server's word: a status and, mostly, a code */
        printf("refused: %d %s\n", err.http_status, err.server_code);
        break;
    default: /* no answer at all, or none that makes sense */
        printf("failed: %s: %s\n", nango_code_name(err.code), err.message);
    }
    nango_connection_free(connection);
    nango_client_free(client);
    printf("own memory %s\n", usage.allocations > 0 ? "was used" : "was not used");
    return 0;
}
