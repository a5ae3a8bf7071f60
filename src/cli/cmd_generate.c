/* SPDX-License-Identifier: Apache-2.0 */
/* nangoctl generate: the models of a nango.yaml as TypeScript and JSON schema. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"
#include "cli/cmd.h"
#include "cli/generate.h"
#include "cli/nangoyaml.h"

int cmd_generate(int argc, char **argv)
{
    const struct cmd_option options[] = {{.name = NULL}};
    const char *dir = ".";
    struct err err = {0};
    char *yaml;
    bool there;

    if (!cmd_read_line("generate", options, &dir, 1, argc, argv))
        return EXIT_USAGE;
    yaml = str_printf("%s/" NANGO_YAML, dir);
    there = access(yaml, F_OK) == 0;
    free(yaml);
    if (!there) {
        err_set(&err, 400, "usage",
            "%.200s has no nango.yaml; the models of a project with an index.ts are in "
            "its scripts",
            dir);
        return cmd_fail("generate", &err, EXIT_USAGE);
    }
    if (!generate_files(dir, &err))
        return cmd_fail("generate", &err, 1);
    puts("models.ts, .nango/schema.json and .nango/nango.json are up to date");
    return fflush(stdout) == 0 ? 0 : 1;
}
