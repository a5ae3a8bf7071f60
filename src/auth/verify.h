/* SPDX-License-Identifier: Apache-2.0 */
/* Trying submitted credentials at the provider before they are stored (contract auth.md
 * section 7.1): the catalogue's `proxy.verification`. The request is built by a function
 * that the wiring hands in, as building lives above this folder (src/proxy). */
#ifndef AUTH_VERIFY_H
#define AUTH_VERIFY_H

#include "auth/auth.h"
#include "auth/integration.h"

/* True when accepted, also when the provider declares no check. Refused: 400
 * `connection_test_failed`. Blocking. */
struct verifier {
    /* Is there a call to make at all? */
    bool (*needed)(const struct integration *integration);
    bool (*check)(void *arg, const struct integration *integration,
        const cJSON *credentials, const cJSON *config, struct err *err);
    void *arg;
};

#endif
