/* SPDX-License-Identifier: Apache-2.0 */
/* Keeping connections alive that nobody fetches (contract auth.md section 8.4): in rounds,
 * one thread looks for those that were not fetched for long, has the tokens renewed that
 * have expired, and tries those credentials at the provider that nothing renews.
 *
 * A refresh token that is not used for weeks dies at many providers; and who learns of a
 * revoked API key by a webhook need not learn it from a customer. */
#ifndef AUTH_BACKGROUND_H
#define AUTH_BACKGROUND_H

#include "auth/refresh.h"
#include "auth/verify.h"

struct background;

struct background_config {
    const struct auth *auth;
    struct refresher *refresher;
    const struct verifier *verifier;
    int64_t period_ms; /* from round to round; the first comes at a random moment of it */
    int64_t idle_ms;   /* how long nobody has fetched a connection that is looked at; as
                          often are credentials tried that nothing renews */
};

/* Everything in the config is borrowed. False: 500, there is no thread to be had. */
bool background_start(
    const struct background_config *config, struct background **out, struct err *err);
/* Begins nothing more, and waits for the calls in flight. Accepts NULL. */
void background_stop(struct background *background);

#endif
