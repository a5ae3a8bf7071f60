/* SPDX-License-Identifier: Apache-2.0 */
/* The functions deployed for an integration: list, describe, source, delete.
 *
 *   functions INTEGRATION NAME TYPE */
#include <nango/nango.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    const nango_functions_query query = {.limit = 100};
    nango_client *client = NULL;
    nango_response *list = NULL;
    nango_response *one = NULL;
    nango_response *code = NULL;
    const nango_json *function;
    nango_error err;
    int status = 1;

    if (argc != 4) {
        fprintf(stderr, "usage: functions INTEGRATION NAME TYPE\n");
        return 2;
    }
    if (nango_client_new_from_env(NULL, &client, &err) != NANGO_OK ||
        nango_list_functions(client, argv[1], &query, &list, &err) != NANGO_OK)
        goto done;
    function = nango_json_first(nango_response_at(list, "/data"));
    for (; function != NULL; function = nango_json_next(function))
        printf("%s %s\n", nango_json_string_at(function, "/type", "?"),
            nango_json_string_at(function, "/name", "?"));

    /* The type may be NULL unless two functions have the name. */
    if (nango_get_function(client, argv[1], argv[2], NULL, &one, &err) != NANGO_OK ||
        nango_get_function_code(client, argv[1], argv[2], NULL, &code, &err) != NANGO_OK)
        goto done;
    printf("runs: %s\n",
        nango_json_string_at(nango_response_json(one), "/data/runs", "on demand"));
    printf("code: %s\n", nango_json_string_at(nango_response_json(code), "/code", ""));
    if (nango_delete_function(client, argv[1], argv[2], argv[3], NULL, &err) !=
        NANGO_OK) {
        if (err.code != NANGO_E_HTTP)
            goto done;
        printf("not deleted: %s\n", err.server_code);
    }
    status = 0;

done:
    if (status != 0)
        fprintf(stderr, "%s\n", err.message);
    nango_response_free(code);
    nango_response_free(one);
    nango_response_free(list);
    nango_client_free(client);
    return status;
}
