/* SPDX-License-Identifier: Apache-2.0 */
/* Row ids as bits: 8 KiB for each 65,536 that follow each other, which those of one part
 * nearly do. */
#include <stdlib.h>

#include "base/mem.h"
#include "records/records_int.h"

enum {
    BLOCK_BITS = 65536,
};

struct block {
    int64_t number;
    uint8_t bits[BLOCK_BITS / 8];
};

/* Used by several calls of one execution at once. */
struct records_seen {
    pthread_mutex_t lock;
    struct block **list; /* by number */
    size_t count;
};

struct records_seen *records_seen_new(void)
{
    struct records_seen *seen = MEM_NEW(struct records_seen);

    pthread_mutex_init(&seen->lock, NULL);
    return seen;
}

void records_seen_free(struct records_seen *seen)
{
    if (seen == NULL)
        return;
    for (size_t i = 0; i < seen->count; i++)
        free(seen->list[i]);
    free(seen->list);
    pthread_mutex_destroy(&seen->lock);
    free(seen);
}

/* The first whose number is not lower. */
static size_t place_of(const struct records_seen *seen, int64_t number)
{
    size_t low = 0, high = seen->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (seen->list[middle]->number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct block *insert(struct records_seen *seen, size_t at, int64_t number)
{
    struct block *block = MEM_NEW(struct block);

    block->number = number;
    seen->list = sql_room(seen->list, seen->count, sizeof(struct block *));
    for (size_t i = seen->count; i > at; i--)
        seen->list[i] = seen->list[i - 1];
    seen->list[at] = block;
    seen->count++;
    return block;
}

void seen_add(struct records_seen *seen, int64_t record)
{
    int64_t number = record / BLOCK_BITS, bit = record % BLOCK_BITS;
    struct block *block;
    size_t at;

    pthread_mutex_lock(&seen->lock);
    at = place_of(seen, number);
    block = at < seen->count && seen->list[at]->number == number
                ? seen->list[at]
                : insert(seen, at, number);
    block->bits[bit / 8] |= (uint8_t)(1 << (bit % 8));
    pthread_mutex_unlock(&seen->lock);
}

bool seen_has(const struct records_seen *seen, int64_t record)
{
    int64_t number = record / BLOCK_BITS, bit = record % BLOCK_BITS;
    size_t at = place_of(seen, number);

    return at < seen->count && seen->list[at]->number == number &&
           (seen->list[at]->bits[bit / 8] & (1 << (bit % 8))) != 0;
}
