/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for secrets: pages locked into RAM where the limits allow, left out of core
 * dumps, and wiped when freed. Safe to call from any thread. */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stddef.h>

/* Uninitialised; aborts when memory is out. Free with secret_free() only. */
void *secret_alloc(size_t size) __attribute__((malloc, alloc_size(1), returns_nonnull));
/* A NUL-terminated copy of `len` bytes. */
char *secret_strndup(const char *s, size_t len) __attribute__((malloc, returns_nonnull));
/* Wipes, then frees. Accepts NULL. */
void secret_free(void *p);

/* Called once, first thing in main(): no core dumps, no ptrace by others, and cJSON takes
 * its nodes from memory that is wiped when freed. */
void secret_harden_process(void);

#endif
