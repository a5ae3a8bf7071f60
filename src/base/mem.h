/* SPDX-License-Identifier: Apache-2.0 */
/* Heap memory for the daemon. Running out of memory is not handled call by call: the
 * process says so on standard error and aborts, and what was acknowledged is in the
 * store. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t size) __attribute__((malloc, alloc_size(1), returns_nonnull));
/* As piece_take() (base/piece.h). */
void *mem_piece(size_t size) __attribute__((malloc, alloc_size(1), returns_nonnull));
void *mem_zalloc(size_t size) __attribute__((malloc, alloc_size(1), returns_nonnull));
void *mem_resize(void *p, size_t size) __attribute__((alloc_size(2), returns_nonnull));
/* Resizes an array of `count` elements; aborts on overflow of the product. */
void *mem_resize_array(void *p, size_t count, size_t size)
    __attribute__((returns_nonnull));
void *mem_dup(const void *p, size_t size) __attribute__((malloc, returns_nonnull));

/* Wipes `size` bytes in a way that the compiler keeps. */
void mem_wipe(void *p, size_t size);
/* Wipes a text up to its end, then frees it. Accepts NULL. */
void mem_free_text(char *text);

#define MEM_NEW(type) ((type *)mem_zalloc(sizeof(type)))

#endif
