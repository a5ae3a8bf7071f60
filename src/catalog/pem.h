/* SPDX-License-Identifier: Apache-2.0 */
/* Keys as people paste them: one line, `\n` typed out, without the BEGIN line, badly
 * wrapped. */
#ifndef CATALOG_PEM_H
#define CATALOG_PEM_H

#include <openssl/evp.h>

#include "base/buf.h"
#include "base/err.h"

/* The PEM in lines of 64 characters; the label is taken from the BEGIN line, else it is
 * `label` (for instance "PRIVATE KEY"). The caller wipes and frees. NULL with *err (400
 * `invalid_certificate_or_key_format`) when what is inside is not base64. */
char *pem_format(const char *text, const char *label, struct err *err);
/* The private key in it; NULL when it cannot be read. EVP_PKEY_free(). */
EVP_PKEY *pem_private_key(const char *text);
/* Appends the base64 of the signature over `message` by a key of `kind` ("RSA", "ED25519").
 * `digest` NULL: the kind's own. False when the key cannot be read or is another's. */
bool pem_sign(const char *pem, const char *kind, const EVP_MD *digest,
    const struct buf *message, struct buf *out);

#endif
