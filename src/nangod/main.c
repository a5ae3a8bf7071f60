/* SPDX-License-Identifier: Apache-2.0 */
/* nangod: the entry. Finds the command and runs it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/str.h"
#include "nangod/cmd.h"
#include "nangod/cmd_catalog.h"
#include "net/upstream.h"

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *usage, *help;
} commands[] = {
    {"serve", cmd_serve, "[--demo] [-t]",
        "run the server (-t: check the configuration only)"},
    {"keys", cmd_keys, "[--environment NAME] [--json | --secret]",
        "print the keys of an environment, or the secret key alone"},
    {"keys", cmd_keys,
        "[--environment NAME] create --name NAME --scopes 'SCOPE…' | list | delete NAME",
        "make a key of some scopes, list the keys, take one back"},
    {"environments", cmd_environments,
        "list | set NAME [hmac_enabled=…] [hmac_key] "
        "[callback_url=…]",
        "what is set of an environment; hmac_key is read from standard input"},
    {"variables", cmd_variables, "[--environment NAME] list | set NAME | delete NAME",
        "environment variables; set reads the value from standard input"},
    {"check", cmd_check, "", "check the database for damage"},
    {"backup", cmd_backup, "FILE", "copy the database, also while the server runs"},
    {"restore", cmd_restore, "FILE",
        "put a backup in the place of the database; no server may run"},
    {"rekey", cmd_rekey, "[--new-key-file FILE | --generate FILE]",
        "put the data keys under another encryption key; no server may run"},
    {"catalog", cmd_catalog, "check | list | explain …",
        "look into the provider catalogue"},
    {"settings", cmd_settings, "[--markdown]", "print a sample configuration file"},
};
#define COUNT (sizeof commands / sizeof commands[0])

static int usage(FILE *to, int code)
{
    fputs("usage: nangod COMMAND [OPTION]…\n\nCommands:\n", to);
    for (size_t i = 0; i < COUNT; i++)
        fprintf(to, "  %s %s\n      %s\n", commands[i].name, commands[i].usage,
            commands[i].help);
    fputs(
        "\nOptions of every command on a data directory:\n"
        "  --data DIR                 the data directory (default: data)\n"
        "  --config FILE              read settings from FILE\n"
        "  --set NAME=VALUE           set one; `nangod settings` lists them\n"
        "Options of serve:\n"
        "  --listen ADDR:PORT         public API (default: 127.0.0.1:3003)\n"
        "  --admin-listen ADDR:PORT   /metrics apart from it; /health, /ready on both\n",
        to);
    return code;
}

bool options_read(struct options *options, int argc, char **argv)
{
    static const struct {
        const char *flag, *setting;
    } shorthands[] = {
        {"--data", "data_dir"},
        {"--listen", "listen"},
        {"--admin-listen", "admin_listen"},
        {"--set", NULL},
    };

    memset(options, 0, sizeof *options);
    options->environment = "dev";
    options->rest = mem_zalloc(((size_t)argc + 1) * sizeof *options->rest);
    options->texts = mem_zalloc(((size_t)argc + 1) * sizeof *options->texts);
    for (int i = 0; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        bool taken = false;

        for (size_t j = 0; j < sizeof shorthands / sizeof shorthands[0]; j++) {
            if (strcmp(argv[i], shorthands[j].flag) != 0 || value == NULL)
                continue;
            options->texts[options->flags.count++] =
                shorthands[j].setting == NULL
                    ? str_dup(value)
                    : str_printf("%s=%s", shorthands[j].setting, value);
            taken = true;
        }
        if (strcmp(argv[i], "--config") == 0 && value != NULL) {
            options->flags.config = value;
            taken = true;
        } else if (strcmp(argv[i], "--environment") == 0 && value != NULL) {
            options->environment = value;
            taken = true;
        } else if (strcmp(argv[i], "--name") == 0 && value != NULL) {
            options->name = value;
            taken = true;
        } else if (strcmp(argv[i], "--scopes") == 0 && value != NULL) {
            options->scopes = value;
            taken = true;
        } else if (strcmp(argv[i], "--new-key-file") == 0 && value != NULL) {
            options->new_key_file = value;
            taken = true;
        } else if (strcmp(argv[i], "--generate") == 0 && value != NULL) {
            options->generate = value;
            taken = true;
        }
        if (taken) {
            i++;
        } else if (strcmp(argv[i], "--json") == 0) {
            options->json = true;
        } else if (strcmp(argv[i], "--secret") == 0) {
            options->secret = true;
        } else if (strcmp(argv[i], "--demo") == 0) {
            options->demo = true;
        } else if (strcmp(argv[i], "-t") == 0) {
            options->check_only = true;
        } else if (argv[i][0] == '-' && argv[i][1] != '\0') {
            fprintf(stderr, "nangod: %s: %s\n", argv[i],
                value == NULL ? "unknown option, or its value is missing"
                              : "unknown option");
            return false;
        } else {
            options->rest[options->rest_count++] = argv[i];
        }
    }
    options->flags.sets = options->texts;
    return true;
}

void options_finish(struct options *options)
{
    for (int i = 0; i < options->flags.count; i++) {
        /* A secret is refused, and was given all the same. */
        mem_free_text(options->texts[i]);
    }
    free(options->texts);
    free(options->rest);
}

bool cmd_read_value(struct buf *value, struct err *err)
{
    char piece[4096];
    ssize_t len;
    bool ok = true;

    while (ok && (len = read(STDIN_FILENO, piece, sizeof piece)) > 0)
        ok = buf_append(value, piece, (size_t)len) ||
             err_set(
                 err, 400, "invalid_body", "a value has at most %zu bytes", value->max);
    mem_wipe(piece, sizeof piece);
    if (value->len > 0 && value->data[value->len - 1] == '\n')
        value->data[--value->len] = '\0';
    return ok;
}

void cmd_print_json(cJSON *value)
{
    char *text = json_print(value);

    puts(text);
    mem_free_text(text); /* it may hold a key */
    cJSON_Delete(value);
}

int cmd_fail(const struct err *err)
{
    fprintf(stderr, "nangod: %s\n", err->message);
    return strstr(err->code, "_setting") != NULL || strstr(err->code, "_catalog") != NULL
               ? EXIT_USAGE
               : 1;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "help";

    secret_harden_process();
    up_global_init();
    if (strcmp(name, "-t") == 0) /* nangod -t …: the short form of serve -t */
        return cmd_serve(argc - 1, argv + 1);
    for (size_t i = 0; i < COUNT; i++) {
        if (strcmp(name, commands[i].name) == 0)
            return commands[i].run(argc - 2, argv + 2);
    }
    if (strcmp(name, "--version") == 0 || strcmp(name, "version") == 0) {
        puts("nangod " NANGO_VERSION);
        return 0;
    }
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 ||
        strcmp(name, "-h") == 0)
        return usage(stdout, argc > 1 ? 0 : EXIT_USAGE);
    fprintf(stderr, "nangod: unknown command `%s`\n", name);
    return usage(stderr, EXIT_USAGE);
}
