/* SPDX-License-Identifier: Apache-2.0 */
/* The proxy: requests to the provider's API, with the connection's credentials put in by
 * the server.
 *
 *   proxy INTEGRATION CONNECTION ENDPOINT */
#include <nango/nango.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    const nango_pair headers[] = {{"X-Example", "1"}};
    const nango_pair params[] = {{"q", "a b&c"}, {"page", "2"}};
    const char *json = "{\"title\":\"from C\"}";
    nango_client_options options = {0};
    nango_proxy_config config = {.headers = headers,
        .header_count = 1,
        .params = params,
        .param_count = 2,
        .retries = 2};
    nango_proxy_config missing = {.endpoint = "/status/404"};
    nango_client *client = NULL;
    nango_response *response = NULL;
    nango_error err;
    int status = 1;

    if (argc != 4) {
        fprintf(stderr, "usage: proxy INTEGRATION CONNECTION ENDPOINT\n");
        return 2;
    }
    /* The connection of all calls; a config may name another. */
    options.provider_config_key = argv[1];
    options.connection_id = argv[2];
    config.endpoint = argv[3];
    if (nango_client_new_from_env(&options, &client, &err) != NANGO_OK ||
        nango_get(client, &config, &response, &err) != NANGO_OK)
        goto done;
    printf("GET: %d %s\n", nango_response_status(response),
        nango_response_header(response, "content-type"));
    printf("url: %s\n",
        nango_json_string_at(nango_response_json(response), "/url", "not told"));
    nango_response_free(response);

    config.data_kind = NANGO_DATA_JSON;
    config.data = json;
    config.data_size = strlen(json);
    if (nango_post(client, &config, &response, &err) != NANGO_OK)
        goto done;
    printf("POST: %s\n", nango_response_body(response, NULL));
    nango_response_free(response);

    /* What the provider refuses is a failure, and its answer a result nonetheless. */
    if (nango_get(client, &missing, &response, &err) == NANGO_E_HTTP)
        printf("refused: %d %s\n", err.http_status, nango_response_body(response, NULL));
    status = 0;

done:
    if (status != 0)
        fprintf(stderr, "%s\n", err.message);
    nango_response_free(response);
    nango_client_free(client);
    return status;
}
