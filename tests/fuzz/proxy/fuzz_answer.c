/* SPDX-License-Identifier: Apache-2.0 */
/* What a provider says of its answer: the lines of its head, as the HTTP client hands them
 * over, and what of it decides on another try. The input is a head, an empty line, and the
 * beginning of a body.
 *
 * Every field that is kept can be passed on, and no wait is negative. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../provider.h"
#include "net/inflate.h"
#include "net/upstream_int.h"
#include "proxy/retry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char entry[] = "p:\n"
                            "    display_name: P\n"
                            "    categories: [other]\n"
                            "    docs: https://example.com\n"
                            "    auth_mode: API_KEY\n"
                            "    proxy:\n"
                            "        base_url: https://example.com\n"
                            "        retry:\n"
                            "            at: [x-at, x-other]\n"
                            "            after: [retry-after]\n"
                            "            remaining: x-left\n"
                            "            in_body:\n"
                            "                path: error.message\n"
                            "                value: '/wait ([0-9]+) s/'\n"
                            "                strategy: after\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data, *at = text, *end = text + size;
    struct up_head head;
    struct retry_verdict verdict;
    bool complete = false;

    up_head_init(&head);
    while (at < end && !complete) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        size_t len = line_end != NULL ? (size_t)(line_end - at) + 1 : (size_t)(end - at);

        complete = up_head_line(&head, at, len);
        at += len;
    }
    if (complete) {
        struct retry_case c = {
            .provider = fuzz_provider(entry),
            .status = head.status,
            .headers = &head.headers,
            .body = at,
            .body_len = (size_t)(end - at),
            .now_ms = INT64_C(1705322096789),
        };

        for (size_t i = 0; i < head.headers.count; i++)
            assert(http_is_token(head.headers.items[i].name) &&
                   http_is_field_value(head.headers.items[i].value));
        retry_decide(&c, &verdict);
        assert(verdict.wait_ms >= 0);
        inflater_free(up_head_inflate(&head));
    }
    up_head_finish(&head);
    return 0;
}
