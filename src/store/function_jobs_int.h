/* SPDX-License-Identifier: Apache-2.0 */
/* What a backend implements for function_jobs.h, whose functions these follow. */
#ifndef STORE_FUNCTION_JOBS_INT_H
#define STORE_FUNCTION_JOBS_INT_H

#include "store/function_jobs.h"

struct backend;

struct function_job_ops {
    bool (*put)(struct backend *b, struct function_job_row *row, struct err *err);
    bool (*find)(struct backend *b, int64_t environment_id, enum function_job_kind kind,
        const char *uuid, struct function_job_row **out, struct err *err);
    bool (*begin)(struct backend *b, int64_t id, struct err *err);
    bool (*end)(
        struct backend *b, int64_t id, const struct blob *outcome, struct err *err);
    bool (*lose)(struct backend *b, struct err *err);
    bool (*sweep)(struct backend *b, int64_t finished_before_ms, struct err *err);
};

#endif
