/* SPDX-License-Identifier: Apache-2.0 */
/* The catalogue of providers: search, one entry, its function templates.
 *
 *   providers SEARCH PROVIDER */
#include <nango/nango.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    nango_client *client = NULL;
    nango_providers *list = NULL;
    nango_provider *provider = NULL;
    nango_response *templates = NULL;
    nango_error err;
    int status = 1;

    if (argc != 3) {
        fprintf(stderr, "usage: providers SEARCH PROVIDER\n");
        return 2;
    }
    if (nango_client_new_from_env(NULL, &client, &err) != NANGO_OK ||
        nango_list_providers(client, argv[1], &list, &err) != NANGO_OK)
        goto done;
    for (size_t i = 0; i < nango_providers_count(list); i++)
        printf("found: %s\n", nango_provider_name(nango_providers_at(list, i)));

    if (nango_get_provider(client, argv[2], &provider, &err) != NANGO_OK)
        goto done;
    printf("%s: %s\n", nango_provider_display_name(provider),
        nango_provider_auth_mode(provider));
    printf("token endpoint: %s\n",
        nango_json_string_at(nango_provider_json(provider), "/token_url", "none"));

    if (nango_get_provider_templates(client, argv[2], &templates, &err) != NANGO_OK)
        goto done;
    printf("templates: %zu\n", nango_json_count(nango_response_at(templates, "/data")));
    status = 0;

done:
    if (status != 0)
        fprintf(stderr, "%s\n", err.message);
    nango_response_free(templates);
    nango_provider_free(provider);
    nango_providers_free(list);
    nango_client_free(client);
    return status;
}
