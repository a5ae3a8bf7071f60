/* SPDX-License-Identifier: Apache-2.0 */
/* What a newcomer sees after `nangod serve --demo`. */
#ifndef NANGOD_WELCOME_H
#define NANGOD_WELCOME_H

#include "nangod/node.h"
#include "nangod/serve.h"

/* Makes the integration `demo` in the environment `dev` where it is missing, and prints
 * the link that connects the demo account, a curl line and a Node program. They contain
 * no secret: the key is read by a command when they are run. */
bool welcome_demo(const struct daemon *daemon, struct node *node, struct err *err);

#endif
