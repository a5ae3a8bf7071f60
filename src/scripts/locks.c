/* SPDX-License-Identifier: Apache-2.0 */
/* As many locks as scripts hold at once: few, so a list will do. What is over is dropped
 * when someone comes by. */
#include "scripts/locks.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

struct lock {
    struct lock *next;
    int64_t environment_id;
    char *key;
    uint64_t owner;
    int64_t until_ms;
};

struct script_locks {
    const struct clock *clock;
    pthread_mutex_t mutex;
    struct lock *all;
};

struct script_locks *script_locks_new(const struct clock *clock)
{
    struct script_locks *locks = MEM_NEW(struct script_locks);

    locks->clock = clock;
    pthread_mutex_init(&locks->mutex, NULL);
    return locks;
}

static void drop(struct lock **at)
{
    struct lock *lock = *at;

    *at = lock->next;
    free(lock->key);
    free(lock);
}

void script_locks_free(struct script_locks *locks)
{
    if (locks == NULL)
        return;
    while (locks->all != NULL)
        drop(&locks->all);
    pthread_mutex_destroy(&locks->mutex);
    free(locks);
}

/* Under the mutex: where it is, without those whose time is over; *NULL when it is free.
 */
static struct lock **find(
    struct script_locks *locks, int64_t environment_id, const char *key)
{
    int64_t now = clock_now_ms(locks->clock);
    struct lock **at = &locks->all, **found = NULL;

    while (*at != NULL) {
        if ((*at)->until_ms <= now) {
            drop(at);
            continue;
        }
        if ((*at)->environment_id == environment_id && strcmp((*at)->key, key) == 0)
            found = at;
        at = &(*at)->next;
    }
    return found != NULL ? found : at;
}

bool script_lock(struct script_locks *locks, int64_t environment_id, const char *key,
    uint64_t owner, int64_t ttl_ms)
{
    int64_t now = clock_now_ms(locks->clock);
    struct lock **at;
    bool mine;

    pthread_mutex_lock(&locks->mutex);
    at = find(locks, environment_id, key);
    if (*at == NULL) {
        *at = MEM_NEW(struct lock);
        (*at)->environment_id = environment_id;
        (*at)->key = str_dup(key);
        (*at)->owner = owner;
    }
    mine = (*at)->owner == owner;
    if (mine)
        (*at)->until_ms = ttl_ms < INT64_MAX - now ? now + ttl_ms : INT64_MAX;
    pthread_mutex_unlock(&locks->mutex);
    return mine;
}

bool script_unlock(
    struct script_locks *locks, int64_t environment_id, const char *key, uint64_t owner)
{
    struct lock **at;
    bool mine;

    pthread_mutex_lock(&locks->mutex);
    at = find(locks, environment_id, key);
    mine = *at != NULL && (*at)->owner == owner;
    if (mine)
        drop(at);
    pthread_mutex_unlock(&locks->mutex);
    return mine;
}

void script_unlock_all(struct script_locks *locks, uint64_t owner)
{
    pthread_mutex_lock(&locks->mutex);
    for (struct lock **at = &locks->all; *at != NULL;) {
        if ((*at)->owner == owner)
            drop(at);
        else
            at = &(*at)->next;
    }
    pthread_mutex_unlock(&locks->mutex);
}
