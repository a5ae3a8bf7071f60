/* SPDX-License-Identifier: Apache-2.0 */
/* The store's face for checkpoints. Not cached: a run reads its own once. */
#include "store/store_int.h"

bool store_find_checkpoint(struct store *store, int64_t connection_id, const char *key,
    struct checkpoint *out, struct err *err)
{
    return store->backend->ops->find_checkpoint(
        store->backend, connection_id, key, out, err);
}

bool store_put_checkpoint(struct store *store, int64_t connection_id, const char *key,
    const char *value_json, int64_t *version, struct err *err)
{
    return store->backend->ops->put_checkpoint(
        store->backend, connection_id, key, value_json, version, err);
}

bool store_remove_checkpoints(
    struct store *store, int64_t connection_id, const char *key_prefix, struct err *err)
{
    return store->backend->ops->remove_checkpoints(
        store->backend, connection_id, key_prefix, err);
}
