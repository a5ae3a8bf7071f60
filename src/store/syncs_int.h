/* SPDX-License-Identifier: Apache-2.0 */
/* What an implementation of the store gives for syncs.h. */
#ifndef STORE_SYNCS_INT_H
#define STORE_SYNCS_INT_H

#include "store/syncs.h"

struct backend;

struct sync_ops {
    bool (*list)(struct backend *b, const struct sync_filter *filter,
        struct sync_row ***out, size_t *count, struct err *err);
    bool (*pause)(struct backend *b, const int64_t *ids, size_t count, bool paused,
        int64_t now_ms, struct err *err);
    bool (*trigger)(struct backend *b, const int64_t *ids, size_t count,
        enum sync_trigger how, int64_t now_ms, struct err *err);
    bool (*set_frequency)(struct backend *b, int64_t id, const char *frequency,
        int64_t now_ms, char **shown, struct err *err);
    bool (*create_variant)(struct backend *b, const struct sync_variant *variant,
        int64_t now_ms, char uuid[UUID_TEXT_SIZE], struct err *err);
    bool (*remove)(struct backend *b, int64_t id, bool *found, struct err *err);
    bool (*claim)(struct backend *b, const struct sync_claim *claim,
        struct sync_run **out, size_t *count, int64_t *next_ms, struct err *err);
    bool (*renew)(struct backend *b, const char *holder, int64_t lease_until_ms,
        int64_t **kept, size_t *count, struct err *err);
    bool (*end)(
        struct backend *b, const struct sync_end *end, bool *kept, struct err *err);
    bool (*free_runs)(struct backend *b, struct err *err);
    bool (*forget)(struct backend *b, size_t *count, struct err *err);
    bool (*set_last_sync)(
        struct backend *b, int64_t sync_id, int64_t last_sync_ms, struct err *err);
};

#endif
