/* SPDX-License-Identifier: Apache-2.0 */
/* Query strings: whatever comes, the result is a JSON document within the limits. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/query.h"
#include "base/json.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t depth_of(const cJSON *value)
{
    size_t deepest = 0;

    for (const cJSON *child = value->child; child != NULL; child = child->next) {
        size_t depth = depth_of(child);

        deepest = depth > deepest ? depth : deepest;
        if (child->valuestring != NULL)
            assert(str_is_utf8(child->valuestring, strlen(child->valuestring)));
    }
    if (cJSON_IsArray(value))
        assert(cJSON_GetArraySize(value) <= QUERY_MAX_LIST);
    return deepest + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cJSON *value = query_parse((const char *)data, size);

    if (value != NULL) {
        char *text;

        assert(cJSON_IsObject(value));
        assert(depth_of(value) <= QUERY_MAX_DEPTH + 3);
        text = json_print(value);
        free(text);
    }
    cJSON_Delete(value);
    return 0;
}
