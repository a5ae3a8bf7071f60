/* SPDX-License-Identifier: Apache-2.0 */
/* Telling the time, and its two spellings on the wire. */
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

bool clock_map_offset(struct clock *clock, const char *path, struct err *err)
{
    struct stat st;
    void *p = MAP_FAILED;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return err_internal(err, "clock offset file %s: %s", path, strerror(errno));
    if (fstat(fd, &st) == 0 && st.st_size >= (off_t)sizeof(int64_t))
        p = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (p == MAP_FAILED)
        return err_internal(err, "clock offset file %s: it must hold 8 bytes", path);
    clock->offset_ms = p;
    return true;
}

int64_t clock_now_us(const struct clock *clock)
{
    struct timespec now;
    int64_t us;

    if (clock != NULL) {
        int64_t frozen_ms = __atomic_load_n(&clock->frozen_ms, __ATOMIC_RELAXED);

        if (frozen_ms > 0)
            return frozen_ms * 1000;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
    if (clock != NULL && clock->offset_ms != NULL)
        us += *clock->offset_ms * 1000;
    return us;
}

int64_t clock_now_ms(const struct clock *clock)
{
    return clock_now_us(clock) / 1000;
}

int64_t clock_mono_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_mono_ms(void)
{
    return clock_mono_us() / 1000;
}

static char *put_digits(char *at, int64_t value, int count)
{
    for (int i = count - 1; i >= 0; i--) {
        at[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return at + count;
}

#define DAY_MS INT64_C(86400000)
#define YEAR_1970_MS_MAX INT64_C(253402300799999) /* the end of 9999 */

/* From 1970 to 9999, which is all but a few: pages of records have hundreds of times. The
 * calendar is counted in eras of 400 years, from the first of March. */
static void clock_text_usual(int64_t ms, const char *zone, char out[CLOCK_TEXT_SIZE])
{
    int64_t day = ms / DAY_MS + 719468, rest = ms % DAY_MS;
    int64_t era = day / 146097, of_era = day % 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    int64_t of_month = of_year - (153 * month + 2) / 5 + 1;
    char *at = out;

    month = month < 10 ? month + 3 : month - 9;
    at = put_digits(at, year + era * 400 + (month <= 2), 4);
    *at++ = '-';
    at = put_digits(at, month, 2);
    *at++ = '-';
    at = put_digits(at, of_month, 2);
    *at++ = 'T';
    at = put_digits(at, rest / 3600000, 2);
    *at++ = ':';
    at = put_digits(at, rest / 60000 % 60, 2);
    *at++ = ':';
    at = put_digits(at, rest / 1000 % 60, 2);
    *at++ = '.';
    at = put_digits(at, rest % 1000, 3);
    memcpy(at, zone, strlen(zone) + 1);
}

static void clock_text(int64_t ms, const char *zone, char out[CLOCK_TEXT_SIZE])
{
    int64_t seconds = ms / 1000;
    int64_t rest = ms % 1000;
    time_t t;
    struct tm tm;

    if (ms >= 0 && ms <= YEAR_1970_MS_MAX) {
        clock_text_usual(ms, zone, out);
        return;
    }
    if (rest < 0) {
        rest += 1000;
        seconds--;
    }
    t = (time_t)seconds;
    if (gmtime_r(&t, &tm) == NULL)
        memset(&tm, 0, sizeof tm);
    snprintf(out, CLOCK_TEXT_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%03d%s",
        (tm.tm_year + 1900) % 100000, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
        tm.tm_sec, (int)rest, zone);
}

void clock_text_z(int64_t ms, char out[CLOCK_TEXT_SIZE])
{
    clock_text(ms, "Z", out);
}

void clock_text_offset(int64_t ms, char out[CLOCK_TEXT_SIZE])
{
    clock_text(ms, "+00:00", out);
}

/* Reads exactly `digits` digits. */
static bool take_number(const char **at, int digits, int *out)
{
    int value = 0;

    for (int i = 0; i < digits; i++) {
        char c = (*at)[i];

        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
    }
    *at += digits;
    *out = value;
    return true;
}

static bool take_char(const char **at, char c)
{
    if (**at != c)
        return false;
    ++*at;
    return true;
}

static int days_of_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && leap ? 29 : days[month - 1];
}

/* A fraction of any length, cut to milliseconds. */
static bool take_fraction(const char **at, int *ms)
{
    int scale = 100;

    if (**at < '0' || **at > '9')
        return false;
    *ms = 0;
    while (**at >= '0' && **at <= '9') {
        *ms += (**at - '0') * scale;
        scale /= 10;
        ++*at;
    }
    return true;
}

static bool take_zone(const char **at, int *minutes)
{
    int hours;
    int mins = 0;
    int sign = **at == '-' ? -1 : 1;

    *minutes = 0;
    if (**at == 'Z' || **at == 'z') {
        ++*at;
        return true;
    }
    if (**at != '+' && **at != '-')
        return true; /* none: UTC */
    ++*at;
    if (!take_number(at, 2, &hours))
        return false;
    (void)take_char(at, ':');
    if (**at != '\0' && !take_number(at, 2, &mins))
        return false;
    if (hours > 23 || mins > 59)
        return false;
    *minutes = sign * (hours * 60 + mins);
    return true;
}

/* The name of the day is not compared with the date, as in JavaScript. */
static bool http_date(const char *text, int64_t *ms)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm);

    if (end == NULL || *end != '\0')
        return false;
    *ms = (int64_t)timegm(&tm) * 1000;
    return true;
}

bool clock_parse(const char *text, int64_t *ms)
{
    const char *at = text;
    int year, month = 1, day = 1, hour = 0, minute = 0, second = 0, millis = 0, zone = 0;
    struct tm tm;

    if (!take_number(&at, 4, &year))
        return http_date(text, ms);
    if (take_char(&at, '-')) {
        if (!take_number(&at, 2, &month))
            return false;
        if (take_char(&at, '-') && !take_number(&at, 2, &day))
            return false;
    }
    if (month < 1 || month > 12 || day < 1 || day > days_of_month(year, month))
        return false;
    if (*at == 'T' || *at == 't' || *at == ' ') {
        at++;
        if (!take_number(&at, 2, &hour) || !take_char(&at, ':') ||
            !take_number(&at, 2, &minute))
            return false;
        if (take_char(&at, ':')) {
            if (!take_number(&at, 2, &second))
                return false;
            if ((take_char(&at, '.') || take_char(&at, ',')) &&
                !take_fraction(&at, &millis))
                return false;
        }
        if (hour > 24 || (hour == 24 && (minute | second | millis) != 0) || minute > 59 ||
            second > 59)
            return false;
        if (!take_zone(&at, &zone))
            return false;
    }
    if (*at != '\0')
        return false;
    memset(&tm, 0, sizeof tm);
    tm.tm_year = year - 1900;
    tm.tm_mon = month - 1;
    tm.tm_mday = day;
    tm.tm_hour = hour;
    tm.tm_min = minute;
    tm.tm_sec = second;
    *ms = ((int64_t)timegm(&tm) - (int64_t)zone * 60) * 1000 + millis;
    return true;
}
