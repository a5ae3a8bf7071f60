/* SPDX-License-Identifier: Apache-2.0 */
/* Connections: make one from credentials that one has, read it, change it, list, wait for
 * it, delete it.
 *
 *   connections INTEGRATION CONNECTION API-KEY */
#include <nango/nango.h>
#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

int main(int argc, char **argv)
{
    const nango_pair tags[] = {{"plan", "gold"}, {"region", "eu"}};
    const nango_pair upgraded[] = {{"plan", "platinum"}};
    const nango_end_user user = {.id = "user-of-example", .email = "ann@example.com"};
    const nango_new_credentials key = {
        .type = NANGO_AUTH_API_KEY, .api_key = argv[argc - 1]};
    const nango_connection_patch patch = {.tags = upgraded, .tag_count = COUNT(upgraded)};
    const nango_connections_query query = {.end_user_id = user.id, .limit = 10};
    nango_new_connection wanted = {.credentials = &key,
        .metadata = "{\"language\":\"en\"}",
        .end_user = &user,
        .tags = tags,
        .tag_count = COUNT(tags)};
    nango_client *client = NULL;
    nango_connection *made = NULL;
    nango_connection *found = NULL;
    nango_connections *list = NULL;
    nango_error err;
    int status = 1;

    if (argc != 4) {
        fprintf(stderr, "usage: connections INTEGRATION CONNECTION API-KEY\n");
        return 2;
    }
    wanted.provider_config_key = argv[1];
    wanted.connection_id = argv[2];
    if (nango_client_new_from_env(NULL, &client, &err) != NANGO_OK ||
        nango_create_connection(client, &wanted, &made, &err) != NANGO_OK)
        goto done;
    printf("made %s of %s\n", nango_connection_id(made), nango_connection_provider(made));

    /* With NANGO_FORCE_REFRESH, NANGO_REFRESH_TOKEN, … instead of 0 as needed. */
    if (nango_patch_connection(client, argv[1], argv[2], &patch, NULL, &err) !=
            NANGO_OK ||
        nango_get_connection(client, argv[1], argv[2], 0, &found, &err) != NANGO_OK)
        goto done;
    printf("plan: %s, end user: %s, errors: %zu\n", nango_connection_tag(found, "plan"),
        nango_connection_end_user_id(found), nango_connection_error_count(found));
    nango_connection_free(found);
    found = NULL;

    if (nango_list_connections(client, &query, &list, &err) != NANGO_OK)
        goto done;
    for (size_t i = 0; i < nango_connections_count(list); i++)
        printf("listed: %s\n", nango_connection_id(nango_connections_at(list, i)));

    /* As after sending an end user to the Connect UI; here there is nothing to wait for. */
    if (nango_wait_for_connection(client, argv[1], user.id, NULL, &found, &err) !=
            NANGO_OK ||
        nango_delete_connection(client, argv[1], argv[2], NULL, &err) != NANGO_OK)
        goto done;
    printf("deleted %s\n", nango_connection_id(found));
    status = 0;

done:
    if (status != 0)
        fprintf(stderr, "%s\n", err.message);
    nango_connections_free(list);
    nango_connection_free(found);
    nango_connection_free(made);
    nango_client_free(client);
    return status;
}
