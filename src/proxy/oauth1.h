/* SPDX-License-Identifier: Apache-2.0 */
/* OAuth 1.0a signatures (RFC 5849) in an Authorization header. */
#ifndef PROXY_OAUTH1_H
#define PROXY_OAUTH1_H

#include <stdint.h>

#include "base/buf.h"
#include "catalog/template.h"

enum oauth1_method {
    OAUTH1_HMAC_SHA1,
    OAUTH1_HMAC_SHA256,
    OAUTH1_PLAINTEXT,
};
struct oauth1 {
    enum oauth1_method method;
    const char *http_method;
    const char *url; /* query included; parameters of the body are not signed */
    const char *consumer_key, *consumer_secret;
    const char *token, *token_secret; /* may be NULL */
    const char *realm;                /* NULL = none */
    const struct template_stable *stable;
};
/* Appends `OAuth …`. */
void oauth1_header(const struct oauth1 *in, struct buf *out);

#endif
