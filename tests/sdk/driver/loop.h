/* SPDX-License-Identifier: Apache-2.0 */
/* A small event loop over epoll, for the calls that do not wait. It watches the library as
 * well: what an adapter may rely on is checked here, and a breach ends the driver. */
#ifndef DRIVER_LOOP_H
#define DRIVER_LOOP_H

#include "nango/nango.h"

struct loop;

struct loop *loop_new(void);
/* `adapter`: by nango/adapters/epoll.h, unchecked. */
void loop_attach(struct loop *loop, nango_client *client, bool adapter);
/* Waits for descriptors and the timer once, and hands over what happened. */
void loop_turn(struct loop *loop);
/* After the client is gone: everything that was asked for must have been taken back. */
void loop_free(struct loop *loop);

#endif
