/* SPDX-License-Identifier: Apache-2.0 */
#include "out.h"

#include <string.h>

#include "driver.h"

static void begin(struct out *out, const char *name)
{
    char *text;

    if (out->comma)
        putc(',', out->file);
    out->comma = true;
    if (name == NULL)
        return;
    text = must(nango_json_format("%Q", name));
    fprintf(out->file, "%s:", text);
    nango_text_free(text);
}

void put_open(struct out *out, const char *name, char bracket)
{
    begin(out, name);
    putc(bracket, out->file);
    out->comma = false;
}

void put_close(struct out *out, char bracket)
{
    putc(bracket, out->file);
    out->comma = true;
}

/* False when it is not UTF-8. */
static bool put_string(struct out *out, const char *name, const char *text)
{
    char *quoted = nango_json_format("%Q", text);

    if (quoted == NULL)
        return false;
    begin(out, name);
    fputs(quoted, out->file);
    nango_text_free(quoted);
    return true;
}

void put_text(struct out *out, const char *name, const char *text)
{
    if (!put_string(out, name, text))
        put_bytes(out, name, text, strlen(text));
}

void put_int(struct out *out, const char *name, int64_t number)
{
    begin(out, name);
    fprintf(out->file, "%lld", (long long)number);
}

void put_bool(struct out *out, const char *name, bool value)
{
    begin(out, name);
    fputs(value ? "true" : "false", out->file);
}

void put_json(struct out *out, const char *name, const nango_json *value)
{
    size_t len;
    char *text = nango_json_text(value, &len);

    if (text != NULL && strlen(text) != len)
        fault("nango_json_text() gave %zu bytes and said %zu", strlen(text), len);
    if (text == NULL && value != NULL)
        fault("nango_json_text() gave nothing");
    begin(out, name);
    fputs(text != NULL ? text : "null", out->file);
    nango_text_free(text);
}

void put_bytes(struct out *out, const char *name, const char *data, size_t len)
{
    if (data[len] == '\0' && strlen(data) == len && put_string(out, name, data))
        return;
    put_open(out, name, '{');
    begin(out, "hex");
    putc('"', out->file);
    for (size_t i = 0; i < len; i++)
        fprintf(out->file, "%02x", (unsigned char)data[i]);
    putc('"', out->file);
    put_close(out, '}');
}

void put_content(struct out *out, const char *name, const nango_response *response)
{
    const nango_json *json = nango_response_json(response);
    size_t len;
    const char *body = nango_response_body(response, &len);

    if (json != NULL)
        put_json(out, name, json);
    else
        put_bytes(out, name, body, len);
}
