/* SPDX-License-Identifier: Apache-2.0 */
/* Condition variables that wait by the monotonic clock. */
#ifndef BASE_COND_H
#define BASE_COND_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* For pthread_cond_destroy(). */
void cond_init(pthread_cond_t *cond);
/* As pthread_cond_wait(), but not longer than until `mono_us` (clock_mono_us()). False: it
 * is that late. */
bool cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t mono_us);
/* The same for `ms` milliseconds from now. */
bool cond_wait_ms(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t ms);

#endif
