/* SPDX-License-Identifier: Apache-2.0 */
/* Formats of texts and numbers, as the official server's validator takes them. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#include "base/str.h"
#include "jsonschema/jsonschema_int.h"

/* ---- times (RFC 3339) ---- */

/* Two digits; -1. */
static int two(const char *s)
{
    return isdigit((unsigned char)s[0]) && isdigit((unsigned char)s[1])
               ? (s[0] - '0') * 10 + s[1] - '0'
               : -1;
}

static bool date_of(const char *s, size_t len)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int century, year, month, day;

    if (len != 10 || s[4] != '-' || s[7] != '-')
        return false;
    century = two(s);
    year = two(s + 2);
    month = two(s + 5);
    day = two(s + 8);
    if (century < 0 || year < 0 || month < 1 || month > 12 || day < 1)
        return false;
    year += century * 100;
    if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
        return day <= 29;
    return day <= days[month - 1];
}

/* What is east of Greenwich counts as positive. */
static bool zone_of(const char *s, bool needed, int *minutes)
{
    int hour, minute = 0;

    *minutes = 0;
    if (*s == '\0')
        return !needed;
    if (*s == 'Z' || *s == 'z')
        return s[1] == '\0';
    if ((*s != '+' && *s != '-') || (hour = two(s + 1)) < 0 || hour > 23)
        return false;
    if (s[3] != '\0') {
        const char *rest = s + 3 + (s[3] == ':');

        minute = two(rest);
        if (minute < 0 || minute > 59 || rest[2] != '\0')
            return false;
    }
    *minutes = (*s == '-' ? -1 : 1) * (hour * 60 + minute);
    return true;
}

static bool time_of(const char *s, bool needs_zone)
{
    int hour = two(s), minute, second, east, utc;

    if (hour < 0 || s[2] != ':' || (minute = two(s + 3)) < 0 || s[5] != ':' ||
        (second = two(s + 6)) < 0)
        return false;
    s += 8;
    if (*s == '.') {
        if (!isdigit((unsigned char)*++s))
            return false;
        while (isdigit((unsigned char)*s))
            s++;
    }
    if (!zone_of(s, needs_zone, &east))
        return false;
    if (hour <= 23 && minute <= 59 && second < 60)
        return true;
    /* a leap second is the last of a day in UTC */
    utc = ((hour * 60 + minute - east) % 1440 + 1440) % 1440;
    return hour <= 23 && minute <= 59 && second == 60 && utc == 1439;
}

static bool is_date(const char *s)
{
    return date_of(s, strlen(s));
}

static bool is_time(const char *s)
{
    return time_of(s, true);
}

static bool is_iso_time(const char *s)
{
    return time_of(s, false);
}

static bool date_time_of(const char *s, bool needs_zone)
{
    size_t len = strcspn(s, "Tt \t");

    return s[len] != '\0' && date_of(s, len) && time_of(s + len + 1, needs_zone);
}

static bool is_date_time(const char *s)
{
    return date_time_of(s, true);
}

static bool is_iso_date_time(const char *s)
{
    return date_time_of(s, false);
}

/* Numbers, each followed by the next of `units` that is there; how many. */
static int amounts(const char **s, const char *units)
{
    int count = 0;

    while (isdigit((unsigned char)**s)) {
        const char *end = *s + strspn(*s, "0123456789"), *unit;

        unit = *end != '\0' ? strchr(units, *end) : NULL;
        if (unit == NULL)
            return -1;
        units = unit + 1;
        *s = end + 1;
        count++;
    }
    return count;
}

static bool is_duration(const char *s)
{
    const char *weeks;
    int days;

    if (*s++ != 'P' || *s == '\0')
        return false;
    weeks = s + strspn(s, "0123456789");
    if (weeks > s && strcmp(weeks, "W") == 0)
        return true;
    days = amounts(&s, "YMD");
    if (days < 0)
        return false;
    if (*s == '\0')
        return days > 0;
    if (*s++ != 'T')
        return false;
    return amounts(&s, "HMS") > 0 && *s == '\0';
}

/* ---- addresses ---- */

/* RFC 1034, and RFC 1123's first digit. */
static bool labels(const char *s, size_t len, bool dot_at_end)
{
    size_t label = 0;

    if (len > 0 && dot_at_end && s[len - 1] == '.')
        len--;
    if (len == 0 || len > 253)
        return false;
    for (size_t i = 0; i <= len; i++) {
        if (i < len && s[i] != '.') {
            if (!isascii(s[i]) || (!isalnum((unsigned char)s[i]) && s[i] != '-'))
                return false;
            label++;
            continue;
        }
        if (label == 0 || label > 63 || s[i - 1] == '-' || s[i - label] == '-')
            return false;
        label = 0;
    }
    return true;
}

static bool is_hostname(const char *s)
{
    return labels(s, strlen(s), true);
}

static bool is_email(const char *s)
{
    static const char atoms[] = "!#$%&'*+/=?^_`{|}~-";
    const char *at = strrchr(s, '@');
    const char *host = at != NULL ? at + 1 : s;

    if (at == NULL || at == s || *s == '.' || at[-1] == '.')
        return false;
    for (const char *c = s; c < at; c++)
        if (!isascii(*c) ||
            (*c == '.' ? c[1] == '.'
                       : !isalnum((unsigned char)*c) && strchr(atoms, *c) == NULL))
            return false;
    return strchr(host, '.') != NULL && labels(host, strlen(host), false);
}

static bool is_ipv4(const char *s)
{
    struct in_addr address;

    return inet_pton(AF_INET, s, &address) == 1;
}

static bool is_ipv6(const char *s)
{
    struct in6_addr address;

    return inet_pton(AF_INET6, s, &address) == 1;
}

/* ---- URIs and pointers ---- */

/* Something like `a:` or with a slash: so much is asked for besides RFC 3986. */
static bool is_uri(const char *s)
{
    return uri_is_valid(s, strlen(s), false);
}

static bool is_uri_reference(const char *s)
{
    return uri_is_valid(s, strlen(s), true);
}

static bool is_url(const char *s)
{
    static const char *const schemes[] = {"http://", "https://", "ftp://"};

    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (str_starts_nocase(s, schemes[i]))
            return strchr(s + strlen(schemes[i]), ' ') == NULL &&
                   s[strlen(schemes[i])] != '\0' && s[strlen(schemes[i])] != '/';
    return false;
}

/* A name of RFC 6570 section 2.3, and what may modify it (2.4); where it ends, or NULL. */
static const char *variable_end(const char *s)
{
    for (bool first = true;; first = false) {
        if (*s == '.' && !first)
            s++;
        if (*s == '%' && str_hex_value(s[1]) >= 0 && str_hex_value(s[2]) >= 0)
            s += 3;
        else if (isascii(*s) && (isalnum((unsigned char)*s) || *s == '_'))
            s++;
        else if (first || s[-1] == '.')
            return NULL;
        else
            break;
    }
    if (*s == '*')
        return s + 1;
    if (*s == ':') {
        size_t digits = strspn(s + 1, "0123456789");

        return digits >= 1 && digits <= 4 && s[1] != '0' ? s + 1 + digits : NULL;
    }
    return s;
}

/* RFC 6570: literals, and expressions in braces. */
static bool is_uri_template(const char *s)
{
    while (*s != '\0') {
        if (*s == '{') {
            s += 1 + (s[1] != '\0' && strchr("+#./;?&=,!@|", s[1]) != NULL);
            do {
                s = variable_end(s);
            } while (s != NULL && *s == ',' && *++s != '\0');
            if (s == NULL || *s != '}')
                return false;
        } else if ((unsigned char)*s <= ' ' || strchr("\"<>\\^`|}\x7f", *s) != NULL ||
                   (*s == '%' && (str_hex_value(s[1]) < 0 || str_hex_value(s[2]) < 0))) {
            return false;
        }
        s++;
    }
    return true;
}

static bool is_json_pointer(const char *s)
{
    if (*s != '\0' && *s != '/')
        return false;
    for (; *s != '\0'; s++)
        if (*s == '~' && s[1] != '0' && s[1] != '1')
            return false;
    return true;
}

static bool is_pointer_fragment(const char *s)
{
    return *s == '#' && is_json_pointer(s + 1) && uri_is_valid(s, strlen(s), true);
}

static bool is_relative_pointer(const char *s)
{
    size_t digits = strspn(s, "0123456789");

    return digits > 0 && (digits == 1 || *s != '0') &&
           (strcmp(s + digits, "#") == 0 || is_json_pointer(s + digits));
}

/* ---- others ---- */

static bool is_uuid(const char *s)
{
    if (str_starts_nocase(s, "urn:uuid:"))
        s += strlen("urn:uuid:");
    return str_is_uuid(s);
}

static bool is_regex(const char *s)
{
    return regex_fault(s, true) == NULL;
}

/* RFC 4648 section 4, padded. */
static bool is_base64(const char *s)
{
    size_t len = strlen(s), pad = 0;

    while (pad < 2 && len > pad && s[len - 1 - pad] == '=')
        pad++;
    if (len % 4 != 0)
        return false;
    for (size_t i = 0; i < len - pad; i++)
        if (!isascii(s[i]) ||
            (!isalnum((unsigned char)s[i]) && s[i] != '+' && s[i] != '/'))
            return false;
    return true;
}

static bool is_int32(double number)
{
    return trunc(number) == number && number >= -2147483648.0 && number <= 2147483647.0;
}

static bool is_int64(double number)
{
    return isfinite(number) && trunc(number) == number;
}

static const struct {
    const char *name;
    bool (*text)(const char *s);
    bool (*number)(double number);
} formats[] = {
    {"byte", is_base64, NULL},
    {"date", is_date, NULL},
    {"date-time", is_date_time, NULL},
    {"duration", is_duration, NULL},
    {"email", is_email, NULL},
    {"hostname", is_hostname, NULL},
    {"int32", NULL, is_int32},
    {"int64", NULL, is_int64},
    {"ipv4", is_ipv4, NULL},
    {"ipv6", is_ipv6, NULL},
    {"iso-date-time", is_iso_date_time, NULL},
    {"iso-time", is_iso_time, NULL},
    {"json-pointer", is_json_pointer, NULL},
    {"json-pointer-uri-fragment", is_pointer_fragment, NULL},
    {"regex", is_regex, NULL},
    {"relative-json-pointer", is_relative_pointer, NULL},
    {"time", is_time, NULL},
    {"uri", is_uri, NULL},
    {"uri-reference", is_uri_reference, NULL},
    {"uri-template", is_uri_template, NULL},
    {"url", is_url, NULL},
    {"uuid", is_uuid, NULL},
};

bool format_passes(const char *format, const cJSON *value)
{
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (strcmp(formats[i].name, format) != 0)
            continue;
        if (cJSON_IsString(value))
            return formats[i].text == NULL || formats[i].text(value->valuestring);
        return formats[i].number == NULL || !cJSON_IsNumber(value) ||
               formats[i].number(value->valuedouble);
    }
    return true;
}
