/* SPDX-License-Identifier: Apache-2.0 */
/* The store's face: opening, and everything but connections (connections.c). Each
 * function goes to the backend by its ops table; those for hot rows look into the cache
 * first, those that write drop what they changed from it before they return.
 *
 * Environments, keys and integrations are few and seldom written: a write to one of them
 * empties that cache. Connections are dropped one by one. */
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "store/cache.h"
#include "store/cached.h"
#include "store/store_int.h"
#include "store/touch.h"

enum {
    SMALL_CACHE = 4096, /* entries for environments, api keys, integrations */
    CONNECTION_CACHE = 20000,
};

/* ---- life ---- */

static void unref_environment(void *row)
{
    environment_row_unref(row);
}

static void unref_api_key(void *row)
{
    api_key_row_unref(row);
}

static void unref_integration(void *row)
{
    integration_row_unref(row);
}

static void unref_connection(void *row)
{
    connection_row_unref(row);
}

bool store_open(const struct store_config *config, struct store **out, struct err *err)
{
    struct backend *backend = NULL;
    struct store *store;
    size_t entries = config->cache_entries > 0 ? config->cache_entries : CONNECTION_CACHE;

    *out = NULL;
    if (!sqlite_open(config, &backend, err))
        return false;
    store = MEM_NEW(struct store);
    store->backend = backend;
    store->environments = cache_new(SMALL_CACHE, unref_environment);
    store->api_keys = cache_new(SMALL_CACHE, unref_api_key);
    store->integrations = cache_new(SMALL_CACHE, unref_integration);
    store->connections = cache_new(entries, unref_connection);
    if (!config->read_only && !config->beside_server)
        store->touches = touches_new(backend, config->log);
    *out = store;
    return true;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    touches_free(store->touches);
    store->backend->ops->close(store->backend);
    cache_free(store->environments);
    cache_free(store->api_keys);
    cache_free(store->integrations);
    cache_free(store->connections);
    free(store);
}

bool store_restore(const struct store_config *config, const char *file, struct err *err)
{
    return sqlite_restore(config, file, err);
}

bool store_reads_are_local(const struct store *store)
{
    return store->backend->reads_are_local;
}

bool store_check(struct store *store, struct err *err)
{
    return store->backend->ops->check(store->backend, err);
}

bool store_backup(struct store *store, const char *file, struct err *err)
{
    return store->backend->ops->backup(store->backend, file, err);
}

bool store_is_ready(struct store *store)
{
    return store->backend->ops->is_ready(store->backend);
}

void store_stats(const struct store *store, struct store_stats *out)
{
    struct cache *const caches[] = {
        store->environments, store->api_keys, store->integrations, store->connections};

    *out = (struct store_stats){0};
    store->backend->ops->stats(store->backend, out);
    for (size_t i = 0; i < sizeof caches / sizeof caches[0]; i++) {
        uint64_t hits, misses;
        size_t entries;

        cache_counts(caches[i], &hits, &misses, &entries);
        out->cache_hits += hits;
        out->cache_misses += misses;
    }
}

/* ---- key ring ---- */

bool store_list_keys(
    struct store *store, struct store_key **out, size_t *count, struct err *err)
{
    return store->backend->ops->list_keys(store->backend, out, count, err);
}

bool store_put_key(struct store *store, uint32_t number, const void *wrapped, size_t len,
    struct err *err)
{
    return store->backend->ops->put_key(store->backend, number, wrapped, len, err);
}

bool store_replace_keys(
    struct store *store, const struct store_key *keys, size_t count, struct err *err)
{
    return store->backend->ops->replace_keys(store->backend, keys, count, err);
}

/* ---- environments ---- */

/* A tool that runs beside the server has written environments or keys: it counts that
 * after its commit and before it says that it is done. Emptied first, noted second, so
 * that nobody takes an emptied cache for granted too early. */
static void heed_others(struct store *store)
{
    uint64_t now;

    if (store->backend->others == NULL)
        return;
    now = atomic_load_explicit(store->backend->others, memory_order_acquire);
    if (now == atomic_load_explicit(&store->seen, memory_order_acquire))
        return;
    cache_clear(store->environments);
    cache_clear(store->api_keys);
    atomic_store_explicit(&store->seen, now, memory_order_release);
}

static bool find_environment(struct store *store, const struct environment_key *by,
    const struct cache_key *key, struct environment_row **out, struct err *err)
{
    uint64_t generation;

    heed_others(store);
    *out = cached_find(store->environments, key);
    if (*out != NULL)
        return true;
    generation = cache_generation(store->environments);
    if (!store->backend->ops->find_environment(store->backend, by, out, err))
        return false;
    if (*out != NULL)
        cached_add(store->environments, generation, key, (*out)->id, *out);
    return true;
}

bool store_find_environment(
    struct store *store, int64_t id, struct environment_row **out, struct err *err)
{
    struct cache_key key;

    cache_key_begin(&key, 'i');
    cache_key_bytes(&key, &id, sizeof id);
    return find_environment(store, &(struct environment_key){.id = id}, &key, out, err);
}

bool store_find_environment_by_name(
    struct store *store, const char *name, struct environment_row **out, struct err *err)
{
    struct cache_key key;

    cache_key_begin(&key, 'n');
    cache_key_text(&key, name);
    return find_environment(
        store, &(struct environment_key){.name = name}, &key, out, err);
}

bool store_find_environment_by_uuid(
    struct store *store, const char *uuid, struct environment_row **out, struct err *err)
{
    struct cache_key key;

    cache_key_begin(&key, 'u');
    cache_key_text(&key, uuid);
    return find_environment(
        store, &(struct environment_key){.uuid = uuid}, &key, out, err);
}

bool store_find_environment_by_public_key(struct store *store, const char *public_key,
    struct environment_row **out, struct err *err)
{
    struct cache_key key;

    cache_key_begin(&key, 'p');
    cache_key_text(&key, public_key);
    return find_environment(
        store, &(struct environment_key){.public_key = public_key}, &key, out, err);
}

bool store_list_environments(
    struct store *store, struct environment_row ***out, size_t *count, struct err *err)
{
    return store->backend->ops->list_environments(store->backend, out, count, err);
}

bool store_insert_environment(struct store *store, const struct environment_row *row,
    struct environment_row **out, struct err *err)
{
    return store->backend->ops->insert_environment(store->backend, row, out, err);
}

bool store_patch_environment(struct store *store, int64_t id,
    const struct environment_patch *patch, struct err *err)
{
    bool ok = store->backend->ops->patch_environment(store->backend, id, patch, err);

    cache_clear(store->environments);
    return ok;
}

bool store_delete_environment(
    struct store *store, int64_t id, bool *found, struct err *err)
{
    bool ok = store->backend->ops->delete_environment(store->backend, id, found, err);

    /* Everything in it is gone with it. */
    cache_clear(store->environments);
    cache_clear(store->api_keys);
    cache_clear(store->integrations);
    cache_clear(store->connections);
    return ok;
}

/* ---- api keys ---- */

bool store_find_api_key(struct store *store, const uint8_t sha256[SHA256_LEN],
    struct api_key_row **out, struct err *err)
{
    struct cache_key key;
    uint64_t generation;

    cache_key_begin(&key, 'k');
    cache_key_bytes(&key, sha256, SHA256_LEN);
    heed_others(store);
    *out = cached_find(store->api_keys, &key);
    if (*out != NULL)
        return true;
    generation = cache_generation(store->api_keys);
    if (!store->backend->ops->find_api_key(store->backend, sha256, out, err))
        return false;
    if (*out != NULL)
        cached_add(store->api_keys, generation, &key, (*out)->id, *out);
    return true;
}

bool store_list_api_keys(struct store *store, int64_t environment_id,
    struct api_key_row ***out, size_t *count, struct err *err)
{
    return store->backend->ops->list_api_keys(
        store->backend, environment_id, out, count, err);
}

bool store_insert_api_key(struct store *store, const struct api_key_row *row,
    struct api_key_row **out, struct err *err)
{
    return store->backend->ops->insert_api_key(store->backend, row, out, err);
}

bool store_delete_api_key(
    struct store *store, int64_t environment_id, int64_t id, bool *found, struct err *err)
{
    bool ok = store->backend->ops->delete_api_key(
        store->backend, environment_id, id, found, err);

    cache_clear(store->api_keys);
    return ok;
}

/* ---- environment variables ---- */

bool store_list_variables(struct store *store, int64_t environment_id,
    struct variable_row **out, size_t *count, struct err *err)
{
    return store->backend->ops->list_variables(
        store->backend, environment_id, out, count, err);
}

bool store_put_variable(struct store *store, int64_t environment_id, const char *name,
    const void *value, size_t len, struct err *err)
{
    return store->backend->ops->put_variable(
        store->backend, environment_id, name, value, len, err);
}

bool store_delete_variable(struct store *store, int64_t environment_id, const char *name,
    bool *found, struct err *err)
{
    return store->backend->ops->delete_variable(
        store->backend, environment_id, name, found, err);
}

/* ---- integrations ---- */

bool store_find_integration(struct store *store, int64_t environment_id,
    const char *unique_key, struct integration_row **out, struct err *err)
{
    struct cache_key key;
    uint64_t generation;

    cache_key_begin(&key, 'g');
    cache_key_bytes(&key, &environment_id, sizeof environment_id);
    cache_key_text(&key, unique_key);
    *out = cached_find(store->integrations, &key);
    if (*out != NULL)
        return true;
    generation = cache_generation(store->integrations);
    if (!store->backend->ops->find_integration(
            store->backend, environment_id, unique_key, out, err))
        return false;
    if (*out != NULL)
        cached_add(store->integrations, generation, &key, (*out)->id, *out);
    return true;
}

bool store_list_integrations(struct store *store, int64_t environment_id,
    struct integration_row ***out, size_t *count, struct err *err)
{
    return store->backend->ops->list_integrations(
        store->backend, environment_id, out, count, err);
}

bool store_insert_integration(struct store *store, const struct integration_row *row,
    struct integration_row **out, struct err *err)
{
    return store->backend->ops->insert_integration(store->backend, row, out, err);
}

static bool is_of_integration(const void *row, const void *arg)
{
    return ((const struct connection_row *)row)->integration_id == *(const int64_t *)arg;
}

bool store_update_integration(struct store *store, const struct integration_row *row,
    struct integration_row **out, struct err *err)
{
    bool renamed = false;
    bool ok =
        store->backend->ops->update_integration(store->backend, row, &renamed, out, err);

    cache_clear(store->integrations);
    if (renamed) /* connections are found by its key, and show it */
        cache_drop_if(store->connections, is_of_integration, &row->id);
    return ok;
}

bool store_delete_integration(
    struct store *store, int64_t id, bool *found, struct err *err)
{
    bool ok = store->backend->ops->delete_integration(store->backend, id, found, err);

    cache_clear(store->integrations);
    cache_drop_if(store->connections, is_of_integration, &id);
    return ok;
}

bool store_count_connections(
    struct store *store, int64_t integration_id, size_t *out, struct err *err)
{
    return store->backend->ops->count_connections(
        store->backend, integration_id, out, err);
}

/* ---- connect sessions and OAuth states ---- */

bool store_insert_connect_session(struct store *store, const uint8_t token[SHA256_LEN],
    const struct connect_session_row *row, int64_t *id, struct err *err)
{
    return store->backend->ops->insert_connect_session(
        store->backend, token, row, id, err);
}

bool store_find_connect_session(struct store *store, const uint8_t token[SHA256_LEN],
    int64_t now_ms, struct connect_session_row **out, struct err *err)
{
    return store->backend->ops->find_connect_session(
        store->backend, token, now_ms, out, err);
}

bool store_delete_connect_session(
    struct store *store, const uint8_t token[SHA256_LEN], bool *found, struct err *err)
{
    return store->backend->ops->delete_connect_session(store->backend, token, found, err);
}

bool store_insert_oauth_state(struct store *store, const uint8_t state[SHA256_LEN],
    const struct oauth_state_row *row, struct err *err)
{
    return store->backend->ops->insert_oauth_state(store->backend, state, row, err);
}

bool store_find_oauth_state(struct store *store, const uint8_t state[SHA256_LEN],
    int64_t now_ms, int64_t *environment_id, struct err *err)
{
    return store->backend->ops->find_oauth_state(
        store->backend, state, now_ms, environment_id, err);
}

bool store_take_oauth_state(struct store *store, const uint8_t state[SHA256_LEN],
    int64_t now_ms, struct oauth_state_row **out, struct err *err)
{
    return store->backend->ops->take_oauth_state(store->backend, state, now_ms, out, err);
}

bool store_sweep(
    struct store *store, int64_t now_ms, int64_t deleted_before_ms, struct err *err)
{
    /* Only what nobody can find any more goes: no cache holds it. */
    return store->backend->ops->sweep(store->backend, now_ms, deleted_before_ms, err);
}
