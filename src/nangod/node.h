/* SPDX-License-Identifier: Apache-2.0 */
/* What every command that touches a data directory opens, in order: settings, clock, log,
 * store, vault. */
#ifndef NANGOD_NODE_H
#define NANGOD_NODE_H

#include "base/clock.h"
#include "base/log.h"
#include "nangod/settings.h"
#include "store/store.h"
#include "vault/vault.h"

struct node {
    struct settings settings;
    struct clock clock;
    struct log log;
    struct store *store;
    struct vault *vault;
    bool first_start; /* the environments were made just now */
};

enum node_use {
    NODE_SETTINGS, /* clock and log only: nothing of the data directory is touched */
    NODE_FILE,     /* the database as a file, beside a running server: no key needed */
    NODE_READ,     /* beside a running server */
    NODE_TOOL,     /* writes beside a running server (store.h says what) */
    NODE_ALONE,    /* in a server's place, on a database that exists */
    NODE_WRITE,    /* the server itself */
};

/* False: *err says why; node_close() is due in either case. */
bool node_open(struct node *node, const struct settings_flags *flags, enum node_use use,
    struct err *err);
void node_close(struct node *node);

/* Opens a sealed text. The caller frees by secret_free(). */
char *node_unseal(
    struct node *node, const char *context, const struct blob *sealed, struct err *err);

/* Absence is an error. The caller's to unref. */
bool node_find_environment(
    struct node *node, const char *name, struct environment_row **out, struct err *err);
#define ALL_SCOPES "environment:*"
/* Makes a secret key; `secret` gets it in plain: wipe it. `out` may be NULL. */
bool node_make_key(struct node *node, int64_t environment_id, const char *name,
    const char *scopes, char secret[UUID_TEXT_SIZE], struct api_key_row **out,
    struct err *err);

#endif
