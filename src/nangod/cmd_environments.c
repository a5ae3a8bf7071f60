/* SPDX-License-Identifier: Apache-2.0 */
/* `nangod environments`: what an operator may change of an environment. Works beside a
 * running server, which sees it with its next request. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "catalog/weburl.h"
#include "nangod/cmd.h"
#include "nangod/node.h"

#define HMAC_KEY_MAX 1000 /* as POST /environments takes */

/* ---- list ---- */

static cJSON *environment_json(const struct environment_row *row)
{
    cJSON *out = cJSON_CreateObject();

    json_set_i64(out, "id", row->id);
    json_set_str(out, "name", row->name);
    json_set_str(out, "uuid", row->uuid);
    json_set_bool(out, "is_production", row->is_production);
    json_set_bool(out, "hmac_enabled", row->hmac_enabled);
    json_set_bool(out, "has_hmac_key", row->hmac_key.data != NULL);
    if (row->callback_url != NULL)
        json_set_str(out, "callback_url", row->callback_url);
    else
        json_set(out, "callback_url", cJSON_CreateNull());
    return out;
}

static void print_environment(const struct environment_row *row)
{
    printf("%s%s\n  id            %lld\n  hmac          %s%s\n  callback url  %s\n",
        row->name, row->is_production ? " (production)" : "", (long long)row->id,
        row->hmac_enabled ? "on" : "off",
        row->hmac_key.data != NULL ? ", key set" : ", no key",
        row->callback_url != NULL ? row->callback_url : "the server's own");
}

static bool list(struct node *node, bool json, struct err *err)
{
    struct environment_row **rows = NULL;
    size_t count = 0;
    cJSON *all;

    if (!store_list_environments(node->store, &rows, &count, err))
        return false;
    all = cJSON_CreateArray();
    for (size_t i = 0; i < count; i++) {
        if (json)
            cJSON_AddItemToArray(all, environment_json(rows[i]));
        else
            print_environment(rows[i]);
    }
    if (json)
        cmd_print_json(all);
    else
        cJSON_Delete(all);
    store_environments_free(rows, count);
    return true;
}

/* ---- set ---- */

static bool set_hmac_enabled(
    struct environment_patch *patch, const char *value, struct err *err)
{
    patch->set_hmac_enabled = true;
    return str_to_bool(value, &patch->hmac_enabled) ||
           err_set(err, 400, "invalid_value",
               "hmac_enabled cannot be `%.100s`; accepted: true false", value);
}

static bool set_callback_url(
    struct environment_patch *patch, const char *value, struct err *err)
{
    struct weburl url;
    bool ok = *value == '\0' || weburl_parse(value, &url);

    if (!ok)
        return err_set(err, 400, "invalid_value",
            "callback_url cannot be `%.200s`; accepted: an http or https URL, or nothing "
            "for the server's own",
            value);
    if (*value != '\0')
        weburl_finish(&url);
    patch->set_callback_url = true;
    patch->callback_url = *value != '\0' ? value : NULL;
    return true;
}

/* The key comes by standard input; `hmac_key=` with nothing behind it takes it away. */
static bool set_hmac_key(struct node *node, const struct environment_row *env,
    const char *value, struct environment_patch *patch, struct buf *sealed,
    struct err *err)
{
    char context[CONTEXT_SIZE];
    struct buf key;
    bool ok;

    patch->set_hmac_key = true;
    if (value != NULL)
        return *value == '\0' ||
               err_set(err, 400, "invalid_value",
                   "hmac_key is read from standard input, as every user of a machine "
                   "can see arguments: write `hmac_key` alone (that one is to be "
                   "replaced now)");
    buf_init_secret(&key, HMAC_KEY_MAX);
    environment_context(context, env->uuid, "hmac_key");
    ok = cmd_read_value(&key, err) &&
         (key.len > 0 ||
             err_set(err, 400, "invalid_value", "no hmac_key came by standard input")) &&
         vault_seal(node->vault, context, key.data, key.len, sealed, err);
    buf_finish(&key);
    patch->hmac_key = (struct blob){(uint8_t *)sealed->data, sealed->len};
    return ok;
}

static bool set(
    struct node *node, const char *name, char **pairs, int count, struct err *err)
{
    struct environment_row *env = NULL;
    struct environment_patch patch = {0};
    struct buf sealed;
    bool ok = node_find_environment(node, name, &env, err);

    buf_init(&sealed, 0);
    for (int i = 0; ok && i < count; i++) {
        char *value = strchr(pairs[i], '=');

        if (value != NULL)
            *value++ = '\0';
        if (str_eq(pairs[i], "hmac_key"))
            ok = set_hmac_key(node, env, value, &patch, &sealed, err);
        else if (str_eq(pairs[i], "hmac_enabled") && value != NULL)
            ok = set_hmac_enabled(&patch, value, err);
        else if (str_eq(pairs[i], "callback_url") && value != NULL)
            ok = set_callback_url(&patch, value, err);
        else
            ok = err_set(err, 400, "invalid_value",
                "`%.100s` cannot be set; accepted: hmac_enabled=true|false, hmac_key, "
                "callback_url=URL",
                pairs[i]);
    }
    ok = ok && store_patch_environment(node->store, env->id, &patch, err);
    buf_finish(&sealed);
    environment_row_unref(env);
    return ok;
}

int cmd_environments(int argc, char **argv)
{
    struct options options;
    struct node node = {0};
    struct err err = {0};
    const char *verb;
    bool ok;
    int code = EXIT_USAGE;

    if (!options_read(&options, argc, argv))
        goto done;
    verb = options.rest_count > 0 ? options.rest[0] : "";
    if (!(str_eq(verb, "list") && options.rest_count == 1) &&
        !(str_eq(verb, "set") && options.rest_count >= 3)) {
        fputs("usage: nangod environments --data DIR list [--json] | set NAME "
              "[hmac_enabled=true|false] [hmac_key <KEY] [callback_url=URL]\n",
            stderr);
        goto done;
    }
    if (str_eq(verb, "list"))
        ok = node_open(&node, &options.flags, NODE_FILE, &err) &&
             list(&node, options.json, &err);
    else
        ok = node_open(&node, &options.flags, NODE_TOOL, &err) &&
             set(&node, options.rest[1], options.rest + 2, options.rest_count - 2, &err);
    code = ok ? 0 : cmd_fail(&err);

done:
    node_close(&node);
    options_finish(&options);
    return code;
}
