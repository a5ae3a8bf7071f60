/* SPDX-License-Identifier: Apache-2.0 */
/* One adapter under strain, chosen by a macro: connections that close, so that numbers of
 * descriptors come back within a turn; time limits; pauses; a loop that is let go of with
 * calls under way, and taken again. Run by tests/api/sdk_examples.test.mjs, whose listener
 * answers /proxy/ok, /close, /large and never /hold. Says nothing when all is well. */
#include <stdio.h>
#include <stdlib.h>

#if defined(WITH_EPOLL)
#include "nango/adapters/epoll.h"
static nango_epoll *loop, *refused;
#define ATTACH_AGAIN(client, err) nango_epoll_attach(client, &refused, err)
#define OPEN() (void)0
#define ATTACH(client, err) nango_epoll_attach(client, &loop, err)
#define STEP() (void)nango_epoll_run_once(loop, -1)
#define CLOSE() (void)0
#elif defined(WITH_LIBUV)
#include "nango/adapters/libuv.h"
static uv_loop_t loop;
#define OPEN() (void)uv_loop_init(&loop)
#define ATTACH(client, err) nango_libuv_attach(client, &loop, err)
#define STEP() (void)uv_run(&loop, UV_RUN_ONCE)
#define CLOSE() EXPECT(uv_run(&loop, UV_RUN_DEFAULT) == 0 && uv_loop_close(&loop) == 0)
#elif defined(WITH_LIBEV)
#include "nango/adapters/libev.h"
static struct ev_loop *loop;
#define OPEN() (void)(loop = ev_loop_new(EVFLAG_AUTO))
#define ATTACH(client, err) nango_libev_attach(client, loop, err)
#define STEP() (void)ev_run(loop, EVRUN_ONCE)
#define CLOSE() ev_loop_destroy(loop)
#else
#include "nango/adapters/libevent.h"
static struct event_base *loop;
#define OPEN() (void)(loop = event_base_new())
#define ATTACH(client, err) nango_libevent_attach(client, loop, err)
#define STEP() (void)event_base_loop(loop, EVLOOP_ONCE)
#define CLOSE() (event_base_free(loop), libevent_global_shutdown())
#endif
#include "nango/nango.h"

#ifndef ATTACH_AGAIN
#define ATTACH_AGAIN ATTACH
#endif
#define EXPECT(condition)                                                                \
    do {                                                                                 \
        if (!(condition)) {                                                              \
            fprintf(stderr, "line %d: %s\n", __LINE__, #condition);                      \
            exit(1);                                                                     \
        }                                                                                \
    } while (0)

struct run {
    nango_client *client;
    int left;                     /* calls that on_done() is still to start */
    int count[NANGO_E_PARSE + 1]; /* of callbacks, by code */
    nango_call *paused;
    size_t streamed;
};

static void on_done(nango_response *response, const nango_error *error, void *user);

static void start(struct run *run, const char *endpoint)
{
    const nango_proxy_config config = {.endpoint = endpoint};
    nango_error err;

    EXPECT(nango_get_start(run->client, &config, on_done, run, NULL, &err) == NANGO_OK);
}

static void on_done(nango_response *response, const nango_error *error, void *user)
{
    struct run *run = user;

    run->count[error->code]++;
    nango_response_free(response);
    if (run->left > 0) {
        run->left--;
        start(run, run->left % 2 == 0 ? "/close" : "/ok");
    }
}

static bool on_data(const char *data, size_t len, void *user)
{
    struct run *run = user;

    (void)data;
    if (run->streamed == 0) {
        nango_call_pause(run->paused);
        start(run, "/ok"); /* whose end is when it goes on */
    }
    run->streamed += len;
    return true;
}

static void on_streamed(const nango_error *error, void *user)
{
    struct run *run = user;

    run->count[error->code]++;
    run->paused = NULL;
}

static void drain(const struct run *run)
{
    while (nango_calls_active(run->client) > 0)
        STEP();
}

static void stream(struct run *run)
{
    const nango_proxy_config config = {.endpoint = "/large"};
    const nango_stream pieces = {.on_data = on_data, .user = run};
    nango_error err;
    size_t before;

    EXPECT(nango_proxy_stream_start(run->client, &config, &pieces, on_streamed, run,
               &run->paused, &err) == NANGO_OK);
    while (run->count[NANGO_OK] == 0) /* the short call's end */
        STEP();
    EXPECT(run->paused != NULL);
    before = run->streamed;
    EXPECT(before > 0 && before < (16u << 20));
    nango_call_resume(run->paused);
    drain(run);
    EXPECT(run->count[NANGO_OK] == 2 && run->streamed == 16u << 20);
}

int main(void)
{
    const nango_client_options options = {
        .provider_config_key = "key", .connection_id = "id", .timeout_ms = 20000};
    struct run run = {0};
    nango_error err;

    OPEN();
    EXPECT(nango_client_new_from_env(&options, &run.client, &err) == NANGO_OK);
    EXPECT(ATTACH(run.client, &err) == NANGO_OK);
    EXPECT(ATTACH_AGAIN(run.client, &err) == NANGO_E_STATE);

    run.left = 300;
    for (int i = 0; i < 20; i++)
        start(&run, "/close");
    drain(&run);
    EXPECT(run.count[NANGO_OK] == 320);

    nango_client_set_timeout(run.client, 50);
    for (int i = 0; i < 5; i++)
        start(&run, "/hold");
    drain(&run);
    EXPECT(run.count[NANGO_E_TIMEOUT] == 5);
    nango_client_set_timeout(run.client, 20000);

    run.count[NANGO_OK] = 0;
    stream(&run);

    for (int i = 0; i < 5; i++)
        start(&run, "/hold");
    start(&run, "/ok");
    while (run.count[NANGO_OK] < 3)
        STEP();
    nango_detach(run.client);
    EXPECT(run.count[NANGO_E_CANCELLED] == 5);
    EXPECT(ATTACH(run.client, &err) == NANGO_OK);
    start(&run, "/ok");
    drain(&run);
    EXPECT(run.count[NANGO_OK] == 4);

    start(&run, "/hold");
    start(&run, "/ok"); /* at its end the other is under way */
    while (run.count[NANGO_OK] < 5)
        STEP();
    nango_client_free(run.client);
    EXPECT(run.count[NANGO_E_CANCELLED] == 6);
    CLOSE();
    return 0;
}
