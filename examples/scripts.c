/* SPDX-License-Identifier: Apache-2.0 */
/* What is deployed: syncs and actions of every integration. Also an example of walking
 * through JSON.
 *
 *   scripts */
#include <nango/nango.h>
#include <stdio.h>

static void print_scripts(const nango_json *integration, const char *kind)
{
    const nango_json *script = nango_json_first(nango_json_get(integration, kind));

    for (; script != NULL; script = nango_json_next(script))
        printf("%s: %s of %s, version %s\n", kind,
            nango_json_string_at(script, "/name", "?"),
            nango_json_string_at(integration, "/providerConfigKey", "?"),
            nango_json_string_at(script, "/version", "none"));
}

int main(void)
{
    nango_client *client = NULL;
    nango_response *response = NULL;
    nango_response *tools = NULL;
    const nango_json *integration;
    nango_error err;
    int status = 1;

    if (nango_client_new_from_env(NULL, &client, &err) != NANGO_OK ||
        nango_get_scripts_config(client, NULL, &response, &err) != NANGO_OK)
        goto done;
    integration = nango_json_first(nango_response_json(response));
    for (; integration != NULL; integration = nango_json_next(integration)) {
        print_scripts(integration, "syncs");
        print_scripts(integration, "actions");
    }
    /* The same as tools for a language model. */
    if (nango_get_scripts_config(client, "openai", &tools, &err) != NANGO_OK)
        goto done;
    printf("tools: %zu\n", nango_json_count(nango_response_at(tools, "/data")));
    status = 0;

done:
    if (status != 0)
        fprintf(stderr, "%s\n", err.message);
    nango_response_free(tools);
    nango_response_free(response);
    nango_client_free(client);
    return status;
}
