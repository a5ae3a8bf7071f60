/* SPDX-License-Identifier: Apache-2.0 */
/* Any JSON: cutting the text gives what cutting the tree gives. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/redact.h"
#include "auth/connection.h"
#include "base/json.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cJSON *tree = json_parse((const char *)data, size, NULL);
    char *text, *cut;

    if (!cJSON_IsObject(tree)) {
        cJSON_Delete(tree);
        return 0;
    }
    text = json_print(tree);
    cut = str_dup(text);
    if (redact_refresh_tokens(cut)) {
        char *want;

        credentials_hide_refresh_token(tree);
        want = json_print(tree);
        assert(strcmp(cut, want) == 0);
        free(want);
    }
    free(cut);
    free(text);
    cJSON_Delete(tree);
    return 0;
}
