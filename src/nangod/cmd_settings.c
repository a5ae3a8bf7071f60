/* SPDX-License-Identifier: Apache-2.0 */
/* `nangod settings`: the sample configuration file, or the manual's page, from the table.
 */
#include <stdio.h>
#include <string.h>

#include "nangod/cmd.h"

int cmd_settings(int argc, char **argv)
{
    if (argc == 1 && strcmp(argv[0], "--markdown") == 0)
        settings_write_markdown(stdout);
    else if (argc == 0)
        settings_write_sample(stdout);
    else
        return fputs("usage: nangod settings [--markdown]\n", stderr), EXIT_USAGE;
    return 0;
}
