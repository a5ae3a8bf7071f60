/* SPDX-License-Identifier: Apache-2.0 */
/* What scripts ask of the outside, done as requests to this server's own API: a script thus
 * has exactly what the API gives, with its checks, refreshes, retries and logs, and
 * nothing more. The key that they are made with is one of the run's (authn.c), and never
 * leaves this process.
 *
 * runner/protocol.h says what the calls look like; contract runner-sdk.md section 2 what
 * they mean. */
#ifndef SCRIPTS_CALLS_H
#define SCRIPTS_CALLS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/json_raw.h"
#include "net/policy.h"
#include "scripts/say.h"

struct script_caller {
    const char *base_url;            /* of this server's API */
    const char *key;                 /* the run's */
    const char *connection_id;       /* the run's: what a call does not name */
    const char *provider_config_key; /* likewise */
    struct script_say *say;          /* what the run tells its operation; a zeroed one
                                        tells nobody */
    const struct policy *policy;     /* of uncontrolledFetch */
    const char *ca_file;             /* NULL = the system's */
    int64_t timeout_ms;              /* of one call */
    size_t max_body;                 /* of an answer */
    const atomic_bool *ended;        /* the run: its calls end soon after; NULL */
};

/* Is it a method that is done by this file? */
bool script_call_known(const char *method);
/* Does it, blocking. Appends the value's JSON and returns true, or the error's and returns
 * false. Any thread but a reactor's. */
bool script_call(const struct script_caller *caller, const char *method,
    struct json_raw args, struct buf *out);
/* Appends an error for a method that cannot be done here. */
void script_call_refuse(struct buf *out, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
