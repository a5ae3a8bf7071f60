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

struct script_keys *script_keys_new(void);
void script_keys_free(struct script_keys *keys); /* accepts NULL */

/* All from any thread. */
void script_keys_make(
    struct script_keys *keys, int64_t environment_id, char out[UUID_TEXT_SIZE]);
/* Ends a key and wipes it, here and in `key`. */
void script_keys_end(struct script_keys *keys, char key[UUID_TEXT_SIZE]);
/* 0 when it is none of them. */
int64_t script_keys_find(struct script_keys *keys, const char *key);

#endif
