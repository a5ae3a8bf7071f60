/* SPDX-License-Identifier: Apache-2.0 */
/* Forms, from callers and to providers. A form that was normalised is its own normal form,
 * and a document written as a form has no character in it that ends a pair too early. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "proxy/forward_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t pairs_of(const cJSON *value)
{
    size_t count = 0;

    if (!cJSON_IsObject(value) && !cJSON_IsArray(value))
        return 1;
    for (const cJSON *item = value->child; item != NULL; item = item->next)
        count += pairs_of(item);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct buf once, twice, form;
    cJSON *value = form_to_json(text, size);

    buf_init(&once, 0);
    buf_init(&twice, 0);
    buf_init(&form, 0);
    form_normalise(text, size, &once);
    form_normalise(once.len > 0 ? once.data : "", once.len, &twice);
    assert(once.len == twice.len &&
           (once.len == 0 || memcmp(once.data, twice.data, once.len) == 0));
    if (value != NULL) {
        size_t ampersands = 0, pairs = pairs_of(value);
        char *printed = json_print(value);
        struct err err = {0};
        cJSON *again = json_parse(printed, strlen(printed), &err);

        assert(again != NULL);
        form_from_json(value, &form);
        for (size_t i = 0; i < form.len; i++)
            ampersands += form.data[i] == '&';
        assert(ampersands < pairs || ampersands == 0);
        free(printed);
        cJSON_Delete(again);
        cJSON_Delete(value);
    }
    buf_finish(&once);
    buf_finish(&twice);
    buf_finish(&form);
    return 0;
}
