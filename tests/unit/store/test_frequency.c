/* SPDX-License-Identifier: Apache-2.0 */
/* The grammar of frequencies, row by row. */
#include "base/str.h"
#include "store/frequency.h"
#include "test.h"

#define S INT64_C(1000)
#define M (60 * S)
#define H (60 * M)
#define D (24 * H)

TEST(frequencies_are_read)
{
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"every half day", 12 * H}, {"every half hour", 30 * M},
        {"every quarter hour", 15 * M}, {"every hour", H}, {"every day", D},
        {"every month", 30 * D}, {"every week", 7 * D}, {"half day", 12 * H}, {"hour", H},
        {"h", H}, {"every d", D}, {"every 1 hour", H}, {"every 1h", H},
        {"2 hours", 2 * H}, {"every 30s", 30 * S}, {"every 30 sec", 30 * S},
        {"every 45 secs", 45 * S}, {"every 60 second", M}, {"every 90 seconds", 90 * S},
        {"every m", M}, {"every 5 m", 5 * M}, {"every 5min", 5 * M},
        {"every 5 mins", 5 * M}, {"every 1 minute", M}, {"every 007 minutes", 7 * M},
        {"every 3 hr", 3 * H}, {"every 3 hrs", 3 * H}, {"every\t3 hrs", 0},
        {"every 31 days", 31 * D}, {"every 744 hours", 31 * D}, {"every 3\thours", 3 * H},
        {"every  hour", H}, /* the number is left out, the blank before the unit not */
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {0};
        int64_t ms = 0;

        if (frequency_parse(rows[i].text, &ms, &err) != (rows[i].ms > 0) ||
            (rows[i].ms > 0 && ms != rows[i].ms))
            fail_msg("\"%s\": %lld, %s", rows[i].text, (long long)ms, err.message);
        assert_int_equal(frequency_is_shaped(rows[i].text), rows[i].ms > 0);
    }
}

TEST(what_is_no_frequency_is_refused)
{
    static const struct {
        const char *text;
        const char *code;
        bool shaped;
    } rows[] = {
        {"", "sync_interval_invalid", false},
        {"every", "sync_interval_invalid", false},
        {"every ", "sync_interval_invalid", false},
        {"sometimes", "sync_interval_invalid", false},
        {"every 2 weeks", "sync_interval_invalid", false},
        {"every 2 half days", "sync_interval_invalid", false},
        {"every -1 hours", "sync_interval_invalid", false},
        {"every 1.5 hours", "sync_interval_invalid", false},
        {"every 1  hour", "sync_interval_invalid", false},
        {"every 1 hour ", "sync_interval_invalid", false},
        {" every 1 hour", "sync_interval_invalid", false},
        {"Every hour", "sync_interval_invalid", false},
        {"every HOUR", "sync_interval_invalid", false},
        {"every every hour", "sync_interval_invalid", false},
        {"every 1 hour and a half", "sync_interval_invalid", false},
        {"30", "sync_interval_invalid", false},
        {"every 32 days", "sync_interval_invalid", true},
        {"every 745 hours", "sync_interval_invalid", true},
        {"every 999999999 days", "sync_interval_invalid", true},
        {"every 99999999999999999999999999 s", "sync_interval_invalid", true},
        {"every 29 seconds", "sync_interval_too_short", true},
        {"every s", "sync_interval_too_short", true},
        {"every 0 days", "sync_interval_too_short", true},
        {"every 0d", "sync_interval_too_short", true},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {0};
        int64_t ms = 0;

        if (frequency_parse(rows[i].text, &ms, &err) || !str_eq(err.code, rows[i].code) ||
            err.status != 400)
            fail_msg("\"%s\": %lld, %s", rows[i].text, (long long)ms, err.code);
        assert_int_equal(frequency_is_shaped(rows[i].text), rows[i].shaped);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frequencies_are_read),
        cmocka_unit_test(what_is_no_frequency_is_refused),
    };

    return RUN(tests);
}
