/* SPDX-License-Identifier: Apache-2.0 */
/* The SDK's JSON parser: what it accepts it prints, and what it printed it accepts again,
 * as the same text; every value of it can be walked to and read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nango/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const nango_json *value)
{
    const nango_json *child = nango_json_first(value);
    size_t count = 0, len;
    int64_t whole;
    double number;
    bool truth;

    if (nango_json_string(value, &len) != NULL &&
        nango_json_string(value, NULL)[len] != '\0')
        abort();
    (void)nango_json_int(value, &whole);
    (void)nango_json_double(value, &number);
    (void)nango_json_bool(value, &truth);
    for (; child != NULL; child = nango_json_next(child), count++) {
        if ((nango_json_name(child) != NULL) !=
            (nango_json_type_of(value) == NANGO_JSON_OBJECT))
            abort();
        walk(child);
    }
    if (count != nango_json_count(value))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nango_document *first, *second;
    char *once, *twice;
    size_t len;

    if (nango_document_parse((const char *)data, size, &first, NULL) != NANGO_OK)
        return 0;
    walk(nango_document_root(first));
    once = nango_json_text(nango_document_root(first), &len);
    if (once == NULL || nango_document_parse(once, len, &second, NULL) != NANGO_OK)
        abort();
    twice = nango_json_text(nango_document_root(second), NULL);
    if (twice == NULL || strcmp(once, twice) != 0)
        abort();
    nango_text_free(once);
    nango_text_free(twice);
    nango_document_free(first);
    nango_document_free(second);
    return 0;
}
