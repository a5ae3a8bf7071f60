/* SPDX-License-Identifier: Apache-2.0 */
/* The cache: two sets of shards over the same nodes.
 *
 *   by key:  hash(key) → bucket → nodes   lookups; a shard queues its nodes by age
 *   by id:   hash(id)  → bucket → nodes   dropping: a row may have many keys
 *
 * Never stale. A writer commits, then drops, then returns to its caller. A reader that
 * missed notes the generation, reads the database, then adds:
 *
 *   drop:  generation++  →  mark each node of the id, unlink it by key and by id
 *   add:   link by id    →  same generation as before the read, no mark: link by key
 *
 * If the reader saw the old row, its read began before the commit, hence before the
 * generation grew. Either its check comes after that, and it gives up; or it linked
 * before, and then the drop, which scans after growing the generation, finds the node by
 * its id and unlinks it.
 *
 * What is linked by key is linked by id as well, so that the next drop finds it. The mark
 * is for a drop that comes between the two halves of an add: it takes the node out of the
 * ids, and the add, which may have read a fresh row, must not then put it among the keys.
 *
 * A node is held by each index that links it (`refs`). A shard's lock guards its links
 * and, for the key shard, the node's row and mark. Never are two locks held at once.
 *
 * Full shards evict by second chance: the oldest entry goes unless it was used since it
 * was last looked at. */
#include "store/cache.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "store/store_int.h"

enum {
    SHARDS = 32
};

struct node {
    atomic_int refs;
    uint64_t key_hash;
    int64_t id;
    void *row; /* guarded by the key shard */
    bool by_key;
    bool by_id;
    bool dropped; /* guarded by the key shard: not to be linked by key any more */
    bool used;
    struct node *key_next;      /* in its bucket */
    struct node *id_next;       /* in its bucket */
    struct node *older, *newer; /* in the age queue of its key shard */
    size_t key_len;
    unsigned char key[];
};

struct shard {
    pthread_mutex_t lock;
    struct node **buckets;
    struct node *oldest, *newest; /* key shards only */
    size_t count;
    uint64_t hits, misses;
} __attribute__((aligned(64)));

struct cache {
    struct shard by_key[SHARDS];
    struct shard by_id[SHARDS];
    atomic_uint_fast64_t generation;
    uint64_t seed; /* so that nobody can choose keys that collide */
    size_t bucket_mask;
    size_t shard_capacity;
    void (*unref)(void *row);
};

/* ---- hashing ---- */

static uint64_t hash_key(const struct cache *cache, const void *key, size_t len)
{
    return XXH3_64bits_withSeed(key, len, cache->seed);
}

static uint64_t hash_id(const struct cache *cache, int64_t id)
{
    return XXH3_64bits_withSeed(&id, sizeof id, cache->seed);
}

static struct shard *shard_of(struct shard *shards, uint64_t hash)
{
    return &shards[hash % SHARDS];
}

static struct node **bucket_of(
    const struct cache *cache, struct shard *shard, uint64_t hash)
{
    return &shard->buckets[hash / SHARDS & cache->bucket_mask];
}

/* ---- nodes ---- */

static void node_ref(struct node *node)
{
    atomic_fetch_add_explicit(&node->refs, 1, memory_order_relaxed);
}

static void node_unref(const struct cache *cache, struct node *node)
{
    if (atomic_fetch_sub_explicit(&node->refs, 1, memory_order_acq_rel) == 1) {
        cache->unref(node->row);
        free(node);
    }
}

static void age_unlink(struct shard *shard, struct node *node)
{
    if (node->older != NULL)
        node->older->newer = node->newer;
    else
        shard->oldest = node->newer;
    if (node->newer != NULL)
        node->newer->older = node->older;
    else
        shard->newest = node->older;
    node->older = node->newer = NULL;
}

static void age_append(struct shard *shard, struct node *node)
{
    node->older = shard->newest;
    node->newer = NULL;
    if (shard->newest != NULL)
        shard->newest->newer = node;
    else
        shard->oldest = node;
    shard->newest = node;
}

/* The shard is locked. The index's reference of the node passes to the caller. */
static void key_unlink_locked(struct cache *cache, struct shard *shard, struct node *node)
{
    struct node **at = bucket_of(cache, shard, node->key_hash);

    while (*at != node)
        at = &(*at)->key_next;
    *at = node->key_next;
    age_unlink(shard, node);
    node->by_key = false;
    shard->count--;
}

/* The caller holds a reference of its own in these two. */
static void key_unlink(struct cache *cache, struct node *node)
{
    struct shard *shard = shard_of(cache->by_key, node->key_hash);
    bool linked;

    pthread_mutex_lock(&shard->lock);
    node->dropped = true;
    linked = node->by_key;
    if (linked)
        key_unlink_locked(cache, shard, node);
    pthread_mutex_unlock(&shard->lock);
    if (linked)
        node_unref(cache, node);
}

static void id_unlink(struct cache *cache, struct node *node)
{
    uint64_t hash = hash_id(cache, node->id);
    struct shard *shard = shard_of(cache->by_id, hash);
    bool linked;

    pthread_mutex_lock(&shard->lock);
    linked = node->by_id;
    if (linked) {
        struct node **at = bucket_of(cache, shard, hash);

        while (*at != node)
            at = &(*at)->id_next;
        *at = node->id_next;
        node->by_id = false;
    }
    pthread_mutex_unlock(&shard->lock);
    if (linked)
        node_unref(cache, node);
}

/* ---- life ---- */

static void shards_init(struct shard *shards, size_t buckets)
{
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_init(&shards[i].lock, NULL);
        shards[i].buckets = mem_zalloc(buckets * sizeof *shards[i].buckets);
    }
}

static void shards_finish(struct shard *shards)
{
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_destroy(&shards[i].lock);
        free(shards[i].buckets);
    }
}

struct cache *cache_new(size_t capacity, void (*unref)(void *row))
{
    struct cache *cache;
    size_t buckets = 1;
    void *memory = NULL;

    if (posix_memalign(&memory, _Alignof(struct cache), sizeof *cache) != 0)
        abort();
    cache = memory;
    memset(cache, 0, sizeof *cache);
    cache->shard_capacity = (capacity + SHARDS - 1) / SHARDS;
    if (cache->shard_capacity == 0)
        cache->shard_capacity = 1;
    while (buckets < cache->shard_capacity)
        buckets *= 2;
    cache->bucket_mask = buckets - 1;
    cache->unref = unref;
    crypto_random(&cache->seed, sizeof cache->seed);
    shards_init(cache->by_key, buckets);
    shards_init(cache->by_id, buckets);
    return cache;
}

void cache_free(struct cache *cache)
{
    if (cache == NULL)
        return;
    cache_clear(cache);
    shards_finish(cache->by_key);
    shards_finish(cache->by_id);
    free(cache);
}

/* ---- reading ---- */

static struct node *find_locked(struct cache *cache, struct shard *shard, uint64_t hash,
    const void *key, size_t key_len)
{
    struct node *node = *bucket_of(cache, shard, hash);

    while (node != NULL && (node->key_hash != hash || node->key_len != key_len ||
                               memcmp(node->key, key, key_len) != 0))
        node = node->key_next;
    return node;
}

void *cache_find(struct cache *cache, const void *key, size_t key_len)
{
    uint64_t hash = hash_key(cache, key, key_len);
    struct shard *shard = shard_of(cache->by_key, hash);
    struct node *node;
    void *row = NULL;

    pthread_mutex_lock(&shard->lock);
    node = find_locked(cache, shard, hash, key, key_len);
    if (node != NULL) {
        node->used = true;
        row = node->row;
        row_ref(row);
        shard->hits++;
    } else {
        shard->misses++;
    }
    pthread_mutex_unlock(&shard->lock);
    return row;
}

uint64_t cache_generation(const struct cache *cache)
{
    return atomic_load(&cache->generation);
}

/* ---- adding ---- */

static void link_by_id(struct cache *cache, struct node *node)
{
    uint64_t hash = hash_id(cache, node->id);
    struct shard *shard = shard_of(cache->by_id, hash);
    struct node **bucket = bucket_of(cache, shard, hash);

    pthread_mutex_lock(&shard->lock);
    node->id_next = *bucket;
    *bucket = node;
    node->by_id = true;
    node_ref(node);
    pthread_mutex_unlock(&shard->lock);
}

/* Unlinks and returns the entry to give up when the shard is full. */
static struct node *evict_locked(struct cache *cache, struct shard *shard)
{
    struct node *node = NULL;

    if (shard->count < cache->shard_capacity)
        return NULL;
    for (node = shard->oldest; node->used; node = shard->oldest) {
        node->used = false;
        age_unlink(shard, node);
        age_append(shard, node);
    }
    key_unlink_locked(cache, shard, node);
    return node;
}

void cache_add(struct cache *cache, uint64_t generation, const void *key, size_t key_len,
    int64_t id, void *row)
{
    struct node *node = mem_zalloc(sizeof *node + key_len);
    struct node *gone[2] = {NULL, NULL};
    struct shard *shard;
    bool added = false;

    node->refs = 1; /* ours */
    node->key_hash = hash_key(cache, key, key_len);
    node->id = id;
    node->row = row;
    row_ref(row);
    node->key_len = key_len;
    memcpy(node->key, key, key_len);
    shard = shard_of(cache->by_key, node->key_hash);

    link_by_id(cache, node);
    pthread_mutex_lock(&shard->lock);
    if (atomic_load(&cache->generation) == generation && !node->dropped) {
        struct node **bucket = bucket_of(cache, shard, node->key_hash);

        gone[0] = find_locked(cache, shard, node->key_hash, key, key_len);
        if (gone[0] != NULL) /* another reader was quicker with the same row */
            key_unlink_locked(cache, shard, gone[0]);
        gone[1] = evict_locked(cache, shard);
        node->key_next = *bucket;
        *bucket = node;
        age_append(shard, node);
        node->by_key = true;
        node_ref(node);
        shard->count++;
        added = true;
    }
    pthread_mutex_unlock(&shard->lock);

    for (size_t i = 0; i < 2; i++) {
        if (gone[i] != NULL) {
            id_unlink(cache, gone[i]);
            node_unref(cache, gone[i]);
        }
    }
    if (!added)
        id_unlink(cache, node);
    node_unref(cache, node);
}

/* ---- dropping ---- */

/* A node with that id, if any, with a reference for the caller. */
static struct node *node_of_id(struct cache *cache, int64_t id)
{
    uint64_t hash = hash_id(cache, id);
    struct shard *shard = shard_of(cache->by_id, hash);
    struct node *node;

    pthread_mutex_lock(&shard->lock);
    node = *bucket_of(cache, shard, hash);
    while (node != NULL && node->id != id)
        node = node->id_next;
    if (node != NULL)
        node_ref(node);
    pthread_mutex_unlock(&shard->lock);
    return node;
}

void cache_drop(struct cache *cache, int64_t id)
{
    struct node *node;

    atomic_fetch_add(&cache->generation, 1);
    while ((node = node_of_id(cache, id)) != NULL) {
        key_unlink(cache, node);
        id_unlink(cache, node);
        node_unref(cache, node);
    }
}

void cache_drop_if(
    struct cache *cache, bool (*match)(const void *row, const void *arg), const void *arg)
{
    atomic_fetch_add(&cache->generation, 1);
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *shard = &cache->by_key[i];
        struct node *gone = NULL, *node, *next;

        pthread_mutex_lock(&shard->lock);
        for (node = shard->oldest; node != NULL; node = next) {
            next = node->newer;
            if (match == NULL || match(node->row, arg)) {
                key_unlink_locked(cache, shard, node);
                node->key_next = gone; /* out of its bucket: the link is free */
                gone = node;
            }
        }
        pthread_mutex_unlock(&shard->lock);
        for (node = gone; node != NULL; node = next) {
            next = node->key_next;
            id_unlink(cache, node);
            node_unref(cache, node);
        }
    }
}

void cache_clear(struct cache *cache)
{
    cache_drop_if(cache, NULL, NULL);
}

void cache_renew(struct cache *cache, int64_t id,
    void *(*renew)(const void *row, const void *arg), const void *arg)
{
    struct node *node = node_of_id(cache, id);
    struct shard *shard;
    void *old = NULL;

    if (node == NULL)
        return;
    shard = shard_of(cache->by_key, node->key_hash);
    pthread_mutex_lock(&shard->lock);
    if (node->by_key) {
        void *fresh = renew(node->row, arg);

        if (fresh != NULL) {
            old = node->row;
            node->row = fresh;
        }
    }
    pthread_mutex_unlock(&shard->lock);
    if (old != NULL)
        cache->unref(old);
    node_unref(cache, node);
}

void cache_counts(struct cache *cache, uint64_t *hits, uint64_t *misses, size_t *entries)
{
    *hits = *misses = 0;
    *entries = 0;
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *shard = &cache->by_key[i];

        pthread_mutex_lock(&shard->lock);
        *hits += shard->hits;
        *misses += shard->misses;
        *entries += shard->count;
        pthread_mutex_unlock(&shard->lock);
    }
}
