/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials of a connection, whatever their kind; refreshed by the server if they were
 * about to expire.
 *
 *   token INTEGRATION CONNECTION */
#include <inttypes.h>
#include <nango/nango.h>
#include <stdio.h>

static void print_token(const nango_credentials *credentials)
{
    int64_t expires;

    printf("kind: %s\n", nango_auth_type_name(nango_credentials_type(credentials)));
    switch (nango_credentials_type(credentials)) {
    case NANGO_AUTH_OAUTH2:
        printf("access token: %s\n", nango_credentials_access_token(credentials));
        break;
    case NANGO_AUTH_API_KEY:
        printf("key: %s\n", nango_credentials_api_key(credentials));
        break;
    case NANGO_AUTH_BASIC:
        printf("user: %s\npassword: %s\n", nango_credentials_username(credentials),
            nango_credentials_password(credentials));
        break;
    case NANGO_AUTH_NONE:
        break;
    default: /* every kind that has something like a token and its secret */
        printf("token: %s\n", nango_credentials_token(credentials));
        if (nango_credentials_secret(credentials) != NULL)
            printf("secret: %s\n", nango_credentials_secret(credentials));
    }
    if (nango_credentials_expires_at_ms(credentials, &expires))
        printf("expires: %" PRId64 "\n", expires);
}

int main(int argc, char **argv)
{
    nango_client *client = NULL;
    nango_credentials *credentials = NULL;
    nango_credentials *raw = NULL;
    nango_error err;
    int status = 1;

    if (argc != 3) {
        fprintf(stderr, "usage: token INTEGRATION CONNECTION\n");
        return 2;
    }
    if (nango_client_new_from_env(NULL, &client, &err) != NANGO_OK)
        goto done;
    if (nango_get_token(client, argv[1], argv[2], 0, &credentials, &err) != NANGO_OK)
        goto done;
    print_token(credentials);

    /* What the provider's token endpoint said, for what the server has no name for. */
    if (nango_get_raw_token_response(client, argv[1], argv[2], 0, &raw, &err) != NANGO_OK)
        goto done;
    printf("raw scope: %s\n",
        nango_json_string_at(nango_credentials_raw(raw), "/scope", "none"));
    status = 0;

done:
    if (status != 0)
        fprintf(stderr, "%s\n", err.message);
    nango_credentials_free(raw); /* wipes, too */
    nango_credentials_free(credentials);
    nango_client_free(client);
    return status;
}
