/* SPDX-License-Identifier: Apache-2.0 */
/* `${now}` and its offsets and formats: dayjs tokens in UTC (contract auth.md section 2).
 * An unknown unit or a broken offset leaves the placeholder as it is. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/str.h"
#include "catalog/template_int.h"

#define DAY_MS INT64_C(86400000)
#define MAX_AMOUNT INT64_C(1000000000)

struct moment {
    int64_t ms;
    struct tm tm;
    int milli;
};

static bool moment_init(struct moment *m, int64_t ms)
{
    time_t seconds;

    m->ms = ms;
    m->milli = (int)(((ms % 1000) + 1000) % 1000);
    seconds = (time_t)((ms - m->milli) / 1000);
    return gmtime_r(&seconds, &m->tm) != NULL;
}

/* ---- offsets ---- */

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 1 && leap ? 29 : days[month];
}

/* Keeps the day of the month where the month has it, else takes its last. */
static bool add_months(int64_t *ms, int64_t months)
{
    struct moment m;
    int64_t month;
    int last;

    if (months < -120000 || months > 120000 || !moment_init(&m, *ms))
        return false;
    month = (int64_t)m.tm.tm_year * 12 + m.tm.tm_mon + months;
    m.tm.tm_year = (int)(month / 12);
    m.tm.tm_mon = (int)(month % 12);
    if (m.tm.tm_mon < 0) {
        m.tm.tm_mon += 12;
        m.tm.tm_year--;
    }
    last = days_in_month(m.tm.tm_year + 1900, m.tm.tm_mon);
    if (m.tm.tm_mday > last)
        m.tm.tm_mday = last;
    *ms = (int64_t)timegm(&m.tm) * 1000 + m.milli;
    return true;
}

static bool add_unit(int64_t *ms, int64_t amount, const char *unit)
{
    static const struct {
        const char *name;
        int64_t ms;
        int months;
    } units[] = {
        {"ms", 1, 0},
        {"millisecond", 1, 0},
        {"s", 1000, 0},
        {"second", 1000, 0},
        {"m", 60000, 0},
        {"minute", 60000, 0},
        {"h", 3600000, 0},
        {"hour", 3600000, 0},
        {"d", DAY_MS, 0},
        {"day", DAY_MS, 0},
        {"w", 7 * DAY_MS, 0},
        {"week", 7 * DAY_MS, 0},
        {"M", 0, 1},
        {"month", 0, 1},
        {"Q", 0, 3},
        {"quarter", 0, 3},
        {"y", 0, 12},
        {"year", 0, 12},
    };
    char name[16];
    size_t len = strlen(unit);

    if (len == 0 || len >= sizeof(name))
        return false;
    str_copy(name, sizeof(name), unit);
    if (len > 2) { /* one-letter units tell months from minutes by case */
        str_lower(name);
        if (name[len - 1] == 's')
            name[len - 1] = '\0';
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(units[i].name, name) != 0)
            continue;
        if (units[i].months > 0)
            return add_months(ms, amount * units[i].months);
        *ms += amount * units[i].ms;
        return true;
    }
    return false;
}

/* ---- formats ---- */

static const char *const month_names[] = {"January", "February", "March", "April", "May",
    "June", "July", "August", "September", "October", "November", "December"};
static const char *const day_names[] = {
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

static void ordinal(int n, struct buf *out)
{
    static const char *const ends[] = {"th", "st", "nd", "rd"};
    int tens = n % 100;
    const char *end = tens >= 11 && tens <= 13 ? "th" : n % 10 < 4 ? ends[n % 10] : "th";

    buf_printf(out, "%d%s", n, end);
}

/* The longest token at `s`, 0 when it is none. */
static size_t token_len(const char *s, size_t room)
{
    static const char *const tokens[] = {"YYYY", "YY", "MMMM", "MMM", "MM", "M", "DD",
        "Do", "D", "dddd", "ddd", "dd", "d", "HH", "H", "hh", "h", "kk", "k", "a", "A",
        "mm", "m", "SSS", "ss", "s", "ZZ", "Z", "Q", "X", "x"};

    for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
        size_t len = strlen(tokens[i]);
        if (len <= room && memcmp(s, tokens[i], len) == 0)
            return len;
    }
    return 0;
}

static void two(bool padded, int n, struct buf *out)
{
    buf_printf(out, padded ? "%02d" : "%d", n);
}

static void append_token(
    const struct moment *m, const char *token, size_t len, struct buf *out)
{
    const struct tm *tm = &m->tm;
    int year = tm->tm_year + 1900;
    int hour12 = tm->tm_hour % 12 == 0 ? 12 : tm->tm_hour % 12;

    switch (*token) {
    case 'Y':
        if (len == 4)
            buf_printf(out, "%04d", year);
        else
            buf_printf(out, "%02d", year % 100);
        break;
    case 'M':
        if (len > 2)
            buf_append(out, month_names[tm->tm_mon],
                len == 3 ? 3 : strlen(month_names[tm->tm_mon]));
        else
            two(len == 2, tm->tm_mon + 1, out);
        break;
    case 'D':
        if (len == 2 && token[1] == 'o')
            ordinal(tm->tm_mday, out);
        else
            two(len == 2, tm->tm_mday, out);
        break;
    case 'd':
        if (len == 1)
            buf_printf(out, "%d", tm->tm_wday);
        else
            buf_append(out, day_names[tm->tm_wday],
                len == 4 ? strlen(day_names[tm->tm_wday]) : len);
        break;
    case 'H':
        two(len == 2, tm->tm_hour, out);
        break;
    case 'h':
        two(len == 2, hour12, out);
        break;
    case 'k':
        two(len == 2, tm->tm_hour == 0 ? 24 : tm->tm_hour, out);
        break;
    case 'a':
        buf_puts(out, tm->tm_hour < 12 ? "am" : "pm");
        break;
    case 'A':
        buf_puts(out, tm->tm_hour < 12 ? "AM" : "PM");
        break;
    case 'm':
        two(len == 2, tm->tm_min, out);
        break;
    case 's':
        two(len == 2, tm->tm_sec, out);
        break;
    case 'S':
        buf_printf(out, "%03d", m->milli);
        break;
    case 'Z':
        buf_puts(out, len == 2 ? "+0000" : "+00:00");
        break;
    case 'Q':
        buf_printf(out, "%d", tm->tm_mon / 3 + 1);
        break;
    case 'X':
        buf_printf(out, "%lld", (long long)((m->ms - m->milli) / 1000));
        break;
    default: /* x */
        buf_printf(out, "%lld", (long long)m->ms);
        break;
    }
}

static void append_format(
    const struct moment *m, const char *s, size_t len, struct buf *out)
{
    const char *end = s + len;

    while (s < end) {
        size_t room = (size_t)(end - s);
        const char *close = *s == '[' ? memchr(s, ']', room) : NULL;
        size_t token;
        if (close && close > s + 1) { /* literal text */
            buf_append(out, s + 1, (size_t)(close - s - 1));
            s = close + 1;
            continue;
        }
        token = token_len(s, room);
        if (token > 0)
            append_token(m, s, token, out);
        else
            buf_putc(out, *s);
        s += token > 0 ? token : 1;
    }
}

/* Reads `+7:days` at the front and moves the instant; the rest is left in *s. */
static bool read_offset(const char **s, const char *end, int64_t *ms)
{
    bool minus = **s == '-';
    int64_t amount = 0;
    const char *p = *s + 1;
    const char *unit;
    char name[16];

    if (p == end || !isdigit((unsigned char)*p))
        return false;
    for (; p < end && isdigit((unsigned char)*p); p++) {
        amount = amount * 10 + (*p - '0');
        if (amount > MAX_AMOUNT)
            return false;
    }
    if (p == end || *p != ':')
        return false;
    unit = ++p;
    while (p < end && *p != ':')
        p++;
    if ((size_t)(p - unit) >= sizeof(name))
        return false;
    memcpy(name, unit, (size_t)(p - unit));
    name[p - unit] = '\0';
    *s = p;
    return add_unit(ms, minus ? -amount : amount, name);
}

bool template_now(const char *expression, size_t len, int64_t now_ms, struct buf *out)
{
    const char *s = expression;
    const char *end = s + len;
    int64_t ms = now_ms;
    char text[CLOCK_TEXT_SIZE];
    struct moment m;

    if (s < end && (*s == '+' || *s == '-') && !read_offset(&s, end, &ms))
        return false;
    if (s == end) {
        clock_text_z(ms, text);
        buf_puts(out, text);
        return true;
    }
    if (*s != ':' || !moment_init(&m, ms))
        return false;
    append_format(&m, s + 1, (size_t)(end - s - 1), out);
    return true;
}
