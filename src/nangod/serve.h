/* SPDX-License-Identifier: Apache-2.0 */
/* The running server: everything wired together. */
#ifndef NANGOD_SERVE_H
#define NANGOD_SERVE_H

#include "api/server.h"
#include "nangod/node.h"

struct daemon;

/* Listens and starts the threads. `node` is borrowed until daemon_stop(). */
bool daemon_start(struct node *node, bool demo, struct daemon **out, struct err *err);
/* Requests in progress are finished, within http.drain_timeout_s. */
void daemon_stop(struct daemon *daemon);
/* SIGHUP: reads the settings and the catalogue again; a fault in either leaves all as it
 * was and is logged. */
void daemon_reload(struct daemon *daemon, const struct settings_flags *flags);
/* Now and then: sweeps what has expired. */
void daemon_sweep(struct daemon *daemon);
/* What the handlers get; for what the wiring does in their place. */
const struct server *daemon_server(const struct daemon *daemon);
const char *daemon_address(const struct daemon *daemon); /* ADDR:PORT of the public API */
const char *daemon_admin_address(const struct daemon *daemon); /* "" = none of its own */

#endif
