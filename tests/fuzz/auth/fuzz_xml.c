/* SPDX-License-Identifier: Apache-2.0 */
/* XML answers of token endpoints, and assertions: what is read is one element's value,
 * which prints as JSON. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "auth/jwt.h"
#include "auth/xml.h"
#include "base/json.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = str_ndup((const char *)data, size);
    cJSON *value = xml_parse(text, size);
    int64_t at_ms;

    (void)assertion_expiry(text, &at_ms);
    if (value != NULL) {
        char *printed = json_print(value);

        assert(value->child != NULL && value->child->next == NULL);
        free(printed);
        cJSON_Delete(value);
    }
    free(text);
    return 0;
}
