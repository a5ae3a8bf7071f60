/* SPDX-License-Identifier: Apache-2.0 */
#include "scripts/load.h"
#include "test.h"

static void the_first_place_of_a_stack_is_found(void **state)
{
    static const struct {
        const char *stack;
        const char *file;
        int line;
    } rows[] = {
        {"Error: x\n    at f (a/b.ts:12:3)\n    at c.ts:1:1", "a/b.ts", 12},
        {"Error: x\n    at a/b.ts:12:3", "a/b.ts", 12},
        {"Error: x\nof two lines\n    at f (b.ts:2:1)", "b.ts", 2},
        {"Error: x\n    at f (g) (b.ts:2:1)", "b.ts", 2},
        {"Error: x\n    at f (b.ts)", "", 0},
        {"Error: x\n    at b.ts:1", "", 0},
        {"Error: x\n    at b.ts:99999999999:1", "", 0},
        {"Error: x\n    at :1:1", "", 1},
        {"Error: x\n    at ", "", 0},
        {"Error: x\n    at )", "", 0},
        {"Error: x", "", 0},
        {"", "", 0},
        {NULL, "", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char file[64];
        int line;

        script_stack_place(rows[i].stack, file, sizeof file, &line);
        if (line != rows[i].line)
            fail_msg("row %zu: line %d", i, line);
        assert_string_equal(file, rows[i].file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_place_of_a_stack_is_found),
    };

    return RUN(tests);
}
