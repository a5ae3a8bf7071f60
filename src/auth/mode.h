/* SPDX-License-Identifier: Apache-2.0 */
/* One row per kind of stored credentials that can be renewed: how new ones are obtained,
 * and how the raw answer becomes credentials. The two steps are apart because the raw
 * answer is made durable between them (refresh.h). A kind without a row is returned as it
 * was stored: API_KEY, BASIC, NONE, OAUTH1, TBA and the imports of kinds that this
 * version does not renew. */
#ifndef AUTH_MODE_H
#define AUTH_MODE_H

#include <cjson/cJSON.h>

#include "auth/auth.h"
#include "auth/connection.h"
#include "auth/integration.h"

struct mode {
    const char *credentials_type; /* OAUTH2, … */
    /* Is there anything to renew with? No I/O, the row alone. */
    bool (*can_renew)(const struct connection_row *row, const struct provider *provider);
    /* Asks the provider; blocking. `answer` gets what came, to be wiped. False: status
     * 400 for what the provider or the settings did, 500 for a fault of ours. */
    bool (*obtain)(const struct auth *auth, const struct integration *integration,
        const struct connection *connection, struct buf *answer, struct err *err);
    /* No I/O. `received_at_ms`: when the answer came, which may be a restart ago. */
    bool (*parse)(const struct integration *integration,
        const struct connection *connection, const char *answer, size_t len,
        int64_t received_at_ms, cJSON **credentials, struct err *err);
};

extern const struct mode mode_oauth2;

/* NULL when such credentials are never renewed. */
const struct mode *mode_find(const char *credentials_type);

#endif
