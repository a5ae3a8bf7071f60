/* SPDX-License-Identifier: Apache-2.0 */
/* Reading times as servers write them: "2023-03-08T09:43:03.725Z", or with an offset as
 * "+00:00" (contract http-api.md, 1.5). Own arithmetic, since mktime() and strptime() look
 * at the process's zone and locale. */
#include "sdk/sdk_int.h"

/* Takes `digits` decimal digits; false when there is something else. */
static bool take_number(const char **s, int digits, int *out)
{
    int value = 0;

    for (int i = 0; i < digits; i++) {
        const char c = **s;

        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
        (*s)++;
    }
    *out = value;
    return true;
}

static bool take_char(const char **s, char c)
{
    if (**s != c)
        return false;
    (*s)++;
    return true;
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap(year) ? 1 : 0);
}

/* Days from 1970-01-01 to a date of the Gregorian calendar, year 0 to 9999. */
static int64_t days_to(int year, int month, int day)
{
    /* Days before a year, counted from year 0, which is a leap year. */
    int64_t days = (int64_t)year * 365 + (year + 3) / 4 - (year + 99) / 100 +
                   (year + 399) / 400 - 719528;

    for (int m = 1; m < month; m++)
        days += days_in(year, m);
    return days + day - 1;
}

/* The milliseconds of ".725941"; what is finer is cut off. */
static bool take_fraction(const char **s, int *ms)
{
    int scale = 100;

    *ms = 0;
    if (!take_char(s, '.'))
        return true;
    if (**s < '0' || **s > '9')
        return false;
    for (; **s >= '0' && **s <= '9'; (*s)++) {
        *ms += (**s - '0') * scale;
        scale /= 10;
    }
    return true;
}

/* The minutes east of Greenwich of "Z" or "+02:00". */
static bool take_zone(const char **s, int *minutes)
{
    int hour;
    int minute;
    int sign;

    *minutes = 0;
    if (take_char(s, 'Z') || take_char(s, 'z'))
        return true;
    if (take_char(s, '+'))
        sign = 1;
    else if (take_char(s, '-'))
        sign = -1;
    else
        return false;
    if (!take_number(s, 2, &hour) || !take_char(s, ':') || !take_number(s, 2, &minute) ||
        hour > 23 || minute > 59)
        return false;
    *minutes = sign * (hour * 60 + minute);
    return true;
}

bool ngo_time_parse(const char *s, int64_t *out_ms)
{
    int year;
    int month;
    int day;
    int hour;
    int minute;
    int second;
    int ms;
    int zone;

    if (s == NULL)
        return false;
    if (!take_number(&s, 4, &year) || !take_char(&s, '-') ||
        !take_number(&s, 2, &month) || !take_char(&s, '-') || !take_number(&s, 2, &day))
        return false;
    if (!take_char(&s, 'T') && !take_char(&s, 't') && !take_char(&s, ' '))
        return false;
    if (!take_number(&s, 2, &hour) || !take_char(&s, ':') ||
        !take_number(&s, 2, &minute) || !take_char(&s, ':') ||
        !take_number(&s, 2, &second) || !take_fraction(&s, &ms) || !take_zone(&s, &zone))
        return false;
    if (*s != '\0' || month < 1 || month > 12 || day < 1 || day > days_in(year, month) ||
        hour > 23 || minute > 59 || second > 59)
        return false;
    *out_ms = ((days_to(year, month, day) * 24 + hour) * 60 + minute - zone) * 60000 +
              second * 1000 + ms;
    return true;
}
