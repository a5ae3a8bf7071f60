/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Schema, draft-07: a document is compiled once and then compared with any number of
 * values.
 *
 *   document ─► jsonschema_compile ─► struct jsonschema ─► jsonschema_check ─► verdict,
 *               (references found,    (does not change)        ▲               errors
 *                patterns compiled)                          value
 *
 * All of the draft but references to other documents, which nothing is fetched for: every
 * `$ref` must be found in the document itself, by pointer or by `$id`. `format` is checked
 * for the formats of format_find(), and ignored for others; `contentEncoding` and
 * `contentMediaType` are annotations; unknown keywords are ignored. `nullable` beside
 * `type` is known. Errors are those of the official server's validator (ajv, all errors),
 * in its words and order.
 *
 * Both sides may be hostile: a comparison counts its steps and its depth, and gives up. */
#ifndef JSONSCHEMA_JSONSCHEMA_H
#define JSONSCHEMA_JSONSCHEMA_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

struct jsonschema;

/* Takes `document`, any JSON, also when it fails. NULL when it is no schema: *err (400
 * `invalid_json_schema`) says where and why. */
struct jsonschema *jsonschema_compile(cJSON *document, struct err *err);
void jsonschema_free(struct jsonschema *schema); /* accepts NULL */

/* Is there something at `definitions`/`name`? */
bool jsonschema_has(const struct jsonschema *schema, const char *name);

enum jsonschema_verdict {
    JSONSCHEMA_VALID,
    JSONSCHEMA_INVALID,
    JSONSCHEMA_UNDECIDED, /* it would have taken too long, or is nested too deeply */
};

/* At most so many errors are told. */
#define JSONSCHEMA_MAX_ERRORS 100

/* Compares `value` with the definition of that name, or with the document where `name` is
 * NULL. Any thread. Unless it is valid, appends to `errors`, where that is not NULL, a JSON
 * array of {instancePath, schemaPath, keyword, params, message}: names of members and what
 * the schema holds are in it, but no value. Without a definition of the name: undecided. */
enum jsonschema_verdict jsonschema_check(const struct jsonschema *schema,
    const char *name, const cJSON *value, struct buf *errors);

#endif
