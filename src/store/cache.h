/* SPDX-License-Identifier: Apache-2.0 */
/* Rows kept in memory by the key they were looked up by. Bounded; any thread. See cache.c
 * for why a row that a finished write has replaced is never handed out. */
#ifndef STORE_CACHE_H
#define STORE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cache;

/* `capacity`: entries at most. `unref` gives a reference back. */
struct cache *cache_new(size_t capacity, void (*unref)(void *row));
void cache_free(struct cache *cache);

/* A new reference, or NULL. A miss is counted. */
void *cache_find(struct cache *cache, const void *key, size_t key_len);

/* Call before reading the row from the database and pass the result to cache_add(), which
 * does nothing if anything was dropped in between. */
uint64_t cache_generation(const struct cache *cache);
/* Takes a reference of its own. `id` is what cache_drop() names the row by. */
void cache_add(struct cache *cache, uint64_t generation, const void *key, size_t key_len,
    int64_t id, void *row);

/* Call after a write is durable and before its caller is told so. */
void cache_drop(struct cache *cache, int64_t id);
void cache_drop_if(struct cache *cache, bool (*match)(const void *row, const void *arg),
    const void *arg);
void cache_clear(struct cache *cache);

/* Lets `renew` replace the row with that id by a fresh one, which the cache then owns; it
 * returns NULL to keep the row. For rows that are looked up by one key only. */
void cache_renew(struct cache *cache, int64_t id,
    void *(*renew)(const void *row, const void *arg), const void *arg);

void cache_counts(struct cache *cache, uint64_t *hits, uint64_t *misses, size_t *entries);

#endif
