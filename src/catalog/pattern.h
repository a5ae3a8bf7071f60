/* SPDX-License-Identifier: Apache-2.0 */
/* Regular expressions of the catalogue, as far as we need them: a check of their syntax,
 * and matching of the one that the server itself evaluates (`retry.in_body.value`). */
#ifndef CATALOG_PATTERN_H
#define CATALOG_PATTERN_H

/* As regex_fault() without the flag "u". */
const char *pattern_fault(const char *pattern);

/* NULL when pattern_match() can evaluate it, else why not. `/…/` delimiters may be round
 * it. */
const char *pattern_match_fault(const char *pattern);
/* Finds `pattern` in `text` and copies its first group (free() it); NULL when nothing
 * matches, the group took no part, or the search would take too long. */
char *pattern_match(const char *pattern, const char *text);

#endif
