/* SPDX-License-Identifier: Apache-2.0 */
/* `nangod keys`: the keys of an environment, for whoever may read the data directory and
 * the encryption key. Works beside a running server. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/scopes.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/str.h"
#include "nangod/cmd.h"
#include "nangod/node.h"

#define NAME_MAX_CHARS 255 /* as POST /environment/api-keys takes */

/* ---- show ---- */

static bool is_full(const struct api_key_row *key)
{
    const char *found = strstr(key->scopes, ALL_SCOPES);
    size_t len = strlen(ALL_SCOPES);

    return found != NULL && (found == key->scopes || found[-1] == ' ') &&
           (found[len] == '\0' || found[len] == ' ');
}

/* The newest key that may do everything: who asks for "the" key means no limited one. */
static char *secret_of(struct node *node, int64_t environment_id, struct err *err)
{
    struct api_key_row **keys = NULL;
    size_t count = 0, at = 0;
    char context[CONTEXT_SIZE];
    char *secret = NULL;

    if (!store_list_api_keys(node->store, environment_id, &keys, &count, err))
        return NULL;
    while (at < count && !is_full(keys[at]))
        at++;
    if (at == count) {
        err_set(err, 404, "not_found",
            "the environment has no key with the scope " ALL_SCOPES);
    } else {
        token_context(context, "api_key", keys[at]->sha256);
        secret = node_unseal(node, context, &keys[at]->secret, err);
    }
    store_api_keys_free(keys, count);
    return secret;
}

static void print_keys(const struct environment_row *row, const char *secret, bool json)
{
    if (json) {
        cJSON *out = cJSON_CreateObject();

        json_set_str(out, "environment", row->name);
        json_set_str(out, "uuid", row->uuid);
        json_set_str(out, "secretKey", secret);
        json_set_str(out, "publicKey", row->public_key);
        cmd_print_json(out);
        return;
    }
    printf("environment  %s\nuuid         %s\nsecret key   %s\npublic key   %s\n",
        row->name, row->uuid, secret, row->public_key);
}

static bool show(struct node *node, const struct environment_row *env,
    const struct options *options, struct err *err)
{
    char *secret = secret_of(node, env->id, err);

    if (secret == NULL)
        return false;
    if (options->secret)
        puts(secret);
    else
        print_keys(env, secret, options->json);
    secret_free(secret);
    return true;
}

/* ---- create, list, delete ---- */

static cJSON *key_json(const struct api_key_row *key)
{
    cJSON *out = cJSON_CreateObject(), *scopes = cJSON_CreateArray();
    char time[CLOCK_TEXT_SIZE];

    for (const char *at = key->scopes; *at != '\0'; at += strspn(at, " ")) {
        size_t len = strcspn(at, " ");
        char *scope = str_ndup(at, len);

        cJSON_AddItemToArray(scopes, cJSON_CreateString(scope));
        free(scope);
        at += len;
    }
    clock_text_z(key->created_at_ms, time);
    json_set_i64(out, "id", key->id);
    json_set_str(out, "display_name", key->display_name);
    json_set(out, "scopes", scopes);
    json_set_str(out, "created_at", time);
    return out;
}

/* Each known, one space between them. */
static bool read_scopes(const char *text, struct buf *out, struct err *err)
{
    for (const char *at = text + strspn(text, " "); *at != '\0';) {
        size_t len = strcspn(at, " ");

        if (!scope_is_known(at, len)) {
            fputs("nangod: the scopes are:\n", stderr);
            for (size_t i = 0; api_scopes[i] != NULL; i++)
                fprintf(stderr, "  %s\n", api_scopes[i]);
            fputs("  and * in place of the last words, as in environment:*\n", stderr);
            return err_set(
                err, 400, "invalid_scope", "unknown scope `%.*s`", (int)len, at);
        }
        if (out->len > 0)
            buf_putc(out, ' ');
        buf_append(out, at, len);
        at += len;
        at += strspn(at, " ");
    }
    return out->len > 0 || err_set(err, 400, "invalid_scope", "no scope is given");
}

static bool create(struct node *node, const struct environment_row *env,
    const struct options *options, struct err *err)
{
    struct api_key_row *made = NULL;
    char secret[UUID_TEXT_SIZE];
    struct buf scopes;
    cJSON *out;
    bool ok;

    buf_init(&scopes, 0);
    if (*options->name == '\0' || str_utf16_len(options->name) > NAME_MAX_CHARS)
        ok = err_set(
            err, 400, "invalid_name", "a name has 1 to %d characters", NAME_MAX_CHARS);
    else
        ok = read_scopes(options->scopes, &scopes, err) &&
             node_make_key(node, env->id, options->name, scopes.data, secret, &made, err);
    if (ok && options->json) {
        out = key_json(made);
        json_set_str(out, "secret", secret);
        cmd_print_json(out);
    } else if (ok) {
        puts(secret);
    }
    mem_wipe(secret, sizeof secret);
    api_key_row_unref(made);
    buf_finish(&scopes);
    return ok;
}

static bool list(struct node *node, const struct environment_row *env,
    const struct options *options, struct err *err)
{
    struct api_key_row **keys = NULL;
    size_t count = 0;
    cJSON *all;

    if (!store_list_api_keys(node->store, env->id, &keys, &count, err))
        return false;
    all = cJSON_CreateArray();
    for (size_t i = 0; i < count; i++) {
        char time[CLOCK_TEXT_SIZE];

        clock_text_z(keys[i]->created_at_ms, time);
        if (options->json)
            cJSON_AddItemToArray(all, key_json(keys[i]));
        else
            printf("%s\n  created  %s\n  scopes   %s\n", keys[i]->display_name, time,
                keys[i]->scopes);
    }
    if (options->json)
        cmd_print_json(all);
    else
        cJSON_Delete(all);
    store_api_keys_free(keys, count);
    return true;
}

static bool delete_key(struct node *node, const struct environment_row *env,
    const struct options *options, struct err *err)
{
    const char *name = options->rest[1];
    struct api_key_row **keys = NULL;
    size_t count = 0;
    bool found = false;
    bool ok = store_list_api_keys(node->store, env->id, &keys, &count, err);

    for (size_t i = 0; ok && i < count; i++) {
        if (str_eq(keys[i]->display_name, name))
            ok = store_delete_api_key(node->store, env->id, keys[i]->id, &found, err);
    }
    store_api_keys_free(keys, count);
    return ok &&
           (found || err_set(err, 404, "not_found", "there is no key named `%s`", name));
}

/* ---- the command ---- */

static const struct verb {
    const char *name; /* "" = none is given */
    int words;
    bool makes; /* takes --name and --scopes, and needs both */
    enum node_use use;
    bool (*run)(struct node *node, const struct environment_row *env,
        const struct options *options, struct err *err);
} verbs[] = {
    {"", 0, false, NODE_READ, show},
    {"create", 1, true, NODE_TOOL, create},
    {"list", 1, false, NODE_FILE, list},
    {"delete", 2, false, NODE_TOOL, delete_key},
};

static const struct verb *find_verb(const struct options *options)
{
    const char *name = options->rest_count > 0 ? options->rest[0] : "";

    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (str_eq(verbs[i].name, name) && verbs[i].words == options->rest_count &&
            (options->name != NULL) == verbs[i].makes &&
            (options->scopes != NULL) == verbs[i].makes)
            return &verbs[i];
    }
    return NULL;
}

int cmd_keys(int argc, char **argv)
{
    struct options options;
    struct node node = {0};
    struct environment_row *env = NULL;
    struct err err = {0};
    const struct verb *verb;
    int code = EXIT_USAGE;

    if (!options_read(&options, argc, argv))
        goto done;
    verb = find_verb(&options);
    if (verb == NULL) {
        fputs("usage: nangod keys --data DIR [--environment NAME] [--json | --secret]\n"
              "       nangod keys --data DIR [--environment NAME] "
              "create --name NAME --scopes 'SCOPE…' [--json] | list [--json] | delete "
              "NAME\n",
            stderr);
        goto done;
    }
    code = 0;
    if (!node_open(&node, &options.flags, verb->use, &err) ||
        !node_find_environment(&node, options.environment, &env, &err) ||
        !verb->run(&node, env, &options, &err))
        code = cmd_fail(&err);

done:
    environment_row_unref(env);
    node_close(&node);
    options_finish(&options);
    return code;
}
