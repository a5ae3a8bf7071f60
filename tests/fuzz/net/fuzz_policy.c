/* SPDX-License-Identifier: Apache-2.0 */
/* URLs that callers and providers name, and the settings of the outbound policy. A URL
 * that passes must not hide a loopback address in its host. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "net/policy.h"
#include "net/upstream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct policy policy;
    struct err err = {0};
    char *text = str_ndup((const char *)data, size);
    char *resolved;

    policy_init(&policy, false);
    if (policy_check_url(&policy, text, &err))
        assert(!str_starts_nocase(text, "http://127.0.0.1/") &&
               !str_starts_nocase(text, "http://localhost/") &&
               !str_starts_nocase(text, "http://[::1]/"));
    (void)policy_apply_json(&policy, text, &err);
    (void)policy_apply_denylist(&policy, text, &err);
    resolved = up_resolve_url("https://a.example/b/c?d", text);
    if (resolved != NULL)
        (void)up_same_site("https://a.example/", resolved);
    free(resolved);
    policy_finish(&policy);
    free(text);
    return 0;
}
