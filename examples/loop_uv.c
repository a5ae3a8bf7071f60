/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that do not wait, on libuv: the tokens of several connections at once, printed as they come.
 *
 *   loop_uv INTEGRATION CONNECTION… */
#include <nango/adapters/libuv.h>
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
    uv_loop_t *loop = uv_default_loop();
    nango_client *client = NULL;
    nango_error err;
    int status = 1;

    if (nango_client_new_from_env(NULL, &client, &err) != NANGO_OK ||
        nango_libuv_attach(client, loop, &err) != NANGO_OK)
        goto done;
    for (int i = 2; i < argc; i++)
        if (nango_get_token_start(
                client, argv[1], argv[i], 0, on_token, argv[i], NULL, &err) != NANGO_OK)
            goto done;
    uv_run(loop, UV_RUN_DEFAULT);
    status = 0;

done:
    if (status != 0)
        fprintf(stderr, "%s\n", err.message);
    nango_client_free(client);    /* ends what is under way, and lets go of the loop */
    uv_run(loop, UV_RUN_DEFAULT); /* closes what the client had watched */
    uv_loop_close(loop);
    return status;
}
