/* SPDX-License-Identifier: Apache-2.0 */
/* Integrations: make, read with credentials, change, list, delete.
 *
 *   integrations PROVIDER KEY CLIENT-ID CLIENT-SECRET */
#include <nango/nango.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    nango_integration_config config = {
        .credentials_type = "OAUTH2", .scopes = "read,write", .display_name = "Example"};
    const nango_integration_config change = {.display_name = "Example, renamed"};
    nango_client *client = NULL;
    nango_integration *one = NULL;
    nango_integrations *list = NULL;
    nango_error err;
    int status = 1;

    if (argc != 5) {
        fprintf(stderr, "usage: integrations PROVIDER KEY CLIENT-ID CLIENT-SECRET\n");
        return 2;
    }
    config.provider = argv[1];
    config.unique_key = argv[2];
    config.client_id = argv[3];
    config.client_secret = argv[4];
    if (nango_client_new_from_env(NULL, &client, &err) != NANGO_OK ||
        nango_create_integration(client, &config, &one, &err) != NANGO_OK)
        goto done;
    printf("made %s, %s\n", nango_integration_unique_key(one),
        nango_integration_display_name(one));
    nango_integration_free(one);

    if (nango_get_integration(client, argv[2],
            NANGO_INCLUDE_CREDENTIALS | NANGO_INCLUDE_WEBHOOK, &one, &err) != NANGO_OK)
        goto done;
    printf("client %s, scopes %s\n", nango_integration_client_id(one),
        nango_integration_scopes(one));
    nango_integration_free(one);

    if (nango_update_integration(client, argv[2], &change, &one, &err) != NANGO_OK)
        goto done;
    printf("now %s\n", nango_integration_display_name(one));

    if (nango_list_integrations(client, &list, &err) != NANGO_OK)
        goto done;
    for (size_t i = 0; i < nango_integrations_count(list); i++) {
        const nango_integration *listed = nango_integrations_at(list, i);

        printf("listed: %s (%s)\n", nango_integration_unique_key(listed),
            nango_integration_provider(listed));
    }
    if (nango_delete_integration(client, argv[2], NULL, &err) != NANGO_OK)
        goto done;
    printf("deleted %s\n", argv[2]);
    status = 0;

done:
    if (status != 0)
        fprintf(stderr, "%s\n", err.message);
    nango_integrations_free(list);
    nango_integration_free(one);
    nango_client_free(client);
    return status;
}
