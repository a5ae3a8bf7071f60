/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of the client's own choice. Each block remembers its size, so that all of it is
 * wiped before it goes back: any of it may have held a credential. */
#include <stdlib.h>
#include <string.h>

#include "sdk/sdk_int.h"

/* In front of each block; as wide as the strictest alignment. */
union head {
    size_t size;
    max_align_t align;
};

static void *take(size_t size, void *user)
{
    (void)user;
    return malloc(size);
}

static void give(void *p, void *user)
{
    (void)user;
    free(p);
}

const struct ngo_mem ngo_mem_default = {{take, give, NULL}};

void ngo_wipe(void *p, size_t size)
{
    if (size > 0)
        explicit_bzero(p, size);
}

static union head *head_new(const struct ngo_mem *mem, size_t size)
{
    union head *head;

    if (size > SIZE_MAX - sizeof *head)
        return NULL;
    head = mem->allocator.alloc(sizeof *head + size, mem->allocator.user);
    if (head != NULL)
        head->size = size;
    return head;
}

void *ngo_alloc(const struct ngo_mem *mem, size_t size)
{
    union head *head = head_new(mem, size);

    if (head == NULL)
        return NULL;
    memset(head + 1, 0, size);
    return head + 1;
}

void *ngo_resize(const struct ngo_mem *mem, void *p, size_t size)
{
    union head *head = head_new(mem, size);

    if (head == NULL)
        return NULL;
    if (p != NULL) {
        size_t old = ((union head *)p - 1)->size;

        memcpy(head + 1, p, old < size ? old : size);
        ngo_free(mem, p);
    }
    return head + 1;
}

void ngo_free(const struct ngo_mem *mem, void *p)
{
    union head *head = p;

    if (p == NULL)
        return;
    head--;
    ngo_wipe(p, head->size);
    mem->allocator.release(head, mem->allocator.user);
}

char *ngo_strdup(const struct ngo_mem *mem, const char *s)
{
    char *copy;
    size_t size;

    if (s == NULL)
        return NULL;
    size = strlen(s) + 1;
    copy = ngo_resize(mem, NULL, size);
    if (copy != NULL)
        memcpy(copy, s, size);
    return copy;
}
