/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of nangoctl. Each gets its own arguments (without the command's name) and
 * returns the exit code: 0 done, 1 failed, 2 wrong usage, 3 not confirmed (docs/nangoctl.md). */
#ifndef CLI_CMD_H
#define CLI_CMD_H

#include "base/buf.h"
#include "base/err.h"

#define EXIT_USAGE 2
#define EXIT_NOT_CONFIRMED 3

int cmd_compile(int argc, char **argv);
int cmd_deploy(int argc, char **argv);
int cmd_dryrun(int argc, char **argv);
int cmd_generate(int argc, char **argv);
int cmd_init(int argc, char **argv);
int cmd_logs(int argc, char **argv);
int cmd_providers(int argc, char **argv);
int cmd_webhooks(int argc, char **argv);

/* Options of a command: `--name VALUE` each, or `--name` alone where there is a flag, by a
 * table that ends with a NULL name. */
struct cmd_option {
    const char *name; /* with its dashes */
    const char **value;
    bool required;
    bool *flag;
};
/* Words are what is no option: up to `max_words`, in their order. False after printing what is
 * wrong. */
bool cmd_read_line(const char *command, const struct cmd_option *options,
    const char **words, size_t max_words, int argc, char **argv);
/* The same without words. */
bool cmd_read_options(
    const char *command, const struct cmd_option *options, int argc, char **argv);
/* Prints "nangoctl COMMAND: MESSAGE" on standard error; returns `code`. */
int cmd_fail(const char *command, const struct err *err, int code);
/* A whole file; *err names it. */
bool cmd_read_file(const char *path, size_t max, struct buf *out, struct err *err);
/* Writes DIR/NAME (`dir` NULL: `name` is the path) whole or not at all, making its folders. */
bool cmd_write_file(
    const char *dir, const char *name, const char *text, size_t len, struct err *err);
/* Where nango-runner is: NANGO_RUNNER, beside this program, or its libexec. The caller
 * frees; NULL and *err when there is none. */
char *cmd_find_runner(struct err *err);

#endif
