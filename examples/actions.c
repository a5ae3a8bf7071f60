/* SPDX-License-Identifier: Apache-2.0 */
/* Actions: run one and wait for what it returns; have one run later and fetch that.
 *
 *   actions INTEGRATION CONNECTION ACTION INPUT-JSON */
#include <nango/nango.h>
#include <stdio.h>

static void print_json(const char *what, const nango_response *response)
{
    char *text = nango_json_text(nango_response_json(response), NULL);

    printf("%s: %s\n", what, text != NULL ? text : "no JSON");
    nango_text_free(text);
}

int main(int argc, char **argv)
{
    nango_client *client = NULL;
    nango_response *response = NULL;
    nango_async_action *action = NULL;
    nango_error err;
    int status = 1;

    if (argc != 5) {
        fprintf(stderr, "usage: actions INTEGRATION CONNECTION ACTION INPUT-JSON\n");
        return 2;
    }
    if (nango_client_new_from_env(NULL, &client, &err) != NANGO_OK ||
        nango_trigger_action(
            client, argv[1], argv[2], argv[3], argv[4], &response, &err) != NANGO_OK)
        goto done;
    print_json("returned", response);
    nango_response_free(response);
    response = NULL;

    if (nango_trigger_action_async(
            client, argv[1], argv[2], argv[3], argv[4], &action, &err) != NANGO_OK)
        goto done;
    printf("started: %s\n", nango_async_action_id(action));
    if (nango_get_async_action_result(client, NULL, nango_async_action_status_url(action),
            &response, &err) == NANGO_OK)
        print_json("returned later", response);
    else if (err.http_status == 404)
        printf("not ready yet\n"); /* ask again later, by the same id */
    else
        goto done;
    status = 0;

done:
    if (status != 0)
        fprintf(stderr, "%s\n", err.message);
    nango_async_action_free(action);
    nango_response_free(response);
    nango_client_free(client);
    return status;
}
