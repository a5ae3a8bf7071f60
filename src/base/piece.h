/* SPDX-License-Identifier: Apache-2.0 */
/* Memory in pieces of some KB that come and go with each request: buffers, and what the
 * HTTP client needs for a transfer. The C library keeps only smaller pieces at hand for a
 * thread and tidies its heap for each larger one, which costs a tenth of a proxied
 * request. Here every thread keeps its own.
 *
 * Pieces are the C library's own: free() takes them, too, and so does any other thread. */
#ifndef BASE_PIECE_H
#define BASE_PIECE_H

#include <stddef.h>

/* NULL when there is no memory. */
void *piece_take(size_t size);
void piece_give(
    void *piece); /* accepts NULL, and whatever malloc() gave; wipes what it keeps */
/* Pieces of `size` that this thread gives back hold no secrets, and are mostly untouched:
 * wiping them would make memory of what never was. */
void piece_spare(size_t size);

#endif
