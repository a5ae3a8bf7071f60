/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing and opening, and the key ring. Formats (all numbers big endian):
 *
 *   sealed value   1 | data key number, 4 | nonce, 12 | ciphertext | tag, 16
 *                  AAD: context
 *   wrapped key    1 | nonce, 12 | ciphertext, 32 | tag, 16
 *                  AAD: "nango data key <number>"
 *
 * The number of a wrapped key is part of its additional data, so an entry cannot pose as
 * another.
 *
 * Speed: AES-GCM of a credential costs less than setting a key up. Each data key
 * therefore keeps cipher contexts whose key schedule is done; a call takes one out of a
 * slot by an atomic exchange, sets the nonce only, and puts it back. Slots are chosen by
 * thread, so threads rarely meet; an empty slot costs making a context, a full one on
 * return costs freeing it. No locks, nothing tied to the life of a thread.
 *
 * Nonces are random. NIST SP 800-38D allows 2^32 random nonces a key: at 1,000 seals a
 * second that is 49 days of nothing but sealing, and a ring may get a further key at any
 * time.
 *
 * What can fail: opening what was altered, moved to another context, cut short, or sealed
 * under a key that the ring lacks. Each says which, and none says anything of the
 * content. */
#include "vault/vault.h"

#include <assert.h>
#include <limits.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "base/secret.h"

enum {
    FORMAT = 1,
    NONCE_LEN = 12,
    TAG_LEN = 16,
    HEADER_LEN = 1 + 4 + NONCE_LEN, /* of a sealed value */
    WRAPPED_LEN = 1 + NONCE_LEN + VAULT_KEY_LEN + TAG_LEN,
    SLOTS = 16,
    NONCES = 64, /* that a thread fetches at once */
    KEY_CONTEXT_SIZE = 32,
};

typedef _Atomic(EVP_CIPHER_CTX *) context_slot;

struct data_key {
    uint32_t number;
    uint8_t *bytes; /* secret_alloc */
    context_slot seal[SLOTS];
    context_slot open[SLOTS];
};

struct vault {
    EVP_CIPHER *cipher;
    struct data_key *keys; /* in the order of the ring */
    size_t count;
    struct data_key *newest;
};

/* One piece of work for the cipher. For sealing `in` is plain; for opening it is
 * ciphertext. */
struct gcm {
    const uint8_t *nonce;
    const char *context;
    const uint8_t *in;
    size_t len;
    uint8_t *out; /* `len` bytes */
    uint8_t *tag; /* written when sealing, compared when opening */
};

static EVP_CIPHER *fetch_cipher(struct err *err)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);

    if (cipher == NULL)
        err_internal(err, "this OpenSSL has no AES-256-GCM");
    return cipher;
}

/* A context whose key is set; only the nonce is missing. */
static EVP_CIPHER_CTX *context_new(
    const EVP_CIPHER *cipher, const uint8_t *key, bool seal)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

    if (ctx != NULL && EVP_CipherInit_ex2(ctx, cipher, key, NULL, seal, NULL) != 1) {
        EVP_CIPHER_CTX_free(ctx);
        ctx = NULL;
    }
    return ctx;
}

/* False when the tag does not match (opening), or OpenSSL fails. */
static bool gcm_run(EVP_CIPHER_CTX *ctx, bool seal, const struct gcm *job)
{
    uint8_t end[TAG_LEN];
    int n = 0;
    size_t context_len = strlen(job->context);

    if (job->len > INT_MAX || context_len > INT_MAX)
        return false;
    if (EVP_CipherInit_ex2(ctx, NULL, NULL, job->nonce, seal, NULL) != 1)
        return false;
    if (!seal && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, job->tag) != 1)
        return false;
    if (context_len > 0 && EVP_CipherUpdate(ctx, NULL, &n, (const uint8_t *)job->context,
                               (int)context_len) != 1)
        return false;
    if (job->len > 0 && EVP_CipherUpdate(ctx, job->out, &n, job->in, (int)job->len) != 1)
        return false;
    if (EVP_CipherFinal_ex(ctx, end, &n) != 1)
        return false;
    return !seal ||
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, job->tag) == 1;
}

static context_slot *slot_of_thread(context_slot *slots)
{
    /* Thread descriptors lie far apart: multiply and keep the high bits. */
    uint64_t h = (uint64_t)(uintptr_t)pthread_self() * UINT64_C(0x9e3779b97f4a7c15);

    return &slots[h >> 60];
}

static bool key_run(
    const struct vault *vault, struct data_key *key, bool seal, const struct gcm *job)
{
    context_slot *slot = slot_of_thread(seal ? key->seal : key->open);
    EVP_CIPHER_CTX *ctx = atomic_exchange_explicit(slot, NULL, memory_order_acq_rel);
    bool ok;

    if (ctx == NULL)
        ctx = context_new(vault->cipher, key->bytes, seal);
    if (ctx == NULL)
        return false;
    ok = gcm_run(ctx, seal, job);
    ctx = atomic_exchange_explicit(slot, ctx, memory_order_acq_rel);
    EVP_CIPHER_CTX_free(
        ctx); /* another thread's, which came back to the same slot first */
    return ok;
}

static void put_u32(uint8_t *out, uint32_t value)
{
    out[0] = (uint8_t)(value >> 24);
    out[1] = (uint8_t)(value >> 16);
    out[2] = (uint8_t)(value >> 8);
    out[3] = (uint8_t)value;
}

static uint32_t get_u32(const uint8_t *in)
{
    return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

/* Random bytes cost less by the block: asking for a few costs as much as sealing a
 * kilobyte. They are no secret. */
static void next_nonce(uint8_t out[NONCE_LEN])
{
    static _Thread_local uint8_t block[NONCES][NONCE_LEN];
    static _Thread_local size_t left;

    if (left == 0) {
        crypto_random(block, sizeof block);
        left = NONCES;
    }
    memcpy(out, block[--left], NONCE_LEN);
}

/* ---- wrapping of data keys ---- */

static void key_context(char out[KEY_CONTEXT_SIZE], uint32_t number)
{
    static const char prefix[] = "nango data key ";
    char digits[11];
    size_t n = sizeof(digits);
    size_t at = sizeof(prefix) - 1;

    digits[--n] = '\0';
    do {
        digits[--n] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    memcpy(out, prefix, at);
    memcpy(out + at, digits + n, sizeof(digits) - n);
}

static bool wrap(const EVP_CIPHER *cipher, const uint8_t kek[VAULT_KEY_LEN],
    uint32_t number, const uint8_t key[VAULT_KEY_LEN], struct buf *out, struct err *err)
{
    uint8_t wrapped[WRAPPED_LEN];
    char context[KEY_CONTEXT_SIZE];
    EVP_CIPHER_CTX *ctx = context_new(cipher, kek, true);
    struct gcm job = {
        .nonce = wrapped + 1,
        .context = context,
        .in = key,
        .len = VAULT_KEY_LEN,
        .out = wrapped + 1 + NONCE_LEN,
        .tag = wrapped + 1 + NONCE_LEN + VAULT_KEY_LEN,
    };
    bool ok;

    key_context(context, number);
    wrapped[0] = FORMAT;
    crypto_random(wrapped + 1, NONCE_LEN);
    ok = ctx != NULL && gcm_run(ctx, true, &job);
    EVP_CIPHER_CTX_free(ctx);
    if (!ok)
        return err_internal(err, "data key %u could not be wrapped", (unsigned)number);
    if (!buf_append(out, wrapped, sizeof(wrapped)))
        return err_internal(err, "no room for wrapped data key %u", (unsigned)number);
    return true;
}

static bool unwrap(const EVP_CIPHER *cipher, const uint8_t kek[VAULT_KEY_LEN],
    const struct vault_ring_entry *entry, uint8_t key[VAULT_KEY_LEN], struct err *err)
{
    uint8_t wrapped[WRAPPED_LEN];
    char context[KEY_CONTEXT_SIZE];
    EVP_CIPHER_CTX *ctx = NULL;
    struct gcm job = {
        .nonce = wrapped + 1,
        .context = context,
        .in = wrapped + 1 + NONCE_LEN,
        .len = VAULT_KEY_LEN,
        .out = key,
        .tag = wrapped + 1 + NONCE_LEN + VAULT_KEY_LEN,
    };
    bool ok;

    if (entry->wrapped_len != WRAPPED_LEN)
        return err_internal(err, "data key %u of the key ring is damaged: %zu bytes",
            (unsigned)entry->number, entry->wrapped_len);
    memcpy(wrapped, entry->wrapped, WRAPPED_LEN);
    if (wrapped[0] != FORMAT)
        return err_internal(err,
            "data key %u of the key ring has format %u, which this program does not know",
            (unsigned)entry->number, (unsigned)wrapped[0]);
    key_context(context, entry->number);
    ctx = context_new(cipher, kek, false);
    ok = ctx != NULL && gcm_run(ctx, false, &job);
    EVP_CIPHER_CTX_free(ctx);
    if (!ok)
        return err_set(err, 500, "invalid_setting",
            "the stored secrets do not open with this encryption key (data key %u): "
            "start "
            "with the key they were stored under, by NANGO_ENCRYPTION_KEY, the key file, "
            "or "
            "the encryption.key that belongs to this data directory",
            (unsigned)entry->number);
    return true;
}

/* ---- the vault ---- */

void vault_free(struct vault *vault)
{
    if (vault == NULL)
        return;
    for (size_t i = 0; i < vault->count; i++) {
        struct data_key *key = &vault->keys[i];
        for (size_t s = 0; s < SLOTS; s++) {
            EVP_CIPHER_CTX_free(atomic_load(&key->seal[s])); /* wipes the key schedule */
            EVP_CIPHER_CTX_free(atomic_load(&key->open[s]));
        }
        secret_free(key->bytes);
    }
    free(vault->keys);
    EVP_CIPHER_free(vault->cipher);
    free(vault);
}

static struct data_key *find_key(const struct vault *vault, uint32_t number)
{
    for (size_t i = 0; i < vault->count; i++) {
        if (vault->keys[i].number == number)
            return &vault->keys[i];
    }
    return NULL;
}

bool vault_open(const uint8_t kek[VAULT_KEY_LEN], const struct vault_ring_entry *ring,
    size_t count, struct vault **out, struct err *err)
{
    struct vault *vault = MEM_NEW(struct vault);
    bool ok = false;

    *out = NULL;
    if (count == 0) {
        err_internal(err, "the key ring is empty");
        goto done;
    }
    vault->cipher = fetch_cipher(err);
    if (vault->cipher == NULL)
        goto done;
    vault->keys = mem_zalloc(count * sizeof(*vault->keys));
    for (size_t i = 0; i < count; i++) {
        struct data_key *key = &vault->keys[i];

        if (find_key(vault, ring[i].number) != NULL) {
            err_internal(
                err, "data key %u is in the key ring twice", (unsigned)ring[i].number);
            goto done;
        }
        key->number = ring[i].number;
        key->bytes = secret_alloc(VAULT_KEY_LEN);
        vault->count = i + 1;
        if (!unwrap(vault->cipher, kek, &ring[i], key->bytes, err))
            goto done;
        if (vault->newest == NULL || key->number > vault->newest->number)
            vault->newest = key;
    }
    ok = true;

done:
    if (ok)
        *out = vault;
    else
        vault_free(vault);
    return ok;
}

bool vault_new_key(const uint8_t kek[VAULT_KEY_LEN], uint32_t number, struct buf *wrapped,
    struct err *err)
{
    uint8_t *fresh = secret_alloc(VAULT_KEY_LEN);
    EVP_CIPHER *cipher = fetch_cipher(err);
    bool ok = false;

    crypto_random(fresh, VAULT_KEY_LEN);
    if (cipher != NULL)
        ok = wrap(cipher, kek, number, fresh, wrapped, err);
    EVP_CIPHER_free(cipher);
    secret_free(fresh);
    return ok;
}

bool vault_rewrap(const struct vault *vault, const uint8_t new_kek[VAULT_KEY_LEN],
    struct buf *out, size_t count, struct err *err)
{
    assert(count == vault->count);
    for (size_t i = 0; i < count; i++) {
        const struct data_key *key = &vault->keys[i];
        if (!wrap(vault->cipher, new_kek, key->number, key->bytes, &out[i], err))
            return false;
    }
    return true;
}

bool vault_seal(struct vault *vault, const char *context, const void *plain, size_t len,
    struct buf *out, struct err *err)
{
    size_t sealed_len = HEADER_LEN + len + TAG_LEN;
    struct gcm job = {.context = context, .in = plain, .len = len};
    uint8_t *at;

    if (out->overflow || (out->max > 0 && sealed_len > out->max - out->len))
        return err_internal(err, "no room for a sealed value of %zu bytes", len);
    at = (uint8_t *)buf_room(out, sealed_len);
    at[0] = FORMAT;
    put_u32(at + 1, vault->newest->number);
    next_nonce(at + 5);
    job.nonce = at + 5;
    job.out = at + HEADER_LEN;
    job.tag = at + HEADER_LEN + len;
    if (!key_run(vault, vault->newest, true, &job))
        return err_internal(err, "a value of %zu bytes could not be sealed", len);
    buf_added(out, sealed_len);
    return true;
}

bool vault_unseal(struct vault *vault, const char *context, const void *sealed,
    size_t len, char **out, size_t *out_len, struct err *err)
{
    const uint8_t *in = sealed;
    uint8_t tag[TAG_LEN];
    struct gcm job = {.context = context};
    struct data_key *key;
    char *plain;

    *out = NULL;
    *out_len = 0;
    if (len < HEADER_LEN + TAG_LEN)
        return err_internal(err, "a sealed value is cut short: %zu bytes", len);
    if (in[0] != FORMAT)
        return err_internal(err,
            "a sealed value has format %u, which this program does not know",
            (unsigned)in[0]);
    key = find_key(vault, get_u32(in + 1));
    if (key == NULL)
        return err_internal(err,
            "a value is sealed under data key %u, which is not in the key ring",
            (unsigned)get_u32(in + 1));

    job.len = len - HEADER_LEN - TAG_LEN;
    plain = secret_alloc(job.len + 1);
    memcpy(tag, in + len - TAG_LEN, TAG_LEN);
    job.nonce = in + 5;
    job.in = in + HEADER_LEN;
    job.out = (uint8_t *)plain;
    job.tag = tag;
    if (!key_run(vault, key, false, &job)) {
        secret_free(plain);
        return err_internal(
            err, "a sealed value does not open: it was altered or belongs elsewhere");
    }
    plain[job.len] = '\0';
    *out = plain;
    *out_len = job.len;
    return true;
}
