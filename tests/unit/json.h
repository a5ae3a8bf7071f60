/* SPDX-License-Identifier: Apache-2.0 */
/* JSON texts that a test is sure of. */
#ifndef TESTS_UNIT_JSON_H
#define TESTS_UNIT_JSON_H

#include <string.h>

#include "base/json.h"
#include "test.h"

/* For cJSON_Delete(). */
static inline cJSON *json_of(const char *text)
{
    struct err err = {0};
    cJSON *value = json_parse(text, strlen(text), &err);

    if (value == NULL)
        fail_msg("%s: %s", err.message, text);
    return value;
}

#endif
