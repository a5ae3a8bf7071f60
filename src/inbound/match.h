/* SPDX-License-Identifier: Apache-2.0 */
/* Which connections of an integration some stored events concern. */
#ifndef INBOUND_MATCH_H
#define INBOUND_MATCH_H

#include <cjson/cJSON.h>

#include "auth/auth.h"
#include "store/inbound.h"

struct matched {
    int64_t id;
    char *connection_id;
    char *url_override; /* NULL = none */
};
/* What one event is about: connections by any of its searches, of which the first that
 * finds somebody counts. */
struct search {
    const cJSON *find;       /* NULL = all; borrowed */
    struct matched *matched; /* of the search that counts */
    size_t count;
    int level; /* of that search */
};
/* Looks through all live connections once, for all of them. `searches[i].matched` is then
 * the caller's: searches_finish(). */
bool search_connections(const struct auth *auth, int64_t environment_id,
    int64_t integration_id, struct search *searches, size_t count, struct err *err);
void searches_finish(struct search *searches, size_t count);

#endif
