/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of an exchange with a provider. Of headers all names are told, and the
 * values of those that are known to hold no secret. */
#include "net/http.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "oplog/oplog_int.h"
#include "oplog/redact.h"

bool oplog_http_failed(const struct oplog_http *http)
{
    return http->status == 0 || http->status >= 400;
}

static void put_headers(struct buf *out, const struct http_headers *headers)
{
    if (headers == NULL)
        return;
    buf_puts(out, ",\"headers\":{");
    for (size_t i = 0; i < headers->count; i++) {
        const char *value = headers->items[i].value;
        char *name = str_dup(headers->items[i].name);
        bool open = redact_header_is_open(name) && str_is_utf8(value, strlen(value));

        str_lower(name);
        if (i > 0)
            buf_putc(out, ',');
        json_append_string(out, name);
        buf_putc(out, ':');
        json_append_string(out, open ? value : REDACTED);
        free(name);
    }
    buf_putc(out, '}');
}

void oplog_http_write(const struct oplog_http *http, bool with_headers, struct buf *out)
{
    buf_puts(out, "\"durationMs\":");
    buf_number(out, http->took_ms);
    buf_puts(out, ",\"request\":{\"method\":");
    json_append_string(out, http->method);
    buf_puts(out, ",\"url\":");
    json_append_string(out, http->url);
    if (with_headers)
        put_headers(out, http->request);
    buf_putc(out, '}');
    if (http->status != 0) {
        buf_puts(out, ",\"response\":{\"code\":");
        buf_number(out, http->status);
        if (with_headers)
            put_headers(out, http->answer);
        buf_putc(out, '}');
    }
    if (http->failure != NULL) {
        buf_puts(out, ",\"error\":{\"type\":\"network\",\"message\":");
        json_append_string(out, http->failure);
        buf_putc(out, '}');
    }
    if (http->attempt > 1) {
        buf_puts(out, ",\"retry\":{\"attempt\":");
        buf_number(out, http->attempt);
        buf_putc(out, '}');
    }
}
