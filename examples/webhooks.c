/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a webhook came from the server. The body is read from standard input, byte for
 * byte as it was received; the header's value is the argument.
 *
 *   webhooks X-NANGO-HMAC-SHA256 <BODY */
#include <nango/nango.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    static char body[1 << 20];
    nango_pair headers[] = {
        {"content-type", "application/json"}, {"x-nango-hmac-sha256", ""}};
    nango_client *client = NULL;
    nango_document *document = NULL;
    nango_error err;
    size_t len;
    bool genuine;

    if (argc != 2) {
        fprintf(stderr, "usage: webhooks X-NANGO-HMAC-SHA256 <BODY\n");
        return 2;
    }
    len = fread(body, 1, sizeof body, stdin);
    headers[1].value = argv[1];
    if (nango_client_new_from_env(NULL, &client, &err) != NANGO_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    genuine = nango_verify_incoming_webhook_request(client, body, len, headers, 2);
    printf("%s\n", genuine ? "genuine" : "not the server's");

    /* Only then is it worth reading. */
    if (genuine && nango_document_parse(body, len, &document, &err) == NANGO_OK)
        printf("type: %s\n",
            nango_json_string_at(nango_document_root(document), "/type", "none"));
    nango_document_free(document);
    nango_client_free(client);
    return 0;
}
