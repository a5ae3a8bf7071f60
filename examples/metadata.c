/* SPDX-License-Identifier: Apache-2.0 */
/* Metadata: JSON of one's own, kept with each connection.
 *
 *   metadata INTEGRATION CONNECTION LANGUAGE */
#include <nango/nango.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    const char *const *ids = (const char *const *)&argv[2];
    nango_client *client = NULL;
    nango_connection *connection = NULL;
    const nango_json *metadata;
    char *text = NULL;
    nango_error err = {.message = "out of memory"};
    int status = 1;

    if (argc != 4) {
        fprintf(stderr, "usage: metadata INTEGRATION CONNECTION LANGUAGE\n");
        return 2;
    }
    /* %Q escapes: a name from outside cannot break the JSON. */
    text = nango_json_format("{\"language\":%Q,\"seats\":%d}", argv[3], 5);
    if (text == NULL || nango_client_new_from_env(NULL, &client, &err) != NANGO_OK)
        goto done;
    if (nango_set_metadata(client, argv[1], ids, 1, text, NULL, &err) != NANGO_OK ||
        nango_update_metadata(client, argv[1], ids, 1, "{\"seats\":6}", NULL, &err) !=
            NANGO_OK ||
        nango_get_metadata(client, argv[1], argv[2], &connection, &err) != NANGO_OK)
        goto done;
    metadata = nango_connection_metadata(connection);
    printf("language: %s\n", nango_json_string_at(metadata, "/language", "none"));
    printf("seats: %d\n", (int)nango_json_int_at(metadata, "/seats", -1));
    status = 0;

done:
    if (status != 0)
        fprintf(stderr, "%s\n", err.message);
    nango_connection_free(connection);
    nango_text_free(text);
    nango_client_free(client);
    return status;
}
