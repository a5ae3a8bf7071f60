/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for secrets.
 *
 * Small pieces come from slabs of one size class each, cut from mapped chunks that are
 * locked and left out of dumps; a piece starts with its class, so that freeing knows how
 * much to wipe. Pieces over the largest class are mapped on their own. Chunks are never
 * given back: the number of secrets alive at once is bounded by the requests alive at
 * once.
 *
 * Locking fails silently when RLIMIT_MEMLOCK is used up: the pages then can be swapped,
 * and are still excluded from dumps and wiped. */
#include "base/secret.h"

#include <cjson/cJSON.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/mem.h"

#define CLASS_COUNT 9 /* 64 bytes … 16 KiB */
#define CLASS_LARGE UINT32_MAX
#define CHUNK_BYTES ((size_t)256 * 1024)

struct piece {
    uint32_t class; /* or CLASS_LARGE */
    uint32_t magic;
    size_t mapped; /* whole mapping, large pieces only */
};
#define PIECE_MAGIC 0x5ec7e7u /* in use */
#define FREE_MAGIC 0xf4eeu

struct free_piece {
    struct piece head;
    struct free_piece *next;
};

/* The one allocator of the process, as malloc's own state is. */
static struct {
    pthread_mutex_t lock;
    struct free_piece *free[CLASS_COUNT];
} slabs = {.lock = PTHREAD_MUTEX_INITIALIZER};

static size_t class_bytes(uint32_t class)
{
    return (size_t)64 << class;
}

static void *map_pages(size_t size)
{
    void *p =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        abort();
    (void)madvise(p, size, MADV_DONTDUMP);
    (void)mlock(p, size); /* see the top: best effort */
    return p;
}

static void *alloc_large(size_t size)
{
    size_t page = 4096;
    size_t whole;
    struct piece *piece;

    if (size > SIZE_MAX / 2)
        abort();
    whole = (size + sizeof(struct piece) + page - 1) / page * page;
    piece = map_pages(whole);
    piece->class = CLASS_LARGE;
    piece->magic = PIECE_MAGIC;
    piece->mapped = whole;
    return piece + 1;
}

/* Cuts a fresh chunk into pieces of `class`; the lock is held. */
static void refill(uint32_t class)
{
    size_t step = class_bytes(class);
    char *chunk = map_pages(CHUNK_BYTES);

    for (size_t at = 0; at + step <= CHUNK_BYTES; at += step) {
        struct free_piece *piece = (struct free_piece *)(void *)(chunk + at);

        piece->head.class = class;
        piece->head.magic = FREE_MAGIC;
        piece->next = slabs.free[class];
        slabs.free[class] = piece;
    }
}

void *secret_alloc(size_t size)
{
    struct free_piece *piece;
    uint32_t class = 0;

    while (class < CLASS_COUNT && class_bytes(class) < size + sizeof(struct piece))
        class ++;
    if (class == CLASS_COUNT)
        return alloc_large(size);
    pthread_mutex_lock(&slabs.lock);
    if (slabs.free[class] == NULL)
        refill(class);
    piece = slabs.free[class];
    slabs.free[class] = piece->next;
    pthread_mutex_unlock(&slabs.lock);
    piece->head.magic = PIECE_MAGIC;
    return &piece->head + 1;
}

char *secret_strndup(const char *s, size_t len)
{
    char *copy = secret_alloc(len + 1);

    memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

void secret_free(void *p)
{
    struct piece *piece;

    if (p == NULL)
        return;
    piece = (struct piece *)p - 1;
    if (piece->magic != PIECE_MAGIC)
        abort(); /* not ours, or freed twice */
    if (piece->class == CLASS_LARGE) {
        size_t whole = piece->mapped;

        mem_wipe(piece, whole);
        munmap(piece, whole);
        return;
    }
    piece->magic = FREE_MAGIC;
    mem_wipe(p, class_bytes(piece->class) - sizeof *piece);
    pthread_mutex_lock(&slabs.lock);
    ((struct free_piece *)piece)->next = slabs.free[piece->class];
    slabs.free[piece->class] = (struct free_piece *)piece;
    pthread_mutex_unlock(&slabs.lock);
}

/* cJSON frees through this: documents may hold credentials. */
static void free_wiped(void *p)
{
    if (p == NULL)
        return;
    mem_wipe(p, malloc_usable_size(p));
    free(p);
}

void secret_harden_process(void)
{
    struct rlimit none = {0, 0};
    cJSON_Hooks hooks = {mem_alloc, free_wiped};

    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    cJSON_InitHooks(&hooks);
}
