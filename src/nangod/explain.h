/* SPDX-License-Identifier: Apache-2.0 */
/* What request an entry makes of a case: for those who write entries, and for tests that
 * compare with recorded results. Each returns the `result` of one case; {"error": code}
 * when there is none. `frozen`: fixed clock, randomness and client. */
#ifndef NANGOD_EXPLAIN_H
#define NANGOD_EXPLAIN_H

#include "catalog/catalog.h"

cJSON *explain_proxy(const struct catalog *catalog, const cJSON *one, bool frozen);
cJSON *explain_authurl(const struct catalog *catalog, const cJSON *one, bool frozen);
cJSON *explain_token(const struct catalog *catalog, const cJSON *one, bool frozen);

#endif
