/* SPDX-License-Identifier: Apache-2.0 */
/* One row per kind of stored credentials that can be renewed: how new ones are obtained,
 * and how the raw answer becomes credentials. The two steps are apart because the raw
 * answer is made durable between them (refresh.h). A kind without a row is returned as it
 * was stored: API_KEY, BASIC, NONE, OAUTH1, TBA.
 *
 * A connection without a row (NULL) is one that is being made: its credentials are what
 * was submitted. */
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
    /* What is settled once, when a connection is made: may change what was submitted and
     * the config. NULL = nothing. */
    bool (*prepare)(const struct integration *integration, cJSON *submitted,
        cJSON *config, struct err *err);
    /* What the config of a new connection gains from the answer; NULL = nothing. */
    void (*learn)(
        const struct provider *provider, const char *answer, size_t len, cJSON *config);
};

extern const struct mode mode_oauth2;
extern const struct mode mode_oauth2_cc;
extern const struct mode mode_two_step;
extern const struct mode mode_jwt;
extern const struct mode mode_signature;
extern const struct mode mode_bill;
extern const struct mode mode_aws_sigv4;

/* can_renew of the modes that ask again, or sign again, with what they keep. */
bool mode_renews_always(
    const struct connection_row *row, const struct provider *provider);
/* obtain of the modes that sign by themselves: there is nobody to ask. */
bool mode_asks_nobody(const struct auth *auth, const struct integration *integration,
    const struct connection *connection, struct buf *answer, struct err *err);
/* The first credentials of a connection that is yet to be made, from what was submitted.
 * `config` gains what the answer tells. Blocking. */
bool mode_first_credentials(const struct auth *auth, const struct mode *mode,
    const struct integration *integration, const cJSON *submitted, cJSON *config,
    cJSON **credentials, struct err *err);

/* NULL when such credentials are never renewed. */
const struct mode *mode_find(const char *credentials_type);

#endif
