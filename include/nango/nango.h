/* SPDX-License-Identifier: Apache-2.0 */
/* libnango: every method of the official Node client, in C. The rules that hold throughout
 * are at the top of nango/client.h. */
#ifndef NANGO_NANGO_H
#define NANGO_NANGO_H

#include "nango/actions.h"
#include "nango/async.h"
#include "nango/client.h"
#include "nango/connect.h"
#include "nango/connections.h"
#include "nango/integrations.h"
#include "nango/json.h"
#include "nango/proxy.h"
#include "nango/records.h"
#include "nango/response.h"
#include "nango/syncs.h"
#include "nango/webhooks.h"

#endif
