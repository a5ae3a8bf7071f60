/* SPDX-License-Identifier: Apache-2.0 */
/* Files of the user and programs of ours. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "runner/launch.h"

bool cmd_read_file(const char *path, size_t max, struct buf *out, struct err *err)
{
    FILE *file = fopen(path, "rb");
    size_t len;
    bool ok = true;

    if (file == NULL)
        return err_set(err, 400, "unreadable", "%s: %s", path, strerror(errno));
    buf_init(out, max);
    do {
        char piece[65536];

        len = fread(piece, 1, sizeof piece, file);
        ok = buf_append(out, piece, len);
    } while (ok && len > 0);
    if (!ok)
        err_set(err, 400, "too_large", "%s is larger than %zu bytes", path, max);
    else if (ferror(file))
        ok = err_set(err, 400, "unreadable", "%s: %s", path, strerror(errno));
    fclose(file);
    if (!ok)
        buf_finish(out);
    return ok;
}

char *cmd_find_runner(struct err *err)
{
    char *path = runner_program(getenv("NANGO_RUNNER"));

    if (path == NULL)
        err_set(err, 500, "no_runner",
            "nango-runner is not beside nangoctl, nor in its libexec; NANGO_RUNNER names "
            "another place");
    return path;
}
