/* SPDX-License-Identifier: Apache-2.0 */
/* `nangod check`, `backup`, `restore` and `variables`: commands on a data directory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/secret.h"
#include "base/str.h"
#include "nangod/cmd.h"
#include "nangod/node.h"
#include "records/records.h"

#define VALUE_MAX ((size_t)64 * 1024)

int cmd_check(int argc, char **argv)
{
    struct options options;
    struct node node = {0};
    struct err err = {0};
    int code = EXIT_USAGE;

    if (options_read(&options, argc, argv)) {
        code = 0;
        if (!node_open(&node, &options.flags, NODE_FILE, &err) ||
            !store_check(node.store, &err) ||
            (records_exist(node.settings.data_dir) &&
                !records_check(node.settings.data_dir, &err)))
            code = cmd_fail(&err);
        else
            puts("ok");
    }
    node_close(&node);
    options_finish(&options);
    return code;
}

/* The records after the rest: what a sync's date says it has saved is among them. */
static bool backup(const struct node *node, const char *file, struct err *err)
{
    char *records = str_printf("%s.records", file);
    bool ok = store_backup(node->store, file, err) &&
              (!records_exist(node->settings.data_dir) ||
                  records_backup(node->settings.data_dir, records, &node->log, err));

    free(records);
    return ok;
}

int cmd_backup(int argc, char **argv)
{
    struct options options;
    struct node node = {0};
    struct err err = {0};
    int code = EXIT_USAGE;

    if (options_read(&options, argc, argv)) {
        if (options.rest_count != 1) {
            fputs("usage: nangod backup --data DIR FILE\n", stderr);
        } else {
            code = 0;
            if (!node_open(&node, &options.flags, NODE_FILE, &err) ||
                !backup(&node, options.rest[0], &err))
                code = cmd_fail(&err);
        }
    }
    node_close(&node);
    options_finish(&options);
    return code;
}

int cmd_restore(int argc, char **argv)
{
    struct options options;
    struct node node = {0};
    struct err err = {0};
    int code = EXIT_USAGE;

    if (options_read(&options, argc, argv)) {
        if (options.rest_count != 1) {
            fputs("usage: nangod restore --data DIR FILE\n", stderr);
        } else {
            code = 0;
            if (!node_open(&node, &options.flags, NODE_SETTINGS, &err) ||
                !store_restore(&(struct store_config){.data_dir = node.settings.data_dir,
                                   .log = &node.log},
                    options.rest[0], &err))
                code = cmd_fail(&err);
        }
    }
    node_close(&node);
    options_finish(&options);
    return code;
}

static bool variable_set(struct node *node, const struct environment_row *env,
    const char *name, struct err *err)
{
    struct buf value, sealed;
    char context[CONTEXT_SIZE];
    bool ok;

    buf_init_secret(&value, VALUE_MAX);
    buf_init(&sealed, 0);
    variable_context(context, env->uuid, name);
    ok = cmd_read_value(&value, err) &&
         vault_seal(node->vault, context, value.len > 0 ? value.data : "", value.len,
             &sealed, err) &&
         store_put_variable(node->store, env->id, name, sealed.data, sealed.len, err);
    buf_finish(&value);
    buf_finish(&sealed);
    return ok;
}

static bool variable_list(
    struct node *node, const struct environment_row *env, struct err *err)
{
    struct variable_row *rows = NULL;
    size_t count = 0;

    if (!store_list_variables(node->store, env->id, &rows, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        puts(rows[i].name);
    store_variables_free(rows, count);
    return true;
}

static bool variable_delete(struct node *node, const struct environment_row *env,
    const char *name, struct err *err)
{
    bool found = false;

    if (!store_delete_variable(node->store, env->id, name, &found, err))
        return false;
    return found || err_set(err, 404, "not_found", "there is no variable `%s`", name);
}

static bool run_variables(const struct options *options, struct node *node,
    const struct environment_row *env, struct err *err)
{
    const char *verb = options->rest[0];

    if (str_eq(verb, "list"))
        return variable_list(node, env, err);
    if (str_eq(verb, "set"))
        return variable_set(node, env, options->rest[1], err);
    return variable_delete(node, env, options->rest[1], err);
}

int cmd_variables(int argc, char **argv)
{
    struct options options;
    struct node node = {0};
    struct environment_row *env = NULL;
    struct err err = {0};
    const char *verb;
    int code = EXIT_USAGE;

    if (!options_read(&options, argc, argv))
        goto done;
    verb = options.rest_count > 0 ? options.rest[0] : "";
    if (!(str_eq(verb, "list") && options.rest_count == 1) &&
        !((str_eq(verb, "set") || str_eq(verb, "delete")) && options.rest_count == 2)) {
        fputs("usage: nangod variables --data DIR [--environment NAME] "
              "list | set NAME <VALUE | delete NAME\n",
            stderr);
        goto done;
    }
    code = 0;
    if (!node_open(
            &node, &options.flags, str_eq(verb, "list") ? NODE_FILE : NODE_TOOL, &err) ||
        !node_find_environment(&node, options.environment, &env, &err) ||
        !run_variables(&options, &node, env, &err))
        code = cmd_fail(&err);

done:
    environment_row_unref(env);
    node_close(&node);
    options_finish(&options);
    return code;
}
