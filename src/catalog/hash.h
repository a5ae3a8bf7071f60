/* SPDX-License-Identifier: Apache-2.0 */
/* uthash with the hash function that has no switch, whose deliberate fall through clang
 * warns of. What it is used for is chosen by no stranger, or is a digest: names of
 * providers and of their keys, and hashes of code. */
#ifndef CATALOG_HASH_H
#define CATALOG_HASH_H

#define HASH_FUNCTION HASH_SAX
#include <uthash.h>

#endif
