/* SPDX-License-Identifier: Apache-2.0 */
/* A file from the provider, of whatever size, in constant memory.
 *
 *   proxy_stream INTEGRATION CONNECTION ENDPOINT FILE */
#include <nango/nango.h>
#include <stdio.h>

struct download {
    FILE *file;
    unsigned long long size;
};

static bool on_head(const nango_response *head, void *user)
{
    const char *length = nango_response_header(head, "content-length");

    (void)user;
    printf("status: %d, announced: %s\n", nango_response_status(head),
        length != NULL ? length : "no length");
    return true; /* false would end the call */
}

static bool on_data(const char *data, size_t len, void *user)
{
    struct download *download = user;

    download->size += len;
    return fwrite(data, 1, len, download->file) == len;
}

int main(int argc, char **argv)
{
    struct download download = {0};
    const nango_stream stream = {
        .on_head = on_head, .on_data = on_data, .user = &download};
    nango_proxy_config config = {0};
    nango_client *client = NULL;
    nango_error err;
    int status = 1;

    if (argc != 5) {
        fprintf(stderr, "usage: proxy_stream INTEGRATION CONNECTION ENDPOINT FILE\n");
        return 2;
    }
    config.provider_config_key = argv[1];
    config.connection_id = argv[2];
    config.endpoint = argv[3];
    download.file = fopen(argv[4], "wb");
    if (download.file == NULL) {
        perror(argv[4]);
        return 1;
    }
    if (nango_client_new_from_env(NULL, &client, &err) != NANGO_OK ||
        nango_proxy_stream(client, &config, &stream, &err) != NANGO_OK)
        fprintf(stderr, "%s\n", err.message);
    else
        status = 0;
    if (fclose(download.file) != 0) {
        perror(argv[4]);
        status = 1;
    }
    printf("%llu bytes\n", download.size);
    nango_client_free(client);
    return status;
}
