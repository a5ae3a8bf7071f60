/* SPDX-License-Identifier: Apache-2.0 */
/* Cursors as clients carry them: base64 of `<time>||<uuid>`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "records/records_int.h"

#define SEPARATOR "||"

void records_time_text(int64_t us, char out[RECORDS_TIME_SIZE])
{
    char text[CLOCK_TEXT_SIZE];
    int more = (int)(us % 1000);
    size_t len;

    clock_text_z(us / 1000, text); /* 2023-09-18T15:20:35.941Z */
    len = strlen(text) - 1;
    memcpy(out, text, len);
    out[len++] = (char)('0' + more / 100);
    out[len++] = (char)('0' + more / 10 % 10);
    out[len++] = (char)('0' + more % 10);
    memcpy(out + len, "+00:00", sizeof "+00:00");
}

void records_append_cursor(const struct records_cursor *cursor, struct buf *out)
{
    char plain[RECORDS_TIME_SIZE + UUID_TEXT_SIZE + sizeof SEPARATOR];
    size_t len;

    records_time_text(cursor->updated_us, plain);
    len = strlen(plain);
    memcpy(plain + len, SEPARATOR, sizeof SEPARATOR);
    len += sizeof SEPARATOR - 1;
    crypto_uuid_text(cursor->uuid, plain + len);
    str_base64(plain, len + UUID_TEXT_SIZE - 1, out);
}

void records_cursor_text(
    const struct records_cursor *cursor, char out[RECORDS_CURSOR_SIZE])
{
    struct buf text;

    buf_init(&text, 0);
    records_append_cursor(cursor, &text);
    str_copy(out, RECORDS_CURSOR_SIZE, text.data);
    buf_finish(&text);
}

/* The digits behind the milliseconds, which clock_parse() cuts. */
static bool read_time(const char *text, int64_t *us)
{
    const char *dot = strchr(text, '.');
    int64_t ms, more = 0;

    if (!clock_parse(text, &ms))
        return false;
    for (int i = 4; dot != NULL && i < 7; i++) {
        if (strlen(dot) <= (size_t)i || dot[i] < '0' || dot[i] > '9')
            return false;
        more = more * 10 + (dot[i] - '0');
    }
    *us = ms * 1000 + more;
    return true;
}

static bool read_uuid(const char *text, uint8_t out[RECORDS_UUID_LEN])
{
    char hex[2 * RECORDS_UUID_LEN + 1];
    size_t at = 0;

    if (!str_is_uuid(text))
        return false;
    for (; *text != '\0'; text++)
        if (*text != '-')
            hex[at++] = *text;
    hex[at] = '\0';
    return str_unhex(hex, out, RECORDS_UUID_LEN);
}

bool records_cursor_parse(const char *text, struct records_cursor *out)
{
    struct buf plain;
    char *separator;
    bool ok = false;

    buf_init(&plain, RECORDS_CURSOR_SIZE);
    if (str_unbase64(text, strlen(text), &plain) &&
        memchr(plain.data, '\0', plain.len) == NULL &&
        (separator = strstr(plain.data, SEPARATOR)) != NULL) {
        *separator = '\0';
        ok = read_time(plain.data, &out->updated_us) &&
             read_uuid(separator + strlen(SEPARATOR), out->uuid);
    }
    buf_finish(&plain);
    return ok;
}
