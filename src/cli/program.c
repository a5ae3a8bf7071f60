/* SPDX-License-Identifier: Apache-2.0 */
/* Files of the user and programs of ours. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
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

/* Makes the folders of a path, without its last part. */
static bool make_folders(const char *path, struct err *err)
{
    char *copy = str_dup(path);
    bool ok = true;

    for (char *slash = strchr(copy + 1, '/'); ok && slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        ok = mkdir(copy, 0777) == 0 || errno == EEXIST ||
             err_internal(err, "%s: %s", copy, strerror(errno));
        *slash = '/';
    }
    free(copy);
    return ok;
}

static bool write_whole(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, text, len);

        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0) {
            text += n;
            len -= (size_t)n;
        }
    }
    return true;
}

bool cmd_write_file(
    const char *dir, const char *name, const char *text, size_t len, struct err *err)
{
    char *path = dir != NULL ? str_printf("%s/%s", dir, name) : str_dup(name);
    char *part = str_printf("%s.part", path);
    bool ok = make_folders(path, err);
    int fd = ok ? open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666) : -1;

    if (ok) {
        ok = fd >= 0 && write_whole(fd, text, len);
        ok = (fd < 0 || close(fd) == 0) && ok && rename(part, path) == 0;
        if (!ok) {
            err_internal(err, "%s: %s", path, strerror(errno));
            if (fd >= 0)
                unlink(part);
        }
    }
    free(part);
    free(path);
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
