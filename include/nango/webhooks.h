/* SPDX-License-Identifier: Apache-2.0 */
/* Checking that a webhook came from the server. Source: contract webhooks.md section 5. */
#ifndef NANGO_WEBHOOKS_H
#define NANGO_WEBHOOKS_H

#include "nango/client.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whether a request that arrived as a webhook is the server's: its header
 * X-Nango-Hmac-Sha256 is the HMAC-SHA256 of the body as it was received, byte for byte. The
 * key is the client's webhook_signing_key, else its secret_key. Compared in constant time.
 * False when anything is missing, or memory is out. Sends nothing. */
NANGO_API bool nango_verify_incoming_webhook_request(const nango_client *client,
    const void *body, size_t len, const nango_pair *headers, size_t header_count);

/* Whether `signature` (the header X-Nango-Signature) fits `json`, the body as JSON text:
 * SHA-256 of the key followed by the text without its white space. Deprecated: whoever has
 * seen one signature can make others by lengthening the body; use
 * nango_verify_incoming_webhook_request(). Otherwise as that. */
NANGO_API bool nango_verify_webhook_signature(
    const nango_client *client, const char *signature, const char *json, size_t len);

#ifdef __cplusplus
}
#endif
#endif
