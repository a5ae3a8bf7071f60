/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing of secrets at rest: AES-256-GCM under data keys, which are themselves wrapped
 * by a key-encryption key (KEK).
 *
 * A sealed value: version byte 1 | data key number, 4 bytes big endian | nonce 12 |
 * ciphertext | tag 16. Additional data: the caller's context, which names the row and
 * column, so that a value moved to another row does not open. There is no way to store
 * without sealing.
 *
 * The key ring is the list of wrapped data keys; the store keeps it, this module makes
 * and opens it. The KEK comes from outside and is never stored beside what it protects
 * unless the operator gives none. */
#ifndef VAULT_VAULT_H
#define VAULT_VAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"

#define VAULT_KEY_LEN 32

struct vault;

/* Where the KEK comes from, in this order: `key_text` (setting or NANGO_ENCRYPTION_KEY:
 * 32 bytes as base64 or hex), `key_file` (same text, or 32 raw bytes), the systemd
 * credential `credential` (`nango-encryption-key`) in $CREDENTIALS_DIRECTORY, else
 * `data_dir`/encryption.key. That file is created (0600), with a warning, only when
 * `may_create`: for a server whose store holds no secret yet. Beside secrets, a new key
 * would open none of them and pass for the one that does. */
struct kek_source {
    const char *key_text;
    const char *key_file;
    const char *credential; /* NULL = nango-encryption-key */
    const char *data_dir;   /* NULL = nothing is looked for there */
    bool may_create;
    const struct log *log;
};
bool kek_load(
    const struct kek_source *source, uint8_t kek[VAULT_KEY_LEN], struct err *err);

/* Makes a key and writes it to a new file (0600), durably. Fails when there is one. */
bool kek_generate(const char *file, uint8_t kek[VAULT_KEY_LEN], struct err *err);

/* One wrapped data key as the store keeps it. */
struct vault_ring_entry {
    uint32_t number;
    const void *wrapped;
    size_t wrapped_len;
};

/* Opens the ring; a ring that does not open with this KEK is an error that says so. `kek`
 * is borrowed. An empty ring is an error: make its first key with vault_new_key(). */
bool vault_open(const uint8_t kek[VAULT_KEY_LEN], const struct vault_ring_entry *ring,
    size_t count, struct vault **out, struct err *err);
/* Makes a fresh random data key, wrapped, for the store to keep. */
bool vault_new_key(const uint8_t kek[VAULT_KEY_LEN], uint32_t number, struct buf *wrapped,
    struct err *err);
/* Wraps each key of the ring by a new KEK (rotation); `out` has `count` buffers. */
bool vault_rewrap(const struct vault *vault, const uint8_t new_kek[VAULT_KEY_LEN],
    struct buf *out, size_t count, struct err *err);
void vault_free(struct vault *vault); /* wipes; accepts NULL */

/* Any thread. Seals under the newest key; appends to `out`. */
bool vault_seal(struct vault *vault, const char *context, const void *plain, size_t len,
    struct buf *out, struct err *err);
/* Any thread. *out is from secret_alloc(), NUL-terminated (not counted in *out_len): free
 * with secret_free(). */
bool vault_unseal(struct vault *vault, const char *context, const void *sealed,
    size_t len, char **out, size_t *out_len, struct err *err);

#endif
