/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a failed provider call is tried again, and when (contract proxy.md section 8).
 * No I/O. */
#ifndef PROXY_RETRY_H
#define PROXY_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "catalog/catalog.h"
#include "net/http.h"
#include "net/upstream.h"

struct retry_case {
    const struct provider *provider;
    int attempt;             /* 0 = the first try just failed */
    enum up_failure failure; /* UP_OK when an answer came */
    int status;
    const struct http_headers *headers;
    const char
        *body; /* beginning of the answer when it was read, for retry.in_body; or NULL */
    size_t body_len;
    const int *retry_on;
    size_t retry_on_count;
    int64_t now_ms;
    int64_t backoff_base_ms;    /* 3000 unless set */
    const char *network_errors; /* more codes that call for a retry, comma list; NULL */
};
struct retry_verdict {
    bool retry;
    int64_t wait_ms;
    char reason[64]; /* `network_error`, `status_code_500`, `retry_on_404`, … */
    char wait_reason[64];
};
void retry_decide(const struct retry_case *c, struct retry_verdict *out);

#endif
