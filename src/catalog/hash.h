/* SPDX-License-Identifier: Apache-2.0 */
/* uthash as this folder uses it: with the hash function that has no switch, whose
 * deliberate fall through clang warns of. Names of providers and keys are few and no
 * stranger chooses them. */
#ifndef CATALOG_HASH_H
#define CATALOG_HASH_H

#define HASH_FUNCTION HASH_SAX
#include <uthash.h>

#endif
