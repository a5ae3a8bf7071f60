/* SPDX-License-Identifier: Apache-2.0 */
/* The environment variables set on the server.
 *
 *   variables [NAME] */
#include <nango/nango.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    nango_client *client = NULL;
    nango_variables *variables = NULL;
    nango_pair pair;
    nango_error err;
    int status = 1;

    if (nango_client_new_from_env(NULL, &client, &err) != NANGO_OK ||
        nango_get_environment_variables(client, &variables, &err) != NANGO_OK) {
        fprintf(stderr, "%s\n", err.message);
    } else if (argc > 1) {
        const char *value = nango_variables_find(variables, argv[1]);

        printf("%s\n", value != NULL ? value : "(not set)");
        status = 0;
    } else {
        for (size_t i = 0; nango_variables_at(variables, i, &pair); i++)
            printf("%s=%s\n", pair.name, pair.value);
        status = 0;
    }
    nango_variables_free(variables);
    nango_client_free(client);
    return status;
}
