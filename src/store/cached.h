/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of the caches, put together on the stack. A key that does not fit is "not cached":
 * its lookups go to the database, which is slower and as right. */
#ifndef STORE_CACHED_H
#define STORE_CACHED_H

#include <stdbool.h>
#include <string.h>

#include "store/cache.h"

struct cache_key {
    size_t len; /* 0 = too long */
    char bytes[640];
};

static inline void cache_key_begin(struct cache_key *key, char kind)
{
    key->bytes[0] = kind;
    key->len = 1;
}

static inline void cache_key_bytes(struct cache_key *key, const void *data, size_t len)
{
    if (key->len == 0 || len > sizeof key->bytes - key->len) {
        key->len = 0;
        return;
    }
    memcpy(key->bytes + key->len, data, len);
    key->len += len;
}

/* With its NUL, so that two texts in a row cannot run into each other. */
static inline void cache_key_text(struct cache_key *key, const char *text)
{
    cache_key_bytes(key, text, strlen(text) + 1);
}

static inline void *cached_find(struct cache *cache, const struct cache_key *key)
{
    return key->len > 0 ? cache_find(cache, key->bytes, key->len) : NULL;
}

static inline void cached_add(struct cache *cache, uint64_t generation,
    const struct cache_key *key, int64_t id, void *row)
{
    if (key->len > 0)
        cache_add(cache, generation, key->bytes, key->len, id, row);
}

#endif
