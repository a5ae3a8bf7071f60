/* SPDX-License-Identifier: Apache-2.0 */
/* The rules for threads, for the thread sanitizer to watch: clients of different threads at
 * work at once, results that travel between threads, and interrupts from outside. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nango/nango.h"
#include "sdk/canned_server.h"

#define THREADS 4
#define CALLS 100
#define INTERRUPTS 50

static char host[64];

#define MUST(condition)                                                                  \
    do {                                                                                 \
        if (!(condition)) {                                                              \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);              \
            exit(1);                                                                     \
        }                                                                                \
    } while (0)

/* One place for a result on its way from the thread that fetched it to the one that reads
 * and frees it. */
static _Atomic(nango_connection *) parcel;

static nango_client *client_new(void)
{
    nango_client_options options = {.secret_key = "key", .host = host};
    nango_client *client;

    MUST(nango_client_new(&options, &client, NULL) == NANGO_OK);
    return client;
}

static void *fetch(void *arg)
{
    nango_client *client = client_new();
    int *sent = arg;

    for (int i = 0; i < CALLS; i++) {
        nango_connection *connection, *none = NULL;

        MUST(nango_get_connection(client, "k", "c", 0, &connection, NULL) == NANGO_OK);
        if (atomic_compare_exchange_strong(&parcel, &none, connection))
            ++*sent;
        else
            nango_connection_free(connection);
    }
    nango_client_free(client); /* results outlive it */
    return NULL;
}

static atomic_bool stop;

static void *receive(void *arg)
{
    int *received = arg;

    while (!atomic_load(&stop) || atomic_load(&parcel) != NULL) {
        nango_connection *connection = atomic_exchange(&parcel, NULL);
        const nango_credentials *credentials;

        if (connection == NULL) {
            sched_yield();
            continue;
        }
        credentials = nango_connection_credentials(connection);
        MUST(strcmp(nango_credentials_token(credentials), "t") == 0);
        nango_connection_free(connection);
        ++*received;
    }
    return NULL;
}

/* Interrupts until the waiting call is over: the first may come before the call begins. */
struct waiter {
    nango_client *client;
    atomic_int ended;
};

static void *interrupt(void *arg)
{
    struct waiter *waiter = arg;

    for (int i = 0; i < INTERRUPTS; i++) {
        nango_interrupt(waiter->client);
        while (atomic_load(&waiter->ended) <= i)
            sched_yield();
    }
    return NULL;
}

static void check_interrupts(void)
{
    struct waiter waiter = {.client = client_new()};
    pthread_t thread;
    nango_error err;

    atomic_init(&waiter.ended, 0);
    MUST(pthread_create(&thread, NULL, interrupt, &waiter) == 0);
    for (int i = 0; i < INTERRUPTS; i++) {
        nango_code code;

        if (i % 2 == 0)
            code = nango_get_provider(waiter.client, "silent", NULL, &err);
        else
            code =
                nango_wait_for_connection(waiter.client, "absent", "u", NULL, NULL, &err);
        MUST(code == NANGO_E_CANCELLED && err.code == code);
        atomic_store(&waiter.ended, i + 1);
    }
    MUST(pthread_join(thread, NULL) == 0);
    /* The client is as good as before. */
    MUST(nango_get_provider(waiter.client, "github", NULL, &err) == NANGO_OK);
    nango_client_free(waiter.client);
}

int main(void)
{
    pthread_t fetchers[THREADS], receiver;
    int sent[THREADS] = {0}, received = 0, all = 0;

    MUST(server_start(host, sizeof host));
    MUST(pthread_create(&receiver, NULL, receive, &received) == 0);
    for (int i = 0; i < THREADS; i++)
        MUST(pthread_create(&fetchers[i], NULL, fetch, &sent[i]) == 0);
    for (int i = 0; i < THREADS; i++) {
        MUST(pthread_join(fetchers[i], NULL) == 0);
        all += sent[i];
    }
    atomic_store(&stop, true);
    MUST(pthread_join(receiver, NULL) == 0);
    MUST(all > 0 && all == received);
    check_interrupts();
    printf("%d results handed over, %d calls interrupted\n", received, INTERRUPTS);
    return 0;
}
