/* SPDX-License-Identifier: Apache-2.0 */
/* Who has a say before a connection takes effect, and what is ordered with it: scripts of
 * events, which live above this folder (scripts/events.h). connection_put() asks. */
#ifndef AUTH_GATE_H
#define AUTH_GATE_H

#include "store/store.h"

struct connection_gate {
    /* Is there anybody who judges connections of this integration (0 = of any of the
     * environment's)? Then putting one blocks for as long as that takes. */
    bool (*is_judged)(void *arg, int64_t environment_id, int64_t integration_id,
        bool *yes, struct err *err);
    /* Judges a row that is held back (store.h). Blocking. Refused: 400
     * `connection_validation_failed`. */
    bool (*judge)(void *arg, struct connection_row *held, struct err *err);
    const char *event; /* ordered with each connection that takes effect; NULL = none */
    void *arg;
};

#endif
