/* SPDX-License-Identifier: Apache-2.0 */
/* The host of a dry run: answers a script's calls from a recording, and collects what the
 * script saves.
 *
 * The recording is one JSON object: `nango` has the answers of methods, `api` those of
 * requests by method and path. Its text is never rebuilt: answers go to the script as they
 * stand in the file. */
#ifndef CLI_FIXTURE_H
#define CLI_FIXTURE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json_raw.h"

struct fixture;

/* `text` is borrowed. */
struct fixture *fixture_new(const char *text, size_t len, struct err *err);
void fixture_free(struct fixture *fixture); /* accepts NULL */

struct json_raw fixture_input(const struct fixture *fixture);
struct json_raw fixture_last_sync_date(const struct fixture *fixture);

/* Answers one `call`: appends the `result` frame to `out`. */
void fixture_answer(struct fixture *fixture, struct json_raw call, struct buf *out);
/* Remembers a request that somebody else answers, for the list of calls. */
void fixture_note_call(struct fixture *fixture, struct json_raw call, bool fetched);
/* Remembers one `log`. */
void fixture_log(struct fixture *fixture, struct json_raw log);

/* Appends members of the printed result, each after a comma: batchSave and batchDelete,
 * calls, logs, checkpoint, metadata. */
void fixture_append_result(const struct fixture *fixture, struct buf *out);

#endif
