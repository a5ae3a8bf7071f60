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

    clock_text_z(us / 1000, text); /* 2023-09-18T15:20:35.941Z */
    text[strlen(text) - 1] = '\0';
    (void)snprintf(out, RECORDS_TIME_SIZE, "%.28s%03d+00:00", text, (int)(us % 1000));
}

void records_cursor_text(
    const struct records_cursor *cursor, char out[RECORDS_CURSOR_SIZE])
{
    char time[RECORDS_TIME_SIZE], uuid[UUID_TEXT_SIZE];
    char plain[RECORDS_TIME_SIZE + UUID_TEXT_SIZE + sizeof SEPARATOR];
    struct buf text;

    records_time_text(cursor->updated_us, time);
    crypto_uuid_text(cursor->uuid, uuid);
    (void)snprintf(plain, sizeof plain, "%s" SEPARATOR "%s", time, uuid);
    buf_init(&text, 0);
    str_base64(plain, strlen(plain), &text);
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
