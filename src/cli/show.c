/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"

void show_plain(const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        if (*c == '\n')
            fputs("\n    ", stdout);
        else if (*c == '\t' || (*c >= 0x20 && *c != 0x7f && *c != 0xc2))
            putchar(*c);
        else if (*c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0) /* U+0080 to U+009F */
            printf("\\x%02x", *++c);
        else if (*c == 0xc2)
            putchar(*c);
        else
            printf("\\x%02x", *c);
    }
}

void show_json(const cJSON *value)
{
    char *text = json_print(value);

    puts(text);
    free(text);
}

void show_field(const char *before, const char *text)
{
    if (text == NULL)
        return;
    fputs(before, stdout);
    show_plain(text);
}

bool show_read_since(const char *text, int64_t *ms, struct err *err)
{
    static const struct {
        char unit;
        int64_t ms;
    } units[] = {{'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000}};
    size_t len = strlen(text);
    char *digits = str_ndup(text, len > 0 ? len - 1 : 0);
    int64_t number;
    bool ok = false;

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (len > 1 && text[len - 1] == units[i].unit && str_to_i64(digits, &number) &&
            number > 0 && number < 1000000) {
            *ms = number * units[i].ms;
            ok = true;
        }
    free(digits);
    return ok || err_set(err, 400, "usage",
                     "--since: %.40s is no time such as 90s, 15m, 1h or 2d", text);
}
