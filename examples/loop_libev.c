/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that do not wait, on libev: the tokens of several connections at once, printed as they come.
 *
 *   loop_libev INTEGRATION CONNECTION… */
#include <nango/adapters/libev.h>
#include <nango/nango.h>
#include <stdio.h>

static void on_token(nango_credentials *credentials, const nango_error *error, void *user)
{
    if (error->code == NANGO_OK)
        printf("%s: %s\n", (const char *)user, nango_credentials_token(credentials));
    else
        printf("%s: %s\n", (const char *)user, error->message);
    nango_credentials_free(credentials);
}

int main(int argc, char **argv)
{
    struct ev_loop *loop = EV_DEFAULT;
    nango_client *client = NULL;
    nango_error err;
    int status = 1;

    if (nango_client_new_from_env(NULL, &client, &err) != NANGO_OK ||
        nango_libev_attach(client, loop, &err) != NANGO_OK)
        goto done;
    for (int i = 2; i < argc; i++)
        if (nango_get_token_start(
                client, argv[1], argv[i], 0, on_token, argv[i], NULL, &err) != NANGO_OK)
            goto done;
    ev_run(loop, 0);
    status = 0;

done:
    if (status != 0)
        fprintf(stderr, "%s\n", err.message);
    nango_client_free(client); /* ends what is under way, and lets go of the loop */
    ev_loop_destroy(loop);
    return status;
}
