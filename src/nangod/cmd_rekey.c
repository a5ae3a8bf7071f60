/* SPDX-License-Identifier: Apache-2.0 */
/* `nangod rekey`: puts the data keys under another key-encryption key, all in one
 * transaction, and adds a data key that only the new one ever wrapped, for what is sealed
 * from now on. The old key comes from where the server takes it; the new one from a file
 * or a systemd credential. Neither is ever an argument. */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/mem.h"
#include "nangod/cmd.h"
#include "nangod/node.h"

#define NEW_CREDENTIAL "nango-new-encryption-key"

static bool load_new_key(const struct options *options, const struct node *node,
    uint8_t kek[VAULT_KEY_LEN], struct err *err)
{
    struct kek_source source = {
        .key_file = options->new_key_file,
        .credential = NEW_CREDENTIAL,
        .log = &node->log,
    };

    if (options->generate != NULL)
        return kek_generate(options->generate, kek, err);
    return kek_load(&source, kek, err) || err_context(err, "the new key");
}

static bool opens(const struct store_key *key, const uint8_t kek[VAULT_KEY_LEN])
{
    struct vault_ring_entry entry = {key->number, key->wrapped.data, key->wrapped.len};
    struct vault *vault = NULL;
    bool ok = vault_open(kek, &entry, 1, &vault, NULL);

    vault_free(vault);
    return ok;
}

/* `wrapped` has room for one more than `count`. */
static bool replace(struct node *node, const struct store_key *keys, size_t count,
    struct buf *wrapped, const uint8_t kek[VAULT_KEY_LEN], struct err *err)
{
    uint32_t fresh = keys[count - 1].number + 1; /* they come by number */
    struct store_key *ring = mem_zalloc((count + 1) * sizeof *ring);
    bool ok = vault_rewrap(node->vault, kek, wrapped, count, err) &&
              vault_new_key(kek, fresh, &wrapped[count], err);

    for (size_t i = 0; ok && i <= count; i++) {
        ring[i].number = i < count ? keys[i].number : fresh;
        ring[i].wrapped = (struct blob){(uint8_t *)wrapped[i].data, wrapped[i].len};
    }
    ok = ok && store_replace_keys(node->store, ring, count + 1, err);
    free(ring);
    return ok;
}

static bool rekey(const struct options *options, struct node *node, struct err *err)
{
    struct store_key *keys = NULL;
    struct buf *wrapped = NULL;
    uint8_t kek[VAULT_KEY_LEN];
    size_t count = 0;
    bool ok = false;

    if (!store_list_keys(node->store, &keys, &count, err) ||
        !load_new_key(options, node, kek, err))
        goto done;
    if (opens(&keys[0], kek)) { /* the ring is not empty: the vault is open */
        err_internal(err, "the new key is the old one");
        goto done;
    }
    wrapped = mem_zalloc((count + 1) * sizeof *wrapped);
    ok = replace(node, keys, count, wrapped, kek, err);
    for (size_t i = 0; i <= count; i++)
        buf_finish(&wrapped[i]);

done:
    mem_wipe(kek, sizeof kek);
    free(wrapped);
    store_keys_free(keys, count);
    return ok;
}

int cmd_rekey(int argc, char **argv)
{
    struct options options;
    struct node node = {0};
    struct err err = {0};
    int code = EXIT_USAGE;

    if (!options_read(&options, argc, argv))
        goto done;
    if (options.rest_count > 0 ||
        (options.new_key_file != NULL && options.generate != NULL)) {
        fputs("usage: nangod rekey --data DIR [--new-key-file FILE | --generate FILE]\n",
            stderr);
        goto done;
    }
    code = 0;
    if (!node_open(&node, &options.flags, NODE_ALONE, &err) ||
        !rekey(&options, &node, &err))
        code = cmd_fail(&err);
    else
        puts("done: from now on start with the new key");

done:
    node_close(&node);
    options_finish(&options);
    return code;
}
