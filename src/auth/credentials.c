/* SPDX-License-Identifier: Apache-2.0 */
/* Reading dates out of credentials, and hiding refresh tokens. No I/O; nothing here fails
 * but by saying that a date cannot be read. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "auth/connection.h"
#include "base/json.h"
#include "base/str.h"

/* The range of JavaScript's Date, ECMA-262 section 21.4.1.1. */
#define DATE_MAX_MS 8.64e15
#define YEAR_1972_MS 63072000000.0

/* Milliseconds when that gives a year after 1971, else seconds. */
static bool number_parse(double number, int64_t *out_ms)
{
    double ms = number >= YEAR_1972_MS ? number : number * 1000;

    if (!isfinite(ms) || fabs(ms) > DATE_MAX_MS)
        return false;
    *out_ms = (int64_t)ms;
    return true;
}

/* Reads one run of at most `max_digits` digits and moves *at past it. */
static bool digits_parse(const char **at, size_t max_digits, int64_t *out)
{
    size_t count = 0;
    int64_t value = 0;

    while (count < max_digits && isdigit((unsigned char)(*at)[count])) {
        value = value * 10 + ((*at)[count] - '0');
        count++;
    }
    *at += count;
    *out = value;
    return count > 0;
}

/* Tableau's `D:HH:MM` from now. */
static bool duration_parse(const char *text, int64_t *out_ms)
{
    const char *at = text;
    int64_t days, hours, minutes;

    if (!digits_parse(&at, 6, &days) || *at++ != ':' || !digits_parse(&at, 2, &hours) ||
        *at++ != ':' || !digits_parse(&at, 2, &minutes) || *at != '\0')
        return false;
    if (hours > 23 || minutes > 59)
        return false;
    *out_ms = ((days * 24 + hours) * 60 + minutes) * 60000;
    return true;
}

bool token_expiry_parse(const cJSON *value, int64_t now_ms, int64_t *out_ms)
{
    const char *text;
    int64_t duration_ms;

    if (cJSON_IsNumber(value))
        return number_parse(value->valuedouble, out_ms);
    if (!cJSON_IsString(value) || value->valuestring[0] == '\0')
        return false;
    text = value->valuestring;
    if (strspn(text, "0123456789") == strlen(text))
        return number_parse(strtod(text, NULL), out_ms);
    if (clock_parse(text, out_ms))
        return true;
    if (!duration_parse(text, &duration_ms))
        return false;
    *out_ms = now_ms + duration_ms;
    return true;
}

bool credentials_expiry(const cJSON *credentials, int64_t now_ms, int64_t *expires_at_ms)
{
    const cJSON *value = json_get(credentials, "expires_at");

    *expires_at_ms = 0;
    if (value == NULL || cJSON_IsNull(value) || cJSON_IsFalse(value) ||
        (cJSON_IsString(value) && value->valuestring[0] == '\0'))
        return true;
    return token_expiry_parse(value, now_ms, expires_at_ms);
}

/* Compares the letters of `name` alone, any case. */
static bool reads_refresh_token(const char *name)
{
    const char *wanted = "refreshtoken";

    for (; *name != '\0'; name++) {
        if (!isalpha((unsigned char)*name))
            continue;
        if (tolower((unsigned char)*name) != *wanted)
            return false;
        wanted++;
    }
    return *wanted == '\0';
}

/* Depth is bounded by the parser's own limit (json.h). */
void credentials_hide_refresh_token(cJSON *value)
{
    cJSON *child = value != NULL ? value->child : NULL;

    while (child != NULL) {
        cJSON *next = child->next;

        if (child->string != NULL && reads_refresh_token(child->string))
            cJSON_Delete(cJSON_DetachItemViaPointer(value, child));
        else
            credentials_hide_refresh_token(child);
        child = next;
    }
}
