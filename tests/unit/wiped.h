/* SPDX-License-Identifier: Apache-2.0 */
/* Finds secrets in memory that is given back: for tests linked with --wrap=free and
 * --wrap=realloc, which make our own calls of these come here. Include once. */
#ifndef TESTS_UNIT_WIPED_H
#define TESTS_UNIT_WIPED_H

#include <malloc.h>
#include <stdatomic.h>
#include <string.h>

#define WIPED_MARK "s3cret-mark"

static atomic_int wiped_misses; /* blocks that held the mark when they were given back */

void __real_free(void *p);
void *__real_realloc(void *p, size_t size);
void __wrap_free(void *p);
void *__wrap_realloc(void *p, size_t size);

static void wiped_look(void *p)
{
    if (p != NULL && memmem(p, malloc_usable_size(p), WIPED_MARK, strlen(WIPED_MARK)))
        wiped_misses++;
}

void __wrap_free(void *p)
{
    wiped_look(p);
    __real_free(p);
}

/* It may leave a copy behind whenever the block grows. */
void *__wrap_realloc(void *p, size_t size)
{
    wiped_look(p);
    return __real_realloc(p, size);
}

#endif
