/* SPDX-License-Identifier: Apache-2.0 */
/* A schema and a value, a line each, both anybody's: it comes to an end, what it says of
 * errors is JSON, and asking twice gives the same. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "jsonschema/jsonschema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compare(const struct jsonschema *schema, const cJSON *value)
{
    struct buf errors;
    enum jsonschema_verdict verdict;

    buf_init(&errors, 0);
    verdict = jsonschema_check(schema, NULL, value, &errors);
    assert(jsonschema_check(schema, NULL, value, NULL) == verdict);
    if (verdict == JSONSCHEMA_INVALID) {
        cJSON *told = json_parse(errors.data, errors.len, NULL);

        assert(cJSON_IsArray(told) && told->child != NULL);
        assert(cJSON_GetArraySize(told) <= JSONSCHEMA_MAX_ERRORS);
        cJSON_Delete(told);
    } else {
        assert(errors.len == 0);
    }
    buf_finish(&errors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *line = size > 0 ? memchr(data, '\n', size) : NULL;
    size_t len = line != NULL ? (size_t)(line - data) : size;
    struct err err = {0};
    cJSON *document = json_parse((const char *)data, len, &err);
    cJSON *value =
        line != NULL ? json_parse((const char *)line + 1, size - len - 1, NULL) : NULL;
    struct jsonschema *schema =
        document != NULL ? jsonschema_compile(document, &err) : NULL;

    if (schema == NULL)
        assert(err.message[0] != '\0');
    else if (value != NULL)
        compare(schema, value);
    jsonschema_free(schema);
    cJSON_Delete(value);
    return 0;
}
