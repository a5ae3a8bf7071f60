/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the edges share: a client of the rough server, and a call by it. */
#ifndef TESTS_SDK_EDGES_H
#define TESTS_SDK_EDGES_H

#include <time.h>

#include "nango/nango.h"
#include "sdk/rough_server.h"

/* Of what has to happen soon, on machines that are busy. */
#define SOON_MS 8000

#define KEY "0791b35e-8a9c-44e5-a22d"

static char host[64]; /* of the server */
static nango_client *client;

static inline nango_client *client_at(const char *where, int64_t timeout_ms)
{
    const nango_client_options options = {.secret_key = KEY,
        .host = where,
        .provider_config_key = "k",
        .connection_id = "c",
        .timeout_ms = timeout_ms,
        .connect_timeout_ms = timeout_ms};
    nango_client *made;

    return nango_client_new(&options, &made, NULL) == NANGO_OK ? made : NULL;
}

static inline nango_code fetch(
    const char *endpoint, nango_response **out, nango_error *err)
{
    const nango_proxy_config config = {.endpoint = endpoint};

    return nango_proxy(client, &config, out, err);
}

static inline int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#endif
