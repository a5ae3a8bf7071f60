/* SPDX-License-Identifier: Apache-2.0 */
/* Every block is preceded by its size, so that it can be seen whether it comes back wiped:
 * all of it but where the library itself keeps the size, at the beginning. */
#include <stdlib.h>

#include "driver.h"

union head {
    size_t size;
    max_align_t align;
};

static void *heap_alloc(size_t size, void *user)
{
    struct heap *heap = user;
    union head *head;

    if (++heap->counted == heap->fail_at)
        return NULL;
    head = must(malloc(sizeof *head + size));
    head->size = size;
    heap->live++;
    return head + 1;
}

static void heap_release(void *p, void *user)
{
    struct heap *heap = user;
    union head *head;
    const char *bytes = p;

    if (p == NULL)
        fault("the allocator's release got NULL");
    head = (union head *)p - 1;
    for (size_t i = sizeof(max_align_t); i < head->size; i++) {
        if (bytes[i] != 0)
            fault("memory of %zu bytes is given back unwiped, from byte %zu on",
                head->size, i);
    }
    heap->live--;
    free(head);
}

void heap_init(struct heap *heap)
{
    heap->allocator = (nango_allocator){heap_alloc, heap_release, heap};
}
