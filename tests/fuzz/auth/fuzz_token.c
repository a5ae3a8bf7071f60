/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of token endpoints, good ones and refusals. Credentials that come out have an
 * access token; an error text quotes nothing that was sent in confidence. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../provider.h"
#include "auth/token.h"
#include "base/json.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char entry[] = "p:\n"
                            "    display_name: P\n"
                            "    categories: [other]\n"
                            "    docs: https://example.com\n"
                            "    auth_mode: OAUTH2\n"
                            "    authorization_url: https://example.com/a\n"
                            "    token_url: https://example.com/t\n"
                            "    alternate_access_token_response_path: authed_user\n"
                            "    token_response_metadata: [team.id, b]\n"
                            "    proxy:\n"
                            "        base_url: https://example.com\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct token_secrets secrets = {.items = {"s3cr3t"}};
    char *text =
        str_ndup((const char *)data, size); /* an answer's buffer ends with NUL */
    cJSON *credentials = NULL;
    struct err err = {0};
    char shown[200];

    if (token_parse_oauth2(fuzz_provider(entry), text, size, NULL, &secrets,
            INT64_C(1705322096789), &credentials, &err)) {
        cJSON *config = cJSON_CreateObject();

        assert(json_str(credentials, "access_token") != NULL);
        token_response_metadata(
            fuzz_provider(entry), json_get(credentials, "raw"), config);
        cJSON_Delete(config);
    } else {
        assert(strstr(err.message, "s3cr3t") == NULL);
    }
    cJSON_Delete(credentials);
    token_error_text(text, size, &secrets, shown, sizeof shown);
    assert(strstr(shown, "s3cr3t") == NULL && strlen(shown) < sizeof shown);
    free(text);
    return 0;
}
