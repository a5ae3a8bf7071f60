/* SPDX-License-Identifier: Apache-2.0 */
/* nangoctl: the entry. Finds the command and runs it. */
#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *usage, *help;
} commands[] = {
    {"compile", cmd_compile, "[DIR]",
        "bundle the scripts of a project into its build/ (esbuild)"},
    {"deploy", cmd_deploy,
        "[DIR] [--env ENV] [--integration KEY] [--sync NAME] [--action NAME]\n"
        "         [--yes] [--no-prompt] [--allow-destructive] [--host URL]",
        "compile a project, show what deploying it changes, and deploy it"},
    {"dryrun", cmd_dryrun,
        "SCRIPT CONNECTION_ID [--env ENV] [--input JSON|@FILE] [--save FILE]\n"
        "         [--checkpoint JSON|@FILE] [--metadata JSON|@FILE] [--last-sync-date "
        "TIME]\n"
        "         [--integration KEY] [--kind KIND] [--variant NAME] [--dir DIR] [--host "
        "URL]\n"
        "  dryrun SCRIPT --fixture FILE [--input JSON|@FILE] [--now TIME] [--dir DIR]\n"
        "  dryrun --script FILE --fixture FILE --kind sync|action|on-event|webhook\n"
        "         --integration KEY --name SCRIPT [--now TIME] [--catalog FILE]",
        "run a script against a connection or recorded answers, saving nothing, and "
        "print\n"
        "      as JSON what came of it"},
    {"generate", cmd_generate, "[DIR]",
        "write the models of a nango.yaml as models.ts and JSON schema"},
    {"init", cmd_init, "[DIR] [--yaml]",
        "write a project to begin with: of an index.ts, or of a nango.yaml"},
    {"logs", cmd_logs,
        "[OPERATION_ID] [--follow] [--type TYPE] [--state STATE] [--integration KEY]\n"
        "         [--connection ID] [--script NAME] [--search TEXT] [--level LEVEL]\n"
        "         [--since 90s|15m|1h|2d] [--limit N] [--json] [--host URL]",
        "show what a server did, or the messages of one operation (NANGO_SECRET_KEY)"},
    {"providers", cmd_providers,
        "[SEARCH] [--mode AUTH_MODE] [--category CATEGORY] [--json] [--host URL]",
        "list the providers of a server's catalogue, or those whose name is like SEARCH\n"
        "      (NANGO_SECRET_KEY)"},
    {"webhooks", cmd_webhooks,
        "list [--state STATE] [--type TYPE] [--integration KEY] [--connection ID]\n"
        "         [--limit N] [--json] [--host URL]\n"
        "  webhooks show ID [--json] [--host URL]\n"
        "  webhooks replay ID|--dead [--since 90s|15m|1h|2d] [--json] [--host URL]",
        "show which webhooks were sent and what came of them, or send some again\n"
        "      (NANGO_SECRET_KEY)"},
};
#define COUNT (sizeof commands / sizeof commands[0])

static void print_command(FILE *to, const struct command *command)
{
    fprintf(to, "  %s %s\n      %s\n", command->name, command->usage, command->help);
}

static int usage(FILE *to, int code)
{
    fputs("usage: nangoctl COMMAND [OPTION]…\n\nCommands:\n", to);
    for (size_t i = 0; i < COUNT; i++)
        print_command(to, &commands[i]);
    fputs("\nOptions:\n"
          "  --help                     this text; after a command, its own\n"
          "  --version                  the version\n",
        to);
    return code;
}

static bool complain(const char *command, const char *word, const char *what)
{
    fprintf(stderr, "nangoctl %s: %s: %s\n", command, word, what);
    return false;
}

bool cmd_read_line(const char *command, const struct cmd_option *options,
    const char **words, size_t max_words, int argc, char **argv)
{
    size_t count = 0;

    for (int i = 0; i < argc; i++) {
        const struct cmd_option *option = options;

        if (argv[i][0] != '-') {
            if (count == max_words)
                return complain(command, argv[i], "one word too many");
            words[count++] = argv[i];
            continue;
        }
        while (option->name != NULL && strcmp(option->name, argv[i]) != 0)
            option++;
        if (option->name == NULL)
            return complain(command, argv[i], "unknown option");
        if (option->flag != NULL) {
            *option->flag = true;
            continue;
        }
        if (i + 1 >= argc)
            return complain(command, argv[i], "its value is missing");
        *option->value = argv[++i];
    }
    for (const struct cmd_option *option = options; option->name != NULL; option++) {
        if (option->required && *option->value == NULL) {
            fprintf(stderr, "nangoctl %s: %s is needed\n", command, option->name);
            return false;
        }
    }
    return true;
}

bool cmd_read_options(
    const char *command, const struct cmd_option *options, int argc, char **argv)
{
    return cmd_read_line(command, options, NULL, 0, argc, argv);
}

int cmd_fail(const char *command, const struct err *err, int code)
{
    fprintf(stderr, "nangoctl %s: %s\n", command, err->message);
    return code;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";

    for (size_t i = 0; i < COUNT; i++) {
        if (strcmp(name, commands[i].name) != 0)
            continue;
        if (argc == 3 && strcmp(argv[2], "--help") == 0) {
            fputs("usage: nangoctl\n", stdout);
            print_command(stdout, &commands[i]);
            return 0;
        }
        return commands[i].run(argc - 2, argv + 2);
    }
    if (strcmp(name, "--version") == 0) {
        puts("nangoctl " NANGO_VERSION);
        return 0;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "help") == 0)
        return usage(stdout, 0);
    if (argc > 1)
        fprintf(stderr, "nangoctl: unknown command `%s`\n", name);
    return usage(stderr, EXIT_USAGE);
}
