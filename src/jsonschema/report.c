/* SPDX-License-Identifier: Apache-2.0 */
/* Errors as the official server's validator words them. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "jsonschema/jsonschema_int.h"

/* RFC 6901. */
void path_add(struct buf *path, const char *segment)
{
    buf_putc(path, '/');
    for (; *segment != '\0'; segment++)
        if (*segment == '~')
            buf_puts(path, "~0");
        else if (*segment == '/')
            buf_puts(path, "~1");
        else
            buf_putc(path, *segment);
}

void path_add_escaped(struct buf *path, const char *segment)
{
    struct buf pointer;

    buf_init(&pointer, 0);
    path_add(&pointer, segment);
    buf_putc(path, '/');
    str_uri_component(pointer.data + 1, pointer.len - 1, path);
    buf_finish(&pointer);
}

char *param_json(const char *name, const cJSON *value)
{
    struct buf out;

    buf_init(&out, 0);
    json_append_name(&out, name);
    json_append(&out, value);
    return buf_take(&out, NULL);
}

char *param_text(const char *name, const char *value)
{
    struct buf out;

    buf_init(&out, 0);
    json_append_text(&out, name, value);
    return buf_take(&out, NULL);
}

char *param_number(const char *name, double value)
{
    cJSON *number = cJSON_CreateNumber(value);
    char *text = param_json(name, number);

    cJSON_Delete(number);
    return text;
}

bool run_fail(struct run *run, const char *keyword, char *params, const char *fmt, ...)
{
    struct buf *out = run->errors;
    struct buf text;
    va_list args;

    if (out == NULL || run->quiet > 0 || run->error_count >= JSONSCHEMA_MAX_ERRORS) {
        free(params);
        return false;
    }
    buf_init(&text, 0);
    va_start(args, fmt);
    buf_vprintf(&text, fmt, args);
    va_end(args);
    buf_puts(out, run->error_count++ > 0 ? ",{\"instancePath\":" : "{\"instancePath\":");
    json_append_string(out, run->at.len > 0 ? run->at.data : "");
    buf_puts(out, ",\"schemaPath\":");
    {
        char *rule = str_printf("%s/%s", run->rule.data, keyword);

        json_append_string(out, rule);
        free(rule);
    }
    buf_printf(out, ",\"keyword\":\"%s\",\"params\":{%s},\"message\":", keyword,
        params != NULL ? params : "");
    json_append_string(out, text.data);
    if (run->property != NULL) {
        buf_puts(out, ",\"propertyName\":");
        json_append_string(out, run->property);
    }
    buf_putc(out, '}');
    buf_finish(&text);
    free(params);
    return false;
}

struct mark run_mark(const struct run *run)
{
    return (struct mark){
        .bytes = run->errors != NULL ? run->errors->len : 0, .count = run->error_count};
}

void run_forget(struct run *run, struct mark mark)
{
    if (run->errors == NULL || run->errors->len == mark.bytes)
        return;
    run->errors->len = mark.bytes;
    run->errors->data[mark.bytes] = '\0';
    run->error_count = mark.count;
}
