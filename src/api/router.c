/* SPDX-License-Identifier: Apache-2.0 */
/* Path patterns (contract http-api.md section 1.1: case-insensitive literals, a trailing
 * slash does not matter, `//` is not `/`).
 *
 * Patterns are walked together with the path, character by character: no tree is built,
 * as the few dozen patterns differ in their first letters and a mismatch costs
 * nanoseconds. */
#include "api/router.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool path_match(
    const char *pattern, const char *path, struct path_span spans[PATH_MAX_PARAMS])
{
    size_t count = 0;

    while (*pattern != '\0') {
        if (*pattern == ':') {
            size_t len = strcspn(path, "/");

            if (len == 0 || count == PATH_MAX_PARAMS)
                return false;
            spans[count++] = (struct path_span){path, len};
            path += len;
            pattern += strcspn(pattern, "/");
        } else if (pattern[0] == '/' && pattern[1] == '*' && pattern[2] == '\0') {
            return *path == '\0' || *path == '/';
        } else if (*pattern != lower(*path)) {
            return false;
        } else {
            pattern++;
            path++;
        }
    }
    return *path == '\0' || (path[0] == '/' && path[1] == '\0');
}

char *path_span_decode(const struct path_span *span)
{
    struct buf raw, out;
    char *text = NULL;

    buf_init(&raw, 0);
    buf_init(&out, 0);
    if (!str_percent_decode(span->text, span->len, false, &raw) ||
        !str_is_utf8(raw.data != NULL ? raw.data : "", raw.len))
        goto done;
    for (size_t i = 0; i < raw.len; i++) {
        if (raw.data[i] == '\0')
            buf_puts(&out, "\xEF\xBF\xBD");
        else
            buf_putc(&out, raw.data[i]);
    }
    text = buf_take(&out, NULL);

done:
    buf_finish(&raw);
    buf_finish(&out);
    return text;
}

void path_param_name(const char *pattern, size_t index, char *out, size_t out_size)
{
    size_t len = 0;

    while ((pattern = strchr(pattern, ':')) != NULL) {
        pattern++;
        if (index-- == 0) {
            len = strcspn(pattern, "/");
            break;
        }
    }
    if (len >= out_size)
        len = out_size - 1;
    if (len > 0)
        memcpy(out, pattern, len);
    out[len] = '\0';
}
