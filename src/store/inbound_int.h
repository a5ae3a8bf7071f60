/* SPDX-License-Identifier: Apache-2.0 */
/* What an implementation of the store gives for inbound.h. */
#ifndef STORE_INBOUND_INT_H
#define STORE_INBOUND_INT_H

#include "store/inbound.h"

struct backend;

struct inbound_ops {
    bool (*put)(struct backend *b, const struct inbound_event *event, const char *message,
        bool *repeated, struct err *err);
    bool (*list)(struct backend *b, size_t max, struct inbound_event **out, size_t *count,
        struct err *err);
    bool (*connections)(struct backend *b, int64_t integration_id, int64_t after_id,
        size_t max, struct inbound_connection **out, size_t *count, struct err *err);
    bool (*settle)(struct backend *b, const struct inbound_settlement *settlements,
        size_t count, struct err *err);
    bool (*sweep)(struct backend *b, int64_t seen_before_ms, struct err *err);
};
extern const struct inbound_ops sqlite_inbound_ops;

#endif
