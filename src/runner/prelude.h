/* SPDX-License-Identifier: Apache-2.0 */
/* The prelude (js/), bundled and embedded when the program was built: the first part makes
 * the world of a script, and loads the others when they are needed. ASCII. Those that few scripts
 * ask for are packed (zlib). */
#ifndef RUNNER_PRELUDE_H
#define RUNNER_PRELUDE_H

#include <stddef.h>

enum {
    PRELUDE_PARTS = 6
};

struct prelude_part {
    const char *name;
    const unsigned char *data; /* NUL-terminated */
    size_t len;
    size_t text_len; /* more than `len`: packed */
};
extern const struct prelude_part prelude_parts[PRELUDE_PARTS];

#endif
