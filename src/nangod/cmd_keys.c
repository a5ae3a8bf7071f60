/* SPDX-License-Identifier: Apache-2.0 */
/* `nangod keys`: the keys of an environment, for whoever may read the data directory and
 * the encryption key. Works beside a running server. */
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/secret.h"
#include "nangod/cmd.h"
#include "nangod/node.h"

/* The newest key. */
static char *secret_of(struct node *node, int64_t environment_id, struct err *err)
{
    struct api_key_row **keys = NULL;
    size_t count = 0;
    char context[CONTEXT_SIZE];
    char *secret = NULL;

    if (!store_list_api_keys(node->store, environment_id, &keys, &count, err))
        return NULL;
    if (count == 0) {
        err_set(err, 404, "not_found", "the environment has no key");
    } else {
        token_context(context, "api_key", keys[0]->sha256);
        secret = node_unseal(node, context, &keys[0]->secret, err);
    }
    store_api_keys_free(keys, count);
    return secret;
}

static void print_keys(const struct environment_row *row, const char *secret, bool json)
{
    if (json) {
        cJSON *out = cJSON_CreateObject();
        char *text;

        json_set_str(out, "environment", row->name);
        json_set_str(out, "uuid", row->uuid);
        json_set_str(out, "secretKey", secret);
        json_set_str(out, "publicKey", row->public_key);
        text = json_print(out);
        puts(text);
        free(text);
        cJSON_Delete(out);
        return;
    }
    printf("environment  %s\nuuid         %s\nsecret key   %s\npublic key   %s\n",
        row->name, row->uuid, secret, row->public_key);
}

int cmd_keys(int argc, char **argv)
{
    struct options options;
    struct node node = {0};
    struct environment_row *row = NULL;
    struct err err = {0};
    char *secret = NULL;
    int code = EXIT_USAGE;

    if (!options_read(&options, argc, argv))
        goto done;
    code = 1;
    if (!node_open(&node, &options.flags, NODE_READ, &err) ||
        !store_find_environment_by_name(node.store, options.environment, &row, &err)) {
        cmd_fail(code, &err);
        goto done;
    }
    if (row == NULL) {
        fprintf(stderr, "nangod: there is no environment `%s`\n", options.environment);
        goto done;
    }
    secret = secret_of(&node, row->id, &err);
    if (secret == NULL) {
        cmd_fail(code, &err);
        goto done;
    }
    if (options.secret)
        puts(secret);
    else
        print_keys(row, secret, options.json);
    code = 0;

done:
    secret_free(secret);
    environment_row_unref(row);
    node_close(&node);
    options_finish(&options);
    return code;
}
