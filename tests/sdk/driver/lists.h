/* SPDX-License-Identifier: Apache-2.0 */
/* Ends of methods that give a list: every item is read, and there is none beyond the end. */
#ifndef DRIVER_LISTS_H
#define DRIVER_LISTS_H

#include "driver.h"

/* Defines KIND_ended(). `more` writes what the list has beside its items. */
#define LIST_ENDED(kind, put_item, more)                                                 \
    static void kind##_ended(nango_##kind *list, const nango_error *error, void *user)   \
    {                                                                                    \
        struct run *run = user;                                                          \
        size_t count = nango_##kind##_count(list);                                       \
                                                                                         \
        if (run_begin(run, error, list != NULL)) {                                       \
            put_content(&run->out, "result", nango_##kind##_response(list));             \
            put_open(&run->out, "typed", '{');                                           \
            put_int(&run->out, "count", (int64_t)count);                                 \
            put_open(&run->out, "items", '[');                                           \
            for (size_t i = 0; i < count; i++)                                           \
                put_item(&run->out, NULL, nango_##kind##_at(list, i));                   \
            put_close(&run->out, ']');                                                   \
            if (nango_##kind##_at(list, count) != NULL)                                  \
                fault("an item beyond the end of a list");                               \
            more(&run->out, list);                                                       \
            put_close(&run->out, '}');                                                   \
        }                                                                                \
        run_end(run);                                                                    \
        nango_##kind##_free(list);                                                       \
    }                                                                                    \
    struct driver_semicolon

/* Defines KIND_ended() for a result that is one thing. */
#define ONE_ENDED(kind, put)                                                             \
    static void kind##_ended(nango_##kind *one, const nango_error *error, void *user)    \
    {                                                                                    \
        struct run *run = user;                                                          \
                                                                                         \
        if (run_begin(run, error, one != NULL)) {                                        \
            put_content(&run->out, "result", nango_##kind##_response(one));              \
            put(&run->out, "typed", one);                                                \
        }                                                                                \
        run_end(run);                                                                    \
        nango_##kind##_free(one);                                                        \
    }                                                                                    \
    struct driver_semicolon

#define NOTHING_MORE(out, list) ((void)0)

#endif
