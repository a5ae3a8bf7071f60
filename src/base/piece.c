/* SPDX-License-Identifier: Apache-2.0 */
/* See piece.h. Not under a sanitizer, which would not see what happens to the pieces. */
#include "base/piece.h"

#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/sanitized.h"

#define STEP ((size_t)1024)
#define FROM ((size_t)1032) /* what glibc keeps at hand by itself */
#define STEPS ((size_t)34)  /* 34 KB: the HTTP client's largest buffer, and a little */
#define KEEP_BYTES ((size_t)4 * 1024 * 1024) /* of one thread */

struct piece {
    struct piece *next;
};

/* Of one thread; list i holds pieces of at least (i + 1) * STEP bytes. */
struct kept {
    struct piece *lists[STEPS];
    size_t bytes;
    size_t spared; /* list whose pieces are not wiped; 0 = none, as list 0 stays empty */
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key; /* frees what a thread leaves */
static _Thread_local struct kept *kept;

static void forget(void *arg)
{
    struct kept *mine = arg;

    kept = NULL;
    for (size_t i = 0; i < STEPS; i++) {
        while (mine->lists[i] != NULL) {
            struct piece *piece = mine->lists[i];

            mine->lists[i] = piece->next;
            free(piece);
        }
    }
    free(mine);
}

static void make_key(void)
{
    if (pthread_key_create(&key, forget) != 0)
        abort();
}

static struct kept *kept_by_this_thread(void)
{
    if (kept == NULL) {
        pthread_once(&once, make_key);
        kept = calloc(1, sizeof *kept);
        if (kept != NULL && pthread_setspecific(key, kept) != 0) {
            free(kept);
            kept = NULL;
        }
    }
    return kept;
}

void *piece_take(size_t size)
{
    struct kept *mine;
    struct piece *piece;
    size_t list;

    if (SANITIZED || size <= FROM || size > STEPS * STEP)
        return malloc(size);
    list = (size - 1) / STEP;
    mine = kept_by_this_thread();
    piece = mine != NULL ? mine->lists[list] : NULL;
    if (piece == NULL)
        return malloc((list + 1) * STEP);
    mine->lists[list] = piece->next;
    mine->bytes -= (list + 1) * STEP;
    return piece;
}

void piece_give(void *p)
{
    size_t size = !SANITIZED && p != NULL ? malloc_usable_size(p) : 0;
    struct kept *mine;
    struct piece *piece = p;
    size_t list;

    if (size < 2 * STEP || size >= (STEPS + 1) * STEP) {
        free(p);
        return;
    }
    list = size / STEP - 1;
    mine = kept_by_this_thread();
    if (mine == NULL || mine->bytes + (list + 1) * STEP > KEEP_BYTES) {
        free(p);
        return;
    }
    /* It may lie here for long, and the HTTP client's hold heads with credentials. */
    if (list != mine->spared)
        explicit_bzero(piece, size);
    piece->next = mine->lists[list];
    mine->lists[list] = piece;
    mine->bytes += (list + 1) * STEP;
}

void piece_spare(size_t size)
{
    struct kept *mine = SANITIZED ? NULL : kept_by_this_thread();

    if (mine != NULL && size > FROM && size <= STEPS * STEP)
        mine->spared = (size - 1) / STEP;
}
