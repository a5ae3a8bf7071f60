/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that open this server's API to a script while it runs. They are made for one
 * execution, live in memory only, and never leave this process: the host of a runner makes
 * the requests (calls.h). */
#ifndef SCRIPTS_KEYS_H
#define SCRIPTS_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/crypto.h"

struct script_keys;

/* What a key opens. */
struct script_scope {
    int64_t environment_id;
    int64_t
        held_id; /* the connection that is held back and that the script judges, or 0 */
    bool background; /* nobody waits for the script */
};

struct script_keys *script_keys_new(void);
void script_keys_free(struct script_keys *keys); /* accepts NULL */

/* All from any thread. */
void script_keys_make(
    struct script_keys *keys, const struct script_scope *scope, char out[UUID_TEXT_SIZE]);
/* Ends a key and wipes it, here and in `key`. */
void script_keys_end(struct script_keys *keys, char key[UUID_TEXT_SIZE]);
/* False when it is none of them. */
bool script_keys_find(
    struct script_keys *keys, const char *key, struct script_scope *scope);

#endif
