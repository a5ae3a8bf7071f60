/* SPDX-License-Identifier: Apache-2.0 */
/* Built with what was installed: makes a client, needs no server. */
#include <nango/nango.h>

#include <stdio.h>
#include <string.h>

int main(void)
{
    nango_client_options options = {0};
    nango_client *client = NULL;
    nango_error error;

    options.secret_key = "key";
    options.host = "http://127.0.0.1:9/";
    if (nango_client_new(&options, &client, &error) != NANGO_OK) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    if (strcmp(nango_client_host(client), "http://127.0.0.1:9") != 0)
        return 2;
    nango_client_free(client);
    printf("%s\n", nango_version());
    return 0;
}
