/* SPDX-License-Identifier: Apache-2.0 */
/* As many as scripts that run: few, so a list will do. It is compared in time that
 * depends on its length only. */
#include "scripts/keys.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct entry {
    char key[UUID_TEXT_SIZE];
    struct script_scope scope;
};

struct script_keys {
    pthread_mutex_t lock;
    struct entry *all;
    size_t count, room;
};

struct script_keys *script_keys_new(void)
{
    struct script_keys *keys = MEM_NEW(struct script_keys);

    pthread_mutex_init(&keys->lock, NULL);
    return keys;
}

void script_keys_free(struct script_keys *keys)
{
    if (keys == NULL)
        return;
    if (keys->all != NULL)
        mem_wipe(keys->all, keys->room * sizeof *keys->all);
    free(keys->all);
    pthread_mutex_destroy(&keys->lock);
    free(keys);
}

static void grow(struct script_keys *keys)
{
    size_t room = keys->room > 0 ? 2 * keys->room : 16;
    struct entry *all = mem_zalloc(room * sizeof *all);

    if (keys->count > 0)
        memcpy(all, keys->all, keys->count * sizeof *all);
    if (keys->all != NULL)
        mem_wipe(keys->all, keys->room * sizeof *keys->all);
    free(keys->all);
    keys->all = all;
    keys->room = room;
}

void script_keys_make(
    struct script_keys *keys, const struct script_scope *scope, char out[UUID_TEXT_SIZE])
{
    crypto_uuid_v4(out);
    pthread_mutex_lock(&keys->lock);
    if (keys->count == keys->room)
        grow(keys);
    memcpy(keys->all[keys->count].key, out, UUID_TEXT_SIZE);
    keys->all[keys->count++].scope = *scope;
    pthread_mutex_unlock(&keys->lock);
}

void script_keys_end(struct script_keys *keys, char key[UUID_TEXT_SIZE])
{
    pthread_mutex_lock(&keys->lock);
    for (size_t i = 0; i < keys->count; i++) {
        if (memcmp(keys->all[i].key, key, UUID_TEXT_SIZE) != 0)
            continue;
        keys->all[i] = keys->all[--keys->count];
        mem_wipe(&keys->all[keys->count], sizeof *keys->all);
        break;
    }
    pthread_mutex_unlock(&keys->lock);
    mem_wipe(key, UUID_TEXT_SIZE);
}

bool script_keys_find(
    struct script_keys *keys, const char *key, struct script_scope *scope)
{
    size_t len = strlen(key);
    bool found = false;

    pthread_mutex_lock(&keys->lock);
    for (size_t i = 0; i < keys->count; i++)
        if (crypto_equal(keys->all[i].key, UUID_TEXT_SIZE - 1, key, len)) {
            *scope = keys->all[i].scope;
            found = true;
        }
    pthread_mutex_unlock(&keys->lock);
    return found;
}
