/* SPDX-License-Identifier: Apache-2.0 */
#include "inbound/ingress.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"
#include "catalog/hash.h"

#define WINDOW_MS 60000

/* Of an integration that has had a webhook since the start: as many as there are. */
struct window {
    int64_t integration_id;
    int64_t begun_ms;
    int64_t count;
    UT_hash_handle hh;
};

struct ingress {
    const struct clock *clock;
    int64_t per_minute;
    pthread_mutex_t lock;
    struct window *windows;
};

struct ingress *ingress_new(const struct clock *clock, int64_t per_minute)
{
    struct ingress *ingress = MEM_NEW(struct ingress);

    ingress->clock = clock;
    ingress->per_minute = per_minute;
    pthread_mutex_init(&ingress->lock, NULL);
    return ingress;
}

void ingress_free(struct ingress *ingress)
{
    struct window *window, *next;

    if (ingress == NULL)
        return;
    HASH_ITER(hh, ingress->windows, window, next)
    {
        HASH_DEL(ingress->windows, window);
        free(window);
    }
    pthread_mutex_destroy(&ingress->lock);
    free(ingress);
}

/* The lock is held. */
static struct window *window_of(struct ingress *ingress, int64_t integration_id)
{
    struct window *window;

    HASH_FIND(hh, ingress->windows, &integration_id, sizeof integration_id, window);
    if (window == NULL) {
        window = MEM_NEW(struct window);
        window->integration_id = integration_id;
        HASH_ADD(hh, ingress->windows, integration_id, sizeof integration_id, window);
    }
    return window;
}

void ingress_count(
    struct ingress *ingress, int64_t integration_id, struct ingress_state *out)
{
    int64_t now_ms = clock_now_ms(ingress->clock), end_ms;
    struct window *window;

    pthread_mutex_lock(&ingress->lock);
    window = window_of(ingress, integration_id);
    /* A window of the future was begun before the clock was set back. */
    if (now_ms >= window->begun_ms + WINDOW_MS || now_ms < window->begun_ms) {
        window->begun_ms = now_ms;
        window->count = 0;
    }
    window->count++;
    end_ms = window->begun_ms + WINDOW_MS;
    out->limit = ingress->per_minute;
    out->over = window->count > ingress->per_minute;
    out->remaining = out->over ? 0 : ingress->per_minute - window->count;
    pthread_mutex_unlock(&ingress->lock);
    out->reset_s = (end_ms + 999) / 1000;
    out->retry_after_s = (end_ms - now_ms + 999) / 1000;
}
