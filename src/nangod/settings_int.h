/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the settings share: the table. */
#ifndef NANGOD_SETTINGS_INT_H
#define NANGOD_SETTINGS_INT_H

#include <stddef.h>

#include "nangod/settings.h"

enum kind {
    TEXT,
    SECRET,
    CHOICE, /* one of `accepted`, separated by | */
    NUMBER, /* min … max */
    BYTES,  /* a number with an optional k, m or g (1024-based) */
    FLAG,
};

struct setting {
    const char *name;
    enum kind kind;
    size_t offset;
    const char *initial; /* NULL = unset */
    int64_t min, max;
    const char *accepted; /* CHOICE */
    const char *also;     /* another environment variable, upstream's name for it */
    bool live;            /* takes effect on SIGHUP */
    const char *help;
};

extern const struct setting settings_table[];
extern const size_t settings_count;

#endif
