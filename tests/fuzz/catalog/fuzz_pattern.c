/* SPDX-License-Identifier: Apache-2.0 */
/* Regular expressions of the catalogue: the text before the first line break is the
 * pattern, the rest is matched. What is said to be evaluable is evaluated. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "catalog/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *pattern = str_ndup((const char *)data, size < 200 ? size : 200);
    char *text = strchr(pattern, '\n');
    char *found;

    if (text != NULL)
        *text++ = '\0';
    if (pattern_match_fault(pattern) == NULL)
        assert(pattern_fault(pattern) == NULL);
    found = pattern_match(pattern, text != NULL ? text : "");
    assert(found == NULL || strstr(text != NULL ? text : "", found) != NULL);
    free(found);
    free(pattern);
    return 0;
}
