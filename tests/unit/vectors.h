/* SPDX-License-Identifier: Apache-2.0 */
/* The reference engine's recorded tables (tests/data/golden/vectors.json), for tests that
 * hold our functions against them. */
#ifndef TESTS_UNIT_VECTORS_H
#define TESTS_UNIT_VECTORS_H

#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"

/* A JSON file below the top of the sources; the test ends when it cannot be read. */
static cJSON *read_json(const char *path)
{
    struct err err = {0};
    FILE *file;
    struct buf text;
    char name[1024];
    cJSON *json;
    size_t n;

    snprintf(name, sizeof name, "%s/%s", SOURCE_ROOT, path);
    file = fopen(name, "re");
    assert_non_null(file);
    buf_init(&text, 0);
    do {
        n = fread(buf_room(&text, 65536), 1, 65536, file);
        buf_added(&text, n);
    } while (n > 0);
    fclose(file);
    json = json_parse(text.data, text.len, &err);
    if (!json)
        fail_msg("%s: %s", name, err.message);
    buf_finish(&text);
    return json;
}

#define VECTORS "tests/data/golden/vectors.json"
/* 2024-01-15T12:34:56.789Z */
#define VECTORS_NOW_MS INT64_C(1705322096789)

#endif
