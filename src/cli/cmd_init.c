/* SPDX-License-Identifier: Apache-2.0 */
/* nangoctl init: a project to begin with, of either form. Nothing that is there is written
 * over. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "cli/cmd.h"
#include "cli/generate.h"
#include "cli/templates.h"

static bool is_there(const char *dir, const char *name)
{
    char *path = str_printf("%s/%s", dir, name);
    bool there = access(path, F_OK) == 0;

    free(path);
    return there;
}

/* Nor may it have the other form's file, which would change what the project is. */
static bool is_free(const char *dir, struct err *err)
{
    const char *name = is_there(dir, "models.ts") ? "models.ts" : NULL;

    for (const struct template_file *file = template_files; file->name != NULL; file++)
        if (is_there(dir, file->name))
            name = file->name;
    return name == NULL ||
           err_set(err, 400, "not_empty",
               "%.200s/%s is there already: nothing was written", dir, name);
}

static bool write_files(const char *dir, enum template_form form, struct err *err)
{
    for (const struct template_file *file = template_files; file->name != NULL; file++)
        if ((file->forms & (int)form) != 0 &&
            !cmd_write_file(dir, file->name, file->text, strlen(file->text), err))
            return false;
    /* The official command line knows a project by this folder. */
    return form == TEMPLATE_YAML
               ? generate_files(dir, err)
               : cmd_write_file(dir, ".nango/nango.json", "[]\n", 3, err);
}

int cmd_init(int argc, char **argv)
{
    bool yaml = false;
    const struct cmd_option options[] = {
        {.name = "--yaml", .flag = &yaml}, {.name = NULL}};
    const char *dir = ".";
    struct err err = {0};

    if (!cmd_read_line("init", options, &dir, 1, argc, argv))
        return EXIT_USAGE;
    if (!is_free(dir, &err) ||
        !write_files(dir, yaml ? TEMPLATE_YAML : TEMPLATE_ZERO, &err))
        return cmd_fail("init", &err, 1);
    for (const struct template_file *file = template_files; file->name != NULL; file++)
        if ((file->forms & (yaml ? TEMPLATE_YAML : TEMPLATE_ZERO)) != 0)
            printf("%s/%s\n", dir, file->name);
    return fflush(stdout) == 0 ? 0 : 1;
}
