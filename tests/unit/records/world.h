/* SPDX-License-Identifier: Apache-2.0 */
/* Records in a directory of their own, sealed, with a clock that stands still. */
#ifndef TESTS_UNIT_RECORDS_WORLD_H
#define TESTS_UNIT_RECORDS_WORLD_H

#include "base/buf.h"
#include "records/records.h"

#define NOW_US INT64_C(1700000000000000)

struct world {
    char dir[64];
    struct clock clock;
    struct log log;
    struct vault *vault;
    bool seal;
    struct records *records;
};
void world_begin(struct world *w);
void world_reopen(struct world *w);
void world_end(struct world *w);
/* Makes the file, which must not be written meanwhile, what version 1 would have left. */
void world_make_first_version(struct world *w);
void world_pass(struct world *w, int64_t ms);

#define MUST(call)                                                                       \
    do {                                                                                 \
        struct err err = {0};                                                            \
        if (!(call))                                                                     \
            fail_msg("%s: %s %s", #call, err.code, err.message);                         \
    } while (0)

#endif
