/* SPDX-License-Identifier: Apache-2.0 */
/* What a script was answered, kept as a recording that fixture.h replays: the same members as
 * the official command line's, so that its tests can use it, too.
 *
 *   {"input", "output", "nango": {"getConnection", "getMetadata", "batchSave", …},
 *    "api": {"get": {"/issues": {"response", "status", "headers", "hash", "request", "thrown"?}}}}
 *
 * `thrown` is ours: the call failed, and fails in a replay. Credentials are left out, and their
 * values wherever else they stand. One thread uses a recording. */
#ifndef CLI_RECORDING_H
#define CLI_RECORDING_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/json_raw.h"

struct recording;

struct recording *recording_new(void);
void recording_free(struct recording *recording); /* accepts NULL */

/* One call of the script and its answer: a value, or what it failed with. */
void recording_add(struct recording *recording, const char *method, struct json_raw args,
    bool ok, struct json_raw answer);
/* Sets a member of the whole, or of `nango`: JSON text. What is absent is left out. */
void recording_set(
    struct recording *recording, const char *member, struct json_raw value);
void recording_set_nango(
    struct recording *recording, const char *member, struct json_raw value);
/* The whole, as JSON text of one line and its end. */
void recording_write(struct recording *recording, struct buf *out);

#endif
