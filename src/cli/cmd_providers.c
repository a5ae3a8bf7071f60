/* SPDX-License-Identifier: Apache-2.0 */
/* nangoctl providers: what a server's catalogue knows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "cli/cmd.h"
#include "cli/remote.h"
#include "cli/show.h"

struct options {
    const char *search, *mode, *category, *host;
    bool json;
};

static bool read_options(int argc, char **argv, struct options *out)
{
    const struct cmd_option table[] = {
        {.name = "--mode", .value = &out->mode},
        {.name = "--category", .value = &out->category},
        {.name = "--host", .value = &out->host},
        {.name = "--json", .flag = &out->json},
        {.name = NULL},
    };

    return cmd_read_line("providers", table, &out->search, 1, argc, argv);
}

static bool is_like(const char *text, const char *search)
{
    return text != NULL && str_contains_nocase(text, search);
}

static bool is_wanted(const struct options *options, const cJSON *row)
{
    const cJSON *category;
    bool within = options->category == NULL;

    cJSON_ArrayForEach(category, json_get(row, "categories"))
    {
        within = within || (cJSON_IsString(category) &&
                               str_eq_nocase(category->valuestring, options->category));
    }
    return within &&
           (options->mode == NULL ||
               str_eq_nocase(json_str(row, "auth_mode"), options->mode)) &&
           (options->search == NULL || is_like(json_str(row, "name"), options->search) ||
               is_like(json_str(row, "display_name"), options->search));
}

static void show(const cJSON *row)
{
    const cJSON *category;

    show_field("", json_str(row, "name"));
    show_field("  ", json_str(row, "auth_mode"));
    show_field("  ", json_str(row, "display_name"));
    cJSON_ArrayForEach(category, json_get(row, "categories"))
    {
        if (cJSON_IsString(category))
            show_field(category == json_get(row, "categories")->child ? "  " : ", ",
                category->valuestring);
    }
    putchar('\n');
}

int cmd_providers(int argc, char **argv)
{
    struct options options = {0};
    struct remote remote = {0};
    struct err err = {0};
    const cJSON *row;
    cJSON *answer = NULL;
    size_t count = 0;

    if (!read_options(argc, argv, &options))
        return EXIT_USAGE;
    if (remote_init(&remote, options.host, NULL, &err))
        answer = remote_get(&remote, "/providers", &err);
    remote_finish(&remote);
    if (answer == NULL)
        return cmd_fail("providers", &err, str_eq(err.code, "usage") ? EXIT_USAGE : 1);
    cJSON_ArrayForEach(row, json_get(answer, "data"))
    {
        if (!is_wanted(&options, row))
            continue;
        count++;
        if (options.json)
            show_json(row);
        else
            show(row);
    }
    cJSON_Delete(answer);
    if (fflush(stdout) != 0)
        return 1;
    if (count > 0)
        return 0;
    fputs("nangoctl providers: none is like that\n", stderr);
    return 1;
}
