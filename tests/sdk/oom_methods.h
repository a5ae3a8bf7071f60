/* SPDX-License-Identifier: Apache-2.0 */
/* Every method of the library, called with arguments that use all of its code. */
#ifndef TESTS_SDK_OOM_METHODS_H
#define TESTS_SDK_OOM_METHODS_H

#include "nango/nango.h"

/* What a started call came to. */
struct outcome {
    int calls;
    nango_code code;
};

struct method {
    const char *name;
    nango_code (*run)(nango_client *client, nango_error *err);
    /* NULL: the method does not send anything */
    nango_code (*start)(nango_client *client, struct outcome *outcome, nango_error *err);
    /* Blocks that a library below forgets when it lacks memory itself. */
    long forgotten;
};

extern const struct method methods[];
extern const size_t method_count;

#endif
