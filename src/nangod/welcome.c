/* SPDX-License-Identifier: Apache-2.0 */
/* Setting the demo up and saying how to try it. */
#include "nangod/welcome.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/integration.h"
#include "base/json.h"
#include "demo/demo.h"

#define CONNECTION "demo-account"

static bool make_integration(
    const struct auth *auth, int64_t environment_id, struct err *err)
{
    char provider[] = DEMO_PROVIDER;
    struct integration_row wanted = {.environment_id = environment_id,
        .unique_key = provider,
        .provider = provider,
        .forward_webhooks = true};
    struct integration_row *row = NULL;
    cJSON *settings;
    bool ok;

    if (!store_find_integration(auth->store, environment_id, DEMO_PROVIDER, &row, err))
        return false;
    if (row != NULL) {
        integration_row_unref(row);
        return true;
    }
    crypto_uuid_v4(wanted.uid);
    settings = cJSON_CreateObject();
    json_set_str(settings, "oauth_client_id", DEMO_CLIENT_ID);
    json_set_str(settings, "oauth_client_secret", DEMO_CLIENT_SECRET);
    json_set_str(settings, "oauth_scopes", DEMO_SCOPES);
    ok = integration_seal(auth, wanted.uid, settings, &wanted.settings, err) &&
         store_insert_integration(auth->store, &wanted, &row, err);
    integration_row_unref(row);
    free(wanted.settings.data);
    cJSON_Delete(settings);
    return ok;
}

/* How this program was started, so that the printed commands work from anywhere. */
static void own_path(char out[PATH_MAX])
{
    ssize_t len = readlink("/proc/self/exe", out, PATH_MAX - 1);

    snprintf(out + (len > 0 ? len : 0), 7, "%s", len > 0 ? "" : "nangod");
}

static void print_welcome(
    const struct node *node, const char *base, const struct environment_row *env)
{
    char program[PATH_MAX], data[PATH_MAX];

    own_path(program);
    if (realpath(node->settings.data_dir, data) == NULL)
        snprintf(data, sizeof data, "%s", node->settings.data_dir);
    printf("\n1. Connect the demo account: open this link in a browser, and allow.\n\n"
           "   %s/oauth/connect/" DEMO_PROVIDER "?public_key=%s&connection_id=" CONNECTION
           "\n\n",
        base, env->public_key);
    printf("2. Send a request with its credentials:\n\n"
           "export NANGO_SECRET_KEY=$(%s keys --data %s --secret)\n"
           "curl -H \"Authorization: Bearer $NANGO_SECRET_KEY\" -H "
           "'Connection-Id: " CONNECTION
           "' \\\n     -H 'Provider-Config-Key: " DEMO_PROVIDER
           "' '%s/proxy/contacts?page=2'\n\n",
        program, data, base);
    printf("3. Or with the official client, after: npm install @nangohq/node\n\n"
           "cat > demo.mjs <<'END'\n"
           "import { Nango } from '@nangohq/node';\n"
           "const nango = new Nango({ host: '%s', secretKey: "
           "process.env.NANGO_SECRET_KEY });\n"
           "const connection = { providerConfigKey: '" DEMO_PROVIDER
           "', connectionId: '" CONNECTION "' };\n"
           "const { data } = await nango.get({ ...connection, endpoint: '/contacts' });\n"
           "console.log(data.contacts);\n"
           "END\nnode demo.mjs\n\n",
        base);
}

bool welcome_demo(const struct daemon *daemon, struct node *node, struct err *err)
{
    const struct server *server = daemon_server(daemon);
    struct environment_row *env = NULL;
    bool ok = false;

    if (!store_find_environment_by_name(node->store, "dev", &env, err))
        return false;
    if (env == NULL)
        return err_internal(
            err, "the demo needs the environment `dev`, which was deleted");
    ok = make_integration(&server->auth, env->id, err);
    if (ok)
        print_welcome(node, server->public_url, env);
    environment_row_unref(env);
    return ok;
}
