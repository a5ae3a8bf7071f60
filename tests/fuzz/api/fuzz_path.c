/* SPDX-License-Identifier: Apache-2.0 */
/* Paths: spans lie within the path, decoded parameters are text. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/router.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const patterns[] = {"/connections/:connectionId",
    "/connection/:connectionId/metadata", "/a/:b/c/:d", "/proxy/*", "/health"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *path = str_ndup((const char *)data, size);
    size_t len = strlen(path);

    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        struct path_span spans[PATH_MAX_PARAMS] = {0};

        if (!path_match(patterns[i], path, spans))
            continue;
        for (size_t k = 0; k < PATH_MAX_PARAMS && spans[k].text != NULL; k++) {
            char *text;

            assert(spans[k].text > path && spans[k].len > 0);
            assert(spans[k].text + spans[k].len <= path + len);
            text = path_span_decode(&spans[k]);
            assert(text == NULL || str_is_utf8(text, strlen(text)));
            free(text);
        }
    }
    free(path);
    return 0;
}
