/* SPDX-License-Identifier: Apache-2.0 */
/* What an implementation of the store gives for webhooks.h. */
#ifndef STORE_WEBHOOKS_INT_H
#define STORE_WEBHOOKS_INT_H

#include "store/webhooks.h"

struct backend;

struct webhook_ops {
    bool (*put)(struct backend *b, const struct webhook_puts *puts, struct err *err);
    bool (*turn)(struct backend *b, const struct webhook_turn *turn,
        struct webhook_job **out, size_t *count, int64_t *next_ms, struct err *err);
    bool (*free_leases)(struct backend *b, struct err *err);
    bool (*list)(struct backend *b, const struct webhook_filter *filter,
        struct webhook_row **out, size_t *count, struct err *err);
    bool (*attempts)(struct backend *b, int64_t id, struct webhook_attempt_row **out,
        size_t *count, struct err *err);
    bool (*body)(struct backend *b, int64_t environment_id, int64_t id,
        char uuid[UUID_TEXT_SIZE], struct blob *body, struct err *err);
    bool (*replay)(struct backend *b, int64_t environment_id, int64_t id,
        int64_t since_ms, int64_t now_ms, size_t *count, struct err *err);
    bool (*sweep)(struct backend *b, int64_t delivered_before_ms, int64_t dead_before_ms,
        struct err *err);
};

#endif
