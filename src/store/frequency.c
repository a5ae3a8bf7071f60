/* SPDX-License-Identifier: Apache-2.0 */
#include "store/frequency.h"

#include <string.h>

#include "base/str.h"

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)
/* More digits than this are too long in any unit. */
#define MAX_DIGITS 9

struct word {
    const char *text;
    int64_t ms;
};

/* May follow a number; alone they mean one. */
static const struct word units[] = {
    {"s", SECOND_MS},
    {"sec", SECOND_MS},
    {"secs", SECOND_MS},
    {"second", SECOND_MS},
    {"seconds", SECOND_MS},
    {"m", MINUTE_MS},
    {"min", MINUTE_MS},
    {"mins", MINUTE_MS},
    {"minute", MINUTE_MS},
    {"minutes", MINUTE_MS},
    {"h", HOUR_MS},
    {"hr", HOUR_MS},
    {"hrs", HOUR_MS},
    {"hour", HOUR_MS},
    {"hours", HOUR_MS},
    {"d", DAY_MS},
    {"day", DAY_MS},
    {"days", DAY_MS},
};

/* Stand alone. */
static const struct word names[] = {
    {"month", 30 * DAY_MS},
    {"week", 7 * DAY_MS},
    {"half day", 12 * HOUR_MS},
    {"half hour", 30 * MINUTE_MS},
    {"quarter hour", 15 * MINUTE_MS},
};

static bool find_word(
    const struct word *words, size_t count, const char *text, int64_t *ms)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(words[i].text, text) == 0) {
            *ms = words[i].ms;
            return true;
        }
    return false;
}

/* The milliseconds, or FREQUENCY_MAX_MS + 1 for all that is longer. */
static bool read(const char *text, int64_t *ms)
{
    int64_t amount = 1, unit;
    size_t digits;

    if (str_starts(text, "every "))
        text += strlen("every ");
    if (find_word(names, sizeof names / sizeof names[0], text, ms))
        return true;
    digits = strspn(text, "0123456789");
    if (digits > 0)
        amount = 0;
    for (size_t i = 0; i < digits && i < MAX_DIGITS; i++)
        amount = amount * 10 + (text[i] - '0');
    /* one blank of any kind, as the grammar's \s */
    text += digits;
    if (*text != '\0' && strchr(" \t\n\r\f\v", *text) != NULL)
        text++;
    if (!find_word(units, sizeof units / sizeof units[0], text, &unit))
        return false;
    *ms = digits > MAX_DIGITS || amount > FREQUENCY_MAX_MS / unit ? FREQUENCY_MAX_MS + 1
                                                                  : amount * unit;
    return true;
}

bool frequency_is_shaped(const char *text)
{
    int64_t ms;

    return read(text, &ms);
}

bool frequency_parse(const char *text, int64_t *interval_ms, struct err *err)
{
    if (!read(text, interval_ms))
        return err_set(err, 400, "sync_interval_invalid",
            "the frequency \"%.*s\" is none: say for example \"every 30 minutes\", "
            "\"every hour\" or \"every half day\"",
            str_cut(text, 100), text);
    if (*interval_ms > FREQUENCY_MAX_MS)
        return err_set(err, 400, "sync_interval_invalid",
            "the frequency \"%.*s\" is more than 31 days", str_cut(text, 100), text);
    if (*interval_ms < FREQUENCY_MIN_MS)
        return err_set(err, 400, "sync_interval_too_short",
            "the frequency \"%.*s\" is less than 30 seconds", str_cut(text, 100), text);
    return true;
}
