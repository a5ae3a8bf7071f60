/* SPDX-License-Identifier: Apache-2.0 */
/* Keeping secrets out of the logs: by value where the values are known, by name where
 * they are not. */
#ifndef OPLOG_REDACT_H
#define OPLOG_REDACT_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/json_raw.h"

#define REDACTED "REDACTED"

/* ---- by name ---- */

/* Is a member, a parameter or a field of that name likely to hold a secret?
 * (`access_token`, `X-Api-Key`, `password`, `signature`, …) */
bool redact_name(const char *name, size_t len);
/* May a header's value be shown? Only a list of names is: what a header holds is told by
 * no other sign. */
bool redact_header_is_open(const char *name);

/* A URL for the logs: no user information, no fragment, values of telling parameters
 * replaced; so is each string of `secrets` (trees of credentials; NULL = none) that
 * stands in it, as it is or percent-encoded. The caller frees. */
char *redact_url(const char *url, const cJSON *const *secrets, size_t count);

/* ---- by value ---- */

/* Values that must not be shown. Its functions may be called by several threads. */
struct redactor;

struct redactor *redactor_new(void);
void redactor_free(struct redactor *redactor); /* wipes them; accepts NULL */
/* Every string of a tree of credentials that is long enough to be told from other text.
 * Members that say how to use the rest (type, expires_at, scope, …) are none. */
void redactor_add_tree(struct redactor *redactor, const cJSON *tree);
void redactor_add_json(struct redactor *redactor, struct json_raw value);
/* `text` without them; the caller frees. */
char *redactor_text(struct redactor *redactor, const char *text);
/* Appends a JSON value without them, and without the values of members of telling names.
 */
void redactor_json(struct redactor *redactor, struct json_raw value, struct buf *out);

#endif
