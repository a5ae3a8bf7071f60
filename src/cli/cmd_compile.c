/* SPDX-License-Identifier: Apache-2.0 */
/* nangoctl compile: the scripts of a project, bundled. */
#include <stdio.h>

#include "cli/bundle.h"
#include "cli/cmd.h"
#include "cli/project.h"

int cmd_compile(int argc, char **argv)
{
    const struct cmd_option options[] = {{.name = NULL}};
    const char *dir = ".";
    struct project project = {0};
    struct err err = {0};
    bool ok;

    if (!cmd_read_line("compile", options, &dir, 1, argc, argv))
        return EXIT_USAGE;
    ok = project_open(&project, dir, &err) && bundle_project(&project, NULL, &err);
    for (size_t i = 0; ok && i < project.count; i++)
        printf("%s: %s\n", project.scripts[i].source, project.scripts[i].built);
    project_finish(&project);
    if (!ok)
        return cmd_fail("compile", &err, 1);
    return fflush(stdout) == 0 ? 0 : 1;
}
