/* SPDX-License-Identifier: Apache-2.0 */
/* The store's face for scripts. They are not cached: whoever runs one reads its row once,
 * by an index, and keeps what it made of the code. */
#include <string.h>

#include "base/str.h"
#include "store/store_int.h"

static const char *const kind_names[] = {
    [SCRIPT_ANY] = "",
    [SCRIPT_SYNC] = "sync",
    [SCRIPT_ACTION] = "action",
    [SCRIPT_ON_EVENT] = "on-event",
    [SCRIPT_FUNCTION] = "function",
};
#define KINDS (sizeof kind_names / sizeof kind_names[0])

const char *script_kind_name(enum script_kind kind)
{
    return kind_names[kind];
}

bool script_kind_parse(const char *text, enum script_kind *kind)
{
    for (size_t i = SCRIPT_SYNC; i < KINDS; i++)
        if (str_eq(text, kind_names[i])) {
            *kind = (enum script_kind)i;
            return true;
        }
    return false;
}

bool store_list_scripts(struct store *store, const struct script_filter *filter,
    struct script_row ***out, size_t *count, size_t *total, struct err *err)
{
    return store->backend->ops->list_scripts(
        store->backend, filter, out, count, total, err);
}

bool store_has_event_script(struct store *store, int64_t environment_id,
    int64_t integration_id, const char *event, bool *has, struct err *err)
{
    return store->backend->ops->has_event_script(
        store->backend, environment_id, integration_id, event, has, err);
}

bool store_list_script_versions(struct store *store, int64_t script_id,
    struct script_row ***out, size_t *count, struct err *err)
{
    return store->backend->ops->list_script_versions(
        store->backend, script_id, out, count, err);
}

bool store_load_code(struct store *store, const uint8_t sha256[SHA256_LEN],
    struct blob *out, struct err *err)
{
    return store->backend->ops->load_code(store->backend, sha256, out, err);
}

bool store_deploy_scripts(struct store *store, const struct script_deploy *deploy,
    struct script_row ***made, struct err *err)
{
    return store->backend->ops->deploy_scripts(store->backend, deploy, made, err);
}

bool store_activate_script_version(struct store *store, int64_t script_id,
    int64_t version_id, bool *found, struct err *err)
{
    return store->backend->ops->activate_script_version(
        store->backend, script_id, version_id, found, err);
}

bool store_enable_script(
    struct store *store, int64_t script_id, bool enabled, bool *found, struct err *err)
{
    return store->backend->ops->enable_script(
        store->backend, script_id, enabled, found, err);
}
