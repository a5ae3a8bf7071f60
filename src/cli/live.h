/* SPDX-License-Identifier: Apache-2.0 */
/* The host of a dry run against a connection of a server: what the script asks of the outside
 * is asked through that server (scripts/calls.h: the very code that serves deployed scripts),
 * with the secret key. What a server would keep for the script (records, checkpoint,
 * metadata, locks, schedules) is kept here, and forgotten. */
#ifndef CLI_LIVE_H
#define CLI_LIVE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json_raw.h"
#include "cli/recording.h"
#include "cli/remote.h"

struct live;

struct live_options {
    const struct remote *remote;
    const char *integration, *connection_id;
    const char *checkpoint;      /* JSON, copied; NULL = none */
    const char *metadata;        /* likewise; NULL = the connection's */
    struct recording *recording; /* gets each answer; NULL */
};

/* Finds the connection. Borrows the rest. NULL and *err. */
struct live *live_open(const struct live_options *options, struct err *err);
void live_close(struct live *live); /* accepts NULL */

const char *live_provider(const struct live *live);
int64_t live_connection(const struct live *live); /* its number */

/* As those of fixture.h. */
void live_answer(struct live *live, struct json_raw call, struct buf *out);
void live_log(struct live *live, struct json_raw log);
void live_append_result(const struct live *live, struct buf *out);

#endif
