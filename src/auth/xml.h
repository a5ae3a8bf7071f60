/* SPDX-License-Identifier: Apache-2.0 */
/* XML of token endpoints, as objects: an element is a member, its attributes are members
 * of `$`, its text is the value (or the member `_` beside attributes and children),
 * elements of one name are a list. */
#ifndef AUTH_XML_H
#define AUTH_XML_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* NULL when `text` is no well-formed document, is deeper than 64 elements, has more than
 * 10,000 elements and attributes, or brings a document type (entities of its own are how such answers attack their readers). Reads
 * what token endpoints send: prefixes of names are dropped, comments and instructions
 * skipped. Free with cJSON_Delete(). */
cJSON *xml_parse(const char *text, size_t len);
/* Members that begin with `$` are attributes of the element that holds them. */
void xml_write(const cJSON *value, struct buf *out);

#endif
