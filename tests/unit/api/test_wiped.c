/* SPDX-License-Identifier: Apache-2.0 */
/* Queries and forms hold credentials: what was taken apart is wiped. */
#include "test.h"

#include <string.h>

#include "api/query.h"
#include "base/json.h"
#include "base/secret.h"
#include "wiped.h"

TEST(nothing_of_a_query_is_left_behind)
{
    static const char *const rows[] = {
        "token=" WIPED_MARK,
        "a=1&params[key]=" WIPED_MARK
        "+and+what+makes+the+text+grow+beyond+its+first+size"
        "+once+and+then+again+and+then+once+more+until+it+is+long+enough+for+anybody",
        WIPED_MARK "[x]=1",
        "bad=%ff" WIPED_MARK,
        "nul=" WIPED_MARK "%00",
    };

    secret_harden_process(); /* as the program does: documents are wiped too */
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cJSON_Delete(query_parse(rows[i], strlen(rows[i])));
    assert_int_equal(wiped_misses, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_of_a_query_is_left_behind),
    };

    return RUN(tests);
}
