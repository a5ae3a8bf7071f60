/* SPDX-License-Identifier: Apache-2.0 */
/* JSON from anywhere, and dates. What is accepted survives printing and reading again. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = str_ndup((const char *)data, size);
    struct err err = {0};
    cJSON *value = json_parse(text, size, &err);
    int64_t ms;

    if (value != NULL) {
        char *once = json_print(value), *twice;
        cJSON *again = json_parse(once, strlen(once), &err);

        assert(again != NULL);
        twice = json_print(again);
        assert(strcmp(once, twice) == 0);
        (void)json_path(value, "a.b[0].c");
        free(once);
        free(twice);
        cJSON_Delete(again);
        cJSON_Delete(value);
    }
    if (clock_parse(text, &ms)) {
        char shown[CLOCK_TEXT_SIZE];

        clock_text_z(ms, shown);
    }
    free(text);
    return 0;
}
