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

#define KEY_MAX 1000 /* as POST /environments takes */

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
    json_set_str(out, "webhook_url", row->webhook_url);
    json_set_str(out, "webhook_url_secondary", row->webhook_url_secondary);
    json_set_bool(out, "has_signing_key", row->signing_key.data != NULL);
    return out;
}

static void print_environment(const struct environment_row *row)
{
    printf("%s%s\n  id            %lld\n  hmac          %s%s\n  callback url  %s\n"
           "  webhook url   %s%s%s\n  signed with   %s\n",
        row->name, row->is_production ? " (production)" : "", (long long)row->id,
        row->hmac_enabled ? "on" : "off",
        row->hmac_key.data != NULL ? ", key set" : ", no key",
        row->callback_url != NULL ? row->callback_url : "the server's own",
        row->webhook_url != NULL ? row->webhook_url : "none",
        row->webhook_url_secondary != NULL ? ", " : "",
        row->webhook_url_secondary != NULL ? row->webhook_url_secondary : "",
        row->signing_key.data != NULL ? "its own key" : "its oldest API key");
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

/* A key comes by standard input; `hmac_key=` with nothing behind it takes it away. `name`:
 * of the setting, and of its column. */
static bool set_key(struct node *node, const struct environment_row *env,
    const char *name, const char *value, struct blob *out, struct buf *sealed,
    struct err *err)
{
    char context[CONTEXT_SIZE];
    struct buf key;
    bool ok;

    if (value != NULL)
        return *value == '\0' ||
               err_set(err, 400, "invalid_value",
                   "%s is read from standard input, as every user of a machine "
                   "can see arguments: write `%s` alone (that one is to be "
                   "replaced now)",
                   name, name);
    buf_init_secret(&key, KEY_MAX);
    environment_context(context, env->uuid, name);
    ok = cmd_read_value(&key, err) &&
         (key.len > 0 ||
             err_set(err, 400, "invalid_value", "no %s came by standard input", name)) &&
         vault_seal(node->vault, context, key.data, key.len, sealed, err);
    buf_finish(&key);
    *out = (struct blob){(uint8_t *)sealed->data, sealed->len};
    return ok;
}

/* Our own address and addresses that are out of bounds are refused when something is sent:
 * this tool does not know the server's. */
static bool check_webhook_url(const char *name, const char *value, struct err *err)
{
    struct weburl url;

    if (*value == '\0')
        return true;
    if (!weburl_parse(value, &url))
        return err_set(err, 400, "invalid_value",
            "%s cannot be `%.200s`; accepted: an http or https URL, or nothing for none",
            name, value);
    weburl_finish(&url);
    return true;
}

static bool set_webhook_url(
    struct environment_patch *patch, const char *name, const char *value, struct err *err)
{
    const char *url = *value != '\0' ? value : NULL;

    if (str_eq(name, "webhook_url")) {
        patch->set_webhook_url = true;
        patch->webhook_url = url;
    } else {
        patch->set_webhook_url_secondary = true;
        patch->webhook_url_secondary = url;
    }
    return check_webhook_url(name, value, err);
}

/* 0 = it is none. */
static unsigned webhook_kind_of(const char *name)
{
    for (const struct webhook_kind_name *each = webhook_kind_names; each->name != NULL;
         each++)
        if (strcmp(each->name, name) == 0)
            return each->kind;
    return 0;
}

static bool set_webhook_kind(
    struct environment_patch *patch, const char *name, const char *value, struct err *err)
{
    bool on;

    if (!str_to_bool(value, &on))
        return err_set(err, 400, "invalid_value",
            "%s cannot be `%.100s`; accepted: true false", name, value);
    if (on)
        patch->webhook_kinds_on |= webhook_kind_of(name);
    else
        patch->webhook_kinds_off |= webhook_kind_of(name);
    return true;
}

/* What `set` changes, and the keys that it reads on the way. */
struct change {
    struct environment_patch patch;
    struct buf hmac_key, signing_key; /* sealed */
};

static bool set_one(struct node *node, const struct environment_row *env,
    const char *name, const char *value, struct change *change, struct err *err)
{
    struct environment_patch *patch = &change->patch;

    if (str_eq(name, "hmac_key")) {
        patch->set_hmac_key = true;
        return set_key(node, env, name, value, &patch->hmac_key, &change->hmac_key, err);
    }
    if (str_eq(name, "signing_key")) {
        patch->set_signing_key = true;
        return set_key(
            node, env, name, value, &patch->signing_key, &change->signing_key, err);
    }
    if (value != NULL && str_eq(name, "hmac_enabled"))
        return set_hmac_enabled(patch, value, err);
    if (value != NULL && str_eq(name, "callback_url"))
        return set_callback_url(patch, value, err);
    if (value != NULL &&
        (str_eq(name, "webhook_url") || str_eq(name, "webhook_url_secondary")))
        return set_webhook_url(patch, name, value, err);
    if (value != NULL && webhook_kind_of(name) != 0)
        return set_webhook_kind(patch, name, value, err);
    return err_set(err, 400, "invalid_value",
        "`%.100s` cannot be set; accepted: hmac_enabled=true|false, hmac_key, "
        "callback_url=URL, webhook_url=URL, webhook_url_secondary=URL, signing_key, and "
        "with =true|false: on_sync_completion_always, on_sync_error, on_auth_creation, "
        "on_auth_refresh_error, on_async_action_completion",
        name);
}

static bool set(
    struct node *node, const char *name, char **pairs, int count, struct err *err)
{
    struct environment_row *env = NULL;
    struct change change = {0};
    bool ok = node_find_environment(node, name, &env, err);

    buf_init(&change.hmac_key, 0);
    buf_init(&change.signing_key, 0);
    for (int i = 0; ok && i < count; i++) {
        char *value = strchr(pairs[i], '=');

        if (value != NULL)
            *value++ = '\0';
        ok = set_one(node, env, pairs[i], value, &change, err);
    }
    ok = ok && store_patch_environment(node->store, env->id, &change.patch, err);
    buf_finish(&change.hmac_key);
    buf_finish(&change.signing_key);
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
              "[hmac_enabled=true|false] [hmac_key <KEY] [callback_url=URL] "
              "[webhook_url=URL] [webhook_url_secondary=URL] [signing_key <KEY] "
              "[on_…=true|false]\n",
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
