/* SPDX-License-Identifier: Apache-2.0 */
/* Connect sessions: the short-lived token with which an end user's browser may authorise;
 * and a second one, to authorise a connection again.
 *
 *   connect_session END-USER INTEGRATION [CONNECTION] */
#include <nango/nango.h>
#include <stdio.h>

static void print_session(const char *what, const nango_connect_session *session)
{
    const char *link = nango_connect_session_link(session);

    printf("%s: %s\nuntil: %s\nlink: %s\n", what, nango_connect_session_token(session),
        nango_connect_session_expires_at(session), link != NULL ? link : "none");
}

int main(int argc, char **argv)
{
    nango_end_user user = {.email = "ann@example.com", .display_name = "Ann"};
    nango_connect_session_config config = {.end_user = &user,
        .allowed_integrations = (const char *const *)&argv[2],
        .allowed_integration_count = 1};
    nango_client *client = NULL;
    nango_connect_session *session = NULL;
    nango_error err;
    int status = 1;

    if (argc < 3 || argc > 4) {
        fprintf(stderr, "usage: connect_session END-USER INTEGRATION [CONNECTION]\n");
        return 2;
    }
    user.id = argv[1];
    if (nango_client_new_from_env(NULL, &client, &err) != NANGO_OK ||
        nango_create_connect_session(client, &config, &session, &err) != NANGO_OK)
        goto done;
    print_session("token", session);
    if (argc == 4) {
        nango_connect_session_free(session);
        if (nango_create_reconnect_session(
                client, argv[2], argv[3], NULL, &session, &err) != NANGO_OK)
            goto done;
        print_session("token to reconnect", session);
    }
    status = 0;

done:
    if (status != 0)
        fprintf(stderr, "%s\n", err.message);
    nango_connect_session_free(session);
    nango_client_free(client);
    return status;
}
