/* SPDX-License-Identifier: Apache-2.0 */
/* Fetches one connection again and again, for bench/sdk: one call after the other, or
 * always IN_FLIGHT of them on one thread. Prints what it took as JSON.
 *
 *   bench-sdk-get HOST KEY SECONDS IN_FLIGHT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "nango/adapters/epoll.h"
#include "nango/nango.h"

struct run {
    nango_client *client;
    double until;
    long calls;
    long failures;
};

static double now_s(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* As much as a program does with what it asked for. */
static bool is_good(const nango_connection *connection)
{
    const char *token = nango_credentials_token(nango_connection_credentials(connection));

    return token != NULL && strlen(token) == 400;
}

static void begin(struct run *run);

static void ended(nango_connection *connection, const nango_error *error, void *user)
{
    struct run *run = user;

    run->calls++;
    run->failures += error->code != NANGO_OK || !is_good(connection);
    nango_connection_free(connection);
    if (now_s(CLOCK_MONOTONIC) < run->until)
        begin(run);
}

static void begin(struct run *run)
{
    if (nango_get_connection_start(
            run->client, "bench", "c1", 0, ended, run, NULL, NULL) != NANGO_OK)
        run->failures++;
}

static void run_started(struct run *run, int in_flight)
{
    nango_epoll *loop;

    if (nango_epoll_attach(run->client, &loop, NULL) != NANGO_OK) {
        run->failures++;
        return;
    }
    for (int i = 0; i < in_flight; i++)
        begin(run);
    while (nango_calls_active(run->client) > 0)
        if (nango_epoll_run_once(loop, -1) < 0)
            run->failures++;
}

static void run_waiting(struct run *run)
{
    while (now_s(CLOCK_MONOTONIC) < run->until) {
        nango_connection *connection;

        if (nango_get_connection(run->client, "bench", "c1", 0, &connection, NULL) !=
                NANGO_OK ||
            !is_good(connection))
            run->failures++;
        nango_connection_free(connection);
        run->calls++;
    }
}

/* A line of /proc/self/status, in KB. */
static long status_kb(const char *name)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[128];
    long kb = -1;

    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            kb = strtol(line + strlen(name) + 1, NULL, 10);
    if (file != NULL)
        fclose(file);
    return kb;
}

int main(int argc, char **argv)
{
    struct run run = {0};
    nango_client_options options = {0};
    double began, seconds, cpu;
    int in_flight;

    if (argc != 5)
        return 2;
    options.host = argv[1];
    options.secret_key = argv[2];
    in_flight = (int)strtol(argv[4], NULL, 10);
    if (nango_client_new(&options, &run.client, NULL) != NANGO_OK)
        return 1;
    began = now_s(CLOCK_MONOTONIC);
    cpu = now_s(CLOCK_PROCESS_CPUTIME_ID);
    run.until = began + strtod(argv[3], NULL);
    if (in_flight == 1)
        run_waiting(&run);
    else
        run_started(&run, in_flight);
    seconds = now_s(CLOCK_MONOTONIC) - began;
    cpu = now_s(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    printf("{\"calls\":%ld,\"failures\":%ld,\"seconds\":%.3f,\"cpu\":%.3f,\"rss_kb\":%ld,"
           "\"private_kb\":%ld}\n",
        run.calls, run.failures, seconds, cpu, status_kb("VmHWM"), status_kb("RssAnon"));
    nango_client_free(run.client);
    return 0;
}
