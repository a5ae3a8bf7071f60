/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cond.h"

#include <errno.h>
#include <time.h>

#include "base/clock.h"

void cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

bool cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t mono_us)
{
    const struct timespec until = {
        .tv_sec = (time_t)(mono_us / 1000000),
        .tv_nsec = (long)(mono_us % 1000000) * 1000,
    };

    return pthread_cond_timedwait(cond, mutex, &until) != ETIMEDOUT;
}

bool cond_wait_ms(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t ms)
{
    return cond_wait_until(cond, mutex, clock_mono_us() + ms * 1000);
}
