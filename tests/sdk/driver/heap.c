/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "driver.h"

static bool fails(struct heap *heap)
{
    return ++heap->counted == heap->fail_at;
}

static void *heap_alloc(size_t size, void *user)
{
    struct heap *heap = user;
    void *p = fails(heap) ? NULL : malloc(size);

    if (p != NULL)
        heap->live++;
    return p;
}

static void heap_release(void *p, void *user)
{
    struct heap *heap = user;

    if (p == NULL)
        fault("the allocator's release got NULL");
    heap->live--;
    free(p);
}

void heap_init(struct heap *heap)
{
    heap->allocator = (nango_allocator){heap_alloc, heap_release, heap};
}
