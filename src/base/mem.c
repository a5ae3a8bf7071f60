/* SPDX-License-Identifier: Apache-2.0 */
/* Heap memory that is there or the process is not. */
#include "base/mem.h"

#include "base/piece.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void out_of_memory(void) __attribute__((noreturn));

static void out_of_memory(void)
{
    static const char text[] = "nangod: out of memory\n";
    ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);

    (void)ignored; /* nowhere left to report to */
    abort();
}

void *mem_alloc(size_t size)
{
    void *p = malloc(size > 0 ? size : 1);

    if (p == NULL)
        out_of_memory();
    return p;
}

void *mem_piece(size_t size)
{
    void *p = piece_take(size);

    if (p == NULL)
        out_of_memory();
    return p;
}

void *mem_zalloc(size_t size)
{
    void *p = calloc(1, size > 0 ? size : 1);

    if (p == NULL)
        out_of_memory();
    return p;
}

void *mem_resize(void *p, size_t size)
{
    void *q = realloc(p, size > 0 ? size : 1);

    if (q == NULL)
        out_of_memory();
    return q;
}

void *mem_resize_array(void *p, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        out_of_memory();
    return mem_resize(p, count * size);
}

void *mem_dup(const void *p, size_t size)
{
    void *q = mem_alloc(size);

    if (size > 0)
        memcpy(q, p, size);
    return q;
}

void mem_wipe(void *p, size_t size)
{
    if (p != NULL && size > 0)
        explicit_bzero(p, size);
}

void mem_free_text(char *text)
{
    if (text != NULL)
        mem_wipe(text, strlen(text));
    free(text);
}
