/* SPDX-License-Identifier: Apache-2.0 */
/* Whom a stored event concerns: the thread that looks through the connections. */
#ifndef INBOUND_ROUTE_H
#define INBOUND_ROUTE_H

#include "inbound/inbound.h"
#include "store/inbound.h"

void inbound_wake(struct inbound *inbound);
const struct auth *inbound_auth(const struct inbound *inbound);
/* Of its log. */
int64_t inbound_operation_id(const struct inbound_event *event);

#endif
