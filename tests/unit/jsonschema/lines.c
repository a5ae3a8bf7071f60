/* SPDX-License-Identifier: Apache-2.0 */
/* For tests/api/jsonschema.test.mjs: each line of standard input is {"schema", "name"?,
 * "value"}; each of standard output says what came of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "jsonschema/jsonschema.h"

static void answer(const cJSON *line, struct buf *out)
{
    struct err err = {0};
    struct jsonschema *schema =
        jsonschema_compile(cJSON_Duplicate(json_get(line, "schema"), true), &err);
    struct buf errors;

    if (schema == NULL) {
        buf_puts(out, "{\"refused\":");
        json_append_string(out, err.message);
        buf_putc(out, '}');
        return;
    }
    buf_init(&errors, 0);
    switch (jsonschema_check(
        schema, json_str(line, "name"), json_get(line, "value"), &errors)) {
    case JSONSCHEMA_VALID:
        buf_puts(out, "{\"valid\":true}");
        break;
    case JSONSCHEMA_INVALID:
        buf_printf(out, "{\"valid\":false,\"errors\":%s}", errors.data);
        break;
    case JSONSCHEMA_UNDECIDED:
        buf_puts(out, "{\"undecided\":true}");
        break;
    }
    buf_finish(&errors);
    jsonschema_free(schema);
}

int main(void)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t len;

    while ((len = getline(&line, &size, stdin)) > 0) {
        struct err err = {0};
        cJSON *parsed = json_parse(line, (size_t)len, &err);
        struct buf out;

        buf_init(&out, 0);
        if (parsed != NULL)
            answer(parsed, &out);
        else
            buf_printf(&out, "{\"bad\":\"%s\"}", err.message);
        puts(out.data);
        buf_finish(&out);
        cJSON_Delete(parsed);
    }
    free(line);
    return 0;
}
