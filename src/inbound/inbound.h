/* SPDX-License-Identifier: Apache-2.0 */
/* Webhooks that providers send (contract inbound-webhooks.md; docs/webhooks-inbound.md).
 *
 *   POST /webhook/… ─► the provider's handler: is it the provider's? what happened, to
 *                      whom? ─► stored, sealed ─► 200
 *                                  │
 *   a thread: connections looked through ─► scripts ordered, webhooks to forward put,
 *                                           in one write that also forgets the event
 *
 * Nothing that was answered 200 is lost, and nothing slow stands before the answer. */
#ifndef INBOUND_INBOUND_H
#define INBOUND_INBOUND_H

#include <cjson/cJSON.h>

#include "auth/integration.h"
#include "net/http.h"
#include "webhooks/webhooks.h"

struct inbound;

struct inbound_config {
    const struct auth *auth;
    struct webhooks *webhooks;
    /* Scripts were ordered: they may begin. */
    void (*ordered)(void *arg);
    void *arg;
};
/* The config's pointers are borrowed. */
bool inbound_start(
    const struct inbound_config *config, struct inbound **out, struct err *err);
void inbound_stop(struct inbound *inbound); /* these accept NULL */
void inbound_free(struct inbound *inbound);

/* One that came. Borrowed. */
struct inbound_request {
    const struct environment_row *environment;
    const struct integration *integration; /* opened */
    const struct http_headers *headers;
    const cJSON *query; /* an object */
    const char *body;   /* as it came; NULL = none */
    size_t len;
};

/* Does its handler ask the provider before it answers? Then inbound_receive() is to be
 * called where that may take its time. */
bool inbound_asks_provider(const struct integration *integration);

struct inbound_answer {
    int status;
    const char *type; /* of the body; NULL = there is none */
    char *body;       /* the caller frees */
};
/* Any thread but a reactor's. False: *err has the contract's status and code, and nothing
 * was kept. */
bool inbound_receive(struct inbound *inbound, const struct inbound_request *request,
    struct inbound_answer *answer, struct err *err);

#endif
