/* SPDX-License-Identifier: Apache-2.0 */
/* How many webhooks of providers each integration takes in a minute (contract
 * inbound-webhooks.md section 1): windows of 60 seconds, each begun by the first that
 * comes. */
#ifndef INBOUND_INGRESS_H
#define INBOUND_INGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

struct ingress;

struct ingress *ingress_new(const struct clock *clock, int64_t per_minute);
void ingress_free(struct ingress *ingress); /* accepts NULL */

struct ingress_state {
    int64_t limit;
    int64_t remaining;
    int64_t reset_s;       /* when the window ends, since 1970 */
    int64_t retry_after_s; /* until then, at least 1 */
    bool over;
};
/* Counts one more of the integration. Any thread. */
void ingress_count(
    struct ingress *ingress, int64_t integration_id, struct ingress_state *out);

#endif
