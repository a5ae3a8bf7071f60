/* SPDX-License-Identifier: Apache-2.0 */
/* Connections above the backend: the cache and the touches. A row that leaves here shows
 * the latest fetch that this process knows of, written or not.
 *
 * The time of the last fetch is the one thing of a cached row that changes without a
 * write: a touch gives the cached row a successor, at most once a second. */
#include "store/store.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "store/cache.h"
#include "store/cached.h"
#include "store/store_int.h"
#include "store/touch.h"

enum {
    TOUCH_SHOWN_EVERY_MS = 1000
};

/* The row is still nobody else's. */
static void show_touch(struct store *store, struct connection_row *row)
{
    int64_t latest;

    if (row == NULL || store->touches == NULL)
        return;
    latest = touches_latest(store->touches, row->id);
    if (latest > row->last_fetched_at_ms)
        row->last_fetched_at_ms = latest;
}

bool store_find_connection(struct store *store, int64_t environment_id,
    const char *provider_config_key, const char *connection_id,
    struct connection_row **out, struct err *err)
{
    const struct connection_key by = {environment_id, provider_config_key, connection_id};
    struct cache_key key;
    uint64_t generation;

    cache_key_begin(&key, 'c');
    cache_key_bytes(&key, &environment_id, sizeof environment_id);
    cache_key_text(&key, provider_config_key);
    cache_key_text(&key, connection_id);
    *out = cached_find(store->connections, &key);
    if (*out != NULL)
        return true;
    generation = cache_generation(store->connections);
    if (!store->backend->ops->find_connection(store->backend, &by, out, err))
        return false;
    show_touch(store, *out);
    if (*out != NULL)
        cached_add(store->connections, generation, &key, (*out)->id, *out);
    return true;
}

bool store_reload_connection(
    struct store *store, int64_t id, struct connection_row **out, struct err *err)
{
    if (!store->backend->ops->reload_connection(store->backend, id, out, err))
        return false;
    show_touch(store, *out);
    return true;
}

bool store_list_connections(struct store *store, const struct connection_filter *filter,
    struct connection_row ***out, size_t *count, struct err *err)
{
    if (!store->backend->ops->list_connections(store->backend, filter, out, count, err))
        return false;
    for (size_t i = 0; i < *count; i++)
        show_touch(store, (*out)[i]);
    return true;
}

bool store_list_idle_connections(struct store *store, const struct idle_query *query,
    struct idle_row out[IDLE_PAGE], size_t *count, struct err *err)
{
    return store->backend->ops->list_idle_connections(
        store->backend, query, out, count, err);
}

/* ---- writing ---- */

struct end_user_ref {
    int64_t environment_id;
    const char *id;
};

static bool has_end_user(const void *row, const void *arg)
{
    const struct connection_row *connection = row;
    const struct end_user_ref *ref = arg;

    return connection->end_user != NULL &&
           connection->environment_id == ref->environment_id &&
           str_eq(connection->end_user->id, ref->id);
}

static void drop_changed(struct store *store, int64_t id, const struct put_effect *effect,
    const struct end_user_row *end_user)
{
    if (effect->end_user_changed) {
        const struct end_user_ref ref = {effect->environment_id, end_user->id};

        cache_drop_if(store->connections, has_end_user, &ref);
    }
    if (id != 0)
        cache_drop(store->connections, id);
}

bool store_put_connection(struct store *store, const struct connection_row *row,
    const struct put_terms *terms, bool *created, struct connection_row **out,
    struct err *err)
{
    static const struct put_terms none;
    struct put_effect effect = {0};
    bool ok = store->backend->ops->put_connection(
        store->backend, row, terms != NULL ? terms : &none, &effect, out, err);

    *created = effect.created;
    drop_changed(store, ok ? (*out)->id : 0, &effect, row->end_user);
    if (ok)
        show_touch(store, *out);
    return ok;
}

bool store_patch_connection(struct store *store, int64_t id,
    const struct connection_patch *patch, struct err *err)
{
    struct put_effect effect = {0};
    bool ok =
        store->backend->ops->patch_connection(store->backend, id, patch, &effect, err);

    drop_changed(store, id, &effect, patch->end_user);
    return ok;
}

bool store_delete_connection(
    struct store *store, int64_t id, bool *found, struct err *err)
{
    bool ok = store->backend->ops->delete_connection(store->backend, id, found, err);

    cache_drop(store->connections, id);
    return ok;
}

bool store_drop_held_connections(struct store *store, int64_t id, struct err *err)
{
    return store->backend->ops->drop_held_connections(store->backend, id, err);
}

bool store_set_metadata(
    struct store *store, const struct metadata_change *change, struct err *err)
{
    size_t count = change->count;
    int64_t *ids = mem_zalloc((count > 0 ? count : 1) * sizeof *ids);
    bool ok = store->backend->ops->set_metadata(store->backend, change, ids, err);

    for (size_t i = 0; i < count; i++) {
        if (ids[i] != 0)
            cache_drop(store->connections, ids[i]);
    }
    free(ids);
    return ok;
}

static void *renew_touched(const void *row, const void *arg)
{
    const struct connection_row *connection = row;
    int64_t now_ms = *(const int64_t *)arg;
    struct connection_row *copy;

    if (now_ms < connection->last_fetched_at_ms + TOUCH_SHOWN_EVERY_MS)
        return NULL;
    copy = connection_row_dup(connection);
    copy->last_fetched_at_ms = now_ms;
    return copy;
}

void store_touch_connection(struct store *store, int64_t id, int64_t now_ms)
{
    if (store->touches == NULL)
        return;
    touches_note(store->touches, id, now_ms);
    cache_renew(store->connections, id, renew_touched, &now_ms);
}

/* ---- refresh ---- */

bool store_take_refresh_lease(struct store *store, int64_t connection_id,
    const char *holder, int64_t ttl_ms, bool *taken, struct err *err)
{
    assert(ttl_ms > 0 && ttl_ms <= REFRESH_LEASE_MAX_MS);
    return store->backend->ops->take_refresh_lease(
        store->backend, connection_id, holder, ttl_ms, taken, err);
}

bool store_release_refresh_lease(
    struct store *store, int64_t connection_id, const char *holder, struct err *err)
{
    return store->backend->ops->release_refresh_lease(
        store->backend, connection_id, holder, err);
}

bool store_put_refresh_journal(struct store *store, int64_t connection_id,
    const char *holder, const void *sealed, size_t len, int64_t *id, struct err *err)
{
    return store->backend->ops->put_refresh_journal(
        store->backend, connection_id, holder, sealed, len, id, err);
}

bool store_list_refresh_journal(struct store *store, int64_t connection_id,
    struct refresh_journal_row **out, size_t *count, struct err *err)
{
    return store->backend->ops->list_refresh_journal(
        store->backend, connection_id, out, count, err);
}

bool store_delete_refresh_journal(struct store *store, int64_t id, struct err *err)
{
    return store->backend->ops->delete_refresh_journal(store->backend, id, err);
}

bool store_publish_credentials(struct store *store,
    const struct credentials_update *update, struct connection_row **out, struct err *err)
{
    bool ok = store->backend->ops->publish_credentials(store->backend, update, out, err);

    cache_drop(store->connections, update->connection_id);
    if (ok)
        show_touch(store, *out);
    return ok;
}

bool store_note_refresh_failure(struct store *store,
    const struct refresh_failure *failure, bool *counted, struct connection_row **out,
    struct err *err)
{
    bool ok = store->backend->ops->note_refresh_failure(
        store->backend, failure, counted, out, err);

    cache_drop(store->connections, failure->connection_id);
    if (ok)
        show_touch(store, *out);
    return ok;
}
