/* SPDX-License-Identifier: Apache-2.0 */
/* The demo provider: an OAuth 2 authorization server with PKCE and rotating refresh
 * tokens, and a small paged API, on a loopback port of its own. Started by `nangod serve
 * --demo` only, so that a newcomer can connect an account without registering anywhere.
 * Everything it knows is in memory and gone when it stops. */
#ifndef DEMO_DEMO_H
#define DEMO_DEMO_H

#include <netinet/in.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"

#define DEMO_PROVIDER "demo"
#define DEMO_CLIENT_ID "demo-client"
#define DEMO_CLIENT_SECRET "demo-secret"
#define DEMO_SCOPES "contacts.read"

struct demo;

bool demo_start(
    const struct log *log, const struct clock *clock, struct demo **out, struct err *err);
void demo_stop(struct demo *demo); /* accepts NULL */
/* A catalogue entry for it, as YAML; lives as long as the demo. */
const char *demo_catalog(const struct demo *demo);
const char *demo_address(const struct demo *demo); /* 127.0.0.1:PORT */
void demo_endpoint(const struct demo *demo, struct sockaddr_in *out);

#endif
