/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of nangod. Each gets its own arguments (without the command's name) and
 * returns the exit code: 0 done, 1 failed, 2 wrong usage or configuration. */
#ifndef NANGOD_CMD_H
#define NANGOD_CMD_H

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "nangod/settings.h"

#define EXIT_USAGE 2

int cmd_serve(int argc, char **argv);
int cmd_keys(int argc, char **argv);
int cmd_environments(int argc, char **argv);
int cmd_variables(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_backup(int argc, char **argv);
int cmd_rekey(int argc, char **argv);
int cmd_restore(int argc, char **argv);
int cmd_settings(int argc, char **argv);

/* Options that several commands take: --data, --listen, --admin-listen, --config, --set.
 */
struct options {
    struct settings_flags flags;
    const char *environment;  /* --environment; "dev" unless given */
    const char *name;         /* --name; NULL */
    const char *scopes;       /* --scopes; NULL */
    const char *new_key_file; /* --new-key-file; NULL */
    const char *generate;     /* --generate; NULL */
    bool json;                /* --json */
    bool secret;              /* --secret */
    bool demo;                /* --demo */
    bool check_only;          /* -t */
    char **rest;              /* what is no option, in order */
    int rest_count;
    char **texts; /* key=value texts made here */
};
/* False after printing what is wrong. options_finish() is due in either case. */
bool options_read(struct options *options, int argc, char **argv);
void options_finish(struct options *options);

/* Reads standard input to its end, without its last line's end: values come that way
 * because every user of a machine can see arguments. */
bool cmd_read_value(struct buf *value, struct err *err);
void cmd_print_json(cJSON *value); /* on a line; takes over */
/* Prints "nangod: <message>" on standard error. Returns the exit code: a wrong setting or
 * catalogue is usage; what the machine or the data directory refuses is a failure. */
int cmd_fail(const struct err *err);

#endif
